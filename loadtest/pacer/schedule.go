// Package pacer says when each record of a stream is due. It is open loop: the
// intended time of record n is fixed before anything is sent, as the moment at
// which the integral of the rate reaches n, so a slow system never slows the
// schedule, and what it costs is charged to the record that waited.
//
// A value flows like this: a scenario's rate becomes a [Schedule]; [Run] walks
// it in real time and calls the sender with ranges of records that are due;
// later the verifier asks the same Schedule for the intended time of any record
// again, without walking there.
//
// There are two kinds of timeline: segments of straight lines, and a curve that
// follows the hours and days of a world ([Follow]). A Schedule is either, and
// its users need not know which.
//
// It does not make, send or count records, and it never skips one.
package pacer

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// Segment is a stretch of time in which the rate goes in a straight line from
// From to To, both in records per second.
type Segment struct {
	Name     string // the phase's name, for windows in thresholds and bands in charts
	From, To float64
	For      time.Duration
}

// Schedule is the plan of one stream: segments one after the other, or a curve.
// Its methods may be called from many goroutines.
type Schedule struct {
	segs  []span
	wave  *wave // nil where there are segments
	count uint64
	total time.Duration
}

// span is a segment with what lies before it.
type span struct {
	Segment
	start  float64 // seconds from the schedule's beginning
	before float64 // records due before it
}

// New makes a schedule. Rates must be zero or more and finite, durations more
// than zero, and at least one record must become due.
func New(segments ...Segment) (Schedule, error) {
	var s Schedule
	var start, before float64
	for _, seg := range segments {
		if seg.For <= 0 {
			return Schedule{}, fmt.Errorf("planning segment %q: duration %v is not positive", seg.Name, seg.For)
		}
		if !valid(seg.From) || !valid(seg.To) {
			return Schedule{}, fmt.Errorf("planning segment %q: rate %v to %v is not a positive number",
				seg.Name, seg.From, seg.To)
		}
		s.segs = append(s.segs, span{seg, start, before})
		start += seg.For.Seconds()
		before += (seg.From + seg.To) / 2 * seg.For.Seconds()
		s.total += seg.For
	}
	if before < 1 {
		return Schedule{}, fmt.Errorf("planning %d segments: no record becomes due in %v", len(segments), s.total)
	}
	s.count = uint64(math.Floor(before + 1e-9))
	return s, nil
}

func valid(rate float64) bool { return rate >= 0 && !math.IsInf(rate, 0) && !math.IsNaN(rate) }

// Scaled returns the same shape with every rate multiplied by share. Of a curve
// the draws make another process over it; segments need none.
func (s Schedule) Scaled(share float64, draws generators.Rand) (Schedule, error) {
	if s.wave != nil {
		return s.wave.lay(s.wave.curve.Rate.Mean*share, draws)
	}
	segs := make([]Segment, len(s.segs))
	for i, sp := range s.segs {
		segs[i] = sp.Segment
		segs[i].From *= share
		segs[i].To *= share
	}
	return New(segs...)
}

// Count is how many records the schedule holds: their numbers are 0 to Count-1.
func (s Schedule) Count() uint64 { return s.count }

// Duration is how long the schedule lasts.
func (s Schedule) Duration() time.Duration { return s.total }

// At returns the intended time of record seq as the time since the beginning.
// Record 0 of segments is due at once. A seq beyond the end gives the end.
func (s Schedule) At(seq uint64) time.Duration {
	if seq >= s.count {
		return s.total
	}
	if s.wave != nil {
		return s.wave.at(seq)
	}
	n := float64(seq)
	i := 0
	if len(s.segs) > 1 {
		i = sort.Search(len(s.segs), func(i int) bool { return s.segs[i].before > n }) - 1
	}
	sp := &s.segs[i]
	return time.Duration(math.Round((sp.start + sp.reach(n-sp.before)) * 1e9))
}

// reach solves From*t + slope*t*t/2 = n for t, in the form that stays exact
// when the slope is small.
func (sp *span) reach(n float64) float64 {
	if sp.From == sp.To {
		return n / sp.From
	}
	slope := (sp.To - sp.From) / sp.For.Seconds()
	root := math.Sqrt(math.Max(0, sp.From*sp.From+2*slope*n))
	if sp.From+root == 0 {
		return 0
	}
	return min(2*n/(sp.From+root), sp.For.Seconds())
}

// Due returns how many records are due after the given time: every record with
// a number below it has an intended time that is not later.
func (s Schedule) Due(after time.Duration) uint64 {
	if after < 0 {
		return 0
	}
	if after >= s.total {
		return s.count
	}
	if s.wave != nil {
		return min(s.wave.due(after), s.count)
	}
	t := after.Seconds()
	i := sort.Search(len(s.segs), func(i int) bool { return s.segs[i].start > t }) - 1
	sp := &s.segs[i]
	u := t - sp.start
	slope := (sp.To - sp.From) / sp.For.Seconds()
	due := uint64(sp.before+sp.From*u+slope*u*u/2) + 1
	// Rounding may leave the estimate one off on either side; At is the law.
	for due > 0 && s.At(due-1) > after {
		due--
	}
	for due < s.count && s.At(due) <= after {
		due++
	}
	return min(due, s.count)
}

// RateAt returns the rate at the given time, in records per second.
func (s Schedule) RateAt(after time.Duration) float64 {
	if after < 0 || after >= s.total {
		return 0
	}
	if s.wave != nil {
		return s.wave.rateAt(after)
	}
	t := after.Seconds()
	i := sort.Search(len(s.segs), func(i int) bool { return s.segs[i].start > t }) - 1
	sp := s.segs[i]
	return sp.From + (sp.To-sp.From)*(t-sp.start)/sp.For.Seconds()
}

// Peak is the highest rate, in records per second; of a curve that of the
// busiest ten-thousandth of its time.
func (s Schedule) Peak() float64 {
	if s.wave != nil {
		return s.wave.peak()
	}
	var most float64
	for _, sp := range s.segs {
		most = max(most, sp.From, sp.To)
	}
	return most
}

// Phase is a named window of the schedule.
type Phase struct {
	Name     string
	From, To time.Duration // since the beginning
}

// CurvePhase is the name of a curve's only phase.
const CurvePhase = "curve"

// Phases returns the segments as windows; a curve is one.
func (s Schedule) Phases() []Phase {
	if s.wave != nil {
		return []Phase{{CurvePhase, 0, s.total}}
	}
	out := make([]Phase, len(s.segs))
	var at time.Duration
	for i, sp := range s.segs {
		out[i] = Phase{sp.Name, at, at + sp.For}
		at += sp.For
	}
	return out
}

// String says the plan in words: "5,000/s for 30s".
func (s Schedule) String() string {
	if s.wave != nil {
		return s.wave.String()
	}
	parts := make([]string, len(s.segs))
	for i, sp := range s.segs {
		if sp.From == sp.To {
			parts[i] = fmt.Sprintf("%.6g/s for %v", sp.From, sp.For)
		} else {
			parts[i] = fmt.Sprintf("%.6g/s to %.6g/s over %v", sp.From, sp.To, sp.For)
		}
	}
	return strings.Join(parts, ", then ")
}
