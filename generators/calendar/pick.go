package calendar

import (
	"math/bits"
	"time"
)

// Zones says which zone's customer an arrival is: a zone is as likely as its
// customers' share of the rate at that moment, so that each zone's arrivals
// follow its own clock. It keeps the table of one piece of the shape and
// allocates nothing after it is made. It is for one goroutine.
type Zones struct {
	shape    *Shape
	from, to int64 // the table's piece, microseconds
	columns  []pickColumn
	left     []uint64 // work space
	queue    []int32
}

// pickColumn is a column of the alias table: below cut (of 2^32) its own zone,
// else the other.
type pickColumn struct{ cut, other uint32 }

// Zones returns a picker of zones.
func (s *Shape) Zones() *Zones {
	n := len(s.zones)
	return &Zones{
		shape: s, columns: make([]pickColumn, n), left: make([]uint64, n), queue: make([]int32, n),
	}
}

// Pick maps a time and 64 random bits to an index of the rate's zones (0 where
// it names none). A time outside of the shape counts as its first or last.
func (z *Zones) Pick(at int64, random uint64) int {
	if at < z.from || at >= z.to {
		z.turn(at)
	}
	i, fraction := bits.Mul64(random, uint64(len(z.columns)))
	c := z.columns[i]
	if uint32(fraction>>32) < c.cut {
		return int(i)
	}
	return int(c.other)
}

// turn makes the table of the piece that holds a time.
func (z *Zones) turn(at int64) {
	s := z.shape
	i := s.piece(at)
	z.from, z.to = s.at[i], s.at[i+1]
	rates, largest := z.left, 0.0
	for k := range rates {
		largest = max(largest, s.rate(k, z.from/second))
	}
	total := uint64(0)
	for k := range rates {
		share := 1.0 // of silence any share will do
		if largest > 0 {
			share = s.rate(k, z.from/second) / largest
		}
		rates[k] = uint64(float64(share*(1<<32)) + 0.5)
		total += rates[k]
	}
	z.build(total)
}

// build makes an alias table (Walker and Vose) of the weights in left. Columns
// that lack something wait at the front of the queue, others at its end.
func (z *Zones) build(total uint64) {
	n := uint64(len(z.left))
	small, large := 0, len(z.queue)
	for i, w := range z.left {
		z.left[i] = w * n
		if z.left[i] < total {
			z.queue[small] = int32(i)
			small++
		} else {
			large--
			z.queue[large] = int32(i)
		}
	}
	for small > 0 {
		small--
		s, l := z.queue[small], z.queue[large]
		cut, _ := bits.Div64(z.left[s]>>32, z.left[s]<<32, total)
		z.columns[s] = pickColumn{uint32(cut), uint32(l)}
		if z.left[l] -= total - z.left[s]; z.left[l] < total {
			large++
			z.queue[small] = l
			small++
		}
	}
	for _, l := range z.queue[large:] {
		z.columns[l] = pickColumn{0, uint32(l)}
	}
}

// Offset is how far the clock of a zone is ahead of UTC at a time of the shape.
func (s *Shape) Offset(zone int, at int64) time.Duration {
	return time.Duration(s.clocks[zone].at(floorSecond(at))) * time.Second
}

// Local is a time on the clock of a zone, in microseconds since midnight of 1
// January 1970 on that clock.
func (s *Shape) Local(zone int, at int64) int64 {
	return at + s.clocks[zone].at(floorSecond(at))*second
}

// RateOn is the rate of all customers whose own clock shows a time, in
// microseconds since midnight of 1 January 1970 on that clock: relative to the
// mean of an ordinary week, 0 beyond the shape.
func (s *Shape) RateOn(local int64) float64 {
	sum := 0.0
	for z := range s.zones {
		clock := floorSecond(local)
		at := clock - s.clocks[z].at(clock)
		at = clock - s.clocks[z].at(at)
		if at < s.start || at >= s.end {
			continue
		}
		grown := 1.0
		if s.growth != 0 {
			grown = power(1+s.growth, (at-s.start)/day)
		}
		sum += float64(s.rate(z, at) * grown)
	}
	return sum
}

func floorSecond(at int64) int64 { return (at - modulo(at, second)) / second }
