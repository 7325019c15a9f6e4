package bank

import (
	"github.com/lakeproof/lakeproof/generators"
)

// row is what changes of a customer's row in the bank's database.
type row struct {
	updated int64 // when it was last changed
	version uint16
	kyc     uint8
	status  uint8
}

// What is known of a customer.
const (
	kycNone = iota // of a state of a flow: it changes nothing
	kycPending
	kycVerified
	kycRejected
)

// How an account stands.
const (
	isActive = iota
	isClosed
	isDeleted
)

func kycWords() [4]string    { return [4]string{"", "pending", "verified", "rejected"} }
func statusWords() [3]string { return [3]string{"active", "closed", "deleted"} }

// kycAfter is what is known of a customer after an event.
func kycAfter(event string) uint8 {
	switch event {
	case "kyc_verified":
		return kycVerified
	case "kyc_rejected":
		return kycRejected
	default:
		return kycNone
	}
}

// What waits in the lane of the customers, as the flow of a [pending].
const (
	becomesKnown = iota
	closes
	goes
)

const (
	verifiedShare = 970_000              // ppm of the customers when the bank opens
	goneMedian    = 21_600_000_000 >> 10 // from the closing to the deletion, units of 1,024 microseconds
)

// Op is what happened to a row: the letter that Debezium has for it.
type Op byte

// The operations.
const (
	Read      Op = 'r' // it was there when the bank opened
	Update    Op = 'u' // it changed
	Delete    Op = 'd' // it is gone
	Tombstone Op = 't' // follows a deletion: the key alone, so that a compacted topic forgets it
)

// change is a change of a row, as bits of [Event.Balance]: the operation, what
// was known and how things stood before and after it, and the version after it.
// [Event.Flow] is when the row was last changed before.
type change int64

func newChange(op Op, before, after row) change {
	return change(op) | change(before.kyc)<<8 | change(before.status)<<12 |
		change(after.kyc)<<16 | change(after.status)<<20 | change(after.version)<<24
}

func (c change) op() Op { return Op(c) }

// before and after are the row then; of the time of its change only the event
// knows.
func (c change) before() row {
	return row{kyc: uint8(c >> 8 & 0xf), status: uint8(c >> 12 & 0xf), version: uint16(c>>24) - 1}
}

func (c change) after() row {
	return row{kyc: uint8(c >> 16 & 0xf), status: uint8(c >> 20 & 0xf), version: uint16(c >> 24)}
}

// firstRow is the row of a customer when the bank opens.
func (e *engine) firstRow(seed generators.Seed, account uint32) row {
	first := row{updated: e.start, version: 1, kyc: kycPending}
	if generators.Chance(seed.Rand("bank.known").At(uint64(account)), verifiedShare) {
		first.kyc = kycVerified
	}
	if e.isClosed(account, e.start) {
		first.status = isClosed
	}
	return first
}

// retire plans the deletion of a closed account's row.
func (e *engine) retire(account uint32, at int64) {
	wait := e.amounts.Draw(e.closed.At(1<<40|uint64(account)), goneMedian, generators.Sigma(2000)) << 10
	e.lanes[customers].wheel.push(pending{due: at + wait, account: account, state: noRowState, flow: goes})
}

const noRowState = -1 // no state of a flow

// openRows makes the snapshot: a row for each customer.
func (e *engine) openRows() {
	l := &e.lanes[customers]
	for len(l.block) < blockSize && l.next < uint64(len(e.homes)) {
		account := uint32(l.next)
		e.put(Read, account, Event{At: e.start, State: noState}, e.rows[account])
	}
}

// change makes the changes of rows up to a time. It returns the lane if its
// block is full.
func (e *engine) change(at int64) *lane {
	l := &e.lanes[customers]
	for l.wheel.peek(at) != nil {
		p := l.wheel.pop()
		before := e.rows[p.account]
		if before.status == isDeleted {
			continue
		}
		after, ev := before, Event{At: p.due, State: uint16(p.state)}
		after.updated = p.due
		after.version++
		switch p.flow {
		case becomesKnown:
			after.kyc = e.m.looks[p.state].kyc
			e.put(Update, p.account, ev, after)
		case closes:
			after.status = isClosed
			e.put(Update, p.account, ev, after)
			e.retire(p.account, p.due)
		default:
			after.status = isDeleted
			e.put(Delete, p.account, ev, after)
			e.put(Tombstone, p.account, ev, after)
		}
		if len(l.block) >= blockSize-1 { // a deletion makes two
			return l
		}
	}
	return nil
}

