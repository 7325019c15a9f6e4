package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// embeddedWords marks the figures of a run inside our own process.
const embeddedWords = "embedded lab"

// word is the verdict in capitals with its glyph.
func (v Verdict) word() (glyph, word string) {
	word = strings.ToUpper(string(v))
	switch v {
	case Pass:
		return ui.Good, word
	case Fail:
		return ui.Bad, word
	case Interrupted:
		return ui.Stopped, word
	case Inconclusive:
		return ui.Unclear, word
	}
	return ui.Unclear, "UNKNOWN"
}

// class is one kind of finding.
type class struct {
	name     string
	what     string // one record of it is ...
	count    uint64
	examples []Example
	ranges   []Range
	grave    bool // fails the run whatever the thresholds say
}

// classes are the kinds of findings in the order of the report.
func (r *Report) classes() []class {
	c, e, g := r.Records, r.Examples, r.Ranges
	return []class{
		{"missing", "acknowledged by the broker and absent at the end of the journey", c.Missing, e.Missing, g.Missing, true},
		{"duplicate", "a further row of a record that was already there", c.Duplicate, e.Duplicate, g.Duplicate, true},
		{"corrupt", "there, and with content that differs from what was sent", c.Corrupt, e.Corrupt, g.Corrupt, true},
		{"late", "there, and later than the scenario allows", c.Late, e.Late, g.Late, false},
		{"unexpected", "a row inside the run's offsets that nobody sent", c.Unexpected, e.Unexpected, nil, true},
	}
}

// end says where the journey ends.
func (r *Report) end() string {
	tables, topics := false, false
	for _, s := range r.Streams {
		tables, topics = tables || s.Table != "", topics || s.Table == ""
	}
	switch {
	case tables && topics:
		return "arrived"
	case topics:
		return "consumed"
	}
	return "in the table"
}

// value writes a threshold's figure in its unit.
func (t Threshold) value(v *float64) string {
	if v == nil {
		return "no data"
	}
	switch t.Unit {
	case "seconds":
		return ui.Seconds(*v)
	case "percent":
		return ui.Number(*v) + " %"
	case "records/s":
		return ui.Rate(*v)
	}
	return ui.Number(*v)
}

// operator is what stands between metric and limit.
func (t Threshold) operator() string {
	for _, f := range strings.Fields(t.Expression) {
		if strings.Trim(f, "<>=!") == "" {
			return f
		}
	}
	at := strings.IndexAny(t.Expression, "<>=!")
	if at < 0 {
		return ""
	}
	end := at
	for end < len(t.Expression) && strings.IndexByte("<>=!", t.Expression[end]) >= 0 {
		end++
	}
	return t.Expression[at:end]
}

// state is the outcome with its glyph.
func (t Threshold) state() (glyph, word string) {
	switch t.State {
	case "ok":
		return ui.Good, "held"
	case "missed":
		return ui.Bad, "missed"
	}
	return ui.Unclear, "no data"
}

// judgement says a threshold that did not hold in words.
func (t Threshold) judgement() string {
	if t.Value == nil {
		return fmt.Sprintf("%s: no data, which is never a pass (%s)", t.Expression, t.Window)
	}
	text := fmt.Sprintf("%s: is %s", t.Expression, t.value(t.Value))
	if t.Margin != nil && *t.Margin < 0 {
		off := -*t.Margin
		text += fmt.Sprintf(", off by %s", t.value(&off))
	}
	return text + " (" + t.Window + ")"
}

// ordered returns the thresholds with the missed ones first, then those
// without data.
func (r *Report) ordered() []Threshold {
	var out []Threshold
	for _, state := range []string{"missed", "no_data", "ok"} {
		for _, t := range r.Thresholds {
			if t.State == state {
				out = append(out, t)
			}
		}
	}
	return out
}

// held counts the thresholds that held.
func (r *Report) held() int {
	n := 0
	for _, t := range r.Thresholds {
		if t.State == "ok" {
			n++
		}
	}
	return n
}

// where says at which place of the topic a record is.
func (e Example) where() string {
	text := e.Topic
	if e.Partition != nil {
		text += fmt.Sprintf("/%d", *e.Partition)
	}
	if e.Offset != nil {
		text += fmt.Sprintf(" @%d", *e.Offset)
	}
	return text
}

// who names a record: its stream and number.
func (e Example) who() string {
	if e.Seq == nil {
		return e.Stream + ", no record of the run"
	}
	return fmt.Sprintf("%s #%d", e.Stream, *e.Seq)
}

// moment writes a time as RFC 3339 in UTC, to the millisecond.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// words writes the figures of a distribution, with "no data" where there
// are no samples.
func (q Quantiles) words() [5]string {
	var out [5]string
	for i, v := range []*float64{q.P50, q.P95, q.P99, q.P999, q.Max} {
		out[i] = "no data"
		if v != nil {
			out[i] = ui.Seconds(*v)
		}
	}
	return out
}

// hopLatency is a row of the latency table.
type hopLatency struct {
	Hop, Column, What string
	Quantiles         Quantiles
}

// latencies are the rows of the latency table.
func (r *Report) latencies() []hopLatency {
	l := r.Latency
	return []hopLatency{
		{"ack", "service", "handed over to acknowledged", l.Ack.Service},
		{"ack", "corrected", "due to acknowledged", l.Ack.Corrected},
		{"ack", "scheduler", "due to handed over: the generator's own delay", l.Ack.Scheduler},
		{"consume", "corrected", "due to consumed from the topic", l.Consume},
		{"freshness", "corrected", "due to first seen in a table snapshot", l.Freshness},
	}
}
