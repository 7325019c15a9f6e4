package realism

import (
	"fmt"
	"html/template"
	"math"
)

// picture is one plot of the page with its words.
type picture struct {
	Title string
	Good  string // what good looks like
	SVG   template.HTML
	Key   []key
}

// key names a colour.
type key struct{ Color, Name string }

// pictures are the plots that have data.
func (r *Report) pictures() []picture {
	var out []picture
	for _, draw := range []func(*Plots) (picture, bool){
		digitPicture, amountPicture, typePicture, hourPicture, weekdayPicture, r.merchantPicture,
		degreePicture, dayPicture, matrixPicture,
	} {
		if p, ok := draw(&r.Plots); ok {
			out = append(out, p)
		}
	}
	return out
}

func wanted(shares []Share, got, want string) []key {
	out := []key{{"blue", got}}
	if len(shares) > 0 && shares[0].Want != nil {
		out = append(out, key{"want", want})
	}
	return out
}

func digitPicture(p *Plots) (picture, bool) {
	return picture{
		Title: "First digits of amounts", Good: "Each bar ends at its mark; bars of one height are uniform prices.",
		SVG: bars("share of each first digit", p.Digits, 1), Key: wanted(p.Digits, "measured", "Benford's law"),
	}, len(p.Digits) > 0
}

func hourPicture(p *Plots) (picture, bool) {
	return picture{
		Title: "Hours, customer's local time", Good: "Bars end at their marks; nights are quiet.",
		SVG: bars("share of each hour", p.Hours, 3), Key: wanted(p.Hours, "measured", "configured"),
	}, len(p.Hours) > 0
}

func weekdayPicture(p *Plots) (picture, bool) {
	return picture{
		Title: "Days of the week", Good: "Bars end at their marks. A stream of less than two weeks shows its own length.",
		SVG: bars("share of each weekday", p.Weekdays, 1), Key: wanted(p.Weekdays, "measured", "configured"),
	}, len(p.Weekdays) > 0
}

func typePicture(p *Plots) (picture, bool) {
	return picture{
		Title: "Types", Good: "Bars end at their marks.",
		SVG: flatBars("share of each type", p.Types), Key: wanted(p.Types, "measured", "configured"),
	}, len(p.Types) > 0
}

func colors() [maxCurves]string {
	return [maxCurves]string{"blue", "orange", "green", "purple", "vermilion"}
}

func amountPicture(p *Plots) (picture, bool) {
	if len(p.Amounts) == 0 {
		return picture{}, false
	}
	x, y := axis{low: math.Inf(1), log: true}, axis{}
	for _, c := range p.Amounts {
		for _, at := range c.Points {
			x.low, x.high, y.high = min(x.low, at.X), max(x.high, at.X), max(y.high, at.Y)
		}
	}
	y.high *= 1.05
	out := picture{
		Title: "Amounts, on a logarithmic axis",
		Good:  "Bells: log-normal amounts. A cliff is a limit, a spike one amount again and again.",
	}
	d := newPlot(x, y, "density of amounts by type")
	d.left(number)
	for i, c := range p.Amounts {
		d.curve(colors()[i], c.Points)
		out.Key = append(out.Key, key{colors()[i], c.Name})
	}
	d.below(tickPower, "minor units")
	out.SVG = d.done()
	return out, true
}

func (r *Report) merchantPicture(p *Plots) (picture, bool) {
	n := len(p.Merchants)
	if n < 2 {
		return picture{}, false
	}
	top := p.Merchants[0].Y
	d := newPlot(axis{low: 1, high: p.Merchants[n-1].X, log: true}, axis{low: 1, high: max(top, 2), log: true},
		"purchases of each merchant by rank")
	d.left(tickPower)
	d.dots("blue", p.Merchants)
	out := picture{
		Title: "Merchants by popularity", Good: "A straight line: few merchants have most, and the tail is long.",
		Key: []key{{"blue", "purchases by rank"}},
	}
	for i := range r.Measures {
		m := &r.Measures[i]
		if m.Name != "merchant_zipf" || m.Value == nil {
			continue
		}
		// Through the middle of the points that were fitted.
		k := n / 2
		for k > 1 && p.Merchants[k].Y < 100 {
			k /= 2
		}
		var law []Point
		for _, x := range []float64{1, p.Merchants[n-1].X} {
			y := float64(p.Merchants[k].Y * pow(x/p.Merchants[k].X, -*m.Value))
			if y < 1 {
				x, y = float64(p.Merchants[k].X*pow(p.Merchants[k].Y, 1 / *m.Value)), 1
			}
			if y > d.y.high {
				x, y = float64(p.Merchants[k].X*pow(p.Merchants[k].Y/d.y.high, 1 / *m.Value)), d.y.high
			}
			law = append(law, Point{x, y})
		}
		d.curve("want", law)
		out.Key = append(out.Key, key{"want", "rank to the power of -" + number(*m.Value)})
	}
	d.below(tickPower, "rank")
	out.SVG = d.done()
	return out, true
}