// put appends a change to the lane and keeps the row as it is after it.
func (e *engine) put(op Op, account uint32, ev Event, after row) {
	before := e.rows[account]
	ev.Account, ev.Market, ev.Amount = account, e.homes[account], e.first(account)
	ev.Flow, ev.Balance = uint64(before.updated), int64(newChange(op, before, after))
	e.rows[account] = after
	l := &e.lanes[customers]
	l.block = append(l.block, ev)
	l.next++
}

// The places of the fields in a customer's row.
const (
	rowEventID = iota
	rowEventTime
	rowCustomer
	rowAccount
	rowGivenName
	rowFamilyName
	rowCity
	rowCountry
	rowCurrency
	rowExponent
	rowOpening
	rowKYC
	rowStatus
	rowOpened
	rowVersion
	rowSynthetic
	rowChecksum
	rowFields
)

func customerSchema() *generators.Schema {
	name := func(name, doc string) generators.Field {
		return generators.Field{Name: name, Kind: generators.String, Doc: doc}
	}
	return &generators.Schema{
		Name: "BankCustomer",
		Doc:  "A row of the table of customers of a bank that does not exist.",
		Fields: []generators.Field{
			rowEventID:    of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			rowEventTime:  of(generators.Timestamp, "updated_at", "when the row was last changed, UTC, whole milliseconds"),
			rowCustomer:   text("customer_id", "the customer, key of the table"),
			rowAccount:    text("account_id", "the account"),
			rowGivenName:  name("given_name", "made up"),
			rowFamilyName: name("family_name", "made up"),
			rowCity:       name("city", "of the country"),
			rowCountry:    text("country", "ISO 3166-1 alpha-2"),
			rowCurrency:   text("currency", "of the account, ISO 4217 code"),
			rowExponent:   of(generators.Int, "currency_exponent", "decimals of the currency, ISO 4217: 0 for JPY"),
			rowOpening:    of(generators.Long, "opening_balance_minor", "what the account had when the bank opened"),
			rowKYC:        text("kyc_state", "pending, verified or rejected"),
			rowStatus:     text("status", "active, closed or deleted"),
			rowOpened:     of(generators.Timestamp, "snapshot_at", "when the bank opened"),
			rowVersion:    of(generators.Int, "version", "counts the row's changes, from 1"),
			rowSynthetic:  of(generators.Bool, "synthetic", "always true: nothing here is real"),
			rowChecksum:   of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// fillCustomer writes the row as it is after an event into a record.
func (r *renderer) fillCustomer(out *generators.Event, e *Event) {
	after := change(e.Balance).after()
	after.updated = e.At
	r.fillRow(out, e, after)
}

// fillRow writes a row into a record.
func (r *renderer) fillRow(out *generators.Event, e *Event, is row) {
	v := (*[rowFields]generators.Value)(out.Values)
	m := &r.markets[e.Market]
	v[rowEventTime] = num(is.updated - is.updated%1000)
	v[rowCustomer], v[rowAccount] = str(r.customer(e.Account)), str(r.account(e.Account))
	given, family, city := r.owner(e.Account)
	v[rowGivenName], v[rowFamilyName], v[rowCity] = str(given), str(family), str(city)
	v[rowCountry], v[rowCurrency], v[rowExponent] = str(m.Country), str(m.Currency), num(m.Exponent)
	v[rowOpening] = num(e.Amount)
	v[rowKYC], v[rowStatus] = str(kycWords()[is.kyc]), str(statusWords()[is.status])
	v[rowOpened], v[rowVersion] = num(r.opened-r.opened%1000), num(int64(is.version))
	v[rowSynthetic] = num(1)
}

// Change is a change of a customer's row.
type Change struct {
	Op            Op
	At            int64             // microseconds since the Unix epoch
	Before, After *generators.Event // of the schema of the stream customers; nil: there is none
	Key           string            // of the row: the customer
	Row           uint64            // number of the row, and of the event that read it first
}

// Change writes event n of the stream customers as a change into two records of
// its schema, all but their identities and checksums. A tombstone has neither.
func (b *Bank) Change(n uint64, before, after *generators.Event) Change {
	return b.change(b.tape.event(customers, n), before, after)
}

func (r *renderer) change(e *Event, before, after *generators.Event) Change {
	c := change(e.Balance)
	out := Change{Op: c.op(), At: e.At, Key: r.customer(e.Account), Row: uint64(e.Account)}
	if out.Op == Update || out.Op == Delete {
		was := c.before()
		was.updated = int64(e.Flow)
		r.fillRow(before, e, was)
		out.Before = before
	}
	if out.Op == Read || out.Op == Update {
		r.fillCustomer(after, e)
		out.After = after
	}
	return out
}
