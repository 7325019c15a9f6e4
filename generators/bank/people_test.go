package bank

import (
	"math"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// The shares of the ranks fall as their law says.
func TestLawFallsAsItSays(t *testing.T) {
	t.Parallel()
	const n, draws = 3000, 2_000_000
	for _, slope := range []float64{payeeSlope, payerSlope} {
		l, r := newLaw(n, slope), generators.Seed(3).Rand("law")
		var count [n]float64
		for i := range uint64(draws) {
			count[l.pick(r.At(i))]++
		}
		from, to := 0.0, 0.0 // of two bands of ranks a factor of ten apart, and as much wider
		for i := range 2000 {
			from, to = from+count[100+i/10]/10, to+count[1000+i]
		}
		if got := 1 + math.Log10(from/to); math.Abs(got-slope) > 0.02 {
			t.Errorf("the shares fall with the rank to the power of %.3f, want %.3f", got, slope)
		}
	}
}

// Every rank is another account, of its market.
func TestRanksAreScattered(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	for i := range b.markets {
		m := &b.markets[i]
		seen := map[uint32]bool{}
		for rank := range uint64(m.last - m.first) {
			a := m.ranked(rank)
			if a < m.first || a >= m.last || seen[a] {
				t.Fatalf("market %s: rank %d is account %d of %d to %d", m.Country, rank, a, m.first, m.last)
			}
			seen[a] = true
		}
	}
}

// Accounts pay the same others again; without habits nearly every payee is new.
func TestPayeesAreHabits(t *testing.T) {
	t.Parallel()
	e := open(t, nil).tape.live
	pairs := func(payee func(uint32) uint32) float64 {
		seen := map[[2]uint32]bool{}
		const payments = 20
		for account := range uint32(1000) {
			for range payments {
				to := payee(account)
				if to == account {
					t.Fatal("an account pays itself")
				}
				seen[[2]uint32{account, to}] = true
			}
		}
		return 1000 * payments / float64(len(seen))
	}
	if each := pairs(e.payee); each < 1.6 || each > 2.1 {
		t.Errorf("a pair has %.2f payments", each)
	}
	n := uint32(0)
	if each := pairs(func(uint32) uint32 { n++; return 1000 + n%900 }); each > 1.1 {
		t.Errorf("the control: a pair of chance has %.2f payments", each)
	}
}
