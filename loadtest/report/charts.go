package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// maxPoints bounds a chart's columns in the page: longer ones are thinned to the
// least and the highest value of each bucket, so that no peak is averaged away.
const maxPoints = 1200

// chart is one chart of the HTML report: lines over seconds since the start.
type chart struct {
	ID    string   `json:"id"`
	Title string   `json:"title"`
	Good  string   `json:"-"`    // what good looks like
	Unit  string   `json:"unit"` // of the left axis: count, rate, seconds, bytes, cores
	Right string   `json:"right,omitempty"`
	X     []Number `json:"x"`
	Lines []line   `json:"lines"`
	Marks []mark   `json:"marks,omitempty"`
}

// line is one series of a chart.
type line struct {
	Label  string   `json:"label"`
	Y      []Number `json:"y"`
	Color  string   `json:"color"` // a name of the style sheet: blue, orange, vermilion, green, grey
	Dash   bool     `json:"dash,omitempty"`
	Points bool     `json:"points,omitempty"`
	Joined bool     `json:"joined,omitempty"` // drawn across gaps
	Right  bool     `json:"right,omitempty"`  // measured on the right axis
}

// mark is a horizontal line, such as a limit.
type mark struct {
	Label string  `json:"label"`
	Value float64 `json:"value"`
}

// band is a stretch of time with a name.
type band struct {
	Name string  `json:"name"`
	From float64 `json:"from"` // seconds since the start
	To   float64 `json:"to"`
	Down bool    `json:"down,omitempty"` // an outage
	Note string  `json:"note,omitempty"`
}

// charts returns the charts that have data, in the order of the report.
func (r *Report) charts() []chart {
	s := &r.Series
	x, cols := thin(s)
	all := []chart{
		{
			ID: "rate", Title: "Rate, records/s", Unit: "rate", X: x,
			Good: "Acknowledged lies on intended, and so does landed: each of its steps is a snapshot's rows " +
				"over the time since the one before.",
			Lines: []line{
				{Label: "intended", Y: cols[0], Color: "grey", Dash: true},
				{Label: "acknowledged", Y: cols[1], Color: "blue"},
				{Label: "landed in the table", Y: landed(x, cols[2], s.Snapshots), Color: "orange"},
			},
		},
		{
			ID: "freshness", Title: "Freshness by intended time, s", Unit: "seconds", X: x, Marks: r.limits("freshness"),
			Good: "A flat band no higher than about two batches; a climb means that the pipeline falls behind." + r.bound(),
			Lines: []line{
				{Label: "p50", Y: cols[6], Color: "blue"},
				{Label: "p99", Y: cols[7], Color: "orange"},
				{Label: "max", Y: cols[8], Color: "vermilion", Dash: true},
			},
		},
		r.lagChart(x, cols[3]),
		{
			ID: "ack", Title: "Acknowledgement latency (corrected), s", Unit: "seconds", X: x, Marks: r.limits("ack"),
			Good:  "Milliseconds, and level; spikes are the broker's or the network's.",
			Lines: []line{{Label: "p50", Y: cols[4], Color: "blue"}, {Label: "p99", Y: cols[5], Color: "orange"}},
		},
		r.batchChart(),
		r.snapshotChart(),
		{
			ID: "own", Title: "Our own process: CPU in cores, memory in bytes", Unit: "cores", Right: "bytes", X: x,
			Good: "Memory level from the first minute on; CPU well below the machine's " +
				ui.Count(r.Environment.CPUs) + " cores.",
			Lines: []line{
				{Label: "CPU", Y: cols[9], Color: "blue"},
				{Label: "memory", Y: cols[10], Color: "orange", Right: true},
			},
		},
	}
	return slices.DeleteFunc(all, chart.empty)
}

// empty drops lines without a value and reports whether none is left.
func (c chart) empty() bool {
	for _, l := range c.Lines {
		if slices.ContainsFunc(l.Y, func(n Number) bool { return !math.IsNaN(float64(n)) }) {
			return false
		}
	}
	return true
}

func (r *Report) bound() string {
	if r.Bound == nil {
		return ""
	}
	return " A figure can be too high by " + ui.Seconds(*r.Bound) + ", how often the catalog is asked."
}

// limits are the thresholds of a metric's latency, as lines.
func (r *Report) limits(metric string) []mark {
	var out []mark
	for _, t := range r.Thresholds {
		for _, q := range []string{"p50", "p95", "p99", "p999", "max"} {
			if name := metric + "." + q; t.Unit == "seconds" && len(t.Expression) > len(name) &&
				t.Expression[:len(name)] == name {
				out = append(out, mark{"allowed " + q + ", " + ui.Seconds(t.Limit), t.Limit})
				break
			}
		}
	}
	return out
}

