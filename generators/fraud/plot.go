package fraud

import (
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// plot is a case while it is planned. Every draw has a number of its own.
type plot struct {
	steps   []Step
	rand    generators.Rand
	drawn   uint64
	cast    Cast
	amounts *generators.LogNormal
}

func (p *plot) draw() uint64 {
	p.drawn++
	return p.rand.At(p.drawn)
}

// between is a number from lo to hi, both included.
func (p *plot) between(lo, hi int) int { return lo + int(generators.Below(p.draw(), uint64(hi-lo+1))) }

// within is a time from lo to hi.
func (p *plot) within(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(generators.Below(p.draw(), uint64(hi-lo+1)))
}

// cents is an amount by the law of ordinary transfers, times a factor: what
// people pay each other has a wide spread, so that a factor of some few hides in
// it.
func (p *plot) cents(median, sigma int64) int64 {
	return p.amounts.Draw(p.draw(), median, generators.Sigma(sigma))
}

// The law of ordinary transfers.
const (
	transferMedian = 15_000
	transferSigma  = 1300
)

// The law of ordinary deposits of notes.
const (
	depositMedian = 18_000
	depositSigma  = 670
)

// accounts picks n different customers.
func (p *plot) accounts(n int) []uint32 {
	out := make([]uint32, 0, n)
	for tries := 0; len(out) < n; tries++ {
		a := p.cast.Account(p.draw())
		known := false
		for _, b := range out {
			known = known || a == b
		}
		if !known || tries > 100*n { // a bank of a handful of customers
			out = append(out, a)
		}
	}
	return out
}

// edge is a transfer from an account to another.
type edge struct{ from, to uint32 }

// pay adds a transfer.
func (p *plot) pay(after time.Duration, e edge, cents int64, role Role, hop int) {
	p.steps = append(p.steps, Step{After: after, From: e.from, To: e.to, Cents: cents, Role: role, Hop: uint8(hop)})
}

// shop adds a payment to a merchant.
func (p *plot) shop(s Step) {
	s.To = p.cast.Merchant(s.From, s.Means, s.Abroad, p.draw())
	p.steps = append(p.steps, s)
}

const day = 24 * time.Hour

func fanIn(p *plot) {
	who := p.accounts(p.between(4, 12))
	span := p.within(day, 10*day)
	for _, source := range who[1:] {
		p.pay(p.within(0, span), edge{source, who[0]}, p.cents(transferMedian, transferSigma), Source, 0)
	}
}

func fanOut(p *plot) {
	who := p.accounts(p.between(4, 12))
	span := p.within(day, 10*day)
	for _, sink := range who[1:] {
		p.pay(p.within(0, span), edge{who[0], sink}, p.cents(transferMedian, transferSigma), Collector, 0)
	}
}

func cycle(p *plot) {
	who := p.accounts(p.between(3, 8))
	cents, at := p.cents(2*transferMedian, transferSigma), time.Duration(0)
	for i, from := range who {
		p.pay(at, edge{from, who[(i+1)%len(who)]}, cents, Mule, i)
		at += p.within(time.Hour, 3*day)
		cents -= cents * int64(p.between(1, 5)) / 100
	}
}

func bipartite(p *plot) {
	from, to := p.between(2, 6), p.between(2, 6)
	who := p.accounts(from + to)
	span := p.within(day, 14*day)
	for i, source := range who[:from] {
		for j, sink := range who[from:] {
			if (i+j)%2 == 0 || p.between(0, 2) == 0 {
				p.pay(p.within(0, span), edge{source, sink}, p.cents(transferMedian, transferSigma), Source, 0)
			}
		}
	}
}

func stack(p *plot) {
	layers, width := p.between(3, 4), p.between(2, 4)
	who := p.accounts(layers * width)
	for layer := range layers - 1 {
		for i := range width {
			for j := range width {
				if i == j || p.between(0, 1) == 0 {
					after := time.Duration(layer)*3*day + p.within(0, 2*day)
					p.pay(after, edge{who[layer*width+i], who[(layer+1)*width+j]},
						p.cents(transferMedian, transferSigma), Mule, layer)
				}
			}
		}
	}
}

func gatherScatter(p *plot) {
	in, out := p.between(3, 7), p.between(3, 7)
	who := p.accounts(1 + in + out)
	var total int64
	for _, source := range who[1 : 1+in] {
		cents := p.cents(transferMedian, transferSigma)
		total += cents
		p.pay(p.within(0, 5*day), edge{source, who[0]}, cents, Source, 0)
	}
	p.split(who[0], who[1+in:], total, 5*day, 1)
}

func scatterGather(p *plot) {
	width := p.between(3, 8)
	who := p.accounts(2 + width)
	for _, mule := range who[2:] {
		cents := p.cents(transferMedian, transferSigma)
		at := p.within(0, 3*day)
		p.pay(at, edge{who[0], mule}, cents, Source, 0)
		p.pay(at+p.within(time.Hour, 4*day), edge{mule, who[1]}, cents*97/100, Mule, 1)
	}
}

// split pays most of a sum to several accounts, in uneven parts.
func (p *plot) split(from uint32, to []uint32, total int64, after time.Duration, hop int) {
	rest := total * 97 / 100
	for i, sink := range to {
		part := rest / int64(len(to)-i)
		part = max(1, part*int64(p.between(60, 140))/100)
		if i == len(to)-1 || part > rest {
			part = max(1, rest)
		}
		rest -= part
		p.pay(after+p.within(0, 3*day), edge{from, sink}, part, Collector, hop)
	}
}

func wander(p *plot) {
	who := p.accounts(p.between(4, 9))
	at, now := time.Duration(0), 0
	for hop := range p.between(5, 12) {
		next := p.between(0, len(who)-2)
		if next >= now {
			next++
		}
		p.pay(at, edge{who[now], who[next]}, p.cents(transferMedian, transferSigma), Mule, hop)
		at, now = at+p.within(time.Hour, 2*day), next
	}
}

func cardTesting(p *plot) {
	at := time.Duration(0)
	for hop, card := range p.accounts(p.between(4, 12)) {
		s := Step{After: at, From: card, Means: Online, Cents: p.cents(180, 500), Stranger: true, Hop: uint8(hop)}
		p.shop(s)
		if p.between(0, 2) > 0 { // it works
			s.After, s.Cents = at+p.within(10*time.Minute, 6*time.Hour), p.cents(12_000, 900)
			p.shop(s)
		}
		at += p.within(5*time.Second, 3*time.Minute)
	}
}

func takeover(p *plot) {
	who := p.accounts(1 + p.between(1, 3))
	at := time.Duration(0)
	for hop, mule := range who[1:] {
		cents := p.cents(3*transferMedian, 1100)
		p.steps = append(p.steps, Step{After: at, From: who[0], To: mule, Cents: cents, Stranger: true, Hop: uint8(hop)})
		p.shop(Step{
			After: at + p.within(5*time.Minute, 5*time.Hour), From: mule, Means: CashOut,
			Cents: cents * 9 / 10, Role: Mule, Hop: uint8(hop + 1),
		})
		at += p.within(time.Minute, 20*time.Minute)
	}
}

func pushPayment(p *plot) {
	who := p.accounts(3)
	at := time.Duration(0)
	for hop := range p.between(1, 3) {
		cents := p.cents(4*transferMedian, 1100)
		p.pay(at, edge{who[0], who[1]}, cents, Victim, hop)
		p.pay(at+p.within(10*time.Minute, 8*time.Hour), edge{who[1], who[2]}, cents*95/100, Mule, hop+1)
		at += p.within(2*time.Hour, 3*day)
	}
}

func muleChain(p *plot) {
	who := p.accounts(p.between(3, 6))
	cents, at := p.cents(3*transferMedian, 1100), time.Duration(0)
	for i := range len(who) - 1 {
		p.pay(at, edge{who[i], who[i+1]}, cents, Mule, i)
		at += p.within(10*time.Minute, 12*time.Hour)
		cents = cents * int64(p.between(90, 97)) / 100
	}
	p.shop(Step{After: at, From: who[len(who)-1], Means: CashOut, Cents: cents, Role: Mule, Hop: uint8(len(who))})
}

func structuring(p *plot) {
	who := p.accounts(p.between(1, 3))
	for hop := range p.between(4, 10) {
		p.shop(Step{
			After: p.within(0, 14*day), From: who[hop%len(who)], Means: CashIn, Role: Offender,
			Cents: min(p.cents(2*depositMedian, depositSigma), 999_999), Hop: uint8(hop),
		})
	}
}

func velocity(p *plot) {
	card, at := p.accounts(1)[0], time.Duration(0)
	for hop := range p.between(5, 15) {
		means := Card
		if p.between(0, 2) == 0 {
			means = Online
		}
		cents := p.cents(4_500, 900)
		p.shop(Step{After: at, From: card, Means: means, Cents: cents, Stranger: means == Online, Hop: uint8(hop)})
		at += p.within(30*time.Second, 8*time.Minute)
	}
}

func travel(p *plot) {
	card, at := p.accounts(1)[0], time.Duration(0)
	p.shop(Step{From: card, Means: Card, Cents: p.cents(2_600, 850)})
	for hop := range p.between(1, 4) {
		at += p.within(8*time.Minute, 50*time.Minute)
		p.shop(Step{After: at, From: card, Means: Card, Abroad: hop%2 == 0, Cents: p.cents(5_000, 900), Hop: uint8(hop + 1)})
	}
}

func bustOut(p *plot) {
	card := p.accounts(1)[0]
	for hop := range p.between(6, 12) { // good manners
		p.shop(Step{
			After: time.Duration(hop)*4*day + p.within(0, 2*day), From: card, Means: Card,
			Cents: p.cents(2_600, 850), Role: Offender, Hop: uint8(hop),
		})
	}
	for hop := range p.between(6, 14) {
		p.shop(Step{
			After: 50*day + p.within(0, 2*day), From: card, Means: Means(1 + p.between(0, 2)),
			Cents: p.cents(14_000, 900), Role: Offender, Hop: uint8(hop + 12),
		})
	}
}
