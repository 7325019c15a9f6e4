package spark

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kube"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	discoverFor = 4 * time.Second // of a collection
	maxWait     = 2               // collections that a driver is left alone after it hung
	finalsAtOne = 4               // ended runs whose last figures are read in one collection
	maxTries    = 5               // to read them

	// fairTime is what a driver must have had before it is said to hang.
	fairTime = 500 * time.Millisecond
)

// collector asks all applications. collect is never called twice at once.
type collector struct {
	o       Options
	logger  *slog.Logger
	client  *httpjson.Client
	kube    *kube.Client // nil where Kubernetes is not asked
	streams *streams
	began   time.Time
	static  []found
	sources []*source
	names   *names
	pushed  bool         // jobs push their progress
	finals  atomic.Int32 // that this collection may still read

	mu     sync.Mutex
	states map[string]*state
	busy   map[string]bool // applications that this collection has looked at
}

func (c *collector) close() {
	c.client.Close()
	if c.kube != nil {
		c.kube.Close()
	}
}

func (c *collector) collect(ctx context.Context, out *exporters.Batch) error {
	now := c.o.Now()
	c.finals.Store(finalsAtOne)
	c.busy = map[string]bool{}
	looking, cancel := context.WithTimeout(ctx, discoverFor)
	refresh(looking, c.sources, now)
	cancel()
	c.hear(now)
	targets, dropped := c.names.merge(c.all(), c.o.MaxApps)
	emitSources(out, c.sources, dropped)

	var group errgroup.Group
	group.SetLimit(c.o.Workers)
	for _, t := range targets {
		group.Go(func() error {
			c.visit(ctx, out, t)
			return nil
		})
	}
	_ = group.Wait() // what went wrong is said of each application
	c.linger(ctx, out)
	return nil
}

// all returns what every source knows, the most trusted first.
func (c *collector) all() []found {
	all := slices.Clone(c.static)
	for _, kind := range []string{fromKubernetes, fromMaster, fromCheckpoints} {
		for _, s := range c.sources {
			if s.kind == kind {
				all = append(all, s.last.apps...)
			}
		}
	}
	if c.pushed {
		for _, name := range c.streams.pushedApps(c.o.Keep) {
			all = append(all, found{source: fromPush, ident: name, name: name})
		}
	}
	for i := range all {
		all[i] = c.adopt(all[i])
	}
	return all
}

// adopt gives a checkpoint that was found to the application whose jobs name
// its query, under the query's name.
func (c *collector) adopt(f found) found {
	if f.source != fromCheckpoints {
		return f
	}
	checkpoints := slices.Clone(f.checkpoints)
	for i, at := range checkpoints {
		for _, name := range slices.Sorted(maps.Keys(c.states)) {
			if query, ok := c.states[name].queries[at.query]; ok && at.query != "" {
				f.name, checkpoints[i].uri = name, query+"="+at.uri
				break
			}
		}
	}
	f.checkpoints = checkpoints
	return f
}

// hear takes in what sources just told of runs that ended.
func (c *collector) hear(now time.Time) {
	for _, s := range c.sources {
		if !s.at.Equal(now) {
			continue
		}
		for _, e := range s.last.ended {
			st := c.state(c.nameOf(e))
			st.finished.later(e.run, e.final)
			if !slices.Contains(st.finished.ended, e.run) {
				st.finished.end(e.run, e.ending)
				st.heard = now
			}
		}
	}
}

// nameOf returns the application that a run belongs to: the one that had it, or
// else the one that the source names.
func (c *collector) nameOf(e endedRun) string {
	for name, st := range c.states {
		if slices.ContainsFunc(st.runs, func(r *runState) bool { return r.id.String() == e.run }) {
			return name
		}
	}
	if e.who.source == fromKubernetes {
		name, _ := c.names.of(e.who)
		return name
	}
	return c.names.ours(e.who.name)
}

// state returns what is known of an application, and makes room for it.
func (c *collector) state(name string) *state {
	c.mu.Lock()
	defer c.mu.Unlock()
	st, ok := c.states[name]
	if ok {
		return st
	}
	if len(c.states) >= 2*c.o.MaxApps {
		oldest := ""
		for n, s := range c.states {
			if !c.busy[n] && (oldest == "" || s.latest().Before(c.states[oldest].latest())) {
				oldest = n
			}
		}
		delete(c.states, oldest)
	}
	st = newState(name)
	c.states[name] = st
	return st
}

