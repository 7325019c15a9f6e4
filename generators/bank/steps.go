package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// enter brings a flow into its next state, and on to the state after it as long
// as nothing is to be waited for. It reports whether there was an event.
func (e *engine) enter(l *lane, p *pending, now moment) bool {
	happened := false
	for depth := range uint64(maxDepth) {
		s, look := &e.m.states[p.state], &e.m.looks[p.state]
		if int(look.lane) != l.index || s.Emit != flow.NoEvent && happened { // the event is another slot's
			p.due = now.at
			e.lanes[look.lane].push(p, now.at)
			return happened
		}
		now.draw += depth << 40
		e.settle(l, s, p, now)
		if s.Emit != flow.NoEvent {
			e.emit(l, s, p, now)
			happened = true
		}
		if s.Tell != flow.Nothing && p.caller > 0 {
			e.tell(p, s.Tell.Fact(), now)
		}
		if s.Starts >= 0 {
			e.call(l, s, p, now)
			return happened
		}
		if !e.leave(l, s, p, 0, now) {
			return happened
		}
		if p.due > now.at {
			e.later(l, p, now)
			return happened
		}
	}
	return happened
}

// settle does what entering a state does to the books.
func (e *engine) settle(l *lane, s *flow.State, p *pending, now moment) {
	purse := &e.books.accounts[p.account]
	home := purse.home
	if s.Release {
		purse.held -= e.worth(p.amount, p.market, home)
	}
	if s.High > 0 {
		share := int64(s.Low) + int64(generators.Below(l.part.At(now.draw), uint64(s.High-s.Low+1)))
		p.amount = max(1, p.amount*share/1_000_000)
	}
	if s.Hold {
		purse.held += e.worth(p.amount, p.market, home)
	}
	if len(s.Posts) > 0 {
		e.pay(l, s, p, now.at)
	}
}

// pay does the postings of a state.
func (e *engine) pay(l *lane, s *flow.State, p *pending, at int64) {
	var who parties
	who.account, who.other = p.account, p.other
	who.home, who.there, who.here = e.books.accounts[p.account].home, p.market, p.market
	if look := &e.m.looks[p.state]; look.shows&showMerchant == 0 && look.shows&showOther != 0 {
		who.there = e.books.accounts[p.other].home
	}
	if e.entries {
		e.payAndRecord(l, s, p, &who, at)
		return
	}
	for i := range s.Posts {
		post := &s.Posts[i]
		e.books.post(e.world, post.From, post.To, &who, e.posted(p, post))
	}
}

func (e *engine) payAndRecord(l *lane, s *flow.State, p *pending, who *parties, at int64) {
	book := e.booking(l, p, s.Emit != flow.NoEvent, at)
	for i := range s.Posts {
		post := &s.Posts[i]
		m := e.books.post(e.world, post.From, post.To, who, e.posted(p, post))
		e.record(&book, post, who, m)
	}
}

// posted is what a posting moves.
func (e *engine) posted(p *pending, post *flow.Posting) int64 {
	if !post.Fee {
		return p.amount
	}
	fee := e.m.flows[p.flow].Fee
	return p.amount*int64(fee.Part)/1_000_000 + e.markets[p.market].Price(fee.Cents)
}

// emit makes the event of a state.
func (e *engine) emit(l *lane, s *flow.State, p *pending, now moment) {
	if p.number == 0 {
		p.number = l.next + 1
		if l.index == int(flow.Trades) {
			p.order = uint64(now.at)
		}
	}
	l.block = append(l.block, Event{})
	ev := &l.block[len(l.block)-1] // written where it stays: to copy what was just written takes longer than to write it
	ev.At, ev.Amount, ev.Balance = now.at, p.amount, e.available(p.account)
	ev.Flow, ev.Order, ev.Crime = p.number-1, p.order, p.crime
	ev.Account, ev.Other = p.account, p.other
	ev.State, ev.Market, ev.Times = uint16(p.state), p.market, p.times
	if len(s.Codes) > 1 {
		ev.Code = uint8(s.Why.Pick(l.why.At(now.draw)))
	}
	if p.crime != 0 {
		e.crimes.label(e, l, ev)
	}
	if e.rows != nil && e.m.looks[p.state].kyc != kycNone {
		e.lanes[customers].wheel.push(pending{due: now.at, account: p.account, state: p.state, flow: becomesKnown})
	}
}

