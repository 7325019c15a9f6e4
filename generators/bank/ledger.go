package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// entry says what an entry of the ledger is, as bits of [Event.Balance]: the
// roles of both accounts, which entry of its state it is, why, and what is known
// of the payment. The accounts themselves are Event.Account, which is debited,
// and Event.Other; of an account of the bank it is the number of the market.
type entry int64

// Why there is an entry.
const (
	forAmount = iota
	forFee
	forOpening
)

const withPayment = 1 << 20 // the number of the payment is known

func newEntry(from, to flow.Role, why int) entry { return entry(from) | entry(to)<<4 | entry(why)<<8 }

func (n entry) from() flow.Role  { return flow.Role(n & 0xf) }
func (n entry) to() flow.Role    { return flow.Role(n >> 4 & 0xf) }
func (n entry) why() int         { return int(n >> 8 & 0xf) }
func (n entry) index() int64     { return int64(n >> 12 & 0xff) }
func (n entry) hasPayment() bool { return n&withPayment != 0 }

// booking is the entries of one state.
type booking struct {
	event Event // what they have in common
	index entry // of the next
}

// booking begins the entries of a state of a flow.
func (e *engine) booking(l *lane, p *pending, emits bool, at int64) booking {
	b := booking{event: Event{At: at, State: uint16(p.state)}}
	if emits {
		b.event.Order = l.next + 1
	}
	switch {
	case p.number > 0:
		b.event.Flow, b.index = p.number-1, withPayment
	case emits: // it will have the number of this event
		b.event.Flow, b.index = l.next, withPayment
	}
	return b
}

// record writes a posting into the ledger: one entry, or where the currency is
// changed, one into the bank's position and one out of it.
func (e *engine) record(b *booking, post *flow.Posting, who *parties, m move) {
	why := forAmount
	if post.Fee {
		why = forFee
	}
	from, to := who.number(post.From), who.number(post.To)
	if !e.books.changes(m, who) {
		e.write(b, newEntry(post.From, post.To, why), Event{Account: from, Other: to, Amount: m.out, Market: m.here})
		return
	}
	if post.From != flow.FX || from != uint32(m.here) {
		e.write(b, newEntry(post.From, flow.FX, why),
			Event{Account: from, Other: uint32(m.here), Amount: m.out, Market: m.here})
	}
	if post.To != flow.FX || to != uint32(m.there) {
		e.write(b, newEntry(flow.FX, post.To, why),
			Event{Account: uint32(m.there), Other: to, Amount: m.in, Market: m.there})
	}
}

// write appends an entry to the ledger.
func (e *engine) write(b *booking, what entry, ev Event) {
	ev.At, ev.State, ev.Flow, ev.Order = b.event.At, b.event.State, b.event.Flow, b.event.Order
	ev.Balance = int64(what | b.index)
	b.index += 1 << 12
	l := &e.lanes[ledger]
	l.block = append(l.block, ev)
	l.next++
}

// openLedger writes what the accounts have to begin with.
func (e *engine) openLedger() {
	l := &e.lanes[ledger]
	for len(l.block) < blockSize && l.next < uint64(len(e.homes)) {
		account := uint32(l.next)
		home := e.homes[account]
		e.write(&booking{event: Event{At: e.start, State: noState}}, newEntry(flow.Employer, flow.Customer, forOpening),
			Event{Account: uint32(home), Other: account, Amount: e.first(account), Market: home})
	}
}

// The places of the fields in an entry of the ledger.
const (
	ledEventID = iota
	ledEventTime
	ledKind
	ledStream
	ledPayment
	ledEvent
	ledEventType
	ledPosting
	ledDebit
	ledDebitRole
	ledCredit
	ledCreditRole
	ledAmount
	ledCurrency
	ledExponent
	ledSynthetic
	ledChecksum
	ledFields
)

func ledgerSchema() *generators.Schema {
	return &generators.Schema{
		Name: "LedgerEntry",
		Doc:  "Money that goes from one account of a bank that does not exist to another of the same currency.",
		Fields: []generators.Field{
			ledEventID:    of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			ledEventTime:  of(generators.Timestamp, "event_time", "when it was posted, UTC, whole milliseconds"),
			ledKind:       text("kind", "amount, fee, or opening: what an account has to begin with"),
			ledStream:     null(text("stream", "stream of the event that it belongs to; null for an opening")),
			ledPayment:    null(of(generators.Long, "payment_id", "number of the payment, loan or trade in that stream")),
			ledEvent:      null(of(generators.Long, "event_number", "number of the event in that stream")),
			ledEventType:  null(text("event_type", "what happened, for example card_clearing")),
			ledPosting:    of(generators.Int, "entry_index", "which entry of the event it is, from 0"),
			ledDebit:      text("debit_account_id", "the account that has less afterwards"),
			ledDebitRole:  text("debit_role", "customer, counterparty, merchant, or an account of the bank: cash, fx, fees"),
			ledCredit:     text("credit_account_id", "the account that has as much more"),
			ledCreditRole: text("credit_role", "as debit_role"),
			ledAmount:     of(generators.Long, "amount_minor", "amount in minor units of the currency"),
			ledCurrency:   text("currency", "ISO 4217 code, of both accounts"),
			ledExponent:   of(generators.Int, "currency_exponent", "decimals of the currency, ISO 4217: 0 for JPY"),
			ledSynthetic:  of(generators.Bool, "synthetic", "always true: nothing here is real"),
			ledChecksum:   of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// fillEntry writes an entry of the ledger into a record.
func (r *renderer) fillEntry(out *generators.Event, e *Event) {
	v := (*[ledFields]generators.Value)(out.Values)
	what := entry(e.Balance)
	v[ledEventTime] = num(e.At - e.At%1000)
	v[ledStream], v[ledPayment], v[ledEvent], v[ledEventType] = none(), none(), none(), none()
	switch what.why() {
	case forOpening:
		v[ledKind] = str("opening")
	case forFee:
		v[ledKind] = str("fee")
	default:
		v[ledKind] = str("amount")
	}
	if e.State != noState {
		v[ledStream] = str(r.names[r.m.looks[e.State].lane])
	}
	if what.hasPayment() {
		v[ledPayment] = num(int64(e.Flow))
	}
	if e.Order > 0 {
		v[ledEvent], v[ledEventType] = num(int64(e.Order-1)), str(r.m.looks[e.State].kind)
	}
	v[ledPosting] = num(what.index())
	v[ledDebit], v[ledDebitRole] = str(r.holder(what.from(), e.Account)), str(r.roles[what.from()])
	v[ledCredit], v[ledCreditRole] = str(r.holder(what.to(), e.Other)), str(r.roles[what.to()])
	m := &r.markets[e.Market]
	v[ledAmount], v[ledCurrency], v[ledExponent] = num(e.Amount), str(m.Currency), num(m.Exponent)
	v[ledSynthetic] = num(1)
}

// holder is the account of a role.
func (r *renderer) holder(role flow.Role, number uint32) string {
	switch role {
	case flow.Customer, flow.Counterparty:
		return r.account(number)
	case flow.Merchant:
		return r.merchant(number)
	default:
		return r.house[int(number)*roles+int(role)]
	}
}
