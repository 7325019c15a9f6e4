package spark

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/exporters/exportertest"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/metrics"
)

// TestRestarts starts an application 100 times: its series stay the same but
// for the ids in the info, and its counters go on.
func TestRestarts(t *testing.T) {
	d := newDriver(t)
	e := newExporter(t, Options{Apps: []App{{UI: d.URL}}})
	series := map[string]bool{}
	for n := range 100 {
		d.put(t, "/api/v1/applications", app1(fmt.Sprintf("app-%d", n), e.now()))
		d.put(t, "/jobs", []any{job(1, "SUCCEEDED", 1), job(0, "FAILED", 0)})
		d.put(t, "/stages", []any{stage(1, time.Second, time.Second), stage(0, time.Second, time.Second)})
		d.put(t, "/allexecutors", []any{executor("1", 7, 3, true, ""), executor("2", 1, 0, false, "exit code 137")})
		e.page()
		e.add(replacedT)
	}
	page := e.page()
	wants(t, page, map[string]string{
		`spark_tasks_total{app="etl",result="completed"}`:                           "800",
		`spark_tasks_total{app="etl",result="failed"}`:                              "300",
		`spark_jobs_total{app="etl",status="succeeded"}`:                            "100",
		`spark_jobs_total{app="etl",status="failed"}`:                               "100",
		`spark_stage_cpu_seconds_total{app="etl",query="bronze"}`:                   "200",
		`spark_job_duration_seconds_count{app="etl"}`:                               "200",
		`spark_executors_removed_total{app="etl",reason="oom"}`:                     "100",
		`spark_app_completed_total{app="etl",status="unknown",reason="replaced"}`:   "99",
		`spark_app_info{app="etl",app_id="app-99",version="4.1.3",source="static"}`: "1",
	})
	for line := range strings.Lines(page) {
		name, _, _ := strings.Cut(line, " ")
		if series[name] && !strings.HasPrefix(line, "#") {
			t.Errorf("%s is there twice", name)
		}
		series[name] = true
	}
	if strings.Count(page, "app-") != 1 {
		t.Errorf("ids in other series than the info:\n%s", page)
	}
	if n := lines(page); n > 72 {
		t.Errorf("%d series after 100 restarts", n)
	}
	if n := len(e.states["etl"].runs); n > maxRuns {
		t.Errorf("%d runs are remembered", n)
	}
}

// TestOlderRun does not count what an application did before the exporter
// began: a restarted exporter would count it again.
func TestOlderRun(t *testing.T) {
	d := newDriver(t)
	d.put(t, "/api/v1/applications", app1("a", moment().Add(-24*time.Hour)))
	d.put(t, "/jobs", []any{job(2, "SUCCEEDED", 2), job(1, "RUNNING", 1), job(0, "SUCCEEDED", 0)})
	d.put(t, "/stages", []any{})
	d.put(t, "/allexecutors", []any{executor("1", 7, 3, true, ""), executor("2", 1, 0, false, "exit code 137")})
	d.set("/metrics/json/", `{"counters":{"x.driver.LiveListenerBus.queue.appStatus.numDroppedEvents":{"count":7}}}`)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	wants(t, e.page(), map[string]string{
		`spark_tasks_total{app="etl",result="completed"}`:       "0",
		`spark_jobs_total{app="etl",status="succeeded"}`:        "0",
		`spark_executors_removed_total{app="etl",reason="oom"}`: "0",
		`spark_listener_events_dropped_total{app="etl"}`:        "0",
		`spark_poll_missed_total{app="etl",list="jobs"}`:        "",
		`spark_executors{app="etl",state="dead"}`:               "1",
	})
	d.put(t, "/jobs", []any{
		job(4, "FAILED", 4), job(3, "SUCCEEDED", 3), job(2, "SUCCEEDED", 2), job(1, "SUCCEEDED", 1), job(0, "SUCCEEDED", 0),
	})
	d.put(t, "/allexecutors", []any{executor("1", 10, 4, false, "heartbeat"), executor("2", 1, 0, false, "exit code 137")})
	d.set("/metrics/json/", `{"counters":{"x.driver.LiveListenerBus.queue.appStatus.numDroppedEvents":{"count":9}}}`)
	wants(t, e.page(), map[string]string{
		`spark_tasks_total{app="etl",result="completed"}`:        "3",
		`spark_tasks_total{app="etl",result="failed"}`:           "1",
		`spark_jobs_total{app="etl",status="succeeded"}`:         "2",
		`spark_jobs_total{app="etl",status="failed"}`:            "1",
		`spark_executors_removed_total{app="etl",reason="oom"}`:  "0",
		`spark_executors_removed_total{app="etl",reason="lost"}`: "1",
		`spark_listener_events_dropped_total{app="etl"}`:         "2",
	})
}

// history is a driver's jobs as they happen, for [TestJobsAreCountedOnce].
type history struct {
	jobs     []map[string]any // oldest first
	retained int
}

func (h *history) list(ids func(map[string]any) bool) []map[string]any {
	var out []map[string]any
	for i := len(h.jobs) - 1; i >= max(0, len(h.jobs)-h.retained); i-- {
		if ids(h.jobs[i]) {
			out = append(out, h.jobs[i])
		}
	}
	return out
}

