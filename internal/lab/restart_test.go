//go:build !nolab

package lab

import (
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// crash stops the engine, produces n payments and runs the next batch up to a
// point: planned only, or written too, but never committed.
func crash(t *testing.T, l *Lab, p *producer, n int, written bool) {
	t.Helper()
	l.stop()
	l.parts.Wait()
	p.payments(n)
	s := l.streams[0]
	b, err := s.next(t.Context(), time.Now())
	if err != nil || b == nil {
		t.Fatalf("planning the batch that crashes: %v, %v", b, err)
	}
	if err := s.checkpoint.plan(b.epoch, b.end, time.Now().UnixMilli()); err != nil {
		t.Fatal(err)
	}
	if written {
		if err := b.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l.stopEngine()
}

func TestRestartLosesAndDoublesNothing(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	p := newProducer(t, l, 3)
	p.payments(1000)
	flush(t, l)
	for i, written := range []bool{false, true, true, false} {
		crash(t, l, p, 500, written)
		p.payments(250) // arrive while the engine is down, and belong to no planned batch
		if err := l.startEngine(t.Context()); err != nil {
			t.Fatal(err)
		}
		flush(t, l)
		checkExact(t, scan(t, loadThroughREST(t, l, testTable)), p.wanted(1000+750*(i+1)))
	}
}

// TestWipedCheckpointDoubles is the control of the test above: without the
// query's id, the guard must not help.
func TestWipedCheckpointDoubles(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	p := newProducer(t, l, 1)
	p.payments(100)
	flush(t, l)
	root := l.streams[0].checkpoint.root
	l.stopEngine()
	for _, name := range []string{"metadata", "sources/0/0", "offsets/0", "commits/0"} {
		if err := l.files.Remove(root + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.startEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	flush(t, l)
	if rows := scan(t, loadThroughREST(t, l, testTable)); len(rows) != 200 {
		t.Errorf("%d rows, want each of 100 twice", len(rows))
	}
}

func TestDeadLetters(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	p := newProducer(t, l, 1)
	p.payments(10)
	flush(t, l)
	l.stop()
	l.parts.Wait()
	bad := []string{"", "not json", `{"event_id":"x"}`}
	for _, value := range bad {
		p.raw([]byte(value))
	}
	crash(t, l, p, 1, true) // its batch is read again after the restart: nothing may be doubled
	if err := l.startEngine(t.Context()); err != nil {
		t.Fatal(err)
	}
	flush(t, l)
	checkExact(t, scan(t, loadThroughREST(t, l, testTable)), p.wanted(11))

	_, records, err := loadThroughREST(t, l, testTable+DeadLetterSuffix).Scan().ToArrowRecords(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rec, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			if rec.Column(0).(*array.String).Value(i) == "" {
				t.Error("a dead letter has no reason")
			}
			got = append(got, string(rec.Column(1).(*array.Binary).Value(i)))
		}
	}
	slices.Sort(got)
	slices.Sort(bad)
	if !slices.Equal(got, bad) {
		t.Errorf("dead letters are %q, want %q", got, bad)
	}
}

// TestEmptyBatchHasASnapshot: who waits for a snapshot that covers the topic
// must not wait for ever because the last batch had no good record.
func TestEmptyBatchHasASnapshot(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	p := newProducer(t, l, 1)
	p.raw([]byte("bad"))
	p.flush()
	flush(t, l)
	tbl := loadThroughREST(t, l, testTable)
	if epoch, err := lastEpoch(tbl, l.streams[0].queryID); err != nil || epoch != 0 {
		t.Errorf("the last epoch of the table is %d (%v), want 0", epoch, err)
	}
	if rows := scan(t, tbl); len(rows) != 0 {
		t.Errorf("%d rows, want none", len(rows))
	}
}

// TestConflictsAreRetried commits to a table that somebody else has changed
// since it was loaded: iceberg-go's SQL catalog alone would give up.
func TestConflictsAreRetried(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	p := newProducer(t, l, 1)
	p.payments(10)
	flush(t, l)
	stale, err := l.catalog.load(t.Context(), identifier(testTable))
	if err != nil {
		t.Fatal(err)
	}
	p.payments(10)
	flush(t, l)
	s := l.streams[0]
	records := newRecordStream(t.Context(), s.columns)
	records.finish(nil)
	if _, err := stale.Append(t.Context(), records, nil); err != nil {
		t.Fatal(err)
	}
	checkExact(t, scan(t, loadThroughREST(t, l, testTable)), p.wanted(20))
}
