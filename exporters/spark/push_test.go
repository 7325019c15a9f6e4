package spark

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
)

// push sends a body and returns the status.
func (w *world) push(body string, header ...string) int {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/v1/spark/progress", strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	w.s.PushHandler().ServeHTTP(answer, r)
	return answer.Code
}

// progress is a push of a batch of 4,000 rows in 1.4 s.
func progress(id, name string, batch, end int64, at time.Time) string {
	return fmt.Sprintf(`{"app":"pay","event":"progress","dropped":2,"progress":{"id":%q,"runId":"run","name":%q,`+
		`"timestamp":%q,"batchId":%d,"batchDuration":1400,"numInputRows":4000,"processedRowsPerSecond":NaN,`+
		`"durationMs":{"addBatch":1200,"walCommit":50,"triggerExecution":1400},`+
		`"eventTime":{"watermark":"2026-11-21T11:59:00.000Z"},`+
		`"stateOperators":[{"operatorName":"dedupe","numRowsTotal":7,"memoryUsedBytes":900,"numRowsDroppedByWatermark":3},`+
		`{"operatorName":"dedupe","numRowsTotal":1,"memoryUsedBytes":100}],`+
		`"sources":[{"startOffset":{"p":{"0":%d}},"endOffset":{"p":{"0":%d}},"latestOffset":{"p":{"0":%d}}}],`+
		`"sink":{"numOutputRows":3990},"observedMetrics":{"records":{"read":4000,"bad":10,"mean":NaN}}}}`,
		id, name, at.UTC().Format(time.RFC3339Nano), batch, end-4000, end, end+25)
}

func (w *world) pushed(id, name string, batch, end int64, at time.Time) {
	w.t.Helper()
	if code := w.push(progress(id, name, batch, end, at)); code != http.StatusNoContent {
		w.t.Fatalf("a push is answered %d", code)
	}
}

// TestPushOnly: without a checkpoint, pushes alone tell everything.
func TestPushOnly(t *testing.T) {
	w := newWorld(t)
	w.app.checkpoints = nil
	w.kafka.ends["p"], w.kafka.starts["p"] = map[int32]int64{0: 8005}, map[int32]int64{0: 0}
	w.pushed("q1", "bronze", 7, 4000, w.now.Add(-5*time.Second))
	w.page().want(t, map[string]float64{"batch_id": 7, "input_rows_total": 4000, `kafka_lag_records{topic="p"}`: 4005})
	w.pushed("q1", "bronze", 8, 8000, w.now)
	p := w.after(2 * time.Second)
	p.want(t, map[string]float64{
		"batch_id": 8, "input_rows_total": 8000, "output_rows_total": 7980, "late_rows_dropped_total": 6,
		`state_rows{operator="dedupe"}`: 8, `state_bytes{operator="dedupe"}`: 1000,
		`observed_total{name="records.bad"}`: 20, `observed_value{name="records.bad"}`: 10,
		`batch_phase_seconds{phase="addBatch"}`: 1.2, `batch_phase_seconds{phase="other"}`: .15,
		"batch_duration_seconds_count": 2, "input_rows_per_second": 800, "watermark_delay_seconds": 60,
		`kafka_lag_records{topic="p"}`: 5, `kafka_lag_at_trigger_records{topic="p"}`: 25, `source{source="progress"}`: 1,
		`push_dropped_total{app="pay"}`:                                      2,
		`query_info{name="bronze",query_id="q1",run_id="run",checkpoint=""}`: 1,
	})
	p.wantState(t, "running")
	// The same batch again counts nothing; nor does a trigger without one.
	w.pushed("q1", "bronze", 8, 8000, w.now)
	w.push(strings.NewReplacer(`"addBatch":1200,`, "", `"batchId":9`, `"batchId":9`).Replace(progress("q1", "bronze", 9, 12_000, w.now)))
	w.after(time.Second).want(t, map[string]float64{"input_rows_total": 8000, "output_rows_total": 7980, "batch_duration_seconds_count": 2})
}

