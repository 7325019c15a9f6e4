package realism

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// dice draws for the tests.
type dice struct {
	r generators.Rand
	n uint64
}

func newDice(purpose string) *dice { return &dice{r: generators.Seed(11).Rand(purpose)} }

func (d *dice) bits() uint64           { d.n++; return d.r.At(d.n) }
func (d *dice) below(n int) int        { return int(generators.Below(d.bits(), uint64(n))) }
func (d *dice) unit() float64          { return (float64(d.bits()>>11) + 0.5) / (1 << 53) }
func (d *dice) exp() float64           { return -math.Log(d.unit()) }
func (d *dice) one(share float64) bool { return d.unit() < share }

func (d *dice) normal() float64 {
	return math.Sqrt(-2*math.Log(d.unit())) * math.Cos(2*math.Pi*d.unit())
}

// zipf draws a rank from 0 with weight 1/(rank+1)^s.
func zipfLaw(n int, s float64) generators.Alias {
	w := make([]uint64, n)
	for i := range w {
		w[i] = uint64(math.Pow(float64(i+1), -s) * (1 << 40))
	}
	return generators.NewAlias(w...)
}

// bank is a stream of payments whose laws are known.
type bank struct {
	customers, merchants, records int
	days                          int
	fraud                         float64
	change                        func(d *dice, r *Record) // makes a control of it
}

// retail is the curve of hours of the test bank.
func retail() []float64 {
	return []float64{2, 1, 1, 1, 1, 2, 4, 8, 10, 11, 12, 13, 14, 13, 12, 12, 13, 15, 16, 14, 11, 8, 6, 4}
}

func mix() map[string]float64 {
	return map[string]float64{"card_payment": 0.72, "transfer": 0.2, "cash_withdrawal": 0.08}
}

const start = 1_767_571_200_000_000 // Monday, 5 January 2026

func (b bank) expect() Expect {
	return Expect{
		TypeMix: mix(), Hours: retail(), Weekdays: []float64{1, 1, 1, 1, 1, 1, 1}, Zipf: 1,
		Sigma:       map[string]float64{"card_payment": 1.1, "card_payment/5411": 1.1, "transfer": 1.3},
		FraudVolume: b.fraud, Decline: 0.03,
		AmountMin: 1, AmountMax: 1e12, From: start, To: start + int64(b.days)*dayMicros,
	}
}

// times are the times of all records: bursts of a customer, by the curve of
// hours, in the order of the stream.
func (b bank) times(d *dice) []event {
	hours := generators.NewAlias(scaled(retail())...)
	busy := zipfLaw(b.customers, 0.5)
	out := make([]event, 0, b.records)
	for len(out) < b.records {
		who := busy.Pick(d.bits())
		hour := hours.Pick(d.bits())
		at := int64(d.below(b.days))*dayMicros + int64(hour)*3_600_000_000 + int64(d.unit()*3.6e9)
		for len(out) < b.records {
			out = append(out, event{start + at, who})
			if d.one(0.4) {
				break
			}
			at += int64(d.exp() * 400e6) // the session goes on
			if at/3_600_000_000%24 != int64(hour) || at >= int64(b.days)*dayMicros {
				break
			}
		}
	}
	slices.SortStableFunc(out, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return out
}

type event struct {
	at  int64
	who int
}

func scaled(w []float64) []uint64 {
	out := make([]uint64, len(w))
	for i := range w {
		out[i] = uint64(w[i] * 1000)
	}
	return out
}

// each makes the stream.
func (b bank) each(purpose string, use func(*Record)) {
	d := newDice(purpose)
	shops := zipfLaw(b.merchants, 1)
	codes := [...]string{"5411", "5812", "5541", "5999", "4111", "5732"}
	medians := [...]float64{4200, 2500, 6000, 3100, 1200, 18000}
	held := make([]int64, b.customers)
	bankHeld, otherHeld := int64(0), int64(0)
	r := &Record{}
	for i, e := range b.times(d) {
		account := "AC" + strconv.Itoa(e.who)
		*r = Record{
			ID: fmt.Sprintf("ev-%08x", i), Time: e.at, Account: account, Currency: "EUR", Exponent: 2, Status: "approved",
			Country: "DE", Known: KnownBalance | KnownCounterpartyBalance | KnownLegs, Label: Genuine,
		}
		if d.one(0.3) {
			r.Country, r.Currency = "GB", "GBP"
			r.AccountCurrency, r.CounterpartyCurrency = "EUR", "EUR"
		}
		to := &otherHeld
		switch u := d.unit(); {
		case u < 0.72:
			m := shops.Pick(d.bits())
			r.Type, r.Merchant, r.MCC = "card_payment", "M"+strconv.Itoa(m), codes[m%len(codes)]
			r.Channel = "pos"
			if d.one(0.3) {
				r.Channel = "ecommerce"
			}
			r.Amount = int64(math.Exp(d.normal()*1.1)*medians[m%len(codes)]) + 1
		case u < 0.92:
			r.Type, r.Channel, r.Counterparty = "transfer", "mobile_app", "BANK"
			to = &bankHeld
			r.Amount = int64(math.Exp(d.normal()*1.3)*9000) + 1
		default:
			r.Type, r.Channel, r.Amount = "cash_withdrawal", "atm", int64(d.below(20)+1)*2000
		}
		if d.one(0.03) {
			r.Status = "declined"
		} else {
			r.Change, r.CounterpartyChange = -r.Amount, r.Amount
		}
		if d.one(b.fraud) {
			r.Label = Fraud
		}
		held[e.who] += r.Change
		*to += r.CounterpartyChange
		r.Balance, r.CounterpartyBalance = held[e.who], *to
		if r.Counterparty == "" {
			r.Known &^= KnownCounterpartyBalance
		}
		if b.change != nil {
			b.change(d, r)
		}
		use(r)
	}
}

func measured(t testing.TB, o Options, b bank) *Report {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.each("bank", m.Observe)
	return m.Report()
}

func find(t testing.TB, r *Report, name string) Measure {
	t.Helper()
	for _, m := range r.Measures {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no measure %q", name)
	return Measure{}
}

// want holds one measure against verdict and value.
func want(t *testing.T, m Measure, v Verdict, value, within float64) {
	t.Helper()
	got := math.NaN()
	if m.Value != nil {
		got = *m.Value
	}
	if m.Verdict != v || v != NotMeasured && !(math.Abs(got-value) <= within) {
		t.Errorf("%s: %s, value %v (%s), want %s, %v ± %v", m.Name, m.Verdict, got, m.Sentence, v, value, within)
	}
}
