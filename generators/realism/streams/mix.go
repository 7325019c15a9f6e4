package streams

import (
	"fmt"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// The span is cut into bins. What a flow does is drawn many times.
const (
	mixBins = 512
	mixRuns = 12_000 // of each flow
	maxHops = 2000
)

// mix is how often each type of event is to be expected among the first
// payments. Flow.Visits says it of flows that had time to end; here the stream
// begins with nothing under way and ends in the middle of it, so flows are walked
// with their delays, for how old each is when its events happen. The bank fills
// every slot of its clock; so as many flows begin in each bin as what is under
// way leaves room for.
//
// Nobody configures how much money people have when they pay: how many payments
// are refused for want of it, and how many fill their account up then, is taken
// from the events themselves.
func (b *Bank) mix(count uint64) (map[string]float64, error) {
	w, err := b.newAges(count)
	if err != nil {
		return nil, err
	}
	out := b.poverty(w)
	total := 0.0
	for _, f := range b.config.Flows.Flows {
		if f.Stream == flow.Payments && f.Start.Share > 0 && !f.Start.Monthly() {
			total += float64(f.Start.Share)
		}
	}
	monthly := 0.0
	for _, n := range out {
		monthly += n
	}
	for _, f := range b.config.Flows.Flows {
		switch {
		case f.Stream != flow.Payments || f.Start.Share == 0:
		case f.Start.Monthly():
			n, err := b.months(f, w)
			if err != nil {
				return nil, err
			}
			out[firstType(f)] += n
			monthly += n
		default:
			w.flow(f, float64(f.Start.Share)/total)
		}
	}
	slots := w.slots()
	for i := range slots {
		slots[i] *= max(0, float64(count)-monthly)
	}
	w.fill(slots, out)
	return out, nil
}

// poverty counts what is refused for want of money, and what begins because of
// it, by type.
func (b *Bank) poverty(w *ages) map[string]float64 {
	set := b.config.Flows
	refusals := make([]bool, len(set.States))
	asking := make([]bool, len(set.Flows))
	for _, s := range set.States {
		for _, t := range s.Next {
			if t.When == flow.InsufficientFunds {
				refusals[t.To], asking[s.Flow] = true, true
			}
		}
	}
	refused, asked := uint64(0), uint64(1)
	out := map[string]float64{}
	for n := range w.count {
		e := b.bank.Event("payments", n)
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
	}
	w.poor = refused * 1_000_000 / asked
	return out
}

func firstType(f *flow.Flow) string {
	for _, s := range f.States {
		if s.Emit != flow.NoEvent {
			return s.Emit.String()
		}
	}
	return ""
}

// ages are how old flows are when their events happen.
type ages struct {
	*Bank
	start, span int64
	count       uint64
	local       *calendar.Local
	amounts     *generators.LogNormal
	draw        generators.Rand
	drawn       uint64
	poor        uint64                       // share of the payments that the money does not suffice for, ppm
	byType      map[string]*[mixBins]float64 // events of a type and age, for each flow that begins
	all         [mixBins]float64
}

func (b *Bank) newAges(count uint64) (*ages, error) {
	w := &ages{
		Bank: b, start: b.config.Start, span: max(1, b.last(count)-b.config.Start), count: count,
		amounts: generators.NewLogNormal(), draw: generators.Seed(1).Rand("realism.mix"),
		byType: map[string]*[mixBins]float64{},
	}
	var err error
	if w.local, err = calendar.NewLocal(b.markets[0].Zone, w.start); err != nil {
		return nil, fmt.Errorf("reading the calendar: %w", err)
	}
	return w, nil
}

func (w *ages) random() uint64 { w.drawn++; return w.draw.At(w.drawn) }

// bin is the place of an age.
func (w *ages) bin(age int64) int {
	return min(mixBins-1, int(float64(age)/float64(w.span)*mixBins))
}

// flow walks a flow many times.
func (w *ages) flow(f *flow.Flow, share float64) {
	for range mixRuns {
		w.walk(f, share/mixRuns)
	}
}

func (w *ages) walk(f *flow.Flow, weight float64) {
	states := w.config.Flows.States
	state, times, age := f.First, uint8(0), int64(0)
	begin := w.start + int64(w.random()%uint64(w.span))
	var facts flow.Facts
	if generators.Chance(w.random(), uint64(f.Abroad)) {
		facts = flow.Abroad
	}
	for range maxHops {
		s := &states[state]
		if s.Emit != flow.NoEvent {
			w.event(s.Emit.String(), age, weight)
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
		wait := w.delay(&t.After, begin+age)
		if wait >= bank.BatchAfter { // there is no work yet to be behind with in the first days
			wait += min(bank.BatchLate, (begin+age+wait-w.start)/20)
		}
		if age += wait; age >= w.span {
			return
		}
	}
}

func (w *ages) event(kind string, age int64, weight float64) {
	if w.byType[kind] == nil {
		w.byType[kind] = new([mixBins]float64)
	}
	at := w.bin(age)
	w.byType[kind][at] += weight
	w.all[at] += weight
}

// The hours of the bank's calendar.
const (
	payday     = 25
	smallHours = 3 * 3_600_000_000
)

// delay is how long a transition takes.
func (w *ages) delay(d *flow.Delay, at int64) int64 {
	switch d.Law {
	case flow.AtOnce:
		return 0
	case flow.NextPayday:
		return w.local.NextMonthday(at, payday, smallHours, true) - at
	case flow.NextBusinessDay:
		return w.local.NextWorkday(at, d.A) - at
	case flow.MonthlyDay:
		if d.A == 0 {
			return w.local.NextMonth(at) - at
		}
		return w.local.NextMonthday(at, int(d.A), smallHours, false) - at
	default:
		return d.Draw(w.random(), w.amounts)
	}
}

// months is how often a monthly flow begins in the span.
func (b *Bank) months(f *flow.Flow, w *ages) (float64, error) {
	n := 0.0
	for at := w.start; ; n++ {
		next := at + w.delay(&f.Start.Every, at)
		if next <= at || next >= w.start+w.span {
			break
		}
		at = next
	}
	return n * float64(b.config.Customers) * float64(f.Start.Share) / 1e6, nil
}

// slots is which share of the slots lies in each bin.
func (w *ages) slots() []float64 {
	out := make([]float64, mixBins)
	clock := w.config.Clocks[flow.Payments]
	const points = 1 << 14
	n := min(uint64(points), w.count)
	for i := range n {
		at := clock.At(uint64(float64(i) / float64(n) * float64(w.count)))
		out[w.bin(max(0, at-w.start))] += 1 / float64(n)
	}
	return out
}

// fill finds how many flows begin in each bin, and adds up what comes of them.
// One slot of eight is for what is new, however much is under way.
func (w *ages) fill(slots []float64, out map[string]float64) {
	begun := make([]float64, mixBins)
	backlog := 0.0
	for i := range begun {
		for age := 1; age <= i; age++ {
			backlog += begun[i-age] * w.all[age]
		}
		now := min(backlog, slots[i]*7/8)
		backlog -= now
		begun[i] = (slots[i] - now) / max(w.all[0], 1e-9)
	}
	for kind, byAge := range w.byType {
		for i := range begun {
			for age := 0; age <= i; age++ {
				out[kind] += begun[mixBins-1-i] * byAge[age]
			}
		}
	}
}
