package spark

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
)

// server answers with recorded files by path.
func server(t *testing.T, files map[string]string) (*UI, *[]string) {
	t.Helper()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		name, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		data, err := os.ReadFile(filepath.Join("testdata/rest", name))
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(s.Close)
	client := NewClient(httpjson.Options{})
	t.Cleanup(client.Close)
	ui, err := NewUI(client, s.URL+"/base/jobs/?x=y")
	if err != nil {
		t.Fatal(err)
	}
	return ui, &asked
}

// TestRecordedREST reads what a Spark 4.1.3 answered.
func TestRecordedREST(t *testing.T) {
	const app = "/base/api/v1/applications/app-20261121100753-0000"
	ui, asked := server(t, map[string]string{
		"/base/api/v1/applications": "applications.json", app + "/allexecutors": "allexecutors.json",
		app + "/jobs": "jobs.json", app + "/jobs/1": "job.json", app + "/stages": "stages.json",
		app + "/stages/0": "stages.json", app + "/stages/1/0/taskSummary": "taskSummary.json", app + "/sql": "sql.json",
	})
	var m httpjson.Meter
	ui = ui.Metered(&m)
	ctx, run := t.Context(), Run{ID: "app-20261121100753-0000"}

	apps, err := ui.Applications(ctx)
	id, attempt := apps[0].Latest()
	if err != nil || len(apps) != 1 || id.String() != "local-1795233458684" || attempt.Version != "4.1.3" ||
		attempt.Start.UnixMilli() != 1795233457256 || !attempt.End.IsZero() || attempt.Completed {
		t.Errorf("%+v, %v", apps, err)
	}
	executors, err := ui.AllExecutors(ctx, run)
	if err != nil || len(executors) != 3 || executors[1].Active || executors[1].RemoveReason != "Command exited with code 137" ||
		executors[0].FailedTasks != 2 || executors[2].ID != Driver || executors[0].Peak.PythonRSS == 0 {
		t.Errorf("%+v, %v", executors, err)
	}
	var jobs []Job
	if err := ui.Jobs(ctx, run, func(j Job) bool { jobs = append(jobs, j); return j.ID > 66 }); err != nil ||
		len(jobs) != 3 || jobs[0].ID != 68 || jobs[0].Completed.Sub(jobs[0].Submitted.Time) != 207*time.Millisecond {
		t.Errorf("%+v, %v", jobs, err)
	}
	b, ok := BatchOf(jobs[0].Description)
	if want := (Batch{
		"bronze_payments", "3b1aab7c-a48e-4062-a257-9b158e2281e9", "6f12cd5d-b082-4122-bd9e-04e6fbb95dd2", 34,
	}); !ok || b != want {
		t.Errorf("%+v, %v", b, ok)
	}
	if j, err := ui.Job(ctx, run, 1); err != nil || j.Status != JobFailed || len(j.StageIDs) != 1 {
		t.Errorf("%+v, %v", j, err)
	}
	var stages []Stage
	keep := func(s Stage) bool { stages = append(stages, s); return true }
	if err := ui.Stages(ctx, run, keep); err != nil || len(stages) != 5 || stages[2].Status != StageFailed || stages[0].CPUNanos == 0 {
		t.Errorf("%+v, %v", stages, err)
	}
	if err := ui.Stage(ctx, run, 0, keep); err != nil {
		t.Error(err)
	}
	sum, err := ui.TaskSummary(ctx, run, Stage{ID: 1}, .5, 1)
	if err != nil || sum.Duration[1] != 9952 || sum.Shuffle.ReadBytes[0] != 936 {
		t.Errorf("%+v, %v", sum, err)
	}
	sql, err := ui.SQL(ctx, run, 5, 20)
	if err != nil || len(sql) != 2 || sql[0].ID != 66 || sql[0].Millis != 709 {
		t.Errorf("%+v, %v", sql, err)
	}
	wantAsked := []string{
		"/base/api/v1/applications", app + "/allexecutors", app + "/jobs", app + "/jobs/1",
		app + "/stages?status=complete&status=failed", app + "/stages/0?details=false",
		app + "/stages/1/0/taskSummary?quantiles=0.5%2C1", app + "/sql?details=false&planDescription=false&offset=5&length=20",
	}
	if fmt.Sprint(*asked) != fmt.Sprint(wantAsked) || m.Requests() != int64(len(wantAsked)) || m.Bytes() == 0 {
		t.Errorf("asked %q, %d requests, %d bytes", *asked, m.Requests(), m.Bytes())
	}
}

// TestOthers reads a driver's metrics, a History Server and a standalone master.
func TestOthers(t *testing.T) {
	ui, asked := server(t, map[string]string{
		"/base/metrics/json/": "metrics.json", "/base/api/v1/applications": "history.json", "/base/json/": "master-after.json",
	})
	m, err := ui.Metrics(t.Context())
	if err != nil || m.Gauges["spark.streaming.bronze_payments.latency"] != 662 || m.Gauges["DAGScheduler.job.allJobs"] != 69 ||
		m.Counters["LiveListenerBus.queue.streams.numDroppedEvents"] != 0 || len(m.Gauges) != 131 || len(m.Counters) != 57 {
		t.Errorf("%d gauges, %d counters, %v", len(m.Gauges), len(m.Counters), err)
	}
	n := 0
	err = ui.Ended(t.Context(), time.Date(2026, 11, 21, 9, 0, 0, 0, time.FixedZone("", 3600)), 7, func(a Application) bool {
		n++
		return a.Attempts[0].Completed && !a.Attempts[0].End.IsZero()
	})
	if err != nil || n != 1 {
		t.Errorf("%d applications, %v", n, err)
	}
	if last := (*asked)[1]; !strings.HasSuffix(last, "?status=completed&limit=7&minEndDate=2026-11-21T08%3A00%3A00.000GMT") {
		t.Error(last)
	}
	master, err := ui.Master(t.Context())
	if err != nil || master.Status != "ALIVE" || len(master.Workers) != 1 || len(master.Completed) != 1 ||
		master.Completed[0].State != "FINISHED" || master.Memory != 2048 {
		t.Errorf("%+v, %v", master, err)
	}
}

