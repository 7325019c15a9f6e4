package calendar

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// burst is a compiled burst, on a local clock.
type burst struct {
	from   int64 // seconds; within the period, which begins on a Monday at 00:00
	length int64
	period int64 // a day, a week, or 0: once
	factor float64
	clock  int // whose clock: -1 each customer's own
}

// monday is the first Monday of the epoch: periods are counted from it.
const monday = 4 * day

// has reports whether the burst is on at a local time.
func (b *burst) has(local int64) bool {
	if b.period == 0 {
		return b.from <= local && local < b.from+b.length
	}
	return modulo(local-monday-b.from, b.period) < b.length
}

// edges appends the times within from..to (UTC) at which the burst begins or
// ends on a clock that is so far ahead.
func (b *burst) edges(out []int64, offset, from, to int64) []int64 {
	for _, edge := range []int64{b.from, b.from + b.length} {
		at := edge - offset
		if b.period > 0 {
			at += monday
			at = from + modulo(at-from, b.period)
		}
		for ; at < to; at += b.period {
			if at > from {
				out = append(out, at)
			}
			if b.period == 0 {
				break
			}
		}
	}
	return out
}

func (s *Shape) addBursts(r *Rate, db *database) {
	for _, given := range r.Bursts {
		b, err := parseBurst(given.At)
		if err != nil {
			continue // checked before
		}
		b.length, b.factor, b.clock = int64(given.For/time.Second), given.Factor, -1
		if given.Zone != "" {
			loc, _ := db.load(given.Zone)
			b.clock = len(s.clocks)
			s.clocks = append(s.clocks, offsetsOf(loc, s.start, s.end))
		}
		s.bursts = append(s.bursts, b)
	}
}

// parseBurst reads when a burst begins: "Fri 18:00", "18:00", "2026-11-27" or
// "2026-11-27 08:00".
func parseBurst(at string) (burst, error) {
	before, clock, two := strings.Cut(at, " ")
	switch {
	case !two && strings.Contains(at, ":"):
		seconds, err := parseClockTime(at)
		return burst{from: seconds, period: day}, err
	case !two:
		date, err := ParseDate(at)
		return burst{from: int64(date) * day}, err
	}
	seconds, err := parseClockTime(clock)
	if err != nil {
		return burst{}, err
	}
	if weekday := slices.Index(weekdays(), strings.ToLower(before)); weekday >= 0 {
		return burst{from: int64(weekday%7)*day + seconds, period: week}, nil
	}
	date, err := ParseDate(before)
	return burst{from: int64(date)*day + seconds}, err
}

func weekdays() []string {
	return []string{
		"mon", "tue", "wed", "thu", "fri", "sat", "sun",
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
	}
}

// parseClockTime reads HH:MM as seconds.
func parseClockTime(text string) (int64, error) {
	h, m, ok := strings.Cut(text, ":")
	hours, err1 := digits(h, 2)
	minutes, err2 := digits(m, 2)
	if !ok || err1 != nil || err2 != nil || hours > 23 || minutes > 59 {
		return 0, errors.New("the time of day is not HH:MM")
	}
	return int64(hours)*hour + int64(minutes)*60, nil
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(text string) (Date, error) {
	if len(text) == 10 && text[4] == '-' && text[7] == '-' {
		y, err1 := digits(text[:4], 4)
		m, err2 := digits(text[5:7], 2)
		d, err3 := digits(text[8:], 2)
		if err1 == nil && err2 == nil && err3 == nil && m >= 1 && m <= 12 && d >= 1 && d <= monthDays(y, m) {
			return NewDate(y, m, d), nil
		}
	}
	return 0, errors.New("the date is not YYYY-MM-DD")
}

// digits reads exactly n decimal digits.
func digits(text string, n int) (int, error) {
	if len(text) != n || strings.Trim(text, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(text)
}
