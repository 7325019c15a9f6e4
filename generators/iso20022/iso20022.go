// Package iso20022 writes payments as XML messages of ISO 20022: pacs.008.001.08
// (between banks), pain.001.001.09 (a customer's order) and camt.053.001.08 (an
// account's statement), the versions that SEPA, SWIFT's CBPR+ and TARGET use
// since 2023.
//
// A value flows like this: a generator fills a [Transfer], an [Order] or a
// [Statement], plain structs, and an Append function adds the whole message to
// the caller's buffer; it allocates nothing when there is room. What is written
// is valid against the published schemas, which the tests hold and check it
// with. A value that no valid message can hold is an error; a name or a
// remittance text is none: it is brought into the character set of SWIFT and
// SEPA and cut to its length ([AppendText]).
//
// Each message says that it is not real: its supplementary data, the place that
// the standard keeps for what it does not define, has the element Synthetic of
// the namespace urn:lakeproof:synthetic.
//
// It writes no business application header, no scheme's narrower rules, and
// reads nothing.
package iso20022

import (
	"errors"
	"fmt"
	"time"

	"github.com/lakeproof/lakeproof/generators/identifier"
)

// The versions.
const (
	Pacs008 = "pacs.008.001.08"
	Pain001 = "pain.001.001.09"
	Camt053 = "camt.053.001.08"
)

// What cannot be written; ask with errors.Is.
var (
	ErrEmpty     = errors.New("it is empty")
	ErrLength    = errors.New("it is too long")
	ErrCharacter = errors.New("it has a character that does not belong there")
	ErrAmount    = errors.New("it must be positive and below 10^18 minor units")
	ErrBooks     = errors.New("the entries do not lead from the opening to the closing balance")
)

// Party is a person or a company.
type Party struct {
	Name                     string // cut to 140 characters
	Street, Building         string // cut to 70 and 16
	PostCode, Town, Province string // cut to 16, 35 and 35
	Country                  string // ISO 3166-1 alpha-2
	LEI                      string // of a company
}

// Payment is one credit transfer.
type Payment struct {
	InstructionID string // up to 35 characters; may be missing
	EndToEndID    string // up to 35 characters; NOTPROVIDED where it is missing
	TransactionID string // up to 35 characters; may be missing; only between banks
	UETR          string // may be missing
	Amount        int64  // minor units of the message's currency
	// Instructed is the amount in another currency that the payment began as,
	// and Rate what one unit of it is in millionths of the message's currency;
	// 0 and "" without exchange. Only between banks.
	Instructed   int64
	InstructedIn string
	Rate         int64
	Charges      string // DEBT, CRED, SHAR or SLEV; SLEV where it is missing
	// Debtor, DebtorAccount and DebtorAgent are read between banks; in an order
	// they are the order's.
	Debtor          Party
	DebtorAccount   string // IBAN, or another number of up to 34 characters
	DebtorAgent     string // BIC
	Creditor        Party
	CreditorAccount string
	CreditorAgent   string
	Purpose         string // code of ISO 20022, up to four letters; may be missing
	Remittance      string // cut to 140 characters; may be missing
}

// Transfer is a pacs.008: payments from one bank to another.
type Transfer struct {
	MessageID        string
	Created          int64 // microseconds since the Unix epoch
	Settled          int64 // the day of settlement, likewise
	Currency         string
	ClearingSystem   string // proprietary name of up to 35 characters; may be missing
	Sender, Receiver string // BICs; may be missing
	Payments         []Payment
}

// Order is a pain.001: a customer's order to the bank.
type Order struct {
	MessageID string
	BatchID   string
	Created   int64 // microseconds since the Unix epoch
	Execution int64 // the day of execution, likewise
	Currency  string
	Debtor    Party
	Account   string // the debtor's
	Agent     string // BIC of the debtor's bank
	Payments  []Payment
}

// writer appends elements; after the first error it goes on without effect on
// the result.
type writer struct {
	buf      []byte
	err      error
	where    string // element of the error
	index    int    // the payment or entry that is being written, from 1; 0 before
	failed   int    // index of the error
	exponent int    // of the message's currency
	currency string
}

func (w *writer) fail(tag string, err error) {
	if w.err == nil {
		w.err, w.where, w.failed = err, tag, w.index
	}
}

// end closes the message, or takes it back.
func (w *writer) end(dst []byte, version, id, root string) ([]byte, error) {
	if w.err != nil {
		if w.failed > 0 {
			return dst, fmt.Errorf("writing %s %q: number %d: element %s: %w", version, id, w.failed, w.where, w.err)
		}
		return dst, fmt.Errorf("writing %s %q: element %s: %w", version, id, w.where, w.err)
	}
	w.raw(`<SplmtryData><Envlp><Synthetic xmlns="urn:lakeproof:synthetic">true</Synthetic></Envlp></SplmtryData>`)
	w.close(root)
	w.close("Document")
	return w.buf, nil
}

