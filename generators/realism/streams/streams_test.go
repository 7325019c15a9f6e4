package streams

import (
	"slices"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/generators/realism"
)

// grid is a clock of a constant rate.
type grid struct{ start, step int64 }

func (g grid) At(n uint64) int64 { return g.start + int64(n)*g.step }

const (
	opening = 1_767_571_200_000_000 // Monday, 5 January 2026
	count   = 60_000
	days    = 30
)

func open(tb testing.TB) *Bank {
	tb.Helper()
	flows, err := flow.Load()
	if err != nil {
		tb.Fatal(err)
	}
	crimes, err := fraud.Preset("aml-hi")
	if err != nil {
		tb.Fatal(err)
	}
	b, err := NewBank(bank.Config{
		Seed: 3, Customers: 3000, Merchants: 500, Flows: flows, Start: opening, Crimes: crimes,
		Clocks: map[flow.Stream]bank.Clock{flow.Payments: grid{opening, days * 86_400_000_000 / count}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// report measures a bank, whose records change may spoil.
func report(t *testing.T, b *Bank, change func(*realism.Record)) *realism.Report {
	t.Helper()
	o, err := b.Options(count, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := realism.New(o)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Each(t.Context(), count, func(r *realism.Record) {
		if change != nil {
			change(r)
		}
		m.Observe(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Report()
}

func find(t *testing.T, r *realism.Report, name string) *realism.Measure {
	t.Helper()
	i := slices.IndexFunc(r.Measures, func(m realism.Measure) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("no measure %s", name)
	}
	return &r.Measures[i]
}

// What is exact of the bank, and what its flows say, holds.
func TestBank(t *testing.T) {
	r := report(t, open(t), nil)
	for _, name := range []string{
		"conservation", "balance_chain", "integrity_in_time", "key_uniqueness", "identifier_validity", "boundary_adherence",
		"type_mix",
	} {
		if m := find(t, r, name); m.Verdict != realism.Pass {
			t.Errorf("%s: %s: %s %v", name, m.Verdict, m.Sentence, m.Details)
		}
	}
	if m := find(t, r, "balance_chain"); m.Samples < count/2 {
		t.Errorf("only %d balances were followed", m.Samples)
	}
}

// A cent that is missing anywhere is found, and so is a parent that is not there.
func TestControls(t *testing.T) {
	n := 0
	r := report(t, open(t), func(r *realism.Record) {
		switch n++; {
		case n%997 == 0:
			r.Transit++
		case n%991 == 0:
			r.Balance++
		case n%101 == 0 && r.Parent != "":
			r.Parent += "x"
		case r.Type == "transfer":
			r.Type = "card_clearing"
		}
	})
	for _, name := range []string{"conservation", "balance_chain", "type_mix", "integrity_in_time"} {
		if m := find(t, r, name); m.Verdict != realism.Fail {
			t.Errorf("%s: %s", name, m.Verdict)
		}
	}
	// Flows that are not those of the bank.
	b := open(t)
	flows := *b.config.Flows
	flows.States = slices.Clone(flows.States)
	for i := range flows.States {
		if s := &flows.States[i]; s.Emit.String() == "transfer" {
			s.Posts = append(slices.Clone(s.Posts), s.Posts...)
		}
	}
	b.config.Flows = &flows
	if m := find(t, report(t, b, nil), "balance_chain"); m.Verdict != realism.Fail {
		t.Errorf("transfers that are posted twice: %s", m.Verdict)
	}
}

// The books at the end are asked, too: what they do not know of is an event.
func TestSums(t *testing.T) {
	b := open(t)
	var made []realism.Record
	w := &walk{Bank: b}
	w.report(map[string]int64{"EUR": 0, "JPY": -3}, func(r *realism.Record) { made = append(made, *r) })
	if len(made) != 1 || made[0].Currency != "JPY" || made[0].Change != -3 || made[0].Known != realism.KnownLegs {
		t.Errorf("%+v", made)
	}
}

func TestStateless(t *testing.T) {
	for _, k := range fintech.All() {
		s := NewStateless(k.New(generators.Seed(1)), grid{opening, 1_000_000}.At)
		m, err := realism.New(s.Options(count))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Each(t.Context(), count, m.Observe); err != nil {
			t.Fatal(err)
		}
		r := m.Report()
		names := []string{"key_uniqueness", "identifier_validity", "boundary_adherence", "benford_mad"}
		if k.Name == "payments" {
			names = append(names, "type_mix", "decline_rate")
		}
		for _, name := range names {
			if m := find(t, r, name); m.Verdict != realism.Pass {
				t.Errorf("%s: %s: %s: %s", k.Name, name, m.Verdict, m.Sentence)
			}
		}
	}
}

func TestWeek(t *testing.T) {
	curve := make([]float64, 168)
	curve[24+5], curve[48+5] = 1, 2 // Tuesday and Wednesday, at five
	hours, days := Week(curve)
	if hours[5] != 3 || days[1] != 1 || days[2] != 2 || days[0] != 0 {
		t.Errorf("%v, %v", hours, days)
	}
	if hours, days = Week(nil); hours != nil || days != nil {
		t.Errorf("no curve: %v, %v", hours, days)
	}
}
