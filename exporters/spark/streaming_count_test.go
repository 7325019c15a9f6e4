package spark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestRows(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.run(10, w.now, 1050, 1000)
	w.after(5*time.Second).want(t, map[string]float64{
		"input_rows_total": 50, "batch_id": 10, "batch_duration_seconds_count": 1, "batch_duration_seconds_sum": 1,
		"input_rows_per_second": 0, "processed_rows_per_second": 0, // idle
	})
	// Three batches between two collections, the plan of a fourth.
	at := w.now
	for b := range int64(3) {
		w.run(11+b, at.Add(time.Duration(b)*5*time.Second), 1050+100*(b+1), 1000)
	}
	w.plan(14, at.Add(15*time.Second), 5000, 5000)
	w.kafka.ends["p"][0] = 5000
	w.after(15*time.Second).want(t, map[string]float64{
		"input_rows_total": 350, "batch_id": 13, "batch_duration_seconds_count": 4, "batch_duration_seconds_sum": 4,
		"input_rows_per_second": 20, "processed_rows_per_second": 100,
	})
	// The batch is run again: its commit was lost. Nothing is counted twice.
	if err := os.Remove(filepath.Join(w.dir, "commits/13")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.dir, "offsets/14")); err != nil {
		t.Fatal(err)
	}
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 350, "batch_id": 12, "batch_duration_seconds_count": 4})
	w.run(13, at.Add(10*time.Second), 1350, 1000)
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 350, "batch_id": 13, "batch_duration_seconds_count": 4})
	// A partition is added; a topic is made anew in a later batch.
	w.run(14, w.now, 1350, 1000, 70)
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 420})
	w.run(15, w.now, 10, 1000, 70)
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 420})
	w.run(16, w.now, 15, 1000, 70)
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 425})
}

// TestWiped: a wiped checkpoint is a new query that reads everything again. The
// totals go on, and count it from its beginning.
func TestWiped(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.run(10, w.now, 1100, 1000)
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 100, "checkpoint_resets_total": 0})
	w.wipe("another")
	w.write("sources/0/0", "\x00v1\n{\"p\":{\"0\":30,\"1\":0}}", w.now)
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 100, "checkpoint_resets_total": 1})
	for b := range int64(3) {
		w.run(b, w.now.Add(time.Duration(b)*time.Second), 500*(b+1), 300*(b+1))
	}
	p := w.after(5 * time.Second)
	p.want(t, map[string]float64{
		"input_rows_total": 100 + 1500 - 30 + 900, "checkpoint_resets_total": 1, "batch_id": 2, "batch_duration_seconds_count": 4,
		`query_info{name="bronze",query_id="another",run_id="",checkpoint="file://` + w.dir + `"}`: 1,
	})
	for series := range p {
		if strings.Contains(series, queryID) {
			t.Errorf("the old query is still there: %s", series)
		}
	}
}

// TestNewQuery: one that begins under our eyes counts from its first record.
func TestNewQuery(t *testing.T) {
	w := newWorld(t)
	w.kafka.ends["p"] = map[int32]int64{0: 40}
	w.page().want(t, map[string]float64{`source{source="checkpoint"}`: 0})
	w.wipe(queryID)
	w.after(time.Second).wantState(t, "running")
	w.plan(0, w.now, 40)
	w.write("sources/0/0", "\x00v1\n{\"p\":{\"0\":0}}", w.now)
	w.after(time.Second)
	w.commit(0, w.now)
	w.after(time.Second).want(t, map[string]float64{"input_rows_total": 40, "batch_id": 0, `kafka_lag_records{topic="p"}`: 0})
}

// TestRestartsAddNoSeries is the promise about names: 100 restarts, each with
// ids of its own.
func TestRestartsAddNoSeries(t *testing.T) {
	w := newWorld(t)
	w.running()
	before := len(w.page())
	rows := int64(1000)
	for i := range int64(100) {
		w.app.alive = false
		w.after(30 * time.Second)
		w.app.alive, w.app.started = true, w.now
		if i%10 == 9 { // and some of them are new queries
			w.wipe(fmt.Sprint("id-", i))
			w.write("sources/0/0", fmt.Sprintf("\x00v1\n{\"p\":{\"0\":%d}}", rows), w.now)
		}
		rows += 10
		w.run(10+i, w.now, rows, 1000)
		w.kafka.ends["p"] = map[int32]int64{0: rows, 1: 1000}
		w.after(5 * time.Second)
	}
	p := w.after(5 * time.Second)
	if got := len(p); got > before+2 { // the two rates need two batches
		t.Errorf("%d series after 100 restarts, %d before", got, before)
	}
	p.want(t, map[string]float64{"checkpoint_resets_total": 10})
	if n := len(w.s.apps["pay"].queries); n != 1 {
		t.Errorf("%d queries are remembered", n)
	}
}

