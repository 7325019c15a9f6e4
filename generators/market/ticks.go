package market

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators"
)

// Tick is a trade of others at the exchange.
type Tick struct {
	At    int64 // microseconds since the Unix epoch
	Price int64 // millionths of a euro
	Size  int64 // how many were traded
}

// Trades excite trades: each is followed by others, so that they come in
// clusters. This is a Hawkes process with an exponential kernel, made by its
// clusters (Hawkes and Oakes 1974): first trades of a Poisson process, each with
// a Poisson number of children, who have children. A cluster ends after some
// minutes, so whoever wants to know what happens at a time need only look at the
// clusters that began shortly before.
const (
	// Branching is how many children a trade has on average.
	Branching = 0.7

	windowBits = 26        // first trades are drawn for windows of 67 seconds,
	firstTrade = 6.0       // so many in each on average
	childWait  = 4e6       // microseconds from a trade to a child, on average
	reach      = 512 << 20 // of a cluster, microseconds: 128 mean waits
	sizeMedian = 40
	sizeSpread = 1100 // thousandths
)

// Ticks appends the trades of an instrument from a time until before another, in
// their order.
func (m *Market) Ticks(dst []Tick, instrument int, from, until int64) []Tick {
	l := &m.listed[instrument]
	first := len(dst)
	p := process{tables: m.tables, rand: l.ticks, from: from, until: until, branching: Branching}
	for w := (from - reach) >> windowBits; w <= (until-1)>>windowBits; w++ {
		p.window(w)
	}
	slices.SortFunc(p.out, func(a, b arrival) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		if a.random < b.random {
			return -1
		}
		return 1
	})
	for _, a := range p.out {
		size := m.sizes.Draw(a.random, sizeMedian, generators.Sigma(sizeSpread))
		dst = append(dst, Tick{a.at, m.Price(instrument, a.at), size})
	}
	return dst[:first+len(p.out)]
}

// process makes arrivals.
type process struct {
	*tables
	rand        generators.Rand
	from, until int64
	branching   float64
	out, open   []arrival
}

// arrival is a time and random bits that belong to it.
type arrival struct {
	at     int64
	random uint64
}

// window makes the clusters that begin in a window.
func (p *process) window(number int64) {
	r := p.rand.Entity(uint64(number))
	begin, draws := number<<windowBits, uint64(0)
	next := func() uint64 { draws++; return r.At(draws) }
	const gap = float64(1<<windowBits) / firstTrade
	for at := begin; ; {
		at += int64(float64(gap * p.exponential(next())))
		if at >= begin+1<<windowBits {
			return
		}
		p.cluster(arrival{at, next()}, next)
	}
}

// cluster makes a trade and all that follow from it.
func (p *process) cluster(root arrival, next func() uint64) {
	p.open = append(p.open[:0], root)
	for len(p.open) > 0 {
		a := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		if a.at >= p.from && a.at < p.until {
			p.out = append(p.out, a)
		}
		// As many children as exponential waits fit into the mean number.
		for sum := p.exponential(next()); sum < p.branching; sum += p.exponential(next()) {
			at := a.at + int64(float64(childWait*p.exponential(next())))
			if at < root.at+reach {
				p.open = append(p.open, arrival{at, next()})
			}
		}
	}
}

// Bar is what happened in an interval: the first, the highest, the lowest and
// the last price.
type Bar struct {
	Start                  int64 // microseconds since the Unix epoch, a multiple of the width
	Open, High, Low, Close int64 // millionths of a euro
	Volume                 int64
	Ticks                  int
}

// Bars makes bars of a width in microseconds from ticks in their order. An
// interval without a tick has none.
func Bars(ticks []Tick, width int64) []Bar {
	var out []Bar
	for _, t := range ticks {
		start := t.At - (t.At%width+width)%width
		if len(out) == 0 || out[len(out)-1].Start != start {
			out = append(out, Bar{Start: start, Open: t.Price, High: t.Price, Low: t.Price})
		}
		b := &out[len(out)-1]
		b.High, b.Low, b.Close = max(b.High, t.Price), min(b.Low, t.Price), t.Price
		b.Volume += t.Size
		b.Ticks++
	}
	return out
}

// Join makes bars of a larger width, a multiple of theirs.
func Join(bars []Bar, width int64) []Bar {
	var out []Bar
	for _, in := range bars {
		start := in.Start - (in.Start%width+width)%width
		if len(out) == 0 || out[len(out)-1].Start != start {
			first := in
			first.Start = start
			out = append(out, first)
			continue
		}
		b := &out[len(out)-1]
		b.High, b.Low, b.Close = max(b.High, in.High), min(b.Low, in.Low), in.Close
		b.Volume += in.Volume
		b.Ticks += in.Ticks
	}
	return out
}
