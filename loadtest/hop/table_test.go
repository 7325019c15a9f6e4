package hop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/loadtest/hop"
)

// ledgerCatalog is a REST catalog with one table, whose commits a test makes.
type ledgerCatalog struct {
	mu       sync.Mutex
	uuid     string // "" is no table
	commits  []commit
	current  int64
	version  int // of the table, for the ETag
	down     bool
	asked    int // refs loads that were answered, 304 among them
	same     int // 304s
	history  int // loads with all snapshots
	progress chan struct{}
}

type commit struct{ id, parent, sequence int64 }

func newCatalog(t *testing.T) (*ledgerCatalog, *catalog.Client) {
	t.Helper()
	c := &ledgerCatalog{progress: make(chan struct{}, 1)}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	client, err := catalog.New(config.Catalog{URI: server.URL}, catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return c, client
}

func (c *ledgerCatalog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		select {
		case c.progress <- struct{}{}:
		default:
		}
	}()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/v1/config":
		_, _ = w.Write([]byte(`{}`))
	case c.down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Query().Get("snapshots") == "all":
		c.history++
		c.table(w, true)
	case c.uuid == "":
		c.asked++
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":{"type":"NoSuchTableException","code":404}}`))
	default:
		c.asked++
		etag := fmt.Sprintf("refs-%s-%d", c.uuid, c.version)
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			c.same++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		c.table(w, false)
	}
}

func (c *ledgerCatalog) table(w http.ResponseWriter, all bool) {
	metadata := map[string]any{"format-version": 2, "table-uuid": c.uuid}
	var snapshots, log []map[string]any
	for _, s := range slices.Backward(c.commits) { // the order of an answer means nothing
		snapshot := map[string]any{"snapshot-id": s.id, "sequence-number": s.sequence, "timestamp-ms": s.sequence}
		if s.parent != 0 {
			snapshot["parent-snapshot-id"] = s.parent
		}
		if all || s.id == c.current {
			snapshots = append(snapshots, snapshot)
		}
		log = append([]map[string]any{{"snapshot-id": s.id, "timestamp-ms": s.sequence}}, log...)
	}
	if c.current != 0 {
		metadata["current-snapshot-id"] = c.current
		metadata["snapshots"], metadata["snapshot-log"] = snapshots, log
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"metadata": metadata})
}

// change alters the catalog between two answers.
func (c *ledgerCatalog) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.version++
}

// commit appends snapshots to the current one.
func (c *ledgerCatalog) commit(ids ...int64) {
	c.change(func() {
		for _, id := range ids {
			c.commits = append(c.commits, commit{id, c.current, int64(len(c.commits) + 1)})
			c.current = id
		}
	})
}

// answered waits until the catalog has answered n more polls.
func (c *ledgerCatalog) answered(t *testing.T, n int) {
	t.Helper()
	c.mu.Lock()
	want := c.asked + n
	c.mu.Unlock()
	c.wait(t, func() bool { return c.asked >= want })
}

func (c *ledgerCatalog) wait(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		c.mu.Lock()
		ok := done()
		c.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-c.progress:
		case <-deadline:
			t.Fatal("the hop stopped asking")
		}
	}
}

// watch runs a hop until the test ends.
func watch(t *testing.T, h *hop.Table) <-chan hop.Snapshot {
	t.Helper()
	seen := make(chan hop.Snapshot, 100)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx, func(s hop.Snapshot) { seen <- s }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return seen
}

func next(t *testing.T, seen <-chan hop.Snapshot, want int64) hop.Snapshot {
	t.Helper()
	select {
	case s := <-seen:
		if s.ID != want {
			t.Fatalf("snapshot %d, want %d", s.ID, want)
		}
		if s.FirstSeen.IsZero() || s.PollBound <= 0 {
			t.Errorf("snapshot %d: seen %v, bound %v", s.ID, s.FirstSeen, s.PollBound)
		}
		return s
	case <-time.After(30 * time.Second):
		t.Fatalf("snapshot %d was never seen", want)
		return hop.Snapshot{}
	}
}

func none(t *testing.T, seen <-chan hop.Snapshot) {
	t.Helper()
	select {
	case s := <-seen:
		t.Errorf("unexpected snapshot %d", s.ID)
	default:
	}
}

const poll = 5 * time.Millisecond

func newTable(client *catalog.Client) *hop.Table {
	return hop.NewTable(client, "bronze.payments", poll, slog.New(slog.DiscardHandler))
}

