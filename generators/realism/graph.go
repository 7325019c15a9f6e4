package realism

import "slices"

// graph holds who pays whom.
type graph struct {
	shops     table[shop]
	purchases uint64
	edges     table[edge]
	level     uint8 // of the accounts whose edges are kept
	limit     int
}

type shop struct {
	n       uint32
	country uint16
}

// edge is a pair of accounts. It is kept while either end is in the sample, so
// that the degree of a sampled account is always complete.
type edge struct {
	from, to uint64
	n        uint32
}

func newGraph(shops, edges int) graph {
	return graph{shops: newTable[shop](shops), edges: newTable[edge](2*edges + 1024), limit: edges}
}

func (g *graph) observe(s *seen) {
	if s.Parent != "" {
		return
	}
	if s.merchant != 0 && s.role <= Purchase {
		g.purchases++
		if p := g.shops.at(s.merchant); p != nil {
			p.n++
			p.country = s.code[colCountry]
		}
	}
	if s.counterparty == 0 || s.account == 0 || s.declined {
		return
	}
	if !sampled(s.account, g.level) && !sampled(s.counterparty, g.level) {
		return
	}
	e := g.edges.at(pair(s.account, s.counterparty))
	e.from, e.to = s.account, s.counterparty
	e.n++
	if len(g.edges.items) > g.limit {
		g.level++
		g.edges.keep(func(_ uint64, e *edge) bool { return sampled(e.from, g.level) || sampled(e.to, g.level) })
	}
}

