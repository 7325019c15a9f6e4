package bank

import (
	"math"
	"math/bits"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// foreseen is what is known of a slot before its time: when it is, whether it is
// for what follows, and what somebody begins there if nothing else is due.
//
// Slots are foreseen in groups, and what they need is fetched for the whole group: a
// bank does not fit into a processor's caches, and one slot after the other would
// wait for memory each time.
type foreseen struct {
	at      int64
	follows bool // it is for what follows
	fresh   bool // what somebody begins is known
	begun   pending
}

const foresight = 64 // slots in a group

// foresee returns what is known of the next slot of a lane.
func (e *engine) foresee(l *lane) *foreseen {
	if l.next == l.known {
		e.lookAhead(l)
		l.known += foresight
	}
	return &l.ahead[l.next%foresight]
}

// lookAhead foresees the group of slots from the next one on. What it reads from afar
// it reads in loops of its own, so that the processor waits for many at once.
func (e *engine) lookAhead(l *lane) {
	var fresh [foresight]*foreseen
	var draws [foresight]uint64
	l.lately.walk(l)
	// So much follows that one slot of eight must do for what customers do.
	flood := l.pending() > e.limit+e.limit/4
	some, sum := 0, int64(0)
	for i := range uint64(foresight) {
		n := l.next + i
		f := &l.ahead[n%foresight]
		turn := l.turn.At(n)
		f.at, f.follows = l.clock.At(n), l.batch.turn(turn)
		if flood {
			f.follows = turn&7 != 7
		}
		f.fresh = !f.follows || l.batch.idle(f.at)
		fresh[some], draws[some] = f, n*maxTries
		if f.fresh {
			some++
		}
	}
	for i, f := range fresh[:some] {
		who := e.somebody(l, moment{f.at, draws[i]})
		l.lately.add(who)
		f.begun.account, f.begun.flow, f.begun.market = who.account, who.flow, who.home
	}
	for _, f := range fresh[:some] {
		sum += e.fetch(f.begun.account)
	}
	for i, f := range fresh[:some] {
		e.begin(l, &f.begun, moment{f.at, draws[i]})
	}
	for _, f := range fresh[:some] {
		sum += e.fetchOther(&f.begun)
	}
	for i, f := range fresh[:some] {
		e.price(&f.begun, l.amount.At(draws[i]))
	}
	e.fetched += sum
}

// actor is somebody who does something.
type actor struct {
	account uint32
	flow    uint8
	home    uint8 // the market
}

// lately is who did something lately: whoever goes from shop to shop, or pays several
// bills at a time, does more of it a little later. Nobody is told beforehand to do so:
// whoever acts is, by chance, one of those who did so then.
type lately struct {
	actors []actor // a ring; a power of two
	made   uint64  // of them so far
	before uint64  // when the pace was measured
	pace   uint64  // how many act in 2^paceShift units of 1,024 microseconds
}

const (
	paceSlots = 4096
	paceShift = 26

	sessionShare  = 490_000          // ppm of those who do something who did so a little before
	sessionMedian = 75_000_000 >> 10 // since then, in units of 1,024 microseconds
)

// newLately remembers as many actors as a quarter of the customers, or some thousands.
// Where more act within a minute or so, there are fewer sessions, and in the end none.
func newLately(customers int) lately {
	return lately{actors: make([]actor, max(paceSlots, 1<<bits.Len(uint(customers/4))))}
}

// walk measures the pace of a lane now and then, at first more often: as many act in
// a time as did so before. What is to come is not asked, for it must not matter where
// a clock ends.
func (t *lately) walk(l *lane) {
	n := l.next
	if n%paceSlots != 0 && (n > paceSlots || n&(n-1) != 0) {
		return
	}
	t.pace = math.MaxInt64 >> paceShift // nobody goes on yet
	if n > 0 {
		span := l.clock.At(n) - l.clock.At(n-min(n, paceSlots))
		t.pace = (t.made - t.before) << paceShift / uint64(max(1, span>>10))
	}
	if n%paceSlots == 0 {
		t.before = t.made
	}
}

func (t *lately) add(a actor) {
	t.actors[t.made&uint64(len(t.actors)-1)] = a
	t.made++
}

// somebody chooses who begins something in a slot, and what: by chance somebody who
// goes on with what they were at.
func (e *engine) somebody(l *lane, now moment) actor {
	random := l.session.At(now.draw)
	if !generators.Chance(random, sessionShare) {
		return e.fresh(l, now)
	}
	t := &l.lately
	since := e.amounts.Draw(generators.Again(random), sessionMedian, generators.Sigma(900))
	back := uint64(since)*t.pace>>paceShift + 1
	if back > min(t.made, uint64(len(t.actors))) {
		return e.fresh(l, now)
	}
	return t.actors[(t.made-back)&uint64(len(t.actors)-1)]
}

// fetch reads what will be needed of an account, so that it is there by then. What
// it returns is worth nothing, but keeps the read.
func (e *engine) fetch(account uint32) int64 { return e.books.accounts[account].held }

func (e *engine) fetchOther(p *pending) int64 {
	switch e.m.flows[p.flow].With {
	case flow.Nobody, flow.EmployerOf:
		return 0
	case flow.AnAccount:
		return e.fetch(p.other)
	default:
		return e.shops[p.other].median
	}
}

// fetchAll and fetchSlips read what will be needed of what goes on soon.
func (e *engine) fetchAll(due []pending) {
	for i := range due {
		e.fetched += e.fetch(due[i].account) + e.fetchState(due[i].state, due[i].other)
	}
}

func (e *engine) fetchSlips(due []slip) {
	sum := int64(0)
	for i := range due {
		sum += e.fetch(due[i].account)
	}
	for i := range due {
		sum += e.fetchState(due[i].state, due[i].other)
	}
	e.fetched += sum
}

func (e *engine) fetchState(state int16, other uint32) int64 {
	if state == toBegin {
		return 0
	}
	switch shows := e.m.looks[state].shows; {
	case shows&showMerchant != 0:
		return e.books.tills[other]
	case shows&showOther != 0:
		return e.fetch(other)
	default:
		return 0
	}
}