// landed is the rate at which rows came into the tables: those of a snapshot
// spread over the time since the one before. Without snapshots it is the column.
func landed(x, column []Number, snapshots []SnapshotPoint) []Number {
	if len(snapshots) == 0 {
		return column
	}
	out := make([]Number, len(x))
	for i := range out {
		out[i] = Number(math.NaN())
	}
	last, from := map[string]float64{}, map[string]int{}
	for _, p := range slices.SortedStableFunc(slices.Values(snapshots), func(a, b SnapshotPoint) int {
		return cmp.Compare(a.At, b.At)
	}) {
		span, i := p.At-last[p.Table], from[p.Table]
		for ; i < len(x) && float64(x[i]) <= p.At; i++ {
			if span > 0 {
				rate := float64(p.Records) / span
				if !math.IsNaN(float64(out[i])) {
					rate += float64(out[i])
				}
				out[i] = rounded(rate)
			}
		}
		last[p.Table], from[p.Table] = p.At, i
	}
	return out
}

// lagChart draws the lag and the line through its peaks between snapshots.
func (r *Report) lagChart(x, lag []Number) chart {
	return chart{
		ID: "lag", Title: "Lag of the table, records", Unit: "count", X: x,
		Good: "A sawtooth whose peaks (dashed) stay level: each snapshot takes what came since the one before.",
		Lines: []line{
			{Label: "lag", Y: lag, Color: "blue"},
			{Label: "peaks", Y: peaks(x, lag, r.Series.Snapshots), Color: "vermilion", Dash: true, Joined: true},
		},
	}
}

// peaks are the highest lag between each two snapshots, with nothing between.
func peaks(x, lag []Number, snapshots []SnapshotPoint) []Number {
	out := make([]Number, len(x))
	best, next := -1, 0
	for i := range x {
		out[i] = Number(math.NaN())
		turned := false
		for next < len(snapshots) && snapshots[next].At <= float64(x[i]) {
			next, turned = next+1, true
		}
		if turned && best >= 0 {
			out[best], best = lag[best], -1
		}
		if !math.IsNaN(float64(lag[i])) && (best < 0 || lag[i] > lag[best]) {
			best = i
		}
	}
	return out
}

// batchChart draws each batch's duration and the distance between batches,
// which is the trigger as long as the engine keeps up.
func (r *Report) batchChart() chart {
	batches := slices.Clone(r.Series.Batches)
	slices.SortStableFunc(batches, func(a, b BatchPoint) int { return cmp.Compare(a.At, b.At) })
	last := map[string]BatchPoint{}
	var gaps []float64
	for _, b := range batches {
		if p, ok := last[b.App]; ok {
			gaps = append(gaps, b.At-p.At)
		}
		last[b.App] = b
	}
	c := chart{
		ID: "batches", Title: "Spark batches, duration in s", Unit: "seconds",
		Good: "Every point below the line, which is the median time from one batch to the next: " +
			"the trigger, while the engine keeps up.",
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		gap := gaps[len(gaps)/2]
		c.Marks = []mark{{"batch to batch, median " + ui.Seconds(gap), gap}}
	}
	var points []point
	for _, b := range batches {
		points = append(points, point{b.At, b.App, b.Duration, float64(b.Records)})
	}
	c.fill(points, "", "records of the batch")
	return c
}

// snapshotChart draws rows and files of each snapshot.
func (r *Report) snapshotChart() chart {
	c := chart{
		ID: "snapshots", Title: "Snapshots: rows added (left), files added (right)", Unit: "count", Right: "count",
		Good: "Snapshots of like size, few files each; many small files will slow down readers.",
	}
	var points []point
	for _, s := range r.Series.Snapshots {
		points = append(points, point{s.At, s.Table, float64(s.Records), float64(s.Files)})
	}
	c.fill(points, "rows, ", "files")
	return c
}

// point is a batch or a snapshot.
type point struct {
	at    float64
	group string
	y     float64
	y2    float64
}

