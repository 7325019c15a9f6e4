package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Buried is what was found among the dead letters at the run's own offsets.
type Buried struct {
	Rows    uint64
	Slots   *Set     // poisoned slots that are there
	Missing Findings // poisoned, acknowledged, and not there
	Again   Findings // further rows of a poisoned record
	Alive   Findings // records that every reader should have taken
	Foreign Findings // rows at offsets of nobody
}

// Harm is how many findings there are.
func (b *Buried) Harm() uint64 {
	return b.Missing.Count + b.Again.Count + b.Alive.Count + b.Foreign.Count
}

// Found is how many different poisoned records are among the dead letters.
func (b *Buried) Found() uint64 {
	if b.Slots == nil {
		return 0
	}
	return b.Slots.Len()
}

// Buried looks for the poisoned records among the dead letters. [Account.Bury]
// must have been called. The layout of the dead letters has offsets, and no
// event_id. Where others write to the topic too, shared, rows of nobody are no
// harm.
func (a *Account) Buried(ctx context.Context, exp Expected, t Table, l Layout, shared bool) (Buried, error) {
	b := Buried{Slots: NewSet(a.Sent)}
	columns := []string{l.Partition, l.Offset}
	if l.Topic != "" {
		columns = append(columns, l.Topic)
	}
	for _, f := range t.Files {
		err := t.Scanner.Scan(ctx, f, columns, func(c Columns) error {
			b.visit(a, exp, f, c, l.Topic != "")
			return nil
		})
		if err != nil {
			return b, fmt.Errorf("reading the dead letters in %q: %w", f.Path, err)
		}
	}
	if shared {
		b.Foreign = Findings{}
	}
	for p := range a.graves {
		for offset, slot := range a.graves[p] {
			if !b.Slots.Has(slot) {
				b.Missing.Count++
				lost := a.example(exp, slot, int32(p), offset, "not among the dead letters")
				b.Missing.Examples = append(b.Missing.Examples, lost)
			}
		}
	}
	b.Missing.sort()
	return b, nil
}

func (b *Buried) visit(a *Account, exp Expected, f File, c Columns, topic bool) {
	for row, offset := range c.Ints(1) {
		partition := c.Ints(0)[row]
		if !a.owns(partition, offset) || c.Null(0, row) || c.Null(1, row) || topic && string(c.Bytes(2)[row]) != a.Topic {
			continue
		}
		b.Rows++
		if slot, dead := a.grave(int32(partition), offset); dead {
			if !b.Slots.Add(slot) {
				b.Again.noteIn(f, a.example(exp, slot, int32(partition), offset, "a further row among the dead letters"))
			}
			continue
		}
		cursor := a.Index.Cursor(int32(partition))
		place, own := cursor.Find(offset)
		if !own {
			b.Foreign.noteIn(f, Example{
				Partition: int32(partition), Offset: offset, Detail: "among the dead letters, and no record of this run",
			})
			continue
		}
		slot := seqAt(a, exp, int32(partition), place)
		b.Alive.noteIn(f, a.example(exp, slot, int32(partition), offset, "among the dead letters, and readable"))
	}
}

func (a *Account) example(exp Expected, slot uint64, partition int32, offset int64, detail string) Example {
	return Example{
		EventID: eventID(exp, slot), Seq: slot, HasSeq: true, Partition: partition, Offset: offset,
		Intended: exp.At(slot), Detail: detail,
	}
}

// noteIn counts a finding in a file.
func (f *Findings) noteIn(file File, e Example) {
	e.File, e.Snapshot = file.Path, file.Snapshot
	f.note(e)
}

// sort puts the examples in the order of their slots and keeps the first.
func (f *Findings) sort() {
	slices.SortFunc(f.Examples, func(a, b Example) int { return cmp.Compare(a.Seq, b.Seq) })
	f.Examples = f.Examples[:min(len(f.Examples), maxExamples)]
}
