//go:build e2e

package spark_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/exporters/spark"
)

// story is the one run of the real job that all parts of the test share.
type story struct {
	*stage
	*eye
	inbox *inbox
	app   spark.App
}

// TestRealJob follows the shipped job on Apache Spark and Apache Kafka through
// what happens to jobs: work, idleness, a hang, a stop with a backlog, a kill.
func TestRealJob(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	began := time.Now()
	b := newInbox(t)
	s := &story{stage: newStage(ctx, t, b.URL+"/v1/spark/progress"), inbox: b}
	lab := s.Config()
	s.app = spark.App{
		Name: appName, UI: lab.Spark[0].UI, Checkpoints: []string{appName + "=" + lab.Spark[0].Checkpoint},
	}
	s.eye = watch(t, lab, s.app, b)
	s.behind = 10 * time.Minute // first: how old a record is says nothing of whether a query hangs
	check(t, s.driver.Start(ctx))
	t.Logf("the stack is up after %.0f s", time.Since(began).Seconds())
	for _, part := range []struct {
		name string
		test func(context.Context, *testing.T, *story)
	}{
		{"Working", working},
		{"IdleIsNotStalled", idle},
		{"HungIsStalled", hung},
		{"StoppedWithBacklog", stopped},
		{"StartedAgain", started},
		{"Killed", killed},
		{"Driver", driver},
		{"Table", table},
	} {
		from := time.Now()
		if !t.Run(part.name, func(t *testing.T) { part.test(ctx, t, s) }) {
			return
		}
		t.Logf("%s took %.0f s", part.name, time.Since(from).Seconds())
	}
	t.Logf("%d pages in %.0f s", s.pages, time.Since(began).Seconds())
}

// working: what the exporter says of batches is what Spark says of them.
func working(ctx context.Context, t *testing.T, s *story) {
	stop := s.trickle(ctx, t)
	defer stop()
	speeds := map[int64]float64{}
	s.until(t, 100*time.Second, "20 batches", func(p page) (bool, string) {
		batch := int64(p.of("batch_id"))
		if speed := p.of("processed_rows_per_second"); speed > 0 && p.state() == "running" {
			speeds[batch] = speed
		}
		return batch >= 20, fmt.Sprint("batch ", batch, ", ", p.state())
	})
	stop()
	s.caughtUp(t)
	compared, exact := 0, 0
	for batch, speed := range speeds {
		said, ok := s.inbox.batch(batch)
		if !ok || said.Processed <= 0 {
			continue
		}
		compared++
		switch off := speed / said.Processed; {
		case math.Abs(off-1) <= .01:
			exact++
		case off < .5 || off > 2: // by the times of files: the push came later
			t.Errorf("batch %d is processed at %.1f rows/s, Spark says %.1f", batch, speed, said.Processed)
		}
	}
	t.Logf("the rates of %d of %d batches are just what Spark says", exact, compared)
	if compared < 15 || exact < compared/2 {
		t.Errorf("of %d batches only %d are processed as fast as Spark says", compared, exact)
	}
	s.agrees(t)
}

// caughtUp waits until nothing waits, and every row that was sent is counted.
func (s *story) caughtUp(t *testing.T) page {
	t.Helper()
	p, _ := s.until(t, 60*time.Second, "caught up", func(p page) (bool, string) {
		rows := p.of("input_rows_total")
		return p.lag() == 0 && rows >= float64(s.sent),
			fmt.Sprintf("lag %v, %v of %d rows, %s", p.lag(), rows, s.sent, p.state())
	})
	if rows := p.of("input_rows_total"); rows != float64(s.sent) {
		t.Errorf("%v rows are counted, %d were sent", rows, s.sent)
	}
	return p
}

// agrees: batch, rows and durations are those of the job's own progress.
func (s *story) agrees(t *testing.T) {
	t.Helper()
	s.until(t, 15*time.Second, "Spark's progress agrees", func(p page) (bool, string) {
		last, rows := s.inbox.last()
		count, adding := p.of("batch_duration_seconds_count"), p.of("batch_phase_seconds", "phase", "addBatch")
		return p.of("batch_id") == float64(last.Batch) && p.of("input_rows_total") == rows &&
				count == float64(last.Batch+1) && math.Abs(adding-last.Durations["addBatch"]/1e3) < 1e-6,
			fmt.Sprintf("batch %v of %d, rows %v of %v, %v durations, %v s", p.of("batch_id"), last.Batch,
				p.of("input_rows_total"), rows, count, adding)
	})
}

// idle: without records the query is idle for as long as one cares to look.
func idle(_ context.Context, t *testing.T, s *story) {
	var seen []string
	from := s.look(t).collected()
	s.until(t, 30*time.Second, "10 collections without records", func(p page) (bool, string) {
		seen = append(seen, p.state())
		return p.collected() >= from+10, fmt.Sprint(slices.Compact(slices.Clone(seen)))
	})
	for _, state := range seen {
		if state != "idle" {
			t.Fatalf("a query without records is %s", state)
		}
	}
}