func (w *writer) begin(version, root, currency string) {
	w.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:`)
	w.raw(version)
	w.raw(`">`)
	w.open(root)
	c, ok := identifier.FindCurrency(currency)
	if !ok {
		w.fail("Ccy", identifier.ErrUnknown)
	}
	w.currency, w.exponent = currency, c.Exponent
}

func (w *writer) raw(text string) { w.buf = append(w.buf, text...) }

func (w *writer) open(tag string) {
	w.buf = append(w.buf, '<')
	w.buf = append(w.buf, tag...)
	w.buf = append(w.buf, '>')
}

func (w *writer) close(tag string) {
	w.buf = append(w.buf, "</"...)
	w.buf = append(w.buf, tag...)
	w.buf = append(w.buf, '>')
}

// leaf writes an element as it is; the value was checked.
func (w *writer) leaf(tag, value string) {
	w.open(tag)
	w.raw(value)
	w.close(tag)
}

// text writes an element for people; it is left out when nothing remains of it.
func (w *writer) text(tag, value string, max int) {
	if value == "" {
		return
	}
	before := len(w.buf)
	w.open(tag)
	at := len(w.buf)
	if w.buf = AppendText(w.buf, value, max); len(w.buf) == at {
		w.buf = w.buf[:before]
		return
	}
	w.close(tag)
}

// id writes a reference: up to max characters of the set, by SEPA's rules
// without a slash at either end and without two of them together.
func (w *writer) id(tag, value string, max int) {
	switch {
	case value == "":
		w.fail(tag, ErrEmpty)
	case len(value) > max:
		w.fail(tag, ErrLength)
	case value[0] == ' ' || value[0] == '/' || value[len(value)-1] == ' ' || value[len(value)-1] == '/':
		w.fail(tag, ErrCharacter)
	}
	for i := range len(value) {
		if !inSet(value[i]) || i > 0 && value[i] == '/' && value[i-1] == '/' {
			w.fail(tag, ErrCharacter)
		}
	}
	w.leaf(tag, value)
}

func (w *writer) optionalID(tag, value string) {
	if value != "" {
		w.id(tag, value, 35)
	}
}

// code writes capital letters and digits, least to most of them.
func (w *writer) code(tag, value string, least, most int) {
	if len(value) < least || len(value) > most {
		w.fail(tag, ErrLength)
	}
	for i := range len(value) {
		if c := value[i]; !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			w.fail(tag, ErrCharacter)
		}
	}
	w.leaf(tag, value)
}

// letters writes exactly so many capital letters.
func (w *writer) letters(tag, value string, count int) {
	if len(value) != count {
		w.fail(tag, ErrLength)
	}
	for i := range len(value) {
		if value[i]-'A' > 25 {
			w.fail(tag, ErrCharacter)
		}
	}
	w.leaf(tag, value)
}

// decimal writes minor units of a currency with its decimals.
func (w *writer) decimal(tag string, minor int64, exponent int) {
	if minor < 0 || minor >= 1e18 {
		w.fail(tag, ErrAmount)
	}
	w.open(tag)
	w.buf = identifier.AppendAmount(w.buf, minor, exponent)
	w.close(tag)
}

// money writes an amount with its currency.
func (w *writer) money(tag string, minor int64, currency string, exponent int) {
	if minor < 0 || minor >= 1e18 {
		w.fail(tag, ErrAmount)
	}
	w.raw("<")
	w.raw(tag)
	w.raw(` Ccy="`)
	w.raw(currency)
	w.raw(`">`)
	w.buf = identifier.AppendAmount(w.buf, minor, exponent)
	w.close(tag)
}

// count writes a number of things.
func (w *writer) count(tag string, n int) {
	w.open(tag)
	w.buf = identifier.AppendAmount(w.buf, int64(n), 0)
	w.close(tag)
}

// moment writes a date and time in UTC, date only the day. Years outside of
// 0001 to 9999 have no form in XML that everybody reads.
func (w *writer) moment(tag string, micros int64) { w.when(tag, micros, "2006-01-02T15:04:05.000Z") }

func (w *writer) date(tag string, micros int64) { w.when(tag, micros, "2006-01-02") }

func (w *writer) when(tag string, micros int64, layout string) {
	t := time.UnixMicro(micros).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		w.fail(tag, ErrLength)
	}
	w.open(tag)
	w.buf = t.AppendFormat(w.buf, layout)
	w.close(tag)
}
