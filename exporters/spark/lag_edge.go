package spark

import (
	"maps"
	"math"
	"time"
)

const (
	slopeWindow = time.Hour        // over one to two of these the removal of records is measured
	slopeLeast  = 10 * time.Minute // shorter than this says nothing
	maxEdges    = 2 * maxTopics
)

// edge is the old end of a topic, where retention removes records, over time.
type edge struct {
	older, newer mark
	last         map[int32]int64
}

type mark struct {
	at     time.Time
	starts map[int32]int64
}

// edge returns what is remembered of a topic's old end.
func (st *application) edge(topic string) *edge {
	e, ok := st.edges[topic]
	if !ok {
		if len(st.edges) >= maxEdges {
			clear(st.edges) // it is only a memory of two hours
		}
		e = &edge{}
		st.edges[topic] = e
	}
	return e
}

func (e *edge) note(starts map[int32]int64, now time.Time) {
	if len(starts) == 0 {
		return
	}
	e.last = starts
	if e.newer.at.IsZero() || now.Sub(e.newer.at) >= slopeWindow {
		e.older, e.newer = e.newer, mark{now, maps.Clone(starts)}
	}
	if e.older.at.IsZero() {
		e.older = e.newer
	}
}

// timing is what the age of records is judged by.
type timing struct {
	times     map[int32]time.Time // of the first record that waits
	retention time.Duration       // 0 where it is not known, or for ever
	now       time.Time
}

// headroom is the time until retention reaches the committed offset of a
// partition, of the one where it is soonest; NaN where that is not known.
// Retention by time says when; where it removes earlier than that, by size, the
// speed of the last hour does.
func (e *edge) headroom(committed, ends map[int32]int64, t timing) float64 {
	soonest := math.NaN()
	for p, end := range ends {
		at, ok := committed[p]
		if !ok {
			continue
		}
		for _, left := range []float64{t.byTime(p, at >= end), e.bySpeed(p, at, t.now)} {
			if !math.IsNaN(left) && !(left >= soonest) {
				soonest = left
			}
		}
	}
	return soonest
}

func (t timing) byTime(partition int32, read bool) float64 {
	if t.retention <= 0 {
		return math.NaN()
	}
	if read { // the next record has all its time before it
		return t.retention.Seconds()
	}
	at, ok := t.times[partition]
	if !ok {
		return math.NaN()
	}
	return max(0, (t.retention - t.now.Sub(at)).Seconds())
}

func (e *edge) bySpeed(partition int32, committed int64, now time.Time) float64 {
	from, ok := e.older.starts[partition]
	to, there := e.last[partition]
	passed := now.Sub(e.older.at)
	if !ok || !there || passed < slopeLeast || to <= from {
		return math.NaN()
	}
	return float64(max(0, committed-to)) / (float64(to-from) / passed.Seconds())
}
