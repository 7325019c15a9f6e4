package bank

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// Clock says when the events of a stream happen: event n at At(n), microseconds
// since the Unix epoch, never earlier than the one before.
type Clock interface{ At(n uint64) int64 }

// engine is the bank at work. It fills slots: event n of a stream happens at the
// n-th time of its clock, and is something that customers do or something that
// follows from it. So the rate is what the clock says, whatever the flows do, and
// everything is a function of the seed and the clocks.
//
// It runs in one goroutine. To render events is left to others.
type engine struct {
	*world
	m                *machine
	lanes            []lane
	books            *books
	crimes           *crimes
	waiting          waiting
	cases, nextCase  uint64 // how many there were, and the slot of the next one
	closed, employer generators.Rand
	habits           generators.Rand   // whom accounts pay
	calendars        []*calendar.Local // of the markets
	endings          []endings         // there
	zones            *calendar.Zones   // those of the markets, in their order; nil: all are awake
	rows             []row             // of the customers; nil: nobody asked for their changes
	paced            []uint8           // lanes that have a clock
	starts           []int             // lanes that begin with an event for each account
	entries          bool              // whether the ledger is written
	start            int64             // when the bank opened
	trouble          trouble           // of merchants
	end              int64             // no slot from then on is filled; 0: there is no end
	deposits         generators.Rand
	limit            int    // of what may be pending in a lane
	stuck            uint64 // slots in which nothing could happen
	fetched          int64  // worth nothing, but keeps the reads
}

// lane is one stream of events while the bank is at work.
type lane struct {
	name   string
	index  int
	clock  Clock            // nil: its events follow from those of others
	next   uint64           // number of the next event
	known  uint64           // slots that are foreseen, before this one
	acts   *wheel           // what customers will do of which nobody has seen anything yet
	wheel  *wheel           // what follows soon
	batch  batch            // what is due on another day
	begin  generators.Alias // which of starts begins
	starts []uint8          // flows
	block  []Event          // from next-len(block) on
	ahead  [foresight]foreseen
	lately lately    // who did something
	room   pending   // for what goes on
	spare  []pending // begun things whose slots others took
	*draws
}

// draws are a lane's random numbers, one purpose for each thing that is drawn.
type draws struct {
	who, what, other, place, travel, amount, part, way, wait, why, session, crime, turn generators.Rand
}

func newDraws(seed generators.Seed, lane string) *draws {
	draw := func(purpose string) generators.Rand { return seed.Rand("bank." + lane + "." + purpose) }
	return &draws{
		who: draw("who"), what: draw("what"), other: draw("other"), place: draw("place"), travel: draw("travel"),
		amount: draw("amount"), way: draw("way"), part: draw("part"), wait: draw("wait"), why: draw("why"),
		session: draw("session"), crime: draw("crime"), turn: draw("turn"),
	}
}

const (
	blockSize = 1024
	maxDepth  = 16  // states that are passed at once; flows are checked for less
	maxTries  = 256 // flows that end without an event, until a slot is given up
)

// advance fills slots, of all streams in the order of their times, until a block
// of one is full, and returns which, or nil at the end.
func (e *engine) advance() *lane {
	if l := e.opening(); l != nil {
		return l
	}
	for {
		var first *lane
		var f *foreseen
		for _, i := range e.paced {
			l := &e.lanes[i]
			next := e.foresee(l)
			// Clocks that have come to their end stand still: nobody is forgotten then.
			if first == nil || next.at < f.at || next.at == f.at && l.next < first.next {
				first, f = l, next
			}
		}
		if e.end != 0 && f.at >= e.end {
			return nil
		}
		e.slot(first, f)
		if len(first.block) == blockSize {
			return first
		}
		if first.next == first.known { // a group is done: often enough
			if l := e.follow(f.at); l != nil {
				return l
			}
		}
	}
}

