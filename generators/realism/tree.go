package realism

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// search looks for rules on pairs of columns. A rule is a decision tree of
// depth 2: a cut of one column, and on either side a cut of the other, each
// part of which is called fraud or not. Every cut between bins is tried; of a
// column without an order, every cut of its values sorted by their share of
// fraud, which holds the best choice of values for each number of them.
type search struct {
	columns            []binned
	fraudSet, restSet  []bool  // the training half
	weight             float64 // records that a row of the rest stands for, of a fraud's one
	trainAll, testAll  float64 // frauds
	train, test        grid
	sideA, sideB       front
	leftHits, leftMiss []float64
}

// grid counts rows of frauds and of others by the bins of two columns; whole
// numbers, so that taking away leaves nothing behind.
type grid struct{ hits, miss [maxBins * maxBins]float64 }

// rule is the best tree of a pair of columns, with its marks on the test half.
type rule struct {
	found             bool
	a, b              int
	left              [maxBins]bool    // the bins of column a on the left side
	leaf              [2][maxBins]bool // the bins of column b that are fraud: on the right, on the left
	precision, recall float64
}

func (r *rule) score() float64 { return min(r.precision, r.recall) }

func newSearch(m *Meter) *search {
	s := &search{columns: m.binnedColumns(), leftHits: make([]float64, maxBins), leftMiss: make([]float64, maxBins)}
	mark := func(rows []row) []bool {
		out := make([]bool, len(rows))
		for i := range rows {
			out[i] = rows[i].trains()
		}
		return out
	}
	p := &m.sample
	s.fraudSet, s.restSet = mark(p.fraud.rows), mark(p.rest.rows)
	// One row stands for as many records as its reservoir was offered for it.
	s.weight = ratio(float64(p.rest.n), float64(len(p.rest.rows))) /
		ratio(float64(p.fraud.n), float64(len(p.fraud.rows)))
	for _, t := range s.fraudSet {
		if t {
			s.trainAll++
		} else {
			s.testAll++
		}
	}
	return s
}

// fill counts a pair of columns.
func (s *search) fill(a, b *binned) {
	for i := range a.n * maxBins {
		s.train.hits[i], s.train.miss[i], s.test.hits[i], s.test.miss[i] = 0, 0, 0, 0
	}
	for i, t := range s.fraudSet {
		at := int(a.fraud[i])*maxBins + int(b.fraud[i])
		if t {
			s.train.hits[at]++
		} else {
			s.test.hits[at]++
		}
	}
	for i, t := range s.restSet {
		at := int(a.rest[i])*maxBins + int(b.rest[i])
		if t {
			s.train.miss[at]++
		} else {
			s.test.miss[at]++
		}
	}
}

// choice is a set of bins of the second column: those up to a place in an
// order, or those from it on.
type choice struct {
	hits, miss float64
	upTo       int
	from       bool
}

// front holds the choices that no other one beats in both counts.
type front struct {
	order    []uint8
	share    [maxBins]float64
	up, down []choice
	choices  []choice
}

// best finds the rule of a pair whose first cut is on column a.
func (s *search) best(a, b int) rule {
	ca, cb := &s.columns[a], &s.columns[b]
	s.fill(ca, cb)
	order := s.rootOrder(ca)
	clear(s.leftHits)
	clear(s.leftMiss)
	var right [2][maxBins]float64
	for x := range ca.n {
		for y := range cb.n {
			right[0][y] += s.train.hits[x*maxBins+y]
			right[1][y] += s.train.miss[x*maxBins+y]
		}
	}
	best, bestScore := rule{a: a, b: b}, 0.0
	for t := range len(order) - 1 {
		x := int(order[t])
		for y := range cb.n {
			h, f := s.train.hits[x*maxBins+y], s.train.miss[x*maxBins+y]
			s.leftHits[y] += h
			s.leftMiss[y] += f
			right[0][y] -= h
			right[1][y] -= f
		}
		s.sideA.fill(cb, s.leftHits, s.leftMiss)
		s.sideB.fill(cb, right[0][:], right[1][:])
		if l, r, score := s.join(bestScore); score > bestScore {
			bestScore, best.found = score, true
			best.left = [maxBins]bool{}
			for _, x := range order[:t+1] {
				best.left[x] = true
			}
			best.leaf[1], best.leaf[0] = s.sideA.bins(l), s.sideB.bins(r)
		}
	}
	if best.found {
		s.mark(&best, cb)
	}
	return best
}

