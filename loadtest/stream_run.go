package loadtest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/loadtest/hop"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// streamRun is one stream while its run goes on.
type streamRun struct {
	*Stream
	make  *maker // of the sending goroutine
	start time.Time
	rec   sink.Record // reused
	// behind is true while the sender catches up after the system pushed back:
	// lateness is then not the generator's fault.
	behind bool

	table    *hop.Table     // nil when the journey ends at the topic
	baseline *catalog.Table //
	first    []int64        // end offsets before the run, by partition
	end      []int64        // end offsets at the barrier

	intended      atomic.Uint64 // records due so far
	sent          atomic.Uint64
	acked         atomic.Uint64
	bytes         atomic.Uint64
	consumed      atomic.Uint64
	landed        atomic.Uint64 // rows that snapshots say they added
	news          atomic.Pointer[news]
	generatorLate atomic.Uint64 // records that left late, and no push-back explains it

	mu       sync.Mutex // guards what follows
	ackedSet *ledger.Set
	failed   *ledger.Set
	unknown  *ledger.Set
	ontopic  *ledger.Set // seen by the consumer
	again    uint64      // further sightings by the consumer
	poison   *ledger.Set // slots that were spoilt on purpose; nil without faults
	index    *ledger.Index

	letters atomic.Uint64 // poison that was acknowledged: dead letters to come
	dead    *ledger.Account
	buried  int64 // rows among the dead letters before the run

	service, corrected, scheduler, consume, freshness *latency
	maxDelay                                          time.Duration
}

func newStreamRun(s *Stream, p *Plan, start time.Time) (*streamRun, error) {
	maker, err := newMaker(s, p.RunID, start)
	if err != nil {
		return nil, err
	}
	count := s.Schedule.Count()
	phases, warmup := s.Schedule.Phases(), p.Scenario.Warmup
	r := &streamRun{
		Stream: s, make: maker, start: start,
		ackedSet: ledger.NewSet(count), failed: ledger.NewSet(count), unknown: ledger.NewSet(count),
		ontopic: ledger.NewSet(count),
		service: newLatency(phases, warmup), corrected: newLatency(phases, warmup),
		scheduler: newLatency(phases, warmup), consume: newLatency(phases, warmup),
		freshness: newLatency(phases, warmup), maxDelay: p.Scenario.Producer.MaxSchedulerDelay,
	}
	if s.faults != nil {
		r.poison, r.index = ledger.NewSet(count), &ledger.Index{}
	}
	return r, nil
}

// send walks the stream's schedule until its end or until ctx ends.
func (r *streamRun) send(ctx context.Context, out sink.Sink, traces *tracer) error {
	_, err := pacer.Run(ctx, r.Schedule, r.start, func(ctx context.Context, from, to uint64) error {
		if err := r.sendRange(ctx, out, traces, from, to); err != nil {
			return err
		}
		if r.Schedule.Due(time.Since(r.start)) <= to {
			r.behind = false
		}
		return nil
	})
	return err
}

// sendRange makes and sends the records from up to, but not including, to.
func (r *streamRun) sendRange(ctx context.Context, out sink.Sink, traces *tracer, from, to uint64) error {
	rec := &r.rec
	for seq := from; seq < to; seq++ {
		intended := r.Schedule.At(seq)
		key, value := r.make.make(seq)
		if r.poison != nil {
			r.notePoison(seq)
		}
		*rec = sink.Record{
			Stream: r.Number, Seq: seq, Intended: r.start.Add(intended),
			Key: key, Value: value, Partition: sink.Partition(key, r.Partitions),
			TraceParent: traces.parent(r.Name, seq),
		}
		handed := time.Now()
		if !r.behind && intended >= r.scheduler.warmup && handed.Sub(rec.Intended) > r.maxDelay {
			r.generatorLate.Add(1)
		}
		if err := out.Send(ctx, rec); err != nil {
			return err
		}
		if time.Since(handed) > time.Millisecond {
			r.behind = true
		}
		r.sent.Store(seq + 1)
		r.bytes.Add(uint64(len(value)))
	}
	return nil
}

// elapsed is the time since the start; negative before it.
func (r *streamRun) elapsed() time.Duration { return time.Since(r.start) }

// due is how many records were due by now, or when the run was broken off.
func (r *streamRun) due() uint64 {
	if n := r.intended.Load(); n > 0 {
		return n
	}
	return r.Schedule.Due(r.elapsed())
}

// account closes the books of the stream: whatever has no outcome is unknown.
func (r *streamRun) account(index *ledger.Index) *ledger.Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent.Load()
	for seq := range gaps(r.ackedSet, sent) {
		if !r.failed.Has(seq) {
			r.unknown.Add(seq)
		}
	}
	acc := &ledger.Account{
		Number: r.Number, Topic: r.Topic, Sent: sent, Failed: r.failed, Unknown: r.unknown, Index: index,
	}
	for p := range r.first {
		acc.Window = append(acc.Window, ledger.OffsetWindow{First: r.first[p], End: r.end[p]})
	}
	return acc
}

// gaps yields the numbers below n that are not in the set.
func gaps(s *ledger.Set, n uint64) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		s.Gaps(func(r ledger.Range) bool {
			for seq := r.First; seq <= r.Last; seq++ {
				if seq >= n || !yield(seq) {
					return false
				}
			}
			return true
		})
	}
}
