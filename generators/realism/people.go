package realism

import (
	"slices"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// act notes the time since the account's owner acted last.
func (p *person) act(s *seen) {
	if !p.active {
		p.active, p.last = true, s.Time
		return
	}
	if s.Time < p.last {
		return // late: the gap is not known
	}
	gap := float64(s.Time - p.last)
	p.last = s.Time
	p.gaps++
	off := gap - p.mean
	p.mean += off / float64(p.gaps)
	p.m2 += float64(off * (gap - p.mean))
}

// spend counts spending by whether the day brought income, which may come
// before or after it on that day.
func (p *person) spend(s *seen) {
	if s.role == Income {
		if !p.paid || p.payday != s.day {
			p.paid, p.payday = true, s.day
			p.paydays[weekdayOf(s.day)]++
			if p.hasDay && p.day == s.day {
				p.paidSpent += p.today
			}
		}
		return
	}
	if !s.spends() {
		return
	}
	if !p.hasDay || p.day != s.day {
		p.hasDay, p.day, p.today = true, s.day, 0
	}
	p.today++
	p.spent++
	if p.paid && p.payday == s.day {
		p.paidSpent++
	}
}

// enoughGaps is how many gaps an account must have to be bursty or not.
const enoughGaps = 20

// bursty is the burstiness of n gaps between events whose standard deviation
// is r times their mean: -1 for a clock, 0 for chance, 1 for a single burst, for
// any n. Equation 22 of Kim and Jo 2016; n of chance alone have r = √((n-1)/(n+1)),
// and no n have more than √(n-1).
func bursty(r float64, n uint32) float64 {
	most, up := root(float64(n)-1), root(float64(n)+1)
	return (float64(up*r) - most) / (float64((up-2)*r) + most)
}

// burstiness is the median of the accounts.
func (m *Meter) burstiness() Measure {
	out := Measure{
		Name: "burstiness", Title: "Burstiness of a customer", Group: groupTime,
		Published: "people act in bursts: gaps have heavy tails, exponent 1 to 2",
		Source:    "Goh and Barabási 2008; finite size by Kim and Jo 2016",
	}
	out.band(0.2, 0.6)
	var all []float64
	for i := range m.people.items {
		p := &m.people.items[i]
		if p.gaps >= enoughGaps && p.mean > 0 {
			all = append(all, bursty(root(p.m2/float64(p.gaps))/p.mean, p.gaps))
		}
	}
	out.Samples = uint64(len(all))
	const enough = 100 // the spread of an account is near 0.15: the median is good to 0.05
	if len(all) < enough {
		return out.unmeasured("%s accounts have %d gaps between events; %d are needed", count(len(all)), enoughGaps, enough)
	}
	slices.Sort(all)
	at := func(share float64) float64 { return all[int(float64(len(all)-1)*share)] }
	out.detail("quartiles", "%s to %s", number(at(0.25)), number(at(0.75)))
	return out.judge(at(0.5), "the median of %s accounts is %s, where chance has 0 and a clock has -1",
		count(len(all)), number(at(0.5)))
}

// pace counts all customers' events in windows of several lengths.
type pace struct {
	windows [paces]window
	started bool
	late    uint64
}

// window is one length. Neighbours are compared, so a rate that changes over
// hours does not count: of chance alone, (b-a)² is a+b on average.
type window struct {
	at            int64
	now, before   uint32
	closed        uint64
	squares, sums float64
}

const paces = 6

// paceMicros are the lengths of the windows; each divides the next.
func paceMicros() [paces]int64 { return [paces]int64{1e4, 1e5, 1e6, 1e7, 6e7, 6e8} }

func newPace() pace { return pace{} }

func (p *pace) observe(t int64) {
	const finest = 10_000
	at := t / finest
	if !p.started {
		p.started = true
		for i, length := range paceMicros() {
			p.windows[i].at = t / length
		}
		return
	}
	if at <= p.windows[0].at {
		if at == p.windows[0].at {
			for i := range p.windows {
				p.windows[i].now++
			}
		} else {
			p.stray(t)
		}
		return
	}
	steps := [paces]int64{1, 10, 10, 10, 6, 10}
	for i := range p.windows {
		at /= steps[i]
		p.windows[i].move(at)
		p.windows[i].now++
	}
}

// stray takes an event whose finest window has passed: it counts in the longer
// windows that are still open.
func (p *pace) stray(t int64) {
	for i, length := range paceMicros() {
		if t/length == p.windows[i].at {
			p.windows[i].now++
		} else if i == 2 {
			p.late++
		}
	}
}

func (w *window) move(at int64) {
	if at == w.at {
		return
	}
	w.close()
	if idle := at - w.at - 1; idle > 0 { // nothing happened in between
		w.now = 0
		w.close()
		w.closed += uint64(idle) - 1
	}
	w.at, w.now = at, 0
}

// close ends the present window. The first one began before the stream did and
// does not count.
func (w *window) close() {
	w.closed++
	if w.closed > 2 {
		d := float64(w.now) - float64(w.before)
		w.squares += float64(d * d)
		w.sums += float64(w.now) + float64(w.before)
	}
	w.before = w.now
}

// dispersion is the variance of the number of events in a window against its
// mean, from neighbouring windows.
func (m *Meter) dispersion() Measure {
	out := Measure{
		Name: "aggregate_dispersion", Title: "Events of all customers together", Group: groupTime,
		Published: "many independent customers make a Poisson process: variance/mean 1",
		Source:    "Palm 1943, Khinchin 1955",
	}
	out.band(0.9, 1.5)
	const (
		busy   = 2   // events in a window: fewer are spread by chance whatever their law
		enough = 400 // pairs: three standard errors, each √(2/n), are 0.2
	)
	for i, length := range paceMicros() {
		w := &m.pace.windows[i]
		if w.closed < 3 {
			continue
		}
		pairs := w.closed - 2
		if w.sums < 2*busy*float64(pairs) {
			continue
		}
		out.Samples = pairs
		if pairs < enough {
			break
		}
		value := w.squares / w.sums
		return out.judge(value, "events in windows of %s have a variance of %s times their mean",
			ui.Seconds(float64(length)/1e6), number(value))
	}
	if out.Samples > 0 {
		return out.unmeasured("%s windows with %d events or more are too few", count(out.Samples), busy)
	}
	return out.unmeasured("fewer than %d events in ten minutes", busy)
}
