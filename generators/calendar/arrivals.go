package calendar

import (
	"math"
	"math/bits"

	"github.com/lakeproof/lakeproof/generators"
)

// Never is the time of an arrival that does not happen before the shape's end.
const Never = int64(math.MaxInt64)

// Arrivals is a Poisson process whose rate follows a shape. Arrival n has one
// time, in microseconds; later n have the same or later times.
//
// The process is made on a clock of its own, on which the mean gap is 1, and
// the shape then says which microsecond that is (time rescaling), so that a
// change of the rate leaves the randomness as it was. To find arrival n at
// once, the gaps are not summed up: a tree of halves says where the middle one
// of 2^40 arrivals lies between the first and the last, then the middle one of
// each half (its distribution is known: beta), down to blocks of 128, whose
// gaps are exponentials scaled to what the block may take. Each node draws
// numbers of its own, so any worker finds any arrival. Fixing the count of
// each block instead would be simpler, and no Poisson process: counts over
// many blocks would hardly vary.
//
// Its methods may be called from many goroutines at once.
type Arrivals struct {
	shape *Shape
	nano  uint64 // events in 1e9 seconds at the mean
	tree  [rootLevel + 1]generators.Rand
	gaps  generators.Rand
	// Ticks of one root, two words.
	rootHigh, rootLow uint64
}

const (
	blockBits = 7
	blockSize = 1 << blockBits
	rootLevel = 40 // a root spans 2^40 arrivals
	unitBits  = 22 // the process's own clock counts the mean gap as 2^22
	// Ticks in 2^-22 of a gap, times the events in 1e9 seconds:
	// 512 * 1e6 * 1e9 / 2^22 = 4 * 5^15, a whole number.
	unit     = 122_070_312_500
	beyond   = 1 << 62 // ticks: more than any shape has
	lastRoot = 1 << 24 // roots are not told apart from here on
)

// NewArrivals lays a process of the given mean (events a second in an ordinary
// week) over a shape. Several processes, for example one a shard, share the
// shape; their Rand differs.
func NewArrivals(r generators.Rand, shape *Shape, mean float64) (*Arrivals, error) {
	if err := checkMean(mean); err != nil {
		return nil, err
	}
	a := &Arrivals{shape: shape, nano: uint64(float64(mean*1e9) + 0.5), gaps: r.Entity(0)}
	for level := range a.tree {
		a.tree[level] = r.Entity(uint64(level) + 1)
	}
	a.rootHigh, a.rootLow = bits.Mul64(1<<(rootLevel+unitBits), unit)
	return a, nil
}

// At is the time of arrival n, or [Never]. It takes a few microseconds; a
// [Cursor] is faster where many are asked for in order.
func (a *Arrivals) At(n uint64) int64 {
	c := a.Cursor()
	return c.At(n)
}

// Due is how many have arrived by a time: those n below it, and no others,
// have At(n) <= t.
func (a *Arrivals) Due(t int64) uint64 {
	if t == math.MaxInt64 {
		t--
	}
	limit := a.shape.ticksBefore(t + 1) // their ticks are below
	if limit == 0 {
		return 0
	}
	root := a.rootBefore(limit)
	base := a.rootTicks(root)
	low, high, index := uint64(0), uint64(1)<<(rootLevel+unitBits), uint64(0)
	for level := rootLevel; level > blockBits; level-- {
		middle := a.split(level, root<<(rootLevel-level)|index, low, high)
		index <<= 1
		if base+a.ticksOf(middle) < limit {
			low, index = middle, index|1
		} else {
			high = middle
		}
	}
	c := a.Cursor()
	block := root<<(rootLevel-blockBits) | index
	c.load(block)
	due := block << blockBits
	for _, at := range c.times {
		if at > t {
			break
		}
		due++
	}
	return due
}

// Count is how many arrive from one time until before another.
func (a *Arrivals) Count(from, to int64) uint64 {
	if to <= from {
		return 0
	}
	return a.Due(to-1) - a.Due(max(from, math.MinInt64+1)-1)
}

// Total is how many arrive at all.
func (a *Arrivals) Total() uint64 { return a.Due(a.shape.End()) }

// Shape is the shape below the process.
func (a *Arrivals) Shape() *Shape { return a.shape }

// ticksOf turns a place on the process's own clock into ticks.
func (a *Arrivals) ticksOf(place uint64) uint64 {
	high, low := bits.Mul64(place, unit)
	if high >= a.nano {
		return beyond
	}
	q, _ := bits.Div64(high, low, a.nano)
	return min(q, beyond)
}

// rootTicks is where a root begins.
func (a *Arrivals) rootTicks(root uint64) uint64 {
	if root >= lastRoot {
		return beyond
	}
	carry, low := bits.Mul64(a.rootLow, root)
	high := a.rootHigh*root + carry // 2^36 times 2^24
	if high >= a.nano {
		return beyond
	}
	q, _ := bits.Div64(high, low, a.nano)
	return min(q, beyond)
}

// rootBefore is the root that holds the last arrival before a tick.
func (a *Arrivals) rootBefore(tick uint64) uint64 {
	low, high := uint64(0), uint64(lastRoot)
	for high-low > 1 {
		if middle := (low + high) / 2; a.rootTicks(middle) < tick {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// split is where the middle arrival of a node lies between its ends.
func (a *Arrivals) split(level int, index, low, high uint64) uint64 {
	half := (high - low) >> 1
	for try := uint64(0); ; try++ {
		if y, ok := bend(a.tree[level].At(index<<blockBits|try&(blockSize-1)), float64(uint64(1)<<(level-1))); ok {
			return low + half + uint64(int64(float64(half)*y))
		}
	}
}
