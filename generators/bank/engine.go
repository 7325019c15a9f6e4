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
	cases            uint64 // so far
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

	sessionShare  = 420_000          // ppm of what somebody does that is followed by more
	sessionMedian = 75_000_000 >> 10 // until then, in units of 1,024 microseconds
)

// advance fills slots, of all streams in the order of their times, until a block
// of one is full, and returns which, or nil at the end.
func (e *engine) advance() *lane {
	if l := e.opening(); l != nil {
		return l
	}
	for {
		var first *lane
		var at int64
		for _, i := range e.paced {
			l := &e.lanes[i]
			// Clocks that have come to their end stand still: nobody is forgotten then.
			if t := e.foresee(l).at; first == nil || t < at || t == at && l.next < first.next {
				first, at = l, t
			}
		}
		if e.end != 0 && at >= e.end {
			return nil
		}
		e.slot(first, at)
		if len(first.block) == blockSize {
			return first
		}
		if l := e.follow(at); l != nil {
			return l
		}
	}
}

// slot fills the next slot of a lane. By chance it is for what customers do, or
// for what follows from that; so what they do keeps the hours and the days that
// the clock has, whatever follows when.
func (e *engine) slot(l *lane, at int64) {
	if e.crimes != nil && l.index == 0 {
		e.crimes.perhaps(e, l, at)
	}
	l.batch.look(at)
	turn := e.foresee(l).turn
	follows := l.batch.turn(turn)
	if l.pending() > e.limit+e.limit/4 { // so much follows that one slot of eight must do
		follows = turn&7 != 7
	}
	for try := range uint64(maxTries) {
		if e.happen(l, moment{at, l.next*maxTries + try}, follows) {
			l.next++
			l.batch.done[0] += uint64(1 - l.batch.follows)
			return
		}
	}
	e.stuck++
	l.block = append(l.block, Event{At: at, State: noState})
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
func (e *engine) happen(l *lane, now moment, follows bool) bool {
	if follows {
		var room pending
		if p := e.following(l, now.at, &room); p != nil {
			l.batch.follows, l.batch.done[1] = 1, l.batch.done[1]+1
			happened := e.proceed(l, p, now)
			if happened {
				l.batch.seen++
			}
			return happened
		}
	}
	l.batch.follows = 0
	if l.acts.peek(now.at) != nil {
		e.fetchAll(l.acts.begun())
		p := l.acts.pop()
		return e.proceed(l, &p, now)
	}
	var which uint8
	var account uint32
	if f := e.foresee(l); f.fresh && now.draw%maxTries == 0 {
		which, account = f.which, f.account
	} else {
		which, account = e.fresh(l, now)
	}
	var p pending
	e.begin(l, &p, which, account, now)
	e.goOn(l, which, account, now)
	return e.enter(l, &p, now)
}

// fresh chooses what somebody begins who was not at it before, and who.
func (e *engine) fresh(l *lane, now moment) (which uint8, account uint32) {
	which = l.starts[l.begin.Pick(l.what.At(now.draw))]
	market := &e.markets[e.awake(now.at, l.place.At(now.draw))]
	return which, e.somebody(market, e.m.flows[which], l.who.At(now.draw))
}

// following takes what is due of what follows, or returns nil. There is room for it.
func (e *engine) following(l *lane, at int64, room *pending) *pending {
	if l.wheel.peek(at) != nil {
		e.fetchAll(l.wheel.begun())
		*room = l.wheel.pop()
		return room
	}
	f := l.batch.due(at)
	if f == nil {
		return nil
	}
	e.fetchAll(f.begun())
	return f.take()
}

// proceed lets something go on that is due.
func (e *engine) proceed(l *lane, p *pending, now moment) bool {
	if p.state == toBegin {
		e.again(l, p, now)
		short := p.amount
		e.begin(l, p, p.flow, p.account, now)
		p.amount += short
	}
	return e.enter(l, p, now)
}

// goOn lets somebody who did something do more of it a little later: one goes
// from shop to shop, and pays several bills at a time.
func (e *engine) goOn(l *lane, which uint8, account uint32, now moment) {
	random := l.session.At(now.draw)
	if !generators.Chance(random, sessionShare) {
		return
	}
	wait := e.amounts.Draw(generators.Again(random), sessionMedian, generators.Sigma(900)) << 10
	e.later(l, &pending{due: now.at + wait, account: account, state: toBegin, flow: which}, now)
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

// again plans what comes after something that begins by itself: what comes each
// month, and more of what somebody is at.
func (e *engine) again(l *lane, p *pending, now moment) {
	switch every := &e.m.flows[p.flow].Start.Every; {
	case every.Calendar():
		next := *p
		next.due = e.day(every, e.books.accounts[p.account].home, now.at)
		next.due += int64(l.wait.At(now.draw) >> 31) // within some 2.4 hours
		l.batch.push(&next)
	case int(p.flow) == e.m.topUp:
		e.books.accounts[p.account].short = false
	default:
		e.goOn(l, p.flow, p.account, now)
	}
}

// begin begins a flow of an account.
func (e *engine) begin(l *lane, p *pending, which uint8, account uint32, now moment) {
	f := e.m.flows[which]
	*p = pending{}
	p.due, p.account, p.state, p.flow = now.at, account, int16(f.First), which
	p.market = e.books.accounts[account].home
	if f.Abroad > 0 && generators.Chance(l.travel.At(now.draw), uint64(f.Abroad)) {
		p.market = e.anywhere(generators.Again(l.travel.At(now.draw)))
	}
	e.choose(f, p, l.other.At(now.draw))
	e.price(f, p, l.amount.At(now.draw))
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
func (e *engine) price(f *flow.Flow, p *pending, random uint64) {
	here := &e.markets[p.market]
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
		c.lanes[i].block = slices.Clone(c.lanes[i].block)
	}
	return &c
}