// TestPushedStates: the driver says that it ends; it hangs; it is idle.
func TestPushedStates(t *testing.T) {
	w := newWorld(t)
	w.app.checkpoints = nil
	w.kafka.ends["p"] = map[int32]int64{0: 40_000}
	for b := range int64(10) {
		w.pushed("q1", "bronze", b, 4000*(b+1), w.now.Add(time.Duration(b-10)*5*time.Second))
	}
	p := w.page()
	p.wantState(t, "idle")
	p.want(t, map[string]float64{"input_rows_total": 40_000, "output_rows_total": 39_900, "batch_duration_seconds_count": 10})
	w.kafka.ends["p"] = map[int32]int64{0: 40_001}
	w.after(5*time.Second).wantState(t, "running")
	w.after(11*time.Second).wantState(t, "stalled")
	w.app.alive, w.reach = false, connected
	w.after(time.Hour).wantState(t, "stalled")
	w.push(`{"app":"pay","event":"terminated","id":"q1","run_id":"run"}`)
	w.after(time.Second).wantState(t, "terminated")
	w.push(`{"app":"pay","event":"started","id":"q1","run_id":"run2","name":"bronze"}`)
	if got := w.after(time.Second).state(); got == "terminated" {
		t.Error("it has started again, and is said to be terminated")
	}
}

// TestPushBesideCheckpoint: the two are one query by its id, whatever their
// names are, and nothing is counted twice.
func TestPushBesideCheckpoint(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.run(10, w.now, 5000, 1000)
	body := strings.ReplaceAll(progress(queryID, "payments", 10, 5000, w.now), `"p":{"0":5000}`, `"p":{"0":5000,"1":1000}`)
	w.push(body)
	w.kafka.ends["p"] = map[int32]int64{0: 5000, 1: 1000}
	w.after(5*time.Second).want(t, map[string]float64{
		"batch_id": 10, "input_rows_total": 4000, "batch_duration_seconds_count": 1, "batch_duration_seconds_sum": 1.4,
		"output_rows_total": 3990, `source{source="progress"}`: 1, `source{source="checkpoint"}`: 1, "uncommitted_batch_age_seconds": 0,
		`query_info{name="payments",query_id="` + queryID + `",run_id="run",checkpoint="file://` + w.dir + `"}`: 1,
	})
	// The push is ahead of the checkpoint, which then follows.
	w.push(strings.ReplaceAll(progress(queryID, "payments", 11, 9000, w.now), `"p":{"0":9000}`, `"p":{"0":9000,"1":1000}`))
	w.after(time.Second).want(t, map[string]float64{"batch_id": 11, "input_rows_total": 8000, "batch_duration_seconds_count": 2})
	w.run(11, w.now, 9000, 1000)
	w.after(5*time.Second).want(t, map[string]float64{"batch_id": 11, "input_rows_total": 8000, "batch_duration_seconds_count": 2})
	// The checkpoint goes on without pushes: they are old.
	w.run(12, w.now, 9100, 1000)
	w.after(5*time.Second).want(t, map[string]float64{
		"batch_id": 12, "input_rows_total": 8100, "batch_duration_seconds_count": 3, `source{source="progress"}`: 1,
	})
	w.run(13, w.now, 9100, 1000)
	w.after(5*time.Second).want(t, map[string]float64{"batch_id": 13, `source{source="progress"}`: 0, `batch_phase_seconds{phase="process"}`: 1})
	// Wiped: what the old query pushed says nothing of the new one.
	w.wipe("another")
	w.run(0, w.now, 50, 50)
	w.after(5*time.Second).want(t, map[string]float64{"batch_id": 0, "input_rows_total": 8100, "checkpoint_resets_total": 1})
	if n := len(w.s.apps["pay"].queries); n != 1 {
		t.Errorf("%d queries", n)
	}
}

