package hop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
)

const (
	defaultPoll    = 250 * time.Millisecond
	longestBackoff = 2 * time.Second
	maxOutages     = 1000
	maxSeen        = 1 << 16 // snapshot ids that a Table remembers
)

// tableLoader is the part of [catalog.Client] that the hop needs.
type tableLoader interface {
	LoadTable(ctx context.Context, ident string, opts catalog.LoadOptions) (*catalog.Table, bool, error)
}

// Snapshot is a commit and when this process first saw it.
type Snapshot struct {
	catalog.Snapshot
	// FirstSeen is when the answer that showed it was there, by this process's
	// monotonic clock.
	FirstSeen time.Time
	// PollBound is how much earlier it may have become visible: the time since
	// the last answer without it was asked for, an outage included.
	PollBound time.Duration
	// Gap is true when the catalog no longer knows the commits between the one
	// seen before and this one (expired, or a catalog without history), so some
	// may have been missed.
	Gap bool
}

// Table watches one Iceberg table through its catalog and yields its
// snapshots. It is safe for concurrent use; Run runs once.
type Table struct {
	client tableLoader
	ident  string
	poll   time.Duration
	logger *slog.Logger

	mu      sync.Mutex
	outages []Outage

	// Of Baseline and Run, which do not run at the same time.
	based bool
	uuid  string
	etag  string
	clean time.Time // when the last answer was asked for
	seen  map[int64]bool
	order []int64 // the ids in seen, oldest first
}

// NewTable makes the hop of the table ident ("namespace.table"). A poll of 0
// is 250 ms.
func NewTable(client tableLoader, ident string, poll time.Duration, logger *slog.Logger) *Table {
	if poll <= 0 {
		poll = defaultPoll
	}
	return &Table{
		client: client,
		ident:  ident,
		poll:   poll,
		logger: logger.With("hop", "table", "table", ident),
		seen:   map[int64]bool{},
	}
}

// Poll returns the time between two questions to the catalog, which bounds the
// error of FirstSeen while the catalog answers.
func (t *Table) Poll() time.Duration { return t.poll }

// Outages returns the times when the catalog did not answer; To is zero while
// it still does not.
func (t *Table) Outages() []Outage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.outages)
}

// Baseline reads the table before the run: what is there already is not
// reported by Run. A table that does not exist yet is nil without an error.
func (t *Table) Baseline(ctx context.Context) (*catalog.Table, error) {
	asked := time.Now()
	table, _, err := t.client.LoadTable(ctx, t.ident, catalog.LoadOptions{})
	if err != nil && !errors.Is(err, catalog.ErrNoTable) {
		return nil, fmt.Errorf("reading the table before the run: %w", err)
	}
	t.based, t.clean = true, asked
	if table == nil {
		return nil, nil
	}
	t.uuid, t.etag = table.UUID, table.ETag
	for _, e := range table.SnapshotLog {
		t.remember(e.SnapshotID)
	}
	for id := range table.Snapshots {
		t.remember(id)
	}
	return table, nil
}

// Run polls the catalog until ctx ends, which is not an error, and calls emit
// for every snapshot that was not seen before, in the order of the commits and
// from this goroutine: emit must be quick. When the catalog does not answer,
// Run notes an outage and asks again, every 2 s at the least. Without a
// Baseline before it, every snapshot of the table is new.
func (t *Table) Run(ctx context.Context, emit func(Snapshot)) error {
	if !t.based {
		t.based, t.clean = true, time.Now()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	wait := t.poll
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		asked := time.Now()
		err := t.look(ctx, asked, emit)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			t.down(asked, err)
			wait = min(2*wait, max(longestBackoff, t.poll))
		default:
			t.up()
			wait = t.poll
		}
		timer.Reset(max(0, wait-time.Since(asked)))
	}
}

