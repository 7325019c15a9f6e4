package bank

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
)

// reached counts how many flows that began before a time came to each state.
func reached(b *Bank, all *[lanes][]Event, until int64) []int {
	out := make([]int, len(b.m.states))
	for i := range labels {
		for n := range all[i] {
			if e := &all[i][n]; all[i][e.Flow].At < until {
				out[e.State]++
			}
		}
	}
	return out
}

// downstream is how often a run that comes to a state comes to each state of its
// flow, by the absorbing chain: the visits of the flow as if it began there.
func downstream(f *flow.Flow, from int) []float64 {
	late := *f
	late.States = append([]flow.State{{Name: "begin", Starts: -1, Next: []flow.Transition{
		{To: f.First + 1 + from, Share: flow.All},
	}}}, f.States...)
	late.States = append([]flow.State(nil), late.States...)
	for i := range late.States[1:] {
		s := &late.States[i+1]
		s.Next = append([]flow.Transition(nil), s.Next...)
		for j := range s.Next {
			s.Next[j].To++
		}
	}
	return late.Visits(0)[1:]
}

// The events of each flow are as frequent as its file says: of those who came to
// a state, so many came to each of those after it. Only states after which nothing
// depends on what accounts have are looked at.
func TestSharesAreThoseOfTheFlows(t *testing.T) {
	t.Parallel()
	b := everything(t, func(c *Config) { c.Crimes, c.Ledger, c.Changes = nil, false, false })
	const days, mature = 125, 20
	all := run(b, days*10_000)
	counts := reached(b, &all, opening+mature*86_400_000_000)
	check := func(t *testing.T, f *flow.Flow, from, last string) (checked, off int) {
		at := slices.IndexFunc(f.States, func(s flow.State) bool { return s.Name == from })
		n := float64(counts[f.First+at])
		for i, share := range downstream(f, at) {
			s := &f.States[i]
			if i == at || s.Emit == flow.NoEvent || share == 0 {
				continue
			}
			checked++
			got := float64(counts[f.First+i])
			band := 4.5*math.Sqrt(n*share*max(0.002, 1-min(1, share))) + 3
			if math.Abs(got-n*share) > band {
				off++
				t.Logf("%s: of %.0f who were %s, %.0f were %s, want %.1f±%.1f", f.Name, n, from, got, s.Name, n*share, band)
			}
			if s.Name == last {
				break
			}
		}
		return checked, off
	}
	total := 0
	for _, c := range []struct {
		flow, from string
		last       string // what comes after it takes years, or depends on money
	}{
		{"card_payment", "authorised", ""},
		{"ecommerce_payment", "authorised", ""},
		{"direct_debit", "collected", ""},
		{"salary", "paid", ""},
		{"cash_withdrawal", "paid", ""},
		{"order", "paid", ""},
		{"trade", "buy_ordered", ""},
		{"trade", "sell_ordered", ""},
		{"loan", "applied", "disbursed"},
	} {
		t.Run(fmt.Sprint(c.flow, " ", c.from), func(t *testing.T) {
			f := b.m.flowOf(c.flow)
			checked, off := check(t, f, c.from, c.last)
			if off > 0 || checked == 0 {
				t.Errorf("%d of %d states are off", off, checked)
			}
			total += checked
		})
	}
	if total < 25 {
		t.Errorf("only %d states were looked at", total)
	}
	f := b.m.flowOf("card_payment") // the control: one more reversal in a hundred
	counts[f.First+slices.IndexFunc(f.States, func(s flow.State) bool { return s.Name == "reversed" })] +=
		counts[f.First+slices.IndexFunc(f.States, func(s flow.State) bool { return s.Name == "authorised" })] / 100
	if _, off := check(t, f, "authorised", ""); off != 1 {
		t.Error("a share that is off is not seen")
	}
}

func (m *machine) flowOf(name string) *flow.Flow {
	for _, f := range m.flows {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// With top-ups few payments are refused for want of money; without, most are.
func TestTopUpsKeepPeopleLiquid(t *testing.T) {
	t.Parallel()
	refused := func(change func(*machine)) float64 {
		b := open(t, func(c *Config) { c.Clocks[flow.Payments] = grid{opening, 8_640_000} })
		e := b.tape.live
		change(e.m)
		asked, short := 0, 0
		for len(e.lanes[0].block) == 0 || e.lanes[0].next < 600_000 {
			for _, ev := range e.block().Events {
				switch code := b.m.states[ev.State].Codes[ev.Code]; {
				case code == "51" || code == "AM04":
					short++
					asked++
				case b.m.looks[ev.State].kind == "card_authorisation", b.m.looks[ev.State].kind == "transfer",
					b.m.looks[ev.State].kind == "direct_debit", b.m.looks[ev.State].kind == "cash_withdrawal":
					asked++
				}
			}
			if e.lanes[0].next >= 600_000 {
				break
			}
		}
		return float64(short) / float64(asked)
	}
	with, without := refused(func(*machine) {}), refused(func(m *machine) { m.topUp = -1 })
	t.Logf("%.1f %% of payments are refused for want of money, %.1f %% without top-ups", with*100, without*100)
	if with < 0.01 || with > 0.06 || without < 0.3 {
		t.Errorf("%.3f of payments are refused for want of money, %.3f without top-ups", with, without)
	}
}

// As many payments belong to crimes as the rates say: the number of cases is
// Poisson's, so the interval is the binomial one, widened by how uneven the cases
// are.
func TestCrimesAreAsFrequentAsTheRates(t *testing.T) {
	t.Parallel()
	for _, preset := range []string{"eea-2023", "aml-hi"} {
		t.Run(preset, func(t *testing.T) {
			rates, err := fraud.Preset(preset)
			if err != nil {
				t.Fatal(err)
			}
			b := everything(t, func(c *Config) {
				for i := range rates {
					rates[i] *= 20
				}
				c.Crimes, c.Ledger, c.Changes = rates, false, false
				c.Clocks = map[flow.Stream]Clock{flow.Payments: grid{opening, 8_640_000}}
			})
			all := run(b, 900_000)
			var want float64
			for _, r := range rates {
				want += r * float64(len(all[0])) / 1e6
			}
			cases, got := map[uint64]float64{}, 0.0
			for i := range all[0] {
				if c := all[0][i].Crime; c != 0 {
					cases[c.number()]++
					got++
				}
			}
			var squares float64
			for _, n := range cases {
				squares += n * n
			}
			// 99.9 % of the normal law, and what the last two months have begun but not finished.
			band := 3.29*math.Sqrt(want*squares/got) + 0.03*want
			t.Logf("%.0f of %d payments belong to %d cases, want %.0f±%.0f", got, len(all[0]), len(cases), want, band)
			if math.Abs(got-want) > band || math.Abs(2*got-want) < band { // the control: twice as many
				t.Errorf("%.0f payments of crimes, want %.0f±%.0f", got, want, band)
			}
		})
	}
}
