package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// The files that Write makes.
const (
	JSONFile    = "report.json" // what the other forms are made from
	HTMLFile    = "report.html"
	JUnitFile   = "junit.xml"
	SummaryFile = "summary.md"
)

// Read reads report.json of a run's folder.
func Read(dir string) (*Report, error) {
	data, err := os.ReadFile(filepath.Join(dir, JSONFile))
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading the report: %w", err), fail.Usage, "give the folder of a finished run")
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading %s in %q: cut off or of another program: %w", JSONFile, dir, err),
			fail.Usage, "reconcile the run again: lakeproof loadtest verify "+dir)
	}
	if r.SchemaVersion != SchemaVersion {
		return nil, fail.New(fail.Usage, "use the version of lakeproof that wrote it",
			"reading %s in %q: schema version %q, this program reads %q", JSONFile, dir, r.SchemaVersion, SchemaVersion)
	}
	return &r, nil
}

// Write renders the report into a run's folder. Each file appears whole.
func Write(dir string, r *Report) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", JSONFile, err)
	}
	page, err := HTML(r)
	if err != nil {
		return fmt.Errorf("making %s: %w", HTMLFile, err)
	}
	cases, err := JUnit(r)
	if err != nil {
		return fmt.Errorf("making %s: %w", JUnitFile, err)
	}
	for name, content := range map[string][]byte{
		JSONFile: append(data, '\n'), HTMLFile: page, JUnitFile: cases, SummaryFile: Summary(r),
	} {
		if err := put(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return nil
}

func put(name string, content []byte) error {
	if err := os.WriteFile(name+".tmp", content, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return os.Rename(name+".tmp", name)
}

// Summary is the report as Markdown, for a pull request.
func Summary(r *Report) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s %s: %s\n\n%s\n\n", Glyph(r.Verdict), r.ScenarioName, r.Verdict, escapeMarkdown(r.Reason))
	fmt.Fprintf(&b, "| records | |\n|---|--:|\n")
	for _, row := range Balance(r.Records) {
		fmt.Fprintf(&b, "| %s | %s |\n", row.Name, Count(row.N))
	}
	if len(r.Thresholds) > 0 {
		b.WriteString("\n| threshold | value | |\n|---|--:|---|\n")
		for _, t := range r.Thresholds {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", escapeMarkdown(t.Expression), Measure(t.Value, t.Unit), stateWord(t.State))
		}
	}
	for _, c := range Classes(r) {
		if len(c.Examples) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s (%s):\n\n", c.Name, Count(c.N))
		for _, e := range c.Examples[:min(5, len(c.Examples))] {
			fmt.Fprintf(&b, "- `%s` %s: %s\n", escapeMarkdown(e.EventID), Where(e), escapeMarkdown(e.Detail))
		}
	}
	fmt.Fprintf(&b, "\nrun `%s`, %s%s\n", r.RunID, Seconds(&r.Duration), embeddedNote(r))
	return b.Bytes()
}

func embeddedNote(r *Report) string {
	if r.Environment.Embedded {
		return ", on the embedded lab: figures are not those of a real system"
	}
	return ""
}

func escapeMarkdown(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; c {
		case '|', '`', '<', '>', '*', '_', '[', ']':
			if c == '_' {
				out = append(out, c)
				continue
			}
			out = append(out, '\\', c)
		case '\n', '\r':
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}
