package exporters

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/ui"
	"github.com/lakeproof/lakeproof/internal/version"
)

//go:embed landing.html
var pagesFS embed.FS

// reloadLimit bounds reading the configuration and making the collectors.
const reloadLimit = 30 * time.Second

// Handler serves /metrics, /-/healthy, /-/ready, /-/reload, /debug/collect and
// the landing page. Other pages can be added beside it with a mux of the
// caller's own.
func (e *Exporter) Handler() (http.Handler, error) {
	path := e.opts.Path
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "{} ") || slices.Contains(taken(), path) {
		return nil, fail.New(fail.Usage, "give a path such as /metrics",
			"serving the metrics at %q: that path cannot be used", path)
	}
	landing, err := template.ParseFS(pagesFS, "landing.html")
	if err != nil {
		return nil, fmt.Errorf("reading the landing page: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, e.serveMetrics)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "lakeproof is healthy.\n") // a client that went away is no error
	})
	mux.HandleFunc("GET /-/ready", e.serveReady)
	mux.HandleFunc("POST /-/reload", e.serveReload)
	mux.HandleFunc("GET /debug/collect", e.serveDebug)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := landing.Execute(w, e.status(time.Now())); err != nil {
			e.opts.Logger.Debug("serving the landing page", "err", err)
		}
	})
	return mux, nil
}

// taken are the paths of the other pages.
func taken() []string { return []string{"/", "/-/healthy", "/-/ready", "/-/reload", "/debug/collect"} }

// status is the landing page's content.
type status struct {
	Version    string
	Path       string // without the slash, so that the page works behind a prefix
	Mode       Mode
	Ready      bool
	Reasons    []string
	Series     string
	Budget     string
	Page       string
	Reload     bool
	Collectors []row
}

// row is one collector on the landing page.
type row struct {
	Name, Target, State, Every, Age, Took, Series, Requests, Cost string
	Error, Hint                                                   string
	Denied                                                        []string
	Good                                                          bool
}

func (e *Exporter) status(now time.Time) status {
	reasons := e.unready(now)
	out := status{
		Version: version.Get().Version, Mode: e.opts.Mode, Path: strings.TrimPrefix(e.opts.Path, "/"),
		Ready: len(reasons) == 0, Reasons: reasons,
		Budget: ui.Count(int64(e.opts.Budget)), Reload: e.opts.Source != nil,
	}
	e.pages.mu.RLock()
	if e.pages.content != nil {
		out.Series = ui.Count(int64(e.pages.content.series))
		out.Page = "built in " + ui.Seconds(e.pages.took.Seconds())
	}
	e.pages.mu.RUnlock()
	for _, s := range e.all() {
		out.Collectors = append(out.Collectors, s.row(now))
	}
	return out
}

func (s *subject) row(now time.Time) row {
	age, shown := s.age(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	out := row{
		Name: s.Name, Target: s.Target, Every: ui.Seconds(s.interval().Seconds()), Cost: s.Cost, State: "waiting",
		Series: ui.Count(int64(s.series)), Requests: ui.Count(int64(r.asked)), Age: "-", Took: "-",
	}
	if shown {
		out.Age = ui.Seconds(age.Seconds())
	}
	if !r.began.IsZero() {
		out.Took = ui.Seconds(r.took.Seconds())
		out.State, out.Good = "ok", true
	}
	if err := r.problem(); err != nil {
		out.State, out.Good, out.Error, out.Hint = "failing", false, err.Error(), fail.HintOf(err)
	}
	for api, denied := range r.denied {
		if denied {
			out.Denied = append(out.Denied, api)
		}
	}
	slices.Sort(out.Denied)
	return out
}

// unready says why the page cannot be relied on: a collector that has not been
// through its first collection, or that has nothing to show any more.
func (e *Exporter) unready(now time.Time) []string {
	var reasons []string
	for _, s := range e.all() {
		_, shown := s.age(now)
		r := s.last()
		switch {
		case r.began.IsZero() && e.opts.Mode == Background:
			reasons = append(reasons, fmt.Sprintf("%s has not been collected yet", s.title()))
		case r.problem() != nil && !shown:
			reasons = append(reasons, fmt.Sprintf("%s has nothing to show: %v", s.title(), r.problem()))
		}
	}
	return reasons
}

// title names a subject for people.
func (s *subject) title() string {
	if s.Target == "" {
		return s.Name
	}
	return s.Name + " of " + s.Target
}

func (e *Exporter) serveReady(w http.ResponseWriter, _ *http.Request) {
	reasons := e.unready(time.Now())
	if len(reasons) == 0 {
		_, _ = io.WriteString(w, "lakeproof is ready.\n")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, "lakeproof is not ready:\n"+strings.Join(reasons, "\n")+"\n")
}

func (e *Exporter) serveReload(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), reloadLimit)
	defer cancel()
	err := e.Reload(ctx)
	switch {
	case errors.Is(err, errNoSource):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		_, _ = io.WriteString(w, "The configuration is reloaded.\n")
	}
}

// debugLimit bounds how long /debug/collect waits.
const debugLimit = time.Minute

// serveDebug runs one collection and shows it: what was asked, what was logged,
// how each part ended, what came out.
func (e *Exporter) serveDebug(w http.ResponseWriter, r *http.Request) {
	name, target := r.FormValue("collector"), r.FormValue("target")
	var chosen []*subject
	var known []string
	for _, s := range e.all() {
		known = append(known, s.Name)
		if s.Name == name && (target == "" || s.Target == target) {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		slices.Sort(known)
		http.Error(w, fmt.Sprintf("there is no collector %q: ask for ?collector=NAME, with &target=TARGET or without, of %s",
			name, strings.Join(slices.Compact(known), ", ")), http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), debugLimit)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, s := range chosen {
		s.collect(ctx)
		s.describe(w)
	}
}

// describe writes the last collection as text.
func (s *subject) describe(w io.Writer) {
	r := s.last()
	fmt.Fprintf(w, "# %s\nbegan %s, ", s.title(), r.began.UTC().Format(time.RFC3339Nano))
	fmt.Fprintf(w, "took %s\n", ui.Seconds(r.took.Seconds()))
	if r.err != nil {
		fmt.Fprintf(w, "error: %v\nhint: %s\n", r.err, fail.HintOf(r.err))
	}
	fmt.Fprintf(w, "\n## Requests: %d, %s\n", r.asked, ui.Bytes(r.bytes))
	for _, q := range r.requests {
		fmt.Fprintf(w, "%8s after %8s  %s", ui.Seconds(q.Took.Seconds()), ui.Seconds(q.Began.Sub(r.began).Seconds()), q.What)
		if q.Bytes > 0 {
			fmt.Fprintf(w, "  %s", ui.Bytes(q.Bytes))
		}
		if q.Err != nil {
			fmt.Fprintf(w, "  error: %v", q.Err)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n## Parts: %d\n", len(r.parts))
	for _, name := range sortedKeys(r.parts) {
		if err := r.parts[name]; err != nil {
			fmt.Fprintf(w, "%s: error: %v\n", name, err)
		} else {
			fmt.Fprintf(w, "%s: ok\n", name)
		}
	}
	fmt.Fprintf(w, "\n## Log\n%s\n\n## Series\n", strings.Join(r.log, "\n"))
	s.exposition(w)
}

// exposition writes what the subject has now as text.
func (s *subject) exposition(w io.Writer) {
	fresh, _ := s.pieces(time.Now())
	m, _ := merge(fresh, s.exporter.opts.Budget)
	if err := encode(w, m, formatText); err != nil {
		fmt.Fprintf(w, "error: %v\n", err)
	}
}
