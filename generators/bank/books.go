package bank

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators/flow"
)

// books is who owns how much: the accounts of the customers and merchants, and
// those of the bank itself in every currency. Every posting takes from one
// account what it gives to another of the same currency, so the sum of each
// currency is what it was at the opening: nothing.
//
// Customers' accounts are kept in minor units of their market's currency. What
// is held is still theirs, but not to be spent.
type books struct {
	accounts []purse
	tills    []int64 // of the merchants
	house    [][roles]int64
	currency []uint8 // of each market, as the number of the first market that has it
	posted   uint64
}

// purse is the account of a customer, and what else the bank needs whenever it
// looks there.
type purse struct {
	booked, held int64
	paid         uint32 // how often it chose whom to pay
	home         uint8  // its market
	short        bool   // whether a top-up is under way
	closes       int64  // when it is closed
}

// roles is how many accounts the bank itself has in each market. Those of the
// customers and merchants are not among them, and stay empty.
const roles = int(flow.Employer) + 1

func newBooks(w *world) *books {
	b := &books{
		accounts: make([]purse, w.customers()), tills: make([]int64, len(w.shops)),
		house: make([][roles]int64, len(w.markets)), currency: make([]uint8, len(w.markets)),
	}
	for i, home := range w.homes {
		b.accounts[i].home = home
	}
	first := map[string]uint8{}
	for i, m := range w.markets {
		if _, ok := first[m.Currency]; !ok {
			first[m.Currency] = uint8(i)
		}
		b.currency[i] = first[m.Currency]
	}
	return b
}

// parties are those whom a posting can mean, and where.
type parties struct {
	account, other    uint32 // the customer; the merchant or the other account
	home, there, here uint8  // the customer's market, the other's, and the one in whose currency the amount is
}

// at is the account of a role, and the market in whose currency it is kept.
func (b *books) at(r flow.Role, p *parties) (*int64, uint8) {
	switch r {
	case flow.Customer:
		return &b.accounts[p.account].booked, p.home
	case flow.Counterparty:
		return &b.accounts[p.other].booked, p.there
	case flow.Merchant:
		return &b.tills[p.other], p.there
	default:
		return &b.house[p.here][r], p.here
	}
}

// number is the account of a role among those of its kind; of an account of the
// bank it is the market's.
func (p *parties) number(r flow.Role) uint32 {
	switch r {
	case flow.Customer:
		return p.account
	case flow.Counterparty, flow.Merchant:
		return p.other
	default:
		return uint32(p.here)
	}
}

// move is what a posting did: what went out of the one account, what came into
// the other, and in whose currencies.
type move struct {
	out, in     int64
	here, there uint8
}

// worth converts an amount from the currency of one market to another's.
func (w *world) worth(amount int64, from, to uint8) int64 {
	a, b := &w.markets[from], &w.markets[to]
	if from == to || a.Currency == b.Currency {
		return amount
	}
	return amount * b.PerEuro / a.PerEuro // amounts are below 2^40, prices below 2^18
}

// post moves an amount. Where an account is kept in another currency the bank
// changes it: it takes the one and gives the other.
func (b *books) post(w *world, from, to flow.Role, p *parties, amount int64) move {
	source, here := b.at(from, p)
	target, there := b.at(to, p)
	m := move{amount, amount, here, there}
	if b.changes(m, p) {
		m.out, m.in = w.worth(amount, p.here, here), w.worth(amount, p.here, there)
		b.house[here][flow.FX] += m.out
		b.house[there][flow.FX] -= m.in
	}
	*source -= m.out
	*target += m.in
	b.posted++
	return m
}

// changes reports whether the bank changes money on the way.
func (b *books) changes(m move, p *parties) bool {
	return b.currency[m.here] != b.currency[m.there] || b.currency[m.here] != b.currency[p.here]
}

// sums are the sums over all accounts by currency: each must be zero.
func (b *books) sums(w *world) map[string]int64 {
	out := map[string]int64{}
	for i, a := range b.accounts {
		out[w.markets[w.homes[i]].Currency] += a.booked
	}
	for i, till := range b.tills {
		out[w.markets[w.shops[i].market].Currency] += till
	}
	for i, accounts := range b.house {
		for _, n := range accounts {
			out[w.markets[i].Currency] += n
		}
	}
	return out
}

func (b *books) clone() *books {
	c := *b
	c.accounts, c.tills, c.house = slices.Clone(b.accounts), slices.Clone(b.tills), slices.Clone(b.house)
	return &c
}
