package realism

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// Glyph is the sign of a verdict, beside its word.
func Glyph(v Verdict) string {
	switch v {
	case Pass:
		return ui.Good
	case Fail:
		return ui.Bad
	default:
		return ui.Unclear
	}
}

// Text writes the report for a terminal: each measure in a line, then what
// fails and what could not be measured in sentences.
func Text(w io.Writer, r *Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s\n", Glyph(r.Verdict), strings.ToUpper(string(r.Verdict)), r.Reason)
	fmt.Fprintf(&b, "  %s\n", ui.Clean(r.about()))
	group := ""
	rows := [][]string{{"", "measure", "value|", "band", "samples|", "published"}}
	for i := range r.Measures {
		m := &r.Measures[i]
		if m.Group != group {
			group = m.Group
			rows = append(rows, []string{"", "", "", "", "", ""}, []string{"", group, "", "", "", ""})
		}
		value := m.text()
		rows = append(rows, []string{Glyph(m.Verdict), m.Name, value, m.Range(), count(m.Samples), m.Published})
	}
	b.WriteString("\n")
	_ = ui.Table(&b, "  ", rows) // a strings.Builder takes everything
	for _, v := range []Verdict{Fail, NotMeasured} {
		textSentences(&b, r, v)
	}
	if len(r.Scores) > 0 {
		rows = [][]string{{"score (SDMetrics)", "column", "value|", "samples|"}}
		for _, s := range r.Scores {
			rows = append(rows, []string{s.Name, s.Column, fmt.Sprintf("%.4f", floor4(s.Value)), count(s.Samples)})
		}
		b.WriteString("\n")
		_ = ui.Table(&b, "  ", rows)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n  note: %s\n", ui.Clean(n))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func textSentences(b *strings.Builder, r *Report, v Verdict) {
	title := "\n  " + string(v) + "\n"
	if v == Fail {
		title = "\n  outside the band\n"
	}
	for i := range r.Measures {
		m := &r.Measures[i]
		if m.Verdict != v {
			continue
		}
		b.WriteString(title)
		title = ""
		fmt.Fprintf(b, "    %s %s: %s\n", Glyph(v), m.Name, ui.Clean(m.Sentence))
		for _, d := range m.Details {
			if v == Fail {
				fmt.Fprintf(b, "        %s: %s\n", ui.Clean(d.Name), ui.Clean(d.Text))
			}
		}
	}
}

// about says which stream it was.
func (r *Report) about() string {
	text := r.Source
	if text == "" {
		text = "a stream"
	}
	text += ", " + count(r.Records) + " records"
	if r.Records > 0 {
		const form = "2006-01-02 15:04"
		text += ", " + r.From.Format(form) + " to " + r.To.Format(form) + " UTC"
	}
	return text
}

func (m *Measure) text() string {
	if m.Value == nil {
		return "–"
	}
	return m.write(*m.Value)
}

// floor4 keeps a score that is not perfect from looking so.
func floor4(v float64) float64 { return math.Floor(v*1e4) / 1e4 }

// JSON is the report for machines. A list without elements is [], never null.
func JSON(r *Report) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("encoding the report of %s: %w", r.Source, err)
	}
	return out.Bytes(), nil
}

// Read reads what JSON wrote.
func Read(data []byte) (*Report, error) {
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("reading a realism report: %w", err)
	}
	if r.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("reading a realism report: schema version %q, not %q", r.SchemaVersion, SchemaVersion)
	}
	return r, nil
}
