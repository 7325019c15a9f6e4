package loadtest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/ui"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
	"github.com/lakeproof/lakeproof/loadtest/report"
	"github.com/lakeproof/lakeproof/loadtest/threshold"
)

// report reconciles and makes the whole report. The samples are those of the
// run; there are none when a run is verified again.
func (v *verification) report(ctx context.Context, samples []sample) (*report.Report, error) {
	if err := v.reconcile(ctx); err != nil {
		return nil, err
	}
	f, s := v.file, v.plan.Scenario
	r := &report.Report{
		SchemaVersion: report.SchemaVersion, RunID: f.RunID, ScenarioName: s.Name,
		Started: f.Start.UTC(), Ended: time.Now().UTC(), Plan: v.plan.Words(), Scenario: s.Text,
		Command: v.about.Command, Verify: "lakeproof loadtest verify " + v.dir,
		Environment: v.environment(),
	}
	if !f.Barrier.IsZero() {
		r.Ended = f.Barrier.UTC()
	}
	r.Duration = r.Ended.Sub(r.Started).Seconds()
	for _, st := range v.streams {
		v.addStream(r, st)
		if st.faults != nil {
			r.Faults = append(r.Faults, v.faultReport(st))
		}
	}
	v.latencies(r)
	v.rates(r)
	for _, p := range v.plan.Streams[0].Schedule.Phases() {
		r.Phases = append(r.Phases, report.Phase{Name: p.Name, From: f.Start.Add(p.From).UTC(), To: f.Start.Add(p.To).UTC()})
	}
	v.hops(r)
	v.series(r, samples)
	v.generator(r)
	for _, t := range s.Thresholds {
		r.Thresholds = append(r.Thresholds, judged(t, v.measure(r, t), s.Warmup))
	}
	slices.SortStableFunc(r.Thresholds, func(a, b report.Threshold) int { return rank(a) - rank(b) })
	v.verdict(r)
	return r, nil
}

// rank orders thresholds: missed first, then those without data.
func rank(t report.Threshold) int { return slices.Index([]string{"missed", "no_data", "ok"}, t.State) }

// addStream adds a stream's balance, examples, ranges and tiers.
func (v *verification) addStream(r *report.Report, s *verified) {
	res, acc := &s.result, s.account
	rec := report.Records{
		Intended: s.file.Intended, Sent: acc.Sent, Acked: acc.AckedCount(), Failed: acc.Failed.Len(),
		Unknown: acc.Unknown.Len(), Seen: res.Seen, Missing: res.Missing.Count, Duplicate: res.Duplicate.Count,
		Corrupt: res.Corrupt.Count, Late: res.Late.Count, Unexpected: res.Unexpected.Count,
		Consumed: s.file.Consumed, Letters: s.buried.Found(),
	}
	if s.Table == "" {
		rec.Seen = s.file.Consumed
		rec.Missing = acc.AckedCount() - min(acc.AckedCount(), s.file.Consumed)
		rec.Duplicate, rec.Corrupt, rec.Unexpected = s.file.ConsumedAgain, s.file.ConsumedCorrupt, s.file.ConsumedForeign
		if s.Shared {
			rec.Unexpected = 0
		}
		s.possible = []string{"missing, duplicate, corrupt and unexpected records, at the topic"}
	}
	if s.deletes > 0 {
		s.possible = append(s.possible, fmt.Sprintf(
			"the table has %d delete files, which are not applied: rows that they delete count as seen", s.deletes))
	}
	if res.Unattributed > 0 {
		s.possible = append(s.possible, fmt.Sprintf("%d rows of nobody, which may be other runs'", res.Unattributed))
	}
	add(&r.Records, rec)
	r.Streams = append(r.Streams, report.Stream{
		Name: s.Name, Topic: s.Topic, Partitions: s.Partitions, Table: s.Table, Records: rec, Checks: s.possible,
		Columns: s.used,
	})
	e := &r.Examples
	for _, c := range []struct {
		found  ledger.Findings
		out    *[]report.Example
		ranges *[]report.Range
	}{
		{res.Missing, &e.Missing, &r.Ranges.Missing},
		{res.Duplicate, &e.Duplicate, &r.Ranges.Duplicate},
		{res.Corrupt, &e.Corrupt, &r.Ranges.Corrupt},
		{res.Late, &e.Late, &r.Ranges.Late},
		{res.Unexpected, &e.Unexpected, nil},
	} {
		for _, x := range c.found.Examples {
			*c.out = append(*c.out, v.example(s, x))
		}
		if c.ranges != nil {
			for _, g := range c.found.Ranges {
				*c.ranges = append(*c.ranges, report.Range{Stream: s.Name, First: g.First, Last: g.Last})
			}
		}
	}
	for _, t := range s.tiers {
		r.Tiers = append(r.Tiers, report.Tier{
			Tier: t.Name, Stream: s.Name, State: string(t.State), Detail: t.Detail,
			Rows: t.Rows, Bytes: t.Bytes, Seconds: t.Took.Seconds(),
		})
	}
}

