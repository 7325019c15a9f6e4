package realism

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// SchemaVersion is the version of the report's JSON. It changes when a key is
// renamed, removed or given another meaning; new keys do not change it.
const SchemaVersion = "1"

// Verdict is the outcome of a measure or of the whole report.
type Verdict string

// The verdicts. Too few data, or nothing to compare with, is never a pass.
const (
	Pass        Verdict = "pass"
	Fail        Verdict = "fail"
	NotMeasured Verdict = "not measured"
)

// The bands that are always the same. A distance passes below its band.
const (
	bandBenford      = 0.006
	bandSigma        = 0.05
	bandMix          = 0.01
	bandHours        = 0.01
	bandWeekdays     = 0.02
	bandZipf         = 0.02
	bandDegree       = 0.1
	bandMultiplicity = 0.1 // relative
	bandIndependent  = 0.01
	bandDependent    = 0.01
	bandLeak         = 0.5
	outerShare       = 0.0005 // each side of a 99.9 % interval
	outerErrors      = 3.2905 // standard errors of a 99.9 % interval
)

// The groups of measures, in the order of the report.
const (
	groupBooks   = "books and keys"
	groupAmounts = "amounts and types"
	groupTime    = "time"
	groupGraph   = "merchants and graph"
	groupRates   = "rates"
	groupColumns = "columns together"
)

// Report is what was measured. A key that is not known is null.
type Report struct {
	SchemaVersion string    `json:"schema_version"`
	Source        string    `json:"source"`
	Verdict       Verdict   `json:"verdict"`
	Reason        string    `json:"reason"` // one sentence in figures
	Records       uint64    `json:"records"`
	From          time.Time `json:"from"`
	To            time.Time `json:"to"`
	Passed        int       `json:"passed"`
	Failed        int       `json:"failed"`
	NotMeasured   int       `json:"not_measured"`
	Measures      []Measure `json:"measures"`
	Scores        []Score   `json:"scores"` // under the names of SDMetrics, 1 is best
	Notes         []string  `json:"notes"`  // what was sampled or left out
	Plots         Plots     `json:"plots"`
}

// Measure is one figure with its band.
type Measure struct {
	Name      string   `json:"name"`
	Title     string   `json:"title"`
	Group     string   `json:"group"`
	Unit      string   `json:"unit"` // share, or "" for a plain number
	Value     *float64 `json:"value"`
	Low       *float64 `json:"low"`  // the band, both ends allowed
	High      *float64 `json:"high"` // the band; null means no end
	Published string   `json:"published"`
	Source    string   `json:"source"`
	Verdict   Verdict  `json:"verdict"`
	Samples   uint64   `json:"samples"`
	Sentence  string   `json:"sentence"`
	Details   []Detail `json:"details"`

	scores []Score
}

// Detail is one line below a measure.
type Detail struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Score is a quality score as the SDMetrics library defines it: 1 is best.
type Score struct {
	Name    string  `json:"name"`
	Column  string  `json:"column"`
	Value   float64 `json:"value"`
	Samples uint64  `json:"samples"`
}

func (m Measure) unmeasured(format string, args ...any) Measure {
	m.Verdict, m.Sentence = NotMeasured, sentence(format, args)
	return m
}

// judge holds a value against the band.
func (m Measure) judge(value float64, format string, args ...any) Measure {
	m.Sentence = sentence(format, args)
	if math.IsNaN(value) || math.IsInf(value, 0) {
		m.Verdict = NotMeasured
		return m
	}
	m.Value, m.Verdict = new(value), Pass
	if m.Low != nil && value < *m.Low || m.High != nil && value > *m.High {
		m.Verdict = Fail
	}
	return m
}

func (m *Measure) detail(name, format string, args ...any) {
	m.Details = append(m.Details, Detail{name, fmt.Sprintf(format, args...)})
}

func (m *Measure) score(name, column string, value float64, n uint64) {
	m.scores = append(m.scores, Score{name, column, value, n})
}

// band sets both ends.
func (m *Measure) band(low, high float64) { m.Low, m.High = new(low), new(high) }

// Range writes the band for people.
func (m *Measure) Range() string {
	switch {
	case m.Low == nil && m.High == nil:
		return "–"
	case m.Low == nil && *m.High == 0:
		return "0"
	case m.Low == nil:
		return "≤ " + m.write(*m.High)
	case m.High == nil:
		return "≥ " + m.write(*m.Low)
	}
	return strings.TrimSuffix(m.write(*m.Low), " %") + " to " + m.write(*m.High)
}

