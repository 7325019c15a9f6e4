package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Options says how to reconcile one stream.
type Options struct {
	Layout      Layout
	LateAfter   time.Duration // 0: nothing is late
	ContentRows uint64        // T2 reads all rows up to this many
	SampleRows  uint64        // and about this many above it
	Shared      bool          // others write to the topic too: their rows are no harm
	// Freshness is called for all records that arrived in files whose snapshot was
	// timed: an intended time, how long after it they were seen, and how many they
	// are. Records within a millisecond may be told together.
	Freshness func(intended, freshness time.Duration, records int64)
}

// Table is what a table holds that it did not hold before the run: all data
// files that are live now and were added since. A file that is live twice is
// given twice.
type Table struct {
	Scanner Scanner
	Files   []File
}

// Reconcile finds for every record of the account its rows in the table, and
// for every row in the run's window its record.
func Reconcile(ctx context.Context, acc *Account, exp Expected, t Table, o Options) (Result, error) {
	var r Result
	t.Files = slices.Clone(t.Files)
	slices.SortStableFunc(t.Files, func(a, b File) int { return cmp.Compare(a.Sequence, b.Sequence) })

	k := newKeys(acc, exp, o, &r)
	if err := r.tierOne(ctx, k, t, o); err != nil {
		return r, err
	}
	seen, err := r.tierTwo(ctx, k, t, o)
	if err != nil {
		return r, err
	}
	r.Seen, r.Arrived = seen.Len(), seen
	r.missing(acc, exp, seen)
	r.ranges()
	return r, nil
}

// tierOne reads the key columns.
func (r *Result) tierOne(ctx context.Context, k *keys, t Table, o Options) error {
	began, bytes := time.Now(), t.Scanner.BytesRead()
	if err := k.scan(ctx, t.Scanner, t.Files); err != nil {
		return err
	}
	r.Keys = Tier{Name: "T1", Rows: k.rows, Bytes: t.Scanner.BytesRead() - bytes, Took: time.Since(began), State: Clean}
	by := "event_id"
	if o.Layout.Offsets() {
		by = "partition and offset"
	}
	owed := k.acc.OwedCount()
	absent := owed - min(owed, k.found())
	r.Keys.Detail = fmt.Sprintf("by %s: %d absent, %d repeated, %d of nobody", by, absent, k.again, k.strange)
	if absent+k.again > 0 || k.strange > 0 && !o.Shared {
		r.Keys.State = Dirty
	}
	return nil
}

// found is how many of the account's acknowledged records T1 saw.
func (k *keys) found() uint64 {
	if !k.layout.Offsets() {
		return k.seqs.Len()
	}
	var n uint64
	for _, set := range k.offsets {
		n += set.Len()
	}
	return n - k.strange
}

// tierTwo reads whole rows and returns the records that were seen.
func (r *Result) tierTwo(ctx context.Context, k *keys, t Table, o Options) (*Set, error) {
	var total uint64
	for _, f := range t.Files {
		total += f.Rows
	}
	c, read, all := newContents(k.acc, k.exp, o.Layout, r), t.Files, total <= o.ContentRows
	if !all {
		c.twice, read = k.twice, sample(t.Files, o.SampleRows, k.dirty)
	}
	began, bytes := time.Now(), t.Scanner.BytesRead()
	if err := c.scan(ctx, t.Scanner, read); err != nil {
		return nil, err
	}
	r.Contents = Tier{
		Name: "T2", Rows: c.rows, Bytes: t.Scanner.BytesRead() - bytes, Took: time.Since(began),
		State: Clean,
	}
	r.Contents.Detail = fmt.Sprintf("%d of %d rows, %d columns compared", c.rows, total, len(o.Layout.Content))
	seen := c.seen
	if !all {
		r.Contents.State = Sampled
		seen = k.seen()
		c.seen.Ranges(func(run Range) bool { seen.AddRange(run); return true })
		r.extrapolate(k, c)
	}
	if o.Shared {
		r.Unexpected = Findings{}
	}
	if r.Corrupt.Count+r.Duplicate.Count+r.Unexpected.Count > 0 {
		r.Contents.State = Dirty
	}
	if len(o.Layout.Content) == 0 {
		r.Contents.State, r.Contents.Detail = NotPossible, "the table keeps no column of the record but its identity"
	}
	return seen, nil
}