func TestCost(t *testing.T) {
	w := newWorld(t)
	w.running()
	look := func() (reads, lists int) {
		w.files.reads, w.files.lists = 0, 0
		w.after(5 * time.Second)
		return w.files.reads, w.files.lists
	}
	if reads, lists := look(); reads > 3 || lists != 2 {
		t.Errorf("at first: %d reads, %d listings", reads, lists)
	}
	if reads, lists := look(); reads > 1 || lists != 2 {
		t.Errorf("nothing new: %d reads, %d listings", reads, lists)
	}
	w.run(10, w.now, 1100, 1000)
	if reads, lists := look(); reads > 2 || lists != 2 {
		t.Errorf("a batch: %d reads, %d listings", reads, lists)
	}
	w.wipe("another")
	w.run(0, w.now, 1100, 1000)
	if reads, lists := look(); reads > 3 || lists != 2 {
		t.Errorf("wiped: %d reads, %d listings", reads, lists)
	}
	if n := len(w.page()); n > 20+6+11 { // 11 of the histogram in text
		t.Errorf("%d series of a query with one topic", n)
	}
}

// TestUnreadable: what was read stays for a minute, the totals stay, nothing
// else does; and the page is whole.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.files.err = fail.New(fail.Unreachable, "start it", "the store is away")
	p := w.after(30 * time.Second)
	p.want(t, map[string]float64{"batch_id": 9, `source{source="checkpoint"}`: 0, `kafka_lag_records{topic="p"}`: 0})
	p = w.after(31 * time.Second)
	p.want(t, map[string]float64{"input_rows_total": 0, `source{source="checkpoint"}`: 0})
	for _, name := range []string{"batch_id", `kafka_lag_records{topic="p"}`, `query_state{state="idle"}`} {
		if v, ok := p[name]; ok {
			t.Errorf("%s is %v still", name, v)
		}
	}
	w.files.err = nil
	w.run(10, w.now, 1500, 1000)
	w.after(time.Second).want(t, map[string]float64{"batch_id": 10, "input_rows_total": 500, `source{source="checkpoint"}`: 1})
}

// TestGarbage: files that are not what they should be cost their own query.
func TestGarbage(t *testing.T) {
	for name, content := range map[string]string{
		"metadata":   "",
		"offsets/9":  "v1\n{\"batchWatermarkMs\":0,",
		"offsets/10": "v1\n",
		"commits/10": "\xff\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.running()
			good := filepath.Join(filepath.Dir(w.dir), "good")
			if err := os.CopyFS(good, os.DirFS(w.dir)); err != nil {
				t.Fatal(err)
			}
			w.app.checkpoints = append(w.app.checkpoints, "good=file://"+good)
			w.write(name, content, w.now)
			w.page().want(t, map[string]float64{`batch_id{query="good"}`: 9, `source{query="good",source="checkpoint"}`: 1})
		})
	}
}

// TestManyQueries: what is remembered is bounded.
func TestManyQueries(t *testing.T) {
	w := newWorld(t)
	w.files.err = errors.New("none")
	for i := range 3 * maxApps {
		w.app.name = fmt.Sprint("app-", i)
		w.app.checkpoints = []string{fmt.Sprintf("file://%s/%d", w.dir, i)}
		w.now = w.now.Add(time.Second)
		collectOnly(t, w)
	}
	if n := len(w.s.apps); n > maxApps {
		t.Errorf("%d applications are remembered", n)
	}
	w.app.name, w.app.checkpoints = "pay", nil
	for i := range 3 * maxQueries {
		w.app.checkpoints = []string{fmt.Sprintf("file://%s/%d", w.dir, i)}
		w.now = w.now.Add(time.Second)
		collectOnly(t, w)
	}
	if n := len(w.s.apps["pay"].queries); n > maxQueries {
		t.Errorf("%d queries are remembered", n)
	}
}

// collectOnly is a collection whose page nobody reads.
func collectOnly(t *testing.T, w *world) {
	t.Helper()
	e := exporters.New(exporters.Options{}, w.collector())
	defer e.Close()
	e.Collect(context.Background())
}

