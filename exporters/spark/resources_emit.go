package spark

import (
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// emit writes what is known of the application. When its driver no longer
// answers, the last values stay for a while, with spark_app_up 0; then only
// what it counted of its runs does.
func (s *state) emit(p *exporters.Part, now time.Time, keep time.Duration) {
	for how, n := range s.finished.counts {
		p.Add(metrics.SparkAppCompleted(), n, s.name, how.status, how.reason)
	}
	if s.asked {
		p.Add(metrics.SparkAppUp(), boolean(s.alive), s.name)
	}
	for class, n := range s.totals.errors {
		p.Add(metrics.SparkPollErrors(), n, s.name, string(class))
	}
	if s.run.ID == "" || !s.alive && now.Sub(s.latest()) > keep {
		return
	}
	p.Add(metrics.SparkAppInfo(), 1, s.name, s.run.String(), s.version, s.source)
	if !s.seen.IsZero() {
		p.Add(metrics.SparkAppLastSeen(), float64(s.seen.UnixMilli())/1e3, s.name)
	}
	if !s.started.IsZero() {
		p.Add(metrics.SparkAppStart(), float64(s.started.UnixMilli())/1e3, s.name)
	}
	s.emitTotals(p)
	s.emitNow(p)
	if s.skew.at.IsZero() || now.Sub(s.skew.at) > skewKeep {
		return
	}
	for of, v := range map[string]float64{"duration": s.skew.duration, "bytes": s.skew.bytes} {
		if v > 0 {
			p.Add(metrics.SparkStageSkew(), v, s.name, of)
		}
	}
}

// emitTotals writes our own counters.
func (s *state) emitTotals(p *exporters.Part) {
	t := &s.totals
	p.Add(metrics.SparkTasks(), t.tasksDone, s.name, "completed")
	p.Add(metrics.SparkTasks(), t.tasksFailed, s.name, "failed")
	p.Add(metrics.SparkTasks(), t.tasksKilled, s.name, "killed")
	p.Add(metrics.SparkJobs(), t.jobsSucceeded, s.name, "succeeded")
	p.Add(metrics.SparkJobs(), t.jobsFailed, s.name, "failed")
	p.Add(metrics.SparkInputBytes(), t.input, s.name)
	p.Add(metrics.SparkOutputBytes(), t.output, s.name)
	p.Add(metrics.SparkShuffleBytes(), t.shuffleRead, s.name, "read")
	p.Add(metrics.SparkShuffleBytes(), t.shuffleWritten, s.name, "write")
	p.Add(metrics.SparkSpillBytes(), t.spilledMemory, s.name, "memory")
	p.Add(metrics.SparkSpillBytes(), t.spilledDisk, s.name, "disk")
	p.Add(metrics.SparkEventsDropped(), t.eventsDropped, s.name)
	for _, reason := range metrics.RemovedReasons() {
		p.Add(metrics.SparkExecutorsRemoved(), t.removed[reason], s.name, reason)
	}
	for query, v := range t.cpu {
		p.Add(metrics.SparkStageCPU(), v, s.name, query)
		p.Add(metrics.SparkStageRun(), t.busy[query], s.name, query)
	}
	for list, n := range t.missed {
		p.Add(metrics.SparkPollMissed(), n, s.name, list)
	}
	p.Family(metrics.SparkJobDuration()).Histogram(s.jobs, s.name)
	p.Family(metrics.SparkStageDuration()).Histogram(s.stages, s.name)
}

// emitNow writes how the executors stood when they were last seen.
func (s *state) emitNow(p *exporters.Part) {
	if s.now == nil {
		return
	}
	for state, n := range map[string]int{"active": s.now.active, "excluded": s.now.excluded, "dead": s.now.dead} {
		p.Add(metrics.SparkExecutors(), float64(n), s.name, state)
	}
	for _, m := range s.now.memory {
		p.Add(metrics.SparkExecutorMemory(), m.sum, s.name, m.kind, "sum")
		p.Add(metrics.SparkExecutorMemory(), m.max, s.name, m.kind, "max")
	}
	for _, m := range s.now.driver {
		p.Add(metrics.SparkDriverMemory(), m.sum, s.name, m.kind)
	}
	p.Add(metrics.SparkTaskSlots(), s.now.slots, s.name)
	p.Add(metrics.SparkActiveTasks(), s.now.busy, s.name)
	p.Add(metrics.SparkGCRatio(), s.now.gcRatio, s.name)
}

func boolean(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// cut bounds what others write into our labels.
func cut(text string) string {
	const longest = 200
	runes := []rune(strings.TrimSpace(text))
	return string(slices.Clip(runes[:min(len(runes), longest)]))
}
