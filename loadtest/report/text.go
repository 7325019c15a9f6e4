package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// textExamples is how many records of each class the terminal shows.
const textExamples = 3

// Text writes the last lines of a run for a terminal: the verdict, the balance,
// the thresholds that did not hold, a few records, and the path of the report.
func Text(w io.Writer, r *Report, path string) error {
	var b strings.Builder
	glyph, word := r.Verdict.word()
	fmt.Fprintf(&b, "%s %s  %s\n", glyph, word, ui.Clean(r.Reason))
	about := ui.Clean(r.ScenarioName + ", run " + r.RunID)
	if r.Environment.Embedded {
		about += ", " + embeddedWords
	}
	fmt.Fprintf(&b, "  %s, %s\n\n", about, ui.Seconds(r.Duration))
	if err := textBalance(&b, r); err != nil {
		return err
	}
	if n := len(r.Thresholds); n > 0 {
		fmt.Fprintf(&b, "\n  %d of %d thresholds held\n", r.held(), n)
	}
	for _, t := range r.ordered() {
		if t.State != "ok" {
			g, _ := t.state()
			fmt.Fprintf(&b, "    %s %s\n", g, ui.Clean(t.judgement()))
		}
	}
	if err := textExampleLines(&b, r); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n  report  %s\n", ui.Clean(path))
	_, err := io.WriteString(w, b.String())
	return err
}

func textBalance(w io.Writer, r *Report) error {
	c := r.Records
	var found []string
	for _, k := range r.classes() {
		found = append(found, k.name+" "+ui.Count(k.count))
	}
	rows := [][]string{
		{"", "|", ""},
		{"intended", ui.Count(c.Intended), ""},
		{"sent", ui.Count(c.Sent), "not sent " + ui.Count(c.Intended-min(c.Intended, c.Sent))},
		{"acknowledged", ui.Count(c.Acked), "failed " + ui.Count(c.Failed) + ", unknown " + ui.Count(c.Unknown)},
		{r.end(), ui.Count(c.Seen), strings.Join(found, ", ")},
	}
	if r.Latency.Freshness.P99 != nil {
		words := r.Latency.Freshness.words()
		note := ""
		if r.Bound != nil {
			note = ", at most " + ui.Seconds(*r.Bound) + " too high"
		}
		rows = append(rows, []string{"freshness", words[2], "p99; p50 " + words[0] + ", max " + words[4] + note})
	}
	if r.Rate.Achieved != nil {
		note := "acknowledged"
		if r.Rate.Intended != nil {
			note += " of " + ui.Rate(*r.Rate.Intended) + " intended"
		}
		rows = append(rows, []string{"rate", ui.Rate(*r.Rate.Achieved), note})
	}
	return ui.Table(w, "  ", rows)
}

func textExampleLines(w io.Writer, r *Report) error {
	var rows [][]string
	for _, k := range r.classes() {
		for i, e := range k.examples {
			if i == textExamples {
				rows = append(rows, []string{"", fmt.Sprintf("and %s more in the report", ui.Count(k.count-textExamples)), "", ""})
				break
			}
			rows = append(rows, []string{k.name, ui.Clean(e.who()), ui.Clean(e.where()), ui.Clean(e.Detail)})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, "\n  examples\n"); err != nil {
		return err
	}
	return ui.Table(w, "    ", append([][]string{{"", "", "", ""}}, rows...))
}
