//go:build !exporter

package cli

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// maxChunk is how many records a worker makes at a time.
const maxChunk = 4096

// generation makes records with several workers and hands them over in order:
// each worker takes the next chunk of sequence numbers, the writer takes the
// chunks in the order of their numbers.
type generation struct {
	source  generators.Stream
	encoder encode.Encoder
	key     generators.Key
	number  uint16 // of the stream
	first   uint64 // record to begin with
	count   uint64 // 0 does not end
	start   time.Time
	times   timeline
	workers int
	size    int // records in a chunk

	keyField   int   // of the record's key; -1 for none
	partitions int32 // of the topic; 0 for none
}

// timeline says when records happen, from the start on.
type timeline interface {
	At(seq uint64) time.Duration
}

// chunk is some records that follow each other.
type chunk struct {
	first     uint64
	count     int
	values    []byte
	keys      []byte
	valueEnds []int
	keyEnds   []int
	ready     chan struct{} // one value when a worker has filled it
}

// total is what was handed to the sink.
type total struct{ records, bytes uint64 }

// run makes records until the count is reached or ctx ends, which is no error.
func (g *generation) run(ctx context.Context, out *counting) (total, error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	free := make(chan *chunk, 2*g.workers)
	for range cap(free) {
		free <- &chunk{ready: make(chan struct{}, 1)}
	}
	work, order := make(chan *chunk, cap(free)), make(chan *chunk, cap(free))
	for range g.workers {
		wg.Go(func() { g.work(work) })
	}
	wg.Go(func() { g.deal(ctx, free, work, order) })
	for c := range order {
		<-c.ready
		if err := g.hand(ctx, c, out); err != nil {
			return out.total, ignoreEnd(ctx, err)
		}
		free <- c
	}
	return out.total, nil
}

// ignoreEnd forgets the errors that an interrupt causes.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// deal gives out chunks: to a worker, and in the same order to the writer.
func (g *generation) deal(ctx context.Context, free <-chan *chunk, work, order chan<- *chunk) {
	defer close(order)
	defer close(work)
	for first, end := g.first, g.first+g.count; g.count == 0 || first < end; {
		select {
		case <-ctx.Done():
			return
		case c := <-free:
			c.first, c.count = first, g.size
			if g.count != 0 {
				c.count = int(min(uint64(g.size), end-first))
			}
			first += uint64(c.count)
			work <- c // there is room for every chunk
			order <- c
		}
	}
}

// work fills chunks.
func (g *generation) work(chunks <-chan *chunk) {
	ev := generators.NewEvent(g.source.Schema())
	for c := range chunks {
		c.values, c.keys, c.valueEnds, c.keyEnds = c.values[:0], c.keys[:0], c.valueEnds[:0], c.keyEnds[:0]
		source, start := g.source, g.start.UnixMicro()
		if r, ok := source.(generators.Ranger); ok {
			source = r.Range(c.first, c.count)
		}
		for seq := c.first; seq < c.first+uint64(c.count); seq++ {
			ev.ID = g.key.Seal(g.number, seq)
			source.Fill(ev, seq, start+g.times.At(seq).Microseconds())
			c.values = g.append(c.values, ev, seq)
			c.valueEnds = append(c.valueEnds, len(c.values))
			switch {
			case g.keyField == 0:
				c.keys = ev.ID.Append(c.keys)
			case g.keyField > 0:
				c.keys = append(c.keys, ev.Values[g.keyField].Str...)
			}
			c.keyEnds = append(c.keyEnds, len(c.keys))
		}
		c.ready <- struct{}{}
	}
}

// hand gives the records of a chunk to the sink.
func (g *generation) hand(ctx context.Context, c *chunk, out *counting) error {
	value, key := 0, 0
	for i := range c.count {
		r := sink.Record{
			Stream: g.number, Seq: c.first + uint64(i), Intended: time.Now(),
			Value: c.values[value:c.valueEnds[i]], Key: c.keys[key:c.keyEnds[i]],
		}
		value, key = c.valueEnds[i], c.keyEnds[i]
		if g.partitions > 0 {
			r.Partition = sink.Partition(r.Key, g.partitions)
		}
		if err := out.Send(ctx, &r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// counting is a sink that waits until each record is due, and counts.
type counting struct {
	sink.Sink
	pace
	total
	sent *atomic.Uint64 // the records so far, for others to read
}

// Send implements sink.Sink.
func (c *counting) Send(ctx context.Context, r *sink.Record) error {
	if err := c.wait(ctx, r.Seq); err != nil {
		return err
	}
	if err := c.Sink.Send(ctx, r); err != nil {
		return err
	}
	c.records++
	c.sent.Store(c.records)
	c.bytes += uint64(len(r.Value))
	return nil
}

// pace says when a record is due.
type pace struct {
	times timeline // nil is as fast as possible
	begin time.Time
}

// wait returns when the record is due, or ctx ends.
func (p pace) wait(ctx context.Context, seq uint64) error {
	if p.times == nil {
		return nil
	}
	rest := time.Until(p.begin.Add(p.times.At(seq)))
	if rest <= 0 {
		return nil
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// constant is the timeline of a constant rate, records per second.
type constant float64

// At implements timeline.
func (r constant) At(seq uint64) time.Duration {
	return time.Duration(float64(seq) / float64(r) * float64(time.Second))
}
