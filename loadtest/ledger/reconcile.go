package ledger

import (
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
	// Freshness is called once for each record that arrived in a file whose
	// snapshot was timed: its intended time and how long after it was seen.
	Freshness func(intended, freshness time.Duration)
}

// Reconcile finds for every record of the account its rows in the files, and
// for every row in the run's window its record. The files are all data files
// that are live now and were added since the run began; a file that is live
// twice is given twice.
func Reconcile(ctx context.Context, acc *Account, exp Expected, s Scanner, files []File, o Options) (Result, error) {
	var r Result
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b File) int { return int(a.Sequence - b.Sequence) })

	k, err := r.tierOne(ctx, acc, exp, s, files, o)
	if err != nil {
		return r, err
	}
	seen, err := r.tierTwo(ctx, acc, exp, s, files, o, k)
	if err != nil {
		return r, err
	}
	r.Seen = seen.Len()
	r.missing(acc, exp, seen)
	r.ranges()
	return r, nil
}

// tierOne reads the key columns.
func (r *Result) tierOne(ctx context.Context, acc *Account, exp Expected, s Scanner, files []File, o Options) (*keys, error) {
	began, bytes := time.Now(), s.BytesRead()
	k := newKeys(acc, exp, o, r)
	if err := k.scan(ctx, s, files); err != nil {
		return nil, err
	}
	r.Keys = Tier{Name: "T1", Rows: k.rows, Bytes: s.BytesRead() - bytes, Took: time.Since(began), State: Clean}
	by := "event_id"
	if o.Layout.Offsets() {
		by = "partition and offset"
	}
	absent := acc.AckedCount() - min(acc.AckedCount(), k.found())
	r.Keys.Detail = fmt.Sprintf("by %s: %d absent, %d repeated, %d of nobody", by, absent, k.again, k.strange)
	if absent+k.again+k.strange > 0 {
		r.Keys.State = Dirty
	}
	return k, nil
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
func (r *Result) tierTwo(ctx context.Context, acc *Account, exp Expected, s Scanner, files []File, o Options, k *keys) (*Set, error) {
	var total uint64
	for _, f := range files {
		total += f.Rows
	}
	read := files
	all := total <= o.ContentRows
	if !all {
		read = sample(files, o.SampleRows, k.dirty)
	}
	began, bytes := time.Now(), s.BytesRead()
	c := newContents(acc, exp, o.Layout, r)
	if !all {
		c.twice = k.twice
	}
	if err := c.scan(ctx, s, read); err != nil {
		return nil, err
	}
	r.Contents = Tier{Name: "T2", Rows: c.rows, Bytes: s.BytesRead() - bytes, Took: time.Since(began), State: Clean}
	r.Contents.Detail = fmt.Sprintf("%d of %d rows, %d columns compared", c.rows, total, len(o.Layout.Content))
	seen := c.seen
	if !all {
		r.Contents.State = Sampled
		seen = k.seen()
		c.seen.Ranges(func(run Range) bool { seen.AddRange(run); return true })
		r.extrapolate(acc, exp, k, c)
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
func (r *Result) extrapolate(acc *Account, exp Expected, k *keys, c *contents) {
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
			if !acc.Acked(seq) {
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
