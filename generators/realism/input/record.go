package input

import (
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/realism"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// MaxPayments is how many payments are remembered at least, the last ones, to
// tell an event that begins one from those that follow: some 100 MB at most.
const MaxPayments = 1 << 19

// converter turns rows into records.
type converter struct {
	unit     int64 // microseconds; 0: by size
	labels   *Labels
	follow   []string
	seed     maphash.Seed
	now, old map[uint64]string // id of the first event, by payment
	rows     uint64
	made     realism.Record
}

func newConverter(o *Options) converter {
	unit, _ := unitMicros(o.TimeUnit)
	return converter{
		unit: unit, labels: o.Labels, follow: o.FollowUps, seed: maphash.MakeSeed(), now: map[uint64]string{},
	}
}

// record turns a row into a record, which is valid until the next.
func (c *converter) record(w *row) (*realism.Record, error) {
	text := func(f field) string { return w.cells[f].text }
	r := &c.made
	*r = realism.Record{
		ID: text(fID), Parent: text(fParent), Type: text(fType), Status: text(fStatus),
		Account: text(fAccount), Counterparty: text(fCounterparty), Merchant: text(fMerchant), MCC: text(fMCC),
		Country: text(fCountry), Channel: text(fChannel), Card: text(fCard), Device: text(fDevice),
		Currency: text(fCurrency), Case: text(fCase),
		AccountCurrency: text(fAccountCurrency), CounterpartyCurrency: text(fCounterpartyCurrency),
	}
	if other := text(fOther); other != "" {
		if r.MCC != "" {
			r.Merchant = other
		} else {
			r.Counterparty = other
		}
	}
	c.rows++
	for _, part := range []func(*row, *realism.Record) error{c.when, money, c.label} {
		if err := part(w, r); err != nil {
			return nil, err
		}
	}
	c.parent(text(fPayment), r)
	return r, nil
}

// parent names the first event of a payment in the others.
func (c *converter) parent(payment string, r *realism.Record) {
	if payment == "" || r.ID == "" || r.Parent != "" {
		return
	}
	key := maphash.String(c.seed, payment)
	first, ok := c.now[key]
	if !ok {
		if first, ok = c.old[key]; ok {
			c.now[key] = first // it is in use
		}
	}
	switch {
	case ok && first != r.ID:
		r.Parent = first
	case ok: // the same event again
	case slices.Contains(c.follow, r.Type):
		r.Parent = "payment " + payment
	default:
		if len(c.now) >= MaxPayments {
			c.now, c.old = map[uint64]string{}, c.now
		}
		c.now[key] = string([]byte(r.ID))
	}
}

// label says whether it is fraud: the labels do, or the row itself.
func (c *converter) label(w *row, r *realism.Record) error {
	if c.labels == nil {
		if w.cells[fLabel].missing() {
			return nil
		}
		isFraud, err := truth(w.cells[fLabel].text)
		r.Label = realism.Genuine
		if isFraud {
			r.Label = realism.Fraud
		}
		return err
	}
	key, of := r.ID, "event"
	if c.labels.ByPayment {
		key, of = w.cells[fPayment].text, "payment"
	}
	if key == "" {
		return fail.New(fail.Usage, "name the column: --map payment=COLUMN, or --map id=COLUMN",
			"the record has no id of its %s, by which it has a label", of)
	}
	r.Label = realism.Genuine
	if name, isFraud := c.labels.of(key); isFraud {
		r.Label, r.Case = realism.Fraud, name
	}
	return nil
}

// truth reads yes or no.
func truth(text string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "1", "true", "t", "yes", "y", "fraud", "1.0":
		return true, nil
	case "0", "false", "f", "no", "n", "genuine", "legit", "0.0", "":
		return false, nil
	}
	return false, fail.New(fail.Usage, "use 1, true, yes or fraud, and 0, false, no or genuine",
		"label %q is neither yes nor no", clip(text))
}

// money reads the amount and what it did to the balances.
func money(w *row, r *realism.Record) error {
	decimals, err := exponent(w, r.Currency)
	if err != nil {
		return err
	}
	r.Exponent = int8(decimals)
	amount, unit := fAmount, decimals
	if !w.cells[fAmountMinor].missing() {
		amount, unit = fAmountMinor, 0
		if _, rest, _ := strings.Cut(w.cells[amount].text, "."); strings.Trim(rest, "0") != "" {
			return fail.New(fail.Usage, "map it as amount, which is in major units",
				"amount %q is not a whole number of minor units", clip(w.cells[amount].text))
		}
	}
	var v [fields]int64
	for _, f := range []field{amount, fBefore, fChange, fBalance, fTheirBefore, fTheirChange, fTheirBalance} {
		if w.cells[f].missing() {
			continue
		}
		if v[f], err = decimal(w.cells[f].text, unit); err != nil {
			return err
		}
	}
	r.Amount = v[amount]
	change, knows := changeOf(w, &v, fBefore, fChange, fBalance)
	if knows {
		r.Known |= realism.KnownBalance
		r.Change, r.Balance = change, v[fBalance]
	}
	theirs, knowsTheirs := changeOf(w, &v, fTheirBefore, fTheirChange, fTheirBalance)
	if knowsTheirs {
		r.Known |= realism.KnownCounterpartyBalance
		r.CounterpartyChange, r.CounterpartyBalance = theirs, v[fTheirBalance]
	}
	if knows && knowsTheirs {
		r.Known |= realism.KnownLegs
	}
	return nil
}