// TestJobsAreCountedOnce lets jobs begin and end in any order, some of them
// after hours, while the driver keeps few of them: every one counts once, and
// no counter goes down.
func TestJobsAreCountedOnce(t *testing.T) {
	d := newDriver(t)
	d.put(t, "/api/v1/applications", app1("a", moment()))
	d.put(t, "/stages", []any{})
	h := &history{retained: 150}
	d.handle(func(w http.ResponseWriter, r *http.Request) bool {
		_, id, ok := strings.Cut(r.URL.Path, "/jobs/")
		if n, err := strconv.Atoi(id); ok && err == nil && n < len(h.jobs) {
			_, _ = fmt.Fprintf(w, `{"jobId": %d, "status": %q}`, n, h.jobs[n]["status"])
			return true
		}
		return false
	})
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	rng := rand.New(rand.NewPCG(1, 2))
	last := 0.0
	for range 60 {
		for range rng.IntN(20) {
			h.jobs = append(h.jobs, job(len(h.jobs), "RUNNING"))
		}
		for i, j := range h.jobs {
			if j["status"] == "RUNNING" && i%50 != 3 && rng.IntN(3) > 0 {
				j["status"] = "SUCCEEDED"
			}
		}
		d.put(t, "/jobs", h.list(func(map[string]any) bool { return true }))
		d.set("/metrics/json/", fmt.Sprintf(`{"gauges":{"a.driver.DAGScheduler.job.allJobs":{"value":%d}}}`, len(h.jobs)))
		n, err := strconv.ParseFloat(value(e.page(), `spark_jobs_total{app="etl",status="succeeded"}`), 64)
		if err != nil || n < last {
			t.Fatalf("%v jobs after %v, %v", n, last, err)
		}
		last = n
	}
	for _, j := range h.jobs { // the long ones end too
		j["status"] = "SUCCEEDED"
	}
	d.put(t, "/jobs", h.list(func(map[string]any) bool { return true }))
	page := ""
	for range 15 {
		page = e.page()
	}
	wants(t, page, map[string]string{
		`spark_jobs_total{app="etl",status="succeeded"}`: strconv.Itoa(len(h.jobs)),
		`spark_poll_missed_total{app="etl",list="jobs"}`: "",
	})
	if n := len(e.states["etl"].runs[0].open); n != 0 {
		t.Errorf("%d jobs are still awaited", n)
	}
}

// TestForgottenJobs says how many jobs the driver forgot before they were read.
func TestForgottenJobs(t *testing.T) {
	d := newDriver(t)
	d.put(t, "/api/v1/applications", app1("a", moment()))
	d.put(t, "/jobs", []any{job(1, "RUNNING"), job(0, "SUCCEEDED")})
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	wants(t, e.page(), map[string]string{`spark_poll_missed_total{app="etl",list="jobs"}`: ""})
	d.put(t, "/jobs", []any{job(9, "SUCCEEDED"), job(8, "SUCCEEDED")}) // 2 to 7 are gone, and so is 1
	page := e.page()
	wants(t, page, map[string]string{
		`spark_poll_missed_total{app="etl",list="jobs"}`: "7",
		`spark_jobs_total{app="etl",status="succeeded"}`: "3",
	})
	wants(t, e.page(), map[string]string{`spark_poll_missed_total{app="etl",list="jobs"}`: "7"})
}

// TestBrokenListIsReadAgain loses nothing when a list breaks off.
func TestBrokenListIsReadAgain(t *testing.T) {
	d := newDriver(t)
	d.put(t, "/api/v1/applications", app1("a", moment()))
	d.set("/jobs", `[{"jobId": 1, "status": "SUCCEEDED"}, {"jobId": 0, "sta`)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	wants(t, e.page(), map[string]string{`spark_jobs_total{app="etl",status="succeeded"}`: "0"})
	d.put(t, "/jobs", []any{job(1, "SUCCEEDED"), job(0, "SUCCEEDED")})
	wants(t, e.page(), map[string]string{`spark_jobs_total{app="etl",status="succeeded"}`: "2"})
}

// TestStages reads the stages of jobs that ended, each once, with all attempts,
// and leaves those that Spark skipped.
func TestStages(t *testing.T) {
	d := newDriver(t)
	d.put(t, "/api/v1/applications", app1("a", moment()))
	again := stage(3, 4*time.Second, time.Second)
	again["attemptId"] = 1
	d.put(t, "/jobs", []any{job(1, "RUNNING", 5), job(0, "SUCCEEDED", 2, 3, 4)})
	d.put(t, "/stages", []any{
		stage(5, 100*time.Second, time.Second), stage(4, time.Second, time.Second), again, stage(3, 2*time.Second, time.Second),
	})
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	for range 3 {
		wants(t, e.page(), map[string]string{
			`spark_stage_cpu_seconds_total{app="etl",query="bronze"}`: "7",
			`spark_stage_run_seconds_total{app="etl",query="bronze"}`: "14",
			`spark_stage_duration_seconds_count{app="etl"}`:           "3",
		})
	}
	d.put(t, "/jobs", []any{job(1, "SUCCEEDED", 5), job(0, "SUCCEEDED", 2, 3, 4)})
	d.put(t, "/stages/5", []any{stage(5, 100*time.Second, time.Second)})
	for range 2 {
		wants(t, e.page(), map[string]string{`spark_stage_cpu_seconds_total{app="etl",query="bronze"}`: "107"})
	}
}

