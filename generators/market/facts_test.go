package market

import (
	"math"
	"sort"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

const (
	someday = 1_767_225_600_000_000 // 2026-01-01
	minute  = 60_000_000
	hour    = 60 * minute
	day     = 24 * hour
)

// returns are natural logarithms of prices over those before.
func returns(m *Market, instrument int, step int64, n int) []float64 {
	out, l := make([]float64, n), &m.listed[instrument]
	before := m.log(l, someday)
	for i := range out {
		now := m.log(l, someday+int64(i+1)*step)
		out[i] = (now - before) * math.Ln2
		before = now
	}
	return out
}

func absolute(x []float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = math.Abs(x[i])
	}
	return out
}

// correlation is the autocorrelation at a lag, and the standard deviation that
// it would have if the series were uncorrelated, whatever its volatility does
// (White 1980).
func correlation(x []float64, lag int) (r, sd float64) {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	var products, squares, fourth float64
	for i, v := range x {
		squares += (v - mean) * (v - mean)
		if i+lag < len(x) {
			p := (v - mean) * (x[i+lag] - mean)
			products += p
			fourth += p * p
		}
	}
	return products / squares, math.Sqrt(fourth) / squares
}

// hill is the tail index of the largest absolute values (Hill 1975).
func hill(x []float64, share float64) float64 {
	a := absolute(x)
	sort.Sort(sort.Reverse(sort.Float64Slice(a)))
	k, sum := int(share*float64(len(a))), 0.0
	for i := range k {
		sum += math.Log(a[i] / a[k])
	}
	return float64(k) / sum
}

