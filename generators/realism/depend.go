package realism

import (
	"slices"
	"time"
)

// maxValues is how many values of a column are told apart in pairs; the rest
// share the last one.
const maxValues = 128

// coded is a column of the reservoir as small numbers.
type coded struct {
	name  string
	codes []uint8
	n     int // values
}

// codedColumns returns the columns in the order of columnNames, then the
// further texts, of what customers began: what follows comes when a bank or the
// calendar wants it, so its kind and its day go together.
func (m *Meter) codedColumns() []coded {
	rows := make([]row, 0, len(m.sample.rest.rows))
	for i := range m.sample.rest.rows {
		if w := &m.sample.rest.rows[i]; w.acts {
			rows = append(rows, *w)
		}
	}
	names := append(columnNames(), m.opt.Texts...)
	out := make([]coded, len(names))
	for i, name := range names {
		out[i] = code(name, rows, m.value(i))
	}
	return out
}

// value returns what a column's value of a row is.
func (m *Meter) value(column int) func(*row) uint64 {
	if column < columns {
		return func(w *row) uint64 { return uint64(w.codes[column]) }
	}
	derived := []func(*row) uint64{
		func(w *row) uint64 { return uint64(w.minute / 60) },
		func(w *row) uint64 { return uint64(weekdayOf(w.day)) },
		func(w *row) uint64 { return uint64(time.Unix(int64(w.day)*86_400, 0).UTC().Day()) },
		func(w *row) uint64 { return uint64(w.day+3) / daysOfWeek },
		func(w *row) uint64 { return uint64(w.minute % 60) },
		func(w *row) uint64 { return uint64(max(0, m.amounts.logs.ln(uint64(max(w.amount, 1)))/ln2)) },
		func(w *row) uint64 { return uint64(firstDigit(uint64(max(w.amount, 1)))) },
	}
	if at := column - columns; at < len(derived) {
		return derived[at]
	}
	text := column - columns - len(derived)
	return func(w *row) uint64 { return uint64(w.texts[text]) }
}

// code numbers the values by frequency.
func code(name string, rows []row, of func(*row) uint64) coded {
	counts := map[uint64]int{}
	for i := range rows {
		counts[of(&rows[i])]++
	}
	values := sortedValues(counts)
	slices.SortStableFunc(values, func(a, b uint64) int { return counts[b] - counts[a] })
	number := map[uint64]uint8{}
	for i, v := range values {
		number[v] = uint8(min(i, maxValues-1))
	}
	c := coded{name: name, n: min(len(values), maxValues), codes: make([]uint8, len(rows))}
	for i := range rows {
		c.codes[i] = number[of(&rows[i])]
	}
	return c
}

