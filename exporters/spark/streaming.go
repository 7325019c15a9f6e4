package spark

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	sparklog "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	maxApps     = 500 // applications whose totals are kept
	maxQueries  = 100 // queries of one application
	maxTopics   = 200 // topics of one query that are shown
	keepReading = time.Minute
	keepQuery   = 15 * time.Minute // what was seen once is shown so long after
	atOnce      = 4                // checkpoints read at the same time, for one application
)

// StreamOptions say what streaming queries are seen through. All of it may be
// left out: what it serves is missing then.
type StreamOptions struct {
	Files   sparklog.Files    // reads checkpoints
	Offsets Offsets           // asks Kafka
	Tables  Tables            // asks an Iceberg catalog
	TableOf map[string]string // the table that a query writes, by "query" or "app/query"
	Token   config.Secret     // that a push must carry; none: every push is taken
	Now     func() time.Time  // default time.Now

	reach func(ctx context.Context, ui string) reached // default [dial]
}

// streams follows the streaming queries of all applications. What it counts
// outlives restarts of an application, and its absence from the page.
type streams struct {
	o      StreamOptions
	logger *slog.Logger
	pushes *pushes

	mu   sync.Mutex
	apps map[string]*application
}

// application is what is remembered of one.
type application struct {
	mu      sync.Mutex // one collection at a time
	used    time.Time
	driver  driver
	queries map[string]*query
	edges   map[string]*edge // of a topic's retention
	said    string           // the last complaint about Kafka
}

func newStreams(o StreamOptions, logger *slog.Logger) *streams {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.reach == nil {
		o.reach = dial
	}
	return &streams{
		o: o, logger: logger, apps: map[string]*application{},
		pushes: &pushes{now: o.Now, apps: map[string]*pushedApp{}},
	}
}

// application returns what is remembered of an application. When there are too
// many, the one that was not collected for longest is forgotten.
func (s *streams) application(name string, now time.Time) *application {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.apps[name]
	if !ok {
		if len(s.apps) >= maxApps {
			oldest := ""
			for n, a := range s.apps {
				if oldest == "" || a.used.Before(s.apps[oldest].used) {
					oldest = n
				}
			}
			delete(s.apps, oldest)
		}
		known = &application{queries: map[string]*query{}, edges: map[string]*edge{}}
		s.apps[name] = known
	}
	known.used = now
	return known
}

// collect writes the series of an application's streaming queries. What cannot
// be had is left out, and said in spark_streaming_source: it never fails the
// part, whose other series have nothing to do with it.
func (s *streams) collect(ctx context.Context, a app, p *exporters.Part) {
	now := s.o.Now()
	st := s.application(a.name, now)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.driver.look(ctx, s.o.reach, a, now)
	s.readCheckpoints(ctx, st, a, now)
	s.joinPushes(st, a, now)
	joinGauges(st, a, now)

	shown := st.shown(now)
	cluster := s.ask(ctx, st, shown, now)
	for _, q := range shown {
		q.count(cluster)
		lags := s.lags(ctx, q, cluster, st, now)
		s.table(ctx, q, a.name, now)
		emitter{p, a.name, q.name}.all(q, &st.driver, lags, now)
	}
	if n, ok := s.pushes.dropped(a.name); ok {
		p.Add(metrics.SparkStreamingPushDropped(), float64(n), a.name)
	}
}

// shown returns the queries that were seen lately, by name.
func (st *application) shown(now time.Time) []*query {
	var out []*query
	for _, q := range st.queries {
		q.kafka, q.iceberg = unasked, unasked
		if now.Sub(q.seen) <= keepQuery {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, byName)
	return out
}

// query returns the query under a name. When there are too many, the one that
// was not seen for longest is forgotten.
func (st *application) query(name string) *query {
	q, ok := st.queries[name]
	if ok {
		return q
	}
	if len(st.queries) >= maxQueries {
		oldest := ""
		for n, q := range st.queries {
			if oldest == "" || q.seen.Before(st.queries[oldest].seen) {
				oldest = n
			}
		}
		delete(st.queries, oldest)
	}
	q = newQuery(name)
	st.queries[name] = q
	return q
}

// readCheckpoints reads all checkpoints of an application.
func (s *streams) readCheckpoints(ctx context.Context, st *application, a app, now time.Time) {
	for _, q := range st.queries {
		q.checkpoint, q.read = nil, unasked
	}
	if s.o.Files == nil {
		return
	}
	names := checkpointNames(a.checkpoints)
	st.rename(names)
	ctx, cancel := share(ctx)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for name, uri := range names {
		q := st.query(name)
		q.checkpoint, q.uri, q.seen = sparklog.Open(s.o.Files, uri), uri, now
		group.Go(func() error {
			s.readCheckpoint(ctx, q, now)
			return nil
		})
	}
	_ = group.Wait() // each says for itself what went wrong
}

// rename gives a query whose checkpoint has got another name that name, and with
// it what it has counted.
func (st *application) rename(names map[string]string) {
	for name, uri := range names {
		if q := st.queries[name]; q != nil && q.uri != "" {
			continue
		}
		for old, q := range st.queries {
			if q.uri == uri && names[old] == "" {
				delete(st.queries, old)
				q.name = name
				st.queries[name] = q
				break
			}
		}
	}
}

func (s *streams) readCheckpoint(ctx context.Context, q *query, now time.Time) {
	err := q.readCheckpoint(ctx, now)
	if err != nil {
		q.read = failed
		q.complain(s.logger, "reading a checkpoint", err)
		return
	}
	q.read = served
	q.complain(s.logger, "", nil)
}

// share gives a step three fifths of the time that is left, so that a system
// that hangs does not take the others' time as well.
func share(ctx context.Context) (context.Context, context.CancelFunc) {
	until, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, exporters.DefaultTimeout)
	}
	return context.WithTimeout(ctx, time.Until(until)*3/5)
}