// slot fills the next slot of a lane. By chance it is for what customers do, or
// for what follows from that; so what they do keeps the hours and the days that
// the clock has, whatever follows when.
func (e *engine) slot(l *lane, f *foreseen) {
	if e.crimes != nil && l.index == 0 && l.next == e.nextCase {
		e.crimes.occur(e, l, f.at)
	}
	if f.at >= l.batch.until {
		l.batch.look(f.at)
	}
	for try := range uint64(maxTries) {
		if e.happen(l, f, moment{f.at, l.next*maxTries + try}) {
			l.next++
			l.batch.done[0] += uint64(1 - l.batch.follows)
			return
		}
	}
	e.stuck++
	l.block = append(l.block, Event{At: f.at, State: noState})
	l.next++
}

const noState = 1<<16 - 1

// moment is when something happens, and the number of what is drawn for it.
type moment struct {
	at   int64
	draw uint64
}

// happen lets the earliest thing that is due go on, or something new begin, and
// reports whether there was an event.
func (e *engine) happen(l *lane, f *foreseen, now moment) bool {
	if f.follows && e.following(l, now.at, &l.room) {
		l.save(f)
		l.batch.follows, l.batch.done[1] = 1, l.batch.done[1]+1
		happened := e.proceed(l, &l.room, now)
		if happened {
			l.batch.seen++
		}
		return happened
	}
	l.batch.follows = 0
	if l.acts.peek(now.at) != nil {
		l.save(f)
		e.fetchAll(l.acts.begun())
		l.room = l.acts.pop()
		return e.proceed(l, &l.room, now)
	}
	p := &f.begun
	switch n := len(l.spare); {
	case f.fresh:
		f.fresh = false
	case n > 0:
		*p, l.spare = l.spare[n-1], l.spare[:n-1]
		p.due = now.at
	default:
		// Nobody goes on here: whose first thing shows on another day would do so again
		// and again within one slot.
		who := e.fresh(l, now)
		p.account, p.flow, p.market = who.account, who.flow, who.home
		e.begin(l, p, now)
		e.price(p, l.amount.At(now.draw))
	}
	return e.enter(l, p, now)
}

// save keeps what somebody would have begun in a slot that is taken: it begins where
// a slot is left. Else many of an account's payments would be lost, and its habits
// with them; only in a rush are some few.
func (l *lane) save(f *foreseen) {
	if f.fresh && len(l.spare) < foresight {
		l.spare = append(l.spare, f.begun)
	}
	f.fresh = false
}

// fresh chooses somebody who begins something who was not at it before.
func (e *engine) fresh(l *lane, now moment) actor {
	which := l.starts[l.begin.Pick(l.what.At(now.draw))]
	home := e.awake(now.at, l.place.At(now.draw))
	return actor{e.anybody(&e.markets[home], e.m.flows[which], l.who.At(now.draw)), which, home}
}

// following takes what is due of what follows, and reports whether there was any.
func (e *engine) following(l *lane, at int64, p *pending) bool {
	if l.wheel.peek(at) != nil {
		e.fetchAll(l.wheel.begun())
		*p = l.wheel.pop()
		return true
	}
	f := l.batch.due(at)
	if f == nil {
		return false
	}
	e.fetchSlips(f.begun())
	f.take(p)
	return true
}

// proceed lets something go on that is due.
func (e *engine) proceed(l *lane, p *pending, now moment) bool {
	if p.state == toBegin {
		e.again(l, p, now)
		short := p.amount
		p.market = e.books.accounts[p.account].home
		e.begin(l, p, now)
		e.price(p, l.amount.At(now.draw))
		p.amount += short
	}
	return e.enter(l, p, now)
}

// later lets a flow go on when it is due. A bank can only remember so much: where
// that is pending, what is due later happens at once.
func (e *engine) later(l *lane, p *pending, now moment) {
	if p.due > now.at {
		few := e.limit / 4
		if over := l.pending() - 3*few; over > 0 &&
			generators.Below(generators.Again(now.draw^uint64(p.account)<<32), uint64(few)) < uint64(over) {
			p.due = now.at
		}
	}
	l.push(p, now.at)
}