// hung: a driver that does nothing while records arrive is stalled within two
// triggers, and running again when it goes on.
func hung(ctx context.Context, t *testing.T, s *story) {
	stop := s.trickle(ctx, t)
	defer stop()
	from := s.look(t).of("batch_id")
	s.until(t, 30*time.Second, "running", func(p page) (bool, string) {
		return p.state() == "running" && p.of("batch_id") >= from+2, p.state()
	})
	check(t, s.Pause(s.driver.Name()))
	defer func() { _ = s.Resume(s.driver.Name()) }()
	p, took := s.until(t, 30*time.Second, "stalled", func(p page) (bool, string) {
		return p.state() == "stalled", fmt.Sprintf("%s, trigger %v, lag %v", p.state(), p.of("trigger_interval_seconds"), p.lag())
	})
	// Where batches are slower than the trigger, two of them are waited for. Then
	// comes the next collection, which asks the driver first, and learns of
	// records that came in the last two seconds a moment later.
	pace := 2 * max(trigger, s.inbox.usual())
	if limit := pace + 3*interval; took > limit {
		t.Errorf("stalled after %v, want within %v", took, limit)
	}
	t.Logf("stalled after %v: two triggers are %v, two batches %v", took, 2*trigger, 2*s.inbox.usual())
	if p.of("query_active") != 1 {
		t.Error("a query that is stalled is not active")
	}
	s.until(t, 15*time.Second, "the driver does not answer", func(p page) (bool, string) {
		return p.one("spark_app_up") == 0 && p.state() == "stalled", fmt.Sprint(p.one("spark_app_up"), p.state())
	})
	check(t, s.Resume(s.driver.Name()))
	s.until(t, 30*time.Second, "running again", func(p page) (bool, string) {
		return p.one("spark_app_up") == 1 && p.state() == "running", fmt.Sprint(p.one("spark_app_up"), p.state())
	})
	stop()
	s.caughtUp(t)
}

const backlog = 100_000

// stopped: the job is stopped, then 100,000 records come.
func stopped(ctx context.Context, t *testing.T, s *story) {
	check(t, s.driver.Stop(ctx))
	s.until(t, 30*time.Second, "stopped", func(p page) (bool, string) {
		return p.one("spark_app_up") == 0 && p.state() == "terminated" && p.lag() == 0 && p.of("query_active") == 0,
			fmt.Sprint(p.one("spark_app_up"), p.state(), p.lag())
	})
	oldest := time.Now().Add(-s.behind).Truncate(time.Millisecond)
	s.produce(ctx, t, backlog, func(i int) time.Time { // in bursts of 1,000, up to now
		return oldest.Add(time.Duration(i/1000) * s.behind / (backlog / 1000))
	})
	s.behind = 0
	s.until(t, 15*time.Second, "lag of 100,000 in the page of Spark", func(p page) (bool, string) {
		want := time.Since(oldest).Seconds() - p.one("lakeproof_collector_data_age_seconds", "collector", "spark")
		got := p.of("kafka_lag_seconds", "topic", topicName)
		return p.lag() == backlog && math.Abs(got-want) <= 1, fmt.Sprintf("%v, %.2f s of %.2f s", p.lag(), got, want)
	})
	group := []string{"consumergroup", appName, "topic", topicName}
	s.until(t, 15*time.Second, "the same in the page of Kafka", func(p page) (bool, string) {
		want := time.Since(oldest).Seconds() - p.one("lakeproof_collector_data_age_seconds", "collector", "kafka")
		got, lag := p.one("kafka_consumergroup_lag_max_seconds", group...), p.one("kafka_consumergroup_lag_sum", group...)
		_, infos := p.sum("kafka_consumergroup_info", "consumergroup", appName, "source", "spark-checkpoint")
		return lag == backlog && math.Abs(got-want) <= 1 && infos == 1, fmt.Sprintf("%v, %.2f s of %.2f s, %d infos", lag, got, want, infos)
	})
}

// started: the job works off what came while it was away. An exporter that sees
// the query for the first time afterwards counts from there.
func started(ctx context.Context, t *testing.T, s *story) {
	before := s.look(t)
	check(t, s.driver.Start(ctx))
	after := s.caughtUp(t)
	if grew := after.of("input_rows_total") - before.of("input_rows_total"); grew != backlog {
		t.Errorf("input_rows_total grew by %v, want %d", grew, backlog)
	}
	s.agrees(t)
	late := watch(t, s.Config(), s.app, nil)
	late.until(t, 15*time.Second, "another exporter, from now on", func(p page) (bool, string) {
		return p.of("batch_id") == after.of("batch_id") && p.lag() == 0 && p.of("input_rows_total") == 0,
			fmt.Sprint(p.of("batch_id"), p.lag(), p.of("input_rows_total"))
	})
}

