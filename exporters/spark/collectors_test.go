package spark

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// TestGolden holds the page of recorded drivers against files: a streaming
// query in local mode, and a batch job on a standalone cluster whose stage was
// skewed, one of whose jobs and executors was lost. Both began after the
// exporter, so all that they did counts.
func TestGolden(t *testing.T) {
	t.Run("local", func(t *testing.T) {
		d := newDriver(t)
		e := newExporter(t, Options{Apps: []App{{UI: d.URL}}})
		exportertest.GoldenText(t, resourcesOf(e.page()), filepath.Join(fixtures, "page.txt"))
		if n := d.requests.Load(); n > maxRequests {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("standalone", func(t *testing.T) {
		d := newDriver(t)
		d.standalone(t)
		e := newExporter(t, Options{Apps: []App{{UI: d.URL}}})
		exportertest.GoldenText(t, resourcesOf(e.page()), filepath.Join(fixtures, "standalone", "page.txt"))
		if n := d.requests.Load(); n > maxRequests {
			t.Errorf("%d requests", n)
		}
	})
}

// standalone puts the second recording in the place of the first.
func (d *fakeDriver) standalone(t testing.TB) {
	for path, name := range map[string]string{
		"/api/v1/applications": "applications", "/allexecutors": "allexecutors", "/jobs": "jobs", "/stages": "stages",
		"/metrics/json/": "metrics", "/stages/1/0/taskSummary": "taskSummary",
	} {
		d.set(path, fixture(t, "standalone/"+name+".json"))
	}
}

// resourcesOf drops what other tests look at.
func resourcesOf(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if !strings.Contains(line, "spark_streaming_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestBadDrivers has one good driver among bad ones: each costs its own series,
// and says why.
func TestBadDrivers(t *testing.T) {
	const down, up = "0", "1"
	for name, bad := range map[string]struct {
		serve func(w http.ResponseWriter, r *http.Request) bool
		class httpjson.Class
		up    string
	}{
		"hangs": {func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		}, httpjson.Timeout, down},
		"hangs in the jobs": {only("/jobs", func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}), httpjson.Timeout, up},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html><body>Sign in</body></html>"))
			return true
		}, httpjson.HTML, down},
		"HTML without a header": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("\n <!DOCTYPE html>"))
			return true
		}, httpjson.HTML, down},
		"403": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusForbidden)
			return true
		}, httpjson.Status, down},
		"truncated": {only("/jobs", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`[{"jobId": 70, "status": "SUCCEEDED"}, {"jobId": 69, "sta`))
		}), httpjson.Garbled, up},
		"another shape": {only("/allexecutors", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"error": "no"}`))
		}), httpjson.Garbled, up},
		"redirects for ever": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return true
		}, httpjson.Unreachable, down},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good, other := newDriver(t), newDriver(t)
			other.handle(bad.serve)
			e := newExporter(t, Options{
				Apps: []App{{Name: "good", UI: good.URL}, {Name: "bad", UI: other.URL}},
				HTTP: httpjson.Options{Timeout: time.Second},
			})
			began := time.Now()
			page := e.page()
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			wants(t, page, map[string]string{
				`spark_app_up{app="good"}`:                                             up,
				`spark_app_up{app="bad"}`:                                              bad.up,
				`spark_jobs_total{app="good",status="succeeded"}`:                      "10",
				`spark_poll_errors_total{app="good",class="timeout"}`:                  "",
				`spark_poll_errors_total{app="bad",class="` + string(bad.class) + `"}`: "1",
			})
			if err := e.states["bad"].err; fail.HintOf(err) == "" {
				t.Errorf("no hint with %v", err)
			}
		})
	}
}

// only answers one path, and leaves the others to the fixtures.
func only(suffix string, serve http.HandlerFunc) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, suffix) {
			return false
		}
		serve(w, r)
		return true
	}
}

// TestHangingIsLeftAlone asks a driver that hangs less often, and finds it again
// when it no longer does.
func TestHangingIsLeftAlone(t *testing.T) {
	d := newDriver(t)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	e.page()
	before := d.requests.Load()
	patient := e.impatient()
	d.handle(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	for range 9 {
		wants(t, e.page(), map[string]string{
			`spark_app_up{app="etl"}`: "0", `spark_jobs_total{app="etl",status="succeeded"}`: "10",
		})
	}
	if n := d.requests.Load() - before; n > 5 {
		t.Errorf("%d requests in 9 collections", n)
	}
	d.handle(nil)
	patient()
	up := false
	for range maxWait + 1 {
		up = up || value(e.page(), `spark_app_up{app="etl"}`) == "1"
	}
	if !up {
		t.Error("it is not found again")
	}
}

// TestHangsLongerThanACollection has a driver hang for longer than a collection
// may take: what others say of its queries is there all the same.
func TestHangsLongerThanACollection(t *testing.T) {
	o := manyApps(t, 1)
	d := newDriver(t)
	o.Apps[0].UI = d.URL
	d.handle(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	e := newExporter(t, o)
	e.Interval = time.Second
	page := e.page()
	wants(t, page, map[string]string{
		`spark_app_up{app="app-00"}`:                            "0",
		`spark_poll_errors_total{app="app-00",class="timeout"}`: "1",
	})
	if value(page, `spark_streaming_batch_id{app="app-00",query="bronze_payments"}`) == "" {
		t.Error(page)
	}
}

// impatient has the exporter wait for next to nothing, until it is told to be
// patient again.
func (e *exporter) impatient() (patient func()) {
	was := e.client
	e.client = lakespark.NewClient(httpjson.Options{Timeout: 50 * time.Millisecond})
	return func() {
		e.client.Close()
		e.client = was
	}
}

// TestTimeIsOver ends a collection before all drivers were asked: that is not
// their fault, and says nothing of them.
func TestTimeIsOver(t *testing.T) {
	d := newDriver(t)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	collect := e.Collect
	e.page()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.Collect = func(_ context.Context, out *exporters.Batch) error { return collect(ctx, out) }
	page := e.page()
	if strings.Contains(page, "spark_app_up") || e.states["etl"].totals.errors[httpjson.Canceled] != 0 {
		t.Error(page)
	}
}

// TestBudget gives a driver with more than it can be asked for.
func TestBudget(t *testing.T) {
	d := newDriver(t)
	var jobs, stages []map[string]any
	for id := 9999; id >= 0; id-- {
		jobs = append(jobs, padded(job(id, "SUCCEEDED", 2*id, 2*id+1), 700))
		stages = append(stages, padded(stage(2*id+1, time.Second, 6*time.Second), 3000),
			padded(stage(2*id, time.Second, time.Second), 3000))
	}
	d.put(t, "/jobs", jobs)
	d.put(t, "/stages", stages[:2000])
	d.put(t, "/taskSummary", map[string]any{"quantiles": []float64{.5, 1}, "duration": []float64{1000, 4000}})
	for _, mode := range []string{"with its metrics", "without"} {
		if mode == "without" {
			d.set("/metrics/json/", `{"gauges": {}}`)
		}
		e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
		asked := e.count()
		page := e.page()
		if asked.Count() > maxRequests || asked.Bytes() > 300<<10 {
			t.Errorf("%s: %d requests and %d bytes", mode, asked.Count(), asked.Bytes())
		}
		t.Logf("%s: %d requests and %d bytes for 10,000 jobs", mode, asked.Count(), asked.Bytes())
		if value(page, `spark_poll_missed_total{app="etl",list="jobs"}`) == "" {
			t.Error("what was left out is not counted")
		}
		wants(t, page, map[string]string{`spark_stage_skew_ratio{app="etl",of="duration"}`: "4"})
		asked = e.count()
		e.page()
		if asked.Count() > maxRequests || asked.Bytes() > 300<<10 {
			t.Errorf("%s, again: %d requests and %d bytes", mode, asked.Count(), asked.Bytes())
		}
		e.page() // after this no stage is awaited
		asked = e.count()
		e.page()
		if asked.Bytes() > 40<<10 {
			t.Errorf("%s: %d bytes where nothing is new", mode, asked.Bytes())
		}
	}
}

// TestIdle costs little: no job began, none is read.
func TestIdle(t *testing.T) {
	d := newDriver(t)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	e.page()
	asked := e.count()
	e.page()
	if asked.Count() != 3 {
		t.Errorf("%d requests: %v", asked.Count(), asked.List())
	}
}

// count takes down the requests of the next collections.
func (e *exporter) count() *telemetry.Requests {
	inner := e.collector.collect
	ctx, asked := telemetry.WithRequests(e.t.Context())
	e.Collect = func(_ context.Context, out *exporters.Batch) error { return inner(ctx, out) }
	return asked
}

func padded(m map[string]any, bytes int) map[string]any {
	m["details"] = strings.Repeat("x", bytes)
	return m
}

func TestOptions(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	for name, o := range map[string]Options{
		"nothing":              {},
		"no address":           {Apps: []App{{}}},
		"a bad address":        {Apps: []App{{UI: "ftp://x"}}},
		"a bad History Server": {History: []string{"http://"}},
		"a bad master":         {Masters: []Master{{URL: "spark://x:7077"}}},
		"no namespace":         {Kubernetes: &Kubernetes{}},
		"no store":             {Checkpoints: []Prefix{{URI: "s3://b/x"}}},
	} {
		if _, err := Collectors(o, logger); err == nil || name != "no store" && fail.HintOf(err) == "" {
			t.Errorf("%s: %v with the hint %q", name, err, fail.HintOf(err))
		}
	}
	all, err := Collectors(Options{Apps: []App{{UI: "driver:4040"}}}, logger)
	if err != nil || len(all) != 1 || all[0].Name != "spark" || all[0].Timeout != DefaultTimeout {
		t.Errorf("%+v, %v", all, err)
	}
	all[0].Close()
	if _, handler, err := CollectorsWithPush(Options{}, logger); err != nil || handler == nil {
		t.Errorf("with pushes only: %v", err)
	}
}

// TestManyApps holds what 50 applications with a query and its checkpoint cost,
// and how large they make a page. A histogram is one series, as it is to a
// Prometheus that takes native ones; in text it is some lines more.
func TestManyApps(t *testing.T) {
	const apps = 50
	e := newExporter(t, manyApps(t, apps))
	e.page()
	asked := e.count()
	began := time.Now()
	families := exportertest.Families(t, e.Collector)
	took := time.Since(began)
	series := 0
	for _, f := range families {
		series += len(f.GetMetric())
	}
	t.Logf("%d applications: %v, %d series in %d lines, %d requests, %d bytes",
		apps, took, series, lines(exportertest.Text(t, families)), asked.Count(), asked.Bytes())
	if limit := apps * (60 + 12*1); series > limit {
		t.Errorf("%d series, want at most %d", series, limit)
	}
	if took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	if asked.Count() > apps*maxRequests || asked.Bytes() > apps*300<<10 {
		t.Errorf("%d requests, %d bytes", asked.Count(), asked.Bytes())
	}
}

func manyApps(t testing.TB, n int) Options {
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := filepath.Abs("../../internal/lakehouse/spark/testdata/checkpoint-4.1.3")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{StreamOptions: StreamOptions{Files: store}}
	for i := range n {
		d := newDriver(t)
		o.Apps = append(o.Apps, App{
			Name: fmt.Sprintf("app-%02d", i), UI: d.URL, Checkpoints: []string{"bronze_payments=file://" + checkpoint},
		})
	}
	return o
}

// BenchmarkManyApps is one collection of 50 applications.
func BenchmarkManyApps(b *testing.B) {
	e := newExporter(b, manyApps(b, 50))
	for b.Loop() {
		e.page()
	}
}

// TestDropped says how many applications are above the limit.
func TestDropped(t *testing.T) {
	o := manyApps(t, 3)
	o.MaxApps = 2
	page := newExporter(t, o).page()
	wants(t, page, map[string]string{
		"spark_discovery_dropped_apps": "1", `spark_app_up{app="app-01"}`: "1", `spark_app_up{app="app-02"}`: "",
	})
}
