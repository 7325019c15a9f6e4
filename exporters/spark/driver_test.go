package spark

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
)

var _ = exportertest.Flag()

const fixtures = "testdata/spark/4.1.3"

// fakeDriver answers as the driver did from which the fixtures were taken, with
// what a test puts in their place.
type fakeDriver struct {
	*httptest.Server
	requests atomic.Int64

	mu      sync.Mutex
	answers map[string]string // by the end of the path
	serve   func(w http.ResponseWriter, r *http.Request) bool
}

func newDriver(t testing.TB) *fakeDriver {
	d := &fakeDriver{answers: map[string]string{
		"/api/v1/applications": fixture(t, "applications.json"),
		"/allexecutors":        fixture(t, "allexecutors.json"),
		"/jobs":                fixture(t, "jobs.json"),
		"/stages":              fixture(t, "stages.json"),
		"/metrics/json/":       fixture(t, "metrics.json"),
	}}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *fakeDriver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.requests.Add(1)
	d.mu.Lock()
	serve := d.serve
	body, found := "", false
	for suffix, text := range d.answers {
		if strings.HasSuffix(r.URL.Path, suffix) {
			body, found = text, true
		}
	}
	d.mu.Unlock()
	if serve != nil && serve(w, r) {
		return
	}
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(body))
}

// set puts a text in the place of an answer.
func (d *fakeDriver) set(path, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[path] = text
}

// put is set with a value.
func (d *fakeDriver) put(t testing.TB, path string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	d.set(path, string(text))
}

func (d *fakeDriver) handle(serve func(w http.ResponseWriter, r *http.Request) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serve = serve
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// moment is shortly after the fixtures were taken.
func moment() time.Time { return time.Date(2026, 11, 21, 4, 1, 25, 0, time.UTC) }

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock(at time.Time) *clock { return &clock{at: at} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// exporter is a collector in tests, begun before the fixtures' application.
type exporter struct {
	t testing.TB
	*clock
	*collector
	exporters.Collector
}

func newExporter(t testing.TB, o Options) *exporter {
	t.Helper()
	c := newClock(moment().Add(-time.Hour))
	o.Now = c.now
	inner, err := newCollector(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c.add(time.Hour)
	t.Cleanup(inner.close)
	return &exporter{t, c, inner, exporters.Collector{
		Name: "spark", Interval: time.Minute, Timeout: time.Minute, Collect: inner.collect,
	}}
}

// page runs one collection, 15 seconds after the last one.
func (e *exporter) page() string {
	e.t.Helper()
	text := exportertest.Collect(e.t, e.Collector)
	e.add(15 * time.Second)
	return text
}

// value returns the value of a series by its beginning, such as
// `spark_app_up{app="x"}`; "" where it is not there.
func value(page, series string) string {
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// wants compares series with values.
func wants(t testing.TB, page string, want map[string]string) {
	t.Helper()
	for series, v := range want {
		if have := value(page, series); have != v {
			t.Errorf("%s is %q, want %q", series, have, v)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// lines counts the series of a page.
func lines(page string) (n int) {
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			n++
		}
	}
	return n
}

func app1(id string, start time.Time) []map[string]any {
	return []map[string]any{{"id": id, "name": "etl", "attempts": []map[string]any{{
		"startTime": start.UTC().Format("2006-01-02T15:04:05.000") + "GMT", "completed": false, "appSparkVersion": "4.1.3",
	}}}}
}

func job(id int, status string, stages ...int) map[string]any {
	return map[string]any{
		"jobId": id, "status": status, "stageIds": stages,
		"description":    fmt.Sprintf("bronze\nid = q\nrunId = r\nbatch = %d", id),
		"submissionTime": "2026-11-21T04:01:20.000GMT", "completionTime": "2026-11-21T04:01:22.000GMT",
	}
}

func stage(id int, cpu time.Duration, took time.Duration) map[string]any {
	begin := moment().Add(-time.Minute)
	return map[string]any{
		"stageId": id, "attemptId": 0, "status": "COMPLETE", "numTasks": 4, "executorCpuTime": cpu.Nanoseconds(),
		"executorRunTime": cpu.Milliseconds() * 2, "description": fmt.Sprintf("bronze\nid = q\nrunId = r\nbatch = %d", id),
		"submissionTime": begin.Format("2006-01-02T15:04:05.000") + "GMT",
		"completionTime": begin.Add(took).Format("2006-01-02T15:04:05.000") + "GMT",
	}
}

func executor(id string, done, failed int, active bool, reason string) map[string]any {
	return map[string]any{
		"id": id, "isActive": active, "maxTasks": 2, "completedTasks": done, "failedTasks": failed,
		"totalDuration": done * 100, "totalGCTime": done, "removeReason": reason,
	}
}
