package market

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// The prices of seed 1, the same on every machine.
func TestGolden(t *testing.T) {
	m := New(1)
	var got []int64
	for i := range 6 {
		got = append(got, m.Price(i, someday+int64(i)*(day+12_345_678)))
	}
	for _, tick := range m.Ticks(nil, 3, someday, someday+minute)[:3] {
		got = append(got, tick.At-someday, tick.Price, tick.Size)
	}
	want := []int64{28388797, 21323191, 57861266, 135140475, 79406077, 1975763, 8812988, 134916010, 17, 14047160, 134913919, 27, 21297332, 134913467, 514}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// A price depends on nothing but seed, instrument and time, and the time before
// and after the market's is no trouble.
func TestPriceIsAFunction(t *testing.T) {
	a, b := New(7), New(7)
	for i := range int64(2000) {
		which, at := int(i%24), someday+(i*7919%1000)*hour
		_ = b.Price(int((i+5)%24), at-day)
		if a.Price(which, at) != b.Price(which, at) {
			t.Fatalf("instrument %d at %d has two prices", which, at)
		}
	}
	first, last := a.Price(0, Epoch), a.Price(0, Epoch+1<<spanBits)
	if a.Price(0, math.MinInt64/2) != first || a.Price(0, math.MaxInt64/2) != last || first == last {
		t.Errorf("before and after the market: %d, %d", first, last)
	}
	if New(8).Price(0, someday) == a.Price(0, someday) {
		t.Error("another seed has the same price")
	}
}

// Between jumps a price does not leap: from one millisecond to the next it moves
// by little, also where one interval ends and another begins.
func TestPathHasNoHoles(t *testing.T) {
	m := New(3)
	l := &m.listed[0]
	for i := range int64(20_000) {
		at := i << (leafBits + i%20)
		if d := math.Abs(m.diffusion(l, at+500) - m.diffusion(l, at)); d > 0.001 {
			t.Fatalf("the price leaps by %.4f at %d", d, at)
		}
	}
}

// Ticks do not depend on how one asks for them.
func TestTicksInParts(t *testing.T) {
	m := New(1)
	whole := m.Ticks(nil, 5, someday, someday+3*hour)
	var parts []Tick
	for i, at := 0, int64(someday); at < someday+3*hour; i++ {
		next := min(at+int64(i%7+1)*97_000_001, someday+3*hour)
		parts = m.Ticks(parts, 5, at, next)
		at = next
	}
	if !slices.Equal(whole, parts) || len(whole) < 1000 {
		t.Errorf("%d ticks at once, %d in parts", len(whole), len(parts))
	}
	for i, tick := range whole {
		if i > 0 && tick.At < whole[i-1].At || tick.Size < 1 || tick.Price != m.Price(5, tick.At) {
			t.Fatalf("tick %d: %+v", i, tick)
		}
	}
}

// inconsistent says what is wrong with bars.
func inconsistent(bars []Bar, width int64) string {
	for i, b := range bars {
		switch {
		case b.Low > min(b.Open, b.Close) || b.High < max(b.Open, b.Close) || b.Low < 1:
			return "a price outside of low and high in bar " + strconv.Itoa(i)
		case b.Start%width != 0 || i > 0 && b.Start <= bars[i-1].Start:
			return "a start that does not fit in bar " + strconv.Itoa(i)
		case b.Ticks < 1 || b.Volume < int64(b.Ticks):
			return "no ticks in bar " + strconv.Itoa(i)
		}
	}
	return ""
}

// Open and close lie between low and high, bars of minutes join to bars of
// hours, and all ticks are in one.
func TestBars(t *testing.T) {
	m := New(1)
	ticks := m.Ticks(nil, 2, someday, someday+day)
	bars := Bars(ticks, minute)
	if what := inconsistent(bars, minute); what != "" {
		t.Error(what)
	}
	hours := Join(bars, hour)
	if !slices.Equal(hours, Bars(ticks, hour)) || len(hours) != 24 {
		t.Errorf("bars of minutes do not join to the %d bars of hours", len(hours))
	}
	n, volume := 0, int64(0)
	for _, b := range hours {
		n += b.Ticks
		volume += b.Volume
	}
	for _, tick := range ticks {
		volume -= tick.Size
	}
	if n != len(ticks) || volume != 0 {
		t.Errorf("%d of %d ticks, %d too much volume", n, len(ticks), volume)
	}
	for _, spoil := range []func(*Bar){ // the controls
		func(b *Bar) { b.High = b.Close - 1 },
		func(b *Bar) { b.Low = b.Open + 1 },
		func(b *Bar) { b.Start++ },
		func(b *Bar) { b.Ticks = 0 },
	} {
		wrong := slices.Clone(bars)
		spoil(&wrong[100])
		if inconsistent(wrong, minute) == "" {
			t.Errorf("not seen: %+v", wrong[100])
		}
	}
}

// The tables agree with the standard library.
func TestTables(t *testing.T) {
	tb := newTables()
	for i := range 2000 {
		x := float64(i)/50 - 20
		if got := tb.exp2(x); math.Abs(got/math.Exp2(x)-1) > 1e-7 {
			t.Fatalf("2^%v = %v", x, got)
		}
		if u := (float64(i) + 0.5) / 2000; math.Abs(generators.Ln(u)-math.Log(u)) > 1e-12 {
			t.Fatalf("ln %v = %v", u, generators.Ln(u))
		}
	}
	for i := range 4000 {
		u := (float64(i) + 0.5) / 4000
		random, slack := uint64(u*(1<<32))<<32, 0.004
		if min(u, 1-u) < 1.0/1000 { // there the table is coarse
			slack = 0.3
		}
		if z, want := tb.normal(random), math.Sqrt2*math.Erfinv(2*u-1); math.Abs(z-want) > slack {
			t.Fatalf("quantile %v is %v, want %v", u, z, want)
		}
		if e, want := tb.exponential(random), -math.Log1p(-u); math.Abs(e-want) > 3*slack {
			t.Fatalf("waiting time %v is %v, want %v", u, e, want)
		}
	}
	r, n := generators.Seed(1).Rand("moments"), 400_000
	var sum, squares, waits float64
	for i := range uint64(n) {
		z := tb.normal(r.At(i))
		sum += z
		squares += z * z
		waits += tb.exponential(r.At(i))
	}
	if math.Abs(sum/float64(n)) > 0.007 || math.Abs(squares/float64(n)-1) > 0.01 || math.Abs(waits/float64(n)-1) > 0.007 {
		t.Errorf("mean %v, variance %v, waiting %v", sum/float64(n), squares/float64(n), waits/float64(n))
	}
}

// validISIN checks ISO 6166 by its text: letters as numbers, then Luhn.
func validISIN(text string) bool {
	digits := ""
	for _, c := range text {
		n := int(c - '0')
		if c >= 'A' {
			n = int(c-'A') + 10
		}
		digits += strconv.Itoa(n)
	}
	sum := 0
	for i := range digits {
		n := int(digits[len(digits)-1-i]-'0') << (i % 2)
		sum += n/10 + n%10
	}
	return len(text) == 12 && sum%10 == 0
}

func TestInstruments(t *testing.T) {
	if !validISIN("US0378331005") || validISIN("US0378331006") {
		t.Error("the check is wrong")
	}
	seen := map[string]bool{}
	for _, in := range Instruments() {
		if !validISIN(in.ISIN) || in.ISIN[:2] != "ZZ" || seen[in.ISIN] || seen[in.Symbol] || len(in.Symbol) != 4 {
			t.Errorf("instrument %+v", in)
		}
		seen[in.ISIN], seen[in.Symbol] = true, true
	}
}

func TestPriceAllocatesNothing(t *testing.T) {
	m, n := New(1), int64(0)
	if allocs := testing.AllocsPerRun(100, func() {
		m.Price(int(n%24), someday+n*hour)
		n++
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkPrice(b *testing.B) {
	m, n := New(1), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		m.Price(int(n%24), someday+n*77_777_777)
		n++
	}
}
