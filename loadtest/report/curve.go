package report

import (
	"math"
	"slices"
)

// curveSteps is how finely a percentile curve is drawn: points for each ninth
// that is added to the percentile.
const curveSteps = 12

// curveNines is how far the curves reach: 99.999 %.
const curveNines = 5

// curves draws the distributions over 1/(1-percentile), so that 90 %, 99 % and
// 99.9 % lie equally far apart on a logarithmic axis.
func (r *Report) curves() chart {
	c := chart{ID: "curve", Title: "Latency by percentile, s", Unit: "seconds"}
	for i := range curveSteps*curveNines + 1 {
		c.X = append(c.X, rounded(math.Pow(10, float64(i)/curveSteps)))
	}
	colors := []string{"blue", "green", "grey", "purple", "orange"}
	for i, l := range latencyRows(r.Latency) {
		points := l.Quantiles.points()
		if len(points) < 2 {
			continue
		}
		label := l.Name
		if l.Kind != "corrected" {
			label += ", " + l.Kind
		}
		out := line{Label: label, Color: colors[i], Dash: l.Kind == "scheduler"}
		for _, x := range c.X {
			y := math.NaN()
			if float64(x) <= float64(l.Count) { // beyond it there is no sample to tell
				y = at(points, 100-100/float64(x))
			}
			out.Y = append(out.Y, rounded(y))
		}
		c.Lines = append(c.Lines, out)
	}
	return c
}

// points are the distribution as percentile and seconds, rising: the curve
// where there is one, else the five figures.
func (q Quantiles) points() [][2]float64 {
	points := slices.Clone(q.Curve)
	if len(points) == 0 {
		for _, p := range []struct {
			percentile float64
			value      *float64
		}{{50, q.P50}, {95, q.P95}, {99, q.P99}, {99.9, q.P999}, {100, q.Max}} {
			if p.value != nil {
				points = append(points, [2]float64{p.percentile, *p.value})
			}
		}
	}
	slices.SortFunc(points, func(a, b [2]float64) int {
		switch {
		case a[0] < b[0]:
			return -1
		case a[0] > b[0]:
			return 1
		}
		return 0
	})
	return points
}

// at returns the value at a percentile, straight between the points; NaN
// before the first of them.
func at(points [][2]float64, percentile float64) float64 {
	for i, p := range points {
		if p[0] < percentile {
			continue
		}
		if i == 0 {
			if p[0] == percentile {
				return p[1]
			}
			return math.NaN()
		}
		before := points[i-1]
		// The maximum may be a single record: keep the step rather than drawing a
		// slope that nobody measured.
		if p[0] == 100 || p[0] == before[0] {
			return before[1]
		}
		return before[1] + (p[1]-before[1])*(percentile-before[0])/(p[0]-before[0])
	}
	if len(points) == 0 {
		return math.NaN()
	}
	return points[len(points)-1][1]
}