// enter hands out an application once in a collection.
func (c *collector) enter(name string) (*state, bool) {
	st := c.state(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[name] {
		return nil, false
	}
	c.busy[name] = true
	return st, true
}

// visit asks one application and writes what is known of it.
func (c *collector) visit(ctx context.Context, out *exporters.Batch, t *target) {
	st, ok := c.enter(t.app)
	if !ok {
		return
	}
	a := app{name: t.app, ui: t.ui, checkpoints: t.checkpoints}
	if t.ui != "" {
		var err error
		if st, a, err = c.ask(ctx, out, st, t); err != nil {
			out.Part("driver/" + a.name).Fail(err)
		}
		if st == nil {
			return
		}
	}
	c.write(ctx, out, st, a)
}

// write reads the last figures of runs that ended, and writes the part.
func (c *collector) write(ctx context.Context, out *exporters.Batch, st *state, a app) {
	now := c.o.Now()
	c.readFinal(ctx, st, now)
	st.finished.settle(now)
	if !st.alive && !st.seen.IsZero() && now.Sub(st.seen) > c.o.Keep {
		st.finished.end(st.run.String(), lost())
	}
	p := out.Part("app/" + a.name)
	st.emit(p, now, c.o.Keep)
	c.streams.collect(ctx, a, p)
}

// ask asks a driver. The state that it returns is another one where the driver
// has a name that was not known, and nil where nothing is to be written.
func (c *collector) ask(ctx context.Context, out *exporters.Batch, st *state, t *target) (*state, app, error) {
	a := app{name: t.app, ui: t.ui, checkpoints: t.checkpoints}
	st.asked = true
	if st.wait > 0 {
		st.wait--
		return st, a, st.err
	}
	ui, err := lakespark.NewUI(c.client, t.ui)
	if err != nil {
		return st, a, err
	}
	p := &poll{meter: &httpjson.Meter{}, now: c.o.Now()}
	p.ui = ui.Metered(p.meter)
	asking, cancel := share(ctx) // the rest is for the queries, which say that a driver hangs
	defer cancel()
	fair := hasTime(asking, fairTime)
	g, err := greet(asking, p.ui)
	if err != nil && (ctx.Err() != nil || asking.Err() != nil && !fair) {
		out.Part("app/" + a.name).Fail(fmt.Errorf("the time of the collection was over: %w", err))
		return nil, a, nil // it is not the driver's fault
	}
	if err != nil {
		st.missing(err)
		return st, a, err
	}
	g.name = stable(g.name)
	name := t.app
	if t.unnamed {
		name = c.names.claim(t.found, g.name)
	}
	c.names.told(ui.Base(), g.name, name)
	if name != t.app {
		c.drop(t.app)
		other, ok := c.enter(name)
		if !ok {
			return nil, a, nil // the next collection knows that the two are one
		}
		st, a.name = other, name
		st.asked = true
	}
	p.state = st
	p.run = st.meet(g, t.source, c.began, p.now)
	err = p.read(asking)
	st.failed(err)
	a.alive, a.started, a.gauges = true, g.attempt.Start.Time, p.gauges
	return st, a, err
}

// hasTime reports whether so much time is left.
func hasTime(ctx context.Context, least time.Duration) bool {
	until, ok := ctx.Deadline()
	return !ok || time.Until(until) >= least
}

// drop leaves an application alone whose driver turned out to be another one. A
// state that was made for an address before the name was known is forgotten.
func (c *collector) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, name)
	if st := c.states[name]; st != nil && st.seen.IsZero() {
		delete(c.states, name)
	}
}

// readFinal reads the last figures of one run that ended from a History Server.
// It says nothing of how things stand now.
func (c *collector) readFinal(ctx context.Context, st *state, now time.Time) {
	if len(st.finished.final) == 0 || c.finals.Add(-1) < 0 {
		return
	}
	f := st.finished.final[0]
	st.finished.final = st.finished.final[1:]
	if f.older && !st.knows(f.run) {
		return
	}
	p := &poll{state: st, run: st.begin(f.run, f.older), meter: &httpjson.Meter{}, now: now, whole: true}
	p.ui = f.ui.Metered(p.meter)
	stands := st.now
	err := p.read(ctx)
	st.now = stands
	st.heard = now
	if st.run.ID == "" {
		st.run, st.version, st.source = f.run, cut(f.version), fromHistory
	}
	if err == nil {
		return
	}
	c.logger.Debug("reading the last figures of a run", "app", st.name, "run", f.run.String(), "err", err)
	if f.tries++; f.tries < maxTries { // a large event log takes a History Server longer at first
		st.finished.final = append(st.finished.final, f)
	}
}

// linger writes what is kept of applications that no source knows any more.
func (c *collector) linger(ctx context.Context, out *exporters.Batch) {
	now := c.o.Now()
	for _, name := range slices.Sorted(maps.Keys(c.states)) {
		st := c.states[name]
		if c.busy[name] {
			continue
		}
		st.alive = false
		st.asked = !st.seen.IsZero() && now.Sub(st.seen) <= c.o.Keep
		if !st.asked && !st.seen.IsZero() {
			st.finished.end(st.run.String(), lost())
		}
		c.readFinal(ctx, st, now)
		st.finished.settle(now)
		if st.asked || len(st.finished.counts) > 0 {
			p := out.Part("app/" + name)
			st.emit(p, now, c.o.Keep)
			if st.asked {
				c.streams.collect(ctx, app{name: name}, p)
			}
		}
	}
}
