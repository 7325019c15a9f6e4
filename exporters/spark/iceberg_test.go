package spark

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
)

// fakeTable is a catalog with one table.
type fakeTable struct {
	snapshots []catalog.Snapshot
	gone      int // the oldest so many have expired
	version   int
	err       error
	asked     []string
}

func (f *fakeTable) add(id string, epoch, rows int64, at time.Time) {
	n := int64(len(f.snapshots) + 1)
	f.version++
	f.snapshots = append(f.snapshots, catalog.Snapshot{ID: n, Timestamp: at, Summary: map[string]string{
		"operation": "append", "spark.sql.streaming.queryId": id, "spark.sql.streaming.epochId": fmt.Sprint(epoch),
		"added-records": fmt.Sprint(rows),
	}})
}

func (f *fakeTable) compact(at time.Time) {
	f.version++
	f.snapshots = append(f.snapshots, catalog.Snapshot{
		ID: int64(len(f.snapshots) + 1), Timestamp: at, Summary: map[string]string{"operation": "replace"},
	})
}

func (f *fakeTable) LoadTable(_ context.Context, ident string, o catalog.LoadOptions) (*catalog.Table, bool, error) {
	mode := "refs"
	if o.AllSnapshots {
		mode = "all"
	}
	f.asked = append(f.asked, mode)
	tag := fmt.Sprint("v", f.version)
	switch {
	case f.err != nil:
		return nil, false, f.err
	case ident != "bronze.payments":
		return nil, false, catalog.ErrNoTable
	case o.ETag == tag:
		return nil, true, nil
	}
	t := &catalog.Table{ETag: tag, Snapshots: map[int64]catalog.Snapshot{}}
	for i, s := range f.snapshots {
		if i >= f.gone && (o.AllSnapshots || i == len(f.snapshots)-1) {
			t.Snapshots[s.ID] = s
		}
	}
	return t, false, nil
}

func newTableWorld(t *testing.T) (*world, *fakeTable) {
	w := newWorld(t)
	table := &fakeTable{}
	w.s = w.streams(StreamOptions{Files: w.files, Offsets: w.kafka, Tables: table, TableOf: map[string]string{"pay/bronze": "bronze.payments"}})
	w.running()
	for b := range int64(10) {
		table.add(queryID, b, 200, w.now.Add(time.Duration(b-10)*5*time.Second+700*time.Millisecond))
	}
	return w, table
}

func TestTable(t *testing.T) {
	w, table := newTableWorld(t)
	w.page().want(t, map[string]float64{"table_epoch": 9, `source{source="table"}`: 1, "output_rows_total": 0})
	w.run(10, w.now, 1300, 1000)
	table.add(queryID, 10, 300, w.now.Add(700*time.Millisecond))
	table.asked = nil
	w.after(5*time.Second).want(t, map[string]float64{
		"table_epoch": 10, "output_rows_total": 300, "input_rows_total": 300, "table_note_delay_seconds": .4,
		"table_commit_duration_seconds_count": 1, "table_commit_duration_seconds_sum": .6,
		`table_mismatched_rows_total{kind="missing"}`: 0, `table_mismatched_rows_total{kind="extra"}`: 0,
	})
	if len(table.asked) != 1 {
		t.Errorf("asked %v for one new batch", table.asked)
	}
	// Three batches at once, a compaction last: the history is asked for.
	at := w.now
	for b := range int64(3) {
		w.run(11+b, at.Add(time.Duration(b)*time.Second), 1300+100*(b+1), 1000)
		table.add(queryID, 11+b, 100, at.Add(time.Duration(b)*time.Second+500*time.Millisecond))
	}
	table.compact(at)
	w.after(5*time.Second).want(t, map[string]float64{
		"table_epoch": 13, "output_rows_total": 600, "table_commit_duration_seconds_count": 4,
		`table_mismatched_rows_total{kind="missing"}`: 0, `table_mismatched_rows_total{kind="extra"}`: 0,
	})
}

