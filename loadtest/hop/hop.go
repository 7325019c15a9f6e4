// Package hop watches the stages of a record's journey behind the producer:
// the topic ([Consumer]), Spark's committed batches ([Spark]) and the table's
// snapshots ([Table]).
//
// A value flows like this: each hop asks its own system, with a client of its
// own, and yields what it sees together with the moment, on this process's
// monotonic clock, when it saw it. So all hops of a run share one clock, and a
// remote clock is never subtracted from ours. A system that does not answer is
// asked again until the context ends; the time between is an [Outage].
//
// It does not judge, store or match sightings: that is the ledger's work.
package hop

import (
	"slices"
	"sync"
	"time"
)

// Outage is a time in which a system did not answer.
type Outage struct {
	From, To time.Time // To is zero while it lasts
	Error    string    // of the first question that failed
}

// outageLog keeps the outages of one system. It is safe for concurrent use.
type outageLog struct {
	mu   sync.Mutex
	list []Outage
	full bool // the last outage was not kept, and still lasts or not
	down bool
}

// begin notes that the system does not answer since a time; it reports whether
// that is news.
func (l *outageLog) begin(at time.Time, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return false
	}
	l.down, l.full = true, len(l.list) == maxOutages
	if !l.full {
		l.list = append(l.list, Outage{From: at, Error: err.Error()})
	}
	return true
}

// end notes that the system answers; it reports whether that is news.
func (l *outageLog) end(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.down {
		return false
	}
	l.down = false
	if !l.full {
		l.list[len(l.list)-1].To = at
	}
	return true
}

// all returns the outages so far, oldest first.
func (l *outageLog) all() []Outage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}
