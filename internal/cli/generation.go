//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank/messages"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// maxChunk is how many records a worker makes at a time.
const maxChunk = 4096

// generation makes records with several workers and hands them over in order:
// each worker takes the next chunk of sequence numbers, the writer takes the
// chunks in the order of their numbers.
type generation struct {
	source  generators.Stream
	follow  *loadtest.Followed // the source of records that follow from others; else nil
	format  string             // of the records
	encoder encode.Encoder     // nil of changes
	changes *encode.ChangeEncoder
	books   *messages.Statements // of the ledger, instead of its records
	skip    uint64               // records with a lower number were sent by another run
	rows    bool                 // the records themselves are handed over, too
	key     generators.Key
	number  uint16 // of the stream
	first   uint64 // record to begin with
	count   uint64 // 0 does not end
	start   time.Time
	times   timeline // not of what follows
	workers int
	size    int    // records in a chunk
	last    uint64 // entry that was booked

	shards     shards
	shardField int   // of the text that decides the shard
	keyField   int   // of the record's key; -1 for none
	partitions int32 // of the topic; 0 for none
}

// timeline says when records happen, from the start on.
type timeline interface {
	At(seq uint64) time.Duration
}

// chunk is some records that follow each other.
type chunk struct {
	source generators.Stream
	first  uint64
	count  int
	values []byte
	keys   []byte
	made   []made
	rows   []generators.Event // of made, where they are wanted
	others int                // events that belong to other shards
	err    error
	ready  chan struct{} // one value when a worker has filled it
}

// made is a record of a chunk.
type made struct {
	seq        uint64
	at         int64 // event time, microseconds since the Unix epoch
	amount     int64 // minor units
	value, key int   // where they end
	null       bool  // Kafka's null
}

// followed stands for a stream that follows from others as a whole. Its records
// come in parts, which fill them.
type followed struct{ *loadtest.Followed }

// Fill implements generators.Stream.
func (followed) Fill(*generators.Event, uint64, int64) {}

// total is what was handed to the sink, and how many events were not: because
// they have no record in the format, or belong to other shards.
type total struct{ records, bytes, leftOut, others uint64 }

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
		wg.Go(func() { newWorker(g).work(work) })
	}
	wg.Go(func() { g.deal(ctx, free, work, order) })
	for c := range order {
		<-c.ready
		if err := g.hand(ctx, c, out); err != nil {
			return out.total, ignoreEnd(ctx, err)
		}
		free <- c
	}
	if g.books == nil || ctx.Err() != nil {
		return out.total, nil
	}
	texts, at, err := g.books.Close()
	if err == nil {
		err = g.tell(ctx, out, texts, sink.Record{Seq: g.last, At: at})
	}
	return out.total, ignoreEnd(ctx, err)
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
			c.source, c.first, c.count = g.source, first, g.size
			if g.count != 0 {
				c.count = int(min(uint64(g.size), end-first))
			}
			if g.follow != nil && !g.next(ctx, c) {
				return
			}
			first += uint64(c.count)
			work <- c // there is room for every chunk
			order <- c
		}
	}
}

// next finds the records of a chunk that follow from others, and reports whether
// there are any.
func (g *generation) next(ctx context.Context, c *chunk) bool {
	from := c.first
	for ctx.Err() == nil && !g.follow.Ended() {
		part, first, n := g.follow.Next(c.count)
		if last := first + uint64(n); last > from { // those before are left out
			c.source, c.first, c.count = part, max(first, from), int(last-max(first, from))
			return true
		}
	}
	return false
}