func sortedValues(m map[uint64]int) []uint64 {
	out := make([]uint64, 0, len(m))
	for v := range m {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// link is how much two columns say about each other.
type link struct {
	share float64 // mutual information, corrected, over the smaller entropy
	noise float64 // three standard deviations of share among independent columns
	known bool    // both columns have two values at least
}

// link measures two columns. Counting makes information out of chance; what is
// to be expected of it (Miller and Madow 1955) is taken away.
func linkOf(a, b *coded) link {
	n := len(a.codes)
	if a.n < 2 || b.n < 2 || n == 0 {
		return link{}
	}
	joint := make([]uint32, a.n*b.n)
	left, right := make([]uint32, a.n), make([]uint32, b.n)
	for i, x := range a.codes {
		y := b.codes[i]
		joint[int(x)*b.n+int(y)]++
		left[x]++
		right[y]++
	}
	ha, _ := entropy(left, n)
	hb, _ := entropy(right, n)
	hab, cells := entropy(joint, n)
	chance := float64(cells-a.n-b.n+1) / float64(2*n)
	least := min(ha, hb)
	free := float64((a.n - 1) * (b.n - 1))
	return link{
		share: min(1, max(0, (ha+hb-hab-chance)/least)),
		noise: 3 * root(2*free) / float64(2*n) / least,
		known: true,
	}
}

// entropy is in nats, with the number of values that occur.
func entropy(counts []uint32, n int) (h float64, values int) {
	for _, c := range counts {
		if c > 0 {
			values++
			h -= float64(float64(c) * ln(float64(c)/float64(n)))
		}
	}
	return h / float64(n), values
}

// Matrix is how much each pair of columns says about each other: normalised
// mutual information, 0 for independent columns, 1 where one gives the other.
// Null where a column has a single value.
type Matrix struct {
	Columns []string     `json:"columns"`
	Values  [][]*float64 `json:"values"`
}

// dependence measures all pairs of columns and judges those whose relation is
// known.
func (m *Meter) dependence() ([]Measure, Matrix) {
	cols := m.codedColumns()
	links := make([][]link, len(cols))
	matrix := Matrix{Columns: []string{}, Values: make([][]*float64, len(cols))}
	for i := range cols {
		links[i], matrix.Values[i] = make([]link, len(cols)), make([]*float64, len(cols))
		matrix.Columns = append(matrix.Columns, cols[i].name)
	}
	for i := range cols {
		for j := range i {
			l := linkOf(&cols[i], &cols[j])
			links[i][j], links[j][i] = l, l
			if l.known {
				matrix.Values[i][j], matrix.Values[j][i] = new(l.share), new(l.share)
			}
		}
	}
	at := func(pair [2]string) link {
		a := slices.Index(matrix.Columns, pair[0])
		return links[a][slices.Index(matrix.Columns, pair[1])]
	}
	samples := uint64(len(cols[0].codes))
	return []Measure{m.independence(at, samples), m.together(at, samples)}, matrix
}

// independence looks for relations where none must be.
func (m *Meter) independence(at func([2]string) link, samples uint64) Measure {
	out := Measure{
		Name: "independence", Title: "Columns that must not depend", Group: groupColumns, High: new(bandIndependent),
		Published: "Sparkov draws date, hour and category from one number: gas is bought on 1-19 January only",
		Source:    "measured; entropy bias by Miller and Madow 1955", Samples: samples,
	}
	worst, name, measured := 0.0, "", 0
	for _, p := range m.opt.Expect.Independent {
		l := at(p)
		if !l.known || l.noise > bandIndependent/2 || m.last-m.first < lengthFor(p) {
			continue
		}
		if measured++; name == "" || l.share > worst {
			worst, name = l.share, p[0]+" and "+p[1]
		}
		if l.share > bandIndependent {
			out.detail(p[0]+" × "+p[1], "%s", number(l.share))
		}
	}
	if measured == 0 {
		return out.unmeasured("of %d pairs of columns none has enough records and values", len(m.opt.Expect.Independent))
	}
	return out.judge(worst, "of %d pairs that must be independent, %s share the most information: %s of 1",
		measured, name, number(worst))
}

// lengthFor is how long a stream must be so that it hardly matters for a pair of columns
// that its first and its last hour, or week, are not whole: an hour of ten minutes
// knows its minutes, and a week of two days its time zones.
func lengthFor(pair [2]string) int64 {
	switch {
	case slices.Contains(pair[:], "week"):
		return 27 * dayMicros
	case slices.Contains(pair[:], "hour") && slices.Contains(pair[:], "minute"):
		return 2 * dayMicros
	default:
		return 0
	}
}

// together looks for relations that must be there.
func (m *Meter) together(at func([2]string) link, samples uint64) Measure {
	out := Measure{
		Name: "dependence", Title: "Columns that must depend", Group: groupColumns, Low: new(bandDependent),
		Published: "faker-style generators draw each column alone: 0", Source: "measured",
		Samples: samples,
	}
	least, name, measured := 2.0, "", 0
	for _, p := range m.opt.Expect.Dependent {
		l := at(p)
		if !l.known || l.noise > bandDependent/2 {
			continue
		}
		if measured++; l.share < least {
			least, name = l.share, p[0]+" and "+p[1]
		}
		if l.share < bandDependent {
			out.detail(p[0]+" × "+p[1], "%s", number(l.share))
		}
	}
	if measured == 0 {
		return out.unmeasured("of %d pairs of columns none has enough records and values", len(m.opt.Expect.Dependent))
	}
	return out.judge(least, "of %d pairs that go together, %s share the least information: %s of 1",
		measured, name, number(least))
}
