package realism

import (
	"math"
	"math/big"
	"strconv"
	"testing"
)

func TestFunctionsAgreeWithMath(t *testing.T) {
	d := newDice("num")
	logs := newLogTable()
	for range 20_000 {
		x := math.Exp((d.unit() - 0.5) * 200)
		if got, want := ln(x), math.Log(x); math.Abs(got-want) > 4e-15*math.Max(1, math.Abs(want)) {
			t.Fatalf("ln(%v) = %v, want %v", x, got, want)
		}
		y := (d.unit() - 0.5) * 1000
		if got, want := exp(y), math.Exp(y); math.Abs(got/want-1) > 1e-13 {
			t.Fatalf("exp(%v) = %v, want %v", y, got, want)
		}
		n := d.bits()>>uint(d.below(63)) | 1
		if got, want := logs.ln(n), math.Log(float64(n)); math.Abs(got-want) > 2e-7 {
			t.Fatalf("table ln(%d) = %v, want %v", n, got, want)
		}
	}
	for _, x := range []float64{0, -1, math.NaN()} {
		if !math.IsInf(ln(x), -1) {
			t.Errorf("ln(%v) = %v", x, ln(x))
		}
	}
}

func TestHurwitz(t *testing.T) {
	for _, c := range []struct{ s, q, want float64 }{
		{2, 1, math.Pi * math.Pi / 6},
		{4, 1, math.Pow(math.Pi, 4) / 90},
		{3, 1, 1.2020569031595942},
		{2, 10, math.Pi*math.Pi/6 - 1.5397677311665407}, // less the first nine squares
		{1.5, 1, 2.6123753486854883},
	} {
		if got := hurwitz(c.s, c.q); math.Abs(got/c.want-1) > 1e-10 {
			t.Errorf("ζ(%v, %v) = %v, want %v", c.s, c.q, got, c.want)
		}
	}
}

// TestBinomial compares with sums of exact probabilities.
func TestBinomial(t *testing.T) {
	for _, c := range []struct {
		n uint64
		p float64
	}{{100, 0.5}, {2000, 0.01}, {500, 0.9}, {1000, 0.002}, {3, 0.5}} {
		low, high := binomial(c.n, c.p, outerShare)
		pmf := func(k uint64) float64 {
			b := new(big.Float).SetInt(new(big.Int).Binomial(int64(c.n), int64(k)))
			f, e := new(big.Float), b.MantExp(nil)
			f.SetMantExp(b, -e)
			m, _ := f.Float64()
			return math.Exp(math.Log(m) + float64(e)*math.Ln2 + float64(k)*math.Log(c.p) + float64(c.n-k)*math.Log1p(-c.p))
		}
		below, above := 0.0, 0.0
		for k := range low {
			below += pmf(k)
		}
		for k := high + 1; k <= c.n; k++ {
			above += pmf(k)
		}
		if below >= outerShare || above >= outerShare {
			t.Errorf("n %d, p %v: %d to %d leave %v and %v outside", c.n, c.p, low, high, below, above)
		}
		if below+pmf(low) < outerShare || above+pmf(high) < outerShare {
			t.Errorf("n %d, p %v: %d to %d is too wide", c.n, c.p, low, high)
		}
	}
	if low, high := binomial(1e9, 0.00015, outerShare); low < 148_000 || high > 152_000 || low >= high {
		t.Errorf("a thousand million: %d to %d", low, high)
	}
}

func FuzzFirstDigit(f *testing.F) {
	for _, n := range []uint64{1, 9, 10, 99, 100, 1e18, 9_999_999_999, math.MaxInt64, math.MaxUint64, 1e19} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n uint64) {
		if n == 0 {
			return
		}
		if got, want := firstDigit(n), int(strconv.FormatUint(n, 10)[0]-'0'); got != want {
			t.Errorf("first digit of %d is %d, not %d", n, want, got)
		}
	})
}

