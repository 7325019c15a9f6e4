package lagtime

import (
	"math"
	"slices"
	"sort"
)

// Bounds of what one log keeps.
const (
	maxPoints = 24
	maxPolls  = 16
)

// none is no timestamp.
const none = math.MinInt64

// Log is what is known of the times of one partition's records. The zero value
// knows nothing.
type Log struct {
	// Compacted says that offsets may be missing, so that the first record at or
	// after an offset may be much younger than the last one before it.
	Compacted bool

	points []point // by offset; stamps and bounds ascend with them
	polls  []poll  // by offset
	wants  []want

	start, end, now int64

	delay  int64 // how much older than its arrival a record was seen to be, at most
	ahead  int64 // how much younger
	mess   int64 // how much older than the newest before it
	hole   int64 // there is nothing to learn of offsets below, until the next poll
	newest int64 // end offset at which the newest timestamp was asked for
	failed bool  // no more questions until the next poll
}

// point is one answer: all records below offset are older than before, and the
// record at offset has the timestamp stamp, or none where offset was the end.
type point struct{ offset, stamp, before int64 }

// poll says that the partition ended at offset: the records below it were there
// at the time first, the others came after last.
type poll struct{ offset, first, last int64 }

// Observe takes the offsets of the oldest record and of the next one to be
// written, as they were at some moment between two times. It begins a round of
// wants.
func (l *Log) Observe(asked, told, start, end int64) {
	if end < l.end { // truncated or made anew: the old offsets hold other records
		*l = Log{Compacted: l.Compacted}
	}
	l.start, l.end, l.now = start, end, told
	l.ahead -= l.ahead / 1024 // clocks are put right one day
	l.wants, l.failed, l.hole = l.wants[:0], false, 0
	if n := len(l.polls); n > 0 && l.polls[n-1].offset == end {
		l.polls[n-1].last = asked
		return
	}
	if len(l.polls) == maxPolls {
		l.thinPolls()
	}
	l.polls = append(l.polls, poll{end, told, asked})
}

// thinPolls drops the poll that says least: the one between two neighbours that
// are close for their age.
func (l *Log) thinPolls() {
	worst, at := math.Inf(1), 1
	for i := 1; i < len(l.polls)-1; i++ {
		gap := float64(l.polls[i+1].first-l.polls[i-1].last) / float64(l.now-l.polls[i].first+1)
		if gap < worst {
			worst, at = gap, i
		}
	}
	l.polls = slices.Delete(l.polls, at, at+1)
}

// Known reports whether any question about the log was answered.
func (l *Log) Known() bool { return len(l.points) > 0 }

// tell takes the answer to a question.
func (l *Log) tell(q *Question) {
	switch {
	case q.Time == Newest:
		l.newest = l.end
		if q.Offset >= 0 {
			l.ahead = max(l.ahead, q.Stamp-l.now)
			l.insert(point{l.end, none, q.Stamp + 1})
		}
	case q.Offset < 0:
		l.failed = q.Time == Oldest // a record without a timestamp is as good as none
		l.insert(point{l.end, none, q.Time})
	case q.Stamp < q.Time: // not what was asked for: a broker that does not know timestamps
		l.failed = true
	default:
		if q.Time == Oldest && q.Offset > l.start && !l.Compacted {
			l.hole = q.Offset // older records are where the broker does not look
		}
		l.learnClock(q.Offset, q.Stamp)
		l.insert(point{q.Offset, q.Stamp, q.Time})
	}
}

// learnClock compares a record's timestamp with the polls between which it was
// written.
func (l *Log) learnClock(offset, stamp int64) {
	l.delay -= l.delay / 16
	i := l.pollAfter(offset)
	if i > 0 {
		l.delay = max(l.delay, l.polls[i-1].last-stamp)
	}
	if i < len(l.polls) {
		l.ahead = max(l.ahead, stamp-l.polls[i].first)
	}
}

// pollAfter is the index of the first poll that saw the record at offset.
func (l *Log) pollAfter(offset int64) int {
	return sort.Search(len(l.polls), func(i int) bool { return l.polls[i].offset > offset })
}

// pointAfter is the index of the first point above offset.
func (l *Log) pointAfter(offset int64) int {
	return sort.Search(len(l.points), func(i int) bool { return l.points[i].offset > offset })
}

// insert adds a point. Older points that contradict it are dropped: the log
// start has moved over a record that was newer than its successors, or the log
// is another one.
func (l *Log) insert(p point) {
	l.points = slices.DeleteFunc(l.points, func(o point) bool {
		switch {
		case o.offset < p.offset:
			return o.before > p.before || o.stamp != none && o.stamp >= p.before
		case o.offset > p.offset:
			return p.stamp != none && p.stamp >= o.before
		}
		return false
	})
	i := l.pointAfter(p.offset)
	if i > 0 && l.points[i-1].offset == p.offset {
		o := &l.points[i-1]
		o.before = min(o.before, p.before)
		if p.stamp != none {
			o.stamp = p.stamp
		}
		return
	}
	l.points = slices.Insert(l.points, i, p)
}

// Prune drops what no offset that is wanted now, or will be, can use. Call it
// when the questions of a poll are over.
func (l *Log) Prune() {
	keep := l.start
	l.mess -= l.mess / 64
	for i := range l.wants {
		b := l.bracket(l.wants[i].offset)
		l.mess = max(l.mess, l.disorder(&b))
		if i == 0 || l.wants[i].offset < keep {
			keep = l.wants[i].offset
		}
	}
	first := l.pointAfter(keep) - 1
	for first > 0 && l.points[first].stamp == none {
		first--
	}
	if first > 0 {
		l.points = slices.Delete(l.points, 0, first)
	}
	if first := l.pollAfter(keep) - 1; first > 0 {
		l.polls = slices.Delete(l.polls, 0, first)
	}
	for len(l.points) > maxPoints {
		l.thinPoints()
	}
	if cap(l.points) > 2*maxPoints { // after the first search
		l.points = slices.Clone(l.points)
	}
}

// thinPoints drops the point whose neighbours are closest in time, and rather
// one that no wanted offset lies beside.
func (l *Log) thinPoints() {
	worst, at := math.Inf(1), 1
	for i := 1; i < len(l.points)-1; i++ {
		gap := float64(l.points[i+1].before - l.points[i-1].before)
		if l.beside(i) {
			gap *= 1e6
		}
		if gap < worst {
			worst, at = gap, i
		}
	}
	l.points = slices.Delete(l.points, at, at+1)
}

// beside reports whether a wanted offset lies between point i and the next one
// on either side.
func (l *Log) beside(i int) bool {
	low, high := l.points[i-1].offset, l.points[i+1].offset
	return slices.ContainsFunc(l.wants, func(w want) bool { return low < w.offset && w.offset < high })
}
