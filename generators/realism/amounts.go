package realism

import "math/bits"

// amounts holds what is needed of amounts: first digits, and the spread of
// their logarithms within each type, merchant category and currency.
type amounts struct {
	logs      *logTable
	digits    [10]uint64 // [0] is unused
	positive  uint64
	cells     table[cell]
	octaves   [maxTypes][]uint32 // by type: quarters of powers of two
	sum, sumX float64            // of all logarithms: squares, values
}

// cell is the amounts of one type, category and currency.
type cell struct {
	typ, mcc uint16
	n        uint64
	base     float64 // the first logarithm, which keeps the sums small
	sum, sq  float64
}

// logBins is how many quarters of powers of two an int64 has.
const logBins = 252

func newAmounts() amounts { return amounts{logs: newLogTable(), cells: newTable[cell](maxCells)} }

func (a *amounts) observe(s *seen) {
	if s.Amount <= 0 {
		return
	}
	a.positive++
	if s.role != Cash {
		a.digits[firstDigit(uint64(s.Amount))]++
	}
	x := a.logs.ln(uint64(s.Amount))
	a.sumX += x
	a.sum += float64(x * x)
	t := min(s.code[colType], maxTypes-1)
	if a.octaves[t] == nil {
		a.octaves[t] = make([]uint32, logBins)
	}
	a.octaves[t][min(int(x*(4/ln2)), logBins-1)]++

	if s.Label == Fraud { // has laws of its own
		return
	}
	key := uint64(s.code[colType])<<32 | uint64(s.code[colMCC])<<16 | uint64(s.code[colCurrency])
	c := a.cells.at(whole(key * golden))
	if c == nil {
		return
	}
	if c.n == 0 {
		c.typ, c.mcc, c.base = s.code[colType], s.code[colMCC], x
	}
	c.n++
	x -= c.base
	c.sum += x
	c.sq += float64(x * x)
}

// firstDigit is the leading decimal digit of a positive number.
func firstDigit(n uint64) int {
	powers := [20]uint64{
		1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
		1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
	}
	digits := bits.Len64(n) * 1233 >> 12 // times log10(2), rounded down
	if digits == 20 || n < powers[digits] {
		digits--
	}
	return int(n / powers[digits])
}

// benfordShare is the share of first digit d by Benford's law.
func benfordShare(d int) float64 { return ln(1+1/float64(d)) / ln10 }

// benford is the mean absolute deviation of the first digits from the law.
func (m *Meter) benford() Measure {
	out := Measure{
		Name: "benford_mad", Title: "First digits (Benford)", Group: groupAmounts, High: new(bandBenford),
		Published: "MAD < 0.006 close, < 0.012 acceptable, < 0.015 marginal conformity",
		Source:    "Nigrini 2012, Benford's Law",
	}
	const enough = 10_000 // three standard errors of the MAD, 0.24/√n each, are near the band
	n := uint64(0)
	for _, c := range m.amounts.digits {
		n += c
	}
	out.Samples = n
	if n < enough {
		return out.unmeasured("%s amounts, cash aside; %s are needed", count(n), count(enough))
	}
	mad := 0.0
	for d := 1; d <= 9; d++ {
		off := float64(m.amounts.digits[d])/float64(n) - benfordShare(d)
		mad += max(off, -off) / 9
	}
	word := "no"
	for _, level := range []struct {
		below float64
		word  string
	}{{0.015, "marginal"}, {0.012, "acceptable"}, {bandBenford, "close"}} {
		if mad < level.below {
			word = level.word
		}
	}
	return out.judge(mad, "first digits deviate by %s on average: %s conformity; the amounts spread over sigma %s",
		number(mad), word, number(m.amounts.spread()))
}

// spread is the standard deviation of all logarithms.
func (a *amounts) spread() float64 {
	if a.positive < 2 {
		return 0
	}
	n := float64(a.positive)
	mean := a.sumX / n
	return root(a.sum/n - float64(mean*mean))
}

// pooled is the spread within the cells of a type, or of a type and category.
type pooled struct {
	n, free uint64 // amounts, degrees of freedom
	sq      float64
}

func (p *pooled) add(c *cell) {
	if c.n < 2 {
		return
	}
	p.n, p.free = p.n+c.n, p.free+c.n-1
	p.sq += c.sq - float64(c.sum*c.sum)/float64(c.n)
}

