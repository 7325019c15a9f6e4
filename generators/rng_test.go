package generators

import (
	"math"
	"testing"
)

func TestRandGolden(t *testing.T) {
	r := Seed(42).Rand("payments.amount")
	for n, want := range []uint64{0x382c0300ec4f624d, 0x76d1764ad640e5ba} {
		if got := r.At(uint64(n)); got != want {
			t.Errorf("number %d is %#x, want %#x", n, got, want)
		}
	}
	if got, want := r.Entity(7).At(0), uint64(0x2bbeb17f8f5ae9a5); got != want {
		t.Errorf("number 0 of entity 7 is %#x, want %#x", got, want)
	}
}

// Pairs of numbers that a careless generator would tie together are
// independent: neighbours of one purpose, two purposes, two related seeds (at
// the same and at a shifted place), two entities. The measure is chi-square
// over 16 x 16 cells of the high bits and, as AMLSim's and Redpanda's flaws
// were equal draws, of the low bits too.
func TestRandPairsAreIndependent(t *testing.T) {
	const draws = 1 << 17
	a := Seed(7).Rand("a")
	pairs := map[string]func(n uint64) uint64{
		"neighbour":    func(n uint64) uint64 { return a.At(n + 1) },
		"purpose":      Seed(7).Rand("b").At,
		"seed":         Seed(8).Rand("a").At,
		"seed shifted": func(n uint64) uint64 { return Seed(8).Rand("a").At(n - 1) },
		"entity":       a.Entity(1).At,
		"again":        func(n uint64) uint64 { return Again(a.At(n)) },
	}
	for name, other := range pairs {
		for _, shift := range []uint{60, 30, 0} {
			var cells [256]int
			for n := range uint64(draws) {
				cells[a.At(n)>>shift&15<<4|other(n)>>shift&15]++
			}
			if x := chiSquare(cells[:], draws); x > 255+6*math.Sqrt(2*255) {
				t.Errorf("%s, bits from %d: chi-square %.0f with 255 degrees of freedom", name, shift, x)
			}
		}
	}
	e1, e2 := a.Entity(1), a.Entity(2)
	var cells [256]int
	for n := range uint64(draws) {
		cells[e1.At(n)>>60<<4|e2.At(n)>>60]++
	}
	if x := chiSquare(cells[:], draws); x > 255+6*math.Sqrt(2*255) {
		t.Errorf("two entities: chi-square %.0f", x)
	}
}

func chiSquare(cells []int, draws int) float64 {
	expected, sum := float64(draws)/float64(len(cells)), 0.0
	for _, c := range cells {
		sum += (float64(c) - expected) * (float64(c) - expected) / expected
	}
	return sum
}

func TestAliasFollowsItsWeights(t *testing.T) {
	const draws = 1 << 20
	for _, weights := range [][]uint64{{1}, {1, 0, 3}, {5, 5, 5, 5}, {0, 0, 1}, Zipf(100)} {
		table, r := NewAlias(weights...), Seed(1).Rand("alias")
		counts, total := make([]int, len(weights)), 0.0
		for n := range uint64(draws) {
			counts[table.Pick(r.At(n))]++
		}
		for _, w := range weights {
			total += float64(w)
		}
		for i, w := range weights {
			p := float64(w) / total
			if band := 6*math.Sqrt(draws*p*(1-p)) + 1e-9; math.Abs(float64(counts[i])-draws*p) > band {
				t.Errorf("%d weights: index %d drawn %d times, want %.0f +- %.0f", len(weights), i, counts[i], draws*p, band)
			}
		}
	}
}

func TestLogNormalIsLogNormal(t *testing.T) {
	const draws = 1 << 19
	table, r := NewLogNormal(), Seed(3).Rand("amount")
	for _, c := range []struct{ median, sigma int64 }{{100_000, 500}, {250_000, 1000}, {5_000_000, 1600}} {
		var sum, squares float64
		var digits [10]int
		for n := range uint64(draws) {
			amount := table.Draw(r.At(n), c.median, Sigma(c.sigma))
			log := math.Log(float64(amount))
			sum, squares = sum+log, squares+log*log
			for amount >= 10 {
				amount /= 10
			}
			digits[amount]++
		}
		mean := sum / draws
		sigma := math.Sqrt(squares/draws - mean*mean)
		if want := float64(c.sigma) / 1000; math.Abs(sigma-want) > 0.01*want {
			t.Errorf("median %d: sigma is %.4f, want %.4f", c.median, sigma, want)
		}
		if want := math.Log(float64(c.median)); math.Abs(mean-want) > 6*sigma/math.Sqrt(draws) {
			t.Errorf("median %d: mean logarithm is %.4f, want %.4f", c.median, mean, want)
		}
		deviation := 0.0
		for d := 1; d <= 9; d++ {
			deviation += math.Abs(float64(digits[d])/draws-math.Log10(1+1/float64(d))) / 9
		}
		if c.sigma >= 1000 && deviation > 0.006 { // Nigrini's "close conformity"
			t.Errorf("sigma %d: first digits deviate from Benford's law by %.4f", c.sigma, deviation)
		}
	}
	if got := table.Draw(0, 1, Sigma(4000)); got != 1 {
		t.Errorf("the smallest amount is %d, want 1", got)
	}
	if got := table.Draw(math.MaxUint64, 1<<30-1, Sigma(4000)); got < 1<<50 {
		t.Errorf("the largest amount overflows: %d", got)
	}
}

// The tables are the same on every processor: this is the sum that any of them
// must reach.
func TestLogNormalTablesGolden(t *testing.T) {
	table, sum := NewLogNormal(), uint64(0)
	for i, q := range table.quantile {
		sum = mix(sum ^ uint64(q) ^ uint64(i))
	}
	for i, p := range table.power {
		sum = mix(sum ^ p ^ uint64(i))
	}
	const want = 0xfc7c27ec4f4100ad
	if sum != want {
		t.Errorf("the sum is %#x, want %#x", sum, uint64(want))
	}
}

func BenchmarkRandAt(b *testing.B) {
	r, n := Seed(1).Rand("bench"), uint64(0)
	for b.Loop() {
		n += r.At(n)
	}
}
