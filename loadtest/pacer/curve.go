package pacer

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/calendar"
)

// Curve is a rate that follows the life of a world: hours, weekdays, holidays,
// paydays. The world has a time of its own, from Rate.Start on, which goes by
// Speed times as fast as the wall's; the rate's own end counts for nothing.
type Curve struct {
	Rate  calendar.Rate // Mean is records per second of the wall
	Speed calendar.Speed
	For   time.Duration // on the wall
}

// wave is the timeline of a curve: arrivals in the world's time, and the clock
// that says when that is on the wall.
type wave struct {
	curve    Curve
	draws    generators.Rand
	shape    *calendar.Shape
	clock    calendar.Clock
	end      int64   // of the world's time, microseconds
	mean     float64 // records per second of the world
	arrivals *calendar.Arrivals
	places   [places]place
}

// place keeps the times of a block of records that follow each other. Whoever
// asks in order, and those beside it, mostly find what they ask for.
type place struct {
	mu     sync.Mutex // guards what follows
	block  uint64     // whose times these are, and one more; 0 is none
	times  [1 << blockBits]time.Duration
	cursor calendar.Cursor
}

// load makes the times of a block.
func (p *place) load(block uint64, clock calendar.Clock) {
	for i := range p.times {
		event := p.cursor.At(block<<blockBits | uint64(i))
		p.times[i] = time.Duration(clock.WallAt(event)) * time.Microsecond
	}
	p.block = block + 1
}

const (
	placeBits = 6
	places    = 1 << placeBits
	blockBits = 7                  // as many arrivals as a cursor holds
	golden    = 0x9e3779b97f4a7c15 // spreads blocks that are a power of two apart
)

// Follow makes the schedule of a curve: a Poisson process whose rate follows it.
// The draws say which; those of streams of one scenario differ.
func Follow(c Curve, draws generators.Rand) (Schedule, error) {
	w, err := newWave(c)
	if err != nil {
		return Schedule{}, err
	}
	return w.lay(c.Rate.Mean, draws)
}

func newWave(c Curve) (*wave, error) {
	if c.For <= 0 {
		return nil, fmt.Errorf("planning a curve: duration %v is not positive", c.For)
	}
	clock := calendar.Clock{Speed: c.Speed, Event: c.Rate.Start}
	w := &wave{curve: c, clock: clock, end: clock.EventAt(c.For.Microseconds())}
	const second = 1_000_000
	rate := c.Rate
	rate.End = min(w.end, math.MaxInt64-second) + second - 1
	rate.End -= rate.End % second
	rate.Mean = w.ofWorld(rate.Mean)
	var err error
	w.shape, err = rate.Shape()
	return w, err
}

// ofWorld turns a rate on the wall into one of the world.
func (w *wave) ofWorld(rate float64) float64 {
	return rate * float64(calendar.Live) / float64(w.curve.Speed)
}

// lay lays a process over the shape of the wave.
func (w *wave) lay(mean float64, draws generators.Rand) (Schedule, error) {
	out := &wave{curve: w.curve, draws: draws, shape: w.shape, clock: w.clock, end: w.end, mean: w.ofWorld(mean)}
	out.curve.Rate.Mean = mean
	var err error
	if out.arrivals, err = calendar.NewArrivals(draws, out.shape, out.mean); err != nil {
		return Schedule{}, err
	}
	for i := range out.places {
		out.places[i].cursor = out.arrivals.Cursor()
	}
	s := Schedule{wave: out, count: out.arrivals.Due(out.end - 1), total: out.curve.For}
	if s.count == 0 {
		return Schedule{}, fmt.Errorf("planning %s: no record becomes due", out)
	}
	return s, nil
}

// at is the intended time of a record of the schedule.
func (w *wave) at(seq uint64) time.Duration {
	block := seq >> blockBits
	p := &w.places[block*golden>>(64-placeBits)]
	p.mu.Lock()
	if p.block != block+1 {
		p.load(block, w.clock)
	}
	at := p.times[seq&(1<<blockBits-1)]
	p.mu.Unlock()
	return at
}

// due is how many records are due after a time within the schedule: at counts
// whole microseconds, each the first that the world needs to reach the record.
func (w *wave) due(after time.Duration) uint64 {
	return w.arrivals.Due(w.clock.EventAt(after.Microseconds()))
}

// rateAt is the rate at a time, in records per second of the wall.
func (w *wave) rateAt(after time.Duration) float64 {
	const second = 1_000_000
	from := min(w.clock.EventAt(after.Microseconds()), w.shape.End()-second)
	return w.shape.Expected(from, from+second) * w.curve.Rate.Mean
}

// peak is the rate in the busiest of many equal parts.
func (w *wave) peak() float64 {
	const parts = 10_000
	step := max(1, (w.end-w.shape.Start())/parts)
	var most float64
	for at := w.shape.Start(); at < w.end; at += step {
		most = max(most, w.shape.Expected(at, at+step))
	}
	return most / (float64(step) / 1e6) * w.curve.Rate.Mean
}

// String says the curve in words.
func (w *wave) String() string {
	name := w.curve.Rate.Curve
	switch {
	case len(w.curve.Rate.Hours) > 0:
		name = "of its own"
	case name == "":
		name = "flat"
	}
	text := fmt.Sprintf("%.6g/s in an ordinary week by the curve %s for %v", w.curve.Rate.Mean, name, w.curve.For)
	if w.curve.Speed != calendar.Live {
		text += fmt.Sprintf(", which are %v of its world", w.length())
	}
	return text
}

// length is how long the world lasts.
func (w *wave) length() time.Duration {
	return time.Duration(min(w.end-w.shape.Start(), math.MaxInt64/1000)) * time.Microsecond
}

// Curve returns the curve that the schedule follows, if it follows one.
func (s Schedule) Curve() (Curve, bool) {
	if s.wave == nil {
		return Curve{}, false
	}
	return s.wave.curve, true
}

// Zones chooses the zones of a curve's customers by the hours there; nil without
// a curve. Each call returns another one, as it is for one goroutine.
func (s Schedule) Zones() *calendar.Zones {
	if s.wave == nil {
		return nil
	}
	return s.wave.shape.Zones()
}

// Rate is the rate of a curve's customers at a moment of their own clocks (see
// [calendar.Shape.RateOn]); nil without a curve.
func (s Schedule) Rate() func(local int64) float64 {
	if s.wave == nil {
		return nil
	}
	return s.wave.shape.RateOn
}

// With returns the schedule with another rate and another length, each where it
// is above 0, and whether there can be one: ramps and steps have many rates.
func (s Schedule) With(rate float64, length time.Duration) (Schedule, bool, error) {
	if s.wave != nil {
		c := s.wave.curve
		c.Rate.Mean, c.For = or(rate, c.Rate.Mean), or(length, c.For)
		out, err := Follow(c, s.wave.draws)
		return out, true, err
	}
	if len(s.segs) != 1 || s.segs[0].From != s.segs[0].To {
		return s, false, nil
	}
	seg := s.segs[0].Segment
	seg.From, seg.For = or(rate, seg.From), or(length, seg.For)
	seg.To = seg.From
	out, err := New(seg)
	return out, true, err
}

func or[T int | float64 | time.Duration](given, def T) T {
	if given != 0 {
		return given
	}
	return def
}
