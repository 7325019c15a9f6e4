package streams

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// How often each flow is walked, and how far.
const (
	mixRuns = 40_000
	maxHops = 2000
	bins    = 4096 // of the span, for when flows begin
)

// mix is how often each type of event is to be expected among the first
// payments. Flow.Visits says it of flows that had time to end; here the stream
// begins with nothing under way and ends in the middle of it. So flows that begin
// when customers begin something are walked with their delays, and what happens
// before the end is counted.
//
// What nobody configures is taken from the events themselves, or from the bank:
// when customers begin something, how many payments are refused for want of money,
// how many fill their account up then, and how late the batch is.
func (b *Bank) mix(count uint64) (map[string]float64, error) {
	w, err := b.newWalker(count)
	if err != nil {
		return nil, err
	}
	out := w.observe()
	all, seen := 0.0, 0.0 // shares of the flows, and of those that show when they begin
	for _, f := range b.config.Flows.Flows {
		if begins(f) {
			all += float64(f.Start.Share)
			seen += float64(f.Start.Share) * w.shown(f)
		}
	}
	for _, f := range b.config.Flows.Flows {
		switch {
		case f.Stream == flow.Payments && f.Start.Share > 0 && f.Start.Monthly():
			out[firstType(f)] += w.months(f)
		case begins(f):
			each := w.begun * float64(f.Start.Share) / max(1, seen) / mixRuns
			for range mixRuns {
				w.walk(f, w.begin(), func(kind string, _ int64) { out[kind] += each })
			}
		}
	}
	return out, nil
}

// begins reports whether customers begin a flow at any time.
func begins(f *flow.Flow) bool {
	return f.Stream == flow.Payments && f.Start.Share > 0 && !f.Start.Monthly()
}

func firstType(f *flow.Flow) string {
	for _, s := range f.States {
		if s.Emit != flow.NoEvent {
			return s.Emit.String()
		}
	}
	return ""
}

// walker walks flows.
type walker struct {
	*Bank
	start, span int64
	count       uint64
	locals      []*calendar.Local // of the markets
	local       *calendar.Local   // of who walks
	amounts     *generators.LogNormal
	draw        generators.Rand
	drawn       uint64
	poor        uint64          // share of the payments that the money does not suffice for, ppm
	late        []time.Duration // of the batch, by hour
	hidden      []bool          // flows whose first event is of another day
	begun       float64         // flows whose beginning shows
	when        generators.Alias
}

func (b *Bank) newWalker(count uint64) (*walker, error) {
	w := &walker{
		Bank: b, start: b.config.Start, span: max(1, b.last(count)-b.config.Start), count: count,
		amounts: generators.NewLogNormal(), draw: generators.Seed(1).Rand("realism.mix"),
		hidden: make([]bool, len(b.config.Flows.Flows)),
	}
	for i := range b.markets {
		local, err := calendar.NewLocal(b.markets[i].Zone, w.start)
		if err != nil {
			return nil, fmt.Errorf("reading the calendar: %w", err)
		}
		w.locals = append(w.locals, local)
	}
	w.local = w.locals[0]
	for i, f := range b.config.Flows.Flows {
		w.hidden[i] = !begins(f) || w.shown(f) < 0.5
	}
	return w, nil
}

// shown is how many flows show when they begin: their first event is at most
// hours later.
func (w *walker) shown(f *flow.Flow) float64 {
	const runs = 500
	shown := 0.0
	for range runs {
		first := int64(math.MaxInt64)
		w.walk(f, w.start, func(_ string, age int64) { first = min(first, age) })
		if first < bank.BatchAfter {
			shown++
		}
	}
	return shown / runs
}

