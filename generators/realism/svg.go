package realism

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// The size of every picture; the page scales them.
const (
	plotWidth  = 400.0
	plotHeight = 240.0
	plotLeft   = 46.0
	plotRight  = 8.0
	plotTop    = 10.0
	plotBottom = 30.0
)

// axis maps values to places.
type axis struct {
	low, high float64
	log       bool
	from, to  float64
}

func (a axis) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = ln(max(v, a.low)), ln(low), ln(high)
	}
	if high == low {
		return a.from
	}
	return a.from + float64((v-low)/(high-low)*(a.to-a.from))
}

// ticks are round values along the axis.
func (a axis) ticks(most int) []float64 {
	var out []float64
	if a.log {
		for v := 1e-9; v <= a.high*1.0001; v *= 10 {
			if v >= a.low*0.9999 {
				out = append(out, v)
			}
		}
		for step := 2; len(out) > most; step++ {
			var some []float64
			for i, v := range out {
				if i%step == 0 {
					some = append(some, v)
				}
			}
			if len(some) <= most {
				out = some
			}
		}
		return out
	}
	step := 1e-9
	for i := 0; (a.high-a.low)/step > float64(most); i++ {
		step *= [3]float64{2, 2.5, 2}[i%3]
	}
	for v := math.Ceil(a.low/step-1e-9) * step; v <= a.high+float64(step*1e-6); v += step {
		out = append(out, v+0) // no negative zero
	}
	return out
}

// plot is a picture in the making.
type plot struct {
	b    strings.Builder
	x, y axis
}

// newPlot draws the frame; names say what the axes are.
func newPlot(x, y axis, label string) *plot {
	x.from, x.to = plotLeft, plotWidth-plotRight
	y.from, y.to = plotHeight-plotBottom, plotTop
	p := &plot{x: x, y: y}
	fmt.Fprintf(&p.b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`,
		plotWidth, plotHeight, template.HTMLEscapeString(label))
	return p
}

func (p *plot) done() template.HTML {
	p.b.WriteString("</svg>")
	return template.HTML(p.b.String()) //nolint:gosec // every text went through escape
}

func (p *plot) text(class string, x, y float64, text string) {
	fmt.Fprintf(&p.b, `<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, x, y,
		template.HTMLEscapeString(ui.Clean(text)))
}

func (p *plot) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&p.b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (p *plot) rect(class string, x, y, w, h float64) {
	fmt.Fprintf(&p.b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, class, x, y, w, h)
}

// left draws the values of the left axis.
func (p *plot) left(write func(float64) string) {
	for _, v := range p.y.ticks(5) {
		y := p.y.at(v)
		p.line("grid", plotLeft, y, plotWidth-plotRight, y)
		p.text("end", plotLeft-5, y+4, write(v))
	}
}

// below draws the values of the lower axis, and its line.
func (p *plot) below(write func(float64) string, unit string) {
	for _, v := range p.x.ticks(6) {
		x := p.x.at(v)
		p.line("grid", x, p.y.from, x, p.y.from+4)
		p.text("mid", x, p.y.from+16, write(v))
	}
	p.base()
	p.text("end dim", plotWidth-plotRight, plotHeight-2, unit)
}

func (p *plot) base() { p.line("base", plotLeft, p.y.from, plotWidth-plotRight, p.y.from) }

// curve draws points joined by a line.
func (p *plot) curve(class string, points []Point) {
	var d strings.Builder
	pen := "M"
	for _, at := range points {
		fmt.Fprintf(&d, "%s%.1f %.1f", pen, p.x.at(at.X), p.y.at(at.Y))
		pen = "L"
	}
	if d.Len() > 0 {
		fmt.Fprintf(&p.b, `<path class="%s" d="%s"/>`, class, d.String())
	}
}

// dots draws points.
func (p *plot) dots(class string, points []Point) {
	for _, at := range points {
		fmt.Fprintf(&p.b, `<circle class="%s" cx="%.1f" cy="%.1f" r="2"/>`, class, p.x.at(at.X), p.y.at(at.Y))
	}
}

// bars draws shares, with a mark where each was expected.
func bars(label string, shares []Share, every int) template.HTML {
	top := 0.0
	for _, s := range shares {
		top = max(top, s.Got)
		if s.Want != nil {
			top = max(top, *s.Want)
		}
	}
	p := newPlot(axis{high: float64(len(shares))}, axis{high: max(top*1.05, 1e-6)}, label)
	p.left(tickPercent)
	for i, s := range shares {
		x, next := p.x.at(float64(i)), p.x.at(float64(i+1))
		gap := float64((next - x) * 0.14)
		y := p.y.at(s.Got)
		p.rect("blue", x+gap, y, next-x-2*gap, p.y.from-y)
		if s.Want != nil {
			p.line("want", x+gap/2, p.y.at(*s.Want), next-gap/2, p.y.at(*s.Want))
		}
		if i%every == 0 {
			p.text("mid", (x+next)/2, p.y.from+16, s.Name)
		}
	}
	p.base()
	return p.done()
}

// flatBars draws shares as lines of text with bars, for names of any length.
func flatBars(label string, shares []Share) template.HTML {
	top := 0.0
	for _, s := range shares {
		top = max(top, s.Got)
		if s.Want != nil {
			top = max(top, *s.Want)
		}
	}
	p := newPlot(axis{high: max(top, 1e-6)}, axis{high: 1}, label)
	p.x.from, p.x.to = 124, plotWidth-56
	high := min((plotHeight-8)/float64(max(len(shares), 1)), 30)
	for i, s := range shares {
		y := 4 + float64(float64(i)*high)
		p.text("end", 118, y+high/2+4, ui.Clip(ui.Clean(s.Name), 19))
		p.rect("blue", p.x.from, y+float64(high*0.18), max(p.x.at(s.Got)-p.x.from, 1), high*0.64)
		if s.Want != nil {
			x := p.x.at(*s.Want)
			p.line("want", x, y+float64(high*0.06), x, y+float64(high*0.94))
		}
		p.text("", max(p.x.at(s.Got), p.x.from)+6, y+high/2+4, percent(s.Got))
	}
	return p.done()
}

func tickPercent(v float64) string { return number(math.Round(v*1e6)/1e4) + " %" }

// tickPower writes a power of ten shortly.
func tickPower(v float64) string {
	switch {
	case v >= 0.999e9:
		return number(math.Round(v/1e9)) + "G"
	case v >= 0.999e6:
		return number(math.Round(v/1e6)) + "M"
	case v >= 0.999e3:
		return number(math.Round(v/1e3)) + "k"
	case v >= 0.999:
		return number(math.Round(v))
	}
	return number(math.Round(v*1e9) / 1e9)
}
