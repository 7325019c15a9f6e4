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
func (e *engine) isClosed(account uint32, at int64) bool { return e.closes(account) <= at }

// The day and the hour of salaries: on the 25th or the working day before, in
// the batch of the small hours.
const (
	payday     = 25
	smallHours = 3 * 3_600_000_000
)

// workday is a question about working days and its answer, which is the same for
// all times from the one that was asked for until the answer.
type workday struct{ into, from, next int64 }

// workdays are the last questions of a market.
type workdays [4]workday

// next is the first moment after a time that is so far into a working day.
func (w *workdays) next(local *calendar.Local, at, into int64) int64 {
	for i := range w {
		if d := &w[i]; d.into == into && d.from <= at && at < d.next {
			return d.next
		}
	}
	d := &w[into>>32%int64(len(w))]
	*d = workday{into, at, local.NextWorkday(at, into)}
	return d.next
}

// day is when a delay of the calendar ends in a market.
func (e *engine) day(d *flow.Delay, market uint8, at int64) int64 {
	local := e.calendars[market]
	if d.Law == flow.NextBusinessDay {
		return e.workdays[market].next(local, at, d.A)
	}
	return Ends(local, d, at)
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
