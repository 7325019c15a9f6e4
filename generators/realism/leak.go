package realism

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	maxBins    = 64 // of a column in the search, the missing value included
	missingBin = 0
)

// binned is a column of both reservoirs, cut into bins. The cuts and the
// choice of values look at the frauds of the training half, so that a narrow
// range or a single value which holds many of them has a bin of its own.
type binned struct {
	name    string
	ordered bool
	n       int
	fraud   []uint8
	rest    []uint8
	edges   []int64  // ordered: bin i+1 begins at edges[i]
	values  []uint64 // else: the value of bin i+1; the last bin holds all others
	show    func(uint64) string
	amount  func(int64) string
}

// leakage searches for the best rule that tells fraud by two columns.
func (m *Meter) leakage() Measure {
	out := Measure{
		Name: "leakage", Title: "Fraud is not given away", Group: groupColumns, Unit: unitShare, High: new(bandLeak),
		Published: "PaySim: two prefixes and a balance find 1,003 of 1,007 frauds; a rule must not reach 50 % of both",
		Source:    "PaySim issue 13; the goal of this project", Samples: m.sample.fraud.n,
	}
	const enough = 40 // frauds in either half
	fraud, rest := &m.sample.fraud, &m.sample.rest
	train, test := halves(fraud.rows)
	if !m.sample.labelled {
		return out.unmeasured("no record is labelled")
	}
	if train < enough || test < enough || len(rest.rows) < enough {
		return out.unmeasured("%s frauds are too few: %d are needed among half of the accounts and %d among the other half",
			count(fraud.n), enough, enough)
	}
	s := newSearch(m)
	if few := s.testAll / 2; 3*s.weight > few {
		return out.unmeasured("1 in %s records was kept to compare: too few for frauds as rare as %s of %s",
			count(rest.n/uint64(len(rest.rows))), count(fraud.n), count(m.records))
	}
	best := rule{}
	for a := range s.columns {
		for b := range a + 1 {
			for _, r := range []rule{s.best(a, b), s.best(b, a)} {
				if r.found && (!best.found || r.score() > best.score()) {
					best = r
				}
			}
		}
	}
	if !best.found {
		return out.judge(0, "no rule on two of %d columns finds any of %s frauds", len(s.columns), count(fraud.n))
	}
	out.detail("rule", "%s", s.words(best))
	out = out.judge(best.score(), "the best rule on two of %d columns finds %s of the fraud; %s of what it finds is fraud",
		len(s.columns), percent(best.recall), percent(best.precision))
	if best.score() >= bandLeak { // reaching it is too much
		out.Verdict = Fail
	}
	return out
}

// trains reports whether a row belongs to the half in which rules are sought;
// the other half judges them. An account is in one half only, so a rule that
// knows accounts by heart gains nothing.
func (w *row) trains() bool {
	who := w.ids[idAccount]
	if who == 0 {
		who = whole(uint64(w.time) * golden)
	}
	return whole(who*spread)>>40&1 == 0
}

func halves(rows []row) (train, test int) {
	for i := range rows {
		if rows[i].trains() {
			train++
		}
	}
	return train, len(rows) - train
}

// binnedColumns cuts every raw column that has two values.
func (m *Meter) binnedColumns() []binned {
	p := &m.sample
	add := func(out []binned, b binned) []binned {
		if b.varies() {
			out = append(out, b)
		}
		return out
	}
	var out []binned
	plain := func(v int64) string { return count(v) }
	ordered := func(name string, show func(int64) string, of func(*row) (int64, bool)) {
		out = add(out, p.ordered(name, show, of))
	}
	ordered("amount", plain, func(w *row) (int64, bool) { return w.amount, true })
	ordered("balance", plain, func(w *row) (int64, bool) { return w.balance, w.known&KnownBalance != 0 })
	ordered("time", func(v int64) string { return time.UnixMicro(v).UTC().Format("2006-01-02 15:04") },
		func(w *row) (int64, bool) { return w.time, true })
	ordered("time of day", func(v int64) string { return fmt.Sprintf("%02d:%02d", v/60, v%60) },
		func(w *row) (int64, bool) { return int64(w.minute), true })
	for i, name := range m.opt.Numbers {
		ordered(name, plain, func(w *row) (int64, bool) { return w.numbers[i], true })
	}
	day := func(v uint64) string { return time.Weekday((v + 1) % daysOfWeek).String() }
	out = add(out, p.valued("weekday", day, func(w *row) uint64 { return uint64(weekdayOf(w.day)) + 1 }))
	for i, name := range columnNames()[:columns] {
		out = add(out, p.valued(name, m.columns[i].show, func(w *row) uint64 { return uint64(w.codes[i]) }))
	}
	for i, name := range m.opt.Texts {
		out = add(out, p.valued(name, m.texts[i].show, func(w *row) uint64 { return uint64(w.texts[i]) }))
	}
	hidden := func(uint64) string { return "" }
	for i, name := range idNames() {
		out = add(out, p.valued(name, hidden, func(w *row) uint64 { return w.ids[i] }))
		if i < rowPrefixes {
			out = add(out, p.valued(name+" beginning", func(v uint64) string { return prefixText(uint16(v)) },
				func(w *row) uint64 { return uint64(w.prefix[i]) }))
		}
	}
	return out
}

