package ledger

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// contents is tier T2: whole rows, compared with the records made again. Where
// it reads every new file its word is final; where it reads a sample it judges
// contents and explains what T1 found odd.
type contents struct {
	acc     *Account
	exp     Expected
	layout  Layout
	result  *Result
	file    File
	rows    uint64
	seen    *Set
	foreign []*Set // offsets of rows without an identity of ours, by partition
	twice   []*Set // offsets that T1 saw more than once; nil where all rows are read
	beside  uint64 // strangers at offsets of records that arrived too
	odd     uint64 // rows at offsets of the window that no batch of ours holds
	where   map[spotKey]Example
}

// spotKey is a partition and an offset.
type spotKey struct {
	partition int32
	offset    int64
}

func newContents(acc *Account, exp Expected, layout Layout, result *Result) *contents {
	c := &contents{
		acc: acc, exp: exp, layout: layout, result: result,
		seen: NewSet(acc.Sent), where: map[spotKey]Example{},
	}
	for _, w := range acc.Window {
		c.foreign = append(c.foreign, NewSet(uint64(max(0, w.End-w.First))))
	}
	return c
}

// columns are event_id, then partition, offset and topic where the table has
// them, then the contents.
func (c *contents) columns() []string {
	out := []string{c.layout.EventID}
	if c.layout.Offsets() {
		out = append(out, c.layout.Partition, c.layout.Offset)
		if c.layout.Topic != "" {
			out = append(out, c.layout.Topic)
		}
	}
	for _, col := range c.layout.Content {
		out = append(out, col.Column)
	}
	return out
}

func (c *contents) scan(ctx context.Context, s Scanner, files []File) error {
	columns := c.columns()
	for _, f := range files {
		c.file = f
		if err := s.Scan(ctx, f, columns, c.visit); err != nil {
			return fmt.Errorf("reading the contents of %q: %w", f.Path, err)
		}
	}
	c.resolve()
	return nil
}

// place is where a row says that it comes from.
type place struct {
	partition int32
	offset    int64
	own       bool // inside the run's window
	known     bool // the table has the columns and the row fills them
}

func (c *contents) visit(cols Columns) error {
	c.rows += uint64(cols.Len())
	first := len(c.columns()) - len(c.layout.Content)
	for row, id := range cols.Bytes(0) {
		p := c.place(cols, row)
		seq, ok := c.exp.Open(id)
		if cols.Null(0, row) {
			id, ok = nil, false
		}
		sent := seq < c.acc.Sent && !c.acc.Failed.Has(seq)
		if ok && c.acc.Sends != nil {
			seq, sent = c.acc.at(c.exp, seq, p, c.seen)
		}
		switch {
		case ok && !sent:
			if p.own && !c.batched(p) {
				c.odd++
			}
			c.result.Unexpected.note(c.example(string(id), p, "carries an identity of this run that was never sent"))
		case ok && c.acc.poisoned(seq):
			c.risen(seq, p)
		case ok:
			c.record(cols, row, first, seq, p)
		case !c.layout.Offsets():
			c.result.Unattributed++
		case p.own:
			c.stranger(string(id), p)
		}
	}
	return nil
}

func (c *contents) place(cols Columns, row int) place {
	if !c.layout.Offsets() || cols.Null(1, row) || cols.Null(2, row) {
		return place{partition: -1, offset: -1}
	}
	p := place{partition: int32(cols.Ints(1)[row]), offset: cols.Ints(2)[row], known: true}
	p.own = c.acc.owns(int64(p.partition), p.offset) &&
		(c.layout.Topic == "" || string(cols.Bytes(3)[row]) == c.acc.Topic)
	return p
}

// record judges a row that carries the identity of a record that was sent.
func (c *contents) record(cols Columns, row, first int, seq uint64, p place) {
	fresh := c.seen.Add(seq)
	if c.twice != nil && p.own && !c.batched(p) {
		// In a sample its own row may lie in a file that was not read, but this
		// one is at the offset of somebody else.
		if c.odd++; c.acc.Acked(seq) {
			fresh = false
		}
	}
	if !fresh {
		c.result.Duplicate.note(c.ofRecord(seq, p, "a further row of this record"))
		return
	}
	if detail := c.differs(cols, row, first, seq, p); detail != "" {
		c.result.Corrupt.note(c.ofRecord(seq, p, detail))
	}
}

// risen notes a row of a record that no reader takes.
func (c *contents) risen(slot uint64, p place) {
	if p.own {
		c.odd++
	}
	c.seen.Add(slot)
	c.result.Unexpected.note(c.ofRecord(slot, p, "was spoilt on purpose: it belongs among the dead letters"))
}

