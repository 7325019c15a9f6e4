package bank

import "github.com/lakeproof/lakeproof/generators"

// The places of the fields in an event of the KYC.
const (
	kycEventID = iota
	kycEventTime
	kycEventType
	kycStatus
	kycCase
	kycAccountID
	kycCustomerID
	kycCountry
	kycChannel
	kycDevice
	kycDocument
	kycIssuer
	kycAttempt
	kycScore
	kycRisk
	kycReason
	kycSynthetic
	kycChecksum
	kycFields
)

func kycSchema() *generators.Schema {
	return &generators.Schema{
		Name: "BankKYC",
		Doc:  "How a bank that does not exist gets to know a customer.",
		Fields: []generators.Field{
			kycEventID:    of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			kycEventTime:  of(generators.Timestamp, "event_time", "when it happened, UTC, whole milliseconds"),
			kycEventType:  text("event_type", "what happened, for example kyc_started or kyc_verified"),
			kycStatus:     text("status", "pending, approved, declined or cancelled"),
			kycCase:       of(generators.Long, "kyc_id", "number of the case: all its events have the same"),
			kycAccountID:  text("account_id", "the customer's account"),
			kycCustomerID: text("customer_id", "the customer"),
			kycCountry:    text("country", "where the customer lives, ISO 3166-1 alpha-2"),
			kycChannel:    text("channel", "mobile_app, or batch where nobody came"),
			kycDevice:     null(text("device_id", "the device that it was made from")),
			kycDocument:   text("document", "passport, identity_card, residence_permit or driving_licence"),
			kycIssuer:     text("document_country", "who issued it, ISO 3166-1 alpha-2"),
			kycAttempt:    of(generators.Int, "attempt", "how often documents were asked for, from 1"),
			kycScore:      of(generators.Int, "risk_score", "of the case, 0 to 999"),
			kycRisk:       text("risk", "low below 600, medium below 900, or high"),
			kycReason:     null(text("reason_code", "why, for example PEP, SANCTION or TIMEOUT")),
			kycSynthetic:  of(generators.Bool, "synthetic", "always true: nothing here is real"),
			kycChecksum:   of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// abroadShare is how many customers show a document of another country, ppm.
const abroadShare = 70_000

// riskOf is the word for a score.
func riskOf(score int64, words []string) string {
	switch {
	case score < 600:
		return words[0]
	case score < 900:
		return words[1]
	default:
		return words[2]
	}
}

// fillKYC writes an event of the KYC into a record.
func (r *renderer) fillKYC(out *generators.Event, e *Event) {
	v := (*[kycFields]generators.Value)(out.Values)
	s := &r.m.looks[e.State]
	person, random := r.person.At(uint64(e.Account)), r.detail.At(e.Flow)
	v[kycEventTime] = num(e.At - e.At%1000)
	v[kycEventType], v[kycStatus], v[kycChannel] = str(s.kind), str(s.status), str(s.channel)
	v[kycCase] = num(int64(e.Flow))
	v[kycAccountID], v[kycCustomerID] = str(r.account(e.Account)), str(r.customer(e.Account))
	home := r.markets[r.homes[e.Account]].Country
	v[kycCountry], v[kycIssuer] = str(home), str(home)
	if generators.Chance(person, abroadShare) {
		other := generators.Below(generators.Again(generators.Again(person)), uint64(len(r.markets)))
		v[kycIssuer] = str(r.markets[other].Country)
	}
	v[kycDevice] = r.deviceOf(s, e)
	v[kycDocument] = str(pick(r.words.documents, generators.Again(person)))
	v[kycAttempt] = num(int64(e.Times) + 1)
	score := int64(generators.Below(random, 1000))
	v[kycScore], v[kycRisk] = num(score), str(riskOf(score, r.words.risks))
	v[kycReason] = r.why(e)
	v[kycSynthetic] = num(1)
}
