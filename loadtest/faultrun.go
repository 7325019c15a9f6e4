package loadtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
)

// notePoison remembers that no reader takes what a slot carries, before it is
// sent.
func (r *streamRun) notePoison(slot uint64) {
	if r.faults.refused(r.make.courier.now) {
		r.mu.Lock()
		r.poison.Add(slot)
		r.mu.Unlock()
	}
}

// owed is how many records were acknowledged and belong in the table.
func (r *streamRun) owed() uint64 {
	letters := r.letters.Load() // first: each of them is acknowledged
	return r.acked.Load() - letters
}

// findPoison finds the offsets of poison when all was sent, so that snapshots
// can be held against the offsets that lead to rows.
func (r *run) findPoison(s *streamRun) error {
	if s.index == nil {
		return nil
	}
	r.books.Lock()
	defer r.books.Unlock()
	if err := s.index.Sort(); err != nil {
		return err
	}
	exp, err := newVerifier(s.Stream, r.plan.RunID, r.start, s.sent.Load())
	if err != nil {
		return err
	}
	s.mu.Lock()
	acc := &ledger.Account{Topic: s.Topic, Sent: s.sent.Load(), Index: s.index}
	acc.Failed, acc.Unknown = ledger.NewSet(acc.Sent), ledger.NewSet(acc.Sent)
	for slot := range gaps(s.ackedSet, acc.Sent) {
		acc.Failed.Add(slot)
	}
	s.mu.Unlock()
	exp.courier.tell(acc, exp)
	s.dead = acc
	return nil
}

// lettersNow is how many rows the table of dead letters has; 0 where it is not
// there, or nothing is expected in it.
func (r *run) lettersNow(ctx context.Context, s *Stream) (int64, error) {
	if s.faults == nil || s.DeadLetters == "" {
		return 0, nil
	}
	t, _, err := r.systems.catalog.LoadTable(ctx, s.DeadLetters, catalog.LoadOptions{})
	if errors.Is(err, catalog.ErrNoTable) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking at the dead letters of stream %q: %w", s.Name, err)
	}
	snap, ok := t.Current()
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseInt(snap.Summary["total-records"], 10, 64)
	if err != nil {
		return 0, nil // it does not say: nobody waits for them
	}
	return n, nil
}

// awaitLetters waits until the dead letters are written: a pipeline may do that
// in a query of its own, later than the rows.
func (r *run) awaitLetters(ctx context.Context, s *streamRun) {
	if s.letters.Load() == 0 || s.DeadLetters == "" {
		return
	}
	r.await(ctx, func() bool {
		n, err := r.lettersNow(ctx, s.Stream)
		return err == nil && n-s.buried >= int64(s.letters.Load())
	})
}

// consumedFaults counts what the consumer found by what it was sent as. The
// caller holds s.mu.
func (r *streamRun) consumedFaults() map[string]uint64 {
	if r.faults == nil {
		return nil
	}
	out := map[string]uint64{}
	w := r.faults.NewWalker()
	for w.Slot() < r.sent.Load() {
		s, ok := w.Next()
		if !ok {
			break
		}
		if r.ontopic.Has(s.Slot) {
			out[r.faults.class(s).String()]++
		}
	}
	return out
}

// faultLedger is the name of a stream's fault ledger in the run's folder, where
// so many streams have one.
func (s *Stream) faultLedger(streams []Stream) string {
	n := 0
	for i := range streams {
		if streams[i].faults != nil {
			n++
		}
	}
	if n <= 1 {
		return delivery.LedgerName
	}
	return fmt.Sprintf("stream-%d-%s", s.Number, delivery.LedgerName)
}

// writeFaults writes the fault ledgers, by walking again what was sent.
func (r *run) writeFaults() error {
	for _, s := range r.streams {
		if s.faults == nil {
			continue
		}
		if err := r.writeLedger(s); err != nil {
			return diskFull(fmt.Errorf("writing the faults of stream %q: %w", s.Name, err))
		}
	}
	return nil
}

func (r *run) writeLedger(s *streamRun) (err error) {
	f, err := os.Create(filepath.Join(r.dir, s.faultLedger(r.plan.Streams)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out, err := delivery.NewWriter(f, s.faults.Header(s.Name, r.start))
	if err != nil {
		return err
	}
	w := s.faults.NewWalker()
	for w.Slot() < s.sent.Load() {
		if _, ok := w.Next(); !ok {
			break
		}
		if err := out.Write(w.Faults()); err != nil {
			return err
		}
	}
	return out.Close(w)
}