// popularity are the merchants' counts, the highest first.
func (g *graph) popularity() []uint32 {
	out := make([]uint32, len(g.shops.items))
	for i, s := range g.shops.items {
		out[i] = s.n
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// byCountry are the same by country.
func (g *graph) byCountry() [][]uint32 {
	out := make([][]uint32, maxCodes+1)
	for _, s := range g.shops.items {
		out[s.country] = append(out[s.country], s.n)
	}
	for _, counts := range out {
		slices.Sort(counts)
		slices.Reverse(counts)
	}
	return slices.DeleteFunc(out, func(counts []uint32) bool { return len(counts) == 0 })
}

// slope is a fit of log count over log rank, with one slope for all groups.
type slope struct {
	groups, ranks int
	value         float64
	error         float64 // mean square of what the fit leaves
}

// zipfFit fits the merchants with at least so many purchases that chance does
// not change their order much. Each rank weighs the same, because a head of few
// merchants says little.
func zipfFit(groups [][]uint32) slope {
	const (
		least = 100 // purchases
		few   = 10  // merchants of a group
	)
	var out slope
	var xx, xy, yy float64
	for _, counts := range groups {
		n := 0
		for n < len(counts) && counts[n] >= least {
			n++
		}
		if n < few {
			continue
		}
		var mx, my float64
		for i, c := range counts[:n] {
			mx += ln(float64(i+1)) / float64(n)
			my += ln(float64(c)) / float64(n)
		}
		for i, c := range counts[:n] {
			x, y := ln(float64(i+1))-mx, ln(float64(c))-my
			xx += float64(x * x)
			xy += float64(x * y)
			yy += float64(y * y)
		}
		out.groups, out.ranks = out.groups+1, out.ranks+n
	}
	out.value = ratio(xy, xx)
	out.error = ratio(yy-float64(out.value*xy), float64(out.ranks-out.groups))
	return out
}

// zipf is the exponent of the merchants' popularity.
func (m *Meter) zipf() Measure {
	out := Measure{
		Name: "merchant_zipf", Title: "Popularity of merchants", Group: groupGraph,
		Published: "Zipf exponent 0.80 (North America) to 1.13 (Europe)", Source: "Krumme et al. 2013, Sci Rep 3:1645",
		Samples: m.graph.purchases,
	}
	out.band(0.80-bandZipf, 1.13+bandZipf)
	if z := m.opt.Expect.Zipf; z > 0 {
		out.band(z-bandZipf, z+bandZipf)
	}
	const enough = 50
	fit := zipfFit([][]uint32{m.graph.popularity()})
	if fit.ranks < enough {
		return out.unmeasured("%d merchants have 100 purchases; %d are needed", fit.ranks, enough)
	}
	where := "its rank"
	// Several countries whose customers shop at home have a law each, and all of
	// them together have none at the head.
	if c := zipfFit(m.graph.byCountry()); c.groups > 1 && c.ranks >= enough && c.error < fit.error {
		fit, where = c, "its rank in its country"
	}
	return out.judge(-fit.value, "the count of a merchant falls with %s to the power of %s, fitted on %s merchants",
		where, number(-fit.value), count(fit.ranks))
}

// degrees are the histograms of distinct counterparties: of those that an
// account pays, or of those that pay it.
func (g *graph) degrees(incoming bool) []bin {
	var ends []uint64
	for _, e := range g.edges.items {
		end := e.from
		if incoming {
			end = e.to
		}
		if sampled(end, g.level) {
			ends = append(ends, end)
		}
	}
	slices.Sort(ends)
	var sizes []uint64
	for i, start := 1, 0; i <= len(ends); i++ {
		if i == len(ends) || ends[i] != ends[start] {
			sizes = append(sizes, uint64(i-start))
			start = i
		}
	}
	return histogram(sizes)
}

// bin is how often a size was seen.
type bin struct{ size, n uint64 }

func histogram(sizes []uint64) []bin {
	slices.Sort(sizes)
	var out []bin
	for _, s := range sizes {
		if len(out) == 0 || out[len(out)-1].size != s {
			out = append(out, bin{size: s})
		}
		out[len(out)-1].n++
	}
	return out
}

func (m *Meter) inDegree() Measure {
	out := Measure{
		Name: "in_degree_exponent", Title: "Payers of an account", Group: groupGraph,
		Published: "exponent 2.09 to 2.32; Fedwire 2.15; Bitcoin 2.18", Source: "FinBench, Soramäki 2007, Kondor 2014",
	}
	out.band(2.09-bandDegree, 2.32+bandDegree)
	return m.degree(out, true, m.opt.Expect.InDegree)
}

func (m *Meter) outDegree() Measure {
	out := Measure{
		Name: "out_degree_exponent", Title: "Payees of an account", Group: groupGraph,
		Published: "exponent 1.72; Fedwire 2.11; Bitcoin 2.06", Source: "FinBench, Soramäki 2007, Kondor 2014",
	}
	out.band(1.72-bandDegree, 2.11+bandDegree)
	return m.degree(out, false, m.opt.Expect.OutDegree)
}

func (m *Meter) degree(out Measure, incoming bool, want float64) Measure {
	if want > 0 {
		out.band(want-bandDegree, want+bandDegree)
	}
	h := m.graph.degrees(incoming)
	for _, b := range h {
		out.Samples += b.n
	}
	f, ok := fitPower(h)
	if !ok {
		return out.unmeasured("%s accounts are too few for an exponent to ±%s", count(out.Samples), number(bandDegree))
	}
	return out.judge(f.alpha,
		"the number of accounts falls with their counterparties to the power of %s, from %s counterparties on (%s accounts)",
		number(f.alpha), count(f.least), count(f.n))
}

// multiplicity is how many payments a pair of accounts has that has any.
func (m *Meter) multiplicity() Measure {
	out := Measure{
		Name: "edge_multiplicity", Title: "Payments of a pair of accounts", Group: groupGraph,
		Published: "mean 1.76, 1.79 and 1.97", Source: "FinBench regression files", Samples: uint64(len(m.graph.edges.items)),
	}
	out.band(1.76*(1-bandMultiplicity), 1.97*(1+bandMultiplicity))
	if x := m.opt.Expect.Multiplicity; x > 0 {
		out.band(x*(1-bandMultiplicity), x*(1+bandMultiplicity))
	}
	const enough = 1_000
	if days := (m.last - m.first) / dayMicros; days < 3 {
		return out.unmeasured("who pays somebody pays them again within weeks, and the stream is %d days long", days)
	}
	if out.Samples < enough {
		return out.unmeasured("%s pairs of accounts paid each other; %s are needed", count(out.Samples), count(enough))
	}
	total := uint64(0)
	for _, e := range m.graph.edges.items {
		total += uint64(e.n)
	}
	value := ratio(total, out.Samples)
	return out.judge(value, "a pair of accounts that has payments has %s of them", number(value))
}