// killed: a kill and a restart take no series away and add none that counts.
func killed(ctx context.Context, t *testing.T, s *story) {
	stop := s.trickle(ctx, t)
	defer stop()
	s.until(t, 30*time.Second, "running", func(p page) (bool, string) { return p.state() == "running", p.state() })
	before := s.look(t)
	check(t, s.driver.Kill())
	dead, _ := s.until(t, 30*time.Second, "killed", func(p page) (bool, string) {
		return p.one("spark_app_up") == 0 && p.state() == "terminated", fmt.Sprint(p.one("spark_app_up"), p.state())
	})
	gone := 0
	for name := range before.names() {
		if !dead.names()[name] {
			gone++
			t.Errorf("after the kill there is no %s", name)
		}
	}
	check(t, s.driver.Start(ctx))
	s.until(t, 60*time.Second, "running again", func(p page) (bool, string) {
		return p.one("spark_app_up") == 1 && p.state() == "running", fmt.Sprint(p.one("spark_app_up"), p.state())
	})
	stop()
	after := s.caughtUp(t)
	for name := range after.names() {
		if !before.names()[name] && !mayCome(name) {
			t.Errorf("after the restart there is a new %s", name)
		}
	}
	for _, family := range []string{"spark_app_info", "spark_streaming_query_info"} {
		if _, n := after.sum(family, "app", appName); n != 1 {
			t.Errorf("there are %d series of %s", n, family)
		}
	}
}

// mayCome reports whether a restart may add a series: the two with ids, and
// those of some few classes (how runs ended, how polls went wrong), each of which
// comes when it happens for the first time.
func mayCome(name string) bool {
	family, _, _ := strings.Cut(name, "[")
	return slices.Contains([]string{
		"spark_app_info", "spark_streaming_query_info", "spark_app_completed_total", "spark_poll_errors_total",
	}, family)
}

// driver: what the driver's REST API serves is there, and cheap. Executors tell
// their memory with a heartbeat, every ten seconds. How many batches, and so jobs,
// there were until now depends on the machine, so there are more meanwhile.
func driver(ctx context.Context, t *testing.T, s *story) {
	stop := s.trickle(ctx, t)
	defer stop()
	s.until(t, 25*time.Second, "all that the driver serves", func(p page) (bool, string) {
		var short []string
		for _, c := range []struct {
			family string
			labels []string
			least  float64
		}{
			{"spark_executors", []string{"state", "active"}, 1},
			{"spark_executor_task_slots", nil, 1},
			{"spark_executor_memory_peak_bytes", []string{"kind", "heap", "agg", "sum"}, 1 << 20},
			{"spark_jobs_total", []string{"status", "succeeded"}, 30},
			{"spark_job_duration_seconds_count", nil, 30},
			{"spark_stage_duration_seconds_count", nil, 30},
			{"spark_tasks_total", []string{"result", "completed"}, 90},
			{"spark_stage_run_seconds_total", []string{"query", appName}, .1},
			{"spark_output_bytes_total", nil, 1},
		} {
			if sum, n := p.sum(c.family, append([]string{"app", appName}, c.labels...)...); n == 0 || sum < c.least {
				short = append(short, fmt.Sprintf("%s%v is %v in %d series, want at least %v", c.family, c.labels, sum, n, c.least))
			}
		}
		return len(short) == 0, strings.Join(short, "; ")
	})
	stop()
	s.caughtUp(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Logf("at most %d requests and %d bytes in one of %d polls", s.requests, s.bytes, s.polls)
	if s.requests > 6 || s.bytes > 300<<10 {
		t.Errorf("a poll is %d requests and %d bytes", s.requests, s.bytes)
	}
}

// table: the table has every batch, and every row once.
func table(_ context.Context, t *testing.T, s *story) {
	s.until(t, 15*time.Second, "the table's last batch", func(p page) (bool, string) {
		last, _ := s.inbox.last()
		epoch := p.of("table_epoch")
		missing, extra := p.of("table_mismatched_rows_total", "kind", "missing"), p.of("table_mismatched_rows_total", "kind", "extra")
		return epoch == float64(last.Batch) && epoch == p.of("batch_id") && missing == 0 && extra == 0 &&
				p.of("output_rows_total") == float64(s.sent) && p.of("source", "source", "table") == 1,
			fmt.Sprintf("epoch %v of %d, %v missing, %v extra, %v rows of %d", epoch, last.Batch, missing, extra, p.of("output_rows_total"), s.sent)
	})
}
