package realism

import (
	"strconv"
	"strings"
	"testing"
)

// payment posts a transfer between two accounts with their balances.
type teller struct{ held map[string]int64 }

func (b *teller) pay(r *Record, from, to string, amount int64) {
	r.Type, r.Account, r.Counterparty, r.Amount = "transfer", from, to, amount
	r.Known = KnownBalance | KnownCounterpartyBalance | KnownLegs
	r.Change, r.CounterpartyChange = -amount, amount
	b.settle(r)
}

// settle moves the balances by what the record says.
func (b *teller) settle(r *Record) {
	b.held[r.Account+r.AccountCurrency] += r.Change
	b.held[r.Counterparty+r.CounterpartyCurrency] += r.CounterpartyChange
	r.Balance = b.held[r.Account+r.AccountCurrency]
	r.CounterpartyBalance = b.held[r.Counterparty+r.CounterpartyCurrency]
}

func ledger(t *testing.T, change func(i int, r *Record, b *teller)) *Report {
	t.Helper()
	d := newDice("money")
	b := &teller{held: map[string]int64{}}
	return feed(t, Options{}, 5000, func(i int, r *Record) {
		b.pay(r, "A"+strconv.Itoa(d.below(50)), "B"+strconv.Itoa(d.below(50)), int64(d.below(10_000)+1))
		change(i, r, b)
	})
}

func TestConservation(t *testing.T) {
	r := ledger(t, func(int, *Record, *teller) {})
	want(t, find(t, r, "conservation"), Pass, 0, 0)
	want(t, find(t, r, "balance_chain"), Pass, 0, 0)

	// One minor unit, once, in five thousand transfers.
	r = ledger(t, func(i int, r *Record, b *teller) {
		if i == 3333 {
			r.CounterpartyChange++
			r.CounterpartyBalance++
			b.held[r.Counterparty]++
		}
	})
	want(t, find(t, r, "conservation"), Fail, 1, 0)
	want(t, find(t, r, "balance_chain"), Pass, 0, 0)

	// PaySim: cash comes in on one side only.
	r = ledger(t, func(i int, r *Record, _ *teller) {
		if i%10 == 0 {
			r.Counterparty, r.CounterpartyChange, r.Known = "", 0, KnownBalance|KnownLegs
		}
	})
	if m := find(t, r, "conservation"); m.Verdict != Fail {
		t.Errorf("one side: %s", m.Sentence)
	}

	// AMLSim: a withdrawal stops at zero while the whole sum arrives.
	r = ledger(t, func(i int, r *Record, b *teller) {
		if r.Balance < 0 {
			r.Change -= r.Balance
			r.Balance, b.held[r.Account] = 0, 0
		}
	})
	if m := find(t, r, "conservation"); m.Verdict != Fail {
		t.Errorf("clamped: %s", m.Sentence)
	}

	// The same with the change that was meant: the balance does not follow.
	r = ledger(t, func(_ int, r *Record, b *teller) {
		if r.Balance < 0 {
			r.Balance, b.held[r.Account] = 0, 0
		}
	})
	want(t, find(t, r, "conservation"), Pass, 0, 0)
	if m := find(t, r, "balance_chain"); m.Verdict != Fail || len(m.Details) == 0 {
		t.Errorf("clamped: %s", m.Sentence)
	}
	want(t, find(t, feed(t, Options{}, 10, func(int, *Record) {}), "conservation"), NotMeasured, 0, 0)
	want(t, find(t, feed(t, Options{}, 10, func(int, *Record) {}), "balance_chain"), NotMeasured, 0, 0)
}

// TestTransit: money is on its way between the two halves of a transfer.
func TestTransit(t *testing.T) {
	stream := func(halves int) Measure {
		return find(t, feed(t, Options{}, halves, func(i int, r *Record) {
			r.Known, r.Change, r.Transit = KnownLegs, -700, 700
			if i%2 == 1 {
				r.Account, r.Change, r.Transit = "B", 700, -700
			}
		}), "conservation")
	}
	want(t, stream(100), Pass, 0, 0)
	m := stream(101)
	want(t, m, Pass, 0, 0)
	if m.Details[0].Text != "sum 0 minor units; 700 in transit at the end" {
		t.Errorf("details %v", m.Details)
	}
}

