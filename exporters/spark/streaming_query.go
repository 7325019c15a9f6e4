package spark

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	sparklog "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/metrics"
)

// topics are offsets by topic and partition.
type topics = map[string]map[int32]int64

// outcome is what a source gave in this collection.
type outcome int

const (
	unasked outcome = iota
	served
	failed
)

// query is one streaming query under its stable name. Its totals go on whatever
// happens to its driver, its checkpoint and its ids.
type query struct {
	name string
	seen time.Time // when a source last knew it
	uri  string    // of its checkpoint, also of the last one
	said string    // the last complaint

	// Of this collection.
	checkpoint           *sparklog.Checkpoint // nil for none
	read, kafka, iceberg outcome
	progress             *sparklog.Progress // pushed, of the last batch; nil when there is none, or an old one
	gauges               gauges             // by the last part of their names

	lately   gauges    // as last read
	gaugedAt time.Time // when that was

	id, runID, given string // what it is now; given is its own name
	view             view
	readAt           time.Time // of the checkpoint, when it could last be read
	commitAt         time.Time // of the last commit, corrected by when it was seen
	offsets          *sparklog.Offsets
	offsetsOf        int64
	history          []pushedBatch // pushed, oldest first
	terminated       time.Time     // when the driver said that the query ended

	totals
	wait wait
	sink sink
}

// view is what a checkpoint, or pushed progress, says of a query.
type view struct {
	batch       int64  // the last committed one, -1 for none
	ends        topics // committed offsets
	planned     time.Time
	watermark   time.Time
	written     time.Time // of the last committed batch's plan, by the store's clock
	commit      time.Time // of the last committed batch; zero where it is not known
	uncommitted time.Time // when the batch that is not committed was planned; zero for none
	spans       []span    // the last committed batches, in order
	plans       []time.Time
	trigger     time.Duration // zero where it is not known
}

// span is one batch, from its plan to its commit.
type span struct {
	batch         int64
	began, commit time.Time
}

func newQuery(name string) *query {
	duration, commit := metrics.SparkStreamingBatchDuration(), metrics.SparkStreamingTableCommitDuration()
	return &query{
		name: name, view: view{batch: -1}, offsetsOf: -1,
		totals: totals{measured: -1, duration: histogram(duration), observed: map[string]float64{}},
		sink:   sink{epoch: -1, checked: -1, measured: -1, duration: histogram(commit)},
	}
}

func histogram(m metrics.Metric) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: m.Name, Help: m.Help, Buckets: m.Buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
	})
}

// complain logs an error when it is another than before, and that there is none
// any more.
func (q *query) complain(logger *slog.Logger, doing string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == q.said {
		return
	}
	q.said = text
	if err != nil {
		logger.Warn("a streaming query cannot be seen whole", "query", q.name, "doing", doing, "err", err)
		return
	}
	logger.Info("the streaming query can be seen again", "query", q.name)
}

// readCheckpoint looks at the query's checkpoint: two listings and two reads,
// one more after it was wiped.
func (q *query) readCheckpoint(ctx context.Context, now time.Time) error {
	id, err := q.checkpoint.QueryID(ctx)
	if err != nil {
		return err
	}
	q.identify(id)
	listing, err := q.checkpoint.List(ctx)
	if err != nil {
		return err
	}
	v := viewOf(listing)
	if v.batch >= 0 {
		if err := q.readOffsets(ctx, v.batch); err != nil {
			return err
		}
		v.ends, v.planned, v.watermark = q.offsets.Ends(), q.offsets.Planned, q.offsets.Watermark
	}
	if !q.based && v.batch >= 0 {
		if err := q.readBase(ctx, v.ends); err != nil {
			return err
		}
	}
	q.adopt(v, q.readAt, now)
	q.readAt = now
	return nil
}

// identify takes note of the query's id. Another one than before is another
// query, which counts its batches from 0.
func (q *query) identify(id string) {
	if q.id == id {
		return
	}
	if q.id != "" {
		q.resets++
		q.renewed, q.based = true, false
		q.initial, q.source = topics{}, 0
		q.measured, q.rated, q.counted, q.countedBatch = -1, rated{}, nil, -1
		q.sink.reset()
		q.view, q.offsets, q.offsetsOf, q.terminated = view{batch: -1}, nil, -1, time.Time{}
	}
	q.id = id
}

// readOffsets reads the plan of a batch, which never changes.
func (q *query) readOffsets(ctx context.Context, batch int64) error {
	if q.offsetsOf == batch && q.offsets != nil {
		return nil
	}
	o, err := q.checkpoint.Offsets(ctx, batch)
	if err != nil {
		return err
	}
	q.offsets, q.offsetsOf = o, batch
	return nil
}

// readBase finds the offsets from which rows are counted: where the query is
// now when it was there before, else where it began, one source in each
// collection.
func (q *query) readBase(ctx context.Context, ends topics) error {
	if !q.renewed {
		q.begin(ends, q.offsetsOf)
		return nil
	}
	sources := q.offsets.Sources
	for ; q.source < len(sources) && sources[q.source].Topics == nil; q.source++ { // not Kafka
		continue
	}
	if q.source < len(sources) {
		first, err := q.checkpoint.Initial(ctx, q.source)
		if errors.Is(err, fs.ErrNotExist) {
			first, err = sources[q.source].Topics, nil
		}
		if err != nil {
			return err
		}
		sparklog.Merge(q.initial, first)
		q.source++
	}
	if q.source >= len(sources) {
		q.begin(q.initial, -1)
	}
	return nil
}

