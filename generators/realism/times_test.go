package realism

import (
	"math"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

const daySeconds = 86_400

// byHours spreads records over whole days by the curve of the test bank.
func byHours(d *dice, days int) func(i int, r *Record) {
	hours := generators.NewAlias(scaled(retail())...)
	return func(i int, r *Record) {
		if i < days { // the ends of every day are there
			r.Time = start + int64(i)*dayMicros
			return
		}
		second := int64(d.below(days))*daySeconds + int64(hours.Pick(d.bits()))*3600 + int64(d.below(3600))
		r.Time = start + second*1_000_000
	}
}

func TestHours(t *testing.T) {
	const n = 60_000
	measure := func(days int, n int, change func(d *dice, r *Record)) *Report {
		d := newDice("hours")
		at := byHours(d, days)
		m, err := New(Options{Expect: Expect{Hours: retail()}})
		if err != nil {
			t.Fatal(err)
		}
		r := Record{Type: "purchase", Account: "A"}
		// The stream covers the days wholly: it begins and ends at midnight.
		for i := range n {
			at(i, &r)
			change(d, &r)
			m.Observe(&r)
		}
		for _, edge := range []int64{start - 2*dayMicros, start + int64(days+2)*dayMicros} {
			r.Time, r.Zone = edge, 0
			m.Observe(&r)
		}
		return m.Report()
	}
	keep := func(*dice, *Record) {}
	want(t, find(t, measure(7, n, keep), "hour_curve"), Pass, 0.002, 0.003)
	// Everybody an hour later: the largest step of the cumulated curve.
	late := find(t, measure(7, n, func(_ *dice, r *Record) { r.Time += 3_600_000_000 }), "hour_curve")
	want(t, late, Fail, (16.0-4)/204, 0.006) // those of 23 h come first
	// Customers of several zones live by their own clocks.
	zone := func(d *dice, r *Record) {
		r.Zone = int32(d.below(5)-2) * 3600
		r.Time -= int64(r.Zone) * 1_000_000
	}
	want(t, find(t, measure(7, n, zone), "hour_curve"), Pass, 0.002, 0.004)
	utc := func(d *dice, r *Record) { zone(d, r); r.Zone = 0 }
	want(t, find(t, measure(7, n, utc), "hour_curve"), Fail, 0.03, 0.02)
	want(t, find(t, measure(7, 5000, keep), "hour_curve"), NotMeasured, 0, 0)

	short := feed(t, Options{Expect: Expect{Hours: retail()}}, 40_000, func(int, *Record) {})
	want(t, find(t, short, "hour_curve"), NotMeasured, 0, 0) // eleven hours of a day
}

func TestWeekdays(t *testing.T) {
	weights := []float64{10, 10, 10, 11, 14, 16, 9}
	measure := func(expect []float64, days int) Measure {
		d := newDice("weekdays")
		law := generators.NewAlias(scaled(weights)...)
		return find(t, feed(t, Options{Expect: Expect{Weekdays: expect}}, 40_000, func(i int, r *Record) {
			day := d.below(days/7)*7 + law.Pick(d.bits())
			r.Time = start + int64(day)*dayMicros + int64(d.below(daySeconds))*1_000_000
			if i < 2 {
				r.Time = start + int64(i*days)*dayMicros - int64(i)
			}
		}), "weekday_curve")
	}
	want(t, measure(weights, 28), Pass, 0, 0.01)
	want(t, measure([]float64{1, 1, 1, 1, 1, 1, 1}, 28), Fail, (14.0+16-2*80.0/7)/80+0, 0.01)
	want(t, measure(weights, 7), NotMeasured, 0, 0)
	for day, want := range map[int32]int{0: 3, 4: 0, -3: 0, -4: 6, 20_458: 0} {
		if got := weekdayOf(day); got != want {
			t.Errorf("weekday of day %d is %d, want %d", day, got, want)
		}
	}
}

func TestPayday(t *testing.T) {
	const customers, days = 400, 56
	// Each customer is paid every 28 days, on a day of their own.
	stream := func(times float64, morning bool) *Report {
		m, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := newDice("payday")
		for day := range days {
			for c := range customers {
				paid := (day+c)%28 == 0
				at := start + int64(day)*dayMicros + int64(d.below(3600))*1_000_000
				r := Record{Time: at, Type: "salary", Account: "A" + string(rune('a'+c%26)) + string(rune('a'+c/26))}
				if paid && morning {
					m.Observe(&r)
				}
				mean := 1.5
				if paid {
					mean *= times
				}
				for limit, p := math.Exp(-mean), d.unit(); p > limit; p *= d.unit() {
					b := r
					b.Type = "purchase"
					m.Observe(&b)
				}
				if paid && !morning {
					m.Observe(&r)
				}
			}
		}
		return m.Report()
	}
	want(t, find(t, stream(1.4, true), "payday_ratio"), Pass, 1.4, 0.1)
	want(t, find(t, stream(1.4, false), "payday_ratio"), Pass, 1.4, 0.1) // whatever comes first that day
	want(t, find(t, stream(1, true), "payday_ratio"), Fail, 1, 0.1)

	month := func(times float64) Measure {
		d := newDice("month")
		o := Options{Expect: Expect{Paydays: []int{15, -1}}}
		return find(t, feed(t, o, 60_000, func(i int, r *Record) {
			for {
				day := d.below(59) // from 5 January to 4 March; paydays are 15 and 31 January, 15 and 28 February
				r.Time = start + int64(day)*dayMicros + int64(d.below(daySeconds))*1_000_000
				payday := day == 10 || day == 26 || day == 41 || day == 54
				if payday || d.one(1/times) {
					break
				}
			}
			if i < 2 {
				r.Time = start + int64(i)*59*dayMicros
			}
		}), "payday_ratio")
	}
	want(t, month(1.5), Pass, 1.5, 0.08)
	want(t, month(3), Fail, 3, 0.15)
	want(t, month(1), Fail, 1, 0.06)
}

func TestBurstiness(t *testing.T) {
	// Gaps by their law, for 200 customers with 300 gaps each.
	measure := func(gap func(*dice) float64) Measure {
		m, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := newDice("bursts")
		for c := range 200 {
			at := 0.0
			for range 301 {
				at += gap(d) * 1e9
				m.Observe(&Record{Time: start + int64(at), Account: "A" + string(rune(c+100)), Type: "purchase"})
			}
		}
		return find(t, m.Report(), "burstiness")
	}
	want(t, measure((*dice).exp), Fail, 0, 0.02)
	want(t, measure(func(*dice) float64 { return 1 }), Fail, -1, 0.001)
	// Gaps with a standard deviation of 1.8 times the mean have 0.8/2.8: two
	// exponential laws, a tenth with a mean ten times as high, have √(2·10.9/3.61-1).
	mixed := func(d *dice) float64 {
		if d.one(0.1) {
			return 10 * d.exp()
		}
		return d.exp()
	}
	r := math.Sqrt(2*(0.9+10)/(1.9*1.9) - 1)
	want(t, measure(mixed), Pass, (r-1)/(r+1), 0.02)
}

// TestBurstyForAnyLength is what the finite form is for: chance alone has 0 and
// a single burst 1 whatever the number of gaps, where (r-1)/(r+1) has neither.
func TestBurstyForAnyLength(t *testing.T) {
	d := newDice("finite")
	for _, n := range []int{5, 20, 100, 1000} {
		sum, plain := 0.0, 0.0
		const tries = 1000
		for range tries {
			s1, s2 := 0.0, 0.0
			for range n {
				g := d.exp()
				s1, s2 = s1+g, s2+g*g
			}
			mean := s1 / float64(n)
			r := math.Sqrt(s2/float64(n)-mean*mean) / mean
			sum += bursty(r, uint32(n))
			plain += (r - 1) / (r + 1)
		}
		if b := sum / tries; math.Abs(b) > 0.03+0.2/float64(n) {
			t.Errorf("%d gaps by chance have %v", n, b)
		}
		if n == 5 && plain/tries > -0.1 {
			t.Errorf("the plain form has %v: nothing to correct", plain/tries)
		}
		if b := bursty(math.Sqrt(float64(n-1)), uint32(n)); math.Abs(b-1) > 1e-12 {
			t.Errorf("one burst of %d gaps has %v", n, b)
		}
		if b := bursty(0, uint32(n)); b != -1 {
			t.Errorf("a clock has %v", b)
		}
	}
}

func TestDispersion(t *testing.T) {
	measure := func(n int, next func(d *dice, i int) float64) Measure {
		m, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := newDice("pace")
		at := 0.0
		for i := range n {
			at += next(d, i)
			m.Observe(&Record{Time: start + int64(at*1e6), Type: "purchase"})
		}
		return find(t, m.Report(), "aggregate_dispersion")
	}
	want(t, measure(30_000, func(d *dice, _ int) float64 { return d.exp() / 50 }), Pass, 1, 0.05)
	// A rate that triples and falls again does not count.
	wave := func(d *dice, i int) float64 { return d.exp() / (2 + math.Sin(float64(i)/8000)) }
	want(t, measure(80_000, wave), Pass, 1, 0.06)
	want(t, measure(50_000, func(*dice, int) float64 { return 0.02 }), Fail, 0, 0.05) // as even as a clock
	lump := func(_ *dice, i int) float64 {                                            // all of a second at its beginning
		if i%50 == 0 {
			return 1
		}
		return 0
	}
	if m := measure(50_000, lump); m.Verdict != Fail || *m.Value < 10 {
		t.Errorf("lumps: %s, %v", m.Verdict, m.Sentence)
	}
	want(t, measure(300, func(d *dice, _ int) float64 { return d.exp() }), NotMeasured, 0, 0)
	if m := measure(300, func(d *dice, _ int) float64 { return d.exp() * 1e5 }); m.Verdict != NotMeasured {
		t.Errorf("sparse: %s", m.Sentence)
	}
}

func TestLateRecordsAreSaid(t *testing.T) {
	r := feed(t, Options{}, 1000, func(i int, r *Record) {
		if i == 500 {
			r.Time -= 100_000_000
		}
	})
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "1 records came later") {
		t.Errorf("notes %q", r.Notes)
	}
}