// rootOrder is the order in which bins move to the left side.
func (s *search) rootOrder(a *binned) []uint8 {
	order := make([]uint8, a.n)
	share := make([]float64, a.n)
	for x := range a.n {
		order[x] = uint8(x)
		hits, miss := 0.0, 0.0
		for y := range maxBins {
			hits += s.train.hits[x*maxBins+y]
			miss += s.train.miss[x*maxBins+y]
		}
		share[x] = ratio(hits, hits+miss)
	}
	if !a.ordered {
		slices.SortStableFunc(order, func(x, y uint8) int { return cmp.Compare(share[y], share[x]) })
	}
	return order
}

// fill makes the front of one side.
func (f *front) fill(b *binned, hits, miss []float64) {
	f.order, f.choices = f.order[:0], f.choices[:0]
	for y := range b.n {
		f.order = append(f.order, uint8(y))
	}
	if !b.ordered {
		for y := range b.n {
			f.share[y] = ratio(hits[y], hits[y]+miss[y])
		}
		slices.SortStableFunc(f.order, func(x, y uint8) int { return cmp.Compare(f.share[y], f.share[x]) })
	}
	f.up = append(f.up[:0], choice{})
	f.down = append(f.down[:0], choice{upTo: b.n, from: true})
	for i, y := range f.order {
		f.up = append(f.up, f.up[i].plus(hits[y], miss[y], i+1))
	}
	if b.ordered {
		for i := range f.order {
			y := f.order[b.n-1-i]
			f.down = append(f.down, f.down[i].plus(hits[y], miss[y], b.n-1-i))
		}
	}
	f.merge()
}

func (c choice) plus(hits, miss float64, upTo int) choice {
	return choice{hits: c.hits + hits, miss: c.miss + miss, upTo: upTo, from: c.from}
}

// merge takes the choices of both directions, which rise in both counts, from
// the most hits down, and leaves out those that another one beats.
func (f *front) merge() {
	least := math.Inf(1)
	for a, b := len(f.up)-1, len(f.down)-1; a >= 0 || b >= 0; {
		var c choice
		switch {
		case b < 0 || a >= 0 && (f.up[a].hits > f.down[b].hits ||
			f.up[a].hits == f.down[b].hits && f.up[a].miss <= f.down[b].miss):
			c = f.up[a]
			a--
		default:
			c = f.down[b]
			b--
		}
		if n := len(f.choices); n > 0 && f.choices[n-1].hits == c.hits {
			if c.miss <= least { // fewer bins, and no more misses
				f.choices[n-1], least = c, c.miss
			}
			continue
		}
		if c.miss >= least {
			continue
		}
		least = c.miss
		f.choices = append(f.choices, c)
	}
}

// join combines the choices of both sides to the highest score above a floor.
func (s *search) join(floor float64) (l, r choice, score float64) {
	score = floor
	for _, a := range s.sideA.choices {
		if a.hits+s.sideB.choices[0].hits <= score*s.trainAll {
			break // fewer from here on
		}
		for _, b := range s.sideB.choices {
			hits := a.hits + b.hits
			if hits <= score*s.trainAll {
				break
			}
			if precision := hits / (hits + float64((a.miss+b.miss)*s.weight)); precision > score {
				l, r, score = a, b, min(precision, hits/s.trainAll)
			}
		}
	}
	return l, r, score
}

// bins are the bins of a choice.
func (f *front) bins(c choice) (out [maxBins]bool) {
	chosen := f.order[:c.upTo]
	if c.from {
		chosen = f.order[c.upTo:]
	}
	for _, y := range chosen {
		out[y] = true
	}
	return out
}