func TestPushRefused(t *testing.T) {
	w := newWorld(t)
	w.s = w.streams(StreamOptions{Token: config.NewSecret("secret")})
	good := progress("q", "bronze", 1, 4000, w.now)
	token := []string{"Authorization", "Bearer secret"}
	for name, test := range map[string]struct {
		body   string
		header []string
		want   int
	}{
		"good":          {good, token, http.StatusNoContent},
		"no token":      {good, nil, http.StatusUnauthorized},
		"another token": {good, []string{"Authorization", "Bearer other"}, http.StatusUnauthorized},
		"not JSON":      {"<html>", token, http.StatusBadRequest},
		"cut off":       {good[:200], token, http.StatusBadRequest},
		"no app":        {strings.Replace(good, `"app":"pay"`, `"app":""`, 1), token, http.StatusBadRequest},
		"long app":      {strings.Replace(good, `"app":"pay"`, `"app":"`+strings.Repeat("x", 300)+`"`, 1), token, http.StatusBadRequest},
		"no progress":   {`{"app":"pay","event":"progress"}`, token, http.StatusBadRequest},
		"unknown event": {`{"app":"pay","event":"x","id":"q"}`, token, http.StatusBadRequest},
		"no id":         {`{"app":"pay","event":"idle"}`, token, http.StatusBadRequest},
		"too large":     {strings.Repeat(" ", maxPush+1), token, http.StatusRequestEntityTooLarge},
		"infinite":      {strings.Replace(good, "1400", "-Infinity", 1), token, http.StatusNoContent},
	} {
		if got := w.push(test.body, test.header...); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/spark/progress", nil)
	answer := httptest.NewRecorder()
	w.s.PushHandler().ServeHTTP(answer, r)
	if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", answer.Code)
	}
}

// TestPushIsBounded: applications and queries above the bounds are refused
// until others are old.
func TestPushIsBounded(t *testing.T) {
	w := newWorld(t)
	send := func(app, id string) int { return w.push(fmt.Sprintf(`{"app":%q,"event":"idle","id":%q}`, app, id)) }
	for i := range maxPushedApps {
		send(fmt.Sprint("app-", i), "q")
	}
	if got := send("one more", "q"); got != http.StatusTooManyRequests {
		t.Errorf("an application too many: %d", got)
	}
	for i := range maxPushedQueries - 1 {
		send("app-0", fmt.Sprint(i))
	}
	if got := send("app-0", "one more"); got != http.StatusTooManyRequests {
		t.Errorf("a query too many: %d", got)
	}
	if got := len(w.s.pushedApps(time.Minute)); got != maxPushedApps {
		t.Errorf("%d applications pushed", got)
	}
	w.now = w.now.Add(forgetPush + time.Second)
	if got := send("app-0", "one more"); got != http.StatusNoContent {
		t.Errorf("when the others are old: %d", got)
	}
	if got := send("one more", "q"); got != http.StatusNoContent {
		t.Errorf("when the others are old: %d", got)
	}
	for i := range int64(2 * maxDurations) {
		w.pushed("q", "bronze", i, 4000*(i+1), w.now)
	}
	q := w.s.pushes.apps["pay"].queries["q"]
	if len(q.pending.durations) > maxDurations || len(q.history) > maxPushedBatches {
		t.Errorf("%d durations, %d batches are kept", len(q.pending.durations), len(q.history))
	}
}

func FuzzPush(f *testing.F) {
	f.Add(progress("q", "bronze", 1, 4000, time.Unix(1.8e9, 0)))
	f.Add(`{"app":"a","event":"terminated","id":"q","dropped":-1}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := newWorld(t)
		if code := w.push(body); code != http.StatusNoContent && code != http.StatusBadRequest {
			t.Errorf("%d", code)
		}
		for app := range w.s.pushes.apps {
			w.app = app0(app)
			w.page()
		}
	})
}

func app0(name string) app { return app{name: name} }
