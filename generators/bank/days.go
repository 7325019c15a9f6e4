package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// How many accounts are closed when the bank opens, and how many are closed in
// the years after that: whoever still wants to pay or be paid there learns it.
const (
	closedShare  = 3000   // ppm
	closingShare = 20_000 // ppm
	closingSpan  = 730 * 86_400_000_000
)

// closes says when an account is closed; never is the end of time.
func (e *engine) closes(account uint32) int64 {
	random := e.closed.At(uint64(account))
	switch share := generators.Below(random, 1_000_000); {
	case share < closedShare:
		return e.start
	case share < closedShare+closingShare:
		return e.start + 1 + int64(generators.Below(generators.Again(random), closingSpan))
	default:
		return calendar.Never
	}
}

// isClosed reports whether an account is closed.
func (e *engine) isClosed(account uint32, at int64) bool {
	return e.books.accounts[account].closes <= at
}

// The day and the hour of salaries: on the 25th or the working day before, in
// the batch of the small hours.
const (
	payday     = 25
	smallHours = 3 * 3_600_000_000
)

// ending is the end of a delay of the calendar, which is the same for all beginnings
// from the one that was asked for until it, but for a month from then on.
type ending struct {
	law       flow.Law
	a         int64
	from, end int64
}

// endings are the last ones of a market.
type endings struct {
	known [8]ending // more than flows have such delays
	asked uint8
}

// of is when a delay ends that begins at a time.
func (e *endings) of(local *calendar.Local, d *flow.Delay, at int64) int64 {
	for i := range e.known {
		if k := &e.known[i]; k.a == d.A && k.law == d.Law && k.from <= at && at < k.end {
			return k.end
		}
	}
	end := Ends(local, d, at)
	if d.Law == flow.MonthlyDay && d.A == 0 {
		return end
	}
	e.known[e.asked%uint8(len(e.known))] = ending{d.Law, d.A, at, end}
	e.asked++
	return end
}

// day is when a delay of the calendar ends in a market.
func (e *engine) day(d *flow.Delay, market uint8, at int64) int64 {
	return e.endings[market].of(e.calendars[market], d, at)
}

// Ends is when a delay of the calendar that begins at a time ends.
func Ends(local *calendar.Local, d *flow.Delay, at int64) int64 {
	switch d.Law {
	case flow.NextPayday:
		return local.NextMonthday(at, payday, smallHours, true)
	case flow.NextBusinessDay:
		return local.NextWorkday(at, d.A)
	default:
		if d.A == 0 {
			return local.NextMonth(at)
		}
		return local.NextMonthday(at, int(d.A), smallHours, false)
	}
}

// calendars are those of the markets from a time on.
func calendars(w *world, start int64) ([]*calendar.Local, error) {
	var out []*calendar.Local
	for i := range w.markets {
		local, err := calendar.NewLocal(w.markets[i].Zone, start)
		if err != nil {
			return nil, err
		}
		out = append(out, local)
	}
	return out, nil
}
