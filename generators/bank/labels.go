package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/fraud"
)

// The places of the fields in a label.
const (
	labEventID = iota
	labEventTime
	labCase
	labTypology
	labRole
	labHop
	labPayment
	labEvent
	labAccount
	labCounterparty
	labAmount
	labCurrency
	labSynthetic
	labChecksum
	labFields
)

func labelSchema() *generators.Schema {
	of := func(kind generators.Kind, name, doc string) generators.Field {
		return generators.Field{Name: name, Kind: kind, Plain: kind == generators.String, Doc: doc}
	}
	other := of(generators.String, "counterparty_id", "whom it was paid to: an edge of the case's graph")
	other.Nullable = true
	return &generators.Schema{
		Name: "FraudLabel",
		Doc:  "What was found out about an event of the stream payments, when it was found out.",
		Fields: []generators.Field{
			labEventID:      of(generators.UUID, "event_id", "identity of the label, a UUID of version 8"),
			labEventTime:    of(generators.Timestamp, "event_time", "when it was found out, UTC, whole milliseconds"),
			labCase:         of(generators.Long, "case_id", "number of the case: all labels of one case have the same"),
			labTypology:     of(generators.String, "typology", "what kind of case, for example fan_in"),
			labRole:         of(generators.String, "role", "of the account: victim, mule, source, collector or offender"),
			labHop:          of(generators.Int, "hop", "how far into the case, from 0"),
			labPayment:      of(generators.Long, "payment_id", "the payment"),
			labEvent:        of(generators.Long, "event_number", "number of the labelled event in its stream"),
			labAccount:      of(generators.String, "account_id", "the account: where an edge of the case's graph begins"),
			labCounterparty: other,
			labAmount:       of(generators.Long, "amount_minor", "amount in minor units of the currency"),
			labCurrency:     of(generators.String, "currency", "ISO 4217 code"),
			labSynthetic:    of(generators.Bool, "synthetic", "always true: nothing here is real"),
			labChecksum:     of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// fillLabel writes an event of the labels into a record.
func (r *renderer) fillLabel(out *generators.Event, e *Event) {
	v := (*[labFields]generators.Value)(out.Values)
	v[labEventTime] = num(e.At - e.At%1000)
	v[labCase] = num(int64(e.Crime.number()))
	v[labTypology] = str(r.kinds[e.Crime.kind()].Name)
	v[labRole] = str(fraud.Role(e.Crime.role()).String())
	v[labHop] = num(int64(e.Crime.hop()))
	v[labPayment], v[labEvent] = num(int64(e.Flow)), num(int64(e.Order-1))
	v[labAccount], v[labCounterparty] = str(r.account(e.Account)), none()
	switch s := &r.m.looks[e.State]; {
	case s.shows&showMerchant != 0:
		v[labCounterparty] = str(r.merchant(e.Other))
	case s.shows&showOther != 0:
		v[labCounterparty] = str(r.account(e.Other))
	}
	v[labAmount], v[labCurrency] = num(e.Amount), str(r.markets[e.Market].Currency)
	v[labSynthetic] = num(1)
}