// fill makes one line for each group, and one of all second values on the
// right axis.
func (c *chart) fill(points []point, prefix, second string) {
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	points = thinPoints(points)
	names := map[string]int{}
	colors := []string{"blue", "green", "purple", "vermilion"}
	for _, p := range points {
		if _, ok := names[p.group]; !ok {
			names[p.group] = len(c.Lines)
			c.Lines = append(c.Lines, line{
				Label: prefix + p.group, Color: colors[len(c.Lines)%len(colors)], Points: true, Joined: true,
			})
		}
	}
	c.Lines = append(c.Lines, line{Label: second, Color: "grey", Dash: true, Right: true, Points: true, Joined: true})
	if c.Right == "" {
		c.Right = "count"
	}
	for _, p := range points {
		c.X = append(c.X, rounded(p.at))
		for i := range c.Lines {
			y := Number(math.NaN())
			switch i {
			case names[p.group]:
				y = rounded(p.y)
			case len(c.Lines) - 1:
				y = rounded(p.y2)
			}
			c.Lines[i].Y = append(c.Lines[i].Y, y)
		}
	}
}

// thinPoints keeps the lowest and the highest of each bucket.
func thinPoints(in []point) []point {
	if len(in) <= maxPoints {
		return in
	}
	size := (2*len(in) + maxPoints - 1) / maxPoints
	var out []point
	for bucket := range slices.Chunk(in, size) {
		low, high := 0, 0
		for i, p := range bucket {
			if p.y < bucket[low].y {
				low = i
			}
			if p.y > bucket[high].y {
				high = i
			}
		}
		out = append(out, bucket[min(low, high)])
		if low != high {
			out = append(out, bucket[max(low, high)])
		}
	}
	return out
}

// thin returns the common time axis and the columns of s, in the order of
// columns, each of at most maxPoints elements.
func thin(s *Series) ([]Number, [][]Number) {
	cols := s.columns()
	n := 0
	for _, c := range cols {
		n = max(n, len(*c))
	}
	size := 1
	if n > maxPoints {
		size = (2*n + maxPoints - 1) / maxPoints
	}
	var x []Number
	for i := 0; i < n; i += size {
		x = append(x, rounded(float64(i)*s.Step))
		if size > 1 {
			x = append(x, rounded((float64(i)+float64(min(size, n-i))/2)*s.Step))
		}
	}
	out := make([][]Number, len(cols))
	for i, c := range cols {
		for at := 0; at < n; at += size {
			bucket := (*c)[min(at, len(*c)):min(at+size, len(*c))]
			first, second := extremes(bucket)
			out[i] = append(out[i], first)
			if size > 1 {
				out[i] = append(out[i], second)
			}
		}
	}
	return x, out
}

// extremes returns the lowest and highest of a bucket in the order in which
// they stand; NaN without a value.
func extremes(bucket []Number) (first, second Number) {
	low, high := -1, -1
	for i, v := range bucket {
		if math.IsNaN(float64(v)) {
			continue
		}
		if low < 0 || v < bucket[low] {
			low = i
		}
		if high < 0 || v > bucket[high] {
			high = i
		}
	}
	if low < 0 {
		return Number(math.NaN()), Number(math.NaN())
	}
	return rounded(float64(bucket[min(low, high)])), rounded(float64(bucket[max(low, high)]))
}

// rounded keeps five significant digits: a chart shows no more.
func rounded(v float64) Number {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return Number(v)
	}
	scale := math.Pow(10, 4-math.Floor(math.Log10(math.Abs(v))))
	if math.IsInf(scale, 0) || scale == 0 {
		return Number(v)
	}
	return Number(math.Round(v*scale) / scale)
}

// bands are the phases and the outages of all hops.
func (r *Report) bands() []band {
	t0 := r.start()
	end := r.Ended.Sub(t0).Seconds()
	out := []band{}
	over := 0.0
	for _, p := range r.Phases {
		b := band{Name: p.Name, From: p.From.Sub(t0).Seconds(), To: min(p.To.Sub(t0).Seconds(), end)}
		if b.From < end {
			out = append(out, b)
		}
		over = max(over, b.To)
	}
	if len(r.Phases) > 0 && over < end {
		out = append(out, band{Name: "after the schedule", From: over, To: end})
	}
	for _, h := range r.Hops {
		for _, o := range h.Outages {
			b := band{Name: h.Name + " away", From: o.From.Sub(t0).Seconds(), To: o.To.Sub(t0).Seconds(), Down: true}
			if b.To <= b.From { // it lasted to the end
				b.To = end
			}
			b.Note = fmt.Sprintf("%s for %s: %s", b.Name, ui.Seconds(b.To-b.From), o.Error)
			out = append(out, b)
		}
	}
	return out
}

// span is the common time axis of all charts, in seconds since the start.
func (r *Report) span(charts []chart) float64 {
	end := 1.0
	for _, c := range charts {
		for _, x := range c.X {
			end = max(end, float64(x))
		}
	}
	return end
}