// begin counts rows from some offsets and durations from the batch after one.
func (q *query) begin(from topics, batch int64) {
	q.counting = true
	q.based, q.renewed, q.measured, q.countedBatch = true, false, batch, batch
	q.counted = topics{}
	sparklog.Merge(q.counted, from)
	q.sink.checked, q.sink.measured, q.sink.rows = batch, batch, 0
}

// adopt takes over what was seen. The time of a new commit is by another clock:
// it must lie between the last look and this one.
func (q *query) adopt(v view, since, now time.Time) {
	if v.batch < 0 && !q.based {
		q.renewed = true // it will begin under our eyes
		if q.initial == nil {
			q.initial = topics{}
		}
	}
	if v.batch != q.view.batch || q.commitAt.IsZero() {
		at := v.commit
		if at.IsZero() || at.After(now) {
			at = now
		}
		if at.Before(since) {
			at = since
		}
		q.commitAt = at
	}
	q.view = v
}

// viewOf reads what the names and times of a checkpoint's files say.
func viewOf(l sparklog.Listing) view {
	v := view{batch: l.Last()}
	for _, n := range l.Planned {
		v.plans = append(v.plans, n.At)
		if at, ok := l.Commit(n.Batch); ok && n.Batch <= v.batch && !at.Before(n.At) {
			v.spans = append(v.spans, span{n.Batch, n.At, at})
		}
	}
	v.trigger = triggerOf(l.Planned)
	if v.batch >= 0 {
		v.written, _ = l.Plan(v.batch)
		v.commit, _ = l.Commit(v.batch)
		if v.commit.IsZero() {
			v.commit, _ = l.Plan(v.batch + 1)
		}
	}
	if n := len(l.Planned); n > 0 && l.Planned[n-1].Batch > v.batch {
		v.uncommitted = l.Planned[n-1].At
	}
	return v
}

// triggerOf learns the time between two triggers from when batches of
// consecutive numbers were planned: a query that waits for records leaves
// triggers out, one that is late begins at once. A quarter of the distances is
// below the one that is taken.
func triggerOf(plans []sparklog.Note) time.Duration {
	var distances []time.Duration
	for i := 1; i < len(plans); i++ {
		if d := plans[i].At.Sub(plans[i-1].At); plans[i].Batch == plans[i-1].Batch+1 && d > 0 {
			distances = append(distances, d)
		}
	}
	return quantile(distances, 0.25)
}

// quantile returns a quantile by the nearest rank, 0 of nothing.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// pushed takes over what a push says that a checkpoint does not, or not yet.
func (q *query) pushed(e *pushedQuery, now time.Time) {
	q.runID, q.given, q.history, q.terminated = e.runID, e.name, e.history, e.terminated
	q.take(&e.pending)
	// A push comes a moment after the commit: the batch before is new enough.
	if e.last == nil || q.read == served && e.last.Batch+1 < q.view.batch {
		return
	}
	q.progress = e.last
	if q.checkpoint != nil && e.last.Batch <= q.view.batch {
		return
	}
	v := q.view
	v.batch, v.planned, v.watermark = e.last.Batch, e.last.At, e.last.Watermark
	v.commit = e.last.At.Add(e.last.Duration)
	v.ends, v.uncommitted = e.last.Ends(), time.Time{}
	if q.checkpoint == nil {
		v.trigger = triggerOf(plansOf(e.history))
		if !q.based {
			q.begin(e.starts, e.first-1)
		}
	}
	q.adopt(v, time.Time{}, now)
}

func plansOf(history []pushedBatch) []sparklog.Note {
	notes := make([]sparklog.Note, 0, len(history))
	for _, b := range history {
		notes = append(notes, sparklog.Note{Batch: b.batch, At: b.at})
	}
	return notes
}

// startsOf returns where a batch began.
func startsOf(p *sparklog.Progress) topics {
	starts := topics{}
	for _, s := range p.Sources {
		sparklog.Merge(starts, s.Start)
	}
	return starts
}

// durations returns how long the last batches took.
func (q *query) durations() []time.Duration {
	var out []time.Duration
	for _, b := range q.history {
		out = append(out, b.duration)
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range q.view.spans {
		out = append(out, s.commit.Sub(s.began))
	}
	return out
}

// fresh reports whether the view is young enough to be shown.
func (q *query) fresh(now time.Time) bool {
	return q.progress != nil || (!q.readAt.IsZero() && now.Sub(q.readAt) <= keepReading)
}

// joinGauges gives the driver's gauges to their queries.
func joinGauges(st *application, a app, now time.Time) {
	byQuery := map[string]gauges{}
	for name, value := range a.gauges {
		if of, what, ok := streamingGauge(name); ok {
			if byQuery[of] == nil {
				byQuery[of] = gauges{}
			}
			byQuery[of][what] = value
		}
	}
	for _, q := range st.queries {
		q.gauges = nil
		if now.Sub(q.gaugedAt) > keepQuery {
			q.lately = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byQuery)) {
		q := st.named(name)
		if q == nil && len(byQuery) == 1 {
			q = st.onlyCheckpoint()
		}
		if q == nil {
			q = st.query(stableName(name))
		}
		q.gauges, q.seen = byQuery[name], now
		q.lately, q.gaugedAt = q.gauges, now
		if !uuid.MatchString(name) {
			q.given = name
		}
	}
}

// named returns the query that calls itself so.
func (st *application) named(name string) *query {
	for _, q := range st.queries {
		if q.given == name {
			return q
		}
	}
	return st.queries[name]
}

// onlyCheckpoint returns the query with a checkpoint when there is one only and
// it has no other name.
func (st *application) onlyCheckpoint() *query {
	var only *query
	for _, q := range st.queries {
		switch {
		case q.checkpoint == nil:
		case only != nil || q.given != "":
			return nil
		default:
			only = q
		}
	}
	return only
}
