package spark

import (
	"time"

	"github.com/lakeproof/lakeproof/metrics"
)

const (
	shortestPatience = 2 * time.Second // a commit's time may be rounded to seconds
	newPatience      = time.Minute     // with a query of which little is known
	startGrace       = time.Minute     // of a driver that has just started, until it commits
	fewBatches       = 3               // too few to know a query by
	slowest          = 0.95            // quantile of the durations
	usual            = 0.5
	triggers         = 2 // that may pass without a commit
	batches          = 3 // slow ones that may pass without a commit
)

// wait is since when records wait for the query.
type wait struct {
	none  time.Time // when there were none for the last time
	first time.Time // when some were first seen after that; zero for none
	since time.Time // the best guess in between
}

// note takes note of a lag. The oldest record that waits has a time of its own,
// by a clock that may be wrong: it counts within what was seen.
func (w *wait) note(l backlog, now time.Time) {
	switch {
	case !l.known:
		return
	case !l.any:
		w.none, w.first, w.since = now, time.Time{}, time.Time{}
		return
	case w.first.IsZero():
		w.first, w.since = now, now
	}
	if l.oldest.IsZero() {
		return
	}
	w.since = l.oldest
	if w.since.Before(w.none) {
		w.since = w.none
	}
	if w.since.After(w.first) {
		w.since = w.first
	}
}

// patience is how long a query may commit nothing while records wait.
func (q *query) patience() time.Duration {
	durations := q.durations()
	p := max(shortestPatience, triggers*q.view.trigger, batches*quantile(durations, slowest))
	if len(durations) < fewBatches || q.view.trigger == 0 {
		p = max(p, newPatience)
	}
	return p
}

// pace is within what time a query that gets on usually commits. It is what is
// waited for where the driver's process hangs, or is gone (in case it has
// moved): slow batches of the past are no reason to believe it at work.
func (q *query) pace() time.Duration {
	return max(shortestPatience, triggers*max(q.view.trigger, quantile(q.durations(), usual)))
}

// ended reports whether a query has ended: by its own word, or with its driver.
func (q *query) ended(d *driver, now time.Time, patience time.Duration) bool {
	if !q.terminated.IsZero() && q.commitAt.Before(q.terminated.Add(patience)) {
		return true
	}
	overdue := now.Sub(q.commitAt) > patience
	return d.gone && (overdue || now.Sub(later(d.missing, q.commitAt)) > q.pace())
}

// state tells what a query does.
func (q *query) state(d *driver, l backlog, now time.Time) string {
	patience := q.patience()
	if q.ended(d, now, patience) {
		return metrics.QueryTerminated
	}
	overdue := now.Sub(q.commitAt) > patience
	if d.hung && now.After(d.missing) { // twice without an answer
		patience = min(patience, q.pace())
	}
	q.wait.note(l, now)
	since := q.commitAt
	if d.alive && d.started.After(since) {
		since = d.started.Add(startGrace)
	}
	if !l.known { // a batch that does not end is all that can be seen
		switch plan := q.view.uncommitted; {
		case !plan.IsZero() && now.Sub(later(plan, since)) > patience:
			return metrics.QueryStalled
		case plan.IsZero() && overdue:
			return metrics.QueryIdle
		}
		return metrics.QueryRunning
	}
	switch {
	case !l.any:
		return metrics.QueryIdle
	case now.Sub(later(since, q.wait.since)) > patience:
		return metrics.QueryStalled
	}
	return metrics.QueryRunning
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
