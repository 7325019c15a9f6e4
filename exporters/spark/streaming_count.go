package spark

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	maxObserved  = 20  // observed metrics of one query
	maxOperators = 10  // operators of one query, by name
	maxDurations = 512 // pushed batches that wait for a collection
)

// totals are a query's counters.
type totals struct {
	resets, input, output, late float64
	observed                    map[string]float64 // by name
	hasOutput, stateful         bool               // whether rows written, and late ones, are counted by anybody

	counting       bool   // whether anything was ever counted
	based, renewed bool   // whether it is known from where rows are counted; whether from the query's beginning
	initial        topics // where it began, as far as it was read
	source         int    // the next one whose beginning is to be read
	counted        topics // the offsets up to which rows are counted
	countedBatch   int64

	measured int64 // the last batch whose duration is counted
	duration prometheus.Histogram
	pending  pending

	rated                    rated
	inputRate, processedRate float64
	hasRates                 bool
}

// rated is the batch at whose end the rates were last made.
type rated struct {
	batch   int64
	planned time.Time
}

// pending is what was pushed since the last collection.
type pending struct {
	input, output, late float64 // input only where it is not counted by offsets
	observed            map[string]float64
	durations           map[int64]time.Duration
	hasOutput, stateful bool
}

// take adds what was pushed to the totals; the durations wait until their
// batches are counted.
func (q *query) take(p *pending) {
	if !q.sink.has { // the table knows better
		q.output += p.output
	}
	q.late += p.late
	q.hasOutput, q.stateful = q.hasOutput || p.hasOutput, q.stateful || p.stateful
	q.pending.input += p.input
	for name, sum := range p.observed {
		if _, known := q.observed[name]; known || len(q.observed) < maxObserved {
			q.observed[name] += sum
		}
	}
	if q.pending.durations == nil {
		q.pending.durations = map[int64]time.Duration{}
	}
	for batch, d := range p.durations {
		if len(q.pending.durations) < maxDurations {
			q.pending.durations[batch] = d
		}
	}
}

// count counts what is new since the last collection.
func (q *query) count(c *cluster) {
	batch, before := q.view.batch, q.rated
	rows, ok := q.advance(c)
	q.input += rows
	q.sink.rows += rows
	busy := q.measure()
	if !ok || batch < 0 || batch == before.batch && !before.planned.IsZero() {
		return
	}
	q.rated = rated{batch, q.view.planned}
	waited := q.view.planned.Sub(before.planned)
	if before.planned.IsZero() || waited <= 0 || busy <= 0 {
		return
	}
	q.inputRate, q.processedRate, q.hasRates = rows/waited.Seconds(), rows/busy.Seconds(), true
}

// advance returns the rows between the offsets that were counted last and those
// of the last committed batch. A batch that is run again adds nothing; offsets
// that go back in a later batch are those of a topic made anew.
func (q *query) advance(c *cluster) (rows float64, ok bool) {
	if !q.based {
		return 0, false
	}
	if len(q.view.ends) == 0 { // not Kafka: only a push knows
		rows, q.pending.input = q.pending.input, 0
		return rows, true
	}
	q.pending.input = 0
	for topic, partitions := range q.view.ends {
		if q.counted[topic] == nil {
			q.counted[topic] = make(map[int32]int64, len(partitions))
		}
		for p, at := range partitions {
			from, known := q.counted[topic][p]
			if !known { // a new partition is read from its beginning
				from = min(at, c.start(topic, p))
			}
			if at < from && q.view.batch <= q.countedBatch {
				continue
			}
			rows += float64(max(0, at-from))
			q.counted[topic][p] = at
		}
	}
	q.countedBatch = max(q.countedBatch, q.view.batch)
	return rows, true
}

// measure counts the durations of batches that were not counted yet, and
// returns their sum. What was pushed is better than the times of files.
func (q *query) measure() time.Duration {
	if !q.based {
		return 0
	}
	durations := q.pending.durations
	if durations == nil {
		durations = map[int64]time.Duration{}
	}
	for _, s := range q.view.spans {
		if _, known := durations[s.batch]; !known && s.batch > q.measured {
			durations[s.batch] = s.commit.Sub(s.began)
		}
	}
	var sum time.Duration
	for _, batch := range slices.Sorted(maps.Keys(durations)) {
		if batch > q.measured {
			q.duration.Observe(durations[batch].Seconds())
			sum += durations[batch]
			q.measured = batch
		}
	}
	q.pending.durations = nil
	return sum
}
