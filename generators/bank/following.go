package bank

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Following gives the records of a stream that follows from others, in their
// order: those up to a time, however many that is. It has a bank of its own and
// remembers nothing of what it gave.
type Following struct {
	stream *stream
	engine *engine
	until  int64   // what is on its way comes to light until then
	block  []Event // made and not given
	first  uint64  // number of the first of them
	ended  bool
}

// Follow opens a bank and returns what follows, in a stream of the names that
// [Paced] denies, from all that happens there before a time (microseconds since
// the Unix epoch). Nothing new happens from then on; what is on its way comes to
// light before until, which is not earlier than end.
func Follow(c Config, name string, end, until int64) (*Following, error) {
	lane := slices.Index(Streams(), name)
	if _, paced := Paced(name); paced {
		return nil, fail.New(fail.Usage, "ask for it by its numbers", "following stream %q: it has times of its own", name)
	}
	c.Ledger, c.Changes = lane == ledger, lane == customers
	b, err := New(c)
	if err != nil {
		return nil, err
	}
	if lane == labels && !b.has[lane] {
		return nil, fail.New(fail.Usage, "let some payments be crimes: world: {fraud: {preset: aml-hi}}",
			"following stream %q: this bank has no crime", name)
	}
	s, err := b.Stream(name)
	if err != nil {
		return nil, err
	}
	f := &Following{stream: s.(*stream), engine: b.tape.live, until: until} //nolint:forcetypeassert // it is
	f.engine.end, b.tape = end, nil
	return f, nil
}

// Name is the stream's name.
func (f *Following) Name() string { return f.stream.name }

// Schema is that of the records.
func (f *Following) Schema() *generators.Schema { return f.stream.schema }

// Ended reports whether there are no more records.
func (f *Following) Ended() bool { return f.ended && len(f.block) == 0 }

// Next lets the bank work for a while and returns the stream for the records that
// come next, at most count of them, the number of the first, and how many they
// are: perhaps none, also before the end, because the bank may work long without
// any. The records may be filled while more are asked for. Those of the customers
// are [Changes].
func (f *Following) Next(count int) (_ generators.Stream, first uint64, n int) {
	if len(f.block) == 0 && !f.ended {
		f.work()
	}
	n = min(count, len(f.block))
	b := &Block{Lane: f.stream.lane, First: f.first, Events: f.block[:n]}
	f.block, f.first = f.block[n:], f.first+uint64(n)
	out := &part{stream: f.stream, blocks: []*Block{b}}
	if b.Lane == customers {
		return &Changes{out}, b.First, n
	}
	return out, b.First, n
}

// Changes is some records of the stream customers, which are changes of rows.
type Changes struct{ *part }

// Op says what happened to the row of a record.
func (c *Changes) Op(seq uint64) Op { return change(c.event(seq).Balance).op() }

// Change writes a record as a change into two of its schema, as [Bank.Change]
// does.
func (c *Changes) Change(seq uint64, before, after *generators.Event) Change {
	return c.stream.bank.change(c.event(seq), before, after)
}

// work lets the bank work for a while, or to the end.
func (f *Following) work() {
	full := f.engine.advance()
	if full == nil {
		full = f.engine.follow(f.until - 1)
	}
	own := &f.engine.lanes[f.stream.lane]
	f.ended = full == nil
	f.block = slices.Clone(own.block) // also a part of a block: labels are few
	own.block = own.block[:0]
	if full != nil {
		full.block = full.block[:0]
	}
}
