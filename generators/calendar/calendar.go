// Package calendar says when things happen: how many a second, at which
// microsecond, and in which of the customers' time zones.
//
// A value flows like this: a [Rate] is what a person wrote (a curve over the
// hours of the week, holidays, paydays, growth, bursts, time zones).
// [Rate.Check] judges it and [Rate.Shape] compiles it into a [Shape]: the rate
// over UTC as a table of pieces in which it is constant, the sum of all zones'
// local curves. [NewArrivals] lays a Poisson process of a mean rate over the
// shape: arrival n has a time, which is a pure function of the random numbers
// and n, and [Arrivals.At], a [Cursor] and [Arrivals.Due] find it from n, in
// order, and from the time. [Zones] says which zone's customer an arrival is.
// [Clock] relates the time of the events to the time on the wall.
//
// All of it is integers and the four basic operations, so that every machine
// gets the same microseconds; time zones come from the copy in this package,
// never from the machine.
//
// It does not read the wall clock, wait, or make events. It draws no sessions:
// who acts, and how one act leads to the next, is for others.
package calendar

import "time"

// Rate is how often things happen, as a person describes it. The mean holds in
// an ordinary week: holidays, paydays, growth and bursts come on top of it.
type Rate struct {
	Mean  float64 // of an ordinary week, events a second
	Start int64   // first microsecond since the Unix epoch, UTC; a whole second
	End   int64   // first microsecond after it; a whole second

	Curve string    // name of a curve, see [CurveNames]; "" is flat
	Hours []float64 // a curve of one's own in place of Curve: 24 weights for each day, or 168 from Monday on

	Zones    []Zone    // where the customers are; none is UTC alone
	Holidays *Holidays // what a holiday does; nil is nothing
	Paydays  []Payday
	Growth   float64 // a day: 0.01 is one per cent more each day, compounded
	Bursts   []Burst
}

// Zone is a share of the customers.
type Zone struct {
	Name    string  // IANA name, for example "Europe/Berlin"
	Weight  float64 // share of the customers; any unit
	Country string  // whose holidays they keep, see [Countries]; "" is the zone's own country, if known; "none" is none
}

// Holidays is what a public holiday does to its day.
type Holidays struct {
	Sunday bool    // the day follows the curve of a Sunday
	Factor float64 // and the rate is multiplied by this; 0 is silence
}

// Payday is a day on which customers are paid and then spend more. Where
// several overlap, the largest counts.
type Payday struct {
	Day     int     // of the month, 1 to 31; the last day where the month is shorter
	Factor  float64 // on the day itself; published figures are 1.25 to 1.7
	Days    int     // until nothing is left of it, falling evenly; 0 is 1: the day alone
	Workday bool    // paid on the last working day before, where the day is none
}

// Burst is a time of which more is expected, or less.
type Burst struct {
	At     string        // "Fri 18:00" each week, "18:00" each day, "2026-11-27 08:00" or "2026-11-27" once
	Factor float64       // the rate is multiplied by this
	For    time.Duration // whole seconds
	Zone   string        // whose clock At is on: "" each customer's own, otherwise one moment for all
}

const (
	second = 1_000_000 // microseconds
	day    = 86_400    // seconds
	hour   = 3_600     // seconds
	week   = 7 * day
)
