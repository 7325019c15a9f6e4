package bank

import "slices"

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
	monthly, daily *files
	share          uint64  // of 2^32
	until          int64   // when the hour ends
	late           []int32 // how late the work was at the ends of hours, in minutes

	// What customers did, and what followed: how much was taken from what is pending,
	// how much of it anybody saw, and how much was put there because of either. All are
	// forgotten within some months.
	done    [2]uint64 // by whether it followed
	caused  [2]uint64
	seen    uint64
	follows int // what is going on now: 0 what customers do, 1 what follows
}

const (
	// BatchAfter is how far away, in microseconds, something lies that is left to
	// the batch.
	BatchAfter = 6 * 3_600_000_000
	// batchLate is about how much later than it could the batch does something: a
	// day and three quarters, so that there is work at weekends.
	batchLate = 151_200_000_000

	minuteLong = 60_000_000
	hourLong   = 60 * minuteLong
	dayLong    = 24 * hourLong
	longIdle   = 60 * dayLong // hours in which nothing happened for so long are not told apart
	wholeShare = 1 << 32
	forgetting = 16
)

func newBatch(start int64) batch {
	return batch{
		monthly: newFiles(start), daily: newFiles(start),
		share: wholeShare / 2, until: start + hourLong,
	}
}

// push adds what something caused.
func (b *batch) push(p *pending) {
	b.caused[b.follows]++
	if p.state == toBegin {
		b.monthly.push(p)
		return
	}
	b.daily.push(p)
}

// turn reports whether a slot is for what follows.
func (b *batch) turn(random uint64) bool { return random>>32 < b.share }

// due is the file of which something is due, or nil.
func (b *batch) due(at int64) *files {
	switch {
	case b.monthly.peek(at):
		return b.monthly
	case b.daily.peek(at):
		return b.daily
	default:
		return nil
	}
}

// idle reports whether there is surely nothing to do before a time.
func (b *batch) idle(at int64) bool { return b.monthly.idle(at) && b.daily.idle(at) }

// look sets the share of the slots anew when it is time.
func (b *batch) look(at int64) {
	if at-b.until > longIdle {
		b.until = at
	}
	for at-b.until >= 0 { // a difference, because a clock may be at the end of time
		b.hour(at)
	}
}

// hour notes how late the work is at the end of an hour, and sets the share at the
// end of a week (in the first one, of a day).
func (b *batch) hour(now int64) {
	b.until += hourLong
	late := int64(0)
	if b.daily.peek(now) {
		late = min(now-b.daily.due(), 7*dayLong)
	}
	b.late = append(b.late, int32(late/minuteLong))
	over := 7 * 24
	if len(b.late) <= over {
		over = 24
	}
	if len(b.late)%over != 0 {
		return
	}
	sum := int64(0)
	for _, minutes := range b.late[len(b.late)-over:] {
		sum += int64(minutes)
	}
	late = sum * minuteLong / int64(over)
	// What follows from each thing that customers do, and from that, and so on; less
	// what nobody sees of it.
	next := min(0.9, each(b.caused[1], b.done[1]))
	follow := each(b.caused[0], b.done[0]) / (1 - next) * each(b.seen, b.done[1])
	share := follow / (1 + follow)
	share *= 1 + float64(0.1*(float64(late-batchLate)/dayLong))
	b.share = uint64(min(0.875, share) * wholeShare)
	for _, n := range []*uint64{&b.done[0], &b.done[1], &b.caused[0], &b.caused[1], &b.seen} {
		*n -= *n / forgetting
	}
}

func each(of, all uint64) float64 { return float64(of+1) / float64(all+1) }

func (b *batch) count() int { return b.monthly.count + b.daily.count }

func (b *batch) clone() batch {
	c := *b
	c.monthly, c.daily, c.late = b.monthly.clone(), b.daily.clone(), slices.Clone(b.late)
	return c
}
