package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// closedShare is how many accounts are closed, ppm: whoever still wants to pay
// or be paid there learns it.
const closedShare = 3000

// isClosed reports whether an account is closed.
func (e *engine) isClosed(account uint32) bool {
	return generators.Chance(e.closed.At(uint64(account)), closedShare)
}

// The day and the hour of salaries: on the 25th or the working day before, in
// the batch of the small hours.
const (
	payday     = 25
	smallHours = 3 * 3_600_000_000
)

// day is when a delay of the calendar ends in a market.
func (e *engine) day(d *flow.Delay, market uint8, at int64) int64 {
	local := e.calendars[market]
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
