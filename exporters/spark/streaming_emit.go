package spark

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	sparklog "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/metrics"
)

// maxPhases bounds the phases of one batch; Spark knows eight.
const maxPhases = 12

// emitter writes the series of one query.
type emitter struct {
	part       *exporters.Part
	app, query string
}

func (e emitter) add(m metrics.Metric, value float64, more ...string) {
	e.part.Add(m, value, append([]string{e.app, e.query}, more...)...)
}

func (e emitter) seconds(m metrics.Metric, at time.Time) {
	if !at.IsZero() {
		e.add(m, float64(at.UnixMilli())/1e3)
	}
}

// all writes what is known of a query. Totals are always written; what is of
// now only when it was seen lately.
func (e emitter) all(q *query, d *driver, l backlog, now time.Time) {
	uri := ""
	if q.checkpoint != nil {
		uri = q.checkpoint.URI()
	}
	e.add(metrics.SparkStreamingInfo(), 1, cmp.Or(q.given, q.name), q.id, q.runID, uri)
	e.sources(q)
	e.totals(q)
	state := q.look(d, l, now)
	if state != "" {
		for _, s := range metrics.QueryStates() {
			e.add(metrics.SparkStreamingState(), oneIf(s == state), s)
		}
		e.add(metrics.SparkStreamingActive(), oneIf(state != metrics.QueryTerminated))
	}
	if q.fresh(now) {
		e.batch(q, now)
		e.lags(l)
		e.table(q)
	}
	if ms, ok := q.lately[gaugeLatency]; ok && q.view.batch < 0 {
		e.add(metrics.SparkStreamingBatchPhase(), ms/1e3, "triggerExecution")
	}
	e.rates(q, state)
	e.watermark(q)
	e.operators(q)
	if q.progress != nil {
		e.progress(q.progress)
	}
}

// look tells the state of a query, "" where nothing says it.
func (q *query) look(d *driver, l backlog, now time.Time) string {
	switch {
	case q.fresh(now):
		return q.state(d, l, now)
	case d.gone:
		return metrics.QueryTerminated
	case q.gauges == nil:
		return ""
	case q.gauges[gaugeInputRate] > 0 || q.gauges[gaugeProcessedRate] > 0:
		return metrics.QueryRunning
	}
	return metrics.QueryIdle
}

func (e emitter) sources(q *query) {
	progress, driver := unasked, unasked
	if q.progress != nil {
		progress = served
	} else if len(q.history) > 0 {
		progress = failed
	}
	if q.gauges != nil {
		driver = served
	} else if q.lately != nil {
		driver = failed
	}
	for _, s := range []struct {
		name string
		gave outcome
	}{
		{"progress", progress},
		{"checkpoint", q.read},
		{"gauges", driver},
		{"kafka", q.kafka},
		{"table", q.iceberg},
	} {
		if s.gave != unasked {
			e.add(metrics.SparkStreamingSource(), oneIf(s.gave == served), s.name)
		}
	}
}

func (e emitter) totals(q *query) {
	if q.counting {
		e.add(metrics.SparkStreamingInputRows(), q.input)
		e.part.Family(metrics.SparkStreamingBatchDuration()).Histogram(q.duration, e.app, e.query)
	}
	if q.checkpoint != nil {
		e.add(metrics.SparkStreamingResets(), q.resets)
	}
	if q.hasOutput || q.sink.has {
		e.add(metrics.SparkStreamingOutputRows(), q.output)
	}
	if q.stateful {
		e.add(metrics.SparkStreamingLateRows(), q.late)
	}
	for name, sum := range q.observed {
		e.add(metrics.SparkStreamingObserved(), sum, name)
	}
	q.sink.emit(e)
}

