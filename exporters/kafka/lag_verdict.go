package kafka

import "time"

// verdict is a status of the catalogue; a worse one is larger.
type verdict int

const (
	verdictOK verdict = iota
	verdictWarn
	verdictStall
	verdictStop
	verdictRewind
)

const (
	// verdictWindow is for how many collections something must last.
	verdictWindow = 10
	// patience is how many of its own pauses a consumer may let pass before it
	// counts as stopped: some commit every few minutes only.
	patience = 3
)

// progress is how one consumer gets on in one partition, by the cycles in which
// something last happened. The rules are Burrow's; they are told without the
// times of commits, which brokers do not tell.
type progress struct {
	offset, lag int64
	known       bool
	rewinds     bool   // rewound means something
	moved       uint32 // the offset changed
	rewound     uint32 // it went back
	zero        uint32 // there was no lag
	shrunk      uint32 // the lag was less than before
	pace        uint32 // cycles between two moves, on average
}

// note takes the state of this cycle and reports whether the offset moved.
func (p *progress) note(cycle uint32, offset, lag int64) bool {
	if !p.known {
		*p = progress{offset: offset, lag: lag, known: true, moved: cycle, zero: cycle, shrunk: cycle}
		return false
	}
	moved := offset != p.offset
	if moved {
		p.pace = (3*p.pace + cycle - p.moved + 2) / 4
		p.moved = cycle
	}
	if offset < p.offset {
		p.rewound, p.rewinds = cycle, true
	}
	if lag < p.lag {
		p.shrunk = cycle
	}
	if lag == 0 {
		p.zero = cycle
	}
	p.offset, p.lag = offset, lag
	return moved
}

// judge says how the consumer gets on; alive: it has members, or moves elsewhere.
func (p *progress) judge(cycle uint32, alive bool) verdict {
	window := max(verdictWindow, patience*p.pace)
	switch {
	case p.lag == 0:
		return verdictOK
	case p.rewinds && cycle-p.rewound < verdictWindow:
		return verdictRewind
	case cycle-max(p.moved, p.zero) >= window && alive:
		return verdictStall
	case cycle-max(p.moved, p.zero) >= window:
		return verdictStop
	case cycle-max(p.shrunk, p.zero) >= window:
		return verdictWarn
	}
	return verdictOK
}

// historyLength is over how many collections a speed is measured.
const historyLength = 12

// history is a lag over the last collections.
type history struct {
	at    [historyLength]int64 // milliseconds
	lag   [historyLength]int64
	parts int // partitions in the sums; with others they cannot be compared
	next  int
	n     int
}

func (h *history) note(now, lag int64, parts int) {
	if parts != h.parts {
		h.n, h.next, h.parts = 0, 0, parts
	}
	h.at[h.next], h.lag[h.next] = now, lag
	h.next = (h.next + 1) % historyLength
	h.n = min(h.n+1, historyLength)
}

// speed is by how many records the lag grows in a second.
func (h *history) speed() (float64, bool) {
	if h.n < 2 {
		return 0, false
	}
	last := (h.next + historyLength - 1) % historyLength
	first := (h.next + historyLength - h.n) % historyLength
	seconds := float64(h.at[last]-h.at[first]) / 1000
	if seconds <= 0 {
		return 0, false
	}
	return float64(h.lag[last]-h.lag[first]) / seconds, true
}

// A log start moves by whole segments: its speed is measured over slopeWindow to
// twice that, and not told before slopeLeast.
const (
	slopeWindow = int64(30 * time.Minute / time.Millisecond)
	slopeLeast  = int64(5 * time.Minute / time.Millisecond)
)

// slope is how fast an offset moves: where it was at two earlier times, in
// milliseconds.
type slope struct{ at, offset, nextAt, nextOffset int64 }

func (s *slope) note(now, offset int64) {
	switch {
	case s.at == 0 || offset < s.nextOffset:
		*s = slope{now, offset, now, offset}
	case now-s.nextAt >= slopeWindow:
		*s = slope{s.nextAt, s.nextOffset, now, offset}
	}
}

// reaches is how many seconds the offset, which is now at from, needs to to.
func (s *slope) reaches(now, from, to int64) (float64, bool) {
	if s.at == 0 || now-s.at < slopeLeast || from <= s.offset {
		return 0, false
	}
	speed := float64(from-s.offset) / (float64(now-s.at) / 1000)
	return max(0, float64(to-from)/speed), true
}
