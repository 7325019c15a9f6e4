package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// sketchPoints is how finely the drawing without scripts is made.
const sketchPoints = 300

// sketch draws a chart as a small picture, for readers without scripts: each
// axis has its lines scaled to its own highest value; [chart.Most] says it.
func sketch(c chart, end float64) template.HTML {
	const width, height = 1000.0, 120.0
	var top [2]float64
	for _, l := range c.Lines {
		for _, y := range l.Y {
			if i := side(l); float64(y) > top[i] {
				top[i] = float64(y)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" preserveAspectRatio="none" aria-hidden="true">`, width, height)
	for _, l := range c.Lines {
		if top[side(l)] == 0 {
			continue
		}
		var path strings.Builder
		step, pen := max(1, len(c.X)/sketchPoints), "M"
		for at := 0; at < len(c.X); at += step {
			first, second := extremes(l.Y[at:min(at+step, len(l.Y))])
			y := max(first, second)
			if math.IsNaN(float64(y)) {
				if !l.Joined {
					pen = "M"
				}
				continue
			}
			fmt.Fprintf(&path, "%s%.0f %.0f", pen, float64(c.X[at])/end*width, height-2-float64(y)/top[side(l)]*(height-4))
			pen = "L"
		}
		fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, l.Color, path.String())
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers and names of our own only
}

func side(l line) int {
	if l.Right {
		return 1
	}
	return 0
}

// Most is the highest value of a line in words.
func (c chart) Most(l line) string {
	most := math.Inf(-1)
	for _, y := range l.Y {
		if !math.IsNaN(float64(y)) {
			most = max(most, float64(y))
		}
	}
	unit := c.Unit
	if l.Right {
		unit = c.Right
	}
	switch {
	case math.IsInf(most, -1):
		return "no samples"
	case unit == "seconds":
		return ui.Seconds(most)
	case unit == "rate":
		return ui.Rate(most)
	case unit == "bytes":
		return ui.Bytes(int64(most))
	case unit == "cores":
		return ui.Number(most) + " cores"
	}
	return ui.Number(most)
}