func add(sum *report.Records, r report.Records) {
	sum.Intended += r.Intended
	sum.Sent += r.Sent
	sum.Acked += r.Acked
	sum.Failed += r.Failed
	sum.Unknown += r.Unknown
	sum.Consumed += r.Consumed
	sum.Seen += r.Seen
	sum.Missing += r.Missing
	sum.Duplicate += r.Duplicate
	sum.Corrupt += r.Corrupt
	sum.Late += r.Late
	sum.Unexpected += r.Unexpected
	sum.Letters += r.Letters
}

func (v *verification) example(s *verified, x ledger.Example) report.Example {
	out := report.Example{
		EventID: x.EventID, Stream: s.Name, Topic: s.Topic, Table: s.Table,
		Snapshot: x.Snapshot, File: x.File, Detail: x.Detail,
	}
	if x.HasSeq {
		intended := v.file.Start.Add(x.Intended).UTC()
		out.Seq, out.Intended = &x.Seq, &intended
	}
	if x.Partition >= 0 {
		out.Partition = &x.Partition
	}
	if x.Offset >= 0 {
		out.Offset = &x.Offset
	}
	return out
}

// latencies fills in the distributions. With several streams the report shows
// the worst of each quantile, and counts all samples.
func (v *verification) latencies(r *report.Report) {
	for _, s := range v.streams {
		worst(&r.Latency.Ack.Service, s.file.Latency["ack.service"][""])
		worst(&r.Latency.Ack.Corrected, s.file.Latency["ack"][""])
		worst(&r.Latency.Ack.Scheduler, s.file.Latency["ack.scheduler"][""])
		worst(&r.Latency.Consume, s.file.Latency["consume"][""])
		worst(&r.Latency.Freshness, s.freshness.byName()[""])
	}
	if r.Latency.Freshness.Count > 0 {
		bound := v.file.Poll
		for _, g := range v.seen {
			if g.Kind == "snapshot" {
				bound = max(bound, g.Bound)
			}
		}
		r.Bound = &bound
	}
}

func worst(q *report.Quantiles, s spread) {
	if s.Count == 0 {
		return
	}
	q.Count += s.Count
	for _, c := range []struct {
		at    **float64
		value float64
	}{{&q.P50, s.P50}, {&q.P95, s.P95}, {&q.P99, s.P99}, {&q.P999, s.P999}, {&q.Max, s.Max}} {
		if *c.at == nil || **c.at < c.value {
			*c.at = &c.value
		}
	}
	if q.Curve == nil {
		q.Curve = s.Curve
	}
}

// rates compares what was intended with what was acknowledged in the same time:
// a backlog at the end of the schedule lowers the achieved rate.
func (v *verification) rates(r *report.Report) {
	var until, lastSeen time.Duration
	for _, s := range v.streams {
		until = max(until, s.Schedule.At(s.file.Intended))
		lastSeen = max(lastSeen, s.lastSeen)
	}
	if until <= 0 {
		return
	}
	r.Rate.Intended = new(float64(r.Records.Intended) / until.Seconds())
	var onTime uint64
	for _, s := range v.streams {
		onTime += s.file.AckedInTime
	}
	r.Rate.Achieved = new(float64(onTime) / until.Seconds())
	if lastSeen > 0 {
		r.Rate.Table = new(float64(r.Records.Seen) / lastSeen.Seconds())
	}
}

