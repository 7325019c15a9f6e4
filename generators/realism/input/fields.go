package input

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// field is a place in a row.
type field int

const (
	fID field = iota
	fParent
	fPayment
	fTime
	fZone
	fType
	fStatus
	fAccount
	fCounterparty
	fOther
	fMerchant
	fMCC
	fCountry
	fChannel
	fCard
	fDevice
	fAmount
	fAmountMinor
	fCurrency
	fExponent
	fAccountCurrency
	fCounterpartyCurrency
	fBefore
	fChange
	fBalance
	fTheirBefore
	fTheirChange
	fTheirBalance
	fLabel
	fCase
	fields
)

// Field is what a column can be.
type Field struct {
	Name  string
	Doc   string
	Known []string // columns that are taken for it, whatever their case, the first that is there
}

// Fields returns what columns can be, by the names that Options.Map knows.
func Fields() []Field {
	of := func(name, doc, known string) Field { return Field{name, doc, strings.Split(known, ",")} }
	return []Field{
		fID:      of("id", "identity of the event", "event_id,id,transaction_id,trans_num,uuid"),
		fParent:  of("parent", "id of the event that this one belongs to", "parent_id,parent_event_id"),
		fPayment: of("payment", "id that all events of a payment share", "payment_id"),
		fTime: of("time", "RFC 3339, a date, or a number",
			"event_time,timestamp,time,ts,created_at,trans_date_trans_time,datetime"),
		fZone:    of("zone", "the customer's clock against UTC: +02:00, or seconds", "utc_offset"),
		fType:    of("type", "what kind of payment", "event_type,type,transaction_type,payment_type"),
		fStatus:  of("status", "approved, declined and so on", "status,order_status"),
		fAccount: of("account", "who pays", "account_id,account,from_account,nameorig"),
		fCounterparty: of("counterparty", "the account on the other side",
			"counterparty_account_id,counterparty,to_account,namedest"),
		fOther: of("other", "the other side: the merchant where there is a category, else an account",
			"counterparty_id"),
		fMerchant:        of("merchant", "the merchant", "merchant_id,merchant,merchant_name"),
		fMCC:             of("mcc", "its category", "mcc,merchant_category_code,category"),
		fCountry:         of("country", "the merchant's country", "country,merchant_country"),
		fChannel:         of("channel", "pos, ecommerce and so on", "channel,sales_channel"),
		fCard:            of("card", "what stands for the card", "card_token,card_id,cc_num"),
		fDevice:          of("device", "the customer's device", "device_id"),
		fAmount:          of("amount", "in major units: 12.34", "amount,amt,amount_paid,value"),
		fAmountMinor:     of("amount_minor", "in minor units: 1234", "amount_minor,amount_cents,total_minor"),
		fCurrency:        of("currency", "ISO 4217 code", "currency,payment_currency"),
		fExponent:        of("exponent", "decimals of the currency", "currency_exponent"),
		fAccountCurrency: of("account_currency", "of the account, where it differs", "account_currency"),
		fCounterpartyCurrency: of("counterparty_currency", "of the account on the other side, where it differs",
			"counterparty_currency"),
		fBefore:  of("balance_before", "of the account, in the unit of the amount", "balance_before,oldbalanceorg"),
		fChange:  of("change", "what the event did to the balance", "balance_change"),
		fBalance: of("balance", "of the account, afterwards", "balance_after,balance,newbalanceorig"),
		fTheirBefore: of("counterparty_balance_before", "the same of the other side",
			"counterparty_balance_before,oldbalancedest"),
		fTheirChange:  of("counterparty_change", "the same of the other side", "counterparty_balance_change"),
		fTheirBalance: of("counterparty_balance", "the same of the other side", "counterparty_balance,newbalancedest"),
		fLabel: of("label", "whether it is fraud: 1, true, yes, fraud",
			"label,is_fraud,isfraud,fraud,is laundering"),
		fCase: of("case", "what the fraud belongs to", "case_id"),
	}
}

