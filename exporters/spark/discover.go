package spark

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/exporters"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/metrics"
)

// The sources of applications, in the order in which their addresses are
// trusted.
const (
	fromStatic      = "static"
	fromKubernetes  = "kubernetes"
	fromMaster      = "master"
	fromPush        = "push"
	fromHistory     = "history"
	fromCheckpoints = "checkpoints"
)

const (
	staleFindings = 5 * time.Minute // after which a source that does not answer is not believed
	maxNames      = 2000            // that are remembered
)

// found is an application as one source knows it.
type found struct {
	source      string
	ident       string // what stays the same over restarts: an address, a namespace and a name
	name        string // "" where only the driver knows it
	other       string // the name where another application has this one; "@..." is put behind it
	ui          string
	checkpoints []checkpointAt
	began       time.Time // of two under one name the younger counts
}

// checkpointAt is a checkpoint with the id of its query, "" where nobody read it.
type checkpointAt struct{ uri, query string }

// findings is what one source found.
type findings struct {
	apps   []found
	ended  []endedRun
	master *lakespark.Master
}

// source is one place to ask for applications.
type source struct {
	kind, target string
	every        time.Duration
	ask          func(context.Context) (findings, error)

	last findings
	at   time.Time // of last
	next time.Time
	err  error
}

// refresh asks the sources that are due, all at once. One that goes wrong keeps
// what it found before, for a while.
func refresh(ctx context.Context, sources []*source, now time.Time) {
	var group errgroup.Group
	group.SetLimit(8)
	for _, s := range sources {
		if now.Before(s.next) {
			continue
		}
		group.Go(func() error {
			s.next = now.Add(s.every)
			result, err := s.ask(ctx)
			if s.err = err; err == nil {
				s.last, s.at = result, now
			} else if now.Sub(s.at) > staleFindings {
				s.last = findings{}
			}
			return nil
		})
	}
	_ = group.Wait() // each keeps its own error
}

// emitSources says how the sources stand.
func emitSources(out *exporters.Batch, sources []*source, dropped int) {
	p := out.Part("discovery")
	for _, s := range sources {
		p.Add(metrics.SparkSourceUp(), boolean(s.err == nil), s.kind, s.target)
		if s.err != nil {
			out.Part("discovery/" + s.kind + "/" + s.target).Fail(fmt.Errorf("looking for applications: %w", s.err))
		}
		if s.err == nil && s.last.master != nil {
			emitMaster(p, s.target, s.last.master)
		}
	}
	p.Add(metrics.SparkAppsDropped(), float64(dropped))
}

// target is one application to be asked.
type target struct {
	found
	app         string // its stable name
	unnamed     bool   // only its driver knows its name
	checkpoints []string
}

// names gives applications stable names: who has a name keeps it.
type names struct {
	mu     sync.Mutex
	owners map[string]string // ident by source and name
	byUI   map[string]string // the name that a driver told, by address
	alias  map[string]string // our name by the name that a driver told
}

func newNames() *names {
	return &names{owners: map[string]string{}, byUI: map[string]string{}, alias: map[string]string{}}
}

// claim returns the name under which an application goes. Two of one source
// that want the same differ by what they are known by; of two sources it is the
// same application.
func (n *names) claim(f found, name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := f.source + "\x00" + name
	owner, taken := n.owners[key]
	switch {
	case !taken && len(n.owners) < maxNames:
		n.owners[key] = f.ident
	case taken && owner != f.ident && strings.HasPrefix(f.other, "@"):
		return cut(name + f.other)
	case taken && owner != f.ident && f.other != "":
		return cut(f.other)
	}
	return cut(name)
}

// told notes the name that a driver gave for itself, and the one it goes by.
func (n *names) told(ui, name, ours string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.byUI[ui]; known || len(n.byUI) < maxNames {
		n.byUI[ui] = name
	}
	if _, known := n.alias[name]; known || len(n.alias) < maxNames {
		n.alias[name] = ours
	}
}

// ours is the name of an application by the name that it gives itself.
func (n *names) ours(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if known, ok := n.alias[name]; ok {
		return known
	}
	return cut(name)
}

// of returns the name of what a source found, and whether the driver is yet to
// be asked for it.
func (n *names) of(f found) (name string, unknown bool) {
	if f.name != "" {
		return n.claim(f, f.name), false
	}
	n.mu.Lock()
	told, ok := n.byUI[f.ui]
	n.mu.Unlock()
	if ok {
		return n.claim(f, told), true
	}
	u, err := url.Parse(f.ui)
	if err != nil {
		return cut(f.ui), true
	}
	return cut(u.Host + u.Path), true
}

// merge makes one target of all that goes by one name, at most limit of them.
func (n *names) merge(all []found, limit int) (targets []*target, dropped int) {
	byName := map[string]*target{}
	refused := map[string]bool{}
	for _, f := range all {
		name, unnamed := n.of(f)
		t := byName[name]
		if t == nil {
			if len(targets) >= limit {
				refused[name] = true
				continue
			}
			t = &target{found: f, app: name, unnamed: unnamed}
			byName[name] = t
			targets = append(targets, t)
		} else if f.ui != "" && (t.ui == "" || t.source == f.source && f.began.After(t.began)) {
			t.found, t.unnamed = f, unnamed
		}
		for _, c := range f.checkpoints {
			if !slices.Contains(t.checkpoints, c.uri) {
				t.checkpoints = append(t.checkpoints, c.uri)
			}
		}
	}
	return targets, len(refused)
}

// trailing is what schedulers put behind the name of each run.
var trailing = regexp.MustCompile(`[-_.][0-9]{10,}$`)

// stable drops the part of a name that is another one in each run.
func stable(name string) string {
	if short := trailing.ReplaceAllString(name, ""); short != "" {
		return short
	}
	return name
}