// TestQueriesAreBounded puts queries above the limit together.
func TestQueriesAreBounded(t *testing.T) {
	s := newState("etl")
	p := &poll{state: s}
	for i := range 2 * maxLabels {
		p.stageEnded(lakespark.Stage{Description: fmt.Sprintf("q%d\nid = %d\nrunId = r\nbatch = 1", i, i), CPUNanos: 1e9})
	}
	if len(s.totals.cpu) != maxLabels+1 || s.totals.cpu["other"] != maxLabels {
		t.Errorf("%d queries, %v of others", len(s.totals.cpu), s.totals.cpu["other"])
	}
}

// TestSkewGoes drops the skew of a stage that is long over.
func TestSkewGoes(t *testing.T) {
	d := newDriver(t)
	d.standalone(t)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	const series = `spark_stage_skew_ratio{app="etl",of="duration"}`
	if v := value(e.page(), series); !strings.HasPrefix(v, "2.538") {
		t.Errorf("the skew is %q", v)
	}
	e.add(skewKeep)
	wants(t, e.page(), map[string]string{series: ""})
}

func TestRemovedClass(t *testing.T) {
	for reason, want := range map[string]string{
		"Command exited with code 137": metrics.RemovedOOM, // standalone, SIGKILL
		"The executor with id 3 exited with exit code 137(SIGKILL, possible container OOM).": metrics.RemovedOOM,
		"Container killed by YARN for exceeding memory limits.":                              metrics.RemovedOOM,
		"The executor with id 1 exited with exit code 52(JVM OOM).":                          metrics.RemovedOOM,
		"The API gave the following brief reason: Evicted":                                   metrics.RemovedEvicted,
		"Container marked as failed: exit status: -102. Container preempted by scheduler":    metrics.RemovedEvicted,
		"Executor heartbeat timed out after 130012 ms":                                       metrics.RemovedLost,
		"Remote RPC client disassociated. Likely due to containers exceeding thresholds":     metrics.RemovedLost,
		"worker lost: Not receiving heartbeat for 60 seconds":                                metrics.RemovedLost,
		"Executor decommission: spot instance":                                               metrics.RemovedDecommissioned,
		"Executor killed by driver.":                                                         metrics.RemovedDecommissioned,
		"Command exited with code 1":                                                         metrics.RemovedOther,
		"":                                                                                   metrics.RemovedOther,
	} {
		if have := removedClass(reason); have != want {
			t.Errorf("%q is %s, want %s", reason, have, want)
		}
	}
}

// TestExecutorsThatVanish counts those that left without a word.
func TestExecutorsThatVanish(t *testing.T) {
	d := newDriver(t)
	d.put(t, "/api/v1/applications", app1("a", moment()))
	d.put(t, "/allexecutors", []any{executor("1", 7, 0, true, ""), executor("2", 1, 0, true, "")})
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	e.page()
	d.put(t, "/allexecutors", []any{executor("1", 8, 0, true, "")})
	wants(t, e.page(), map[string]string{
		`spark_executors_removed_total{app="etl",reason="other"}`: "1",
		`spark_tasks_total{app="etl",result="completed"}`:         "9",
		`spark_executors{app="etl",state="active"}`:               "1",
		`spark_executor_task_slots{app="etl"}`:                    "2",
		`spark_executor_gc_ratio{app="etl"}`:                      "0.01",
	})
}

// TestOddNumbers takes what Spark writes where a number is none.
func TestOddNumbers(t *testing.T) {
	d := newDriver(t)
	d.set("/allexecutors", `[{"id":"driver","isActive":true,"maxTasks":2,"completedTasks":"NaN","totalGCTime":"Infinity",
		"totalShuffleRead":-1,"peakMemoryMetrics":{"JVMHeapMemory":"NaN","JVMOffHeapMemory":5}}]`)
	d.set("/metrics/json/", `{"gauges":{"a.driver.spark.streaming.q.latency":{"value":"NaN"}}}`)
	e := newExporter(t, Options{Apps: []App{{Name: "etl", UI: d.URL}}})
	page := exportertest.Collect(t, e.Collector)
	wants(t, page, map[string]string{
		`spark_tasks_total{app="etl",result="completed"}`:                       "0",
		`spark_executor_memory_peak_bytes{app="etl",kind="off_heap",agg="sum"}`: "5",
		`spark_executor_memory_peak_bytes{app="etl",kind="heap",agg="sum"}`:     "0",
		`spark_shuffle_bytes_total{app="etl",direction="read"}`:                 "0",
		`spark_jobs_total{app="etl",status="succeeded"}`:                        "10",
	})
}
