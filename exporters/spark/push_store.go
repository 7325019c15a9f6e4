package spark

import (
	"slices"
	"sync"
	"time"

	sparklog "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	maxPushedApps    = 200
	maxPushedQueries = 50  // of one application, by id
	maxPushedBatches = 100 // batches of one query whose durations are kept
	forgetPush       = time.Hour
	maxName          = 200 // bytes of a name
)

// pushes keeps what jobs push, until it is collected. It is safe for concurrent
// use.
type pushes struct {
	now func() time.Time

	mu   sync.Mutex
	apps map[string]*pushedApp
}

type pushedApp struct {
	received time.Time
	dropped  int64 // by listeners, over all of their lives
	listener int64 // as the last one said
	queries  map[string]*pushedQuery
}

// pushedQuery is one query, by its id.
type pushedQuery struct {
	id, runID, name string
	received        time.Time
	last            *sparklog.Progress
	first           int64  // the first batch that was pushed
	starts          topics // its offsets
	batch           int64  // the last one that is counted; one that is run again is not
	history         []pushedBatch
	terminated      time.Time
	pending         pending
}

type pushedBatch struct {
	batch    int64
	at       time.Time
	duration time.Duration
}

// push is one message of a listener.
type push struct {
	app, event      string
	id, runID, name string
	dropped         int64
	progress        *sparklog.Progress // nil but for event progress
}

// add takes a push; false when there are too many queries already.
func (p *pushes) add(m push) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	a, ok := p.apps[m.app]
	if !ok {
		if len(p.apps) >= maxPushedApps && !p.forget(now) {
			return false
		}
		a = &pushedApp{queries: map[string]*pushedQuery{}}
		p.apps[m.app] = a
	}
	a.received = now
	if m.dropped < a.listener { // another process
		a.listener = 0
	}
	a.dropped, a.listener = a.dropped+m.dropped-a.listener, m.dropped
	q, ok := a.queries[m.id]
	if !ok {
		if len(a.queries) >= maxPushedQueries && !a.forget(now) {
			return false
		}
		q = &pushedQuery{id: m.id, batch: -1}
		a.queries[m.id] = q
	}
	q.received, q.runID = now, m.runID
	if m.name != "" {
		q.name = m.name
	}
	q.terminated = time.Time{}
	if m.event == eventTerminated {
		q.terminated = now
	}
	if m.progress != nil {
		q.add(m.progress)
	}
	return true
}

// forget makes room by forgetting applications that pushed nothing for long.
func (p *pushes) forget(now time.Time) bool {
	for name, a := range p.apps {
		if now.Sub(a.received) > forgetPush {
			delete(p.apps, name)
		}
	}
	return len(p.apps) < maxPushedApps
}

func (a *pushedApp) forget(now time.Time) bool {
	for id, q := range a.queries {
		if now.Sub(q.received) > forgetPush {
			delete(a.queries, id)
		}
	}
	return len(a.queries) < maxPushedQueries
}

// add counts a batch, once.
func (q *pushedQuery) add(p *sparklog.Progress) {
	if !p.Executed() {
		return
	}
	if q.last == nil || p.Batch >= q.last.Batch {
		q.last = p
	}
	if p.Batch <= q.batch {
		return
	}
	if q.batch < 0 {
		q.first, q.starts = p.Batch, startsOf(p)
	}
	q.batch = p.Batch
	q.history = append(q.history, pushedBatch{p.Batch, p.At, p.Duration})
	if n := len(q.history); n > maxPushedBatches {
		q.history = slices.Delete(q.history, 0, n-maxPushedBatches)
	}
	q.pending.add(p)
}

func (s *pending) add(p *sparklog.Progress) {
	if s.durations == nil {
		s.durations, s.observed = map[int64]time.Duration{}, map[string]float64{}
	}
	s.input += float64(p.InputRows)
	if p.OutputRows >= 0 {
		s.output += float64(p.OutputRows)
		s.hasOutput = true
	}
	for _, o := range p.Operators {
		s.late += float64(o.Late)
		s.stateful = true
	}
	for name, value := range p.Observed {
		if _, known := s.observed[name]; known || len(s.observed) < maxObserved {
			s.observed[name] += max(0, value)
		}
	}
	if len(s.durations) < maxDurations {
		s.durations[p.Batch] = p.Duration
	}
}

// collect returns what an application pushed, and takes away what is counted.
func (p *pushes) collect(app string) []pushedQuery {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.apps[app]
	if !ok {
		return nil
	}
	out := make([]pushedQuery, 0, len(a.queries))
	for _, q := range a.queries {
		c := *q
		c.history = slices.Clone(q.history)
		q.pending = pending{}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b pushedQuery) int { return a.received.Compare(b.received) })
	return out
}

// dropped returns what the listeners of an application dropped; false when
// nothing was pushed lately.
func (p *pushes) dropped(app string) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.apps[app]
	if !ok || p.now().Sub(a.received) > forgetPush {
		return 0, false
	}
	return a.dropped, true
}

// names returns the applications that pushed lately.
func (p *pushes) names(within time.Duration) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for name, a := range p.apps {
		if p.now().Sub(a.received) <= within {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// joinPushes gives what was pushed to the queries. A query with a checkpoint is
// found by its id; one without it has its own name.
func (s *streams) joinPushes(st *application, a app, now time.Time) {
	for _, q := range st.queries {
		q.progress = nil
	}
	for _, e := range s.pushes.collect(a.name) {
		young := now.Sub(e.received) <= keepQuery || st.driver.alive || st.driver.hung
		q := st.withID(e.id)
		if q == nil {
			q = st.pushOnly(&e, young)
		}
		if q == nil {
			continue
		}
		if young {
			q.seen = now
		} else {
			e.last = nil
		}
		q.pushed(&e, now)
	}
}

// withID returns the query with a checkpoint that has an id.
func (st *application) withID(id string) *query {
	for _, q := range st.queries {
		if q.checkpoint != nil && q.id == id {
			return q
		}
	}
	return nil
}

// pushOnly returns the query that is known by its pushes alone. A query whose
// checkpoint says another id is not that one: it was wiped.
func (st *application) pushOnly(e *pushedQuery, young bool) *query {
	name := stableName(e.name)
	q := st.named(name)
	switch {
	case q == nil && !young:
		return nil
	case q == nil:
		q = st.query(name)
	case q.checkpoint != nil:
		return nil
	}
	q.identify(e.id)
	return q
}