// write writes a value in the measure's unit.
func (m *Measure) write(v float64) string {
	if m.Unit == unitShare {
		return percent(v)
	}
	return number(v)
}

// unitShare marks values that people read as a percentage.
const unitShare = "share"

// Report computes every measure. More records may be observed afterwards.
func (m *Meter) Report() *Report {
	r := &Report{
		SchemaVersion: SchemaVersion, Source: m.opt.Source, Records: m.records,
		Scores: []Score{}, Notes: m.notes(),
	}
	if m.records > 0 {
		r.From, r.To = instant(m.first), instant(m.last)
	}
	shares, matrix := m.dependence()
	r.Measures = []Measure{
		m.conservation(), m.balances(), m.integrity(), m.uniqueness(), m.identifiers(), m.withinBounds(),
		m.benford(), m.sigmas(), m.typeMix(),
		m.hourCurve(), m.weekdayCurve(), m.payday(), m.burstiness(), m.dispersion(),
		m.zipf(), m.inDegree(), m.outDegree(), m.multiplicity(),
		m.fraudVolume(), m.fraudValue(), m.chargebacks(), m.declines(),
	}
	r.Measures = append(r.Measures, shares...)
	r.Measures = append(r.Measures, m.leakage())
	for i := range r.Measures {
		x := &r.Measures[i]
		r.Scores = append(r.Scores, x.scores...)
		if x.Details == nil {
			x.Details = []Detail{}
		}
		switch x.Verdict {
		case Pass:
			r.Passed++
		case Fail:
			r.Failed++
		default:
			r.NotMeasured++
		}
	}
	r.conclude()
	r.Plots = m.plots(matrix)
	return r
}

// instant is a time within the years that JSON can say.
func instant(micros int64) time.Time {
	const first, last = -62_135_596_800_000_000, 253_402_300_799_000_000
	return time.UnixMicro(min(max(micros, first), last)).UTC()
}

// conclude speaks the verdict.
func (r *Report) conclude() {
	switch {
	case r.Failed > 0:
		r.Verdict = Fail
		r.Reason = fmt.Sprintf("%d of %d measures are outside their bands", r.Failed, r.Passed+r.Failed)
	case r.Passed > 0:
		r.Verdict = Pass
		r.Reason = fmt.Sprintf("all %d measures that could be taken lie in their bands", r.Passed)
	default:
		r.Verdict, r.Reason = NotMeasured, "nothing could be measured"
	}
	if r.NotMeasured > 0 && r.Passed+r.Failed > 0 {
		r.Reason += fmt.Sprintf("; %d could not be measured", r.NotMeasured)
	}
}

// notes say what was sampled or left out.
func (m *Meter) notes() []string {
	out := []string{}
	for _, s := range []struct {
		what  string
		level uint8
	}{
		{"event ids", m.keys.set.level},
		{"accounts", m.people.level},
		{"merchants", m.graph.shops.level},
		{"pairs of accounts", m.graph.level},
		{"types by category and currency", m.amounts.cells.level},
		{"fraud cases", m.rates.cases.level},
	} {
		if s.level > 0 {
			out = append(out, fmt.Sprintf("memory is bounded: of the %s, 1 in %s was looked at", s.what, count(1<<s.level)))
		}
	}
	if m.days.outside > 0 {
		out = append(out, fmt.Sprintf("%s records lie outside the %s days that are kept",
			count(m.days.outside), count(maxDays)))
	}
	if m.pace.late > 0 {
		out = append(out, fmt.Sprintf("%s records came later than a record of a later second", count(m.pace.late)))
	}
	return out
}

// sentence formats with a capital letter and a full stop.
func sentence(format string, args []any) string {
	s := fmt.Sprintf(format, args...)
	if s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s + "."
}

func count[N ~int | ~int64 | ~uint64](n N) string { return ui.Count(n) }
func number(v float64) string                     { return ui.Number(v) }

// percent writes a share with three significant digits.
func percent(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v*100, 'e', 2, 64), 64)
	if err != nil { // it was written by the same package
		rounded = v * 100
	}
	return number(rounded) + " %"
}

func root(v float64) float64 { return math.Sqrt(max(v, 0)) }
