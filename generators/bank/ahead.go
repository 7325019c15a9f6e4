package bank

import "github.com/lakeproof/lakeproof/generators/flow"

// foreseen is what is known of a slot before its time: when it is, what its turn is
// drawn to be, and who begins what there if nothing else is due.
//
// Slots are foreseen in groups, and what they need is fetched for the whole group: a
// bank does not fit into a processor's caches, and one slot after the other would
// wait for memory each time.
type foreseen struct {
	at      int64
	turn    uint64
	account uint32
	which   uint8
	fresh   bool // whether account and which are known
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

// lookAhead foresees the group of slots from the next one on.
func (e *engine) lookAhead(l *lane) {
	var fresh [foresight]*foreseen
	var draws [foresight]uint64
	some, sum := 0, int64(0)
	for i := range uint64(foresight) {
		n := l.next + i
		f := &l.ahead[n%foresight]
		*f = foreseen{at: l.clock.At(n), turn: l.turn.At(n)}
		f.fresh = !l.batch.turn(f.turn)
		fresh[some], draws[some] = f, n*maxTries
		if f.fresh {
			some++
		}
	}
	for i, f := range fresh[:some] {
		f.which, f.account = e.fresh(l, moment{f.at, draws[i]})
	}
	for i, f := range fresh[:some] {
		sum += e.fetch(f.account) + e.fetchOther(e.m.flows[f.which], f.account, l.other.At(draws[i]))
	}
	e.fetched += sum
}

// fetch reads what will be needed of an account, so that it is there by then. What
// it returns is worth nothing, but keeps the read.
func (e *engine) fetch(account uint32) int64 { return e.books.accounts[account].held }

func (e *engine) fetchOther(f *flow.Flow, account uint32, random uint64) int64 {
	switch f.With {
	case flow.Nobody, flow.EmployerOf, flow.AnAccount:
		return 0
	default:
		g := &e.markets[e.books.accounts[account].home].guilds[guildWith(f.With)]
		return e.shops[g.first+uint32(g.popular.Pick(random))].median
	}
}

// fetchAll reads what will be needed of what goes on soon.
func (e *engine) fetchAll(due []pending) {
	sum := int64(0)
	for i := range due {
		p := &due[i]
		sum += e.fetch(p.account)
		if p.state == toBegin {
			continue
		}
		switch shows := e.m.looks[p.state].shows; {
		case shows&showMerchant != 0:
			sum += e.books.tills[p.other]
		case shows&showOther != 0:
			sum += e.fetch(p.other)
		}
	}
	e.fetched += sum
}
