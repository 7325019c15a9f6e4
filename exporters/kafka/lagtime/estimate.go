package lagtime

// Estimate is what is known of the time of the first record at or after an
// offset, in milliseconds.
type Estimate struct {
	Time      int64 // the best guess
	Low, High int64 // the record is not older and not younger
	Known     bool  // false: no lower bound is known yet, and nothing else holds
}

// Uncertainty is how far the truth can be from the guess.
func (e Estimate) Uncertainty() int64 { return max(e.High-e.Time, e.Time-e.Low) }

// At says when the first record at or after the offset was written. The offset
// is one within the log: at its start or above, and below its end.
func (l *Log) At(offset int64) Estimate {
	b := l.bracket(offset)
	switch {
	case !b.known:
		return Estimate{}
	case b.exact:
		return Estimate{b.low, b.low, b.low, true}
	}
	e := Estimate{Time: l.guess(&b, float64(offset)), Low: b.low, High: b.high, Known: true}
	if l.Compacted && b.stamp != none {
		e.High = max(e.High, b.stamp)
		if b.high == b.low { // what is between, if anything, ties with the last one
			e.Time = b.stamp
		}
	}
	e.Low -= max(l.mess, l.disorder(&b))
	return e
}

// bracket is what the answers say of one offset: the newest timestamp of all
// records up to it is from low to high.
type bracket struct {
	offset    int64
	low, high int64
	lowAt     int64 // offset of the record with timestamp low
	highAt    int64 // every record below is at most high
	stamp     int64 // timestamp of the record at highAt, or none
	known     bool  // low is
	exact     bool  // low is the timestamp of the record itself
	answered  bool  // high comes from an answer, not from a poll
	blind     bool  // high is worth nothing
}

func (l *Log) bracket(offset int64) bracket {
	b := bracket{offset: offset, high: l.now + l.ahead, highAt: l.end, stamp: none}
	i := l.pointAfter(offset)
	for j := i - 1; j >= 0; j-- {
		if p := &l.points[j]; p.stamp != none {
			b.low, b.lowAt, b.known = p.stamp, p.offset, true
			break
		}
	}
	if b.known && b.lowAt == offset {
		b.high, b.exact = b.low, true
		return b
	}
	if i < len(l.points) {
		p := &l.points[i]
		if p.before <= Oldest && p.stamp != none && l.Compacted { // there is no record below
			b.low, b.high, b.known, b.exact = p.stamp, p.stamp, true, true
			return b
		}
		b.high, b.highAt, b.stamp, b.answered = p.before-1, p.offset, p.stamp, true
	}
	if j := l.pollAfter(offset); j < len(l.polls) {
		if seen := l.polls[j].first + l.ahead; seen < b.high {
			b.high, b.highAt, b.stamp, b.answered = seen, l.polls[j].offset, none, false
		}
	}
	if b.high <= b.low && !b.answered { // our clock is behind the producer's
		b.high, b.blind = b.low, l.newest != l.end
	}
	b.high = max(b.high, b.low)
	return b
}

// guess is the time at an offset on the line between what is known on both
// sides; polls help where answers are far.
func (l *Log) guess(b *bracket, offset float64) int64 {
	x0, y0 := float64(b.lowAt), float64(b.low)
	x1, y1 := float64(b.highAt), float64(b.high+1)
	switch {
	case b.stamp != none && float64(b.stamp)-y1 < 2*(y1-y0)/(x1-x0):
		y1 = float64(b.stamp) // no gap before it: the line goes through the record
	case b.stamp == none && b.answered:
		x1, y1 = x1-1, y1-1 // the last record
	}
	if i := l.pollAfter(b.offset) - 1; i >= 0 {
		p := &l.polls[i]
		if at := p.last - l.delay; p.offset > b.lowAt && at > b.low && at < b.high {
			x0, y0 = float64(p.offset), float64(at)
		}
	}
	if x1 <= x0 {
		return b.low
	}
	t := int64(y0 + (y1-y0)*(offset-x0)/(x1-x0))
	return min(max(t, b.low), b.high)
}

// disorder is how much older than the newest record before it the record at an
// offset may be, if the polls show that timestamps do not ascend: the two came in
// different polls, yet the newest timestamp did not grow meanwhile. When delays
// are spread evenly up to some time, that time is half the records between two
// new ones, times the pause between the two.
func (l *Log) disorder(b *bracket) int64 {
	i, j := l.pollAfter(b.lowAt), l.pollAfter(b.offset)-1
	if !b.known || b.exact || j < i || i >= len(l.polls) {
		return 0
	}
	pause := l.polls[j].last - l.polls[i].first - (b.high - b.low)
	if pause <= 0 {
		return 0
	}
	return pause * max(2, min(b.highAt-b.lowAt, maxRun)) / 2
}

// maxRun bounds the records that one is compared with.
const maxRun = 1000
