package flow

import (
	"fmt"
	"strconv"

	"github.com/lakeproof/lakeproof/generators"
)

// Law is the kind of law of a delay.
type Law uint8

// The laws of delays. The last three are the calendar's: the engine knows it.
const (
	AtOnce          Law = iota
	Uniform             // A to B microseconds
	LogNormal           // median A microseconds, spread B
	NextPayday          // of the customer's market
	NextBusinessDay     // A microseconds into it
	MonthlyDay          // the next day A of a month; 0: a month later
)

// Delay is how long it takes until the next state is entered.
type Delay struct {
	Law   Law
	shift uint8 // so that the median fits into what LogNormal.Draw takes
	A, B  int64
}

const (
	second = int64(1_000_000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	maxDelay = 400 * day
	// maxMedian is what [generators.LogNormal] takes.
	maxMedian = 1 << 30
)

// Calendar reports whether only the engine can say how long it is.
func (d Delay) Calendar() bool { return d.Law >= NextPayday }

// Draw maps 64 random bits to microseconds; 0 for the laws of the calendar.
func (d Delay) Draw(random uint64, amounts *generators.LogNormal) int64 {
	switch d.Law {
	case Uniform:
		return d.A + int64(generators.Below(random, uint64(d.B-d.A+1)))
	case LogNormal:
		// The low bits of a draw are not used for the law: they fill what is shifted.
		rest := int64(random & (1<<d.shift - 1))
		return amounts.Draw(random, d.A>>d.shift, generators.Spread(d.B))<<d.shift | rest
	default:
		return 0
	}
}

// newLogNormal returns a log-normal law.
func newLogNormal(median, thousandths int64) Delay {
	d := Delay{Law: LogNormal, A: median, B: int64(generators.Sigma(thousandths))}
	for d.A>>d.shift >= maxMedian {
		d.shift++
	}
	return d
}

// String is the delay as a file writes it; empty if there is none.
func (d Delay) String() string {
	switch d.Law {
	case Uniform:
		if d.A == d.B {
			return length(d.A)
		}
		return length(d.A) + ".." + length(d.B)
	case LogNormal:
		return fmt.Sprintf("lognormal(%s, %s)", length(d.A), sigma(generators.Spread(d.B)))
	case NextPayday:
		return "next payday"
	case NextBusinessDay:
		return fmt.Sprintf("next business day %02d:%02d", d.A/hour, d.A%hour/minute)
	case MonthlyDay:
		if d.A == 0 {
			return "monthly"
		}
		return fmt.Sprintf("monthly on day %d", d.A)
	default:
		return ""
	}
}

// length writes microseconds in the largest unit that fits without a rest.
func length(micros int64) string {
	for _, u := range units() {
		if micros%u.micros == 0 {
			return strconv.FormatInt(micros/u.micros, 10) + u.name
		}
	}
	return strconv.FormatInt(micros, 10) + "us"
}

type unit struct {
	name   string
	micros int64
}

// units of time, the largest first. The names are tried in this order.
func units() []unit {
	return []unit{{"d", day}, {"h", hour}, {"m", minute}, {"s", second}, {"ms", 1000}}
}

// sigma writes the spread as a file does.
func sigma(s generators.Spread) string {
	one := int64(generators.Sigma(1000))
	thousandths := (int64(s)*1000 + one/2) / one
	return strconv.FormatFloat(float64(thousandths)/1000, 'f', -1, 64)
}