// call starts another flow and lets this one wait for its outcome.
func (e *engine) call(l *lane, s *flow.State, p *pending, now moment) {
	f := e.m.flows[s.Starts]
	child := pending{
		due: now.at, account: p.account, other: p.other, crime: p.crime, market: p.market,
		state: int16(f.First), flow: uint8(s.Starts), caller: e.waiting.put(p),
	}
	if stream := e.m.flows[p.flow].Stream; stream == flow.Orders {
		child.order = p.number
	} else if stream == flow.Payments {
		child.order = p.order
	}
	if f.With != e.m.flows[p.flow].With {
		e.choose(f, &child, l.other.At(now.draw))
	}
	share := int64(f.Amount.Low) + int64(generators.Below(l.amount.At(now.draw), uint64(f.Amount.High-f.Amount.Low+1)))
	child.amount = max(1, p.amount*share/1_000_000)
	e.lanes[f.Stream].push(&child, now.at)
}

// tell lets the flow that waits for this one go on.
func (e *engine) tell(p *pending, outcome flow.Facts, now moment) {
	caller := e.waiting.take(p.caller)
	p.caller = 0
	look := &e.m.looks[caller.state]
	l := &e.lanes[look.lane]
	if e.leave(l, &e.m.states[caller.state], &caller, outcome, now) {
		e.later(l, &caller, now)
	}
}

// available is what an account may spend.
func (e *engine) available(account uint32) int64 {
	a := &e.books.accounts[account]
	return a.booked - a.held
}

// leave chooses the way out of a state and when its end is reached. It reports
// whether there is one.
func (e *engine) leave(l *lane, s *flow.State, p *pending, facts flow.Facts, now moment) bool {
	if len(s.Next) == 0 {
		return false
	}
	if s.Asks != 0 {
		facts |= e.facts(l, s.Asks, p, now)
	}
	t := &s.Next[0]
	if !t.Sure() {
		if t = s.Leave(facts, p.times, l.way.At(now.draw)); t == nil {
			return false
		}
	}
	if t.Times > 0 {
		p.times++
	}
	p.state, p.due = int16(t.To), now.at
	switch {
	case t.After.Law == flow.AtOnce:
	case t.After.Calendar():
		p.due = e.day(&t.After, p.market, now.at)
		if t.After.Law == flow.MonthlyDay { // what comes in other months belongs to no case
			p.crime = 0
		}
	default:
		p.due += t.After.Draw(l.wait.At(now.draw), e.amounts)
	}
	return true
}

// facts is what holds of what is asked.
func (e *engine) facts(l *lane, asked flow.Facts, p *pending, now moment) (known flow.Facts) {
	home := e.books.accounts[p.account].home
	if asked&flow.InsufficientFunds != 0 {
		if short := e.worth(p.amount, p.market, home) - e.available(p.account); short > 0 {
			known |= flow.InsufficientFunds
			e.fillUp(l, p.account, short, now)
		}
	}
	if asked&flow.AccountClosed != 0 && e.isClosed(p.account, now.at) {
		known |= flow.AccountClosed
	}
	if asked&flow.CounterpartyClosed != 0 && e.isClosed(p.other, now.at) {
		known |= flow.CounterpartyClosed
	}
	if asked&flow.MerchantInTrouble != 0 && e.trouble.has(p.other) {
		known |= flow.MerchantInTrouble
	}
	if p.market != home {
		known |= flow.Abroad
	}
	if p.caller > 0 {
		known |= flow.Started
	}
	return known
}

// fillUp lets somebody whose money does not suffice have what is missing and
// something more, unless that is under way.
func (e *engine) fillUp(l *lane, account uint32, short int64, now moment) {
	purse := &e.books.accounts[account]
	if e.m.topUp < 0 || purse.short {
		return
	}
	to := &e.lanes[e.m.flows[e.m.topUp].Stream]
	if to.clock == nil {
		return
	}
	purse.short = true
	wait := e.amounts.Draw(l.wait.At(now.draw), topUpMedian, generators.Sigma(1000)) << 10
	to.wheel.push(pending{due: now.at + wait, amount: short, account: account, state: toBegin, flow: uint8(e.m.topUp)})
}

// topUpMedian is two hours, in units of 1,024 microseconds.
const topUpMedian = 7_200_000_000 >> 10