// changeOf is what an event did to a balance, if that is known.
func changeOf(w *row, v *[fields]int64, before, change, after field) (int64, bool) {
	switch {
	case w.cells[after].missing():
		return 0, false
	case !w.cells[change].missing():
		return v[change], true
	case !w.cells[before].missing():
		return v[after] - v[before], true
	}
	return 0, false
}

// exponent is how many decimals the currency has.
func exponent(w *row, currency string) (int, error) {
	text := w.cells[fExponent].text
	if text == "" {
		if c, ok := identifier.FindCurrency(currency); ok {
			return c.Exponent, nil
		}
		return 2, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 8 {
		return 0, fail.New(fail.Usage, "ISO 4217 has 0 to 4", "exponent %q is not a number from 0 to 8", clip(text))
	}
	return n, nil
}

// decimal reads an amount into its smallest unit; a rest is rounded to the
// nearest.
func decimal(text string, decimals int) (int64, error) {
	bad := func() (int64, error) {
		return 0, fail.New(fail.Usage, "write 12.34, with a point and nothing else", "amount %q is not a number", clip(text))
	}
	digits := strings.TrimSpace(text)
	if strings.ContainsAny(digits, "eE") { // as computers write it
		f, err := strconv.ParseFloat(digits, 64)
		f = math.Round(f * math.Pow10(decimals))
		if err != nil || !(math.Abs(f) < 1<<62) {
			return bad()
		}
		return int64(f), nil
	}
	negative := strings.HasPrefix(digits, "-")
	if negative || strings.HasPrefix(digits, "+") {
		digits = digits[1:]
	}
	whole, rest, _ := strings.Cut(digits, ".")
	if whole+rest == "" {
		return bad()
	}
	up := len(rest) > decimals && rest[decimals] >= '5'
	for _, c := range []byte(whole + rest) {
		if c < '0' || c > '9' {
			return bad()
		}
	}
	for len(rest) < decimals {
		rest += "0"
	}
	n, err := strconv.ParseInt(whole+rest[:decimals], 10, 62)
	if err != nil {
		return bad()
	}
	if up {
		n++
	}
	if negative {
		n = -n
	}
	return n, nil
}

// when reads the time and the customer's clock.
func (c *converter) when(w *row, r *realism.Record) error {
	if t := &w.cells[fTime]; t.isTime {
		r.Time = t.micros
	} else if t.text != "" {
		at, zone, err := c.time(t.text)
		if err != nil {
			return err
		}
		r.Time, r.Zone = at, zone
	}
	if text := w.cells[fZone].text; text != "" {
		zone, err := offset(text)
		if err != nil {
			return err
		}
		r.Zone = zone
	}
	return nil
}

// offset reads seconds, or +02:00.
func offset(text string) (int32, error) {
	if at, err := time.Parse("-07:00", text); err == nil {
		_, seconds := at.Zone()
		return int32(seconds), nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	const most = 15 * 3600
	if err != nil || n < -most || n > most {
		return 0, fail.New(fail.Usage, "write +02:00, or seconds", "offset %q is not one from UTC", clip(text))
	}
	return int32(n), nil
}

// unitMicros is how many microseconds a unit of whole numbers has; of
// nanoseconds -1000.
func unitMicros(name string) (int64, bool) {
	n, ok := map[string]int64{
		"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1000, "us": 1, "ns": -1000,
	}[name]
	return n, ok
}

// time reads a number, or a time as it is written.
func (c *converter) time(text string) (micros int64, zone int32, err error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		micros, ok := c.number(n)
		if !ok {
			return 0, 0, badTime(text)
		}
		return micros, 0, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		unit := float64(max(c.unit, 0))
		if c.unit <= 0 {
			unit = 1e6
		}
		if f *= unit; !(math.Abs(f) < 1<<62) {
			return 0, 0, badTime(text)
		}
		return int64(math.Round(f)), 0, nil
	}
	for _, form := range []string{
		time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999",
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 MST",
		"2006-01-02", "2006/01/02 15:04", "2006-01-02 15:04", "2006/01/02 15:04:05",
	} {
		if at, err := time.Parse(form, text); err == nil {
			_, seconds := at.Zone()
			return at.UnixMicro(), int32(seconds), nil
		}
	}
	return 0, 0, badTime(text)
}

func badTime(text string) error {
	return fail.New(fail.Usage, "write 2026-01-31T12:00:00Z, or a number and its --time-unit",
		"time %q is none", clip(text))
}

// number turns a whole number into microseconds.
func (c *converter) number(n int64) (int64, bool) {
	unit := c.unit
	if unit == 0 { // seconds until the year 5138, then the next smaller unit
		size := max(n, -(n + 1))
		switch {
		case size < 1e11:
			unit = 1_000_000
		case size < 1e14:
			unit = 1000
		case size < 1e17:
			unit = 1
		default:
			unit = -1000
		}
	}
	if unit < 0 {
		return floor(n, -unit), true
	}
	out := n * unit
	return out, out/unit == n
}