func TestTableSeesEveryCommitOnce(t *testing.T) {
	c, client := newCatalog(t)
	c.uuid = "a"
	c.commit(1, 2, 3)
	h := newTable(client)
	before, err := h.Baseline(t.Context())
	if err != nil || before == nil || *before.CurrentSnapshotID != 3 {
		t.Fatalf("Baseline = %v, %v", before, err)
	}
	seen := watch(t, h)
	c.answered(t, 3)
	none(t, seen)
	c.commit(4)
	if s := next(t, seen, 4); s.Gap || *s.ParentID != 3 {
		t.Errorf("snapshot = %+v", s)
	}
	if c.history != 0 {
		t.Errorf("the history was read %d times for one commit", c.history)
	}
	c.commit(5, 6, 7)
	for _, id := range []int64{5, 6, 7} {
		if s := next(t, seen, id); s.Gap {
			t.Errorf("snapshot %d: gap", id)
		}
	}
	c.answered(t, 3)
	none(t, seen)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.history != 1 || c.same == 0 {
		t.Errorf("%d histories, %d not modified, want 1 and some", c.history, c.same)
	}
	if h.Poll() != poll || len(h.Outages()) != 0 {
		t.Errorf("Poll %v, outages %v", h.Poll(), h.Outages())
	}
}

func TestTableThatDoesNotExistYet(t *testing.T) {
	c, client := newCatalog(t)
	h := newTable(client)
	if before, err := h.Baseline(t.Context()); before != nil || err != nil {
		t.Fatalf("Baseline = %v, %v, want nothing", before, err)
	}
	seen := watch(t, h)
	c.answered(t, 2)
	c.change(func() { c.uuid = "a" })
	c.answered(t, 2)
	none(t, seen)
	c.commit(1, 2)
	next(t, seen, 1)
	if s := next(t, seen, 2); s.Gap {
		t.Error("the first commits of a table are a gap")
	}
	if len(h.Outages()) != 0 {
		t.Errorf("a missing table is an outage: %v", h.Outages())
	}
}

func TestTableOutage(t *testing.T) {
	c, client := newCatalog(t)
	c.uuid = "a"
	c.commit(1)
	h := newTable(client)
	if _, err := h.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := watch(t, h)
	c.answered(t, 1)
	start := time.Now()
	c.change(func() { c.down = true })
	c.wait(t, func() bool { return len(h.Outages()) == 1 })
	if o := h.Outages()[0]; !o.To.IsZero() || !strings.Contains(o.Error, "503") {
		t.Errorf("outage = %+v, want one that lasts", o)
	}
	c.commit(2, 3) // by a writer that the outage does not hit
	c.change(func() { c.down = false })
	next(t, seen, 2)
	s := next(t, seen, 3)
	c.answered(t, 1)
	outages := h.Outages()
	if len(outages) != 1 || outages[0].To.IsZero() || outages[0].To.Before(outages[0].From) || outages[0].From.Before(start.Add(-time.Minute)) {
		t.Fatalf("outages = %+v, want one that is over", outages)
	}
	if lasted := s.FirstSeen.Sub(outages[0].From); s.PollBound < lasted {
		t.Errorf("bound %v of a snapshot seen %v into an outage", s.PollBound, lasted)
	}
}

func TestTableBaselineNeedsTheCatalog(t *testing.T) {
	c, client := newCatalog(t)
	c.down = true
	if _, err := newTable(client).Baseline(t.Context()); err == nil {
		t.Error("Baseline = nil while the catalog is down")
	}
}

func TestTableRollbackExpiryAndReplacement(t *testing.T) {
	c, client := newCatalog(t)
	c.uuid = "a"
	c.commit(1, 2, 3)
	h := newTable(client)
	if _, err := h.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := watch(t, h)
	c.change(func() { c.current = 1 }) // rolled back
	c.answered(t, 2)
	none(t, seen)
	c.commit(4)
	if s := next(t, seen, 4); *s.ParentID != 1 || s.Gap {
		t.Errorf("after a rollback: %+v", s)
	}
	c.commit(5)
	next(t, seen, 5)
	c.change(func() { // two commits, the first of which is expired at once
		c.commits = append(c.commits, commit{7, 6, 9})
		c.current = 7
	})
	if s := next(t, seen, 7); !s.Gap {
		t.Error("an expired commit in between is not a gap")
	}
	c.change(func() { c.uuid, c.commits, c.current = "b", nil, 0 })
	c.answered(t, 2)
	c.commit(10, 11)
	if s := next(t, seen, 10); s.Gap {
		t.Error("the first commit of a new table is a gap")
	}
	next(t, seen, 11)
	none(t, seen)
}

func TestTableWithoutHistory(t *testing.T) { // as Nessie answers: one snapshot, no parent
	c, client := newCatalog(t)
	c.uuid = "a"
	c.commits, c.current = []commit{{1, 0, 1}}, 1
	h := newTable(client)
	if _, err := h.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := watch(t, h)
	for id := int64(2); id < 5; id++ {
		c.change(func() { c.commits, c.current = []commit{{id, 0, id}}, id })
		if s := next(t, seen, id); !s.Gap {
			t.Errorf("snapshot %d: no gap, though nobody can know", id)
		}
	}
}