// TestSeveralCurrencies: an exchange balances in each currency, and an account
// has a balance in each.
func TestSeveralCurrencies(t *testing.T) {
	b := &teller{held: map[string]int64{}}
	exchange := func(spoil int64) *Report {
		return feed(t, Options{}, 600, func(i int, r *Record) {
			r.Known = KnownBalance | KnownCounterpartyBalance | KnownLegs
			r.AccountCurrency, r.CounterpartyCurrency = "EUR", "EUR"
			r.Account, r.Counterparty, r.Change, r.CounterpartyChange = "A", "FX", -100, 100
			if i%2 == 1 { // the other half of the exchange
				r.AccountCurrency, r.CounterpartyCurrency = "JPY", "JPY"
				r.Account, r.Counterparty, r.Change, r.CounterpartyChange = "FX", "A", -16_000, 16_000+spoil
			}
			b.settle(r)
		})
	}
	r := exchange(0)
	want(t, find(t, r, "conservation"), Pass, 0, 0)
	want(t, find(t, r, "balance_chain"), Pass, 0, 0)
	b.held = map[string]int64{}
	m := find(t, exchange(2), "conservation")
	want(t, m, Fail, 600, 0)
	if !strings.Contains(m.Sentence, "1 currency is out of balance") {
		t.Errorf("%q", m.Sentence)
	}
}

func TestIntegrity(t *testing.T) {
	stream := func(parent func(i int) string) Measure {
		return find(t, feed(t, Options{}, 2000, func(i int, r *Record) { r.Parent = parent(i) }), "integrity_in_time")
	}
	before := func(i int) string {
		if i == 0 {
			return ""
		}
		return "e" + strconv.Itoa(i/2)
	}
	want(t, stream(before), Pass, 0, 0)
	// Nexmark: bids name persons to come.
	want(t, stream(func(i int) string { return "e" + strconv.Itoa(i+3) }), Fail, 2000, 0)
	want(t, stream(func(i int) string { return "e" + strconv.Itoa(i) }), Fail, 2000, 0) // itself is not before itself
	m := stream(func(i int) string {
		if i == 1234 {
			return "e1235"
		}
		return before(i)
	})
	want(t, m, Fail, 1, 0)
	if m.Details[0].Text != "e1234 names e1235" {
		t.Errorf("details %v", m.Details)
	}
	want(t, stream(func(int) string { return "" }), NotMeasured, 0, 0)
}

// TestIntegrityIsBounded: with room for a hundredth of the keys, what is looked
// at is looked at wholly.
func TestIntegrityIsBounded(t *testing.T) {
	stream := func(ahead int) *Report {
		return feed(t, Options{MaxKeys: 600}, 60_000, func(i int, r *Record) { r.Parent = "e" + strconv.Itoa(max(0, i+ahead)) })
	}
	r := stream(-40)
	m := find(t, r, "integrity_in_time")
	if m.Samples < 400 || m.Samples > 8000 {
		t.Errorf("%d samples", m.Samples)
	}
	// The first record names itself, and its 40 followers name it too.
	if m.Value == nil || *m.Value > 1 {
		t.Errorf("%s", m.Sentence)
	}
	if len(r.Notes) != 1 {
		t.Errorf("notes %q", r.Notes)
	}
	if m := find(t, stream(5), "integrity_in_time"); m.Verdict != Fail || *m.Value != float64(m.Samples) {
		t.Errorf("children first: %s", m.Sentence)
	}
}

func TestUniqueness(t *testing.T) {
	r := feed(t, Options{}, 1000, func(i int, r *Record) {
		if i%100 == 99 {
			r.ID = "e" + strconv.Itoa(i-50)
		}
	})
	want(t, find(t, r, "key_uniqueness"), Fail, 10, 0)
	r = feed(t, Options{}, 1000, func(i int, r *Record) {
		if i == 7 {
			r.ID = ""
		}
	})
	want(t, find(t, r, "key_uniqueness"), Fail, 1, 0)
	want(t, find(t, feed(t, Options{}, 1000, func(int, *Record) {}), "key_uniqueness"), Pass, 0, 0)
	want(t, find(t, feed(t, Options{}, 9, func(_ int, r *Record) { r.ID = "" }), "key_uniqueness"), NotMeasured, 0, 0)
}

func TestIdentifiers(t *testing.T) {
	o := Options{Validators: []Validator{
		{"MCC", func(r *Record) string { return r.MCC }, func(s string) bool { return len(s) == 4 }},
		{"Luhn", func(r *Record) string { return r.Card }, func(s string) bool { return s != "bad" }},
	}}
	r := feed(t, o, 100, func(_ int, r *Record) { r.MCC, r.Card = "5411", "good" })
	want(t, find(t, r, "identifier_validity"), Pass, 0, 0)
	r = feed(t, o, 100, func(i int, r *Record) {
		if i%2 == 0 {
			r.MCC = "541"
		}
		if i == 5 {
			r.Card = "bad"
		}
	})
	m := find(t, r, "identifier_validity")
	want(t, m, Fail, 51, 0)
	if m.Details[0].Text != "0 of 50 are valid; not 541" || m.Details[1].Text != "0 of 1 are valid; not bad" {
		t.Errorf("details %v", m.Details)
	}
	want(t, find(t, feed(t, o, 10, func(int, *Record) {}), "identifier_validity"), NotMeasured, 0, 0)
}