// varies reports whether the rows are in several bins.
func (c *binned) varies() bool {
	first := c.fraud[0]
	other := func(bin uint8) bool { return bin != first }
	return slices.ContainsFunc(c.fraud, other) || slices.ContainsFunc(c.rest, other)
}

func (d *dict) show(code uint64) string { return d.names[min(int(code), len(d.names)-1)] }

// ordered cuts a column of numbers.
func (p *sample) ordered(name string, show func(int64) string, of func(*row) (int64, bool)) binned {
	const cuts = 24 // of either class; with 2*6 ends of peaks they stay below maxBins-1
	var edges []int64
	for _, rows := range [][]row{p.fraud.rows, p.rest.rows} {
		values := training(rows, of)
		for i := range cuts {
			if at := i * len(values) / cuts; at < len(values) {
				edges = append(edges, values[at])
			}
		}
		edges = append(edges, peaks(values)...)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	b := binned{name: name, ordered: true, n: len(edges) + 2, edges: edges, amount: show}
	cut := func(rows []row) []uint8 {
		out := make([]uint8, len(rows))
		for i := range rows {
			out[i] = missingBin
			if v, ok := of(&rows[i]); ok {
				at, exact := slices.BinarySearch(edges, v)
				if exact {
					at++
				}
				out[i] = uint8(at + 1)
			}
		}
		return out
	}
	b.fraud, b.rest = cut(p.fraud.rows), cut(p.rest.rows)
	return b
}

// training are the sorted values of the training half.
func training(rows []row, of func(*row) (int64, bool)) []int64 {
	var out []int64
	for i := range rows {
		if v, ok := of(&rows[i]); ok && rows[i].trains() {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// peaks are the ends of single values that hold a twentieth of the sorted
// values each: at most three of them.
func peaks(sorted []int64) []int64 {
	var out []int64
	need := max(2, len(sorted)/20)
	for i := 0; i+need <= len(sorted) && len(out) < 6; {
		if sorted[i+need-1] != sorted[i] || sorted[i] == math.MaxInt64 {
			i++
			continue
		}
		v := sorted[i]
		out = append(out, v, v+1)
		i, _ = slices.BinarySearch(sorted, v+1)
	}
	return out
}

// valued gives the commonest values of the training half's frauds bins of
// their own.
func (p *sample) valued(name string, show func(uint64) string, of func(*row) uint64) binned {
	counts := map[uint64]int{}
	for i := range p.fraud.rows {
		if w := &p.fraud.rows[i]; w.trains() && of(w) != 0 {
			counts[of(w)]++
		}
	}
	values := sortedValues(counts)
	slices.SortStableFunc(values, func(a, b uint64) int { return cmp.Compare(counts[b], counts[a]) })
	values = values[:min(len(values), maxBins-2)]
	number := map[uint64]uint8{0: missingBin}
	for i, v := range values {
		number[v] = uint8(i + 1)
	}
	b := binned{name: name, n: len(values) + 2, values: values, show: show}
	cut := func(rows []row) []uint8 {
		out := make([]uint8, len(rows))
		for i := range rows {
			bin, ok := number[of(&rows[i])]
			if !ok {
				bin = uint8(len(values) + 1)
			}
			out[i] = bin
		}
		return out
	}
	b.fraud, b.rest = cut(p.fraud.rows), cut(p.rest.rows)
	return b
}
