package bank

import (
	"sort"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
)

// crimes begins cases among the slots of the payments and labels what comes of
// them.
type crimes struct {
	kinds []fraud.Kind
	none  float64          // the logarithm of how likely it is that no case begins in a slot
	which generators.Alias // which kind
	rand  generators.Rand  // an entity for each case
	delay generators.Rand
	steps []fraud.Step

	longest int64 // microseconds that a case takes, at most
}

// occur begins a case in a slot, and says in which one the next begins: in each as
// likely as in any other.
func (c *crimes) occur(e *engine, l *lane, at int64) {
	random := l.crime.At(l.next)
	c.begin(e, l, generators.Again(random), at)
	e.nextCase = l.next + 1 + c.gap(random)
}

// gap is in how many slots no case begins.
func (c *crimes) gap(random uint64) uint64 {
	part := (float64(random>>11) + 0.5) / (1 << 53)
	return uint64(min(1<<62, generators.Ln(part)/c.none))
}

// begin plans a case that begins at a time. What should have happened before the
// bank opened did so elsewhere.
func (c *crimes) begin(e *engine, l *lane, random uint64, at int64) {
	number := e.cases
	e.cases++
	kind := c.which.Pick(random)
	c.steps = c.kinds[kind].Plan(c.steps[:0], c.rand.Entity(number), cast{e}, e.amounts)
	for i := range c.steps {
		s := &c.steps[i]
		f := e.m.means[s.Means]
		p := pending{
			due: at + s.After.Microseconds(), account: s.From, other: s.To, flow: uint8(f),
			state: int16(e.m.flows[f].First), market: e.homes[s.From],
			crime: newCrime(number, kind, uint8(s.Role), s.Hop, s.Stranger),
		}
		if p.due < e.start {
			continue
		}
		if s.Means != fraud.Transfer {
			p.market = e.shops[s.To].market
		}
		here := &e.markets[p.market]
		p.amount = max(1, here.Price(s.Cents))
		if e.m.flows[f].Amount.Law == flow.NotesOfMoney {
			p.amount = here.notes(p.amount)
		}
		l.acts.push(p)
	}
}

// before begins the cases that are under way when the bank opens; so there is as
// much crime on the first day as on any other.
func (c *crimes) before(e *engine, l *lane, perSlot float64) {
	const some = 1 << 14
	end := l.clock.At(some)
	slots := sort.Search(some, func(n int) bool { return l.clock.At(uint64(n)) >= end }) // fewer where the clock ends
	gap := max(1, float64(end-l.clock.At(0))/float64(max(1, slots)))
	cases := perSlot / gap * float64(c.longest)
	n := uint64(min(cases, maxBefore))
	span := float64(c.longest) * min(1, maxBefore/max(1, cases))
	draw := c.rand.Entity(1 << 51)
	for i := range n {
		ago := int64(float64(draw.At(2*i)>>11) / (1 << 53) * span)
		c.begin(e, l, draw.At(2*i+1), e.start-ago)
	}
}

// maxBefore is the most cases that are under way when the bank opens.
const maxBefore = 1 << 16

// label plans the label of an event.
func (c *crimes) label(e *engine, l *lane, ev *Event) {
	d := &c.kinds[ev.Crime.kind()].Delay
	wait := e.amounts.Draw(c.delay.At(l.next), d.Median.Microseconds()>>10, d.Spread) << 10
	e.lanes[labels].wheel.push(pending{
		due: ev.At + wait, amount: ev.Amount, number: ev.Flow + 1, order: l.next + 1, crime: ev.Crime,
		account: ev.Account, other: ev.Other, state: int16(ev.State), market: ev.Market,
	})
}

// reveal makes the labels up to a time. It returns the lane if its block is full.
func (e *engine) reveal(at int64) *lane {
	l := &e.lanes[labels]
	for l.wheel.peek(at) != nil {
		p := l.wheel.pop()
		l.block = append(l.block, Event{
			At: p.due, Amount: p.amount, Flow: p.number - 1, Order: p.order, Crime: p.crime,
			Account: p.account, Other: p.other, State: uint16(p.state), Market: p.market,
		})
		l.next++
		if len(l.block) == blockSize {
			return l
		}
	}
	return nil
}

// cast is the bank's customers and merchants as those of a case.
type cast struct{ *engine }

// Account implements [fraud.Cast]: the busier, the likelier.
func (c cast) Account(random uint64) uint32 {
	m := &c.markets[c.anywhere(random)]
	return c.buyer(m, generators.Again(random))
}

// Merchant implements [fraud.Cast].
func (c cast) Merchant(account uint32, means fraud.Means, abroad bool, random uint64) uint32 {
	market := c.homes[account]
	if abroad {
		others := uint64(len(c.markets) - 1)
		market = uint8((uint64(market) + 1 + generators.Below(generators.Again(random), others)) % (others + 1))
	}
	g := &c.markets[market].guilds[guildFor(means)]
	return g.first + uint32(g.popular.Pick(random))
}

func guildFor(m fraud.Means) int {
	switch m {
	case fraud.Online:
		return online
	case fraud.CashOut, fraud.CashIn:
		return machines
	default:
		return inShops
	}
}