// extrapolate takes from T1 what T2 did not read: rows at an offset that was
// seen before are duplicates, unless T2 found that they are strangers there;
// rows at offsets of nobody that were not looked at are unexpected.
func (r *Result) extrapolate(k *keys, c *contents) {
	acc, exp := k.acc, k.exp
	if !k.layout.Offsets() {
		r.Duplicate.Count = k.again
	} else {
		atStrange := uint64(0) // duplicates that T1 saw as strange offsets
		for _, e := range r.Duplicate.Examples {
			if !c.batched(place{partition: e.Partition, offset: e.Offset}) {
				atStrange++
			}
		}
		r.Duplicate.Count = k.again - min(k.again, c.beside) + atStrange
		r.Unexpected.Count += k.strange - min(k.strange, c.odd)
	}
	for _, s := range k.repeats {
		if uint64(len(r.Duplicate.Examples)) >= min(r.Duplicate.Count, maxExamples) {
			return
		}
		e := Example{Partition: s.partition, Offset: s.offset, File: s.file.Path, Snapshot: s.file.Snapshot}
		e.Detail = "a further row at this offset"
		cursor := acc.Index.Cursor(s.partition)
		if at, ok := cursor.Find(s.offset); ok {
			e.Seq, e.HasSeq = seqAt(acc, exp, s.partition, at), true
			e.EventID, e.Intended = eventID(exp, e.Seq), exp.At(e.Seq)
		}
		if !slices.ContainsFunc(r.Duplicate.Examples, func(o Example) bool { return o.HasSeq && o.Seq == e.Seq }) {
			r.Duplicate.Examples = append(r.Duplicate.Examples, e)
		}
	}
}

// missing finds the acknowledged records without a row.
func (r *Result) missing(acc *Account, exp Expected, seen *Set) {
	seen.Gaps(func(gap Range) bool {
		for seq := gap.First; seq <= gap.Last; seq++ {
			if !acc.Owed(seq) {
				continue
			}
			if n := len(r.Missing.Ranges); n > 0 && r.Missing.Ranges[n-1].Last+1 == seq {
				r.Missing.Ranges[n-1].Last = seq
			} else if n < maxRanges {
				r.Missing.Ranges = append(r.Missing.Ranges, Range{seq, seq})
			}
			if r.Missing.Count++; r.Missing.Count <= maxExamples {
				r.Missing.Examples = append(r.Missing.Examples, absent(acc, exp, seq))
			}
		}
		return true
	})
}

func absent(acc *Account, exp Expected, seq uint64) Example {
	e := Example{EventID: eventID(exp, seq), Seq: seq, HasSeq: true, Intended: exp.At(seq), Detail: "no row"}
	e.Partition, e.Offset = offsetOf(acc, exp, seq)
	return e
}

// ranges turns the examples of the other classes into ranges, so that every
// class can be read the same way.
func (r *Result) ranges() {
	for _, f := range []*Findings{&r.Duplicate, &r.Corrupt, &r.Late} {
		seqs := make([]uint64, 0, len(f.Examples))
		for _, e := range f.Examples {
			if e.HasSeq {
				seqs = append(seqs, e.Seq)
			}
		}
		slices.Sort(seqs)
		for _, seq := range slices.Compact(seqs) {
			if n := len(f.Ranges); n > 0 && f.Ranges[n-1].Last+1 == seq {
				f.Ranges[n-1].Last = seq
			} else {
				f.Ranges = append(f.Ranges, Range{seq, seq})
			}
		}
	}
}