// mark judges a rule on the half of the accounts that it has not seen.
func (s *search) mark(r *rule, b *binned) {
	hits, miss := 0.0, 0.0
	for x := range s.columns[r.a].n {
		leaf := &r.leaf[0]
		if r.left[x] {
			leaf = &r.leaf[1]
		}
		for y := range b.n {
			if leaf[y] {
				hits += s.test.hits[x*maxBins+y]
				miss += s.test.miss[x*maxBins+y]
			}
		}
	}
	r.precision, r.recall = ratio(hits, hits+float64(miss*s.weight)), ratio(hits, s.testAll)
}

// words says a rule.
func (s *search) words(r rule) string {
	a, b := &s.columns[r.a], &s.columns[r.b]
	if r.a == r.b { // two cuts of one column
		var set [maxBins]bool
		for x := range a.n {
			set[x] = r.leaf[0][x] && !r.left[x] || r.leaf[1][x] && r.left[x]
		}
		return a.words(&set)
	}
	var right [maxBins]bool
	for x := range a.n {
		right[x] = !r.left[x]
	}
	var parts []string
	for side, on := range [2]*[maxBins]bool{&right, &r.left} {
		switch then := b.words(&r.leaf[side]); {
		case then == "":
		case then == anything:
			parts = append(parts, a.words(on))
		default:
			parts = append(parts, a.words(on)+" and "+then)
		}
	}
	return strings.Join(parts, "; or ")
}

const anything = "anything"

// words says which values a set of bins holds.
func (c *binned) words(set *[maxBins]bool) string {
	chosen := 0
	for x := range c.n {
		if set[x] {
			chosen++
		}
	}
	switch {
	case chosen == 0:
		return ""
	case chosen == c.n:
		return anything
	case c.ordered:
		return c.ranges(set)
	}
	return c.listed(set)
}

// listed says a set of the values of a column without an order.
func (c *binned) listed(set *[maxBins]bool) string {
	rest := set[len(c.values)+1]
	verb, names := "is", c.names(set, true)
	if rest {
		verb, names = "is not", c.names(set, false)
	}
	const most = 6
	text := fmt.Sprintf("%s %s one of %d values", c.name, verb, len(names))
	if len(names) <= most && !slices.Contains(names, "") {
		text = c.name + " " + verb + " " + strings.Join(names, ", ")
	}
	switch {
	case set[missingBin] && len(names) == 0 && !rest:
		return c.name + " is missing"
	case set[missingBin] && !rest:
		return text + " or missing"
	case len(names) == 0: // all values, known before or not
		return c.name + " is there"
	case rest && !set[missingBin]:
		return text + " nor missing"
	}
	return text
}

// names are the values inside or outside a set of bins.
func (c *binned) names(set *[maxBins]bool, inside bool) []string {
	var out []string
	for i, v := range c.values {
		if set[i+1] == inside {
			out = append(out, c.show(v))
		}
	}
	return out
}

// ranges says the stretches of a set of bins of a column of numbers.
func (c *binned) ranges(set *[maxBins]bool) string {
	var parts []string
	for x := 1; x < c.n; x++ {
		if !set[x] || set[x-1] && x > 1 {
			continue
		}
		end := x
		for end < c.n && set[end] {
			end++
		}
		switch low, high := x == 1, end == c.n; {
		case low && high:
			parts = append(parts, c.name+" is known")
		case low:
			parts = append(parts, c.name+" < "+c.amount(c.edges[end-2]))
		case high:
			parts = append(parts, c.name+" ≥ "+c.amount(c.edges[x-2]))
		default:
			parts = append(parts, c.amount(c.edges[x-2])+" ≤ "+c.name+" < "+c.amount(c.edges[end-2]))
		}
	}
	if len(parts) == 0 {
		return c.name + " is missing"
	}
	return strings.Join(parts, " or ")
}
