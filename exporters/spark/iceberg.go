package spark

import (
	"cmp"
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/metrics"
)

// maxEpochs bounds the commits to a table that wait for their batch, and the
// batches that are compared at once.
const maxEpochs = 10_000

// Tables asks an Iceberg catalog; [catalog.Client] does.
type Tables interface {
	LoadTable(ctx context.Context, ident string, opts catalog.LoadOptions) (*catalog.Table, bool, error)
}

// sink is the table that a query writes. Iceberg notes query and batch in the
// summary of every snapshot that a streaming query makes.
type sink struct {
	has            bool // a table is configured
	etag           string
	epoch          int64            // the last one in the table, -1 for none
	oldest         int64            // the oldest one that the table's history still has
	epochs         map[int64]commit // those after the last checked batch
	checked        int64            // the last batch that was compared with the table
	rows           float64          // read since then
	missing, extra float64
	measured       int64 // the last batch in duration
	duration       prometheus.Histogram
	noteDelay      time.Duration
	noted          bool
}

// commit is one snapshot.
type commit struct {
	at    time.Time
	added float64
}

// reset forgets a query that is no more; the totals go on.
func (s *sink) reset() {
	s.etag, s.epoch, s.checked, s.rows, s.measured, s.noted = "", -1, -1, 0, -1, false
	s.oldest, s.epochs = 0, nil
}

// table compares the batches of a query with the snapshots of its table. Mostly
// the current snapshot is enough; the history is asked for when several batches
// were committed since the last look.
func (s *streams) table(ctx context.Context, q *query, app string, now time.Time) {
	ident := cmp.Or(s.o.TableOf[app+"/"+q.name], s.o.TableOf[q.name], s.o.TableOf[q.given])
	if s.o.Tables == nil || ident == "" || q.id == "" || !q.fresh(now) {
		return
	}
	ctx, cancel := share(ctx)
	defer cancel()
	q.sink.has = true
	t, same, err := s.o.Tables.LoadTable(ctx, ident, catalog.LoadOptions{ETag: q.sink.etag})
	if err == nil && !same {
		q.sink.etag = t.ETag
		q.sink.note(t, q.id)
	}
	if err == nil && q.based && q.sink.lacks(q.view.batch) {
		if t, _, err = s.o.Tables.LoadTable(ctx, ident, catalog.LoadOptions{AllSnapshots: true}); err == nil {
			q.sink.note(t, q.id)
		}
	}
	if err != nil {
		q.iceberg = failed
		s.logger.Debug("the table of a streaming query cannot be read", "query", q.name, "table", ident, "err", err)
		return
	}
	q.iceberg = served
	if q.based {
		q.output += q.sink.check(&q.view)
	}
}

// note keeps the commits of a query that were not compared yet.
func (s *sink) note(t *catalog.Table, id string) {
	if s.epochs == nil {
		s.epochs = map[int64]commit{}
	}
	first := true
	for _, snapshot := range t.Snapshots {
		epoch, ok := snapshot.EpochID()
		if !ok || snapshot.QueryID() != id {
			continue
		}
		s.epoch = max(s.epoch, epoch)
		if first || epoch < s.oldest {
			s.oldest, first = epoch, false
		}
		if epoch > s.checked && len(s.epochs) < maxEpochs {
			added, _ := snapshot.AddedRecords()
			s.epochs[epoch] = commit{snapshot.Timestamp, float64(added)}
		}
	}
}

// lacks reports whether the commit of a batch that is to be compared was not
// seen.
func (s *sink) lacks(batch int64) bool {
	if !s.near(batch) {
		return false
	}
	for epoch := s.checked + 1; epoch <= batch; epoch++ {
		if _, ok := s.epochs[epoch]; !ok {
			return true
		}
	}
	return false
}

// near reports whether a batch is so close to the last checked one that what is
// between can be compared: the number is one of a file's name.
func (s *sink) near(batch int64) bool { return uint64(batch)-uint64(s.checked) <= maxEpochs }

// check compares what the batches since the last check read with what the table
// says they added, and returns the latter. It compares only where the table's
// history goes back far enough.
func (s *sink) check(v *view) (added float64) {
	if v.batch <= s.checked {
		return 0
	}
	whole := s.near(v.batch) && (s.oldest <= s.checked && s.epoch >= 0 || !s.lacks(v.batch))
	for _, b := range v.spans {
		if c, ok := s.epochs[b.batch]; ok && b.batch > s.measured {
			s.duration.Observe(max(0, c.at.Sub(b.began).Seconds()))
			s.measured = b.batch
		}
	}
	if c, ok := s.epochs[v.batch]; ok && !v.commit.IsZero() {
		s.noteDelay, s.noted = v.commit.Sub(c.at), true
	}
	for epoch, c := range s.epochs {
		if epoch <= v.batch {
			added += c.added
			delete(s.epochs, epoch)
		}
	}
	if whole {
		s.missing += max(0, s.rows-added)
		s.extra += max(0, added-s.rows)
	}
	s.checked, s.rows = v.batch, 0
	return added
}

// emit writes the totals.
func (s *sink) emit(e emitter) {
	if !s.has {
		return
	}
	e.add(metrics.SparkStreamingTableMismatch(), s.missing, "missing")
	e.add(metrics.SparkStreamingTableMismatch(), s.extra, "extra")
	e.part.Family(metrics.SparkStreamingTableCommitDuration()).Histogram(s.duration, e.app, e.query)
}

// table writes what is of now.
func (e emitter) table(q *query) {
	if q.iceberg != served {
		return
	}
	if q.sink.epoch >= 0 {
		e.add(metrics.SparkStreamingTableEpoch(), float64(q.sink.epoch))
	}
	if q.sink.noted {
		e.add(metrics.SparkStreamingTableNoteDelay(), max(0, q.sink.noteDelay.Seconds()))
	}
}
