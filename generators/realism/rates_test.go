package realism

import (
	"math"
	"strconv"
	"testing"
)

func TestFraudRate(t *testing.T) {
	stream := func(e Expect, share float64, size int) *Report {
		d := newDice("fraud rate")
		left, number := 0, 0
		return feed(t, Options{Expect: e}, 40_000, func(_ int, r *Record) {
			r.Label, r.Amount = Genuine, int64(math.Exp(d.normal())*5000)+1
			if left == 0 && d.one(share/float64(size)) {
				left, number = size, number+1
			}
			if left > 0 {
				left--
				r.Label, r.Case = Fraud, "case"+strconv.Itoa(number)
				r.Amount *= 2
			}
		})
	}
	e := Expect{FraudVolume: 0.01, FraudValue: 0.02}
	r := stream(e, 0.01, 1)
	want(t, find(t, r, "fraud_rate_volume"), Pass, 0.01, 0.0015)
	want(t, find(t, r, "fraud_rate_value"), Pass, 0.0198, 0.004)
	narrow := *find(t, r, "fraud_rate_volume").High

	r = stream(e, 0.02, 1)
	want(t, find(t, r, "fraud_rate_volume"), Fail, 0.02, 0.002)
	want(t, find(t, r, "fraud_rate_value"), Fail, 0.039, 0.006)
	r = stream(e, 0.005, 1)
	want(t, find(t, r, "fraud_rate_volume"), Fail, 0.005, 0.001)

	// Cases of twenty frauds stray √20 times as far.
	r = stream(e, 0.01, 20)
	m := find(t, r, "fraud_rate_volume")
	if wide := *m.High; (wide-0.01)/(narrow-0.01) < 3.5 || (wide-0.01)/(narrow-0.01) > 6 {
		t.Errorf("the interval ends at %v for cases, at %v for single frauds", wide, narrow)
	}
	want(t, find(t, stream(Expect{FraudVolume: 0.0001}, 0.0001, 1), "fraud_rate_volume"), NotMeasured, 0, 0)
	want(t, find(t, stream(Expect{}, 0.01, 1), "fraud_rate_volume"), NotMeasured, 0, 0)
	want(t, find(t, feed(t, Options{Expect: e}, 1000, func(int, *Record) {}), "fraud_rate_volume"), NotMeasured, 0, 0)
	// No fraud at all where some was configured is no gap in the data.
	want(t, find(t, stream(e, 0, 1), "fraud_rate_volume"), Fail, 0, 0)
}

func TestFraudRateOfSomeTypes(t *testing.T) {
	e := Expect{FraudVolume: 0.05, FraudTypes: []string{"card_payment"}}
	d := newDice("types")
	r := feed(t, Options{Expect: e}, 20_000, func(i int, r *Record) {
		r.Label, r.Type = Genuine, []string{"card_payment", "transfer"}[i&1]
		if r.Type == "transfer" && d.one(0.5) || d.one(0.05) {
			r.Label = Fraud
		}
	})
	want(t, find(t, r, "fraud_rate_volume"), Pass, 0.05, 0.01)
}

// TestFraudValueOfCurrencies: a yen is no dinar, so each currency has a share.
func TestFraudValueOfCurrencies(t *testing.T) {
	r := feed(t, Options{Expect: Expect{FraudValue: 0.1}}, 10_000, func(i int, r *Record) {
		r.Label, r.Amount, r.Currency = Genuine, 100, "EUR"
		if i&1 == 0 {
			r.Amount, r.Currency = 1_000_000, "JPY"
		}
		if i%10 == 1 { // each tenth, all of them in euro
			r.Label = Fraud
		}
	})
	want(t, find(t, r, "fraud_rate_value"), Pass, 0.1, 1e-9)
}

func TestChargebacks(t *testing.T) {
	stream := func(e Expect, share float64, days int) Measure {
		d := newDice("disputes")
		return find(t, feed(t, Options{Expect: e}, 30_000, func(i int, r *Record) {
			r.Time = start + int64(i)*int64(days)*dayMicros/30_000
			r.Channel = []string{"ecommerce", "pos"}[i&1]
			if d.one(share / 2) {
				r.Type, r.Parent = "chargeback", "e1"
			}
		}), "chargeback_rate")
	}
	want(t, stream(Expect{}, 0.004, 90), Pass, 0.004, 0.001)
	want(t, stream(Expect{}, 0.02, 90), Fail, 0.02, 0.003)
	want(t, stream(Expect{}, 0.004, 20), NotMeasured, 0, 0)
	want(t, stream(Expect{Chargeback: 0.02}, 0.02, 20), Pass, 0.02, 0.004)
	want(t, stream(Expect{Chargeback: 0.02}, 0.03, 20), Fail, 0.03, 0.004)
}

func TestDeclines(t *testing.T) {
	stream := func(set, share float64) Measure {
		d := newDice("declines")
		return find(t, feed(t, Options{Expect: Expect{Decline: set}}, 20_000, func(_ int, r *Record) {
			r.Status = "APPROVED"
			if d.one(share) {
				r.Status = "DECLINED"
			}
		}), "decline_rate")
	}
	want(t, stream(0.03, 0.03), Pass, 0.03, 0.005)
	want(t, stream(0.03, 0.05), Fail, 0.05, 0.006)
	want(t, stream(0, 0.05), NotMeasured, 0, 0)
}
