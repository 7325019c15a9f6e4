// Package streams measures this project's own streams: it turns the events of a
// simulated bank, and the records of the streams of generators/fintech, into
// records of generators/realism, and says what they were configured to be.
//
// A value flows like this: [NewBank] opens a bank, [Bank.Options] says what its
// configuration promises, and [Bank.Each] gives a realism.Record for each event:
// what the event shows, what its flow declares that it did to the money, and
// what the bank knows of the crime behind it.
//
// The balances are those of the bank's own books, the changes those that the
// flows declare: that one follows from the other is for the meter to find. It
// renders nothing that is sent, and it judges nothing.
package streams

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/realism"
)

// Payments is the name of the bank's stream that can be measured.
const Payments = "bank.payments"

// Bank is a bank whose payments are measured.
type Bank struct {
	config  bank.Config
	bank    *bank.Bank
	markets []fintech.Market
	ends    []uint32 // of the accounts of each market
	crimes  bool
	alone   bool // only payments move money, so balances can be followed
}

// NewBank opens a bank.
func NewBank(c bank.Config) (*Bank, error) {
	b, err := bank.New(c)
	if err != nil {
		return nil, err
	}
	out := &Bank{config: c, bank: b, markets: fintech.Markets(), alone: true}
	share := uint64(0)
	for _, m := range out.markets {
		share += m.Share
		out.ends = append(out.ends, uint32(uint64(c.Customers)*share/1000))
	}
	for _, rate := range c.Crimes {
		out.crimes = out.crimes || rate > 0
	}
	for s := range c.Clocks {
		out.alone = out.alone && (s == flow.Payments || s == flow.Orders || s == flow.KYC)
	}
	return out, nil
}

// home is the market of an account: they lie market by market.
func (b *Bank) home(account uint32) uint8 {
	at, exact := slices.BinarySearch(b.ends, account)
	if exact {
		at++
	}
	return uint8(at)
}

// worth converts between the currencies of two markets.
func (b *Bank) worth(amount int64, from, to uint8) int64 {
	x, y := &b.markets[from], &b.markets[to]
	if x.Currency == y.Currency {
		return amount
	}
	return amount * y.PerEuro / x.PerEuro
}

// last is when the last of so many payments happens.
func (b *Bank) last(count uint64) int64 { return b.config.Clocks[flow.Payments].At(max(count, 1) - 1) }

const second = 1_000_000

// clocks are those of the customers' zones.
func (b *Bank) clocks(count uint64) (*calendar.Shape, error) {
	from, to := b.config.Start, b.last(count)
	rate := calendar.Rate{
		Mean: 1, Start: from - from%second, End: to - to%second + 2*second, Zones: bank.Zones(),
	}
	shape, err := rate.Shape()
	if err != nil {
		return nil, fmt.Errorf("reading the clocks of the markets: %w", err)
	}
	return shape, nil
}

// walk is one walk through the payments.
type walk struct {
	*Bank
	clocks *calendar.Shape
	at     places
	held   []int64 // by account: what its last event left there
	seen   []bool
	text   []byte
	record realism.Record
}

// places are where the fields of a payment are.
type places struct {
	kind, status, channel, account, counterparty, mcc, country, card, device, currency, exponent int
}

func newPlaces(s *generators.Schema) (p places, err error) {
	for name, at := range map[string]*int{
		"event_type": &p.kind, "status": &p.status, "channel": &p.channel, "account_id": &p.account,
		"counterparty_id": &p.counterparty, "mcc": &p.mcc, "country": &p.country, "card_token": &p.card,
		"device_id": &p.device, "currency": &p.currency, "currency_exponent": &p.exponent,
	} {
		if *at = s.Index(name); *at < 0 {
			return p, fmt.Errorf("measuring %s: it has no field %s", s.Name, name)
		}
	}
	return p, nil
}

// Each calls use with a record for each of the first payments. Nothing of it may
// be kept.
func (b *Bank) Each(ctx context.Context, count uint64, use func(*realism.Record)) error {
	stream, err := b.bank.Stream("payments")
	if err != nil {
		return err
	}
	w := &walk{Bank: b, held: make([]int64, b.config.Customers), seen: make([]bool, b.config.Customers)}
	if w.clocks, err = b.clocks(count); err != nil {
		return err
	}
	if w.at, err = newPlaces(stream.Schema()); err != nil {
		return err
	}
	ev := generators.NewEvent(stream.Schema())
	const chunk = 4096
	for first := uint64(0); first < count; first += chunk {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n := min(chunk, count-first)
		part := stream
		if r, ok := stream.(generators.Ranger); ok {
			part = r.Range(first, int(n))
		}
		for seq := first; seq < first+n; seq++ {
			e := b.bank.Event("payments", seq)
			if int(e.State) >= len(b.config.Flows.States) {
				continue // nothing could happen in this slot
			}
			part.Fill(ev, seq, e.At)
			w.fill(seq, e, ev.Values)
			use(&w.record)
		}
	}
	w.report(b.bank.Sums(), use)
	return nil
}

