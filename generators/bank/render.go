package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/generators/market"
)

// renderer turns events into records.
type renderer struct {
	*world
	m       *machine
	kinds   []fraud.Kind
	strange generators.Rand
	person  generators.Rand
	detail  generators.Rand // of what only the records show, by the number of the flow
	words   *words
	market  *market.Market // nil: nobody trades
	opened  int64
	names   []string // of the streams
	roles   []string // of the accounts
	house   []string // the bank's own accounts, roles of each market
}

func newRenderer(c *Config, w *world, m *machine, kinds []fraud.Kind) *renderer {
	r := &renderer{
		world: w, m: m, kinds: kinds, strange: c.Seed.Rand("bank.stranger"), person: c.Seed.Rand("bank.person"),
		detail: c.Seed.Rand("bank.detail"), words: newWords(), opened: c.Start, names: Streams(),
	}
	if c.Clocks[flow.Trades] != nil {
		r.market = market.New(c.Seed)
	}
	for role := range flow.Role(roles) {
		r.roles = append(r.roles, role.String())
	}
	for i := range w.markets {
		for _, role := range r.roles {
			r.house = append(r.house, "bank-"+w.markets[i].Country+"-"+role)
		}
	}
	return r
}

// newDevices is how many of a million payments customers make from a device that
// they did not use before; guess.
const newDevices = 20_000

type payment = [payFields]generators.Value

func str(s string) generators.Value { return generators.Value{Str: s} }
func num(n int64) generators.Value  { return generators.Value{Int: n} }
func none() generators.Value        { return generators.Value{Null: true} }

// fillPayment writes an event of the payments into a record.
func (r *renderer) fillPayment(out *generators.Event, e *Event) {
	v := (*payment)(out.Values)
	s, m := &r.m.looks[e.State], &r.markets[e.Market]
	v[payEventTime] = num(e.At - e.At%1000)
	v[payEventType], v[payStatus], v[payChannel] = str(s.kind), str(s.status), str(s.channel)
	v[payPaymentID] = num(int64(e.Flow))
	v[payOrderID] = none()
	if e.Order > 0 {
		v[payOrderID] = num(int64(e.Order - 1))
	}
	v[payAccountID], v[payCustomerID] = str(r.account(e.Account)), str(r.customer(e.Account))
	v[payCardToken], v[payDevice], v[payTerminal] = none(), none(), none()
	if s.shows&showCard != 0 {
		v[payCardToken] = str(r.card(e.Account))
	}
	if s.shows&showDevice != 0 {
		v[payDevice] = str(r.device(e.Account))
		if e.Crime.stranger() { // a new one for each account, so that none gives a case away
			v[payDevice] = str(r.stranger(r.strange.Entity(e.Crime.number()).At(uint64(e.Account))))
		} else if random := r.detail.At(e.Flow); generators.Chance(random, newDevices) {
			v[payDevice] = str(r.stranger(generators.Again(random)))
		}
	}
	r.fillOther(v, s, e)
	v[payAmount], v[payBalance] = num(e.Amount), num(e.Balance)
	v[payCurrency], v[payExponent] = str(m.Currency), num(m.Exponent)
	v[payCode] = str(r.m.states[e.State].Codes[e.Code])
	v[paySynthetic] = num(1)
}

func (r *renderer) fillOther(v *payment, s *look, e *Event) {
	v[payCounterparty], v[payMCC] = none(), none()
	v[payCountry] = str(r.markets[e.Market].Country)
	switch {
	case s.shows&showMerchant != 0:
		v[payCounterparty], v[payMCC] = str(r.merchant(e.Other)), str(r.mcc(e.Other))
		v[payCountry] = str(r.country(e.Other))
		if s.shows&showTerminal != 0 {
			v[payTerminal] = str(r.terminal(e.Other))
		}
	case s.shows&showOther != 0:
		v[payCounterparty] = str(r.account(e.Other))
	}
}
