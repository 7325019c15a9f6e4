package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
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

// maxPoints bounds a chart's columns in the page.
const maxPoints = 1200

// page is what the template sees.
type page struct {
	*Report
	CSS, UplotCSS template.CSS
	JS, UplotJS   template.JS
	License       string
	Data          template.JS
	Balance       []bar
	Differences   []Row
	Classes       []Class
	Latencies     []latencyRow
	Charts        []chart
}

type bar struct {
	Row
	Percent float64
}

type latencyRow struct {
	Name, Kind, What string
	Quantiles
}

type chart struct{ ID, Title, Good string }

// HTML renders the report as one page.
func HTML(r *Report) ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"count": Count, "seconds": Seconds, "measure": Measure, "state": stateWord, "glyph": Glyph, "upper": strings.ToUpper,
		"query": func(e Example) string { return Query(r, e) }, "ref": func(v float64) *float64 { return &v }, "where": Where, "bytes": size,
		"verdict": func(v Verdict) string { return string(v) },
	}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(chartData(r))
	if err != nil {
		return nil, err
	}
	p := page{
		Report: r, CSS: template.CSS(pageCSS), UplotCSS: template.CSS(uplotCSS), //nolint:gosec // our own files
		JS: template.JS(pageJS), UplotJS: template.JS(uplotJS), //nolint:gosec // our own files
		Data: template.JS(data), License: uplotLicense, //nolint:gosec // json.Marshal escapes <, > and &
		Classes: Classes(r), Latencies: latencyRows(r.Latency), Charts: charts(),
	}
	rows := Balance(r.Records)
	for _, row := range rows[:4] {
		p.Balance = append(p.Balance, bar{row, 100 * float64(row.N) / math.Max(1, float64(max(r.Records.Intended, r.Records.Seen)))})
	}
	p.Differences = rows[4:]
	var out bytes.Buffer
	err = t.Execute(&out, p)
	return out.Bytes(), err
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

func charts() []chart {
	return []chart{
		{"rate", "Rate (records/s)", "Good: acknowledged lies on intended; landed comes in steps, one for each snapshot, of the same area."},
		{"freshness", "Freshness by intended time (s)", "Good: a flat sawtooth of about one trigger; a slope means falling behind."},
		{"lag", "Lag of the table (records)", "Good: returns to the same floor after every snapshot."},
		{"ack", "Acknowledgement, corrected (s)", "Good: flat and low; a hill is the broker pushing back."},
		{"batches", "Spark batch duration (s)", "Good: well below the trigger; near it, the engine is at its limit."},
		{"snapshots", "Rows and files per snapshot", "Good: rows follow the rate; few files, so that the table stays quick to read."},
		{"self", "This process: CPU (cores) and memory (MiB)", "Good: memory flat, CPU far from the number of cores."},
	}
}

// chartData is the series as the page's script wants them, thinned.
func chartData(r *Report) map[string]any {
	s := r.Series
	columns := map[string][]Number{
		"intended": s.Intended, "acked": s.Acked, "landed": s.Landed, "lag": s.Lag, "ackP50": s.AckP50, "ackP99": s.AckP99,
		"freshP50": s.FreshP50, "freshP99": s.FreshP99, "freshMax": s.FreshMax, "cpu": s.CPU, "rss": s.RSS,
	}
	t0 := float64(s.T0.UnixMilli()) / 1e3
	bucket := 1
	if n := len(s.Intended); n > maxPoints {
		bucket = 2 * int(math.Ceil(float64(n)/maxPoints))
	}
	var x []float64
	for i := range len(s.Intended) {
		if bucket == 1 || i%bucket == 0 || i%bucket == bucket/2 {
			x = append(x, t0+float64(i)*s.Step)
		}
	}
	for name, c := range columns {
		columns[name] = thin(c, bucket)
	}
	bands := []map[string]any{}
	for _, p := range r.Phases {
		bands = append(bands, band(p.Name, "phase", float64(p.From.UnixMilli())/1e3, float64(p.To.UnixMilli())/1e3))
	}
	for _, h := range r.Hops {
		for _, o := range h.Outages {
			bands = append(bands, band(h.Name+" away", "outage", float64(o.From.UnixMilli())/1e3, float64(o.To.UnixMilli())/1e3))
		}
	}
	return map[string]any{
		"t0": t0, "x": x, "columns": columns, "batches": s.Batches, "snapshots": s.Snapshots, "bands": bands,
		"curves": map[string][][2]float64{
			"ack corrected": r.Latency.Ack.Corrected.Curve, "ack service": r.Latency.Ack.Service.Curve,
			"scheduler": r.Latency.Ack.Scheduler.Curve, "consume": r.Latency.Consume.Curve, "freshness": r.Latency.Freshness.Curve,
		},
	}
}

func band(name, kind string, from, to float64) map[string]any {
	return map[string]any{"name": name, "kind": kind, "from": from, "to": to}
}

// thin keeps the least and the highest value of each bucket, in this order, so
// that no peak is averaged away.
func thin(c []Number, bucket int) []Number {
	if bucket == 1 {
		return c
	}
	var out []Number
	for part := range slices.Chunk(c, bucket) {
		low, high := Number(math.NaN()), Number(math.NaN())
		for _, v := range part {
			if !math.IsNaN(float64(v)) {
				if !(low <= v) {
					low = v
				}
				if !(high >= v) {
					high = v
				}
			}
		}
		out = append(out, low)
		if len(part) > bucket/2 {
			out = append(out, high)
		}
	}
	return out
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
}