func TestNames(t *testing.T) {
	got := checkpointNames([]string{
		"s3a://lake/checkpoints/bronze", "file:///a/x/checkpoint", "file:///a/y/_checkpoints/", "gold=s3://lake/g",
		"s3://one/same", "s3://two/same", "s3a://lake/checkpoints/bronze", "s3://checkpoint",
	})
	want := map[string]string{
		"bronze": "s3a://lake/checkpoints/bronze", "x": "file:///a/x/checkpoint", "y": "file:///a/y/_checkpoints/", "gold": "s3://lake/g",
		"one/same": "s3://one/same", "two/same": "s3://two/same", unnamed: "s3://checkpoint",
	}
	for name, uri := range want {
		if got[name] != uri {
			t.Errorf("%s is %q, want %q (%v)", name, got[name], uri, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}

// TestRenamed: when the query's own name is learned, the totals move with it.
func TestRenamed(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.run(10, w.now, 1100, 1000)
	w.after(5*time.Second).want(t, map[string]float64{"input_rows_total": 100})
	w.app.checkpoints = []string{"payments=file://" + w.dir}
	p := w.after(5 * time.Second)
	p.want(t, map[string]float64{`input_rows_total{query="payments"}`: 100})
	if _, ok := p["input_rows_total"]; ok {
		t.Error("the old name is still there")
	}
}

// TestRecorded reads what Spark 4.1.3 wrote.
func TestRecorded(t *testing.T) {
	w := newWorld(t)
	dir, err := filepath.Abs("../../internal/lakehouse/spark/testdata/checkpoint-4.1.3")
	if err != nil {
		t.Fatal(err)
	}
	w.app.checkpoints = []string{"bronze=file://" + dir}
	w.app.gauges = gauges{
		"spark.streaming.bronze_payments.inputRate-total": 2000.5, "spark.streaming.bronze_payments.processingRate-total": 4000,
		"spark.streaming.bronze_payments.latency": 650, "spark.streaming.bronze_payments.eventTime-watermark": 0,
		"spark.streaming.bronze_payments.states-rowsTotal": 0, "jvm.heap.used": 1,
	}
	w.kafka.ends["p20"] = map[int32]int64{0: 930992, 1: 934558, 2: 934450 + 100_000}
	p := w.page()
	p.want(t, map[string]float64{
		"batch_id": 15, `kafka_lag_records{topic="p20"}`: 100_000, "input_rows_per_second": 2000.5, "processed_rows_per_second": 4000,
		`source{source="gauges"}`: 1,
		`query_info{name="bronze_payments",query_id="8ed99fab-e08b-4c69-829c-c61203c1fb13",run_id="",checkpoint="file://` + dir + `"}`: 1,
	})
	exportertest.Collect(t, w.collector()) // and again
}

// TestGaugesOnly is all that is left when neither checkpoint nor push is there.
func TestGaugesOnly(t *testing.T) {
	w := newWorld(t)
	w.app.checkpoints = nil
	w.app.gauges = gauges{
		"spark.streaming.my.query.inputRate-total": 10, "spark.streaming.my.query.processingRate-total": 20,
		"spark.streaming.my.query.eventTime-watermark": 1795236600000, "spark.streaming.my.query.states-rowsTotal": 7,
		"spark.streaming.8ed99fab-e08b-4c69-829c-c61203c1fb13.inputRate-total": 0, "spark.streaming.x": 1,
		"spark.streaming.my.query.latency": 5,
	}
	w.page().want(t, map[string]float64{
		`query_state{query="my.query",state="running"}`: 1, `state_rows{query="my.query",operator="all"}`: 7,
		`watermark_timestamp_seconds{query="my.query"}`: 1795236600, `query_state{query="unnamed",state="idle"}`: 1,
	})
	w.app.gauges, w.app.alive = nil, false
	w.after(time.Minute).want(t, map[string]float64{ // its last values stay
		`query_state{query="my.query",state="terminated"}`: 1, `state_rows{query="my.query",operator="all"}`: 7,
		`source{query="my.query",source="gauges"}`: 0, `watermark_timestamp_seconds{query="my.query"}`: 1795236600,
	})
	if p := w.after(keepQuery); len(p) != 0 {
		t.Errorf("after the time for which queries are kept: %v", p)
	}
}

// BenchmarkCollect is one query with 100 batches in its checkpoint.
func BenchmarkCollect(b *testing.B) {
	t := &testing.T{}
	w := newWorldIn(t, b.TempDir())
	w.running()
	for batch := range int64(90) {
		w.run(10+batch, w.now.Add(time.Duration(batch)*5*time.Second), 1000, 1000)
	}
	w.now = w.now.Add(500 * time.Second)
	for b.Loop() {
		e := exporters.New(exporters.Options{}, w.collector())
		e.Collect(b.Context())
		e.Close()
	}
}

// FuzzCheckpoint holds that no content of a checkpoint's files makes a
// collection panic, invent a series or take the totals back.
func FuzzCheckpoint(f *testing.F) {
	f.Add("10", []byte("v1\n{}\n{\"p\":{\"0\":9}}"), []byte("v1\n{}"), []byte(`{"id":"x"}`))
	f.Add("9223372036854775807", []byte("v2\n{}\n0:{\"p\":{\"0\":-9,\"1\":9223372036854775807}}"), []byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, batch string, offsets, commit, metadata []byte) {
		if strings.ContainsAny(batch, "/\x00") || len(batch) > 100 || strings.Trim(batch, ".") == "" {
			t.Skip()
		}
		w := newWorld(t)
		w.running()
		before := w.page()["input_rows_total"]
		w.write("offsets/"+batch, string(offsets), w.now)
		w.write("commits/"+batch, string(commit), w.now)
		if len(metadata) > 0 {
			w.write("metadata", string(metadata), w.now)
		}
		for range 2 {
			if after := w.after(5 * time.Second)["input_rows_total"]; after < before {
				t.Errorf("the rows went from %v to %v", before, after)
			}
		}
	})
}
