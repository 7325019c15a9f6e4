package loadtest

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/loadtest/hop"
	"github.com/lakeproof/lakeproof/loadtest/report"
	"github.com/lakeproof/lakeproof/metrics"
)

// Exposition is a run as Prometheus metrics: a collector that can be registered
// before the run is there and shows nothing until then. Put it into
// [Options].Exposition.
type Exposition struct {
	run    atomic.Pointer[run]
	result atomic.Pointer[report.Report]
}

// Describe implements prometheus.Collector. The collector is unchecked: which
// streams there are is known when the run begins.
func (*Exposition) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (e *Exposition) Collect(ch chan<- prometheus.Metric) {
	r := e.run.Load()
	if r == nil {
		return
	}
	emit := func(m metrics.Metric, value float64, labels ...string) { ch <- telemetry.Value(m, value, labels...) }
	for _, s := range r.streams {
		s.collect(ch, emit)
	}
	counts := map[string]int{}
	for _, g := range r.seen.all() {
		counts[g.Kind+" "+g.Hop]++
	}
	for _, s := range r.streams {
		if s.table != nil {
			emit(metrics.LoadtestSnapshots(), float64(counts["snapshot "+s.Table]), s.Table)
			collectOutages(emit, "table "+s.Table, s.table.Outages())
		}
	}
	for i, s := range r.sparks {
		app := r.plan.Lab.Spark[i].App
		emit(metrics.LoadtestBatches(), float64(counts["batch "+app]), app)
		collectOutages(emit, "spark "+app, s.Outages())
	}
	collectOutages(emit, "consume", r.consumer.Outages())
	if r.store != nil {
		collectOutages(emit, "store", r.store.Outages())
	}
	if rep := e.result.Load(); rep != nil {
		collectResult(emit, rep)
	}
}

type emitter func(m metrics.Metric, value float64, labels ...string)

func (r *streamRun) collect(ch chan<- prometheus.Metric, emit emitter) {
	r.mu.Lock()
	failed, unknown := r.failed.Len(), r.unknown.Len()
	r.mu.Unlock()
	for state, n := range map[string]uint64{
		metrics.StateIntended: r.due(), metrics.StateSent: r.sent.Load(), metrics.StateAcked: r.acked.Load(),
		metrics.StateFailed: failed, metrics.StateUnknown: unknown,
		metrics.StateConsumed: r.consumed.Load(), metrics.StateLanded: r.landed.Load(),
	} {
		emit(metrics.LoadtestRecords(), float64(n), r.Name, state)
	}
	emit(metrics.LoadtestBytes(), float64(r.bytes.Load()), r.Name)
	emit(metrics.LoadtestTargetRate(), r.Schedule.RateAt(r.elapsed()), r.Name)
	if r.table != nil {
		owed, landed := r.owed(), r.landed.Load()
		emit(metrics.LoadtestLag(), float64(owed-min(owed, landed)), r.Name)
		ch <- r.freshness.metric(metrics.LoadtestFreshness(), r.Name)
	}
	ch <- r.service.metric(metrics.LoadtestAckDuration(), r.Name, metrics.KindService)
	ch <- r.corrected.metric(metrics.LoadtestAckDuration(), r.Name, metrics.KindCorrected)
	ch <- r.scheduler.metric(metrics.LoadtestAckDuration(), r.Name, metrics.KindScheduler)
	ch <- r.consume.metric(metrics.LoadtestConsumeDuration(), r.Name)
}

// metric is the distribution after the warm-up as a histogram of the catalogue.
func (l *latency) metric(m metrics.Metric, labels ...string) prometheus.Metric {
	l.mu.Lock()
	defer l.mu.Unlock()
	return telemetry.Distribution(m, func(yield func(float64, uint64) bool) {
		for _, bar := range l.all.Distribution() {
			if bar.Count > 0 && !yield(float64(bar.To)/1e6, uint64(bar.Count)) {
				return
			}
		}
	}, labels...)
}

func collectOutages(emit emitter, name string, outages []hop.Outage) {
	up := 1.0
	if n := len(outages); n > 0 && outages[n-1].To.IsZero() {
		up = 0
	}
	emit(metrics.LoadtestHopUp(), up, name)
	emit(metrics.LoadtestOutages(), float64(len(outages)), name)
}

func collectResult(emit emitter, rep *report.Report) {
	for _, s := range rep.Streams {
		for class, n := range map[string]uint64{
			metrics.ClassMissing: s.Records.Missing, metrics.ClassDuplicate: s.Records.Duplicate,
			metrics.ClassCorrupt: s.Records.Corrupt, metrics.ClassLate: s.Records.Late,
			metrics.ClassUnexpected: s.Records.Unexpected,
		} {
			emit(metrics.LoadtestResult(), float64(n), s.Name, class)
		}
	}
	for _, t := range rep.Thresholds {
		ok := 0.0
		if t.OK {
			ok = 1
		}
		emit(metrics.LoadtestThreshold(), ok, t.Expression)
	}
	emit(metrics.LoadtestVerdict(), 1, string(rep.Verdict))
}

// estimate records the freshness of a snapshot's rows before reconciliation
// knows it exactly: as if the rows were the next ones in the order of sending.
func (r *streamRun) estimate(n news, first, rows uint64) {
	const points = 100
	step := max(1, rows/points)
	for at := uint64(0); at < rows; at += step {
		intended := r.Schedule.At(first + at)
		r.freshness.recordN(intended, n.FirstSeen.Sub(r.start.Add(intended)), int64(min(step, rows-at)))
	}
}
