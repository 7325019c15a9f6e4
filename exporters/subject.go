package exporters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// subject is a collector at work, with what it found last.
type subject struct {
	Collector
	exporter *Exporter
	logger   *slog.Logger

	mu     sync.Mutex
	parts  map[string]kept
	report report
	flight chan struct{} // closed when the collection under way has ended; nil for none
	series int           // on the page
	drops  map[string]int
	closed bool
}

// kept is the last good content of a part.
type kept struct {
	families []*Family
	at       time.Time
}

// report is what is known of the last collection that ended.
type report struct {
	began       time.Time
	took        time.Duration
	err         error            // of the collection as a whole
	parts       map[string]error // every part, nil where it succeeded
	denied      map[string]bool
	coarsened   map[string]int
	requests    []telemetry.Request
	asked       int
	bytes       int64
	log         []string
	lastSuccess time.Time
	succeeded   int
	failed      int
}

// ok reports whether the collection and all of its parts succeeded.
func (r report) ok() bool { return r.problem() == nil && !r.began.IsZero() }

// problem is the first thing that went wrong.
func (r report) problem() error {
	if r.err != nil {
		return r.err
	}
	for _, name := range sortedKeys(r.parts) {
		if err := r.parts[name]; err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// retryAfter is when a collection that went wrong is tried again at the latest,
// also where the interval is longer.
const retryAfter = 2 * DefaultInterval

// loop collects until ctx ends. The time between two collections differs by up
// to 5 %, so that many exporters do not ask at the same moment for ever.
func (s *subject) loop(ctx context.Context) {
	for {
		s.collect(ctx)
		last := s.last()
		pause := s.interval()
		if last.problem() != nil {
			pause = min(pause, retryAfter)
		}
		pause = time.Duration(float64(pause) * (0.95 + 0.1*rand.Float64())) //nolint:gosec // no secret
		timer := time.NewTimer(max(0, pause-last.took))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (s *subject) last() report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report
}

// collect runs one collection, or waits for the one under way. It returns when
// that has ended, or ctx has.
func (s *subject) collect(ctx context.Context) {
	s.mu.Lock()
	flight := s.flight
	if flight == nil {
		if s.closed {
			s.mu.Unlock()
			return
		}
		flight = make(chan struct{})
		s.flight = flight
		go s.run(context.WithoutCancel(ctx), flight)
	}
	s.mu.Unlock()
	select {
	case <-flight:
	case <-ctx.Done():
	}
}

// run is one collection. It belongs to nobody's request, so that a scraper that
// goes away does not end it for the others.
func (s *subject) run(ctx context.Context, flight chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	stop := context.AfterFunc(s.exporter.life, cancel)
	defer stop()
	ctx, requests := telemetry.WithRequests(ctx)
	lines := &lines{}
	logger := slog.New(tee{s.logger.Handler(), lines.handler()})
	batch := newBatch(s.Collector, s.exporter.room(s), logger)
	began := time.Now()
	err := s.Collect(ctx, batch)
	if cause := context.Cause(ctx); err == nil && errors.Is(cause, context.DeadlineExceeded) && len(batch.parts) == 0 {
		err = cause
	}
	r := report{
		began: began, took: time.Since(began), err: err, parts: map[string]error{}, log: lines.all(),
		denied: batch.denied, coarsened: batch.coarsened,
		requests: requests.List(), asked: requests.Count(), bytes: requests.Bytes(),
	}
	s.mu.Lock()
	s.take(batch, r)
	s.flight = nil
	s.mu.Unlock()
	close(flight)
	s.exporter.changed()
}

// take makes the outcome of a collection the subject's own.
func (s *subject) take(batch *Batch, r report) {
	parts := make(map[string]kept, len(batch.parts))
	for name, p := range batch.parts {
		r.parts[name] = p.err
		if p.err == nil && r.err == nil {
			parts[name] = kept{p.families, r.began}
		} else if old, ok := s.parts[name]; ok {
			parts[name] = old
		}
	}
	if r.err != nil {
		maps.Copy(parts, s.parts) // nothing is known of the parts
	}
	r.lastSuccess, r.succeeded, r.failed = s.report.lastSuccess, s.report.succeeded, s.report.failed
	if problem := r.problem(); problem != nil {
		r.failed++
		if was := s.report.problem(); was == nil || was.Error() != problem.Error() {
			s.logger.Warn("a collection went wrong", "err", problem, "hint", fail.HintOf(problem))
		}
	} else {
		r.lastSuccess = r.began
		r.succeeded++
		if s.report.problem() != nil {
			s.logger.Info("the collection is right again")
		}
	}
	s.parts, s.report = parts, r
}

// pieces returns what is fresh enough to show, and when the next of it is not
// (zero: never).
func (s *subject) pieces(now time.Time) (fresh []*piece, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, k := range s.parts {
		end := k.at.Add(s.exporter.staleAfter(s))
		if !now.Before(end) {
			delete(s.parts, name)
			continue
		}
		if until.IsZero() || end.Before(until) {
			until = end
		}
		for _, f := range k.families {
			fresh = append(fresh, &piece{Family: f, owner: s, at: k.at})
		}
	}
	return fresh, until
}

// age is how old the oldest series are that the subject has on the page.
func (s *subject) age(now time.Time) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var oldest time.Time
	for _, k := range s.parts {
		if oldest.IsZero() || k.at.Before(oldest) {
			oldest = k.at
		}
	}
	return now.Sub(oldest), !oldest.IsZero()
}

// close waits for the collection under way and gives back what the collector
// holds.
func (s *subject) close() {
	s.mu.Lock()
	s.closed = true
	flight := s.flight
	s.mu.Unlock()
	if flight != nil {
		<-flight
	}
	if s.Close != nil {
		s.Close()
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