// observe takes from the events what nobody configures. It returns what begins for
// want of money, by type.
func (w *walker) observe() map[string]float64 {
	set := w.config.Flows
	refusals, asking := make([]bool, len(set.States)), make([]bool, len(set.Flows))
	for _, s := range set.States {
		for _, t := range s.Next {
			if t.When == flow.InsufficientFunds {
				refusals[t.To], asking[s.Flow] = true, true
			}
		}
	}
	refused, asked := uint64(0), uint64(1)
	out, begun := map[string]float64{}, make([]uint64, bins)
	begun[0] = 1
	for n := range w.count {
		e := w.bank.Event("payments", n)
		if int(e.State) >= len(set.States) {
			continue
		}
		s := &set.States[e.State]
		if refusals[e.State] {
			refused++
		}
		if e.Flow != n {
			continue
		}
		if asking[s.Flow] {
			asked++
		}
		if f := set.Flows[s.Flow]; f.Start.Share == 0 && f.Start.When != 0 {
			out[s.Emit.String()]++
		}
		if !w.hidden[s.Flow] {
			begun[min(bins-1, uint64(float64(e.At-w.start)/float64(w.span)*bins))]++
			w.begun++
		}
	}
	w.poor, w.late, w.when = refused*1_000_000/asked, w.bank.Late(), generators.NewAlias(begun...)
	return out
}

func (w *walker) random() uint64 { w.drawn++; return w.draw.At(w.drawn) }

// begin is when a flow begins.
func (w *walker) begin() int64 {
	within := float64(w.random()>>11) / (1 << 53)
	return w.start + int64((float64(w.when.Pick(w.random()))+within)/bins*float64(w.span))
}

// walk walks a flow until the end of the span, and calls use with each event and
// how old the flow is then.
func (w *walker) walk(f *flow.Flow, begin int64, use func(kind string, age int64)) {
	states := w.config.Flows.States
	state, times, at := f.First, uint8(0), begin
	w.local = w.locals[w.market(begin)]
	var facts flow.Facts
	if generators.Chance(w.random(), uint64(f.Abroad)) {
		facts = flow.Abroad
	}
	for range maxHops {
		s := &states[state]
		if s.Emit != flow.NoEvent {
			use(s.Emit.String(), at-begin)
		}
		now := facts
		if s.Asks&flow.InsufficientFunds != 0 && generators.Chance(w.random(), w.poor) {
			now |= flow.InsufficientFunds
		}
		t := s.Leave(now, times, w.random())
		if t == nil {
			return
		}
		if t.Times > 0 {
			times++
		}
		state = t.To
		if at = w.after(&t.After, at); at >= w.start+w.span {
			return
		}
	}
}

// market is where somebody begins something at a time.
func (w *walker) market(at int64) uint8 {
	if w.config.Zones != nil {
		return uint8(w.config.Zones.Pick(at, w.random()))
	}
	return w.home(uint32(generators.Below(w.random(), uint64(w.config.Customers))))
}

// after is when a transition ends.
func (w *walker) after(d *flow.Delay, at int64) int64 {
	due := at + w.delay(d, at)
	if due-at < bank.BatchAfter || len(w.late) == 0 {
		return due
	}
	// Much is due at the same time, and is worked off one after the other.
	const together = 1_200_000_000
	from := max(due, w.done(due-together))
	return from + int64(float64(w.random()>>11)/(1<<53)*float64(max(0, w.done(due+together)-from)))
}

// done is when the batch has done what was due by a time.
func (w *walker) done(due int64) int64 {
	due -= w.start
	const hour = 3_600_000_000
	at := func(n int) (end, done int64) { // what was done at the end of hour n was due by then
		if n == 0 {
			return 0, 0
		}
		end = int64(n) * hour
		return end, end - w.late[n-1].Microseconds()
	}
	n := 1 + sort.Search(len(w.late), func(i int) bool { _, done := at(i + 1); return done >= due })
	if n > len(w.late) {
		return w.start + due + w.late[len(w.late)-1].Microseconds()
	}
	before, from := at(n - 1)
	end, to := at(n)
	if to <= from {
		return w.start + end
	}
	return w.start + before + int64(float64(max(0, due-from))/float64(to-from)*float64(end-before))
}

// delay is how long a transition takes.
func (w *walker) delay(d *flow.Delay, at int64) int64 {
	if d.Calendar() {
		return bank.Ends(w.local, d, at) - at
	}
	return d.Draw(w.random(), w.amounts)
}

// months is how often a monthly flow begins in the span.
func (w *walker) months(f *flow.Flow) float64 {
	n := 0.0
	w.local = w.locals[0]
	for at := w.start; ; n++ {
		next := at + w.delay(&f.Start.Every, at)
		if next <= at || next >= w.start+w.span {
			break
		}
		at = next
	}
	return n * float64(w.config.Customers) * float64(f.Start.Share) / 1e6
}
