package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// textExamples is how many records of each class the terminal shows.
const textExamples = 3

// Text writes the last lines of a command: verdict, balance, thresholds that
// did not hold, what went wrong, and where the report is.
func Text(w io.Writer, r *Report, dir string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s\n", Glyph(r.Verdict), strings.ToUpper(string(r.Verdict)), ui.Clean(r.Reason))
	about := r.ScenarioName + ", run " + r.RunID
	if r.Environment.Embedded {
		about += ", " + embeddedWords
	}
	fmt.Fprintf(&b, "  %s, %s\n\n", ui.Clean(about), ui.Seconds(r.Duration))
	textBalance(&b, r)
	if n := len(r.Thresholds); n > 0 {
		fmt.Fprintf(&b, "\n  %d of %d thresholds held\n", held(r.Thresholds), n)
	}
	for _, t := range Ordered(r.Thresholds) {
		if t.State != "ok" {
			glyph, _, _ := strings.Cut(stateWord(t.State), " ")
			fmt.Fprintf(&b, "    %s %s\n", glyph, ui.Clean(t.judgement()))
		}
	}
	textFaults(&b, r)
	textFindings(&b, r)
	if dir != "" {
		fmt.Fprintf(&b, "\n  report  %s\n", ui.Clean(filepath.Join(dir, HTMLFile)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func textBalance(b *strings.Builder, r *Report) {
	c := r.Records
	notes := map[string][]string{}
	for _, row := range Balance(c)[4:] {
		at := map[string]string{"not sent": "sent", "failed": "acked", "unknown": "acked"}[row.Name]
		if row.Name == "unacknowledged" && row.N == 0 {
			continue
		}
		notes[at] = append(notes[at], row.Name+" "+ui.Count(row.N))
	}
	rows := [][]string{
		{"", "|", ""},
		{"intended", ui.Count(c.Intended), ""},
		{"sent", ui.Count(c.Sent), strings.Join(notes["sent"], ", ")},
		{"acknowledged", ui.Count(c.Acked), strings.Join(notes["acked"], ", ")},
		{r.end(), ui.Count(c.Seen), strings.Join(notes[""], ", ")},
	}
	if r.Rate.Achieved != nil && r.Rate.Intended != nil {
		rows = append(rows, []string{
			"rate", ui.Rate(*r.Rate.Achieved),
			"acknowledged, of " + ui.Rate(*r.Rate.Intended) + " intended",
		})
	}
	if l := r.Latency.Ack; l.Corrected.P99 != nil {
		rows = append(rows, []string{"ack p99", Seconds(l.Corrected.P99), "p50 " + Seconds(l.Corrected.P50) +
			"; service p99 " + Seconds(l.Service.P99) + ", the generator's own delay p99 " + Seconds(l.Scheduler.P99)})
	}
	if f := r.Latency.Freshness; f.P99 != nil {
		note := "p50 " + Seconds(f.P50) + ", max " + Seconds(f.Max)
		if r.Bound != nil {
			note += "; at most " + ui.Seconds(*r.Bound) + " too high"
		}
		rows = append(rows, []string{"freshness p99", Seconds(f.P99), note})
	}
	_ = ui.Table(b, "  ", rows) // a strings.Builder takes everything
}

func textFindings(b *strings.Builder, r *Report) {
	rows := [][]string{{"", "", "", ""}}
	for _, c := range Classes(r) {
		for i, e := range c.Examples {
			if i == textExamples {
				rows = append(rows, []string{"", "and " + ui.Count(less(c.N, textExamples)) + " more"})
				break
			}
			rows = append(rows, []string{c.Name, ui.Clean(Who(e)), ui.Clean(e.EventID), ui.Clean(Place(e) + "  " + e.Detail)})
		}
	}
	if len(rows) > 1 {
		b.WriteString("\n")
		_ = ui.Table(b, "  ", rows)
	}
}

// textFaults shows the deliberate faults, class by class.
func textFaults(b *strings.Builder, r *Report) {
	for _, f := range r.Faults {
		fmt.Fprintf(b, "\n  faults of %s  %s %s\n", ui.Clean(f.Stream), faultGlyph(f.OK), ui.Clean(f.Summary))
		rows := [][]string{{"", "records", "in Kafka", "dead letters", "rows"}}
		for _, c := range f.Classes {
			rows = append(rows, []string{
				faultGlyph(c.OK) + " " + strings.ReplaceAll(c.Class, "_", " "), ui.Count(c.Faults),
				seenOf(c.KafkaSeen, c.Kafka), seenOf(c.LettersSeen, c.Letters), seenOf(c.RowsSeen, c.Rows),
			})
		}
		_ = ui.Table(b, "    ", rows)
	}
}

func faultGlyph(ok bool) string {
	if ok {
		return ui.Good
	}
	return ui.Bad
}

// seenOf says what was seen, and what was expected where that differs.
func seenOf(seen, expected uint64) string {
	if seen == expected {
		return ui.Count(seen)
	}
	return ui.Count(seen) + " of " + ui.Count(expected)
}