// TestTableMismatch is the negative control: rows that did not arrive, rows that
// nobody read.
func TestTableMismatch(t *testing.T) {
	w, table := newTableWorld(t)
	w.page()
	w.run(10, w.now, 1300, 1000)
	table.add(queryID, 10, 290, w.now)
	w.after(5*time.Second).want(t, map[string]float64{`table_mismatched_rows_total{kind="missing"}`: 10})
	w.run(11, w.now, 1400, 1000)
	table.add(queryID, 11, 103, w.now)
	w.after(5*time.Second).want(t, map[string]float64{
		`table_mismatched_rows_total{kind="missing"}`: 10, `table_mismatched_rows_total{kind="extra"}`: 3, "output_rows_total": 393,
	})
	w.run(12, w.now, 1500, 1000) // whose snapshot never was
	w.after(5*time.Second).want(t, map[string]float64{`table_mismatched_rows_total{kind="missing"}`: 110, "table_epoch": 11})
}

// TestTableAhead: the snapshot is there before the commit is noted, and the
// driver dies in between.
func TestTableAhead(t *testing.T) {
	w, table := newTableWorld(t)
	w.page()
	w.plan(10, w.now, 1300, 1000)
	table.add(queryID, 10, 300, w.now.Add(time.Second))
	w.after(5*time.Second).want(t, map[string]float64{"table_epoch": 10, "batch_id": 9, "output_rows_total": 0})
	w.commit(10, w.now)
	w.after(5*time.Second).want(t, map[string]float64{
		"batch_id": 10, "output_rows_total": 300, `table_mismatched_rows_total{kind="missing"}`: 0, "table_note_delay_seconds": 4,
	})
}

// TestTableWithoutHistory: snapshots that have expired are not missing rows.
func TestTableWithoutHistory(t *testing.T) {
	w, table := newTableWorld(t)
	w.page()
	for b := range int64(3) {
		w.run(10+b, w.now, 1000+100*(b+1), 1000)
		table.add(queryID, 10+b, 100, w.now)
	}
	table.gone = len(table.snapshots) - 1
	w.after(5*time.Second).want(t, map[string]float64{`table_mismatched_rows_total{kind="missing"}`: 0, "table_epoch": 12})
}

func TestTableWiped(t *testing.T) {
	w, table := newTableWorld(t)
	w.page()
	w.wipe("another")
	w.write("sources/0/0", "\x00v1\n{\"p\":{\"0\":0,\"1\":0}}", w.now)
	w.run(0, w.now, 1000, 1000)
	table.add("another", 0, 2000, w.now)
	w.after(5*time.Second).want(t, map[string]float64{
		"table_epoch": 0, "output_rows_total": 2000, `table_mismatched_rows_total{kind="extra"}`: 0, `table_mismatched_rows_total{kind="missing"}`: 0,
	})
}

func TestTableUnreachable(t *testing.T) {
	w, table := newTableWorld(t)
	w.page()
	table.err = errors.New("no catalog")
	w.run(10, w.now, 1300, 1000)
	p := w.after(5 * time.Second)
	p.want(t, map[string]float64{`source{source="table"}`: 0, "batch_id": 10})
	if v, ok := p["table_epoch"]; ok {
		t.Errorf("epoch %v of a table that cannot be read", v)
	}
	table.err = nil
	table.add(queryID, 10, 300, w.now)
	w.after(5*time.Second).want(t, map[string]float64{"output_rows_total": 300, `table_mismatched_rows_total{kind="missing"}`: 0})
}

// TestTableAndAFileOfAnyName: a batch of the highest number is neither compared
// nor counted up to.
func TestTableAndAFileOfAnyName(t *testing.T) {
	w, _ := newTableWorld(t)
	w.wipe("another")
	w.page()
	w.run(math.MaxInt64, w.now, 1300, 1000)
	w.after(5*time.Second).want(t, map[string]float64{`table_mismatched_rows_total{kind="missing"}`: 0})
}