// columns say which columns are wanted, and for which fields.
type columns struct {
	all    []Field
	mapped map[string][]field // by the exact name
	known  map[string]choice  // by the name in lower case
}

// choice is a field that a column may be, and how many names are better.
type choice struct {
	field field
	rank  uint8
}

// newColumns takes the columns that were named, and the known names of the other
// fields.
func newColumns(named map[string]string) (columns, error) {
	c := columns{all: Fields(), mapped: map[string][]field{}, known: map[string]choice{}}
	taken := map[field]bool{}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		i := slices.IndexFunc(c.all, func(f Field) bool { return f.Name == name })
		if i < 0 || named[name] == "" {
			var names []string
			for _, f := range c.all {
				names = append(names, f.Name)
			}
			return c, fail.New(fail.Usage, "write FIELD=COLUMN, where a field is one of "+strings.Join(names, ", "),
				"mapping columns: %q=%q", name, named[name])
		}
		c.mapped[named[name]] = append(c.mapped[named[name]], field(i))
		taken[field(i)] = true
	}
	if taken[fAmount] || taken[fAmountMinor] { // one of them is meant
		taken[fAmount], taken[fAmountMinor] = true, true
	}
	for i, f := range c.all {
		for rank, name := range f.Known {
			if !taken[field(i)] {
				c.known[name] = choice{field(i), uint8(rank)}
			}
		}
	}
	return c, nil
}

// binding is where a column goes.
type binding struct {
	column int
	choice
}

// of finds the fields of a column.
func (c *columns) of(name string) []choice {
	if fields := c.mapped[name]; fields != nil {
		out := make([]choice, len(fields))
		for i, f := range fields {
			out[i] = choice{f, 0}
		}
		return out
	}
	if k, ok := c.known[strings.ToLower(strings.TrimSpace(name))]; ok {
		return []choice{k}
	}
	return nil
}

// bind finds the fields of a table's columns: for each field the best column.
func (c *columns) bind(names []string) ([]binding, error) {
	var best [fields]binding
	var found [fields]bool
	seen := map[string]bool{}
	for i, name := range names {
		for _, k := range c.of(name) {
			if seen[name] {
				return nil, fail.New(fail.Usage, "give the columns different names", "column %q is there twice", name)
			}
			if !found[k.field] || k.rank < best[k.field].rank {
				best[k.field], found[k.field] = binding{i, k}, true
			}
		}
		seen[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.mapped)) {
		if !slices.Contains(names, name) {
			return nil, c.missing(name, names)
		}
	}
	var out []binding
	for f := range best {
		if found[f] {
			out = append(out, best[f])
		}
	}
	if len(out) == 0 {
		return nil, c.strange(names)
	}
	return out, nil
}

func (c *columns) missing(name string, names []string) error {
	return fail.New(fail.Usage, "its columns are "+list(names), "mapping columns: there is no column %q", name)
}

func (c *columns) strange(names []string) error {
	return fail.New(fail.Usage, "name them: --map time=COLUMN --map amount=COLUMN; a CSV needs a line with the names",
		"no column is known; there are %s", list(names))
}

// list is some names.
func list(names []string) string {
	const most = 30
	quoted := []string{}
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, clip(name))
	}
	out := strings.Join(quoted, ", ")
	if len(names) > most {
		out += " and more"
	}
	return out
}

// clip keeps a text of a file short enough to be shown.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// row is a row of a table: the texts of the fields.
type row struct {
	cells [fields]cell
}

// cell is one value. A missing one has no text; times may come as what they are.
type cell struct {
	text   string
	micros int64
	isTime bool
	rank   uint8
}

func (w *row) clear() { w.cells = [fields]cell{} }

// put stores a value, if there is none of a better column.
func (w *row) put(k choice, v cell) {
	old := &w.cells[k.field]
	if old.missing() || k.rank < old.rank {
		v.rank = k.rank
		*old = v
	}
}

func (c *cell) missing() bool { return c.text == "" && !c.isTime }
