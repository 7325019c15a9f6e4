package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// The elements of the JUnit format, as Jenkins, GitLab and GitHub's readers
// take it.
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Time     string   `xml:"time,attr"`
		Suite    []suite  `xml:"testsuite"`
	}
	suite struct {
		Name       string     `xml:"name,attr"`
		Tests      int        `xml:"tests,attr"`
		Failures   int        `xml:"failures,attr"`
		Errors     int        `xml:"errors,attr"`
		Skipped    int        `xml:"skipped,attr"`
		Time       string     `xml:"time,attr"`
		Timestamp  string     `xml:"timestamp,attr"`
		Properties []property `xml:"properties>property"`
		Cases      []testcase `xml:"testcase"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testcase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *outcome `xml:"failure,omitempty"`
		Error   *outcome `xml:"error,omitempty"`
		Skipped *outcome `xml:"skipped,omitempty"`
		Output  string   `xml:"system-out,omitempty"`
	}
	outcome struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is junit.xml: one case for the run as a whole, one for each
// threshold, each invariant and each tier of the reconciliation. What did not
// hold is a failure; what could not be judged is an error, because it proves
// nothing; a tier that is not possible is skipped.
func JUnit(r *Report) ([]byte, error) {
	s := suite{
		Name: "lakeproof." + r.ScenarioName, Time: fmt.Sprintf("%.3f", r.Duration),
		Timestamp:  r.Started.UTC().Format(time.RFC3339),
		Properties: r.properties(),
	}
	s.Cases = append(s.Cases, r.runCase())
	s.Cases = append(s.Cases, r.thresholdCases()...)
	s.Cases = append(s.Cases, r.invariantCases()...)
	s.Cases = append(s.Cases, r.tierCases()...)
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Class, c.Time = s.Name+"."+c.Class, "0"
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	all := suites{
		Name: "lakeproof", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Skipped: s.Skipped, Time: s.Time,
		Suite: []suite{s},
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	return append([]byte(xml.Header), append(data, '\n')...), err
}

func (r *Report) properties() []property {
	lab := r.Environment.Lab
	if r.Environment.Embedded {
		lab = embeddedWords
	}
	return []property{
		{"run_id", r.RunID},
		{"verdict", string(r.Verdict)},
		{"exit_code", fmt.Sprint(r.ExitCode)},
		{"lab", lab},
		{"lakeproof", r.Environment.Version},
		{"verify_command", r.Verify},
	}
}

// runCase says whether the run came to a judgement at all.
func (r *Report) runCase() testcase {
	c := testcase{Class: "run", Name: "the run came to a verdict", Output: r.Reason}
	if r.Verdict == Inconclusive || r.Verdict == Interrupted {
		c.Error = &outcome{string(r.Verdict) + ": " + r.Reason, string(r.Verdict), r.Reason}
		c.Output = ""
	}
	return c
}

func (r *Report) thresholdCases() []testcase {
	var out []testcase
	for _, t := range Ordered(r.Thresholds) {
		c := testcase{Class: "threshold", Name: t.Expression}
		switch t.State {
		case "ok":
			c.Output = fmt.Sprintf("%s, margin %s (%s)", Measure(t.Value, t.Unit), Measure(t.Margin, t.Unit), t.Window)
		case "missed":
			c.Failure = &outcome{t.judgement(), "threshold", t.judgement()}
		default:
			c.Error = &outcome{t.judgement(), "no_data", t.judgement()}
		}
		out = append(out, c)
	}
	return out
}

func (r *Report) invariantCases() []testcase {
	var out []testcase
	for _, k := range Classes(r) {
		if k.Name == "late" {
			continue // a threshold's business
		}
		c := testcase{Class: "invariant", Name: "no record is " + k.Name}
		switch {
		case k.N > 0:
			c.Failure = &outcome{
				fmt.Sprintf("%s of %s acknowledged records: %s", ui.Count(k.N), ui.Count(r.Records.Acked), k.Name),
				k.Name, k.lines(),
			}
		case r.Records.Acked == 0:
			c.Error = &outcome{"no record was acknowledged, so nothing was checked", "no_data", ""}
		}
		out = append(out, c)
	}
	kept := testcase{Class: "invariant", Name: "the generator kept up"}
	words := fmt.Sprintf("%s of %s records left late through the generator's own fault",
		ui.Count(r.Generator.Late), ui.Count(r.Records.Sent))
	if r.Generator.Bottleneck {
		kept.Error = &outcome{words, "generator", "the generator was the bottleneck: the run says nothing about the system"}
	} else {
		kept.Output = words
	}
	return append(out, kept)
}

// lines lists the first examples of a class.
func (k Class) lines() string {
	var b strings.Builder
	for i, e := range k.Examples {
		if i == 20 {
			fmt.Fprintf(&b, "and %s more in report.json\n", ui.Count(len(k.Examples)-i))
			break
		}
		fmt.Fprintf(&b, "%s  %s  %s  %s\n", ui.Clean(Who(e)), ui.Clean(e.EventID), ui.Clean(Place(e)), ui.Clean(e.Detail))
	}
	return b.String()
}

func (r *Report) tierCases() []testcase {
	var out []testcase
	for _, t := range r.Tiers {
		c := testcase{Class: "reconciliation", Name: fmt.Sprintf("%s of stream %s is clean", t.Tier, t.Stream)}
		switch t.State {
		case "dirty":
			c.Failure = &outcome{t.Tier + " is not clean: " + t.Detail, "reconciliation", t.Detail}
		case "not possible":
			c.Skipped = &outcome{Message: t.Detail}
		default:
			c.Output = strings.TrimSuffix(t.State+": "+t.Detail, ": ")
		}
		out = append(out, c)
	}
	return out
}
