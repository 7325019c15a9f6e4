package spark

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kube"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// apiServer answers as a Kubernetes API does, with a list of pods.
func apiServer(t testing.TB, pods func() string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/namespaces/lake/pods" || r.URL.Query().Get("labelSelector") != driverSelector {
			http.Error(w, `{"kind":"Status","code":403}`, http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(pods()))
	}))
	t.Cleanup(s.Close)
	return s
}

func podList(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/kubernetes/pods.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPods finds drivers, by the names that both operators and Spark itself give.
func TestPods(t *testing.T) {
	s := apiServer(t, func() string { return podList(t) })
	client, err := kube.New(kube.Options{Server: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	began := moment().Add(-2 * time.Hour)
	f, err := podSource(client, "lake", began).ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, a := range f.apps {
		have = append(have, a.name+" "+a.ident+" "+a.ui)
	}
	for _, r := range f.ended {
		have = append(have, fmt.Sprint(r.who.name, " ", r.run, " ", r.ending))
	}
	want := []string{
		"bronze lake/bronze http://10.0.0.7:4041", "silver lake/silver http://10.0.0.9:4040",
		"connect lake/connect http://[fd00::1]:4040",
		"silver spark-aa {failed oom}", "nightly pod u4 {succeeded completed}",
	}
	if !slices.Equal(have, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if f, _ := podSource(client, "lake", moment()).ask(t.Context()); len(f.ended) != 0 {
		t.Errorf("what ended before the exporter began counts: %+v", f.ended)
	}
}

// TestPodRestarts gives an application 100 pods, one after the other.
func TestPodRestarts(t *testing.T) {
	d := newDriver(t)
	host, port, _ := strings.Cut(strings.TrimPrefix(d.URL, "http://"), ":")
	generation := 0
	pod := func(n int, status string) string {
		return fmt.Sprintf(`{"metadata": {"name": "etl-%d-driver", "namespace": "lake", "uid": "u%d",
			"creationTimestamp": %q, "labels": {"spark-app-name": "etl-%d", "spark-app-selector": "app-%d"}},
			"spec": {"containers": [{"ports": [{"name": "spark-ui", "containerPort": %s}]}]},
			"status": {"podIP": %q, %s}}`, n, n, moment().Add(time.Duration(n)*time.Minute).Format(time.RFC3339),
			1_795_233_458_684+n, n, port, host, status)
	}
	s := apiServer(t, func() string {
		pods := []string{pod(generation, `"phase": "Running"`)}
		if generation > 0 {
			pods = append(pods, pod(generation-1, `"phase": "Failed", "containerStatuses": [{"state": {"terminated":
				{"reason": "OOMKilled", "exitCode": 137}}}]`))
		}
		return `{"items": [` + strings.Join(pods, ",") + `]}`
	})
	e := newExporter(t, Options{Kubernetes: &Kubernetes{kube.Options{Server: s.URL}, []string{"lake"}}})
	page := ""
	for ; generation < 100; generation++ {
		d.put(t, "/api/v1/applications", app1(fmt.Sprintf("app-%d", generation), e.now()))
		page = e.page()
		e.add(time.Minute)
	}
	wants(t, page, map[string]string{
		`spark_app_up{app="etl"}`: "1",
		`spark_app_completed_total{app="etl",status="failed",reason="oom"}`:             "99",
		`spark_app_info{app="etl",app_id="app-99",version="4.1.3",source="kubernetes"}`: "1",
		`spark_tasks_total{app="etl",result="completed"}`:                               "12800",
		`spark_discovery_up{source="kubernetes",target="lake"}`:                         "1",
	})
	if n := lines(page); n > 72 {
		t.Errorf("%d series after 100 restarts", n)
	}
}

// TestSourceGoesAway believes a source for some minutes after its last answer.
func TestSourceGoesAway(t *testing.T) {
	d := newDriver(t)
	host, port, _ := strings.Cut(strings.TrimPrefix(d.URL, "http://"), ":")
	answer := `{"items": [{"metadata": {"name": "x", "namespace": "lake", "labels": {"spark-app-name": "etl"}},
		"spec": {"containers": [{"ports": [{"name": "spark-ui", "containerPort": ` + port + `}]}]},
		"status": {"phase": "Running", "podIP": "` + host + `"}}]}`
	s := apiServer(t, func() string { return answer })
	e := newExporter(t, Options{Kubernetes: &Kubernetes{kube.Options{Server: s.URL}, []string{"lake"}}})
	e.page()
	answer = `not JSON`
	e.add(everyPods)
	wants(t, e.page(), map[string]string{
		`spark_app_up{app="etl"}`: "1", `spark_discovery_up{source="kubernetes",target="lake"}`: "0",
	})
	e.add(staleFindings + time.Minute)
	before := d.requests.Load()
	wants(t, e.page(), map[string]string{`spark_app_up{app="etl"}`: "0"})
	if n := d.requests.Load(); n != before {
		t.Errorf("it was asked %d times", n-before)
	}
}

// TestAppNames gives every application a name of its own that stays.
func TestAppNames(t *testing.T) {
	n := newNames()
	at := func(address string) found {
		return found{source: fromStatic, ident: address, ui: "http://" + address, other: "@" + address}
	}
	a, b := at("a:4040"), at("b:4040")
	for range 2 {
		n.told(a.ui, "pyspark-shell", n.claim(a, "pyspark-shell"))
		n.told(b.ui, "pyspark-shell", n.claim(b, "pyspark-shell"))
	}
	pod := func(namespace string) found {
		return found{
			source: fromKubernetes, name: "etl", ident: namespace + "/etl", other: namespace + "/etl", ui: "http://" + namespace,
		}
	}
	shell := found{source: fromCheckpoints, name: "etl", ident: "x", checkpoints: []checkpointAt{{uri: "file:///c/etl"}}}
	young, old := pod("one"), pod("one")
	young.ui, young.began, old.began = "http://young", moment(), moment().Add(-time.Hour)
	unknown := at("c:4040")
	for range 2 {
		targets, dropped := n.merge([]found{a, b, old, young, pod("two"), shell, shell, unknown}, 10)
		var have []string
		for _, t := range targets {
			have = append(have, strings.TrimSpace(t.app+" "+t.ui+" "+strings.Join(t.checkpoints, " ")))
		}
		want := []string{
			"pyspark-shell http://a:4040", "pyspark-shell@b:4040 http://b:4040", "etl http://young file:///c/etl",
			"two/etl http://two", "c:4040 http://c:4040",
		}
		if !slices.Equal(have, want) || dropped != 0 {
			t.Errorf("%d dropped,\n%s\nwant\n%s", dropped, strings.Join(have, "\n"), strings.Join(want, "\n"))
		}
	}
	for i := range 3 * maxNames {
		f := at(fmt.Sprintf("h%d:4040", i))
		n.told(f.ui, fmt.Sprint(i), n.claim(f, fmt.Sprint(i)))
	}
	if max(len(n.owners), len(n.byUI), len(n.alias)) > maxNames {
		t.Errorf("%d, %d and %d names are remembered", len(n.owners), len(n.byUI), len(n.alias))
	}
}

func TestStable(t *testing.T) {
	for name, want := range map[string]string{
		"etl": "etl", "etl-1795233458684": "etl", "etl.1795233458": "etl", "etl-2026": "etl-2026", "-1795233458684": "-1795233458684",
		"etl-20261121": "etl-20261121",
	} {
		if have := stable(name); have != want {
			t.Errorf("%q is %q, want %q", name, have, want)
		}
	}
}

// TestSameAddress sees another application at the address of the first: it has
// its own series.
func TestSameAddress(t *testing.T) {
	d := newDriver(t)
	e := newExporter(t, Options{Apps: []App{{UI: d.URL}}})
	e.page()
	d.put(t, "/api/v1/applications", app1("b", e.now()))
	for range 2 {
		wants(t, e.page(), map[string]string{
			`spark_app_up{app="etl"}`: "1", `spark_app_up{app="lakeproof-bronze"}`: "0",
		})
	}
	e.add(DefaultKeep)
	wants(t, e.page(), map[string]string{
		`spark_app_up{app="etl"}`: "1", `spark_app_up{app="lakeproof-bronze"}`: "",
		`spark_app_completed_total{app="lakeproof-bronze",status="unknown",reason="lost"}`: "1",
	})
}

// TestCheckpointPrefix finds checkpoints below a folder, and gives each to the
// application whose jobs name its query.
func TestCheckpointPrefix(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := cmp.Or(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("one/metadata", `{"id":"3b1aab7c-a48e-4062-a257-9b158e2281e9"}`)
	write("one/offsets/0", "v1\n{}\n{}")
	write("app/two/metadata", `{"id":"other"}`)
	write("app/two/offsets/0", "v1\n{}\n{}")
	write("app/two/state/0/metadata", `{"id":"deep"}`)
	write("broken/metadata", `{`)
	write("broken/offsets/0", "")
	write("young/offsets/0", "")
	write("_spark_metadata/0", "")
	write("data/part-0", "")
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	source := checkpointSource(store, Prefix{URI: "file://" + root + "/"})
	for range 2 {
		f, err := source.ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, a := range f.apps {
			have = append(have, a.name+" "+strings.TrimPrefix(a.checkpoints[0].uri, "file://"+root)+" "+a.checkpoints[0].query)
		}
		slices.Sort(have)
		want := []string{"broken /broken ", "one /one 3b1aab7c-a48e-4062-a257-9b158e2281e9", "two /app/two other"}
		if !slices.Equal(have, want) {
			t.Errorf("found %q, want %q", have, want)
		}
	}
	d := newDriver(t)
	e := newExporter(t, Options{
		Apps: []App{{UI: d.URL}}, Checkpoints: []Prefix{{URI: "file://" + root}}, Folders: store,
	})
	e.page()
	targets, _ := e.names.merge(e.all(), 10)
	var have []string
	for _, t := range targets {
		have = append(have, t.app+strings.ReplaceAll(fmt.Sprint(t.checkpoints), root, ""))
	}
	slices.Sort(have)
	want := []string{
		"broken[file:///broken]", "lakeproof-bronze[bronze_payments=file:///one]", "two[file:///app/two]",
	}
	if !slices.Equal(have, want) {
		t.Errorf("%q, want %q", have, want)
	}
	missing := checkpointSource(store, Prefix{URI: "file://" + root + "/nothing"})
	if f, err := missing.ask(t.Context()); err != nil || len(f.apps) != 0 {
		t.Errorf("a folder that is not there: %v, %v", f, err)
	}
}

// TestStatesAreBounded forgets the applications that were silent for longest.
func TestStatesAreBounded(t *testing.T) {
	d := newDriver(t)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}, MaxApps: 5})
	e.page()
	e.busy = map[string]bool{"etl": true}
	for i := range 50 {
		e.state(fmt.Sprint(i)).heard = e.now()
	}
	if len(e.states) != 10 || e.states["etl"] == nil {
		t.Errorf("%d applications", len(e.states))
	}
}
