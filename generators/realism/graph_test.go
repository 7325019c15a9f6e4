package realism

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// shopping draws merchants from a law.
func shopping(t *testing.T, o Options, n int, pick func(*dice) int) Measure {
	t.Helper()
	d := newDice("shopping")
	return find(t, feed(t, o, n, func(_ int, r *Record) { r.Merchant = "M" + strconv.Itoa(pick(d)) }), "merchant_zipf")
}

func TestZipf(t *testing.T) {
	for _, s := range []float64{0.8, 1, 1.13} {
		fit := zipfFit([][]uint32{drawn(zipfLaw(2000, s), 200_000)})
		if math.Abs(fit.value+s) > bandZipf || fit.ranks < 50 {
			t.Errorf("exponent %v is found as %+v", s, fit)
		}
	}
	law := zipfLaw(1000, 1)
	pick := func(d *dice) int { return law.Pick(d.bits()) }
	want(t, shopping(t, Options{Expect: Expect{Zipf: 1}}, 50_000, pick), Pass, 1, bandZipf)
	want(t, shopping(t, Options{Expect: Expect{Zipf: 1.1}}, 50_000, pick), Fail, 1, bandZipf)
	// The control: Sparkov's merchants are all alike.
	even := shopping(t, Options{}, 50_000, func(d *dice) int { return d.below(300) })
	if even.Verdict != Fail || *even.Value > 0.2 {
		t.Errorf("uniform merchants: %s", even.Sentence)
	}
	want(t, shopping(t, Options{}, 3000, func(d *dice) int { return d.below(700) }), NotMeasured, 0, 0)
}

// drawn counts n draws, the highest count first.
func drawn(law generators.Alias, n int) []uint32 {
	d := newDice("drawn")
	counts := make([]uint32, len(law))
	for range n {
		counts[law.Pick(d.bits())]++
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	return counts
}

// TestZipfOfCountries: each country has merchants of its own and a law of its
// own, with one exponent.
func TestZipfOfCountries(t *testing.T) {
	laws := []generators.Alias{zipfLaw(900, 1), zipfLaw(700, 1), zipfLaw(300, 1), zipfLaw(500, 1), zipfLaw(500, 1)}
	stream := func(known bool) Measure {
		d := newDice("countries")
		return find(t, feed(t, Options{Expect: Expect{Zipf: 1}}, 100_000, func(_ int, r *Record) {
			c := min(d.below(5), d.below(5))
			r.Merchant = strconv.Itoa(c) + "-" + strconv.Itoa(laws[c].Pick(d.bits()))
			if known {
				r.Country = "C" + strconv.Itoa(c)
			}
		}), "merchant_zipf")
	}
	want(t, stream(true), Pass, 1, bandZipf)
	if m := stream(false); m.Verdict != Fail {
		t.Errorf("without countries the head hides the law, and yet: %s", m.Sentence)
	}
	// Countries that have nothing to do with popularity are not asked.
	law, d := zipfLaw(1000, 1), newDice("one world")
	m := find(t, feed(t, Options{Expect: Expect{Zipf: 1}}, 60_000, func(_ int, r *Record) {
		k := law.Pick(d.bits())
		r.Merchant, r.Country = strconv.Itoa(k), "C"+strconv.Itoa(k*7919%13)
	}), "merchant_zipf")
	want(t, m, Pass, 1, bandZipf)
	if strings.Contains(m.Sentence, "country") {
		t.Errorf("%q", m.Sentence)
	}
}

// zeta draws from the discrete power law by its definition.
func zeta(alpha float64) func(*dice) int {
	whole := hurwitz(alpha, 1)
	return func(d *dice) int {
		u := d.unit() * whole
		for k := 1; ; k++ {
			if u -= math.Pow(float64(k), -alpha); u <= 0 || k == 3000 {
				return k
			}
		}
	}
}

// paying makes accounts with the given numbers of payees, of whom each is paid
// the given number of times.
func paying(t *testing.T, o Options, accounts int, degree, times func(*dice) int) *Report {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	d := newDice("paying")
	for a := range accounts {
		r := Record{Time: start + int64(a)*5*dayMicros/int64(accounts), Account: "A" + strconv.Itoa(a), Type: "transfer"}
		for range degree(d) {
			r.Counterparty = "C" + strconv.FormatUint(d.bits(), 36)
			for range times(d) {
				m.Observe(&r)
			}
		}
	}
	return m.Report()
}

func once(*dice) int { return 1 }

func TestDegrees(t *testing.T) {
	for _, alpha := range []float64{1.9, 2.1, 2.5} {
		r := paying(t, Options{Expect: Expect{OutDegree: alpha}}, 10_000, zeta(alpha), once)
		want(t, find(t, r, "out_degree_exponent"), Pass, alpha, 0.05)
		want(t, find(t, r, "in_degree_exponent"), NotMeasured, 0, 0) // nobody is paid by two
	}
	// The control: everybody pays about ten, as in a random graph.
	poisson := func(d *dice) int {
		k := 0
		for p := d.unit(); p > math.Exp(-10); p *= d.unit() {
			k++
		}
		return k
	}
	r := paying(t, Options{}, 6000, poisson, once)
	if m := find(t, r, "out_degree_exponent"); m.Verdict != Fail {
		t.Errorf("random graph: %s, %s", m.Verdict, m.Sentence)
	}
	want(t, find(t, paying(t, Options{}, 300, zeta(2), once), "out_degree_exponent"), NotMeasured, 0, 0)
}

// TestDegreeTail is a law that holds from 5 on: what lies below must not count.
func TestDegreeTail(t *testing.T) {
	law := zeta(2.2)
	degree := func(d *dice) int {
		if d.one(0.3) {
			return 1 + d.below(4)
		}
		for {
			if k := law(d); k >= 5 {
				return k
			}
		}
	}
	m := find(t, paying(t, Options{Expect: Expect{OutDegree: 2.2}}, 8000, degree, once), "out_degree_exponent")
	want(t, m, Pass, 2.2, 0.07)
}

func TestMultiplicity(t *testing.T) {
	again := func(d *dice) int {
		k := 1
		for d.one(1 - 1/1.8) {
			k++
		}
		return k
	}
	want(t, find(t, paying(t, Options{}, 2000, zeta(2.1), again), "edge_multiplicity"), Pass, 1.8, 0.05)
	want(t, find(t, paying(t, Options{}, 2000, zeta(2.1), once), "edge_multiplicity"), Fail, 1, 0)
	want(t, find(t, paying(t, Options{}, 100, once, once), "edge_multiplicity"), NotMeasured, 0, 0)
}

// TestGraphIsBounded: with room for a tenth of the pairs the exponent stays,
// because the edges of an account are kept or dropped together.
func TestGraphIsBounded(t *testing.T) {
	o := Options{MaxEdges: 20_000, MaxAccounts: 5000, Expect: Expect{OutDegree: 2.1}}
	r := paying(t, o, 30_000, zeta(2.1), once)
	want(t, find(t, r, "out_degree_exponent"), Pass, 2.1, 0.1)
	if len(r.Notes) != 2 {
		t.Errorf("notes %q", r.Notes)
	}
}
