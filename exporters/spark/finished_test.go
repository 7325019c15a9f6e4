package spark

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kube"
)

// TestAfterTheEnd keeps the last values for a while, and then only that the run
// ended. The counters go on with the next run.
func TestAfterTheEnd(t *testing.T) {
	d := newDriver(t)
	d.put(t, "/api/v1/applications", app1("a", moment()))
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	e.page()
	down := func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	d.handle(down)
	for range 3 {
		wants(t, e.page(), map[string]string{
			`spark_app_up{app="etl"}`:                         "0",
			`spark_tasks_total{app="etl",result="completed"}`: "128",
			`spark_executors{app="etl",state="active"}`:       "1",
		})
		e.add(4 * time.Minute)
	}
	e.add(3 * time.Minute)
	for range 2 {
		wants(t, e.page(), map[string]string{
			`spark_app_up{app="etl"}`:                                             "0",
			`spark_tasks_total{app="etl",result="completed"}`:                     "",
			`spark_executors{app="etl",state="active"}`:                           "",
			`spark_app_completed_total{app="etl",status="unknown",reason="lost"}`: "1",
		})
	}
	d.handle(nil)
	d.put(t, "/api/v1/applications", app1("b", e.now()))
	wants(t, e.page(), map[string]string{
		`spark_app_up{app="etl"}`:                                             "1",
		`spark_tasks_total{app="etl",result="completed"}`:                     "256",
		`spark_app_completed_total{app="etl",status="unknown",reason="lost"}`: "1",
	})
}

// historyServer answers as one that holds the recorded run, once it has ended.
func historyServer(t testing.TB) *fakeDriver {
	d := newDriver(t)
	d.standalone(t)
	d.set("/api/v1/applications", "[]")
	d.set("/metrics/json/", "<!DOCTYPE html>")
	return d
}

// TestHistory counts a run that no one saw alive, with its last figures, and
// only once.
func TestHistory(t *testing.T) {
	d := historyServer(t)
	e := newExporter(t, Options{History: []string{d.URL}})
	wants(t, e.page(), map[string]string{
		`spark_discovery_up{source="history",target="` + d.URL + `"}`: "1",
	})
	d.set("/api/v1/applications", fixture(t, "standalone/history.json"))
	e.add(everyHistory)
	page := e.page()
	for range 2 {
		e.add(everyHistory)
		page = e.page()
	}
	wants(t, page, map[string]string{
		`spark_app_completed_total{app="skewed",status="finished",reason="unknown"}`:                     "1",
		`spark_tasks_total{app="skewed",result="completed"}`:                                             "53",
		`spark_jobs_total{app="skewed",status="failed"}`:                                                 "1",
		`spark_executors_removed_total{app="skewed",reason="oom"}`:                                       "1",
		`spark_app_info{app="skewed",app_id="app-20261121100753-0000",version="4.1.3",source="history"}`: "1",
		`spark_app_up{app="skewed"}`:                                                                     "",
	})
	e.add(DefaultKeep)
	wants(t, e.page(), map[string]string{
		`spark_app_completed_total{app="skewed",status="finished",reason="unknown"}`: "1",
		`spark_tasks_total{app="skewed",result="completed"}`:                         "",
	})
}

// TestHistoryIsSlow reads the last figures again when a History Server did not
// have them in time, and counts none of them twice.
func TestHistoryIsSlow(t *testing.T) {
	d := historyServer(t)
	e := newExporter(t, Options{History: []string{d.URL}, HTTP: httpjson.Options{Timeout: time.Second}})
	d.set("/api/v1/applications", fixture(t, "standalone/history.json"))
	d.handle(only("/jobs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	wants(t, e.page(), map[string]string{
		`spark_tasks_total{app="skewed",result="completed"}`: "53",
		`spark_jobs_total{app="skewed",status="succeeded"}`:  "0",
	})
	d.handle(nil)
	for range 2 {
		wants(t, e.page(), map[string]string{
			`spark_tasks_total{app="skewed",result="completed"}`: "53",
			`spark_jobs_total{app="skewed",status="succeeded"}`:  "8",
		})
	}
}

// TestHistoryFillsTheRest adds what a run did after it was last seen alive.
func TestHistoryFillsTheRest(t *testing.T) {
	d, h := newDriver(t), historyServer(t)
	d.standalone(t)
	d.put(t, "/allexecutors", []any{executor("0", 11, 0, true, ""), executor("1", 22, 0, true, "")})
	d.put(t, "/jobs", []any{job(0, "SUCCEEDED", 0, 1)})
	e := newExporter(t, Options{Apps: []App{{Name: "mine", UI: d.URL}}, History: []string{h.URL}})
	wants(t, e.page(), map[string]string{
		`spark_tasks_total{app="mine",result="completed"}`: "33",
		`spark_jobs_total{app="mine",status="failed"}`:     "0",
	})
	d.handle(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true })
	h.set("/api/v1/applications", fixture(t, "standalone/history.json"))
	e.add(everyHistory)
	wants(t, e.page(), map[string]string{
		`spark_app_up{app="mine"}`:                                                   "0",
		`spark_tasks_total{app="mine",result="completed"}`:                           "53",
		`spark_jobs_total{app="mine",status="succeeded"}`:                            "8",
		`spark_jobs_total{app="mine",status="failed"}`:                               "1",
		`spark_executors_removed_total{app="mine",reason="oom"}`:                     "1",
		`spark_executors{app="mine",state="active"}`:                                 "2", // as it was last seen
		`spark_app_completed_total{app="mine",status="finished",reason="unknown"}`:   "1",
		`spark_app_completed_total{app="skewed",status="finished",reason="unknown"}`: "",
	})
}

