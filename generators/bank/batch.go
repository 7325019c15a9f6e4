package bank

// batch is what follows from what customers do, on another day: clearings,
// settlements, salaries. And it says which slots are for what follows: a share of
// them, by chance, so that what customers do has the rest with the hours, weekdays
// and paydays of the clock, also when the files of a whole weekend come in on a
// Monday morning. A file is worked off within a day or two.
//
// The share is set once a week (each day of the first one) to what follows from
// each thing that customers do, and a little more or less where the work is behind
// or ahead. What comes each month (salaries) goes before the rest: it has its day.
type batch struct {
	monthly, wheel *wheel
	share          uint64 // of 2^32
	until          int64  // when it is set again
	sets           int    // so far

	// Since it was set: slots that were filled, and by what followed; what was put
	// here and taken from here.
	slots, followed, caused, taken uint64
}

const (
	// BatchAfter is how far away, in microseconds, something lies that is left to
	// the batch.
	BatchAfter = 6 * 3_600_000_000
	// BatchLate is about how much later than it could the batch does something.
	BatchLate = 86_400_000_000

	dayLong    = 86_400_000_000
	wholeShare = 1 << 32
	daily      = 7
)

func newBatch(c *Config, clock Clock) batch {
	bits := tickBits(clock)
	return batch{
		monthly: newWheel(c.Start, bits), wheel: newWheel(c.Start, bits),
		share: wholeShare / 2, until: c.Start + dayLong,
	}
}

// push adds what something caused.
func (b *batch) push(p *pending) {
	b.caused++
	if p.state == toBegin {
		b.monthly.push(*p)
		return
	}
	b.wheel.push(*p)
}

// turn reports whether a slot is for what follows.
func (b *batch) turn(at int64, random uint64) bool {
	if at >= b.until {
		b.set(at)
	}
	return random>>32 < b.share
}

// take takes what is due.
func (b *batch) take(at int64) (p pending, ok bool) {
	switch {
	case b.monthly.peek(at) != nil:
		return b.monthly.pop(), true
	case b.wheel.peek(at) != nil:
		return b.wheel.pop(), true
	default:
		return p, false
	}
}

// set sets the share.
func (b *batch) set(now int64) {
	b.until += dayLong
	b.sets++
	if b.sets > daily {
		b.until += 6 * dayLong
	}
	if b.slots == 0 {
		return
	}
	late := int64(0)
	if p := b.wheel.peek(now); p != nil {
		late = min(now-p.due, 7*dayLong)
	}
	// What follows from each thing that customers do, less what nobody sees of it.
	each := float64(b.caused) / float64(b.slots-b.followed+1) * (float64(b.followed+1) / float64(b.taken+1))
	share := each / (1 + each)
	share *= 1 + float64(0.1*(float64(late-BatchLate)/dayLong))
	b.share = uint64(min(0.875, share) * wholeShare)
	if b.sets > daily {
		b.slots, b.caused, b.taken, b.followed = 0, 0, 0, 0
	}
}

func (b *batch) count() int { return b.monthly.count + b.wheel.count }

func (b *batch) clone() batch {
	c := *b
	c.monthly, c.wheel = b.monthly.clone(), b.wheel.clone()
	return c
}
