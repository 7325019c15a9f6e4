package report

import (
	"fmt"
	"strings"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// summaryExamples is how many records of each class the summary shows.
const summaryExamples = 5

// Summary is the report in GitHub Flavored Markdown, for a pull request.
func Summary(r *Report) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s: %s\n\n%s\n\n", Glyph(r.Verdict), strings.ToUpper(string(r.Verdict)),
		markdown(r.ScenarioName), markdown(r.Reason))
	where := "lab " + markdown(r.Environment.Lab)
	if r.Environment.Embedded {
		where = embeddedWords
	}
	fmt.Fprintf(&b, "Run %s on the %s, %s, %s.\n\n", code(r.RunID), where,
		r.Started.UTC().Format("2006-01-02 15:04:05 UTC"), ui.Seconds(r.Duration))
	summaryBalance(&b, r)
	summaryThresholds(&b, r)
	summaryExamplesTables(&b, r)
	fmt.Fprintf(&b, "Repeat it: %s  \nReconcile it again: %s\n", code(r.Command), code(r.Verify))
	return []byte(b.String())
}

func summaryBalance(b *strings.Builder, r *Report) {
	c := r.Records
	title := "records"
	if r.Environment.Embedded {
		title += " (" + embeddedWords + ")"
	}
	fmt.Fprintf(b, "| %s | number | of these |\n|---|---:|---|\n", title)
	var found []string
	for _, k := range Classes(r) {
		found = append(found, bolder(k.Name+" "+ui.Count(k.N), k.N > 0))
	}
	unsent := less(c.Intended, c.Sent)
	for _, row := range [][3]string{
		{"intended", ui.Count(c.Intended), ""},
		{"sent", ui.Count(c.Sent), bolder("not sent "+ui.Count(unsent), unsent > 0)},
		{"acknowledged", ui.Count(c.Acked), bolder("failed "+ui.Count(c.Failed), c.Failed > 0) + ", " +
			bolder("unknown "+ui.Count(c.Unknown), c.Unknown > 0)},
		{r.end(), ui.Count(c.Seen), strings.Join(found, ", ")},
	} {
		fmt.Fprintf(b, "| %s | %s | %s |\n", row[0], row[1], row[2])
	}
	b.WriteString("\n")
}

func bolder(text string, yes bool) string {
	if yes {
		return "**" + text + "**"
	}
	return text
}

func summaryThresholds(b *strings.Builder, r *Report) {
	if len(r.Thresholds) == 0 {
		return
	}
	fmt.Fprintf(b, "%d of %d thresholds held.\n\n| | threshold | value | margin | window |\n|---|---|---:|---:|---|\n",
		held(r.Thresholds), len(r.Thresholds))
	for _, t := range Ordered(r.Thresholds) {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", stateWord(t.State), code(t.Expression),
			Measure(t.Value, t.Unit), Measure(t.Margin, t.Unit), markdown(t.Window))
	}
	b.WriteString("\n")
}

func summaryExamplesTables(b *strings.Builder, r *Report) {
	for _, k := range Classes(r) {
		if len(k.Examples) == 0 {
			continue
		}
		shown := k.Examples[:min(len(k.Examples), summaryExamples)]
		fmt.Fprintf(b, "<details><summary>%s %s, %d shown</summary>\n\n", ui.Count(k.N), k.Name, len(shown))
		b.WriteString("| record | event_id | topic/partition @offset | snapshot | what differs |\n|---|---|---|---|---|\n")
		for _, e := range shown {
			snapshot := ""
			if e.Snapshot != 0 {
				snapshot = fmt.Sprint(e.Snapshot)
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n",
				markdown(Who(e)), code(e.EventID), code(Place(e)), snapshot, markdown(e.Detail))
		}
		b.WriteString("\n</details>\n\n")
	}
}

// markdown makes text of others plain: nothing in it is markup, a mention or
// the end of a table cell.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range ui.Clean(s) {
		switch r {
		case '<':
			b.WriteString("&lt;")
			continue
		case '&':
			b.WriteString("&amp;")
			continue
		case '@':
			b.WriteString("&#64;")
			continue
		}
		if strings.ContainsRune("\\`*_[]|~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code writes text as it is, in a code span that fits into a table.
func code(s string) string {
	s = strings.ReplaceAll(ui.Clean(s), "|", "\\|")
	if s == "" {
		return ""
	}
	longest, run := 0, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}