// decay fits |r|'s autocorrelation by a power of the lag; ok is false where it
// is not above noise at some lag.
func decay(x []float64) (exponent float64, ok bool) {
	a := absolute(x)
	for i, limit := 0, 6*math.Sqrt(meanSquare(x)); i < len(a); i++ { // one jump must not decide
		a[i] = min(a[i], limit)
	}
	var n, sx, sy, sxx, sxy float64
	for _, lag := range []int{1, 2, 5, 10, 20, 50, 100, 200} {
		r, _ := correlation(a, lag)
		if r < 3/math.Sqrt(float64(len(x))) {
			return 0, false
		}
		lx, ly := math.Log(float64(lag)), math.Log(r)
		n, sx, sy, sxx, sxy = n+1, sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	return -(n*sxy - sx*sy) / (n*sxx - sx*sx), true
}

func meanSquare(x []float64) (sum float64) {
	for _, v := range x {
		sum += v * v / float64(len(x))
	}
	return sum
}

// white is independent normal returns: what prices are not.
func white(m *Market, n int) []float64 {
	out, r := make([]float64, n), generators.Seed(5).Rand("white")
	for i := range out {
		out[i] = m.tables.normal(r.At(uint64(i)))
	}
	return out
}

// Nobody can foretell a return from those before: no linear autocorrelation
// (Cont 2001).
func TestReturnsAreUncorrelated(t *testing.T) {
	t.Parallel()
	m := New(1)
	outside := func(x []float64) (n int) {
		for lag := 1; lag <= 20; lag++ {
			if r, sd := correlation(x, lag); math.Abs(r) > 3.5*sd {
				n++
			}
		}
		return n
	}
	total := 0
	for i := range m.listed {
		total += outside(returns(m, i, 5*minute, 20_000))
	}
	if total > 2 { // of 480, one in 2,000 by chance
		t.Errorf("%d of %d autocorrelations are outside", total, 20*len(m.listed))
	}
	x := returns(m, 0, 5*minute, 20_000) // the control: each return leaves a tenth to the next
	for i := len(x) - 1; i > 0; i-- {
		x[i] += x[i-1] / 10
	}
	if outside(x) == 0 {
		t.Error("a correlation of a tenth is not seen")
	}
}

// Large returns are more frequent than a normal law has them: a tail index
// between 2.5 and 4.5.
func TestTailsAreFat(t *testing.T) {
	t.Parallel()
	m := New(1)
	for i := range m.listed {
		for step, n := range map[int64]int{5 * minute: 20_000, hour: 20_000} {
			if index := hill(returns(m, i, step, n), 0.05); index < 2.5 || index > 4.5 {
				t.Errorf("%s, step %d s: tail index %.2f", m.listed[i].Symbol, step/1_000_000, index)
			}
		}
	}
	if index := hill(white(m, 20_000), 0.05); index < 4.5 {
		t.Errorf("the control: a normal law has a tail index of %.2f", index)
	}
}

// Busy times last: the autocorrelation of absolute returns falls as a small
// power of the lag (Cont 2001 has 0.2 to 0.4).
func TestVolatilityIsRemembered(t *testing.T) {
	t.Parallel()
	m := New(1)
	sum := 0.0
	for i := range m.listed {
		exponent, ok := decay(returns(m, i, 15*minute, 30_000))
		if !ok || exponent < 0.08 || exponent > 0.5 {
			t.Errorf("%s: exponent %.2f, %t", m.listed[i].Symbol, exponent, ok)
		}
		sum += exponent / float64(len(m.listed))
	}
	t.Logf("mean exponent %.2f", sum)
	if sum < 0.15 || sum > 0.4 {
		t.Errorf("mean exponent %.2f", sum)
	}
	if exponent, ok := decay(white(m, 20_000)); ok {
		t.Errorf("the control: independent returns have an exponent of %.2f", exponent)
	}
	short := white(m, 20_000) // the control: a volatility that is forgotten after ten steps
	r, level := generators.Seed(6).Rand("short"), 0.0
	for i := range short {
		level = 0.9*level + 0.4*m.tables.normal(r.At(uint64(i)))
		short[i] *= m.tables.exp2(level)
	}
	if exponent, ok := decay(short); ok && exponent < 0.5 {
		t.Errorf("the control: a short memory has an exponent of %.2f", exponent)
	}
}

// A year's volatility is about what the instrument says.
func TestVolatilityIsTheInstruments(t *testing.T) {
	t.Parallel()
	m := New(1)
	for i, l := range m.listed {
		x := returns(m, i, day, 3000)
		got := math.Sqrt(meanSquare(x) * 365.25)
		want := math.Hypot(1, 0.25) * l.Volatility * math.Ln2 // with the jumps
		if got < want*0.6 || got > want*1.6 {
			t.Errorf("%s: %.3f a year, want %.3f", l.Symbol, got, want)
		}
	}
}

// branching estimates how many children a trade has from how uneven counts are:
// the variance over the mean of counts in long windows is 1/(1-n)².
func branching(times []int64, from, until, width int64) float64 {
	counts := make([]float64, (until-from)/width)
	for _, at := range times {
		counts[(at-from)/width]++
	}
	mean, variance := float64(len(times))/float64(len(counts)), 0.0
	for _, c := range counts {
		variance += (c - mean) * (c - mean) / float64(len(counts))
	}
	return 1 - 1/math.Sqrt(variance/mean)
}

// Trades come in clusters, with 0.5 to 0.9 children each.
func TestTradesExciteTrades(t *testing.T) {
	t.Parallel()
	m := New(1)
	for i := range 4 {
		var times []int64
		for _, tick := range m.Ticks(nil, i, someday, someday+2*day) {
			times = append(times, tick.At)
		}
		if n := branching(times, someday, someday+2*day, 3*minute); n < 0.6 || n > 0.8 {
			t.Errorf("%s: branching %.2f, want %.2f", m.listed[i].Symbol, n, Branching)
		}
		want := float64(2*day) / (1 << windowBits) * firstTrade / (1 - Branching)
		if math.Abs(float64(len(times))-want) > 0.05*want {
			t.Errorf("%s: %d trades, want %.0f", m.listed[i].Symbol, len(times), want)
		}
	}
	p := process{tables: m.tables, rand: m.listed[0].ticks, from: someday, until: someday + 2*day} // the control: Poisson
	for w := (p.from - reach) >> windowBits; w <= p.until>>windowBits; w++ {
		p.window(w)
	}
	var times []int64
	for _, a := range p.out {
		times = append(times, a.at)
	}
	if n := branching(times, someday, someday+2*day, 3*minute); math.Abs(n) > 0.1 {
		t.Errorf("the control: a Poisson process has a branching of %.2f", n)
	}
}