// batch writes what is known of the last committed batch, and of the next.
func (e emitter) batch(q *query, now time.Time) {
	v := &q.view
	if v.batch < 0 {
		return
	}
	e.add(metrics.SparkStreamingBatchID(), float64(v.batch))
	e.seconds(metrics.SparkStreamingLastCommit(), v.commit)
	if v.trigger > 0 {
		e.add(metrics.SparkStreamingTrigger(), v.trigger.Seconds())
	}
	if q.checkpoint != nil {
		age := 0.0
		if !v.uncommitted.IsZero() {
			age = max(0, now.Sub(v.uncommitted).Seconds())
		}
		e.add(metrics.SparkStreamingUncommittedAge(), age)
	}
	phase := metrics.SparkStreamingBatchPhase()
	if p := q.progress; p != nil {
		for name, d := range phases(p) {
			e.add(phase, d.Seconds(), name)
		}
		return
	}
	if !v.written.IsZero() && !v.planned.IsZero() {
		e.add(phase, max(0, v.written.Sub(v.planned).Seconds()), "plan")
	}
	if !v.written.IsZero() && !v.commit.IsZero() {
		e.add(phase, max(0, v.commit.Sub(v.written).Seconds()), "process")
	}
}

// phases returns the phases of a batch; what they leave of the whole is other.
func phases(p *sparklog.Progress) map[string]time.Duration {
	out := map[string]time.Duration{}
	rest := p.Duration
	for _, name := range slices.Sorted(maps.Keys(p.Phases)) {
		if len(out) < maxPhases {
			out[name] = p.Phases[name]
			rest -= p.Phases[name]
		}
	}
	out["other"] = max(0, rest)
	return out
}

func (e emitter) lags(b backlog) {
	for topic, l := range b.byName {
		e.add(metrics.SparkStreamingLag(), l.records, topic)
		e.add(metrics.SparkStreamingLagMaxPartition(), l.worst, topic)
		e.add(metrics.SparkStreamingLost(), l.lost, topic)
		if !math.IsNaN(l.seconds) {
			e.add(metrics.SparkStreamingLagSeconds(), l.seconds, topic)
		}
		if !math.IsNaN(l.headroom) {
			e.add(metrics.SparkStreamingHeadroom(), l.headroom, topic)
		}
	}
}

// rates writes rates of our own, else those of the driver's gauges.
func (e emitter) rates(q *query, state string) {
	in, out, ok := q.inputRate, q.processedRate, q.hasRates
	switch {
	case ok && (state == metrics.QueryIdle || state == metrics.QueryTerminated):
		in, out = 0, 0
	case !ok && q.gauges != nil:
		in, out, ok = q.gauges[gaugeInputRate], q.gauges[gaugeProcessedRate], true
	}
	if ok {
		e.add(metrics.SparkStreamingInputRate(), in)
		e.add(metrics.SparkStreamingProcessedRate(), out)
	}
}

func (e emitter) watermark(q *query) {
	mark := q.view.watermark
	if mark.IsZero() {
		mark = q.lately.watermark()
	}
	if mark.IsZero() {
		return
	}
	e.seconds(metrics.SparkStreamingWatermark(), mark)
	if !q.view.planned.IsZero() {
		e.add(metrics.SparkStreamingWatermarkDelay(), max(0, q.view.planned.Sub(mark).Seconds()))
	}
}

// operators writes the state of operators, those of the same name together.
func (e emitter) operators(q *query) {
	rows, size := map[string]float64{}, map[string]float64{}
	switch {
	case q.progress != nil:
		for _, o := range q.progress.Operators {
			name := o.Name
			if _, known := rows[name]; !known && len(rows) >= maxOperators {
				name = "other"
			}
			rows[name] += float64(o.Rows)
			size[name] += float64(o.Bytes)
		}
	case q.lately[gaugeStateRows] > 0 || q.lately[gaugeStateBytes] > 0:
		rows["all"], size["all"] = q.lately[gaugeStateRows], q.lately[gaugeStateBytes]
	}
	for name := range rows {
		e.add(metrics.SparkStreamingStateRows(), rows[name], name)
		e.add(metrics.SparkStreamingStateBytes(), size[name], name)
	}
}

// progress writes what only a push says.
func (e emitter) progress(p *sparklog.Progress) {
	names := slices.Sorted(maps.Keys(p.Observed))
	for _, name := range names[:min(len(names), maxObserved)] {
		e.add(metrics.SparkStreamingObservedLast(), p.Observed[name], name)
	}
	behind := map[string]float64{}
	for _, s := range p.Sources {
		for topic, partitions := range s.Latest {
			for n, latest := range partitions {
				if end, ok := s.End[topic][n]; ok && len(behind) < maxTopics {
					behind[topic] += float64(max(0, latest-end))
				}
			}
		}
	}
	for topic, records := range behind {
		e.add(metrics.SparkStreamingLagAtTrigger(), records, topic)
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
