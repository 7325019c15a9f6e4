package realism

import "slices"

// rates counts frauds, disputes and declines.
type rates struct {
	money              []value // by code of the currency: labelled records only
	labelled, frauds   uint64
	cases              table[fraudCase]
	single             uint64    // frauds without a case
	singles            []float64 // sums of their squared values, by code of the currency
	attempts, declines uint64
	present            uint64 // purchases that went through, with the card
	away               uint64 // and without it
	disputes           uint64
	inScope            []bool // by code of the type: fraud is counted
	channels           bool   // the stream has channels
}

// value is one currency's money.
type value struct {
	n          uint64
	all, fraud wide
}

// fraudCase is one case: its frauds are not independent of each other.
type fraudCase struct {
	n        uint32
	currency uint16
	value    float64
}

func newRates() rates { return rates{cases: newTable[fraudCase](maxCases)} }

func (r *rates) observe(s *seen, m *Meter) {
	if s.Label != Unlabelled && r.counts(s, m) {
		r.label(s)
	}
	r.channels = r.channels || s.Channel != ""
	switch s.role {
	case Chargeback:
		r.disputes++
		return
	case Purchase, Cash, Transfer, Debit, Other:
		if s.Parent == "" && s.Status != "" {
			r.attempts++
			if s.declined {
				r.declines++
			}
		}
	default:
	}
	if s.role == Purchase && s.Parent == "" && !s.declined {
		if s.absent {
			r.away++
		} else {
			r.present++
		}
	}
}

// counts reports whether the type of a record belongs to the fraud rate.
func (r *rates) counts(s *seen, m *Meter) bool {
	code := int(s.code[colType])
	for len(r.inScope) <= code {
		types := m.opt.Expect.FraudTypes
		name := m.columns[colType].names[len(r.inScope)]
		r.inScope = append(r.inScope, len(types) == 0 || slices.Contains(types, name))
	}
	return r.inScope[code]
}

func (r *rates) label(s *seen) {
	currency := int(s.code[colCurrency])
	for len(r.money) <= currency {
		r.money, r.singles = append(r.money, value{}), append(r.singles, 0)
	}
	v := &r.money[currency]
	r.labelled++
	v.n++
	v.all.add(s.Amount)
	if s.Label != Fraud {
		return
	}
	r.frauds++
	v.fraud.add(s.Amount)
	if s.Case == "" {
		r.single++
		r.singles[currency] += float64(float64(s.Amount) * float64(s.Amount))
		return
	}
	c := r.cases.at(pair(hash(s.Case), uint64(currency)))
	if c != nil {
		c.n++
		c.currency = uint16(currency)
		c.value += float64(s.Amount)
	}
}

// clumping is how much further a rate strays because frauds come in cases: the
// mean size of the case of a fraud.
func (r *rates) clumping() float64 {
	sizes, squares := float64(r.single), float64(r.single)
	for _, c := range r.cases.items {
		sizes += float64(c.n)
		squares += float64(float64(c.n) * float64(c.n))
	}
	return max(1, ratio(squares, sizes))
}

// fraudVolume is the share of the records.
func (m *Meter) fraudVolume() Measure {
	out := Measure{
		Name: "fraud_rate_volume", Title: "Fraud by number", Group: groupRates, Unit: unitShare,
		Published: "cards EEA H1 2023 0.015 %; credit transfers 0.003 %; laundering about 0.1 % (HI), 0.05 % (LI)",
		Source:    "EBA/ECB 2024; AMLworld, arXiv 2306.16424", Samples: m.rates.labelled,
	}
	r, want := &m.rates, m.opt.Expect.FraudVolume
	got := ratio(r.frauds, r.labelled)
	switch {
	case r.labelled == 0:
		return out.unmeasured("no record is labelled")
	case want == 0:
		return out.unmeasured("no rate is configured; %s of %s records (%s) are fraud",
			count(r.frauds), count(r.labelled), percent(got))
	}
	clump := max(r.clumping(), m.opt.Expect.FraudCase)
	independent := uint64(float64(r.labelled) / clump)
	const enough = 10
	if expected := float64(float64(independent) * want); expected < enough {
		return out.unmeasured("%s cases of fraud are to be expected; %d are needed", number(expected), enough)
	}
	low, high := binomial(independent, want, outerShare)
	out.band(ratio(low, independent), ratio(high, independent))
	out.detail("mean size of a fraud's case", "%s", number(clump))
	return out.judge(got, "%s of %s records are fraud: %s of the configured %s",
		count(r.frauds), count(r.labelled), percent(got), percent(want))
}

