package realism

import (
	"cmp"
	"slices"
	"time"
)

// Plots are the figures behind the pictures of the report.
type Plots struct {
	Digits     []Share `json:"first_digits"` // beside Benford's law
	Hours      []Share `json:"hours"`
	Weekdays   []Share `json:"weekdays"`
	Types      []Share `json:"types"`
	Amounts    []Curve `json:"amounts"` // by type: amount in minor units, density over its logarithm
	Merchants  []Point `json:"merchants"`
	Payers     []Point `json:"in_degrees"`  // share of accounts with at least x payers
	Payees     []Point `json:"out_degrees"` // and with at least x payees
	Days       []Day   `json:"days"`
	Dependence Matrix  `json:"dependence"`
}

// Share is one bar, beside what was expected where that is known.
type Share struct {
	Name string   `json:"name"`
	Got  float64  `json:"got"`
	Want *float64 `json:"want"`
}

// Point is a point of a curve.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Curve is a curve with a name.
type Curve struct {
	Name    string  `json:"name"`
	Samples uint64  `json:"samples"`
	Points  []Point `json:"points"`
}

// Day is one local day.
type Day struct {
	Date    string `json:"date"`
	Records uint64 `json:"records"`
	Fraud   uint64 `json:"fraud"`
}

const (
	maxPoints = 240 // of a curve
	maxBars   = 12
	maxCurves = 5
)

func (m *Meter) plots(matrix Matrix) Plots {
	p := Plots{
		Digits: []Share{}, Hours: []Share{}, Weekdays: []Share{}, Types: m.typeShares(), Amounts: m.densities(),
		Merchants: []Point{}, Payers: tail(m.graph.degrees(true)), Payees: tail(m.graph.degrees(false)),
		Days: []Day{}, Dependence: matrix,
	}
	total := uint64(0)
	for _, n := range m.amounts.digits {
		total += n
	}
	for d := 1; d <= 9 && total > 0; d++ {
		p.Digits = append(p.Digits, Share{string(rune('0' + d)), ratio(m.amounts.digits[d], total), new(benfordShare(d))})
	}
	m.timePlots(&p)
	counts := m.graph.popularity()
	for _, i := range spaced(len(counts)) {
		p.Merchants = append(p.Merchants, Point{float64(i + 1), float64(counts[i])})
	}
	return p
}

func (m *Meter) timePlots(p *Plots) {
	var hours [hoursOfDay]uint64
	var week [daysOfWeek]uint64
	total := uint64(0)
	for _, d := range m.days.sorted() {
		p.Days = append(p.Days, Day{date(d.number), uint64(d.records), uint64(d.fraud)})
		for h, n := range d.hours {
			hours[h] += uint64(n)
			total += uint64(n)
		}
		week[weekdayOf(d.number)] += uint64(d.acts)
	}
	if total == 0 {
		return
	}
	wantHours, wantDays := m.wanted(m.days.sorted())
	p.Hours = compared(hours[:], wantHours, func(i int) string {
		return string([]byte{'0' + byte(i/10), '0' + byte(i%10)})
	})
	p.Weekdays = compared(week[:], wantDays, func(i int) string {
		return time.Weekday((i + 1) % daysOfWeek).String()[:3]
	})
}

func date(day int32) string { return time.Unix(int64(day)*86_400, 0).UTC().Format(time.DateOnly) }

// compared are counts as shares beside the configured ones.
func compared(counts []uint64, weights []float64, name func(int) string) []Share {
	total := uint64(0)
	for _, n := range counts {
		total += n
	}
	var want []float64
	if len(weights) > 0 {
		want = shares(weights)
	}
	out := make([]Share, len(counts))
	for i, n := range counts {
		out[i] = Share{Name: name(i), Got: ratio(n, total)}
		if want != nil {
			out[i].Want = new(want[i])
		}
	}
	return out
}

// typeShares are the commonest types beside the configured mix.
func (m *Meter) typeShares() []Share {
	out := []Share{}
	total := 0.0
	for _, name := range sortedKeys(m.opt.Expect.TypeMix) {
		total += m.opt.Expect.TypeMix[name]
	}
	for code, n := range m.typeN {
		name := m.columns[colType].names[code]
		if n == 0 {
			continue
		}
		s := Share{Name: name, Got: ratio(n, m.records)}
		if total > 0 {
			s.Want = new(m.opt.Expect.TypeMix[name] / total)
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Share) int { return cmp.Compare(b.Got, a.Got) })
	return out[:min(len(out), maxBars)]
}

// densities are the amounts of the commonest types.
func (m *Meter) densities() []Curve {
	out := []Curve{}
	for t, bins := range m.amounts.octaves {
		if t >= len(m.columns[colType].names) {
			break
		}
		c := Curve{Name: m.columns[colType].names[t], Points: []Point{}}
		for _, n := range bins {
			c.Samples += uint64(n)
		}
		if c.Samples == 0 {
			continue
		}
		for i, n := range bins {
			at := exp((float64(i) + 0.5) * ln2 / 4)
			c.Points = append(c.Points, Point{at, ratio(uint64(n), c.Samples) * 4 / ln2})
		}
		for len(c.Points) > 1 && c.Points[len(c.Points)-2].Y == 0 {
			c.Points = c.Points[:len(c.Points)-1]
		}
		for len(c.Points) > 1 && c.Points[1].Y == 0 {
			c.Points = c.Points[1:]
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Curve) int { return cmp.Compare(b.Samples, a.Samples) })
	return out[:min(len(out), maxCurves)]
}

// tail is the share of accounts with at least so many counterparties.
func tail(h []bin) []Point {
	out := []Point{}
	total := uint64(0)
	for _, b := range h {
		total += b.n
	}
	left := total
	var all []Point
	for _, b := range h {
		all = append(all, Point{float64(b.size), ratio(left, total)})
		left -= b.n
	}
	for _, i := range spaced(len(all)) {
		out = append(out, all[i])
	}
	return out
}

// spaced are indices below n, evenly on a logarithmic axis.
func spaced(n int) []int {
	if n <= maxPoints {
		out := make([]int, n)
		for i := range out {
			out[i] = i
		}
		return out
	}
	var out []int
	step := ln(float64(n)) / (maxPoints - 1)
	for i := range maxPoints {
		at := min(int(exp(float64(i)*step)+0.5), n) - 1
		if len(out) == 0 || out[len(out)-1] != at {
			out = append(out, at)
		}
	}
	return out
}
