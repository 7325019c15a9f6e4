package report

import (
	"encoding/xml"
	"fmt"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Stamp    string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
	Skipped *junitProblem `xml:"skipped,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit is the report as JUnit XML: one case for each invariant, each tier and
// each threshold.
func JUnit(r *Report) ([]byte, error) {
	s := junitSuite{
		Name: "lakeproof " + r.ScenarioName, Time: fmt.Sprintf("%.3f", r.Duration),
		Stamp: r.Started.Format("2006-01-02T15:04:05"),
	}
	class := "lakeproof." + r.ScenarioName
	put := func(name, kind, message, text string) {
		c := junitCase{Class: class, Name: name, Time: "0"}
		p := &junitProblem{Message: message, Text: text}
		switch kind {
		case "failure":
			c.Failure = p
			s.Failures++
		case "error":
			c.Error = p
			s.Errors++
		case "skipped":
			c.Skipped = p
			s.Skipped++
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	for _, c := range Classes(r) {
		if c.Name == "late" {
			continue // a threshold's business
		}
		kind, text := "", ""
		if c.N > 0 {
			kind = "failure"
		}
		for _, e := range c.Examples {
			text += e.EventID + " " + Where(e) + ": " + e.Detail + "\n"
		}
		put("no record is "+c.Name, kind, Count(c.N)+" "+c.Name, text)
	}
	for _, t := range r.Tiers {
		kind := map[string]string{"dirty": "failure", "not possible": "skipped"}[t.State]
		put(fmt.Sprintf("%s of %s is clean", t.Tier, t.Stream), kind, t.State, t.Detail)
	}
	kept := ""
	if r.Generator.Bottleneck {
		kept = "error"
	}
	put("the generator kept up", kept, "the generator was the bottleneck", Count(r.Generator.Late)+" records left late")
	for _, t := range r.Thresholds {
		kind := map[string]string{"missed": "failure", "no_data": "error"}[t.State]
		put(t.Expression, kind, "measured "+Measure(t.Value, t.Unit), t.Window)
	}
	if r.Verdict == Interrupted || r.Verdict == Inconclusive && s.Failures+s.Errors == 0 {
		put("the run is conclusive", "error", string(r.Verdict), r.Reason)
	}
	out, err := xml.MarshalIndent(s, "", "  ")
	return append([]byte(xml.Header), append(out, '\n')...), err
}