func TestBaseOf(t *testing.T) {
	for address, want := range map[string]string{
		"driver:4040": "http://driver:4040", " http://d:4040/ ": "http://d:4040", "https://g/spark/x/": "https://g/spark/x",
		"http://d:4040/metrics/json/": "http://d:4040", "http://d:4040/api/v1/applications": "http://d:4040",
		"http://h:18080/api/v1/": "http://h:18080", "http://m:8080/json/": "http://m:8080", "http://[fd00::1]:4040": "http://[fd00::1]:4040",
		"": "", "spark://m:7077": "", "http://": "", "http://a b": "",
	} {
		have, err := BaseOf(address)
		if have != want || (want == "") != (err != nil) || err != nil && fail.HintOf(err) == "" {
			t.Errorf("%q is %q, want %q; %v", address, have, want, err)
		}
	}
}

func TestBatchOf(t *testing.T) {
	for text, want := range map[string]string{
		"q\nid = a\nrunId = b\nbatch = 3":             "q a b 3",
		"q<br/>id = a<br/>runId = b<br/>batch = init": "q a b -1", // Spark before 4
		"id = a\nrunId = b\nbatch = 3":                "a a b 3",  // without a name
		"":                                            "",
		"collect at job.py:3":                         "",
		"id = a":                                      "",
	} {
		have := ""
		if b, ok := BatchOf(text); ok {
			have = fmt.Sprint(b.Query, " ", b.ID, " ", b.RunID, " ", b.Batch)
		}
		if have != want {
			t.Errorf("%q is %q, want %q", text, have, want)
		}
	}
}

func TestOddMetrics(t *testing.T) {
	m, err := decodeMetrics(strings.NewReader(`{"version": "4.0.0", "other": [1, {"a": []}], "gauges": {
		"id.driver.a": {"value": "NaN"}, "id.driver.b": {"value": 1.5}, "driver.c": {"value": "-Infinity"},
		"d": {"value": {"an": "object"}}, "e": {"error": "no"}, "f": 7, "x.driver.y.driver.g": {"value": "12"}},
		"counters": {"n.driver.h": {"count": 3}}}`))
	if err != nil || len(m.Gauges) != 2 || m.Gauges["b"] != 1.5 || m.Gauges["y.driver.g"] != 12 || m.Counters["h"] != 3 {
		t.Errorf("%v, %v", m, err)
	}
	var b strings.Builder
	for i := range 2 * maxMetrics {
		fmt.Fprintf(&b, `"g%d": {"value": 1},`, i)
	}
	m, err = decodeMetrics(strings.NewReader(`{"gauges": {` + b.String() + `"last": {"value": 1}}}`))
	if err != nil || len(m.Gauges) != maxMetrics {
		t.Errorf("%d gauges, %v", len(m.Gauges), err)
	}
	for _, text := range []string{"", "[]", `{"gauges": []}`, `{"gauges": {"a": {"value": 1}`, "7"} {
		if _, err := decodeMetrics(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestDecodeList(t *testing.T) {
	for text, want := range map[string]int{`[]`: 0, `[1,2,3]`: 3, `[1,2`: -1, `{}`: -1, ``: -1, `[1,"x"]`: -1, `null`: -1} {
		n := 0
		err := decodeList(strings.NewReader(text), func(int) bool { n++; return true })
		if want >= 0 && (err != nil || n != want) || want < 0 && err == nil {
			t.Errorf("%q: %d elements, %v", text, n, err)
		}
	}
}

// FuzzREST gives anything to all decoders: none may panic, and no number that
// comes out is one that a metric cannot hold.
func FuzzREST(f *testing.F) {
	for _, name := range []string{"applications", "allexecutors", "jobs", "stages", "taskSummary", "sql", "metrics", "master-after"} {
		data, err := os.ReadFile("testdata/rest/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 3000)])
		f.Add(data)
	}
	f.Add([]byte(`[{"completedTasks": "NaN", "totalGCTime": 1e999, "addTime": 7, "startTime": "x"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func() *bytes.Reader { return bytes.NewReader(data) }
		_ = decodeList(read(), func(a Application) bool { _, _ = a.Latest(); return true })
		_ = decodeList(read(), func(e Executor) bool {
			if v := e.DoneTasks.Value(); math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Errorf("%v tasks", v)
			}
			return true
		})
		_ = decodeList(read(), func(j Job) bool {
			b, ok := BatchOf(j.Description)
			if ok && b.Query == "" {
				t.Errorf("%q is a query without a name", j.Description)
			}
			return true
		})
		_ = decodeList(read(), func(Stage) bool { return true })
		_ = decodeList(read(), func(Execution) bool { return true })
		m, _ := decodeMetrics(read())
		for name, v := range m.Gauges {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%q is %v", name, v)
			}
		}
	})
}
