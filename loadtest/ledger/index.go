package ledger

import (
	"cmp"
	"fmt"
	"slices"
)

// Index tells which record of a stream lies at an offset, and at which offset a
// record lies: the batches of one stream, by partition and in the order of
// their offsets, 24 bytes a batch.
type Index struct {
	parts  [][]entry // by partition
	sorted bool
}

// entry is a batch as the index keeps it.
type entry struct {
	offset   int64
	firstSeq uint64
	span     uint32 // last sequence number less the first
	count    uint32
}

func (e entry) end() int64 { return e.offset + int64(e.count) }

// Add puts a batch into the index.
func (x *Index) Add(b Batch) error {
	if b.Partition < 0 || b.Partition > 1<<20 {
		return fmt.Errorf("indexing a batch: partition %d", b.Partition)
	}
	if b.LastSeq-b.FirstSeq > 1<<32-1 {
		return fmt.Errorf("indexing a batch: records %d to %d are too far apart", b.FirstSeq, b.LastSeq)
	}
	for int(b.Partition) >= len(x.parts) {
		x.parts = append(x.parts, nil)
	}
	x.parts[b.Partition] = append(x.parts[b.Partition],
		entry{b.FirstOffset, b.FirstSeq, uint32(b.LastSeq - b.FirstSeq), b.Count})
	x.sorted = false
	return nil
}

// Sort must be called between the last Add and the first look-up. It refuses
// batches that claim the same offset.
func (x *Index) Sort() error {
	for p, part := range x.parts {
		slices.SortFunc(part, func(a, b entry) int { return cmp.Compare(a.offset, b.offset) })
		for i := 1; i < len(part); i++ {
			if part[i].offset < part[i-1].end() {
				return fmt.Errorf("indexing batches: two hold offset %d of partition %d", part[i].offset, p)
			}
		}
	}
	x.sorted = true
	return nil
}

// Place is where an offset lies: the batch's numbers and the rank in it.
type Place struct {
	FirstSeq, LastSeq uint64
	Count, Rank       uint32
}

// Cursor finds offsets of one partition; looking them up in nearly rising
// order is cheap.
type Cursor struct {
	entries []entry
	at      int
}

// Cursor returns a cursor over a partition.
func (x *Index) Cursor(partition int32) Cursor {
	if partition < 0 || int(partition) >= len(x.parts) {
		return Cursor{}
	}
	return Cursor{entries: x.parts[partition]}
}

// Find returns the place of an offset, or false where none of the run's
// batches holds it.
func (c *Cursor) Find(offset int64) (Place, bool) {
	if c.at >= len(c.entries) || offset < c.entries[c.at].offset || offset >= c.entries[c.at].end() {
		i, found := slices.BinarySearchFunc(c.entries, offset, func(e entry, o int64) int {
			return cmp.Compare(e.offset, o)
		})
		if !found {
			i--
		}
		if i < 0 || offset >= c.entries[i].end() {
			return Place{}, false
		}
		c.at = i
	}
	e := &c.entries[c.at]
	return Place{e.firstSeq, e.firstSeq + uint64(e.span), e.count, uint32(offset - e.offset)}, true
}

// Locate returns the offset of record seq in its partition. rank must return
// how many of the stream's acknowledged records from first up to, but not
// including, seq go to that partition.
func (x *Index) Locate(partition int32, seq uint64, rank func(first uint64) uint64) (int64, bool) {
	if partition < 0 || int(partition) >= len(x.parts) {
		return 0, false
	}
	for _, e := range x.parts[partition] {
		if seq >= e.firstSeq && seq <= e.firstSeq+uint64(e.span) {
			if r := rank(e.firstSeq); r < uint64(e.count) {
				return e.offset + int64(r), true
			}
		}
	}
	return 0, false
}

// Partitions is one more than the highest partition with a batch.
func (x *Index) Partitions() int32 { return int32(len(x.parts)) }

// Bounds returns the first offset of a partition and the one after the last.
func (x *Index) Bounds(partition int32) (first, end int64, ok bool) {
	c := x.Cursor(partition)
	if len(c.entries) == 0 {
		return 0, 0, false
	}
	return c.entries[0].offset, c.entries[len(c.entries)-1].end(), true
}

// Holes yields the ranges of offsets between the bounds of a partition that no
// batch holds: other producers' records, or transaction markers.
func (x *Index) Holes(partition int32, yield func(first, end int64) bool) {
	c := x.Cursor(partition)
	for i := 1; i < len(c.entries); i++ {
		if c.entries[i].offset > c.entries[i-1].end() && !yield(c.entries[i-1].end(), c.entries[i].offset) {
			return
		}
	}
}
