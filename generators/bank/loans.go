package bank

import "github.com/lakeproof/lakeproof/generators"

// The places of the fields in an event of a loan.
const (
	loaEventID = iota
	loaEventTime
	loaEventType
	loaStatus
	loaLoan
	loaAccountID
	loaCustomerID
	loaCountry
	loaChannel
	loaDevice
	loaPurpose
	loaAmount
	loaCurrency
	loaExponent
	loaBalance
	loaInstalment
	loaScore
	loaReason
	loaSynthetic
	loaChecksum
	loaFields
)

func loanSchema() *generators.Schema {
	return &generators.Schema{
		Name: "BankLoan",
		Doc:  "What happened to a consumer loan of a bank that does not exist.",
		Fields: []generators.Field{
			loaEventID:    of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			loaEventTime:  of(generators.Timestamp, "event_time", "when it happened, UTC, whole milliseconds"),
			loaEventType:  text("event_type", "what happened, for example loan_applied or loan_instalment"),
			loaStatus:     text("status", "pending, approved, declined, cancelled, settled, late, failed or done"),
			loaLoan:       of(generators.Long, "loan_id", "number of the loan: all its events have the same"),
			loaAccountID:  text("account_id", "the customer's account"),
			loaCustomerID: text("customer_id", "who borrows"),
			loaCountry:    text("country", "where the customer lives, ISO 3166-1 alpha-2"),
			loaChannel:    text("channel", "mobile_app, or batch where nobody came"),
			loaDevice:     null(text("device_id", "the device that it was made from")),
			loaPurpose:    text("purpose", "what the customer says that it is for"),
			loaAmount:     of(generators.Long, "amount_minor", "the loan until it is paid out, then an instalment"),
			loaCurrency:   text("currency", "ISO 4217 code"),
			loaExponent:   of(generators.Int, "currency_exponent", "decimals of the currency, ISO 4217: 0 for JPY"),
			loaBalance:    of(generators.Long, "available_minor", "what the account may spend then"),
			loaInstalment: null(of(generators.Int, "instalment", "which instalment it is about, from 1")),
			loaScore:      of(generators.Int, "score", "how likely it is to be repaid, 300 to 850"),
			loaReason:     null(text("reason_code", "why, for example SCORE or DPD30")),
			loaSynthetic:  of(generators.Bool, "synthetic", "always true: nothing here is real"),
			loaChecksum:   of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// fillLoan writes an event of the loans into a record.
func (r *renderer) fillLoan(out *generators.Event, e *Event) {
	v := (*[loaFields]generators.Value)(out.Values)
	s, m := &r.m.looks[e.State], &r.markets[e.Market]
	random := r.detail.At(e.Flow)
	v[loaEventTime] = num(e.At - e.At%1000)
	v[loaEventType], v[loaStatus], v[loaChannel] = str(s.kind), str(s.status), str(s.channel)
	v[loaLoan] = num(int64(e.Flow))
	v[loaAccountID], v[loaCustomerID] = str(r.account(e.Account)), str(r.customer(e.Account))
	v[loaCountry], v[loaDevice] = str(m.Country), r.deviceOf(s, e)
	v[loaPurpose] = str(pick(r.words.purposes, random))
	v[loaAmount], v[loaCurrency], v[loaExponent] = num(e.Amount), str(m.Currency), num(m.Exponent)
	v[loaBalance] = num(e.Balance)
	v[loaInstalment] = none()
	if s.shows&showTimes != 0 {
		v[loaInstalment] = num(int64(e.Times) + 1)
	}
	v[loaScore] = num(300 + int64(generators.Below(generators.Again(random), 551)))
	v[loaReason] = r.why(e)
	v[loaSynthetic] = num(1)
}
