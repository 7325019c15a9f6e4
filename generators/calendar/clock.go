package calendar

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Clock relates the time of events to the time on the wall. It is a value and
// reads no clock: the caller passes the wall's time in. All times are
// microseconds since the Unix epoch.
type Clock struct {
	Speed Speed
	Event int64 // time of the events at the beginning
	Wall  int64 // time on the wall at the beginning
}

// Speed is how many thousandths of a second pass for the events in a
// millisecond on the wall; 0 is as fast as possible.
type Speed int64

// The speeds that have a name.
const (
	Max  Speed = 0
	Live Speed = 1000
)

// ParseSpeed reads "live", "max" or "xN", for example "x60" or "x0.5".
func ParseSpeed(text string) (Speed, error) {
	switch text {
	case "live":
		return Live, nil
	case "max":
		return Max, nil
	}
	const remedy = "write live, max or xN: x60 is an hour in a minute"
	if number, ok := strings.CutPrefix(text, "x"); ok {
		whole, part, _ := strings.Cut(number, ".")
		n, err := strconv.ParseUint(whole+(part + "000")[:3], 10, 32)
		if err == nil && len(part) <= 3 && n > 0 && whole != "" && number[len(number)-1] != '.' {
			return Speed(n), nil
		}
		return 0, fail.New(fail.Usage, remedy+"; N is from 0.001 to 1000000",
			"reading clock %q: %q is no factor", text, number)
	}
	return 0, fail.New(fail.Usage, remedy, "reading clock %q: there is none of that name", text)
}

// String is the text that [ParseSpeed] reads.
func (s Speed) String() string {
	switch s {
	case Max:
		return "max"
	case Live:
		return "live"
	}
	return "x" + strconv.FormatFloat(float64(s)/1000, 'f', -1, 64)
}

// WallAt is when an event is due on the wall: at the first microsecond at which
// [Clock.EventAt] has reached it. At full speed everything is due at the
// beginning.
func (c Clock) WallAt(event int64) int64 {
	if c.Speed == Max {
		return c.Wall
	}
	return add(c.Wall, -scale(sub(c.Event, event), int64(Live), int64(c.Speed)))
}

// EventAt is how far the events may be by a time on the wall. At full speed it
// is the end of time.
func (c Clock) EventAt(wall int64) int64 {
	if c.Speed == Max {
		return math.MaxInt64
	}
	return add(c.Event, scale(sub(wall, c.Wall), int64(c.Speed), int64(Live)))
}

// scale is x*by/of, rounded down, at most what fits.
func scale(x, by, of int64) int64 {
	negative := x < 0
	if negative {
		x = -max(x, -math.MaxInt64)
	}
	high, low := bits.Mul64(uint64(x), uint64(by))
	if high >= uint64(of) {
		high, low = 0, math.MaxInt64
		of = 1
	}
	q, rest := bits.Div64(high, low, uint64(of))
	out := int64(min(q, math.MaxInt64))
	if !negative {
		return out
	}
	if rest > 0 && out < math.MaxInt64 {
		out++
	}
	return -out
}

// add and sub stop at the ends of what fits.
func add(a, b int64) int64 {
	switch sum := a + b; {
	case b > 0 && sum < a:
		return math.MaxInt64
	case b < 0 && sum > a:
		return math.MinInt64
	default:
		return sum
	}
}

func sub(a, b int64) int64 {
	if b == math.MinInt64 {
		b++
	}
	return add(a, -b)
}