// hand gives the records of a chunk to the sink.
func (g *generation) hand(ctx context.Context, c *chunk, out *counting) error {
	if c.err != nil {
		return c.err
	}
	if g.books != nil {
		return g.book(ctx, c, out)
	}
	value, key := 0, 0
	now, r := time.Now(), &out.record
	for i := range c.made {
		m := &c.made[i]
		*r = sink.Record{
			Stream: g.number, Seq: m.seq, Intended: now, At: m.at, Amount: m.amount,
			Value: c.values[value:m.value], Key: c.keys[key:m.key],
		}
		value, key = m.value, m.key
		if g.partitions > 0 {
			r.Partition = sink.Partition(r.Key, g.partitions)
		}
		if m.null && g.keyField >= 0 { // in a file it is a line that says null
			r.Value = nil
		}
		if g.rows {
			r.Row = &c.rows[i]
		}
		if err := out.Send(ctx, r); err != nil {
			return err
		}
	}
	out.passed(g, c)
	return ctx.Err()
}

// book gives the entries of a chunk to the statements, and those to the sink.
func (g *generation) book(ctx context.Context, c *chunk, out *counting) error {
	parties, ok := c.source.(messages.Parties)
	if !ok {
		return fmt.Errorf("making statements: %s knows no parties", c.source.Name())
	}
	for i := range c.made {
		m := &c.made[i]
		texts, at, err := g.books.Add(messages.Payment{Event: &c.rows[i], Seq: m.seq, Parties: parties})
		if err == nil {
			err = g.tell(ctx, out, texts, sink.Record{Seq: g.last, At: at})
		}
		if err != nil {
			return err
		}
		g.last = m.seq
	}
	out.sent.Store(c.first + uint64(c.count))
	return ctx.Err()
}

// tell sends the statements of a day. Their number is that of the day's last
// entry, their key the account: the end of their id.
func (g *generation) tell(ctx context.Context, out *counting, texts [][]byte, r sink.Record) error {
	if r.Seq < g.skip {
		return nil
	}
	for _, text := range texts {
		r.Stream, r.Intended, r.Value = g.number, time.Now(), text
		id, ok := messages.AccountOf(text)
		if !g.shards.has(id) {
			out.others++
			continue
		}
		if r.Key = nil; ok && g.keyField >= 0 {
			r.Key = id
		}
		if g.partitions > 0 {
			r.Partition = sink.Partition(r.Key, g.partitions)
		}
		if err := out.Send(ctx, &r); err != nil {
			return err
		}
	}
	return nil
}

// counting is a sink that waits until each record is due, and counts.
type counting struct {
	sink.Sink
	pace
	total
	sent   *atomic.Uint64 // events so far, for others to read
	record sink.Record    // the one that is handed over
}

// passed counts the events of a chunk, and those of which there is no record.
func (c *counting) passed(g *generation, of *chunk) {
	c.sent.Store(of.first + uint64(of.count) - g.first)
	events := of.count
	for i := range of.made {
		if i > 0 && of.made[i].seq == of.made[i-1].seq {
			events++ // an event can have several
		}
	}
	c.others += uint64(of.others)
	c.leftOut += uint64(events - len(of.made) - of.others)
}

// Send implements sink.Sink.
func (c *counting) Send(ctx context.Context, r *sink.Record) error {
	if err := c.wait(ctx, r); err != nil {
		return err
	}
	if err := c.Sink.Send(ctx, r); err != nil {
		return err
	}
	c.records++
	c.bytes += uint64(len(r.Value))
	return nil
}

// pace says when a record is due.
type pace struct {
	times timeline                     // by its number; nil is as fast as possible
	due   func(at int64) time.Duration // or by its event time
	begin time.Time
	late  bool // the first record is due at once
}

// wait returns when the record is due, or ctx ends. A record that has its time is
// intended for that.
func (p *pace) wait(ctx context.Context, r *sink.Record) error {
	var after time.Duration
	switch {
	case p.due != nil:
		after = p.due(r.At)
		if p.late {
			p.begin, p.late = p.begin.Add(-after), false
		}
	case p.times != nil:
		after = p.times.At(r.Seq)
	default:
		return nil
	}
	r.Intended = p.begin.Add(after)
	rest := time.Until(r.Intended)
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
