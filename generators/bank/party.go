package bank

import (
	"math/rand/v2"

	"github.com/brianvoe/gofakeit/v7"

	"github.com/lakeproof/lakeproof/generators"
)

// Party is a side of a payment: who it is beyond what the record of the payment
// says. Nobody has no name.
type Party struct {
	Name     string // of a customer: that of the stream customers
	City     string // of a customer
	Country  string // ISO 3166-1 alpha-2
	Merchant bool   // or employer or biller
}

// Parties says who the account's owner and the other side of a payment are. It
// is asked of records of payments only, in their order.
func (p *part) Parties(seq uint64) (owner, other Party) {
	e, r := p.event(seq), p.stream.bank.renderer
	if e.State == noState {
		return owner, other
	}
	owner = r.party(e.Account)
	switch shows := r.m.looks[e.State].shows; {
	case shows&showMerchant != 0:
		row := r.merchants[int(e.Other)*rowSize:]
		name := row[nameAt+1:][:row[nameAt]]
		other = Party{Name: name, Country: r.country(e.Other), Merchant: true}
	case shows&showOther != 0:
		other = r.party(e.Other)
	}
	return owner, other
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