// measure returns the value of a threshold's metric, and false without samples.
func (v *verification) measure(r *report.Report, t threshold.Threshold) threshold.Result {
	group, name, _ := strings.Cut(t.Metric, ".")
	switch group {
	case "records":
		return t.Judge(v.count(r, name))
	case "rate":
		return t.Judge(rateOf(r, name, t.Unit))
	case "lag":
		return t.Judge(highest(r.Series.Lag))
	case "batch":
		return t.Judge(batchP95(r.Series.Batches))
	default:
		i := strings.LastIndex(t.Metric, ".")
		value, found := 0.0, false
		for _, s := range v.streams {
			sp := s.spread(t.Metric[:i], t.Phase)
			if sp.Count > 0 {
				value, found = max(value, quantile(sp, t.Metric[i+1:])), true
			}
		}
		return t.Judge(value, found)
	}
}

func (s *verified) spread(kind, phase string) spread {
	if kind == "freshness" {
		return s.freshness.of(phase)
	}
	return s.file.Latency[kind][phase]
}

func quantile(s spread, name string) float64 {
	return map[string]float64{"p50": s.P50, "p95": s.P95, "p99": s.P99, "p999": s.P999, "max": s.Max}[name]
}

// count returns a number of records. Nothing was measured when nothing was
// sent, and what happened at the end only where the journey was followed.
func (v *verification) count(r *report.Report, name string) (float64, bool) {
	c := r.Records
	n := map[string]uint64{
		"intended": c.Intended, "sent": c.Sent, "acked": c.Acked, "failed": c.Failed, "unknown": c.Unknown, "seen": c.Seen,
		"missing": c.Missing, "duplicate": c.Duplicate, "corrupt": c.Corrupt, "late": c.Late, "unexpected": c.Unexpected,
	}[name]
	return float64(n), c.Sent > 0
}

func rateOf(r *report.Report, name string, unit threshold.Unit) (float64, bool) {
	value := r.Rate.Achieved
	if name == "table" {
		value = r.Rate.Table
	}
	if value == nil || r.Rate.Intended == nil {
		return 0, false
	}
	if unit == threshold.Percent {
		return 100 * *value / *r.Rate.Intended, true
	}
	return *value, true
}

func highest(values []report.Number) (float64, bool) {
	most := math.NaN()
	for _, n := range values {
		if f := float64(n); !math.IsNaN(f) && !(f <= most) {
			most = f
		}
	}
	return most, !math.IsNaN(most)
}

func batchP95(batches []report.BatchPoint) (float64, bool) {
	var took []float64
	for _, b := range batches {
		took = append(took, b.Duration)
	}
	if len(took) == 0 {
		return 0, false
	}
	slices.Sort(took)
	return took[min(len(took)-1, len(took)*95/100)], true
}

func judged(t threshold.Threshold, res threshold.Result, warmup time.Duration) report.Threshold {
	out := report.Threshold{
		Expression: t.Expression, Limit: t.Limit, Unit: string(t.Unit), OK: res.OK, State: "ok", Window: t.Phase,
	}
	if out.Window == "" {
		out.Window = "whole run"
		if t.Unit == threshold.Seconds && warmup > 0 {
			out.Window = fmt.Sprintf("after the warm-up of %v", warmup)
		}
	}
	switch {
	case res.NoData:
		out.State = "no_data"
		return out
	case !res.OK:
		out.State = "missed"
	}
	margin := t.Limit - res.Value
	if strings.HasPrefix(t.Op, ">") {
		margin = -margin
	}
	out.Value, out.Margin = &res.Value, &margin
	return out
}