func degreePicture(p *Plots) (picture, bool) {
	if len(p.Payees) < 2 && len(p.Payers) < 2 {
		return picture{}, false
	}
	x, y := axis{low: 1, high: 2, log: true}, axis{low: 1, high: 1, log: true}
	for _, points := range [][]Point{p.Payers, p.Payees} {
		for _, at := range points {
			x.high, y.low = max(x.high, at.X), min(y.low, at.Y)
		}
	}
	y.low = min(y.low, 0.1)
	d := newPlot(x, y, "share of accounts by number of counterparties")
	d.left(tickShare)
	d.curve("orange", p.Payers)
	d.curve("blue", p.Payees)
	d.below(tickPower, "counterparties")
	return picture{
		Title: "Counterparties of an account", Good: "Straight falling lines: hubs exist. A cliff means that all are alike.",
		SVG: d.done(), Key: []key{{"orange", "that pay it"}, {"blue", "that it pays"}},
	}, true
}

// tickShare writes a share as a percentage, however small.
func tickShare(v float64) string { return number(math.Round(v*1e11)/1e9) + " %" }

func dayPicture(p *Plots) (picture, bool) {
	if len(p.Days) < 2 {
		return picture{}, false
	}
	top, frauds := uint64(1), uint64(0)
	for _, d := range p.Days {
		top, frauds = max(top, d.Fraud), frauds+d.Fraud
	}
	if frauds == 0 {
		return picture{}, false
	}
	n := len(p.Days)
	d := newPlot(axis{high: float64(n)}, axis{high: float64(top) * 1.05}, "frauds by day")
	d.left(func(v float64) string {
		if v != math.Trunc(v) {
			return ""
		}
		return number(v)
	})
	for i, day := range p.Days {
		x, next := d.x.at(float64(i)), d.x.at(float64(i+1))
		gap := min((next-x)*0.14, 3)
		d.rect("vermilion", x+gap, d.y.at(float64(day.Fraud)), next-x-2*gap, d.y.from-d.y.at(float64(day.Fraud)))
	}
	d.base()
	d.text("", plotLeft, d.y.from+16, p.Days[0].Date)
	d.text("end", plotWidth-plotRight, d.y.from+16, p.Days[n-1].Date)
	return picture{
		Title: "Fraud by day", Good: "Spread over the days, with campaigns; a day that has all of it gives it away.",
		SVG: d.done(), Key: []key{{"vermilion", "records labelled as fraud"}},
	}, true
}

func matrixPicture(p *Plots) (picture, bool) {
	var at []int // columns that have two values
	for i, row := range p.Dependence.Values {
		for _, v := range row {
			if v != nil {
				at = append(at, i)
				break
			}
		}
	}
	if len(at) < 2 {
		return picture{}, false
	}
	const left, top = 74.0, 6.0
	d := newPlot(axis{}, axis{}, "information shared by pairs of columns")
	wide, high := (plotWidth-left-plotRight)/float64(len(at)-1), (plotHeight-top-46)/float64(len(at)-1)
	for row, i := range at {
		y := top + float64(float64(row-1)*high)
		if row > 0 {
			d.text("end small", left-5, y+high/2+3, p.Dependence.Columns[i])
		}
		for col, j := range at[:row] {
			if v := p.Dependence.Values[i][j]; v != nil {
				d.cell(left+float64(float64(col)*wide), y, *v, [2]float64{wide, high},
					p.Dependence.Columns[i]+" × "+p.Dependence.Columns[j])
			}
		}
		if row < len(at)-1 {
			x, low := left+float64((float64(row)+0.5)*wide), top+float64(float64(len(at)-1)*high)+9
			fmt.Fprintf(&d.b, `<text class="end small" transform="translate(%.1f %.1f) rotate(-50)">%s</text>`,
				x+3, low, template.HTMLEscapeString(p.Dependence.Columns[i]))
		}
	}
	return picture{
		Title: "What columns say about each other",
		Good:  "In per cent of all that there is to say. 100: one column gives the other.",
		SVG:   d.done(),
	}, true
}

// cell draws one pair of columns; what is large enough is written too.
func (p *plot) cell(x, y, v float64, size [2]float64, names string) {
	wide, high := size[0], size[1]
	shade := 0.05 + float64(0.95*root(v))
	const form = `<rect class="cell" x="%.1f" y="%.1f" width="%.1f" height="%.1f" style="opacity:%.2f">` +
		`<title>%s</title></rect>`
	fmt.Fprintf(&p.b, form,
		x+0.5, y+0.5, wide-1, high-1, shade, template.HTMLEscapeString(names+": "+number(v)))
	class := "mid small"
	if shade > 0.55 {
		class += " on"
	}
	if v >= 0.045 {
		p.text(class, x+wide/2, y+high/2+3, fmt.Sprintf("%.0f", v*100))
	}
}
