//go:build !exporter

package cli

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/bank/messages"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// worker fills chunks.
type worker struct {
	*generation
	event, before *generators.Event
	message       *messages.Maker // nil of records that are no messages
	clock, amount int             // places of fields in the schema; amount may be -1
	scratch       []byte
	ends          []int // of the messages of an event
	err           error // of the maker
}

func newWorker(g *generation) *worker {
	s := g.source.Schema()
	w := &worker{
		generation: g, event: generators.NewEvent(s), before: generators.NewEvent(s),
		clock: clockOf(s), amount: s.Index("amount_minor"),
	}
	if slices.Contains(messages.Formats(), g.format) {
		w.message, w.err = messages.New(g.format)
	}
	return w
}

// clockOf is the place of the event time in a schema: the first time.
func clockOf(s *generators.Schema) int {
	return max(0, slices.IndexFunc(s.Fields, func(f generators.Field) bool { return f.Kind == generators.Timestamp }))
}

func (w *worker) work(chunks <-chan *chunk) {
	for c := range chunks {
		c.values, c.keys, c.made, c.others, c.err = c.values[:0], c.keys[:0], c.made[:0], 0, w.err
		source := c.source
		if r, ok := source.(generators.Ranger); ok && w.follow == nil {
			source = r.Range(c.first, c.count)
		}
		changes, _ := source.(*bank.Changes)
		for seq := c.first; seq < c.first+uint64(c.count) && c.err == nil; seq++ {
			switch {
			case changes != nil && w.changes != nil:
				c.err = w.change(c, changes, seq)
			case changes != nil && changes.Op(seq) == bank.Tombstone: // of a row there is nothing left
			default:
				c.err = w.make(c, source, seq)
			}
		}
		c.ready <- struct{}{}
	}
}

// make makes the record of an event.
func (w *worker) make(c *chunk, source generators.Stream, seq uint64) error {
	at := w.start.UnixMicro()
	if w.times != nil {
		at += w.times.At(seq).Microseconds()
	}
	w.key.SealTo(&w.event.ID, w.number, seq)
	source.Fill(w.event, seq, at)
	if !w.isMine() {
		c.others++
		return nil
	}
	return w.record(c, source, seq)
}

// record makes the bytes of an event that is filled.
func (w *worker) record(c *chunk, source generators.Stream, seq uint64) (err error) {
	m := made{seq: seq, at: w.event.Values[w.clock].Int}
	if w.amount >= 0 {
		m.amount = w.event.Values[w.amount].Int
	}
	w.ends = w.ends[:0]
	switch {
	case w.books != nil: // statements are made later, of the events
		w.ends = append(w.ends, 0)
	case w.message != nil:
		parties, _ := source.(messages.Parties)
		p := messages.Payment{Event: w.event, Seq: seq, Parties: parties}
		c.values, w.ends, err = w.message.Append(c.values, w.ends, p)
	default:
		c.values = w.append(c.values, w.event, seq)
		w.ends = append(w.ends, len(c.values))
	}
	for _, end := range w.ends {
		c.keys = w.appendKey(c.keys, w.keyField)
		m.value, m.key = end, len(c.keys)
		c.made = append(c.made, m)
	}
	if w.rows || w.books != nil {
		c.row(w.event)
	}
	return err
}

// appendKey appends the text of a field of the event; of none, nothing.
func (w *worker) appendKey(dst []byte, field int) []byte {
	switch {
	case field == 0:
		return w.event.ID.Append(dst)
	case field > 0:
		return append(dst, w.event.Values[field].Str...)
	}
	return dst
}

// isMine reports whether the event belongs to the shards of this machine.
func (w *worker) isMine() bool {
	if w.shards.of <= 1 || w.books != nil { // statements are of accounts, entries of two
		return true
	}
	w.scratch = w.appendKey(w.scratch[:0], w.shardField)
	return w.shards.has(w.scratch)
}

// row keeps the event of the last record.
func (c *chunk) row(ev *generators.Event) {
	n := len(c.made)
	for len(c.rows) < n {
		c.rows = append(c.rows, generators.Event{Values: make([]generators.Value, len(ev.Values))})
	}
	c.rows[n-1].ID = ev.ID
	copy(c.rows[n-1].Values, ev.Values)
}

// change makes the bytes of the change of a row, as Debezium tells it. A row's
// identity is that of the event that read it first; every change is a transaction
// of its own.
func (w *worker) change(c *chunk, changes *bank.Changes, seq uint64) (err error) {
	of := changes.Change(seq, w.before, w.event)
	if w.scratch = append(w.scratch[:0], of.Key...); !w.shards.has(w.scratch) {
		c.others++
		return nil
	}
	w.key.SealTo(&w.event.ID, w.number, of.Row)
	w.before.ID = w.event.ID
	m := made{seq: seq, at: of.At}
	if of.Op == bank.Tombstone {
		c.values, m.null = append(c.values, "null"...), true
	} else {
		out := encode.Change{
			Op: encode.Op(of.Op), Before: of.Before, After: of.After, At: of.At, Seen: of.At, LSN: seq + 1, Last: seq,
		}
		if of.Op != bank.Read {
			out.Tx = encode.Tx{ID: seq + 1, Order: 1, TableOrder: 1}
		}
		c.values, err = w.changes.Append(c.values, &out)
	}
	if w.keyField >= 0 {
		c.keys = append(append(append(c.keys, `{"customer_id":"`...), of.Key...), `"}`...)
	}
	m.value, m.key = len(c.values), len(c.keys)
	c.made = append(c.made, m)
	return err
}
