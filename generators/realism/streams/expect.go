package streams

import (
	"maps"
	"math"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/realism"
)

// Roles are what the types of this project's streams do.
func Roles() map[string]realism.Role {
	roles := realism.DefaultRoles()
	maps.Copy(roles, map[string]realism.Role{
		"card_authorisation": realism.Purchase, "card_reversal": realism.Refund, "card_refund": realism.Refund,
		"standing_order": realism.Transfer, "direct_debit_return": realism.Refund,
	})
	return roles
}

// FollowUps are the types that never begin a payment.
func FollowUps() []string {
	return []string{
		"card_clearing", "card_settlement", "card_reversal", "chargeback", "representment", "chargeback_closed",
		"direct_debit_return",
	}
}

// CardTypes are the types that cards belong to.
func CardTypes() []string {
	return []string{
		"card_payment", "card_authorisation", "card_clearing", "card_settlement", "card_reversal", "card_refund",
		"cash_withdrawal", "chargeback", "representment", "chargeback_closed", "purchase",
	}
}

// Validators are those of the codes that payments have.
func Validators() []realism.Validator {
	return []realism.Validator{
		{
			Name: "ISO 18245 category", Of: func(r *realism.Record) string { return fourDigits(r.MCC) },
			Valid: func(code string) bool { _, ok := identifier.FindMCC(code); return ok },
		},
		{
			Name: "ISO 4217 currency", Of: func(r *realism.Record) string { return r.Currency },
			Valid: func(code string) bool { _, ok := identifier.FindCurrency(code); return ok },
		},
	}
}

// fourDigits lets other systems of categories, such as words, alone.
func fourDigits(code string) string {
	if len(code) != 4 {
		return ""
	}
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return ""
		}
	}
	return code
}

// settling is how long a bank takes until as much follows as customers cause.
const settling = 7 * 86_400_000_000

// fraudCase is how many events a case has whose plan has a typical length.
const fraudCase = 12

// maxAmount is above every amount of the bank, in minor units.
const maxAmount = 1 << 40

// Options say what the configuration promises of the first payments. The rate, if
// one was configured, is that of a moment of the customers' clocks.
func (b *Bank) Options(count uint64, rate func(local int64) float64) (realism.Options, error) {
	mix, err := b.mix(count)
	if err != nil {
		return realism.Options{}, err
	}
	o := realism.Options{
		Source: Payments, Roles: Roles(), Validators: Validators(), Numbers: []string{"available"},
		Expect: realism.Expect{
			TypeMix: mix, Sigma: b.spreads(), Zipf: 1,
			AmountMin: 1, AmountMax: maxAmount, From: b.config.Start, To: b.last(count), Rate: rate,
			Settled: b.config.Start + settling, FraudCase: fraudCase,
		},
	}
	for _, ppm := range b.config.Crimes {
		o.Expect.FraudVolume += ppm / 1e6
	}
	return o, nil
}

// Week is the hours and the weekdays of a curve over the hours of a week; none of
// none.
func Week(curve []float64) (hours, weekdays []float64) {
	if len(curve) == 0 {
		return nil, nil
	}
	hours, weekdays = make([]float64, 24), make([]float64, 7)
	for i, w := range curve {
		hours[i%24] += w
		weekdays[i/24%7] += w
	}
	return hours, weekdays
}

// spreads are the sigmas of what begins by itself with an amount of its own, by
// the type of its first event.
func (b *Bank) spreads() map[string]float64 {
	out := shopSpreads("card_authorisation")
	for _, f := range b.config.Flows.Flows {
		if f.Stream != flow.Payments || f.Amount.Law != flow.AnyAmount || f.Start.Share == 0 {
			continue
		}
		for _, s := range f.States {
			if s.Emit != flow.NoEvent {
				out[s.Emit.String()] = sigma(f.Amount.Spread)
				break
			}
		}
	}
	return out
}

// sigma is the spread as a number.
func sigma(s generators.Spread) float64 { return float64(s) / float64(generators.Sigma(1000)) }

// shopSpreads are those of the merchant categories. The shops of a category
// differ besides, evenly from half to one and a half times its median, which
// adds a variance of 0.095 where they are many, and nothing where it is one. So
// the middle is expected, of categories whose own spread is wide enough for that
// to change it by two per cent.
func shopSpreads(kind string) map[string]float64 {
	const (
		between = 0.0948 // variance of the logarithm of an even number from 0.5 to 1.5
		enough  = 1.1
	)
	out := map[string]float64{}
	for _, t := range fintech.Shops() {
		if s := float64(t.Sigma) / 1000; s >= enough {
			out[kind+"/"+t.MCC] = (s + math.Sqrt(s*s+between)) / 2
		}
	}
	return out
}
