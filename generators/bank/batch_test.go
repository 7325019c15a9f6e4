package bank

import (
	"math"
	"testing"
)

// What customers begin has the same share of the slots on every day of the week,
// though nothing is settled on Saturdays and Sundays; and what follows is not
// much later than it could be.
func TestCustomersKeepTheirDays(t *testing.T) {
	t.Parallel()
	share := func(pin func(*batch)) (least, most, late float64) {
		b := open(t, func(c *Config) { c.Clocks[0] = grid{opening, dayLong / 10_000} })
		e, l := b.tape.live, &b.tape.live.lanes[0]
		var began, all [7]float64
		for l.next < 70*10_000 {
			if pin != nil {
				pin(&l.batch)
			}
			f, followed := e.foresee(l), l.batch.seen
			at := f.at
			e.slot(l, f)
			if day := (at - opening) / dayLong; day >= 21 {
				all[day%7]++
				if l.batch.seen == followed {
					began[day%7]++
				}
				if l.batch.daily.peek(at) {
					late += float64(at-l.batch.daily.due()) / dayLong / (49 * 10_000)
				}
			}
			l.block = l.block[:0]
		}
		least, most = 1, 0
		for day := range all {
			least, most = min(least, began[day]/all[day]), max(most, began[day]/all[day])
		}
		return least, most, late
	}
	least, most, late := share(nil)
	t.Logf("%.3f to %.3f of the slots are what customers begin; what follows is %.1f days late", least, most, late)
	if most-least > 0.03 || least < 0.35 || late > 3 {
		t.Errorf("%.3f to %.3f of the slots are what customers begin; what follows is %.1f days late", least, most, late)
	}
	// The control: as soon as it can be, so that it takes Mondays.
	if least, most, _ := share(func(b *batch) { b.share = wholeShare * 7 / 8 }); most-least < 0.05 {
		t.Errorf("the control: %.3f to %.3f of the slots are what customers begin", least, most)
	}
}

// A clock that jumps, or that has come to the end of time, does not hold the bank
// up.
func TestBatchAtTheEndOfTime(t *testing.T) {
	t.Parallel()
	b := newBatch(opening)
	for _, at := range []int64{opening, opening + 400*dayLong, math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64} {
		b.look(at)
	}
	if len(b.late) > 10 {
		t.Errorf("%d hours were looked at", len(b.late))
	}
}
