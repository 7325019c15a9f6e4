package exporters

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// Mode says when collections happen.
type Mode string

// The modes.
const (
	Background Mode = "background" // on each collector's own interval
	OnScrape   Mode = "on-scrape"  // when somebody scrapes, at most once in a collector's interval
)

// Options of an [Exporter].
type Options struct {
	Logger     *slog.Logger         // default: discards
	Registry   *prometheus.Registry // the exporter's own metrics; default telemetry.NewRegistry()
	Mode       Mode                 // default Background
	Budget     int                  // series on the page at most; default 100,000
	StaleAfter int                  // intervals after which a part that goes wrong is dropped; default 3
	Path       string               // of the metrics; default /metrics

	// Source makes the collectors again from what is configured now; nil: they
	// cannot be reloaded.
	Source func(context.Context) ([]Collector, error)
}

// Defaults of [Options].
const (
	DefaultBudget     = 100_000
	DefaultStaleAfter = 3
	DefaultPath       = "/metrics"
)

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = telemetry.NewRegistry()
	}
	if o.Mode == "" {
		o.Mode = Background
	}
	if o.Budget <= 0 {
		o.Budget = DefaultBudget
	}
	if o.StaleAfter <= 0 {
		o.StaleAfter = DefaultStaleAfter
	}
	if o.Path == "" {
		o.Path = DefaultPath
	}
	return o
}

// Exporter serves what its collectors find. It is safe for concurrent use.
type Exporter struct {
	opts  Options
	pages *pages
	self  *self
	wake  chan struct{}
	life  context.Context //nolint:containedctx // ends the collections under way
	end   context.CancelFunc

	mu       sync.Mutex
	subjects []*subject
	loops    context.CancelFunc // of the loops that run; nil before Run
	running  sync.WaitGroup
	parent   context.Context //nolint:containedctx // of Run, for collectors that come by Reload
	reloaded error           // of the last reload
}

// New makes an exporter. The caller closes it; that closes the collectors.
func New(opts Options, collectors ...Collector) *Exporter {
	e := &Exporter{opts: opts.withDefaults(), wake: make(chan struct{}, 1)}
	e.life, e.end = context.WithCancel(context.Background())
	e.pages = newPages(e)
	e.self = newSelf(e)
	e.opts.Registry.MustRegister(e.self)
	e.subjects = e.adopt(nil, collectors)
	return e
}

// adopt makes subjects of collectors. One that was there under the same name
// and target leaves its content to its successor, until that has its own.
func (e *Exporter) adopt(old []*subject, collectors []Collector) []*subject {
	out := make([]*subject, 0, len(collectors))
	for _, c := range collectors {
		s := &subject{
			Collector: c, exporter: e, parts: map[string]kept{},
			logger: e.opts.Logger.With("collector", c.Name, "target", c.Target),
		}
		for _, o := range old {
			if o.Name == c.Name && o.Target == c.Target {
				o.mu.Lock()
				maps.Copy(s.parts, o.parts)
				o.mu.Unlock()
			}
		}
		out = append(out, s)
	}
	return out
}

func (e *Exporter) all() []*subject {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.subjects)
}

// Run collects until ctx ends. In mode OnScrape it only keeps the page true.
func (e *Exporter) Run(ctx context.Context) {
	e.mu.Lock()
	e.parent = ctx
	e.start()
	e.mu.Unlock()
	e.pages.keep(ctx, e.wake)
	e.mu.Lock()
	if e.loops != nil {
		e.loops()
	}
	e.mu.Unlock()
	e.running.Wait()
}

// start begins the loops of the subjects; the caller holds the lock.
func (e *Exporter) start() {
	if e.opts.Mode != Background || e.parent == nil {
		return
	}
	ctx, cancel := context.WithCancel(e.parent)
	e.loops = cancel
	for _, s := range e.subjects {
		e.running.Go(func() { s.loop(ctx) })
	}
}

// Collect runs one collection of every collector whose interval is over, and
// returns when all have ended or ctx has.
func (e *Exporter) Collect(ctx context.Context) {
	var wait sync.WaitGroup
	for _, s := range e.all() {
		if last := s.last(); !last.began.IsZero() && time.Since(last.began) < s.interval()-time.Second {
			continue
		}
		wait.Go(func() { s.collect(ctx) })
	}
	wait.Wait()
}

// errNoSource is what Reload says where there is nothing to reload from.
var errNoSource = errors.New("reloading: this exporter has no configuration to read again")

// Reload makes the collectors again. When that goes wrong, the old ones go on.
func (e *Exporter) Reload(ctx context.Context) error {
	if e.opts.Source == nil {
		return errNoSource
	}
	collectors, err := e.opts.Source(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reloaded = err
	e.self.reload(err)
	if err != nil {
		e.opts.Logger.Error("the configuration is not reloaded; what was loaded before goes on", "err", err)
		return err
	}
	old := e.subjects
	e.subjects = e.adopt(old, collectors)
	if e.loops != nil {
		e.loops()
	}
	e.start()
	e.running.Go(func() {
		for _, s := range old {
			s.close()
		}
	})
	e.opts.Logger.Info("the configuration is reloaded", "collectors", len(collectors))
	e.changed()
	return nil
}

// Close ends the collections under way and closes the collectors.
func (e *Exporter) Close() {
	e.end()
	for _, s := range e.all() {
		s.close()
	}
	e.running.Wait()
}

// changed says that the page is not what was collected any more.
func (e *Exporter) changed() {
	e.pages.outdate()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// room is how many series a subject may emit: the budget less what others have.
func (e *Exporter) room(s *subject) int {
	room := e.opts.Budget
	for _, other := range e.all() {
		if other != s {
			other.mu.Lock()
			room -= other.series
			other.mu.Unlock()
		}
	}
	return max(0, room)
}

// staleAfter is how old a part of the subject may become.
func (e *Exporter) staleAfter(s *subject) time.Duration {
	return time.Duration(e.opts.StaleAfter)*s.interval() + s.timeout()
}

// merge makes the content of the page, and says until when it is true (zero:
// until something changes).
func (e *Exporter) merge() (*merged, time.Time) {
	var pieces []*piece
	var until time.Time
	subjects := e.all()
	now := time.Now()
	for _, s := range subjects {
		fresh, end := s.pieces(now)
		pieces = append(pieces, fresh...)
		if !end.IsZero() && (until.IsZero() || end.Before(until)) {
			until = end
		}
	}
	m, t := merge(pieces, e.opts.Budget)
	for _, s := range subjects {
		o := t.of(s)
		s.mu.Lock()
		s.series, s.drops = o.series, o.dropped
		s.mu.Unlock()
	}
	return m, until
}

// Gather implements prometheus.Gatherer: the page and the exporter's own
// metrics, for those who do not scrape it, such as a push by OpenTelemetry.
func (e *Exporter) Gather() ([]*dto.MetricFamily, error) {
	m, _ := e.merge()
	out := make([]*dto.MetricFamily, 0, len(m.blocks))
	for _, b := range m.blocks {
		if b.count() > 0 {
			out = append(out, b.family())
		}
	}
	own, err := e.opts.Registry.Gather()
	return append(out, own...), err
}