func (p *pooled) sigma() float64 { return root(ratio(p.sq, float64(p.free))) }

// sigmas fits the spread of every setting.
func (m *Meter) sigmas() Measure {
	out := Measure{
		Name: "amount_sigma", Title: "Spread of amounts", Group: groupAmounts, Unit: unitShare, High: new(bandSigma),
		Published: "log-normal sigma 0.67 (cash) to 1.42 (debits) of an operator's mobile money",
		Source:    "PaySim's operator aggregates, by moments",
	}
	const enough = 2_000 // three standard errors, each 1/√(2n), fit into the band
	byName := map[string]*pooled{}
	types, codes := m.columns[colType].names, m.columns[colMCC].names
	for i := range m.amounts.cells.items {
		c := &m.amounts.cells.items[i]
		names := []string{types[c.typ]}
		if c.mcc != 0 {
			names = append(names, types[c.typ]+"/"+codes[c.mcc])
		}
		for _, name := range names {
			if byName[name] == nil {
				byName[name] = new(pooled)
			}
			byName[name].add(c)
		}
	}
	worst, worstName, measured := 0.0, "", 0
	for _, name := range sortedKeys(m.opt.Expect.Sigma) {
		want, p := m.opt.Expect.Sigma[name], byName[name]
		if p == nil {
			p = new(pooled)
		}
		if p.n < enough || want <= 0 {
			out.detail(name, "%s amounts are too few", count(p.n))
			continue
		}
		off := p.sigma()/want - 1
		off = max(off, -off)
		out.detail(name, "sigma %s of %s", number(p.sigma()), number(want))
		out.Samples += p.n
		if measured++; off > worst || worstName == "" {
			worst, worstName = off, name
		}
	}
	switch {
	case len(m.opt.Expect.Sigma) == 0:
		out.Samples = m.amounts.positive
		return out.unmeasured("no spread is configured; all amounts together have sigma %s", number(m.amounts.spread()))
	case measured == 0:
		return out.unmeasured("no configured type has %s amounts", count(enough))
	}
	return out.judge(worst, "%s fitted; the worst, %s, is %s off",
		plural(measured, "spread was", "spreads were"), worstName, percent(worst))
}

// typeMix compares the shares of the types with the settings.
func (m *Meter) typeMix() Measure {
	out := Measure{
		Name: "type_mix", Title: "Type mix", Group: groupAmounts, High: new(bandMix),
		Published: "cash-out 36.5, payment 34.9, cash-in 20.0, transfer 8.1, debit 0.46 %",
		Source:    "PaySim's operator aggregates",
	}
	out.Samples = m.records
	want := m.opt.Expect.TypeMix
	if len(want) == 0 {
		return out.unmeasured("no mix of types is configured; %d types were seen", len(m.columns[colType].names)-1)
	}
	seen := map[string]uint64{}
	for code, n := range m.typeN {
		if n > 0 {
			seen[m.columns[colType].names[code]] = n
		}
	}
	names := sortedKeys(want)
	for _, name := range sortedKeys(seen) {
		if _, ok := want[name]; !ok {
			names = append(names, name)
		}
	}
	total := 0.0
	for _, name := range names {
		total += want[name]
	}
	var got, expected []float64
	for _, name := range names {
		got = append(got, ratio(float64(seen[name]), float64(m.records)))
		expected = append(expected, want[name]/total)
		out.detail(name, "%s of %s", percent(got[len(got)-1]), percent(want[name]/total))
	}
	if noise := mixNoise(expected, m.records); noise > bandMix/2 {
		return out.unmeasured("%s records differ from any mix by %s by chance alone", count(m.records), number(noise))
	}
	d := variation(got, expected)
	out.score("TVComplement", "type", 1-d, m.records)
	return out.judge(d, "the shares of %d types are %s away from the configured ones (total variation)",
		len(names), number(d))
}

// variation is the total variation distance of two distributions.
func variation(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		d := a[i] - b[i]
		sum += max(d, -d)
	}
	return sum / 2
}

// mixNoise is the distance to expect of n records that follow the distribution.
func mixNoise(p []float64, n uint64) float64 {
	sum := 0.0
	for _, p := range p {
		sum += root(float64(p*(1-p)) / float64(max(n, 1)))
	}
	return float64(0.4 * sum) // half of the mean absolute deviation, 0.8 sigma
}
