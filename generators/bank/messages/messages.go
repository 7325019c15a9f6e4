// Package messages tells the payments of the bank as banks and cards tell them
// to each other: as messages of ISO 20022 and ISO 8583.
//
// A value flows like this: a [Maker] is given the record of an event of the
// stream payments and who took part, and appends the messages that the event is,
// if it is any, each with its end:
//
//   - pacs008: money that went from bank to bank: a transfer or a standing order
//     that was carried out, a salary. A pacs.008.001.08 with one payment.
//   - pain001: what a customer ordered, whether or not it was carried out: a
//     transfer. A pain.001.001.09 with one payment.
//   - iso8583: what a card did: an authorisation is 0100 and the answer 0110; a
//     clearing, a refund, and cash at a machine are 0200 and 0210; a reversal is
//     0420 and 0430.
//
// Everything else is no such message. A message takes one line: the line feed
// after an XML declaration is a space.
//
// An account has the IBAN that follows from its id and its owner's country, in
// each message the same; where a country has no IBAN, the id stands for it. The
// transfer's end-to-end id and UETR are the same in pain.001 and pacs.008. What
// the record of a reversal does not know, the time of the authorisation, is
// 0101000000 in field 90; its trace number is right. Local times of terminals are
// standard time.
//
// Account statements, camt053, are no single event: [Statements] makes them of the
// ledger. A [Maker] keeps nothing between two events.
package messages

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/iso20022"
	"github.com/lakeproof/lakeproof/generators/iso8583"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// The formats.
const (
	Pacs008 = "pacs008"
	Pain001 = "pain001"
	ISO8583 = "iso8583"
)

// Formats are the names that [New] knows.
func Formats() []string { return []string{Pacs008, Pain001, ISO8583} }

// Parties knows who took part: the account's owner and the other side of a
// payment, whose account is debited and whose is credited in the ledger.
type Parties interface {
	Parties(seq uint64) (owner, other bank.Party)
}

// Payment is the record of an event of the stream payments, or of the ledger, its
// number there, and who took part.
type Payment struct {
	Event   *generators.Event
	Seq     uint64
	Parties Parties
}

// Maker makes the messages of one format. It must not be used from several
// goroutines at once.
type Maker struct {
	format string
	at     places
	codec  *iso8583.Codec
	ibans  map[string]*identifier.IBAN
	keys   generators.Rand // of what only messages have
}

// places are those of the fields in a record.
type places struct {
	time, kind, status, payment, account, card, counterparty, mcc, country, amount, currency, channel, terminal, code int
}