// differs says in which field a row is not the record, or "".
func (c *contents) differs(cols Columns, row, first int, seq uint64, p place) string {
	if c.layout.Offsets() {
		if !p.own {
			return "its topic, partition and offset are not of this run"
		}
		if want := c.exp.Partition(seq); p.partition != want {
			return fmt.Sprintf("%s is %d, sent to %d", c.layout.Partition, p.partition, want)
		}
	}
	ev := c.exp.Event(seq)
	for i, col := range c.layout.Content {
		want := ev.Values[col.Field]
		if cols.Null(first+i, row) != want.Null {
			return fmt.Sprintf("%s: null %v, sent %s", col.Column, cols.Null(first+i, row), show(col.Kind, want))
		}
		if want.Null {
			continue
		}
		if col.Kind == generators.String {
			if got := cols.Bytes(first + i)[row]; string(got) != want.Str {
				return fmt.Sprintf("%s is %s, sent %s", col.Column, quote(got), show(col.Kind, want))
			}
			continue
		}
		if got := cols.Ints(first + i)[row]; got != want.Int {
			return fmt.Sprintf("%s is %s, sent %s", col.Column,
				show(col.Kind, generators.Value{Int: got}), show(col.Kind, want))
		}
	}
	return ""
}

func show(kind generators.Kind, v generators.Value) string {
	switch {
	case v.Null:
		return "null"
	case kind == generators.String:
		return quote([]byte(v.Str))
	case kind == generators.Timestamp:
		return time.UnixMicro(v.Int).UTC().Format(time.RFC3339Nano)
	case kind == generators.Bool:
		return strconv.FormatBool(v.Int != 0)
	default:
		return strconv.FormatInt(v.Int, 10)
	}
}

func quote(b []byte) string {
	if len(b) > 80 {
		return strconv.Quote(string(b[:80])) + "..."
	}
	return strconv.Quote(string(b))
}

// stranger keeps a row at one of the run's offsets that carries no identity of
// ours, until it is known whether the offset's own record arrived.
func (c *contents) stranger(id string, p place) {
	if !c.foreign[p.partition].Add(uint64(p.offset - c.acc.Window[p.partition].First)) {
		if c.result.Unexpected.note(c.example(id, p, "no record of this run, a further time at this offset")); c.batched(p) {
			c.beside++
		} else {
			c.odd++
		}
		return
	}
	if key := (spotKey{p.partition, p.offset}); len(c.where) < maxExamples*10 {
		c.where[key] = c.example(id, p, "")
	}
}

// resolve tells altered identities from invented rows: a stranger at the offset
// of a record that did not arrive is that record with another event_id.
func (c *contents) resolve() {
	for p, set := range c.foreign {
		partition, first := int32(p), c.acc.Window[p].First
		cursor := c.acc.Index.Cursor(partition)
		set.Ranges(func(r Range) bool {
			for o := r.First; o <= r.Last; o++ {
				c.resolveOne(&cursor, partition, first+int64(o))
			}
			return true
		})
	}
}

func (c *contents) resolveOne(cursor *Cursor, partition int32, offset int64) {
	e, ok := c.where[spotKey{partition, offset}]
	if !ok {
		e = Example{Partition: partition, Offset: offset}
	}
	at, own := cursor.Find(offset)
	if own {
		_, dead := c.acc.grave(partition, offset)
		own = !dead
	}
	if !own {
		c.odd++
	}
	if own && !c.companion(partition, offset) {
		if seq := seqAt(c.acc, c.exp, partition, at); c.seen.Add(seq) {
			found := e.EventID
			e.EventID, e.Seq, e.HasSeq, e.Intended = eventID(c.exp, seq), seq, true, c.exp.At(seq)
			e.Detail = fmt.Sprintf("%s is %s", c.layout.EventID, quote([]byte(found)))
			c.result.Corrupt.note(e)
			return
		}
	}
	if own {
		c.beside++
	}
	e.Detail = "no record of this run"
	c.result.Unexpected.note(e)
}

// batched reports whether an offset is in one of the run's batches, and its
// record one that belongs in the table.
func (c *contents) batched(p place) bool {
	cursor := c.acc.Index.Cursor(p.partition)
	_, ok := cursor.Find(p.offset)
	_, dead := c.acc.grave(p.partition, p.offset)
	return ok && !dead
}

// companion reports whether T1 saw another row at the offset of a stranger: in
// a sample the offset's own record may lie in a file that was not read.
func (c *contents) companion(partition int32, offset int64) bool {
	return c.twice != nil && c.twice[partition].Has(uint64(offset-c.acc.Window[partition].First))
}

func (c *contents) example(id string, p place, detail string) Example {
	if len(id) > 80 {
		id = id[:80]
	}
	return Example{
		EventID: id, Partition: p.partition, Offset: p.offset,
		Snapshot: c.file.Snapshot, File: c.file.Path, Detail: detail,
	}
}

func (c *contents) ofRecord(seq uint64, p place, detail string) Example {
	e := c.example(eventID(c.exp, seq), p, detail)
	e.Seq, e.HasSeq, e.Intended = seq, true, c.exp.At(seq)
	if !p.known {
		e.Partition, e.Offset = offsetOf(c.acc, c.exp, seq)
	}
	return e
}

// sample picks whole files, evenly spread, with about the given number of rows,
// and every file that T1 wants a closer look at, at most 64 of those.
func sample(files []File, rows uint64, dirty map[string]bool) []File {
	var total uint64
	for _, f := range files {
		total += f.Rows
	}
	every := max(1, int(math.Ceil(float64(total)/float64(max(rows, 1)))))
	every = min(every, len(files)) // one file at least
	var out []File
	closer := 0
	for i, f := range files {
		look := dirty[f.Path] && closer < 64
		if look {
			closer++
		}
		if look || i%every == every/2 {
			out = append(out, f)
		}
	}
	return out
}
