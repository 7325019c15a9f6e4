package realism

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"unicode"
)

var (
	//go:embed assets/report.css
	pageCSS string
	//go:embed assets/report.html
	pageHTML string
)

// page is what the template sees.
type page struct {
	*Report
	CSS      template.CSS
	About    string
	Groups   []group
	Pictures []picture
}

type group struct {
	Name     string
	Measures []*Measure
}

// HTML renders the report as one page without scripts or other files.
func HTML(r *Report) ([]byte, error) {
	t, err := template.New("realism").Funcs(template.FuncMap{
		"glyph": Glyph, "count": func(n uint64) string { return count(n) }, "value": (*Measure).text,
		"score": func(v float64) string { return fmt.Sprintf("%.4f", floor4(v)) },
		"upper": func(v Verdict) string { return strings.ToUpper(string(v)) },
		"class": func(v Verdict) string { return strings.ReplaceAll(string(v), " ", "-") },
	}).Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("reading the page of the realism report: %w", err)
	}
	p := page{
		Report: r, CSS: template.CSS(pageCSS), About: r.about(), Pictures: r.pictures(), //nolint:gosec // our own file
	}
	for i := range r.Measures {
		m := &r.Measures[i]
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Name != m.Group {
			p.Groups = append(p.Groups, group{Name: m.Group})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Measures = append(g.Measures, m)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("making the page of the realism report: %w", err)
	}
	return visible(out.Bytes()), nil
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
