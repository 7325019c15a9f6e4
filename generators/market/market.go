// Package market has the prices of securities that do not exist: geometric
// Brownian motion in a time of its own, with jumps.
//
// A value flows like this: [New] makes a market of a seed, and [Market.Price]
// says what an instrument costs at a time: a pure function, that any worker asks
// for any time in any order. [Market.Ticks] are the trades of others at the
// exchange, which come in clusters (a Hawkes process), and [Bars] makes open,
// high, low and close of them.
//
// The logarithm of the price is a Brownian bridge that is halved again and
// again, down to about a second. Each half also takes a random share of the
// interval's variance, so that quiet and busy times follow each other on all
// scales: the multifractal model of asset returns (Mandelbrot, Fisher and Calvet
// 1997). From this come fat tails and a volatility that is remembered for weeks,
// while returns themselves cannot be foretold. To find a price costs the same
// few dozen steps whenever it is, and nothing is kept.
//
// Everything is made with the four operations and square roots, which are exact,
// so that every machine gets the same prices.
//
// It knows no opening hours, no dividends and no correlation between
// instruments, and nobody's orders move a price.
package market

import (
	"math"
	"sort"

	"github.com/lakeproof/lakeproof/generators"
)

// The time that a market knows: before it the first price holds, and after it
// the last. It begins in 2015 and ends in September 2050.
const (
	Epoch    = 1_420_070_400_000_000 // 2015-01-01T00:00:00Z, microseconds since the Unix epoch
	spanBits = 50
	leafBits = 20 // about a second; between two of them a price goes straight
	memory   = 46 // busy and quiet times are up to so long, 814 days, as a power of two
	year     = 365.25 * 86_400e6
)

// restless is how uneven the halves of an interval are: one takes between
// 0.5-restless and 0.5+restless of the variance. It is that of a log-normal
// cascade with an intermittency of 0.023, of the size found in prices of shares.
const restless = 0.22

// Market is the prices of all instruments. Its methods may be called from many
// goroutines.
type Market struct {
	tables *tables
	sizes  *generators.LogNormal
	listed []listed
}

// listed is an instrument at the exchange.
type listed struct {
	Instrument
	path  generators.Rand
	ticks generators.Rand
	jumps []jump
}

// New opens a market. It takes some milliseconds.
func New(seed generators.Seed) *Market {
	m := &Market{tables: newTables(), sizes: generators.NewLogNormal()}
	path, ticks, jumps := seed.Rand("market.path"), seed.Rand("market.ticks"), seed.Rand("market.jumps")
	for i, in := range Instruments() {
		l := listed{Instrument: in, path: path.Entity(uint64(i)), ticks: ticks.Entity(uint64(i))}
		l.jumps = m.tables.jumps(jumps.Entity(uint64(i)), in.Volatility)
		m.listed = append(m.listed, l)
	}
	return m
}

// Price is what an instrument costs at a time, in millionths of a euro.
func (m *Market) Price(instrument int, at int64) int64 {
	l := &m.listed[instrument]
	price := float64(l.Cents) * 10_000
	return max(1, int64(float64(price*m.tables.exp2(m.log(l, at)))))
}

// log is the binary logarithm of a price over the first one.
func (m *Market) log(l *listed, at int64) float64 {
	t := min(max(at-Epoch, 0), 1<<spanBits-1)
	return m.diffusion(l, t) + jumped(l.jumps, t)
}

// diffusion is the part of the logarithm without jumps.
func (m *Market) diffusion(l *listed, t int64) float64 {
	variance := float64(l.Volatility*l.Volatility) * (float64(1<<spanBits) / year)
	node := uint64(1)
	path := float64(m.tables.normal(l.path.At(0)) * math.Sqrt(variance)) // over the rest of the interval
	sum := 0.0
	for level := spanBits; level > leafBits; level-- {
		random := l.path.At(node)
		share := 0.5
		if level <= memory {
			share += float64((float64(float64(random&0xffffffff)/(1<<31)) - 1) * restless)
		}
		spread := math.Sqrt(float64(variance * share * (1 - share)))
		left := float64(path*share) + float64(spread*m.tables.normal(random))
		node <<= 1
		if t>>(level-1)&1 == 0 {
			path, variance = left, float64(variance*share)
			continue
		}
		node |= 1
		sum += left
		path, variance = path-left, float64(variance*(1-share))
	}
	return sum + float64(path*(float64(t&(1<<leafBits-1))/(1<<leafBits)))
}

// jump is a jump of the price and all that were before it.
type jump struct {
	at  int64   // since the epoch
	sum float64 // binary logarithm
}

const (
	cellBits   = 36      // 19 hours
	jumpShare  = 12_000  // ppm of the cells in which news arrives,
	jumpAgain  = 500_000 // ppm of the jumps that are followed by another
	jumpWait   = 4e10    // microseconds until then, on average
	jumpMedian = 0.08    // of the year's volatility
	jumpSpread = 0.87    // of the binary logarithm
)

// jumps are all jumps of an instrument.
func (t *tables) jumps(r generators.Rand, volatility float64) []jump {
	var out []jump
	for cell := range uint64(1 << (spanBits - cellBits)) {
		random := r.At(cell)
		if !generators.Chance(random, jumpShare) {
			continue
		}
		news := r.Entity(cell)
		at := int64(cell<<cellBits | news.At(0)>>(64-cellBits))
		for n := uint64(1); ; n++ {
			size := float64(jumpMedian * volatility * t.exp2(float64(jumpSpread*t.normal(news.At(4*n)))))
			if news.At(4*n+1)>>63 == 0 {
				size = -size
			}
			out = append(out, jump{at, size})
			if !generators.Chance(news.At(4*n+2), jumpAgain) {
				break
			}
			at += int64(float64(jumpWait * t.exponential(news.At(4*n+3))))
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].at < out[j].at })
	sum := 0.0
	for i := range out {
		sum += out[i].sum
		out[i].sum = sum
	}
	return out
}

// jumped is the sum of all jumps until a time.
func jumped(jumps []jump, t int64) float64 {
	low, high := 0, len(jumps)
	for low < high {
		if middle := (low + high) / 2; jumps[middle].at <= t {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return 0
	}
	return jumps[low-1].sum
}
