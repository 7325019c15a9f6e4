package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// law is a power law over the ranks 0 to n-1: rank r is as likely as (r+1)^-s. It
// is drawn from a few quantiles with straight lines between them: a table of all
// ranks would be read at random.
type law struct {
	n         uint64
	quantiles [quantiles + 1]float64
}

const quantiles = 256

func newLaw(n uint64, s float64) *law {
	l := &law{n: n}
	top := generators.Exp(float64(generators.Ln(float64(n+1))*(1-s))) - 1
	for i := range l.quantiles {
		l.quantiles[i] = generators.Exp(generators.Ln(1+float64(top*float64(i)/quantiles)) / (1 - s))
	}
	return l
}

// busyness is the law of who buys something among any number of people, the least
// busy first: what each of them buys is log-normal. At the quantiles of what is
// bought it knows which part of the people is less busy. One table serves all
// markets, so that it stays in the processor's nearest cache.
type busyness [quantiles + 1]float64

func newBusyness(amounts *generators.LogNormal) *busyness {
	const points = 1 << 14
	var weights [points]float64
	sum := 0.0
	for i := range weights {
		weights[i] = float64(amounts.Draw(uint64(2*i+1)<<(63-14), 1<<20, generators.Sigma(busySigma)))
		sum += weights[i]
	}
	parts := new(busyness)
	before, next := 0.0, 0
	for i, w := range weights {
		for ; next < quantiles; next++ {
			rest := float64(sum*float64(next)/quantiles) - before
			if rest > w {
				break
			}
			parts[next] = (float64(i) + float64(rest/w)) / points
		}
		before += w
	}
	parts[quantiles] = 1
	return parts
}

// pick maps random bits to one of n people.
func (b *busyness) pick(random, n uint64) uint64 {
	return min(uint64(float64(n)*between((*[quantiles + 1]float64)(b), random)), n-1)
}

const busySigma = 900 // thousandths

// pick maps random bits to a rank.
func (l *law) pick(random uint64) uint64 {
	return min(uint64(between(&l.quantiles, random))-1, l.n-1)
}

// between is what lies at random bits, on the straight lines between quantiles.
func between(at *[quantiles + 1]float64, random uint64) float64 {
	i := random >> (64 - 8)
	part := float64(random<<8>>11) * (1.0 / (1 << 53))
	low, high := at[i], at[i+1]
	return low + float64(part*(high-low))
}

// anybody is who begins a flow of a market. Who pays accounts differ far more than who buys:
// a small firm is a customer too.
func (e *engine) anybody(m *place, f *flow.Flow, random uint64) uint32 {
	if f.With == flow.AnAccount {
		return m.ranked(m.payers.pick(random))
	}
	return e.buyer(m, random)
}

// buyer is who buys something: some buy more than others.
func (w *world) buyer(p *place, random uint64) uint32 {
	n := uint64(p.last - p.first)
	return p.first + uint32(w.busy.pick(random, n)*p.mingle%n)
}

// ranked is the account of a rank: scattered among those of its market.
func (p *place) ranked(rank uint64) uint32 {
	n := uint64(p.last - p.first)
	return p.first + uint32((rank*p.scatter+n/3)%n)
}

// payee is whom an account pays this time: somebody it paid before, or somebody
// else, most often of its own market, and the likelier the more others pay them.
func (e *engine) payee(account uint32) uint32 {
	draw := e.habits.Entity(uint64(account))
	purse := &e.books.accounts[account]
	n := uint64(purse.paid)
	purse.paid++
	for n > 0 && !generators.Chance(draw.At(n), newPayee+min(n, 100)*newEach) {
		n = generators.Below(generators.Again(draw.At(n)), n)
	}
	random := generators.Again(generators.Again(draw.At(n)))
	m := &e.markets[purse.home]
	if generators.Chance(random, payeeAbroad) {
		m = &e.markets[e.anywhere(generators.Again(random))]
	}
	rank := m.payees.pick(generators.Again(generators.Again(random)))
	if other := m.ranked(rank); other != account {
		return other
	}
	return m.ranked((rank + 1) % m.payees.n) // a market has two accounts at least
}

const (
	newPayee    = 600_000 // ppm: a pair that pays has 1.76 to 1.97 payments (FinBench)
	newEach     = 1_200   // ppm more for each payment before: who pays many pays more that are new
	payeeAbroad = 150_000 // ppm; guess

	// The exponents by which popularity falls with rank. Habits and pairs that pay
	// again thin the tails: the degrees of a quarter of a year fall with 2.36 in and
	// 2.06 out (docs/generate.md).
	payeeSlope = 0.9
	payerSlope = 1.15
)

// coprime is a random number below n that has no factor in common with it.
func coprime(n, random uint64) uint64 {
	for f := generators.Below(random, n) | 1; ; f += 2 {
		a, b := n, f
		for b > 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return f
		}
	}
}
