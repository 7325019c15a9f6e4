package messages

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/iso8583"
)

// dialogue is the request and the answer that an event of a card is.
type dialogue struct {
	request, answer iso8583.MTI
	processing      uint32 // field 3
}

// dialogueOf returns the messages of a type of event; ok is false when it is none.
func dialogueOf(kind string) (d dialogue, ok bool) {
	switch kind {
	case "card_authorisation":
		return dialogue{iso8583.AuthorisationRequest, iso8583.AuthorisationResponse, 0}, true
	case "card_clearing":
		return dialogue{iso8583.FinancialRequest, iso8583.FinancialResponse, 0}, true
	case "card_refund":
		return dialogue{iso8583.FinancialRequest, iso8583.FinancialResponse, 200_000}, true
	case "cash_withdrawal":
		return dialogue{iso8583.FinancialRequest, iso8583.FinancialResponse, 10_000}, true
	case "cash_deposit":
		return dialogue{iso8583.FinancialRequest, iso8583.FinancialResponse, 210_000}, true
	case "card_reversal":
		return dialogue{iso8583.ReversalAdvice, iso8583.ReversalResponse, 0}, true
	}
	return d, false
}

// card appends the messages of an event of a card.
func (m *Maker) card(dst []byte, ends []int, ev *generators.Event) ([]byte, []int, error) {
	v := ev.Values
	d, ok := dialogueOf(v[m.at.kind].Str)
	if !ok || v[m.at.card].Null {
		return dst, ends, nil
	}
	t, err := m.transaction(ev, d)
	if err != nil {
		return dst, ends, err
	}
	for _, mti := range [...]iso8583.MTI{d.request, d.answer} {
		if dst, err = m.codec.Append(dst, mti, t); err != nil {
			return dst, ends, fmt.Errorf("telling event %s: %w", ev.ID, err)
		}
		ends = append(ends, len(dst))
	}
	return dst, ends, nil
}

func (m *Maker) transaction(ev *generators.Event, d dialogue) (*iso8583.Transaction, error) {
	v := ev.Values
	currency, ok := identifier.FindCurrency(v[m.at.currency].Str)
	mcc, err := strconv.ParseUint("0"+v[m.at.mcc].Str, 10, 16)
	if !ok || err != nil {
		return nil, fmt.Errorf("telling event %s: currency %q, mcc %q", ev.ID, v[m.at.currency].Str, v[m.at.mcc].Str)
	}
	number, place := uint64(v[m.at.payment].Int), v[m.at.country].Str
	code, zone := countryOf(place)
	secret := m.keys.At(number<<32 ^ digits(v[m.at.counterparty].Str)) // one for all messages of the payment
	t := &iso8583.Transaction{
		PAN: v[m.at.card].Str, Processing: d.processing, Amount: v[m.at.amount].Int,
		Sent: v[m.at.time].Int, Local: v[m.at.time].Int + zone*3_600_000_000,
		Trace: trace(secret, d.request), MCC: uint16(mcc), Country: code,
		Acquirer:  fmt.Sprintf("9%05d", digits(v[m.at.counterparty].Str)%100_000), // no issuer's: 9 is for national use
		Reference: fmt.Sprintf("%012d", number%1e12), Response: v[m.at.code].Str,
		Merchant: v[m.at.counterparty].Str, Name: v[m.at.counterparty].Str, Place: place, Currency: currency.Number,
	}
	switch v[m.at.channel].Str {
	case "ecommerce":
		t.EntryMode, t.Condition = 812, 59
	case "pos":
		t.EntryMode = []uint16{71, 51}[secret>>40&1]
	default:
		t.EntryMode = 51
	}
	if id := v[m.at.terminal]; !id.Null {
		t.Terminal = id.Str[max(0, len(id.Str)-8):]
	}
	if t.Response == "00" {
		t.AuthCode = fmt.Sprintf("%06X", secret>>16&0xffffff)
	}
	if d.request == iso8583.ReversalAdvice {
		t.Original = iso8583.Original{
			Type: iso8583.AuthorisationRequest, Trace: trace(secret, iso8583.AuthorisationRequest), Acquirer: t.Acquirer,
		}
	}
	return t, nil
}

// trace is field 11 of a request of a payment.
func trace(secret uint64, request iso8583.MTI) uint32 {
	return uint32((secret>>8 + uint64(request)*7919) % 1_000_000)
}

// countries are the markets: the number of ISO 3166-1 and the standard time, in
// hours from UTC, nine characters apart.
const countries = "DE276+01 FR250+01 ES724+01 NL528+01 IT380+01 US840-06 GB826+00 KR410+09 JP392+09 CH756+01 " +
	"SE752+01 PL616+01 BR076-03 KW414+03 "

// countryOf is the number and the standard time of a country, 0 of others.
func countryOf(code string) (number uint16, zone int64) {
	i := strings.Index(countries, code)
	if len(code) != 2 || i < 0 {
		return 0, 0
	}
	row := countries[i:]
	zone = int64(digits(row[6:8]))
	if row[5] == '-' {
		zone = -zone
	}
	return uint16(digits(row[2:5])), zone
}
