package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// stage is one bar of the balance, with the differences to the stage before.
type stage struct {
	Name  string
	N     uint64
	Parts []part // from the bottom up
	Lost  []Row  // on the way to this stage
}

// part is a piece of a bar.
type part struct {
	Name    string
	N       uint64
	Kind    string  // good, watch, bad or gone, for the style sheet
	Percent float64 // of the scale of all bars
}

// stages are the four bars, all to one scale: the largest of them.
func (r *Report) stages() []stage {
	c, rows := r.Records, Balance(r.Records)
	extra := c.Duplicate + c.Unexpected
	scale := math.Max(1, float64(max(c.Intended, c.Sent, c.Acked, c.Seen+c.Missing+extra)))
	piece := func(name, kind string, n uint64) part {
		return part{name, n, kind, 100 * float64(n) / scale}
	}
	find := func(names ...string) []Row {
		var out []Row
		for _, name := range names {
			for _, row := range rows {
				if row.Name == name {
					out = append(out, row)
				}
			}
		}
		return out
	}
	odd := min(c.Seen, c.Corrupt+c.Late)
	arrived := []part{piece("arrived as sent", "good", c.Seen-odd)}
	for _, p := range []part{
		piece("late", "watch", min(c.Late, odd)), piece("corrupt", "bad", odd-min(c.Late, odd)),
		piece("missing", "gone", c.Missing), piece("duplicate", "bad", c.Duplicate), piece("unexpected", "bad", c.Unexpected),
	} {
		if p.N > 0 {
			arrived = append(arrived, p)
		}
	}
	return []stage{
		{Name: "intended", N: c.Intended, Parts: []part{piece("intended", "good", c.Intended)}},
		{Name: "sent", N: c.Sent, Parts: []part{piece("sent", "good", c.Sent)}, Lost: find("not sent")},
		{
			Name: "acknowledged", N: c.Acked, Lost: find("failed", "unknown"),
			Parts: []part{piece("acknowledged", "good", c.Acked)},
		},
		{
			Name: r.end(), N: c.Seen, Parts: arrived,
			Lost: find("missing", "duplicate", "corrupt", "late", "unexpected", "unacknowledged"),
		},
	}
}

// sketchPoints is how finely the drawing without scripts is made.
const sketchPoints = 300

// sketch draws a chart as a small picture, for readers without scripts: each
// axis has its lines scaled to its own highest value, which is written beside.
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
				if !l.Points {
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
