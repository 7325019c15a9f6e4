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

// The busiest tenth and half of the customers buy as much as those of a log-normal
// law do, everybody buys something, and they are not the first of a market.
func TestBuyersAreLogNormal(t *testing.T) {
	t.Parallel()
	const n, each = 20_000, 100
	busy, r := newBusyness(generators.NewLogNormal()), generators.Seed(3).Rand("buyers")
	bought := make([]int, n)
	for i := range uint64(n * each) {
		bought[busy.pick(r.At(i), n)]++
	}
	share := func(from int) (sum float64) {
		for _, b := range bought[from:] {
			sum += float64(b) / (n * each)
		}
		return sum
	}
	// A tenth has 1 - Phi(z - sigma) of all, z its quantile.
	for from, z := range map[int]float64{n * 9 / 10: 1.2816, n / 2: 0} {
		want := math.Erfc((z-busySigma/1000.0)/math.Sqrt2) / 2
		if got := share(from); math.Abs(got-want) > 0.005 {
			t.Errorf("from rank %d on they buy %.4f, want %.4f", from, got, want)
		}
	}
	for rank, b := range bought[n/100:] {
		if b == 0 {
			t.Errorf("rank %d of %d buys nothing", rank+n/100, n)
		}
	}
	e := open(t, nil).tape.live
	m := &e.markets[0]
	first, draws := 0, uint64(10_000)
	for i := range draws {
		if e.buyer(m, r.At(i)) < m.first+(m.last-m.first)/10 {
			first++
		}
	}
	if part := float64(first) / float64(draws); part < 0.05 || part > 0.2 {
		t.Errorf("the first tenth of a market buys %.3f", part)
	}
}
