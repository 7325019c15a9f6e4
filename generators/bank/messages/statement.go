package messages

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/iso20022"
)

// Camt053 is the format of [Statements], which [New] does not make.
const Camt053 = "camt053"

// day is one in UTC, in microseconds.
const day = 86_400_000_000

// Statements turns the ledger into account statements: a camt.053.001.08 for
// each customer's account and each day (UTC) on which something was booked.
// What an account has to begin with is its first opening balance.
type Statements struct {
	maker    *Maker
	at       ledgerPlaces
	accounts map[string]*account
	active   []*account // with entries of the day
	today    int64      // its number since the Unix epoch
	texts    [][]byte
}

type ledgerPlaces struct{ time, kind, event, debit, debitRole, credit, creditRole, amount, currency int }

// account is a customer's account.
type account struct {
	id               string
	owner            bank.Party
	currency         string
	opening, balance int64
	number           uint64 // of statements so far
	entries          []iso20022.Entry
}

// NewStatements begins with the first entry of a ledger.
func NewStatements() (*Statements, error) {
	m, err := New(Pacs008)
	if err != nil {
		return nil, err
	}
	schema, err := bank.Schema("ledger")
	if err != nil {
		return nil, err
	}
	s := &Statements{maker: m, accounts: map[string]*account{}}
	for name, to := range map[string]*int{
		"event_time": &s.at.time, "kind": &s.at.kind, "event_type": &s.at.event, "debit_account_id": &s.at.debit,
		"debit_role": &s.at.debitRole, "credit_account_id": &s.at.credit, "credit_role": &s.at.creditRole,
		"amount_minor": &s.at.amount, "currency": &s.at.currency,
	} {
		if *to = schema.Index(name); *to < 0 {
			return nil, fmt.Errorf("reading the ledger: it has no field %s", name)
		}
	}
	return s, nil
}

// Add books an entry of the ledger. It returns the statements of the day before,
// by account, when the entry is the first of a day, and the end of that day. The
// texts are valid until the next call.
func (s *Statements) Add(p Payment) (texts [][]byte, at int64, err error) {
	v := p.Event.Values
	if today := v[s.at.time].Int / day; today != s.today {
		if texts, at, err = s.Close(); err != nil {
			return nil, 0, err
		}
		s.today = today
	}
	amount := v[s.at.amount].Int
	isDebit, isCredit := isCustomer(v[s.at.debitRole].Str), isCustomer(v[s.at.creditRole].Str)
	if amount == 0 || !isDebit && !isCredit {
		return texts, at, nil
	}
	debtor, creditor := p.Parties.Parties(p.Seq)
	if isDebit {
		err = s.book(p, s.account(v[s.at.debit].Str, debtor, v), creditor, v[s.at.credit].Str, -amount)
	}
	if isCredit && err == nil {
		err = s.book(p, s.account(v[s.at.credit].Str, creditor, v), debtor, v[s.at.debit].Str, amount)
	}
	return texts, at, err
}

func isCustomer(role string) bool { return role == "customer" || role == "counterparty" }

func (s *Statements) account(id string, owner bank.Party, v []generators.Value) *account {
	a := s.accounts[id]
	if a == nil {
		a = &account{id: id, owner: owner, currency: v[s.at.currency].Str}
		s.accounts[id] = a
	}
	return a
}

// book books an amount, negative when it leaves.
func (s *Statements) book(p Payment, a *account, other bank.Party, otherID string, amount int64) error {
	v := p.Event.Values
	if a.currency != v[s.at.currency].Str {
		return fmt.Errorf("booking entry %d in %s: account %s is in %s", p.Seq, v[s.at.currency].Str, a.id, a.currency)
	}
	a.balance += amount
	if v[s.at.kind].Str == "opening" {
		a.opening = a.balance
		return nil
	}
	if len(a.entries) == 0 {
		s.active = append(s.active, a)
	}
	family, sub := codes(v[s.at.event].Str, amount)
	e := iso20022.Entry{
		Amount: amount, Booked: v[s.at.time].Int, Value: v[s.at.time].Int, Reference: fmt.Sprintf("L%d", p.Seq),
		Domain: "PMNT", Family: family, SubFamily: sub, Remittance: strings.ReplaceAll(v[s.at.event].Str, "_", " "),
	}
	if other.Name != "" {
		side := s.maker.side(other, otherID)
		e.Other, e.OtherAccount, e.OtherAgent = side.party, side.account, side.agent
	}
	a.entries = append(a.entries, e)
	return nil
}

// codes are family and sub-family of the bank transaction code of ISO 20022.
func codes(event string, amount int64) (family, sub string) {
	switch event {
	case "card_clearing", "card_refund":
		return "CCRD", "POSD"
	case "cash_withdrawal":
		return "CCRD", "CWDL"
	case "cash_deposit":
		return "CCRD", "CDPT"
	case "salary":
		return "RCDT", "SALA"
	case "direct_debit":
		return "RDDT", "ESDD"
	case "transfer", "standing_order", "top_up":
		if amount < 0 {
			return "ICDT", "ESCT"
		}
		return "RCDT", "ESCT"
	}
	return "NTAV", "NTAV"
}

// Close returns the statements of the day so far, and its end.
func (s *Statements) Close() (texts [][]byte, at int64, err error) {
	slices.SortFunc(s.active, func(a, b *account) int { return cmp.Compare(a.id, b.id) })
	s.texts = s.texts[:0]
	from, to := s.today*day, (s.today+1)*day-1
	date := time.UnixMicro(from).UTC().Format("20060102")
	for _, a := range s.active {
		a.number++
		id := date + "-" + a.id
		owner := s.maker.side(a.owner, a.id)
		text, err := iso20022.AppendCamt053(nil, &iso20022.Statement{
			MessageID: id, ID: id, Sequence: a.number, Created: to, From: from, To: to, Account: owner.account,
			Currency: a.currency, Owner: owner.party, Servicer: owner.agent, Opening: a.opening, Closing: a.balance,
			Entries: a.entries,
		})
		if err != nil {
			return nil, 0, err
		}
		s.texts = append(s.texts, oneLine(text))
		a.opening, a.entries = a.balance, a.entries[:0]
	}
	s.active = s.active[:0]
	return s.texts, to, nil
}

// AccountOf is the id of the account that a statement is of.
func AccountOf(statement []byte) (id []byte, ok bool) {
	_, rest, ok := bytes.Cut(statement, []byte("<MsgId>"))
	id, _, _ = bytes.Cut(rest, []byte("<"))
	_, id, found := bytes.Cut(id, []byte("-"))
	return id, ok && found
}