// report tells what all accounts hold together by the books: what is not nothing
// is an event of its own, in which that much money was made.
func (w *walk) report(sums map[string]int64, use func(*realism.Record)) {
	var currencies []string
	for currency, sum := range sums {
		if sum != 0 {
			currencies = append(currencies, currency)
		}
	}
	slices.Sort(currencies)
	for _, currency := range currencies {
		use(&realism.Record{
			ID: "books/" + currency, Time: w.last(1), Currency: currency, Known: realism.KnownLegs, Change: sums[currency],
		})
	}
}

// fill makes the record of an event.
func (w *walk) fill(seq uint64, e *bank.Event, v []generators.Value) {
	home := w.home(e.Account)
	at := &w.at
	r := &w.record
	*r = realism.Record{
		ID: w.number(seq), Time: e.At, Zone: int32(w.clocks.Offset(int(home), e.At).Seconds()),
		Type: v[at.kind].Str, Status: v[at.status].Str, Channel: v[at.channel].Str, Account: v[at.account].Str,
		MCC: v[at.mcc].Str, Country: v[at.country].Str, Card: v[at.card].Str, Device: v[at.device].Str,
		Amount: e.Amount, Currency: v[at.currency].Str, Exponent: int8(v[at.exponent].Int),
		AccountCurrency: w.markets[home].Currency, CounterpartyCurrency: w.markets[home].Currency,
		Numbers: r.Numbers[:0],
	}
	r.Numbers = append(r.Numbers, e.Balance)
	if e.Flow != seq {
		r.Parent = w.number(e.Flow)
	}
	if r.MCC != "" {
		r.Merchant = v[at.counterparty].Str
	} else {
		r.Counterparty = v[at.counterparty].Str
	}
	if w.crimes {
		r.Label = realism.Genuine
		if e.Crime != 0 {
			const below = 24 // bits of a case's number: its kind, role and hop
			r.Label, r.Case = realism.Fraud, strconv.FormatUint(uint64(e.Crime)>>below, 10)
		}
	}
	if w.alone {
		w.move(e, r, home)
	}
}

func (w *walk) number(seq uint64) string {
	w.text = strconv.AppendUint(append(w.text[:0], "payments/"...), seq, 10)
	return string(w.text)
}

// legs is what an event did to the money, in the account's currency.
type legs struct{ account, transit, rest int64 }

func (l *legs) add(r flow.Role, amount int64) {
	switch r {
	case flow.Customer:
		l.account += amount
	case flow.CardClearing:
		l.transit += amount
	default:
		l.rest += amount
	}
}

// move says what the flow declares that the event did to the money. What is held
// has left the customer and is in transit, and so is what waits in clearing; the
// rest is with merchants, other banks and the bank itself, which changes money
// where currencies differ.
func (w *walk) move(e *bank.Event, r *realism.Record, home uint8) {
	s := &w.config.Flows.States[e.State]
	own := w.worth(e.Amount, e.Market, home)
	var l legs
	if s.Release {
		if s.High > 0 { // the amount that was held is not known any more
			w.seen[e.Account] = false
			return
		}
		l.account, l.transit = l.account+own, l.transit-own
	}
	if s.Hold {
		l.account, l.transit = l.account-own, l.transit+own
	}
	there := int64(0) // on the other account
	for _, p := range s.Posts {
		amount := e.Amount
		if p.Fee {
			fee := w.config.Flows.Flows[s.Flow].Fee
			amount = amount*int64(fee.Part)/1_000_000 + w.markets[e.Market].Price(fee.Cents)
		}
		l.add(p.From, -w.worth(amount, e.Market, home))
		l.add(p.To, w.worth(amount, e.Market, home))
		if p.To == flow.Counterparty {
			there += w.worth(amount, e.Market, w.home(e.Other))
		}
	}
	r.Known = realism.KnownBalance | realism.KnownLegs
	r.Change, r.Balance, r.Transit, r.CounterpartyChange = l.account, e.Balance, l.transit, l.rest
	w.held[e.Account], w.seen[e.Account] = e.Balance, true
	if there == 0 {
		return
	}
	r.CounterpartyChange, r.CounterpartyCurrency = there, w.markets[w.home(e.Other)].Currency
	if r.CounterpartyCurrency != r.AccountCurrency { // the bank's own position is between them
		r.Known &^= realism.KnownLegs
	}
	if w.seen[e.Other] {
		w.held[e.Other] += there
		r.Known |= realism.KnownCounterpartyBalance
		r.CounterpartyBalance = w.held[e.Other]
	}
}
