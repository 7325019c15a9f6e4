package exporters

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/metrics"
)

// Why series are left out of the page: the values of label reason.
const (
	dropBudget    = "budget"    // more than the budget allows
	dropDuplicate = "duplicate" // another part has the same series, and newer
	dropInvalid   = "invalid"   // not finite, or with the wrong labels
)

// piece is one family of one part, on its way to the page.
type piece struct {
	*Family
	owner *subject
	at    time.Time // of the collection
	rows  []int     // those that stand on the page; nil: all
}

// count is the number of series that stand on the page.
func (p *piece) count() int {
	if p.rows != nil {
		return len(p.rows)
	}
	return p.len()
}

// each calls yield with the index of every series that stands on the page.
func (p *piece) each(yield func(i int)) {
	if p.rows != nil {
		for _, i := range p.rows {
			yield(i)
		}
		return
	}
	for i := range p.len() {
		yield(i)
	}
}

// block is all of one family on the page.
type block struct {
	metric metrics.Metric
	pieces []*piece
}

func (b *block) count() int {
	n := 0
	for _, p := range b.pieces {
		n += p.count()
	}
	return n
}

// merged is the content of a page.
type merged struct {
	blocks []*block // by name
	series int
}

// tally counts by collector what happened to its series.
type tally map[*subject]*outcome

type outcome struct {
	series  int
	dropped map[string]int // by reason
}

func (t tally) of(s *subject) *outcome {
	o, ok := t[s]
	if !ok {
		o = &outcome{dropped: map[string]int{}}
		t[s] = o
	}
	return o
}

// merge joins the pieces into a page: each family once, each series once (the
// newest), not more than the budget.
func merge(pieces []*piece, budget int) (*merged, tally) {
	m, t := &merged{}, tally{}
	byName := map[string]*block{}
	for _, p := range pieces {
		if p.invalid > 0 {
			t.of(p.owner).dropped[dropInvalid] += p.invalid
		}
		if p.len() == 0 {
			continue
		}
		b, ok := byName[p.metric.Name]
		if !ok {
			b = &block{metric: p.metric}
			byName[p.metric.Name] = b
			m.blocks = append(m.blocks, b)
		}
		b.pieces = append(b.pieces, p)
	}
	slices.SortFunc(m.blocks, func(a, b *block) int { return strings.Compare(a.metric.Name, b.metric.Name) })
	seen := map[uint64]struct{}{}
	seed := maphash.MakeSeed()
	for _, b := range m.blocks {
		slices.SortStableFunc(b.pieces, func(x, y *piece) int { return y.at.Compare(x.at) })
		clear(seen)
		for _, p := range b.pieces {
			if n := p.unique(seed, seen); n > 0 {
				t.of(p.owner).dropped[dropDuplicate] += n
			}
		}
	}
	m.cut(budget, t)
	for _, b := range m.blocks {
		for _, p := range b.pieces {
			t.of(p.owner).series += p.count()
			m.series += p.count()
		}
	}
	return m, t
}

// unique leaves out the series that were seen before, and returns how many.
func (p *piece) unique(seed maphash.Seed, seen map[uint64]struct{}) int {
	var h maphash.Hash
	h.SetSeed(seed)
	dropped := 0
	for i := range p.len() {
		h.Reset()
		for _, c := range p.constant {
			h.WriteString(c.Value)
			h.WriteByte(0xff)
		}
		for _, v := range p.row(i) {
			h.WriteString(v)
			h.WriteByte(0xff) // in no UTF-8 text
		}
		sum := h.Sum64()
		if _, twice := seen[sum]; !twice {
			seen[sum] = struct{}{}
			if p.rows != nil {
				p.rows = append(p.rows, i)
			}
			continue
		}
		if dropped == 0 { // until here all series stood on the page
			p.rows = make([]int, i, p.len())
			for k := range i {
				p.rows[k] = k
			}
		}
		dropped++
	}
	return dropped
}

// cut leaves out what is above the budget, from the largest families: the small
// ones are the sums and states that people need most.
func (m *merged) cut(budget int, t tally) {
	bySize := slices.Clone(m.blocks)
	slices.SortStableFunc(bySize, func(a, b *block) int { return cmp.Compare(a.count(), b.count()) })
	left := budget
	for _, b := range bySize {
		for _, p := range b.pieces {
			n := p.count()
			if n <= left {
				left -= n
				continue
			}
			rows := make([]int, 0, left)
			p.each(func(i int) {
				if len(rows) < left {
					rows = append(rows, i)
				}
			})
			t.of(p.owner).dropped[dropBudget] += n - left
			p.rows, left = rows, 0
		}
	}
}