func TestWide(t *testing.T) {
	var w wide
	sum := new(big.Int)
	d := newDice("wide")
	for range 1000 {
		n := int64(d.bits())
		w.add(n)
		sum.Add(sum, big.NewInt(n))
	}
	want, _ := new(big.Float).SetInt(sum).Float64()
	if got := w.float(); math.Abs(got/want-1) > 1e-15 {
		t.Errorf("sum %v, want %v", got, want)
	}
	for range 3 {
		w.add(math.MaxInt64)
	}
	var z wide
	for range 3 {
		z.add(math.MaxInt64)
	}
	for range 3 {
		z.add(-math.MaxInt64)
	}
	if !z.zero() || w.zero() {
		t.Error("zero is not found")
	}
}

func TestTableAgainstMap(t *testing.T) {
	const limit = 1000
	small, all := newTable[uint32](limit), map[uint64]uint32{}
	d := newDice("table")
	for range 50_000 {
		h := hash("key " + strconv.Itoa(d.below(20_000)))
		all[h]++
		if p := small.at(h); p != nil {
			*p++
		}
	}
	if len(small.items) > limit || small.level == 0 {
		t.Fatalf("%d items at level %d", len(small.items), small.level)
	}
	for i, h := range small.keys {
		if small.items[i] != all[h] {
			t.Errorf("item %d has %d, want %d: of a sampled key everything counts", i, small.items[i], all[h])
		}
	}
	sample := 0
	for h := range all {
		if sampled(h, small.level) {
			sample++
		}
	}
	if sample != len(small.items) {
		t.Errorf("%d items, want the %d of the level's sample", len(small.items), sample)
	}
}

func TestKeySetIsBounded(t *testing.T) {
	k := newKeySet(1000)
	for i := range 100_000 {
		if h := hash(strconv.Itoa(i)); sampled(h, k.level) && k.add(h) {
			t.Fatalf("%d is no twin", i)
		}
	}
	if len(k.slots) > 4096 || k.level < 5 {
		t.Errorf("%d slots at level %d", len(k.slots), k.level)
	}
	twins := 0
	for i := range 100_000 {
		if h := hash(strconv.Itoa(i)); sampled(h, k.level) {
			if _, there := k.find(h); !there {
				t.Fatalf("%d is sampled and not there", i)
			}
			twins++
		}
	}
	if twins < 300 {
		t.Errorf("only %d keys are kept", twins)
	}
}

// TestHashIsFixed pins the hash: reports depend on it.
func TestHashIsFixed(t *testing.T) {
	if hash("") != 0 || hash("a") == hash("b") || hash("abcdefgh") == hash("abcdefghabcdefgh") {
		t.Error("hash does not tell texts apart")
	}
	sum := uint64(0)
	for i := range 40 {
		sum = pair(sum, hash("0123456789abcdefghijklmnopqrstuvwxyz0123"[:i+1]))
	}
	if sum != 0x9e53407d618391fb {
		t.Errorf("hashes of prefixes: %#x", sum)
	}
	var ones [64]int
	const n = 20_000
	for i := range n {
		h := hash("DE" + strconv.Itoa(i))
		for b := range ones {
			ones[b] += int(h >> b & 1)
		}
	}
	for b, c := range ones {
		if math.Abs(float64(c)/n-0.5) > 0.02 {
			t.Errorf("bit %d is one in %d of %d", b, c, n)
		}
	}
}

func TestDictionaryIsBounded(t *testing.T) {
	d := newDict()
	for i := range 3 * maxCodes {
		if got, want := int(d.code(strconv.Itoa(i))), min(i+1, maxCodes); got != want {
			t.Fatalf("code %d, want %d", got, want)
		}
	}
	if d.code("0") != 1 || d.code(strconv.Itoa(maxCodes+7)) != maxCodes || len(d.names) != maxCodes+1 {
		t.Error("codes do not stay")
	}
}
