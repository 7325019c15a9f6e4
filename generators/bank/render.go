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

// set and count write what is never null, and leave alone what is not read of such
// a value: half the stores, and for a number no pointer.
func set(v *generators.Value, s string)  { v.Str, v.Null = s, false }
func count(v *generators.Value, n int64) { v.Int, v.Null = n, false }

// fillPayment writes an event of the payments into a record.
func (r *renderer) fillPayment(out *generators.Event, e *Event) {
	v := (*payment)(out.Values)
	s, m := &r.m.looks[e.State], &r.markets[e.Market]
	count(&v[payEventTime], e.At-e.At%1000)
	set(&v[payEventType], s.kind)
	set(&v[payStatus], s.status)
	set(&v[payChannel], s.channel)
	count(&v[payPaymentID], int64(e.Flow))
	v[payOrderID] = none()
	if e.Order > 0 {
		v[payOrderID] = num(int64(e.Order - 1))
	}
	set(&v[payAccountID], r.account(e.Account))
	set(&v[payCustomerID], r.customer(e.Account))
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
	count(&v[payAmount], e.Amount)
	count(&v[payBalance], e.Balance)
	set(&v[payCurrency], m.Currency)
	count(&v[payExponent], m.Exponent)
	set(&v[payCode], r.m.states[e.State].Codes[e.Code])
	count(&v[paySynthetic], 1)
}

func (r *renderer) fillOther(v *payment, s *look, e *Event) {
	switch {
	case s.shows&showMerchant != 0:
		v[payCounterparty], v[payMCC] = str(r.merchant(e.Other)), str(r.mcc(e.Other))
		set(&v[payCountry], r.country(e.Other))
		if s.shows&showTerminal != 0 {
			v[payTerminal] = str(r.terminal(e.Other))
		}
		return
	case s.shows&showOther != 0:
		v[payCounterparty] = str(r.account(e.Other))
	default:
		v[payCounterparty] = none()
	}
	v[payMCC] = none()
	set(&v[payCountry], r.markets[e.Market].Country)
}

// touch reads a byte of each row that events need, so that the processor waits
// for all of them at once: rendering one event after the other, it would wait for
// each. What it returns is worth nothing, but keeps the reads.
func (r *renderer) touch(events []Event) (sum byte) {
	for i := range events {
		e := &events[i]
		sum += r.accounts[int(e.Account)*rowSize]
		switch shows := r.m.looks[e.State].shows; {
		case shows&showMerchant != 0:
			sum += r.merchants[int(e.Other)*rowSize]
		case shows&showOther != 0:
			sum += r.accounts[int(e.Other)*rowSize]
		}
	}
	return sum
}
