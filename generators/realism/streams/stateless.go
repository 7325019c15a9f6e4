package streams

import (
	"context"
	"fmt"
	"strconv"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/realism"
)

// Stateless is a stream of generators/fintech: it remembers nothing, so it has no
// balances, no crimes and no payments of several events.
type Stateless struct {
	stream generators.Stream
	at     func(uint64) int64
}

// NewStateless measures a stream whose event n happens at a time, in
// microseconds since the Unix epoch.
func NewStateless(s generators.Stream, at func(n uint64) int64) *Stateless { return &Stateless{s, at} }

// Options say what the stream was made to be.
func (s *Stateless) Options(count uint64) realism.Options {
	o := realism.Options{
		Source: s.stream.Name(), Roles: Roles(), Validators: Validators(),
		Expect: realism.Expect{
			Zipf: 1, AmountMin: 1, AmountMax: maxAmount, From: s.at(0) - 1000, To: s.at(max(count, 1) - 1),
		},
	}
	if s.stream.Name() == "payments" { // see fintech.NewPayments
		o.Expect.TypeMix = map[string]float64{
			"card_payment": 710, "transfer": 120, "direct_debit": 90, "cash_withdrawal": 65, "refund": 15,
		}
		o.Expect.Sigma = shopSpreads("card_payment")
		o.Expect.Sigma["transfer"] = 1.3
		o.Expect.Decline = 0.0302 // 3.3 % of cards, 2 % of transfers and debits
	}
	return o
}

// Each calls use with a record for each of the first events. Nothing of it may be
// kept.
func (s *Stateless) Each(ctx context.Context, count uint64, use func(*realism.Record)) error {
	schema := s.stream.Schema()
	ev := generators.NewEvent(schema)
	text := func(names ...string) func() string {
		for _, name := range names {
			if i := schema.Index(name); i >= 0 {
				return func() string { return ev.Values[i].Str }
			}
		}
		return func() string { return "" }
	}
	amount := max(schema.Index("amount_minor"), schema.Index("total_minor"))
	exponent := schema.Index("currency_exponent")
	if amount < 0 || exponent < 0 {
		return fmt.Errorf("measuring %s: it has no amounts", s.stream.Name())
	}
	kind, status, channel := text("event_type"), text("status", "order_status"), text("channel", "sales_channel")
	account, other, merchant := text("account_id"), text("counterparty_account_id"), text("merchant_id")
	mcc, country, card := text("mcc"), text("merchant_country"), text("card_token")
	device, currency := text("device_id"), text("currency")
	for n := range count {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at := s.at(n)
		s.stream.Fill(ev, n, at)
		use(&realism.Record{
			ID: s.stream.Name() + "/" + strconv.FormatUint(n, 10), Time: at, Type: kind(), Status: status(), Channel: channel(),
			Account: account(), Counterparty: other(), Merchant: merchant(), MCC: mcc(), Country: country(),
			Card: card(), Device: device(), Amount: ev.Values[amount].Int, Currency: currency(),
			Exponent: int8(ev.Values[exponent].Int),
		})
	}
	return nil
}
