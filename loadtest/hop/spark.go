package hop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	defaultSparkPoll = 500 * time.Millisecond
	lookTimeout      = 5 * time.Second  // for all questions of one look; shorter outages pass as slow answers
	listEvery        = 10 * time.Second // at most, while no batch of the next number appears
)

// Batch is a committed micro-batch of a query.
type Batch struct {
	App     string
	ID      int64  // the epoch in the snapshots' summaries
	QueryID string // the query in the snapshots' summaries
	// Starts and Ends are the offsets before the first and after the last record
	// of the batch, by topic and partition. Starts is nil where it is not known;
	// a partition that is in Ends alone is new and starts at its oldest record.
	Starts, Ends map[string]map[int32]int64
	Planned      time.Time // by the driver's clock
	OffsetsSeen  time.Time // when this process first saw the plan
	CommitSeen   time.Time // when this process first saw that it is committed
	// PollBound is how much earlier than CommitSeen the commit may have been
	// written: the time since the last look that did not find it.
	PollBound time.Duration
	NewQuery  bool // the checkpoint was wiped: this is another query, which counts from 0 again
	Gap       bool // batches before this one were removed before they were seen
}

// Spark follows one query through its checkpoint. It is safe for concurrent
// use; Run runs once.
type Spark struct {
	checkpoint *spark.Checkpoint
	app        string
	poll       time.Duration
	logger     *slog.Logger
	outages    outageLog
	last       atomic.Int64 // the last batch that was emitted or there before, -1 for none

	// Of Baseline and Run, which do not run at the same time.
	based   bool
	query   string                     // the last one seen
	known   bool                       // whether one was seen
	gone    bool                       // whether there is no checkpoint
	renewed bool                       // the next batch is the first of a new query
	ends    map[string]map[int32]int64 // of the last batch, nil where unknown
	plan    *plan                      // of the next batch, nil where none was seen
	clean   time.Time                  // when the last whole look began
	listed  time.Time
}

// plan is a batch that is planned and not yet committed.
type plan struct {
	id      int64
	offsets *spark.Offsets
	seen    time.Time
	gap     bool
}

// NewSpark makes the hop of the query whose checkpoint is at a location. A poll
// of 0 is 500 ms.
func NewSpark(files spark.Files, app, checkpoint string, poll time.Duration, logger *slog.Logger) *Spark {
	if poll <= 0 {
		poll = defaultSparkPoll
	}
	s := &Spark{
		checkpoint: spark.Open(files, checkpoint), app: app, poll: poll,
		logger: logger.With("hop", "spark", "app", app),
	}
	s.last.Store(-1)
	return s
}

// Poll returns the time between two looks, which bounds the error of
// CommitSeen while the store answers.
func (s *Spark) Poll() time.Duration { return s.poll }

// Last returns the number of the last committed batch that is known, -1 for none.
func (s *Spark) Last() int64 { return s.last.Load() }

// Outages returns the times in which the checkpoint could not be read; To is
// zero while it still cannot.
func (s *Spark) Outages() []Outage { return s.outages.all() }

// Baseline reads the checkpoint before the run: batches that are committed
// already are not reported by Run. A checkpoint that does not exist yet is no
// error.
func (s *Spark) Baseline(ctx context.Context) error {
	began := time.Now()
	id, err := s.checkpoint.QueryID(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.based, s.clean = true, began
	if err != nil {
		return nil
	}
	planned, committed, err := s.checkpoint.Batches(ctx)
	if err != nil {
		return err
	}
	s.query, s.known, s.listed = id, true, began
	// A plan also says that the batch before it is committed.
	last := max(newestBatch(committed), newestBatch(planned)-1)
	if i, _ := slices.BinarySearch(planned, last+1); i > 0 {
		before, err := s.checkpoint.Offsets(ctx, planned[i-1])
		if err != nil {
			return err
		}
		s.ends = before.Ends()
	}
	s.last.Store(last)
	return nil
}

// newestBatch returns the last of ascending numbers, -1 for none.
func newestBatch(ids []int64) int64 {
	if len(ids) == 0 {
		return -1
	}
	return ids[len(ids)-1]
}

// Run looks at the checkpoint until ctx ends, which is not an error, and calls
// emit once for every batch that is committed, in order and from this
// goroutine: emit must be quick. When the store does not answer, or the files
// are not what they should be, Run notes an outage and looks again.
func (s *Spark) Run(ctx context.Context, emit func(Batch)) error {
	if !s.based {
		s.based, s.clean = true, time.Now()
	}
	for wait := s.poll; ; {
		began := time.Now()
		looking, cancel := context.WithTimeout(ctx, lookTimeout)
		err := s.look(looking, began, emit)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if s.outages.begin(began, err) {
				s.logger.Warn("the checkpoint cannot be read", "err", err)
			}
			s.listed = time.Time{} // what was missed is found by listing
			wait = min(2*wait, max(longestBackoff, s.poll))
		default:
			if s.outages.end(time.Now()) {
				s.logger.Info("the checkpoint can be read again")
			}
			wait = s.poll
		}
		if !rest(ctx, max(wait-time.Since(began), time.Millisecond)) {
			return nil
		}
	}
}

