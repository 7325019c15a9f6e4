package calendar

// Cursor finds the times of arrivals, fastest in order: it keeps a block of 128
// and the way to it through the tree. It allocates nothing. It is for one
// goroutine.
type Cursor struct {
	a     *Arrivals
	block uint64 // whose times are here
	times [blockSize]int64
	piece int // of the shape, where the last time lay
	root  uint64
	base  uint64 // its ticks
	path  [rootLevel + 1]span
}

// span is a node on the way to the block: where its first arrival, its middle
// one and its last lie on the process's own clock.
type span struct{ index, low, middle, high uint64 }

// none is no number of a block, root or node.
const none = ^uint64(0)

// Cursor returns a cursor.
func (a *Arrivals) Cursor() Cursor {
	c := Cursor{a: a, block: none, root: none}
	return c
}

// At is the time of arrival n, or [Never]: the same as [Arrivals.At].
func (c *Cursor) At(n uint64) int64 {
	if n>>blockBits != c.block {
		c.load(n >> blockBits)
	}
	return c.times[n&(blockSize-1)]
}

// load makes the times of a block.
func (c *Cursor) load(block uint64) {
	c.block = block
	low, high := c.bounds(block)
	a := c.a
	if low >= a.shape.sum[len(a.shape.sum)-1] {
		for j := range c.times {
			c.times[j] = Never
		}
		return
	}
	// The gaps, summed up, then scaled to the block.
	var sums [blockSize]int64
	sum, law := int64(0), a.shape.law
	for j := uint64(0); j < blockSize; j += 2 {
		r := a.gaps.At(block*(blockSize/2) + j/2)
		sum += law.exponential(uint32(r))
		sums[j] = sum
		sum += law.exponential(uint32(r >> 32))
		sums[j+1] = sum
	}
	scale := float64(high-low) / float64(max(sum, 1))
	for j := range sums {
		sums[j] = min(int64(high), int64(low)+int64(float64(sums[j])*scale))
	}
	sums[blockSize-1] = int64(high)
	c.turn(&sums)
}

// turn turns ticks in order into times.
func (c *Cursor) turn(ticks *[blockSize]int64) {
	s := c.a.shape
	i := c.piece
	last := s.sum[len(s.sum)-1]
	from, to := uint64(1), uint64(0) // of the piece: none yet
	var start int64
	var per uint64
	var inverse float64
	for j, t := range ticks {
		tick := uint64(t)
		if tick >= to || tick < from {
			if tick >= last {
				for ; j < blockSize; j++ {
					c.times[j] = Never
				}
				break
			}
			i = s.pieceFrom(i, tick)
			from, to, start, per = s.sum[i], s.sum[i+1], s.at[i], s.per[i]
			inverse = second / float64(per)
		}
		c.times[j] = start + micros(tick-from, per, inverse)
	}
	c.piece = i
}

// pieceFrom is pieceOf for a tick that is probably near to piece i.
func (s *Shape) pieceFrom(i int, tick uint64) int {
	if s.sum[i] <= tick {
		for near := min(i+32, len(s.sum)-1); i < near; i++ {
			if tick < s.sum[i+1] {
				return i
			}
		}
	}
	return s.pieceOf(tick)
}

// bounds are the ticks between which a block lies.
func (c *Cursor) bounds(block uint64) (low, high uint64) {
	a := c.a
	if root := block >> (rootLevel - blockBits); root != c.root {
		c.root, c.base = root, a.rootTicks(root)
		const high = 1 << (rootLevel + unitBits)
		c.path[rootLevel] = span{root, 0, a.split(rootLevel, root, 0, high), high}
		for level := range rootLevel {
			c.path[level].index = none
		}
	}
	level := blockBits
	for c.path[level].index != block>>(level-blockBits) {
		level++
	}
	for ; level > blockBits; level-- {
		at := &c.path[level]
		next := span{index: block >> (level - 1 - blockBits), low: at.low, high: at.middle}
		if next.index&1 == 1 {
			next.low, next.high = at.middle, at.high
		}
		if level-1 > blockBits {
			next.middle = a.split(level-1, next.index, next.low, next.high)
		}
		c.path[level-1] = next
	}
	leaf := &c.path[blockBits]
	return c.base + a.ticksOf(leaf.low), c.base + a.ticksOf(leaf.high)
}