// look asks the catalog once and emits what is new.
//
//nolint:cyclop // the answers of a catalog, one after the other
func (t *Table) look(ctx context.Context, asked time.Time, emit func(Snapshot)) error {
	table, same, err := t.client.LoadTable(ctx, t.ident, catalog.LoadOptions{ETag: t.etag})
	now := time.Now()
	if errors.Is(err, catalog.ErrNoTable) {
		if t.uuid != "" {
			t.logger.Warn("the table is gone", "uuid", t.uuid)
		}
		t.forget()
		t.clean = asked
		return nil
	}
	if err != nil {
		return err
	}
	if same {
		t.clean = asked
		return nil
	}
	if t.uuid != "" && t.uuid != table.UUID {
		t.logger.Warn("the table was replaced by another of the same name", "old", t.uuid, "new", table.UUID)
		t.forget()
	}
	fresh, whole := t.unseen(table)
	if len(fresh) > 0 && !whole {
		all, _, err := t.client.LoadTable(ctx, t.ident, catalog.LoadOptions{AllSnapshots: true})
		if err != nil {
			return err // nothing is remembered, so the next look finds the same
		}
		fresh, whole = t.unseen(all)
	}
	for i, s := range fresh {
		first := Snapshot{Snapshot: s, FirstSeen: now, PollBound: now.Sub(t.clean)}
		first.Gap = i == 0 && !whole && len(t.seen) > 0
		if first.Gap {
			t.logger.Warn("the catalog does not know all commits since the last one seen", "snapshot", s.ID)
		}
		if s.SequenceNumber > newest(table) { // committed while the history was being read
			first.FirstSeen = time.Now()
			first.PollBound = first.FirstSeen.Sub(asked)
		}
		emit(first)
	}
	for _, s := range fresh {
		t.remember(s.ID)
	}
	t.uuid, t.etag, t.clean = table.UUID, table.ETag, asked
	return nil
}

// unseen walks from the current snapshot through the parents to the first one
// seen before, and returns those on the way, oldest first. It is whole when
// the walk ended at one that was seen, or at the table's very first.
func (t *Table) unseen(table *catalog.Table) (fresh []catalog.Snapshot, whole bool) {
	next := table.CurrentSnapshotID
	for next != nil && !t.seen[*next] {
		s, ok := table.Snapshots[*next]
		if !ok || len(fresh) == len(table.Snapshots) {
			slices.Reverse(fresh)
			return fresh, false
		}
		fresh = append(fresh, s)
		next = s.ParentID
	}
	slices.Reverse(fresh)
	return fresh, next != nil || len(t.seen) == 0
}

// newest returns the sequence number of the current snapshot, or 0.
func newest(table *catalog.Table) int64 {
	s, _ := table.Current()
	return s.SequenceNumber
}

// remember marks a snapshot as seen and forgets the oldest beyond a bound.
func (t *Table) remember(id int64) {
	if t.seen[id] {
		return
	}
	t.seen[id] = true
	t.order = append(t.order, id)
	if len(t.order) > maxSeen {
		delete(t.seen, t.order[0])
		t.order = t.order[1:]
	}
}

// forget drops what belongs to a table that is no more.
func (t *Table) forget() {
	t.uuid, t.etag, t.order = "", "", nil
	clear(t.seen)
}

// down notes that the catalog did not answer a question asked at a time.
func (t *Table) down(at time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.outages); n > 0 && t.outages[n-1].To.IsZero() {
		return
	}
	t.logger.Warn("the catalog does not answer", "err", err)
	if len(t.outages) < maxOutages {
		t.outages = append(t.outages, Outage{From: at, Error: err.Error()})
	}
}

// up notes that the catalog answers again.
func (t *Table) up() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.outages); n > 0 && t.outages[n-1].To.IsZero() {
		t.outages[n-1].To = time.Now()
		t.logger.Info("the catalog answers again", "after", t.outages[n-1].To.Sub(t.outages[n-1].From))
	}
}
