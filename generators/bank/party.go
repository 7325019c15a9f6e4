package bank

import (
	"math/rand/v2"

	"github.com/brianvoe/gofakeit/v7"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// Party is a side of a payment: who it is beyond what the record of the payment
// says. Nobody has no name.
type Party struct {
	Name     string // of a customer: that of the stream customers
	City     string // of a customer
	Country  string // ISO 3166-1 alpha-2
	Merchant bool   // or employer or biller
}

// Parties says who the account's owner and the other side of a payment are; of an
// entry of the ledger, who is debited and who is credited. It is asked of records
// of these streams only, in their order.
func (p *part) Parties(seq uint64) (owner, other Party) {
	e, r := p.event(seq), p.stream.bank.renderer
	if p.lane == ledger {
		what := entry(e.Balance)
		return r.holderParty(what.from(), e.Account), r.holderParty(what.to(), e.Other)
	}
	if e.State == noState {
		return owner, other
	}
	owner = r.party(e.Account)
	switch shows := r.m.looks[e.State].shows; {
	case shows&showMerchant != 0:
		other = r.shop(e.Other)
	case shows&showOther != 0:
		other = r.party(e.Other)
	}
	return owner, other
}

// holderParty is who has the account of a role; the bank's own have no name.
func (r *renderer) holderParty(role flow.Role, number uint32) Party {
	switch role {
	case flow.Customer, flow.Counterparty:
		return r.party(number)
	case flow.Merchant:
		return r.shop(number)
	default:
		return Party{}
	}
}

func (r *renderer) shop(number uint32) Party {
	row := r.merchants[int(number)*rowSize:]
	return Party{Name: row[nameAt+1:][:row[nameAt]], Country: r.country(number), Merchant: true}
}

func (r *renderer) party(account uint32) Party {
	given, family, city := r.owner(account)
	return Party{Name: given + " " + family, City: city, Country: r.markets[r.homes[account]].Country}
}

// owner is who has an account. The names are made each time: a bank has many
// customers, and few of them are asked for.
func (r *renderer) owner(account uint32) (given, family, city string) {
	random := r.person.At(uint64(account))
	fake := gofakeit.NewFaker(rand.NewPCG(random, uint64(account)), false)
	given, family = fake.FirstName(), fake.LastName()
	cities := r.markets[r.homes[account]].Cities
	return given, family, cities[generators.Below(random, uint64(len(cities)))]
}