// fraudValue is the share of the money. Currencies cannot be added up: each has
// a share, and counts with its number of records.
func (m *Meter) fraudValue() Measure {
	out := Measure{
		Name: "fraud_rate_value", Title: "Fraud by value", Group: groupRates, Unit: unitShare,
		Published: "cards EEA H1 2023 0.031 %; SEPA cards 0.036 % (2019); credit transfers 0.001 %",
		Source:    "EBA/ECB 2024; ECB card fraud reports", Samples: m.rates.labelled,
	}
	r, want := &m.rates, m.opt.Expect.FraudValue
	if r.labelled == 0 {
		return out.unmeasured("no record is labelled")
	}
	squares := slices.Clone(r.singles)
	for _, c := range r.cases.items {
		squares[c.currency] += float64(c.value * c.value)
	}
	got, variance := 0.0, 0.0
	for i := range r.money {
		v := &r.money[i]
		all := v.all.float()
		if all <= 0 {
			continue
		}
		weight := ratio(v.n, r.labelled)
		got += float64(weight*v.fraud.float()) / all
		variance += float64(float64(weight*weight)*squares[i]) / float64(all*all)
	}
	cases := int(r.single) + len(r.cases.items)
	const enough = 30 // for a sum of values to be near the normal law
	switch {
	case want == 0:
		return out.unmeasured("no rate is configured; %s of the value is fraud", percent(got))
	case cases < enough:
		return out.unmeasured("%s cases of fraud were seen; %d are needed", count(cases), enough)
	}
	reach := float64(outerErrors * root(variance*float64(uint64(1)<<r.cases.level)))
	out.band(max(0, want-reach), want+reach)
	return out.judge(got, "%s of the value is fraud, of the configured %s", percent(got), percent(want))
}

// chargebacks are the disputes of purchases without the card.
func (m *Meter) chargebacks() Measure {
	out := Measure{
		Name: "chargeback_rate", Title: "Chargebacks", Group: groupRates, Unit: unitShare,
		Published: "0.2 to 0.6 % of card-not-present purchases; programmes of the schemes begin at 1.5 %",
		Source:    "trade press",
	}
	r, want := &m.rates, m.opt.Expect.Chargeback
	base, what := r.away, "purchases without the card"
	if !r.channels {
		base, what = r.present, "purchases"
	}
	out.Samples = base
	days := (m.last - m.first) / dayMicros
	const (
		enough = 2_000
		longer = 45 // days: a dispute comes weeks after the purchase
	)
	switch {
	case base < enough:
		return out.unmeasured("%s %s are too few", count(base), what)
	case want == 0 && days < longer:
		return out.unmeasured("disputes come weeks after the purchase, and the stream is %s long",
			plural(int(days), "day", "days"))
	case want > 0 && float64(base)*want < 10:
		return out.unmeasured("%s %s let %s disputes be expected; 10 are needed",
			count(base), what, number(float64(base)*want))
	}
	out.band(0.002, 0.006)
	if want > 0 {
		low, high := binomial(base, want, outerShare)
		out.band(ratio(low, base), ratio(high, base))
	}
	got := ratio(r.disputes, base)
	return out.judge(got, "%s disputes of %s %s: %s", count(r.disputes), count(base), what, percent(got))
}

// declines are the attempts that did not go through.
func (m *Meter) declines() Measure {
	out := Measure{
		Name: "decline_rate", Title: "Declines", Group: groupRates, Unit: unitShare,
		Published: "none that fits every bank", Source: "the configuration", Samples: m.rates.attempts,
	}
	r, want := &m.rates, m.opt.Expect.Decline
	got := ratio(r.declines, r.attempts)
	switch {
	case r.attempts == 0:
		return out.unmeasured("no record has a status")
	case want == 0:
		return out.unmeasured("no rate is configured; %s of %s attempts were declined", percent(got), count(r.attempts))
	case float64(r.attempts)*want < 10:
		return out.unmeasured("%s attempts are too few for a rate of %s", count(r.attempts), percent(want))
	}
	low, high := binomial(r.attempts, want, outerShare)
	out.band(ratio(low, r.attempts), ratio(high, r.attempts))
	return out.judge(got, "%s of %s attempts were declined: %s of the configured %s",
		count(r.declines), count(r.attempts), percent(got), percent(want))
}