// TestHistoryAfterMaster reads the last figures although somebody else told of
// the end before.
func TestHistoryAfterMaster(t *testing.T) {
	var f finished
	f.end("a", ending{"succeeded", "completed"})
	for range 2 {
		f.later("a", &final{})
		f.end("a", historyEnding())
	}
	if len(f.final) != 1 || len(f.counts) != 1 {
		t.Errorf("%d to be read, %v", len(f.final), f.counts)
	}
}

// TestMaster takes the cluster's figures, how applications ended, and their UIs
// through the master.
func TestMaster(t *testing.T) {
	m := newDriver(t)
	m.standalone(t)
	m.set("/json/", fixture(t, "standalone/master.json"))
	e := newExporter(t, Options{Masters: []Master{{URL: m.URL, Proxy: true}}})
	asked := e.count()
	wants(t, e.page(), map[string]string{
		`spark_master_up{master="` + m.URL + `"}`:                                                       "1",
		`spark_master_workers{master="` + m.URL + `",state="alive"}`:                                    "1",
		`spark_master_cores{master="` + m.URL + `",state="used"}`:                                       "4",
		`spark_master_memory_bytes{master="` + m.URL + `",state="total"}`:                               "2.147483648e+09",
		`spark_master_apps{master="` + m.URL + `",state="running"}`:                                     "1",
		`spark_app_up{app="skewed"}`:                                                                    "1",
		`spark_jobs_total{app="skewed",status="succeeded"}`:                                             "8",
		`spark_app_completed_total{app="skewed",status="x",reason="x"}`:                                 "",
		`spark_discovery_up{source="master",target="` + m.URL + `"}`:                                    "1",
		`spark_app_info{app="skewed",app_id="app-20261121100753-0000",version="4.1.3",source="master"}`: "1",
	})
	for _, r := range asked.List() {
		if want := "GET " + m.URL + "/proxy/app-20261121100753-0000/"; r.What != "GET "+m.URL+"/json/" &&
			len(r.What) > len(want) && r.What[:len(want)] != want {
			t.Errorf("%s was asked", r.What)
		}
	}
	m.set("/json/", fixture(t, "standalone/master-after.json"))
	e.add(everyMaster)
	e.page()
	wants(t, e.page(), map[string]string{
		`spark_app_up{app="skewed"}`: "0",
		`spark_app_completed_total{app="skewed",status="succeeded",reason="completed"}`: "1",
	})
	m.set("/json/", `<html>`)
	e.add(everyMaster)
	wants(t, e.page(), map[string]string{
		`spark_master_up{master="` + m.URL + `"}`:                    "",
		`spark_discovery_up{source="master",target="` + m.URL + `"}`: "0",
	})
	if f := masterFirst(t); f != "" {
		t.Error(f)
	}
}

// masterFirst asks a master for the first time when an application has ended
// already: that is not counted.
func masterFirst(t *testing.T) string {
	m := newDriver(t)
	m.set("/json/", fixture(t, "standalone/master-after.json"))
	e := newExporter(t, Options{Masters: []Master{{URL: m.URL}}})
	e.page()
	if page := e.page(); value(page, `spark_app_completed_total{app="skewed",status="succeeded",reason="completed"}`) != "" {
		return page
	}
	return ""
}

func TestPodEnding(t *testing.T) {
	killed := func(reason string, code int) []kube.Terminated {
		return []kube.Terminated{{Container: "spark-kubernetes-driver", Reason: reason, ExitCode: code, Finished: moment()}}
	}
	for _, c := range []struct {
		pod  kube.Pod
		want string
	}{
		{kube.Pod{Phase: "Running"}, ""},
		{kube.Pod{Phase: "Pending"}, ""},
		{kube.Pod{Phase: "Succeeded", Terminated: killed("Completed", 0)}, "succeeded completed"},
		{kube.Pod{Phase: "Failed", Terminated: killed("Error", 1)}, "failed error"},
		{kube.Pod{Phase: "Failed", Terminated: killed("OOMKilled", 137)}, "failed oom"},
		{kube.Pod{Phase: "Failed", Terminated: killed("Error", 137)}, "failed killed"},
		{kube.Pod{Phase: "Failed", Terminated: killed("Error", 143)}, "failed killed"},
		{kube.Pod{Phase: "Failed", Reason: "Evicted"}, "failed evicted"},
	} {
		how, _, over := podEnding(c.pod)
		have := ""
		if over {
			have = how.status + " " + how.reason
		}
		if have != c.want {
			t.Errorf("%+v: %q, want %q", c.pod, have, c.want)
		}
	}
}

// TestEndedOnce counts a run once, whoever tells of it.
func TestEndedOnce(t *testing.T) {
	var f finished
	f.over("a", moment())
	f.over("a", moment().Add(time.Hour))
	f.settle(moment().Add(replacedT - time.Second))
	f.end("a", ending{"failed", "oom"})
	f.end("a", ending{"finished", "unknown"})
	f.settle(moment().Add(time.Hour))
	if len(f.counts) != 1 || f.counts[ending{"failed", "oom"}] != 1 {
		t.Errorf("%v", f.counts)
	}
	f.end("", lost())
	f.over("b", moment())
	f.settle(moment().Add(time.Hour))
	if f.counts[replaced()] != 1 || len(f.counts) != 2 {
		t.Errorf("%v", f.counts)
	}
	for i := range 3 * maxEnded {
		f.end(fmt.Sprint(i), lost())
	}
	if len(f.ended) > maxEnded {
		t.Errorf("%d runs are remembered", len(f.ended))
	}
}
