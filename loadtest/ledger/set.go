package ledger

import "math/bits"

const (
	chunkBits  = 1 << 16
	chunkWords = chunkBits / 64
)

// Range is a run of consecutive numbers, both ends included.
type Range struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Len is how many numbers the range holds.
func (r Range) Len() uint64 { return r.Last - r.First + 1 }

// Set is a set of the numbers below a limit: one bit for each number of a
// chunk that is begun, nothing for chunks that are empty or full. In a healthy
// run everything but a few open chunks is full, so 100 million numbers take a
// few dozen kilobytes; in the worst case they take 12.5 MB.
//
// A Set is not safe for concurrent use.
type Set struct {
	limit  uint64
	chunks []chunk
	len    uint64
}

type chunk struct {
	bits  *[chunkWords]uint64 // nil when empty or full
	count uint32
}

// NewSet returns an empty set of the numbers below limit.
func NewSet(limit uint64) *Set {
	return &Set{limit: limit, chunks: make([]chunk, (limit+chunkBits-1)/chunkBits)}
}

// Len is how many numbers are in the set.
func (s *Set) Len() uint64 { return s.len }

// Limit is the bound that every number of the set is below.
func (s *Set) Limit() uint64 { return s.limit }

// Add puts n into the set and reports whether it is new there. A number at or
// beyond the limit is not put in and never new.
func (s *Set) Add(n uint64) bool {
	if n >= s.limit {
		return false
	}
	c := &s.chunks[n/chunkBits]
	if c.bits == nil {
		if c.count != 0 {
			return false // full
		}
		c.bits = new([chunkWords]uint64)
	}
	word, mask := &c.bits[n%chunkBits/64], uint64(1)<<(n%64)
	if *word&mask != 0 {
		return false
	}
	*word |= mask
	c.count++
	s.len++
	if uint64(c.count) == s.capacity(n/chunkBits) {
		c.bits = nil
	}
	return true
}

// AddRange adds every number of the range that is below the limit.
func (s *Set) AddRange(r Range) {
	for n := r.First; n <= r.Last && n < s.limit; n++ {
		if n%chunkBits == 0 && s.fill(n/chunkBits, r.Last) {
			n += s.capacity(n/chunkBits) - 1
			continue
		}
		s.Add(n)
	}
}

// fill makes an empty chunk full at once if all of it lies at or below last.
func (s *Set) fill(i, last uint64) bool {
	c, size := &s.chunks[i], s.capacity(i)
	if c.count != 0 || last < i*chunkBits+size-1 {
		return false
	}
	c.count = uint32(size)
	s.len += size
	return true
}

// capacity is how many numbers chunk i can hold: the last one may be cut off
// by the limit.
func (s *Set) capacity(i uint64) uint64 { return min(chunkBits, s.limit-i*chunkBits) }

// Has reports whether n is in the set.
func (s *Set) Has(n uint64) bool {
	if n >= s.limit {
		return false
	}
	c := &s.chunks[n/chunkBits]
	if c.bits == nil {
		return c.count != 0
	}
	return c.bits[n%chunkBits/64]&(1<<(n%64)) != 0
}

// Ranges yields the set's numbers as ranges, in order.
func (s *Set) Ranges(yield func(Range) bool) { s.runs(true, yield) }

// Gaps yields the numbers below the limit that are not in the set, as ranges,
// in order.
func (s *Set) Gaps(yield func(Range) bool) { s.runs(false, yield) }

// runs yields the maximal runs of numbers whose presence is the one asked for.
func (s *Set) runs(present bool, yield func(Range) bool) {
	var cur Range
	open := false
	extend := func(first, last uint64) bool {
		if open && cur.Last+1 == first {
			cur.Last = last
			return true
		}
		if open && !yield(cur) {
			return false
		}
		cur, open = Range{first, last}, true
		return true
	}
	for i := range s.chunks {
		if !s.chunkRuns(uint64(i), present, extend) {
			return
		}
	}
	if open {
		yield(cur)
	}
}

// chunkRuns calls extend for each run of bits in one chunk.
func (s *Set) chunkRuns(i uint64, present bool, extend func(first, last uint64) bool) bool {
	c, base, size := s.chunks[i], i*chunkBits, s.capacity(i)
	if c.bits == nil {
		if (c.count != 0) == present {
			return extend(base, base+size-1)
		}
		return true
	}
	for n := uint64(0); n < size; {
		word := c.bits[n/64]
		if !present {
			word = ^word
		}
		if word >>= n % 64; word == 0 { // none of the asked kind in the rest of this word
			n += 64 - n%64
			continue
		}
		n += uint64(bits.TrailingZeros64(word))
		if n >= size {
			break
		}
		end := c.runEnd(n, size, present)
		if !extend(base+n, base+end-1) {
			return false
		}
		n = end
	}
	return true
}

// runEnd returns the end of the run of equal bits that begins at n.
func (c *chunk) runEnd(n, size uint64, present bool) uint64 {
	for n < size {
		word := c.bits[n/64]
		if present {
			word = ^word
		}
		word >>= n % 64
		if zeros := uint64(bits.TrailingZeros64(word)); zeros < 64-n%64 {
			return min(n+zeros, size)
		}
		n += 64 - n%64
	}
	return size
}
