package spark

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	maxLabels = 50 // queries by name in one application; the rest is "other"
	maxRuns   = 4  // of one application, remembered with their high-water marks
)

// state is what is known of one application over all its runs. It belongs to
// one goroutine at a time.
type state struct {
	name  string
	alive bool // the driver answered when last asked
	asked bool // it was asked at least once, or is known by a source

	run     lakespark.Run // the newest
	version string
	source  string
	started time.Time
	seen    time.Time         // when the driver last answered
	heard   time.Time         // when a source last told of a run that ended
	queries map[string]string // labels by the queries' ids
	err     error             // of the last time that the driver was asked

	now      *executors // nil where the list was never read
	totals   tally
	jobs     prometheus.Histogram
	stages   prometheus.Histogram
	skew     skew
	runs     []*runState // the newest last
	finished finished

	failures int // time-outs in a row
	wait     int // collections to leave out: the driver hangs
}

// tally holds our own counters: which go on over runs of the application.
type tally struct {
	tasksDone, tasksFailed, tasksKilled float64
	jobsSucceeded, jobsFailed           float64
	input, output                       float64 // bytes
	shuffleRead, shuffleWritten         float64
	spilledMemory, spilledDisk          float64
	eventsDropped                       float64
	cpu, busy                           map[string]float64 // seconds by query
	removed                             map[string]float64 // executors by reason
	errors                              map[httpjson.Class]float64
	missed                              map[string]float64 // by list
}

// skew is how unequal the tasks of the last long stage were.
type skew struct {
	at              time.Time
	duration, bytes float64 // 0 where unknown
}

// runState holds the high-water marks of one run.
type runState struct {
	id        lakespark.Run
	older     bool // it began before we did: what came before is not counted
	executors map[string]work
	high      int         // every job up to it was seen
	open      map[int]int // jobs seen running, by when they were last asked for alone
	needed    map[int]int // stages to read, by how often they were out of reach
	allJobs   float64     // the driver's own count when the list was last read whole
	dropped   float64     // events, when last read
	baseline  struct{ executors, jobs, dropped bool }
}

func newState(name string) *state {
	histogram := func(m metrics.Metric) prometheus.Histogram {
		h, ok := telemetry.NewHistogram(m).WithLabelValues(name).(prometheus.Histogram)
		if !ok {
			return prometheus.NewHistogram(prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: m.Buckets})
		}
		return h
	}
	return &state{
		name: name, queries: map[string]string{},
		jobs: histogram(metrics.SparkJobDuration()), stages: histogram(metrics.SparkStageDuration()),
		totals: tally{
			cpu: map[string]float64{}, busy: map[string]float64{}, removed: map[string]float64{},
			errors: map[httpjson.Class]float64{}, missed: map[string]float64{},
		},
	}
}

// begin returns the marks of a run, fresh ones where it was not seen before.
func (s *state) begin(id lakespark.Run, older bool) *runState {
	for _, r := range s.runs {
		if r.id == id {
			return r
		}
	}
	r := &runState{
		id: id, older: older, high: -1, allJobs: -1,
		executors: map[string]work{}, open: map[int]int{}, needed: map[int]int{},
	}
	s.runs = append(s.runs, r)
	if len(s.runs) > maxRuns {
		s.runs = s.runs[len(s.runs)-maxRuns:]
	}
	return r
}

// meet takes in who answered: perhaps another run than the last time.
func (s *state) meet(g greeting, source string, began, now time.Time) *runState {
	if s.run.ID != "" && s.run != g.run {
		s.finished.over(s.run.String(), now)
	}
	s.alive, s.seen, s.failures = true, now, 0
	s.run, s.version, s.source = g.run, cut(g.attempt.Version), source
	s.started = g.attempt.Start.Time
	return s.begin(g.run, s.started.Before(began))
}

// missing says that the driver did not say who it is. One that hangs is left
// alone for a while, so that it does not hold up the others.
func (s *state) missing(err error) {
	s.alive = false
	class := httpjson.ClassOf(err)
	if class != httpjson.Canceled {
		s.totals.errors[class]++
	}
	s.failures++
	if class != httpjson.Timeout {
		s.failures = 0
	}
	s.failed(err)
}

// failed notes what went wrong, and for how long a driver that hangs is left
// alone.
func (s *state) failed(err error) {
	s.err, s.wait = err, min(max(s.failures-1, 0), maxWait)
}

// knows reports whether a run was seen.
func (s *state) knows(run lakespark.Run) bool {
	return slices.ContainsFunc(s.runs, func(r *runState) bool { return r.id == run })
}

// latest is when anything was last known of the application.
func (s *state) latest() time.Time {
	if s.heard.After(s.seen) {
		return s.heard
	}
	return s.seen
}

// queryOf returns the label for the query that a description names.
func (s *state) queryOf(description string) string {
	b, ok := lakespark.BatchOf(description)
	if !ok {
		return ""
	}
	name := stableName(b.Query)
	if _, known := s.totals.cpu[name]; !known && len(s.totals.cpu) >= maxLabels {
		return "other"
	}
	if len(s.queries) < 2*maxLabels {
		s.queries[b.ID] = name
	}
	return name
}
