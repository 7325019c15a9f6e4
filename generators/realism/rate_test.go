package realism

import (
	"strconv"
	"testing"
)

// Where the rate of each moment is known, a burst on one day is neither a wrong
// hour nor a wrong weekday; where only a week is known, it is both.
func TestRate(t *testing.T) {
	const days, busy = 28, 11 // a Friday
	day := func(local int64) int64 { return local/dayMicros - start/dayMicros }
	rate := func(local int64) float64 {
		if at := day(local); at == busy && local%dayMicros < dayMicros/4 {
			return 20
		}
		return 1
	}
	flat := make([]float64, hoursOfDay)
	for i := range flat {
		flat[i] = 1
	}
	report := func(e Expect) *Report {
		d := newDice("rate")
		return feed(t, Options{Expect: e}, 80_000, func(i int, r *Record) {
			if i < 2 {
				r.Time = start + int64(i)*days*dayMicros - int64(i)
				return
			}
			for {
				r.Time = start + int64(d.below(days*daySeconds))*1_000_000
				if d.one(rate(r.Time) / 20) {
					break
				}
			}
		})
	}
	known := report(Expect{Rate: rate})
	want(t, find(t, known, "hour_curve"), Pass, 0, 0.008)
	want(t, find(t, known, "weekday_curve"), Pass, 0, 0.01)
	week := report(Expect{Hours: flat, Weekdays: flat[:daysOfWeek]})
	want(t, find(t, week, "hour_curve"), Fail, 0.11, 0.03)
	want(t, find(t, week, "weekday_curve"), Fail, 0.12, 0.03)
	// What was before the beginning of what holds does not count.
	settled := report(Expect{Hours: flat, Settled: start + 14*dayMicros})
	want(t, find(t, settled, "hour_curve"), Pass, 0, 0.009)
}

// A payday on a Friday is held against Fridays: that people spend twice as much
// on Fridays is no payday.
func TestPaydayOnAFriday(t *testing.T) {
	measure := func(times float64) Measure {
		m, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := newDice("friday")
		for day := range 84 { // from a Monday on
			friday, paid := day%7 == 4, day%28 == 18
			for c := range 1200 {
				r := Record{
					Time: start + int64(day)*dayMicros + int64(d.below(daySeconds))*1_000_000,
					Type: "salary", Account: "A" + strconv.Itoa(c),
				}
				chance := 0.2
				if friday {
					chance *= 2
				}
				if paid {
					chance *= times
					m.Observe(&r)
				}
				if d.one(chance) {
					r.Type = "purchase"
					m.Observe(&r)
				}
			}
		}
		return find(t, m.Report(), "payday_ratio")
	}
	want(t, measure(1.5), Pass, 1.5, 0.15)
	want(t, measure(1), Fail, 1, 0.12)
}

// Payers of an account, as those whom it pays: the graph the other way round.
func TestInDegree(t *testing.T) {
	measure := func(degree func(*dice) int) Measure {
		m, err := New(Options{Expect: Expect{InDegree: 2.2}})
		if err != nil {
			t.Fatal(err)
		}
		d := newDice("in")
		for a := range 8000 {
			r := Record{Time: start + int64(a)*1_000_000, Type: "transfer", Counterparty: "A" + strconv.Itoa(a)}
			for range degree(d) {
				r.Account = "C" + strconv.FormatUint(d.bits(), 36)
				m.Observe(&r)
			}
		}
		return find(t, m.Report(), "in_degree_exponent")
	}
	want(t, measure(zeta(2.2)), Pass, 2.2, 0.07)
	if m := measure(func(d *dice) int { return 5 + d.below(10) }); m.Verdict != Fail {
		t.Errorf("everybody is paid by about ten: %s, %s", m.Verdict, m.Sentence)
	}
}

// Frauds come in cases: of as many as are usual, none at all in a short stream says
// nothing, and in a long one it says that they are missing.
func TestFraudCase(t *testing.T) {
	measure := func(records int) Measure {
		o := Options{Expect: Expect{FraudVolume: 0.0005, FraudCase: 12}}
		return find(t, feed(t, o, records, func(_ int, r *Record) { r.Label = Genuine }), "fraud_rate_volume")
	}
	want(t, measure(100_000), NotMeasured, 0, 0)
	want(t, measure(500_000), Fail, 0, 0)
}
