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

// set, unset and count write a text, one that is null and a number, and leave alone
// what is not read of such a value and so never changes: half the stores, and for a
// number no pointer.
func set(v *generators.Value, s string)  { v.Str, v.Null = s, false }
func unset(v *generators.Value)          { v.Str, v.Null = "", true }
func count(v *generators.Value, n int64) { v.Int, v.Null = n, false }

// fillPayment writes an event of the payments into a record.
func (r *renderer) fillPayment(out *generators.Event, e *Event) {
	v := (*payment)(out.Values)
	s, m := &r.m.looks[e.State], &r.markets[e.Market]
	payer := rowOf(r.accounts, e.Account)
	count(&v[payEventTime], e.At-e.At%1000)
	set(&v[payEventType], s.kind)
	set(&v[payStatus], s.status)
	set(&v[payChannel], s.channel)
	count(&v[payPaymentID], int64(e.Flow))
	v[payOrderID].Int, v[payOrderID].Null = int64(max(e.Order, 1)-1), e.Order == 0
	set(&v[payAccountID], payer[:numberSize])
	set(&v[payCustomerID], payer[customerAt:][:numberSize])
	if s.shows&showCard != 0 {
		set(&v[payCardToken], r.card(e.Account))
	} else {
		unset(&v[payCardToken])
	}
	if s.shows&showDevice != 0 {
		set(&v[payDevice], r.deviceOfPayment(payer, e))
	} else {
		unset(&v[payDevice])
	}
	r.fillOther(v, s, e)
	count(&v[payAmount], e.Amount)
	count(&v[payBalance], e.Balance)
	set(&v[payCurrency], m.Currency)
	count(&v[payExponent], m.Exponent)
	set(&v[payCode], r.m.states[e.State].Codes[e.Code])
	count(&v[paySynthetic], 1)
}

// deviceOfPayment is the device that a payment was made from: mostly the payer's.
func (r *renderer) deviceOfPayment(payer string, e *Event) string {
	if e.Crime.stranger() { // a new one for each account, so that none gives a case away
		return r.stranger(r.strange.Entity(e.Crime.number()).At(uint64(e.Account)))
	}
	if random := r.detail.At(e.Flow); generators.Chance(random, newDevices) {
		return r.stranger(generators.Again(random))
	}
	return payer[deviceAt:][:tokenSize]
}

func (r *renderer) fillOther(v *payment, s *look, e *Event) {
	switch {
	case s.shows&showMerchant != 0:
		payee := rowOf(r.merchants, e.Other)
		set(&v[payCounterparty], payee[:numberSize])
		set(&v[payMCC], payee[mccAt:][:4])
		set(&v[payCountry], payee[countryAt:][:2])
		if s.shows&showTerminal != 0 {
			set(&v[payTerminal], r.terminal(e.Other))
		} else {
			unset(&v[payTerminal])
		}
		return
	case s.shows&showOther != 0:
		set(&v[payCounterparty], r.account(e.Other))
	default:
		unset(&v[payCounterparty])
	}
	unset(&v[payMCC])
	unset(&v[payTerminal])
	set(&v[payCountry], r.markets[e.Market].Country)
}

// rowOf is the row of an account or a merchant.
func rowOf(rows string, i uint32) string { return rows[int(i)*rowSize:][:rowSize] }

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
