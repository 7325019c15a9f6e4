package streams

import (
	"testing"

	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/generators/realism"
)

// No rule on two raw columns finds half of the crime with half of what it finds
// being crime: of all sixteen typologies at once. It does where a column gives
// them away.
func TestNoColumnsGiveCrimeAway(t *testing.T) {
	t.Parallel()
	const records, each = 400_000, 150 // ppm
	rates := make(fraud.Rates, len(fraud.All()))
	for i := range rates {
		rates[i] = each
	}
	flows, err := flow.Load()
	if err != nil {
		t.Fatal(err)
	}
	measure := func(change func(*realism.Record)) *realism.Measure {
		b, err := NewBank(bank.Config{
			Seed: 5, Customers: 20_000, Merchants: 2000, Flows: flows, Start: opening, Crimes: rates,
			Clocks: map[flow.Stream]bank.Clock{flow.Payments: grid{opening, 60 * 86_400_000_000 / records}},
		})
		if err != nil {
			t.Fatal(err)
		}
		o, err := b.Options(1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := realism.New(o)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]bool{}
		err = b.Each(t.Context(), records, func(r *realism.Record) {
			if change != nil && r.Label == realism.Fraud {
				change(r)
			}
			if r.Label == realism.Fraud {
				kinds[r.Case] = true
			}
			m.Observe(r)
		})
		if err != nil || len(kinds) < 16 {
			t.Fatal(err, len(kinds))
		}
		return find(t, m.Report(), "leakage")
	}
	if m := measure(nil); m.Verdict != realism.Pass || m.Samples < 400 {
		t.Errorf("%s of %d: %s %v", m.Verdict, m.Samples, m.Sentence, m.Details)
	} else {
		t.Log(m.Sentence)
	}
	if m := measure(func(r *realism.Record) { r.Device = "dev-0" }); m.Verdict != realism.Fail {
		t.Errorf("one device for all: %s: %s", m.Verdict, m.Sentence)
	}
}
