package lagtime

import (
	"cmp"
	"math"
	"slices"
)

// Times of a [Question] with a meaning of their own.
const (
	Oldest = 0  // the first record of the log
	Newest = -3 // the newest timestamp in the log (KIP-734), wherever it is
)

// tolerance is how well a time should be known before no more is asked, in
// milliseconds.
const tolerance = 1000

// Question asks a log for the first record at or after a time. Who answers it
// fills in the rest.
type Question struct {
	Index int   // of the log, in the order that [Search] was given
	Time  int64 // milliseconds, or Oldest, or Newest

	Offset   int64 // of that record; negative: there is none
	Stamp    int64 // its timestamp
	Answered bool
}

// Limit is what a search may cost.
type Limit struct {
	Rounds    int // requests
	Questions int // in one request
}

// want is an offset whose time is asked for.
type want struct {
	offset int64
	width  int64 // of the bracket when it was last asked for; 0: never
}

// Want asks for the time of the first record at or after an offset.
func (l *Log) Want(offset int64) {
	l.wants = append(l.wants, want{offset: offset})
}

// Open counts the wanted offsets whose time is not known well enough.
func (l *Log) Open() int {
	n := 0
	for i := range l.wants {
		b := l.bracket(l.wants[i].offset)
		if !l.settled(&b) {
			n++
		}
	}
	return n
}

// Search asks in rounds until every wanted offset of the logs is known well
// enough, the limit is reached, or ask fails, and returns how often it asked.
// The questions of a round are sorted by index, one per log at most.
func Search(logs []*Log, limit Limit, ask func([]Question) error) (rounds int, err error) {
	var questions []Question
	var widths []int64
	open := make([]int, 0, len(logs))
	for i, l := range logs {
		l.sortWants()
		if len(l.wants) > 0 {
			open = append(open, i)
		}
	}
	for rounds < limit.Rounds {
		questions, widths = questions[:0], widths[:0]
		open = slices.DeleteFunc(open, func(i int) bool {
			at, width := logs[i].next()
			if width > 0 {
				questions = append(questions, Question{Index: i, Time: at, Offset: -1})
				widths = append(widths, width)
			}
			return width == 0
		})
		if len(questions) == 0 {
			return rounds, nil
		}
		questions = widest(questions, widths, limit.Questions)
		rounds++
		if err := ask(questions); err != nil {
			return rounds, err
		}
		for i := range questions {
			if q := &questions[i]; q.Answered {
				logs[q.Index].tell(q)
			} else {
				logs[q.Index].failed = true
			}
		}
	}
	return rounds, nil
}

// widest keeps the n questions about the widest brackets, in their order.
func widest(questions []Question, widths []int64, n int) []Question {
	if n <= 0 || len(questions) <= n {
		return questions
	}
	sorted := slices.Clone(widths)
	slices.SortFunc(sorted, func(a, b int64) int { return cmp.Compare(b, a) })
	least, ties := sorted[n-1], 0
	for _, w := range sorted[:n] {
		if w == least {
			ties++
		}
	}
	kept := questions[:0]
	for i, q := range questions {
		if widths[i] == least {
			ties--
		}
		if widths[i] > least || widths[i] == least && ties >= 0 {
			kept = append(kept, q)
		}
	}
	return kept
}

func (l *Log) sortWants() {
	slices.SortFunc(l.wants, func(a, b want) int { return cmp.Compare(a.offset, b.offset) })
	l.wants = slices.CompactFunc(l.wants, func(a, b want) bool { return a.offset == b.offset })
}

// settled reports whether a better answer is not worth a question.
func (l *Log) settled(b *bracket) bool {
	switch {
	case !b.known:
		return b.offset < l.hole
	case b.blind:
		return false
	case b.exact || b.high <= b.low:
		return true
	case l.Compacted && b.stamp != none:
		return b.stamp-b.low < tolerance
	}
	return b.high-b.low < tolerance
}

// next is the time to ask for, for the wanted offset that is known worst, and
// the width of its bracket; 0 when there is nothing to ask.
func (l *Log) next() (at, width int64) {
	if l.failed {
		return 0, 0
	}
	var chosen *want
	var wide bracket
	var most int64
	for i := range l.wants {
		b := l.bracket(l.wants[i].offset)
		if l.settled(&b) {
			continue
		}
		switch {
		case !b.known:
			return Oldest, math.MaxInt64
		case b.blind:
			return Newest, math.MaxInt64
		}
		if weight := l.weight(&b); chosen == nil || weight > most {
			chosen, wide, most = &l.wants[i], b, weight
		}
	}
	if chosen == nil {
		return 0, 0
	}
	return l.ask(chosen, &wide), wide.high - wide.low
}

// weight orders brackets by how far the guess may be off: most where it is far
// from both sides.
func (l *Log) weight(b *bracket) int64 {
	guess := l.guess(b, float64(b.offset))
	return b.high - b.low + min(b.high-guess, guess-b.low)
}

// ask chooses a time within the bracket of a wanted offset. The first shot is
// at the guess; where timestamps are even it hits the very record. Later ones
// step over the guess to its far side, so that the bracket closes around it.
func (l *Log) ask(w *want, b *bracket) int64 {
	width := b.high - b.low
	if l.idle(b) && width > 4*tolerance {
		return Newest // find out since when nothing was written
	}
	first, stuck := w.width == 0, width > w.width/2
	w.width = width
	guess := l.guess(b, float64(b.offset))
	below, above := guess-b.low, b.high-guess
	at := l.guess(b, float64(b.offset)-.5) // between the record before and it
	switch {
	case b.lowAt == b.offset-1:
		at = b.low + 1 // the next record is the one, unless it ties
	case width < tolerance: // only a gap in the offsets is in question
		at = b.low + (width+1)/2
	case first:
	case stuck && below < above:
		at = min(l.middle(b), guess+max(above/3, 2*below, tolerance))
	case stuck:
		at = max(l.middle(b), guess-max(below/3, 2*above, tolerance))
	case below < above/5:
		at = b.low + max(2*below, tolerance)
	case above < below/5:
		at = b.high - max(2*above, tolerance) + 1
	}
	return min(max(at, b.low+1), b.high)
}

// middle halves a bracket, by age where its ends differ by orders of magnitude:
// among timestamps of decades, the last hour matters.
func (l *Log) middle(b *bracket) int64 {
	oldest, youngest := float64(l.now-b.low), float64(max(l.now-b.high, tolerance))
	if oldest > 1000*youngest {
		return l.now - int64(math.Sqrt(oldest*youngest))
	}
	return b.low + (b.high-b.low+1)/2
}

// idle reports whether the log may have ended long before now.
func (l *Log) idle(b *bracket) bool {
	if b.stamp != none || l.newest == l.end {
		return false
	}
	if b.answered {
		return b.highAt == l.end
	}
	return len(l.polls) == 1
}