// New returns a maker.
func New(format string) (*Maker, error) {
	if !slices.Contains(Formats(), format) {
		return nil, fail.New(fail.Usage, "use one of "+strings.Join(Formats(), ", "),
			"choosing the messages %q: not one that is known", format)
	}
	schema, err := bank.Schema("payments")
	if err != nil {
		return nil, err
	}
	m := &Maker{
		format: format, codec: iso8583.New(), ibans: map[string]*identifier.IBAN{},
		keys: generators.Seed(0).Rand("bank.messages"),
	}
	for name, to := range map[string]*int{
		"event_time": &m.at.time, "event_type": &m.at.kind, "status": &m.at.status, "payment_id": &m.at.payment,
		"account_id": &m.at.account, "card_token": &m.at.card, "counterparty_id": &m.at.counterparty, "mcc": &m.at.mcc,
		"country": &m.at.country, "amount_minor": &m.at.amount, "currency": &m.at.currency, "channel": &m.at.channel,
		"terminal_id": &m.at.terminal, "response_code": &m.at.code,
	} {
		if *to = schema.Index(name); *to < 0 {
			return nil, fmt.Errorf("reading payments: they have no field %s", name)
		}
	}
	known := identifier.IBANCountries()
	for _, market := range fintech.Markets() {
		if !slices.Contains(known, market.Country) {
			continue
		}
		if m.ibans[market.Country], err = identifier.NewIBAN(market.Country, 1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Append appends the messages of an event, and to ends where each of them ends.
func (m *Maker) Append(dst []byte, ends []int, p Payment) ([]byte, []int, error) {
	if m.format == ISO8583 {
		return m.card(dst, ends, p.Event)
	}
	v := p.Event.Values
	kind, settled := v[m.at.kind].Str, v[m.at.status].Str == "settled"
	isTransfer := kind == "transfer" || settled && (kind == "standing_order" || kind == "salary")
	if !isTransfer || m.format == Pain001 && kind != "transfer" || m.format == Pacs008 && !settled ||
		v[m.at.counterparty].Null || v[m.at.amount].Int <= 0 {
		return dst, ends, nil
	}
	start := len(dst)
	dst, err := m.transfer(dst, p)
	if err != nil {
		return dst, ends, err
	}
	oneLine(dst[start:])
	return dst, append(ends, len(dst)), nil
}

// oneLine makes the line feed after the declaration a space. No other stands in a
// message.
func oneLine(text []byte) []byte {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text[i] = ' '
	}
	return text
}

// transfer appends a pacs.008 or a pain.001.
func (m *Maker) transfer(dst []byte, p Payment) ([]byte, error) {
	v := p.Event.Values
	owner, other := p.Parties.Parties(p.Seq)
	from, to := m.side(owner, v[m.at.account].Str), m.side(other, v[m.at.counterparty].Str)
	purpose := ""
	if v[m.at.kind].Str == "salary" {
		from, to, purpose = to, from, "SALA"
	}
	at, number := v[m.at.time].Int, uint64(v[m.at.payment].Int)
	id := strings.ReplaceAll(p.Event.ID.String(), "-", "")
	payment := iso20022.Payment{
		EndToEndID: fmt.Sprintf("E%d-%d", number, p.Seq),
		UETR:       m.uetr(p.Event.ID),
		Amount:     v[m.at.amount].Int,
		Debtor:     from.party, DebtorAccount: from.account, DebtorAgent: from.agent,
		Creditor: to.party, CreditorAccount: to.account, CreditorAgent: to.agent,
		Purpose: purpose, Remittance: fmt.Sprintf("Payment %d, synthetic", number),
	}
	if m.format == Pain001 {
		return iso20022.AppendPain001(dst, &iso20022.Order{
			MessageID: id, BatchID: fmt.Sprintf("B%d", number), Created: at, Execution: at, Currency: v[m.at.currency].Str,
			Debtor: from.party, Account: from.account, Agent: from.agent, Payments: []iso20022.Payment{payment},
		})
	}
	payment.TransactionID = fmt.Sprintf("T%d", p.Seq)
	return iso20022.AppendPacs008(dst, &iso20022.Transfer{
		MessageID: id, Created: at, Settled: at, Currency: v[m.at.currency].Str, Sender: from.agent, Receiver: to.agent,
		Payments: []iso20022.Payment{payment},
	})
}

// uetr is the reference that goes with a payment from end to end.
func (m *Maker) uetr(id generators.ID128) string {
	high, low := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	return string(identifier.AppendUETR(nil, m.keys.At(high), m.keys.At(low)))
}

// side is how a message names somebody.
type side struct {
	party          iso20022.Party
	account, agent string
}

// side names the owner of an account. Merchants and employers are with another
// bank than customers.
func (m *Maker) side(p bank.Party, account string) side {
	bankNumber, first := uint64(1), uint64(0)
	if p.Merchant {
		bankNumber, first = 2, bank.MaxEntities
	}
	s := side{
		party: iso20022.Party{Name: p.Name, Town: p.City, Country: p.Country}, account: account,
		agent: string(identifier.AppendBIC(nil, p.Country, bankNumber)),
	}
	if g := m.ibans[p.Country]; g != nil {
		s.account = string(g.Append(nil, first+digits(account)))
	}
	return s
}

// digits is the number in an id such as acc-12345678.
func digits(id string) (n uint64) {
	for i := range len(id) {
		if d := id[i] - '0'; d <= 9 {
			n = n*10 + uint64(d)
		}
	}
	return n
}