// verdict speaks: first what is surely wrong, then what is not known, then the
// thresholds.
func (v *verification) verdict(r *report.Report) {
	var missed, unmeasured []string
	for _, t := range r.Thresholds {
		switch t.State {
		case "missed":
			missed = append(missed, missedWords(t))
		case "no_data":
			unmeasured = append(unmeasured, t.Expression)
		}
	}
	harm := harmWords(r.Records)
	for i := range r.Faults {
		harm = append(harm, letterWords(&r.Faults[i])...)
	}
	set := func(verdict report.Verdict, code fail.Code, parts ...string) {
		r.Verdict, r.ExitCode, r.Reason = verdict, int(code), strings.Join(parts, "; ")
	}
	total := ui.Count(r.Records.Acked)
	switch {
	case v.file.Interrupted:
		set(report.Interrupted, fail.Interrupted,
			append([]string{fmt.Sprintf("interrupted after %s records", total)}, harm...)...)
	case len(harm) > 0:
		// The thresholds on the same counts would only say it again.
		missed = slices.DeleteFunc(missed, func(m string) bool { return strings.HasPrefix(m, "records.") })
		if n := r.Records.Late; n > 0 {
			harm = append(harm, ui.Count(n)+" late")
		}
		set(report.Fail, fail.Integrity, append([]string{fmt.Sprintf("of %s acknowledged records: %s",
			total, strings.Join(harm, ", "))}, missed...)...)
	case r.Records.Acked == 0:
		set(report.Inconclusive, fail.Inconclusive, "no record was acknowledged, so nothing was measured")
	case r.Generator.Bottleneck:
		set(report.Inconclusive, fail.Inconclusive, fmt.Sprintf(
			"the generator was the bottleneck: %s of %s records left more than %v late through its own fault",
			ui.Count(r.Generator.Late), ui.Count(r.Records.Sent), v.plan.Scenario.Producer.MaxSchedulerDelay))
	case len(missed) > 0:
		set(report.Fail, fail.Threshold, missed...)
	case len(unmeasured) > 0:
		set(report.Inconclusive, fail.Inconclusive, "no samples for "+strings.Join(unmeasured, ", "))
	case v.undecided() != "":
		set(report.Inconclusive, fail.Inconclusive, v.undecided())
	default:
		set(report.Pass, fail.Pass, v.passWords(r))
	}
}

// undecided says why a clean reconciliation proves nothing, or "".
func (v *verification) undecided() string {
	for _, s := range v.streams {
		if s.deletes > 0 {
			return fmt.Sprintf("table %s has %d delete files, which reconciliation does not apply", s.Table, s.deletes)
		}
	}
	return ""
}

func harmWords(c report.Records) []string {
	var out []string
	for _, h := range []struct {
		n    uint64
		word string
	}{{c.Missing, "missing"}, {c.Duplicate, "duplicate"}, {c.Corrupt, "corrupt"}, {c.Unexpected, "unexpected"}} {
		if h.n > 0 {
			out = append(out, ui.Count(h.n)+" "+h.word)
		}
	}
	return out
}

func missedWords(t report.Threshold) string {
	metric, _, _ := strings.Cut(t.Expression, " ")
	value := fmt.Sprintf("%.4g", *t.Value)
	switch threshold.Unit(t.Unit) {
	case threshold.Seconds:
		value = fmt.Sprintf("%.3g s", *t.Value)
	case threshold.Percent:
		value = fmt.Sprintf("%.2f %%", *t.Value)
	case threshold.Records, threshold.Rate:
		value = ui.Count(uint64(*t.Value))
	}
	return fmt.Sprintf("%s is %s, wanted %s", metric, value, strings.TrimSpace(strings.TrimPrefix(t.Expression, metric)))
}

func (v *verification) passWords(r *report.Report) string {
	out := fmt.Sprintf("all %s records arrived once and unchanged", ui.Count(r.Records.Seen))
	if len(r.Faults) > 0 {
		out = fmt.Sprintf("all %s records that belong in a table arrived as they were sent, and all deliberate faults are "+
			"where they belong", ui.Count(r.Records.Seen))
	}
	if f := r.Latency.Freshness; f.P99 != nil {
		out += fmt.Sprintf("; freshness p99 %.2f s", *f.P99)
	}
	return out
}
