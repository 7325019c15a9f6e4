package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"strings"
	"time"
	"unicode"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// Charts are drawn by uPlot 1.6.32 (MIT, assets/uplot.LICENSE), which is part of
// the page: a report needs no network.
var (
	//go:embed assets/uplot.min.js
	uplotJS string
	//go:embed assets/uplot.min.css
	uplotCSS string
	//go:embed assets/uplot.LICENSE
	uplotLicense string
	//go:embed assets/report.css
	pageCSS string
	//go:embed assets/report.js
	pageJS string
	//go:embed assets/report.html
	pageHTML string
)

// Bounds of what the page lists; report.json has the rest.
const (
	openExamples = 5 // shown before a click
	pageRanges   = 40
)

// page is what the template sees.
type page struct {
	*Report
	CSS, UplotCSS template.CSS
	JS, UplotJS   template.JS
	License       string
	Data          template.JS
	Stages        []stage
	Classes       []Class
	Latencies     []latencyRow
	Charts        []chart
	Curve         chart
	Sketches      map[string]template.HTML
	Held          int
	Proven        bool // every tier of every table looked at every row
}

type latencyRow struct {
	Name, Kind, What string
	Quantiles
}

// HTML renders the report as one page.
func HTML(r *Report) ([]byte, error) {
	t, err := template.New("report").Funcs(functions(r)).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	charts, curve := r.charts(), r.curves()
	data, err := json.Marshal(map[string]any{
		"t0": r.start().UnixMilli(), "end": r.span(charts), "charts": charts, "curve": curve, "bands": r.bands(),
	})
	if err != nil {
		return nil, err
	}
	ordered := *r
	ordered.Thresholds = Ordered(r.Thresholds)
	p := page{
		Report: &ordered, CSS: template.CSS(pageCSS), UplotCSS: template.CSS(uplotCSS), //nolint:gosec // our own files
		JS: template.JS(pageJS), UplotJS: template.JS(uplotJS), //nolint:gosec // our own files
		Data: template.JS(data), License: uplotLicense, //nolint:gosec // json.Marshal escapes <, > and &
		Stages: r.stages(), Classes: Classes(r), Latencies: latencyRows(r.Latency), Charts: charts, Curve: curve,
		Sketches: map[string]template.HTML{}, Held: held(r.Thresholds), Proven: r.proven(),
	}
	for _, c := range charts {
		p.Sketches[c.ID] = sketch(c, r.span(charts))
	}
	var out bytes.Buffer
	err = t.Execute(&out, p)
	return visible(out.Bytes()), err
}

// proven reports whether nothing can have escaped the reconciliation.
func (r *Report) proven() bool {
	for _, t := range r.Tiers {
		if t.State != "clean" {
			return false
		}
	}
	return r.Verdict == Pass && len(r.Tiers) > 0
}

// visible drops characters that would make a reader see other text than is
// there: controls, and marks that turn the direction of writing.
func visible(page []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, page)
}

func functions(r *Report) template.FuncMap {
	return template.FuncMap{
		"count": Count, "seconds": Seconds, "measure": Measure, "state": stateWord, "glyph": Glyph,
		"upper": func(v Verdict) string { return strings.ToUpper(string(v)) },
		"query": func(e Example) string {
			return Query(r,
				e)
		}, "queryAll": func(e []Example) string { return QueryAll(r, e) },
		"samples": func(n int64) string { return ui.Count(n) },
		"who":     Who, "place": Place, "bytes": ui.Bytes, "span": ui.Seconds,
		"rate": func(v *float64) string {
			if v == nil {
				return "no samples"
			}
			return ui.Rate(*v)
		},
		"ref":   func(v float64) *float64 { return &v },
		"utc":   func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") },
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"first": func(e []Example) []Example { return e[:min(len(e), openExamples)] },
		"rest":  func(e []Example) []Example { return e[min(len(e), openExamples):] },
		"some":  func(g []Range) []Range { return g[:min(len(g), pageRanges)] },
		"lasts": func(o Outage) bool { return !o.To.After(o.From) },
		"fails": func(t Threshold) bool { return t.State == "missed" },
		"mark":  faultGlyph, "seenof": seenOf, "words": func(s string) string { return strings.ReplaceAll(s, "_", " ") },
	}
}

func latencyRows(l Latency) []latencyRow {
	return []latencyRow{
		{"produce-ack", "corrected", "from the intended time: what a user of the system waits", l.Ack.Corrected},
		{"produce-ack", "service", "from handing over: what the client alone would see", l.Ack.Service},
		{"produce-ack", "scheduler", "the generator's own delay", l.Ack.Scheduler},
		{"consume", "corrected", "from the intended time to a consumer on the topic", l.Consume},
		{"freshness", "corrected", "from the intended time to visible in a table snapshot", l.Freshness},
	}
}

// start is the moment that all charts count from.
func (r *Report) start() time.Time {
	if r.Series.T0.IsZero() {
		return r.Started
	}
	return r.Series.T0
}