// look reads what is new: the files of known names first, the folders only
// when those have not appeared for a while.
func (s *Spark) look(ctx context.Context, began time.Time, emit func(Batch)) error {
	there, err := s.identify(ctx)
	if err != nil {
		return err
	}
	for there {
		done, err := s.next(ctx, began)
		if err != nil {
			return err
		}
		if !done {
			break
		}
		if err := s.emit(ctx, emit); err != nil {
			return err
		}
	}
	s.clean = began
	return nil
}

// identify reads the query's id and starts over when it is another one. It
// reports whether there is a checkpoint.
func (s *Spark) identify(ctx context.Context) (bool, error) {
	id, err := s.checkpoint.QueryID(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		if s.known && !s.gone {
			s.logger.Warn("the checkpoint is gone", "query", s.query)
		}
		s.gone = true
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if s.known && id != s.query {
		s.logger.Warn("the checkpoint belongs to a new query, which starts over", "query", id)
		s.ends, s.plan, s.listed, s.renewed = nil, nil, time.Time{}, true
		s.last.Store(-1)
	}
	s.query, s.known, s.gone = id, true, false
	return true, nil
}

// next finds the next planned batch and reports whether it is committed.
func (s *Spark) next(ctx context.Context, began time.Time) (committed bool, err error) {
	if s.plan == nil {
		if s.plan, err = s.planned(ctx, began); s.plan == nil || err != nil {
			return false, err
		}
	}
	if committed, err = s.checkpoint.Committed(ctx, s.plan.id); committed || err != nil {
		return committed, err
	}
	// A batch is planned only when the one before is committed, whether that was
	// noted or not.
	_, err = s.checkpoint.Offsets(ctx, s.plan.id+1)
	if errors.Is(err, fs.ErrNotExist) {
		return s.overtaken(ctx, began)
	}
	return err == nil, err
}

// planned looks for the plan of the batch after the last one: by its name, and
// when there has been none for a while by listing, because plans may be left
// out (asynchronous progress) or removed before they were seen.
func (s *Spark) planned(ctx context.Context, began time.Time) (*plan, error) {
	id := s.last.Load() + 1
	offsets, err := s.checkpoint.Offsets(ctx, id)
	if err == nil {
		return &plan{id: id, offsets: offsets, seen: time.Now()}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) || began.Sub(s.listed) < listEvery {
		return nil, ignoreAbsent(err)
	}
	planned, _, err := s.checkpoint.Batches(ctx)
	if err != nil {
		return nil, err
	}
	s.listed = began
	for _, p := range planned {
		if p < id {
			continue
		}
		offsets, err := s.checkpoint.Offsets(ctx, p)
		if err != nil {
			return nil, ignoreAbsent(err)
		}
		return &plan{id: p, offsets: offsets, seen: time.Now(), gap: p > id}, nil
	}
	return nil, nil
}

// overtaken reports whether a later batch is known where neither the commit of
// the planned one nor its successor's plan is.
func (s *Spark) overtaken(ctx context.Context, began time.Time) (bool, error) {
	if began.Sub(s.listed) < listEvery {
		return false, nil
	}
	planned, committed, err := s.checkpoint.Batches(ctx)
	if err != nil {
		return false, err
	}
	s.listed = began
	return newestBatch(planned) > s.plan.id || newestBatch(committed) >= s.plan.id, nil
}

// emit hands over the planned batch, which is committed.
func (s *Spark) emit(ctx context.Context, emit func(Batch)) error {
	p, seen := s.plan, time.Now()
	starts := s.ends
	if starts == nil || p.gap {
		var err error
		if starts, err = s.starts(ctx, p); err != nil {
			return err
		}
	}
	b := Batch{
		App: s.app, ID: p.id, QueryID: s.query, Starts: starts, Ends: p.offsets.Ends(),
		Planned: p.offsets.Planned, OffsetsSeen: p.seen, CommitSeen: seen, PollBound: seen.Sub(s.clean),
		NewQuery: s.renewed, Gap: p.gap,
	}
	s.plan, s.ends, s.renewed = nil, b.Ends, false
	s.last.Store(p.id)
	emit(b)
	return nil
}

// starts finds where a batch began whose predecessor was not seen.
func (s *Spark) starts(ctx context.Context, p *plan) (map[string]map[int32]int64, error) {
	if p.id > 0 {
		before, err := s.checkpoint.Offsets(ctx, p.id-1)
		if err != nil {
			return nil, ignoreAbsent(err)
		}
		return before.Ends(), nil
	}
	starts := map[string]map[int32]int64{}
	for i, source := range p.offsets.Sources {
		if source.Topics == nil {
			continue
		}
		first, err := s.checkpoint.Initial(ctx, i)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("finding the first offsets of the query: %w", err)
		}
		spark.Merge(starts, first)
	}
	return starts, nil
}

// ignoreAbsent is nil for a file that is not there.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
