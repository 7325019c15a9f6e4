package realism

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// feed measures n records; each call of fill gets a record with an identifier,
// a second of its own and nothing else.
func feed(t testing.TB, o Options, n int, fill func(i int, r *Record)) *Report {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var r Record
	for i := range n {
		r = Record{ID: fmt.Sprint("e", i), Time: start + int64(i)*1_000_000, Type: "purchase", Account: "A", Amount: 100, Currency: "EUR"}
		fill(i, &r)
		m.Observe(&r)
	}
	return m.Report()
}

func TestBenford(t *testing.T) {
	for _, c := range []struct {
		name    string
		amount  func(*dice) int64
		verdict Verdict
		mad     float64
		within  float64
	}{
		{"wide log-normal", func(d *dice) int64 { return int64(math.Exp(d.normal()*2) * 5000) }, Pass, 0, 0.002},
		{"log-normal, sigma 1.2", func(d *dice) int64 { return int64(math.Exp(d.normal()*1.2) * 5000) }, Pass, 0.001, 0.002},
		// The control: prices like gofakeit's, uniform from 0 to 1000.00.
		{"uniform", func(d *dice) int64 { return int64(d.below(100_000)) }, Fail, 0.0597, 0.002},
		{"narrow", func(d *dice) int64 { return int64(math.Exp(d.normal()*0.3) * 5000) }, Fail, 0.105, 0.01},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDice(c.name)
			r := feed(t, Options{}, 30_000, func(_ int, r *Record) { r.Amount = c.amount(d) })
			want(t, find(t, r, "benford_mad"), c.verdict, c.mad, c.within)
		})
	}
	t.Run("too few", func(t *testing.T) {
		r := feed(t, Options{}, 5000, func(i int, r *Record) { r.Amount = int64(i) })
		want(t, find(t, r, "benford_mad"), NotMeasured, 0, 0)
	})
	t.Run("cash does not count", func(t *testing.T) {
		r := feed(t, Options{}, 20_000, func(_ int, r *Record) { r.Type = "cash" })
		want(t, find(t, r, "benford_mad"), NotMeasured, 0, 0)
	})
}

func TestSigma(t *testing.T) {
	measure := func(expect map[string]float64, n int) Measure {
		d := newDice("sigma")
		return find(t, feed(t, Options{Expect: Expect{Sigma: expect}}, n, func(i int, r *Record) {
			// Two currencies and two categories with medians far apart: only the
			// spread within them counts.
			median := []float64{500, 80_000}[i&1]
			r.MCC, r.Currency = []string{"5411", "5732"}[i&1], []string{"EUR", "JPY"}[i>>1&1]
			if r.Currency == "JPY" {
				median *= 160
			}
			r.Amount = int64(math.Exp(d.normal()*0.8)*median) + 1
			if i%10 == 0 {
				r.Type, r.MCC, r.Amount = "transfer", "", int64(math.Exp(d.normal()*1.4)*median)+1
			}
		}), "amount_sigma")
	}
	right := map[string]float64{"purchase": 0.8, "purchase/5411": 0.8, "purchase/5732": 0.8, "transfer": 1.4}
	got := measure(right, 40_000)
	want(t, got, Pass, 0, 0.02)
	if len(got.Details) != 4 {
		t.Errorf("details %v", got.Details)
	}
	got = measure(map[string]float64{"purchase": 0.8, "transfer": 1.2}, 40_000)
	want(t, got, Fail, 1.4/1.2-1, 0.02)
	if !strings.Contains(got.Sentence, "transfer") {
		t.Errorf("%q does not name the worst", got.Sentence)
	}
	want(t, measure(right, 1000), NotMeasured, 0, 0)
	want(t, measure(nil, 10_000), NotMeasured, 0, 0)
}

func TestTypeMix(t *testing.T) {
	measure := func(n int, transfers float64) *Report {
		d := newDice("mix")
		o := Options{Expect: Expect{TypeMix: map[string]float64{"purchase": 60, "transfer": 40}}}
		return feed(t, o, n, func(_ int, r *Record) {
			switch u := d.unit(); {
			case u < transfers:
				r.Type = "transfer"
			case u > 0.98:
				r.Type = "surprise"
			}
		})
	}
	r := measure(50_000, 0.4)
	want(t, find(t, r, "type_mix"), Fail, 0.02, 0.003) // the surprises
	want(t, find(t, measure(200, 0.4), "type_mix"), NotMeasured, 0, 0)
	scores := map[string]float64{}
	for _, s := range r.Scores {
		scores[s.Name] = s.Value
	}
	if math.Abs(scores["TVComplement"]-0.98) > 0.003 || scores["KeyUniqueness"] != 1 {
		t.Errorf("scores %v", scores)
	}

	d := newDice("right mix")
	o := Options{Expect: Expect{TypeMix: map[string]float64{"purchase": 60, "transfer": 40}}}
	r = feed(t, o, 50_000, func(_ int, r *Record) {
		if d.one(0.4) {
			r.Type = "transfer"
		}
	})
	want(t, find(t, r, "type_mix"), Pass, 0, 0.005)
}

func TestBounds(t *testing.T) {
	o := Options{Expect: Expect{AmountMin: 1, AmountMax: 999, From: start, To: start + 80_000_000}}
	r := feed(t, o, 100, func(i int, r *Record) { r.Amount = int64(i * 11) }) // 0, and from 81 seconds on, and 91*11
	want(t, find(t, r, "boundary_adherence"), Fail, 20, 0)
	r = feed(t, o, 50, func(i int, r *Record) { r.Amount = int64(i*11 + 1) })
	want(t, find(t, r, "boundary_adherence"), Pass, 0, 0)
}
