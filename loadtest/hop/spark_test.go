package hop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

type topics = map[string]map[int32]int64

// counted is a store that counts the questions.
type counted struct {
	*objectstore.Store
	reads, lists int
}

func (c *counted) ReadFile(ctx context.Context, uri string, limit int64) ([]byte, error) {
	c.reads++
	return c.Store.ReadFile(ctx, uri, limit)
}

func (c *counted) List(ctx context.Context, folder string) ([]objectstore.Entry, error) {
	c.lists++
	return c.Store.List(ctx, folder)
}

// query is a checkpoint on disk and the hop that follows it.
type query struct {
	t     *testing.T
	dir   string
	files *counted
	hop   *Spark
	now   time.Time
	got   []Batch
}

func newQuery(t *testing.T) *query {
	t.Helper()
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	q := &query{t: t, dir: filepath.Join(t.TempDir(), "checkpoint"), files: &counted{Store: store}, now: time.Now()}
	q.hop = NewSpark(q.files, "bronze", "file://"+q.dir, time.Millisecond, slog.New(slog.DiscardHandler))
	return q
}

func (q *query) write(name, content string) {
	q.t.Helper()
	path := filepath.Join(q.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		q.t.Fatal(err)
	}
	if err := os.WriteFile(path+".tmp", []byte(content), 0o600); err != nil {
		q.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		q.t.Fatal(err)
	}
}

func (q *query) remove(name string) {
	q.t.Helper()
	if err := os.RemoveAll(filepath.Join(q.dir, name)); err != nil {
		q.t.Fatal(err)
	}
}

// start writes what Spark writes when a query starts.
func (q *query) start(id string) {
	q.write("metadata", fmt.Sprintf(`{"id":%q}`, id))
	q.write("sources/0/0", "\x00v1\n"+`{"payments":{"0":0,"1":0}}`)
}

// plan and commit write what Spark writes before and after batch n, which ends
// at offset 10*(n+1) of both partitions.
func (q *query) plan(n int64) {
	q.write(fmt.Sprint("offsets/", n), fmt.Sprintf("v1\n{\"batchTimestampMs\":%d}\n{\"payments\":{\"0\":%d,\"1\":%d}}", 1000+n, 10*(n+1), 10*(n+1)))
}

func (q *query) commit(n int64) {
	q.write(fmt.Sprint("commits/", n), "v1\n{\"nextBatchWatermarkMs\":0}")
}

// look looks once, after a while, and returns the batches that are new.
func (q *query) look(later time.Duration) []Batch {
	q.t.Helper()
	q.now = q.now.Add(later)
	q.got = nil
	if err := q.hop.look(q.t.Context(), q.now, func(b Batch) { q.got = append(q.got, b) }); err != nil {
		q.t.Fatal(err)
	}
	return q.got
}

func at(offset int64) topics { return topics{"payments": {0: offset, 1: offset}} }

// expect compares batches, but for this process's clock.
func (q *query) expect(got []Batch, want ...Batch) {
	q.t.Helper()
	for i := range want {
		want[i].App = "bronze"
		want[i].Planned = time.UnixMilli(1000 + want[i].ID)
	}
	clocks := cmpopts.IgnoreFields(Batch{}, "OffsetsSeen", "CommitSeen", "PollBound")
	if diff := cmp.Diff(want, got, clocks, cmpopts.EquateEmpty()); diff != "" {
		q.t.Errorf("batches (-want +got):\n%s", diff)
	}
	for _, b := range got {
		if b.OffsetsSeen.IsZero() || b.CommitSeen.Before(b.OffsetsSeen) {
			q.t.Errorf("batch %d: seen at %v and %v", b.ID, b.OffsetsSeen, b.CommitSeen)
		}
	}
}

func TestSparkFromTheStart(t *testing.T) {
	q := newQuery(t)
	if err := q.hop.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.expect(q.look(0))
	q.start("a")
	q.expect(q.look(time.Second))
	q.plan(0)
	q.expect(q.look(time.Second))
	q.commit(0)
	q.expect(q.look(time.Second), Batch{ID: 0, QueryID: "a", Starts: at(0), Ends: at(10)})
	q.expect(q.look(time.Second))
	for n := int64(1); n < 4; n++ {
		q.plan(n)
		q.commit(n)
	}
	q.expect(q.look(time.Second),
		Batch{ID: 1, QueryID: "a", Starts: at(10), Ends: at(20)},
		Batch{ID: 2, QueryID: "a", Starts: at(20), Ends: at(30)},
		Batch{ID: 3, QueryID: "a", Starts: at(30), Ends: at(40)})
	if q.hop.Last() != 3 {
		t.Errorf("last batch %d", q.hop.Last())
	}
}

func TestSparkBaseline(t *testing.T) {
	for name, planned := range map[string]bool{"next is planned": true, "next is not planned": false} {
		t.Run(name, func(t *testing.T) {
			q := newQuery(t)
			q.start("a")
			for n := int64(20); n < 25; n++ {
				q.plan(n)
				q.commit(n)
			}
			if planned {
				q.plan(25)
			}
			if err := q.hop.Baseline(t.Context()); err != nil {
				t.Fatal(err)
			}
			q.expect(q.look(0))
			q.plan(25)
			q.commit(25)
			q.expect(q.look(time.Second), Batch{ID: 25, QueryID: "a", Starts: at(250), Ends: at(260)})
		})
	}
}