// push adds something to what is pending.
func (l *lane) push(p *pending, now int64) {
	switch {
	case p.due-now >= BatchAfter:
		l.batch.push(p)
	case p.number == 0:
		l.acts.push(*p)
	default:
		l.batch.caused[l.batch.follows]++
		l.wheel.push(*p)
	}
}

// pending is how much is pending.
func (l *lane) pending() int { return l.acts.count + l.wheel.count + l.batch.count() }

// awake chooses the market in which somebody does something: by the number of
// its customers and, where the zones are known, the hour of their day.
func (e *engine) awake(at int64, random uint64) uint8 {
	if e.zones != nil {
		return uint8(e.zones.Pick(at, random))
	}
	return e.anywhere(random)
}

// again plans what comes after something that begins by itself each month.
func (e *engine) again(l *lane, p *pending, now moment) {
	switch every := &e.m.flows[p.flow].Start.Every; {
	case every.Calendar():
		next := *p
		next.due = e.day(every, e.books.accounts[p.account].home, now.at)
		next.due += int64(l.wait.At(now.draw) >> 31) // within some 2.4 hours
		l.batch.push(&next)
	case int(p.flow) == e.m.topUp:
		e.books.accounts[p.account].short = false
	}
}

// begin begins a flow of an account, which is at home in a market.
func (e *engine) begin(l *lane, p *pending, now moment) {
	f := e.m.flows[p.flow]
	*p = pending{due: now.at, account: p.account, state: int16(f.First), flow: p.flow, market: p.market}
	if f.Abroad > 0 && generators.Chance(l.travel.At(now.draw), uint64(f.Abroad)) {
		p.market = e.anywhere(generators.Again(l.travel.At(now.draw)))
	}
	e.choose(f, p, l.other.At(now.draw))
}

// choose chooses the other side.
func (e *engine) choose(f *flow.Flow, p *pending, random uint64) {
	switch f.With {
	case flow.Nobody:
	case flow.AnAccount:
		p.other = e.payee(p.account)
	case flow.EmployerOf: // always the same one
		g := &e.markets[p.market].guilds[employers]
		p.other = g.first + uint32(g.popular.Pick(e.employer.At(uint64(p.account))))
	default:
		g := &e.markets[p.market].guilds[guildWith(f.With)]
		p.other = g.first + uint32(g.popular.Pick(random))
	}
}

// price draws the amount with which a flow begins by itself.
func (e *engine) price(p *pending, random uint64) {
	f, here := e.m.flows[p.flow], &e.markets[p.market]
	switch f.Amount.Law {
	case flow.NoAmount:
	case flow.OfMerchant:
		shop := &e.shops[p.other]
		p.amount = e.amounts.Draw(random, shop.median, shop.spread)
	case flow.AnyAmount, flow.OfParent:
		p.amount = e.amounts.Draw(random, max(1, here.Price(f.Amount.Median)), f.Amount.Spread)
	case flow.NotesOfMoney:
		p.amount = here.notes(e.amounts.Draw(random, max(1, here.Price(f.Amount.Median)), f.Amount.Spread))
	}
}

// notes is the nearest amount that a cash machine gives.
func (p *place) notes(amount int64) int64 { return max(1, min((amount+p.Note/2)/p.Note, 40)) * p.Note }

// clone returns an engine in the same state that shares nothing that changes.
func (e *engine) clone() *engine {
	c := *e
	c.books = e.books.clone()
	c.rows = slices.Clone(e.rows)
	c.waiting, c.endings = e.waiting.clone(), slices.Clone(e.endings)
	c.lanes = slices.Clone(e.lanes)
	for i := range c.lanes {
		c.lanes[i].acts, c.lanes[i].wheel = c.lanes[i].acts.clone(), c.lanes[i].wheel.clone()
		c.lanes[i].batch = c.lanes[i].batch.clone()
		c.lanes[i].lately.actors = slices.Clone(c.lanes[i].lately.actors)
		c.lanes[i].spare, c.lanes[i].block = slices.Clone(c.lanes[i].spare), slices.Clone(c.lanes[i].block)
	}
	return &c
}
