package bank

import (
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// What is remembered of the calendar is what the calendar says, for each of its
// delays and in whatever order it is asked.
func TestEndingsAreTheCalendars(t *testing.T) {
	bank := open(t, nil)
	e, r := bank.tape.live, generators.Seed(1).Rand("endings")
	var delays []flow.Delay
	for _, f := range e.m.flows {
		delays = append(delays, f.Start.Every)
	}
	for i := range e.m.states {
		for _, next := range e.m.states[i].Next {
			delays = append(delays, next.After)
		}
	}
	asked, at := 0, int64(opening)
	for n := range uint64(40_000) {
		at += int64(generators.Below(r.At(2*n), hourLong))
		back := int64(generators.Below(generators.Again(r.At(2*n)), 40*dayLong))
		d := &delays[generators.Below(r.At(2*n+1), uint64(len(delays)))]
		if !d.Calendar() {
			continue
		}
		asked++
		market := uint8(n % uint64(len(e.calendars)))
		for _, at := range []int64{at, max(opening, at-back)} {
			if got, want := e.day(d, market, at), Ends(e.calendars[market], d, at); got != want {
				t.Fatalf("%s at %d in market %d: %d, the calendar says %d", d, at, market, got, want)
			}
		}
	}
	if asked < 3000 {
		t.Errorf("only %d questions", asked)
	}
}