// TestSparkCommitRemoved: the plan of the next batch says that a batch is
// committed, whatever became of the note.
func TestSparkCommitRemoved(t *testing.T) {
	q := newQuery(t)
	q.start("a")
	q.plan(0)
	q.expect(q.look(0))
	q.plan(1)
	q.expect(q.look(time.Second), Batch{ID: 0, QueryID: "a", Starts: at(0), Ends: at(10)})
}

func TestSparkWiped(t *testing.T) {
	q := newQuery(t)
	q.start("a")
	for n := range int64(3) {
		q.plan(n)
		q.commit(n)
	}
	if err := q.hop.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.plan(3)
	q.expect(q.look(0))
	q.remove(".")
	q.expect(q.look(time.Second))
	q.expect(q.look(time.Second))
	q.start("b")
	q.plan(0)
	q.commit(0)
	q.plan(1)
	q.expect(q.look(time.Second), Batch{ID: 0, QueryID: "b", Starts: at(0), Ends: at(10), NewQuery: true})
	q.commit(1)
	q.expect(q.look(time.Second), Batch{ID: 1, QueryID: "b", Starts: at(10), Ends: at(20)})
}

// TestSparkRestored: a checkpoint that was away and is the same again is no
// new query.
func TestSparkRestored(t *testing.T) {
	q := newQuery(t)
	q.start("a")
	q.plan(0)
	q.commit(0)
	q.look(0)
	if err := os.Rename(q.dir, q.dir+".away"); err != nil {
		t.Fatal(err)
	}
	q.expect(q.look(time.Second))
	if err := os.Rename(q.dir+".away", q.dir); err != nil {
		t.Fatal(err)
	}
	q.plan(1)
	q.commit(1)
	q.expect(q.look(time.Second), Batch{ID: 1, QueryID: "a", Starts: at(10), Ends: at(20)})
}

// TestSparkGap: batches that Spark removed before they were seen are skipped,
// and the first one behind them says so.
func TestSparkGap(t *testing.T) {
	q := newQuery(t)
	q.start("a")
	q.plan(0)
	q.commit(0)
	q.look(0)
	for n := int64(5); n < 7; n++ {
		q.plan(n)
		q.commit(n)
	}
	q.look(time.Second)
	q.expect(q.look(2*listEvery), // the first one kept has no known start
		Batch{ID: 5, QueryID: "a", Ends: at(60), Gap: true},
		Batch{ID: 6, QueryID: "a", Starts: at(60), Ends: at(70)})
}

// TestSparkIsCheap: a look at a query that does nothing reads two files and
// lists nothing; one at a running batch reads three.
func TestSparkIsCheap(t *testing.T) {
	q := newQuery(t)
	q.start("a")
	q.plan(0)
	q.commit(0)
	if err := q.hop.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.look(0)
	q.files.reads, q.files.lists = 0, 0
	q.look(time.Millisecond)
	if q.files.reads > 2 || q.files.lists > 0 {
		t.Errorf("idle: %d reads, %d lists", q.files.reads, q.files.lists)
	}
	q.plan(1)
	q.look(time.Millisecond)
	q.files.reads = 0
	q.look(time.Millisecond)
	if q.files.reads > 3 || q.files.lists > 0 {
		t.Errorf("in a batch: %d reads, %d lists", q.files.reads, q.files.lists)
	}
}

func TestSparkBaselineUnreadable(t *testing.T) {
	q := newQuery(t)
	q.write("metadata", "nonsense")
	if err := q.hop.Baseline(t.Context()); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
		t.Errorf("error %v", err)
	}
}

// TestSparkRun runs through an outage: the checkpoint cannot be read for a
// while, and every batch comes once.
func TestSparkRun(t *testing.T) {
	q := newQuery(t)
	q.start("a")
	q.plan(0)
	q.commit(0)
	if err := q.hop.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var ids []int64
	seen := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(ids) == n
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- q.hop.Run(ctx, func(b Batch) {
			mu.Lock()
			defer mu.Unlock()
			ids = append(ids, b.ID)
		})
	}()
	q.plan(1)
	q.commit(1)
	await(t, "batch 1", seen(1))
	q.remove("metadata")
	q.write("metadata/folder", "not a file")
	await(t, "an outage", func() bool { return len(q.hop.Outages()) == 1 })
	if o := q.hop.Outages()[0]; !o.To.IsZero() || o.Error == "" {
		t.Errorf("while it lasts: %+v", o)
	}
	q.plan(2)
	q.commit(2)
	q.remove("metadata")
	q.start("a")
	await(t, "batch 2", seen(2))
	await(t, "the end of the outage", func() bool { return !q.hop.Outages()[0].To.IsZero() })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]int64{1, 2}, ids); diff != "" || len(q.hop.Outages()) != 1 {
		t.Errorf("batches %v, outages %+v", ids, q.hop.Outages())
	}
}
