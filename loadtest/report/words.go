package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// embeddedWords marks the figures of a run inside our own process.
const embeddedWords = "embedded lab"

// Glyph is the sign of a verdict, beside its word.
func Glyph(v Verdict) string {
	switch v {
	case Pass:
		return ui.Good
	case Fail:
		return ui.Bad
	case Inconclusive:
		return ui.Unclear
	default:
		return ui.Stopped
	}
}

// Row is one line of the balance.
type Row struct {
	Name string
	N    uint64
	Bad  bool // a number above zero is harm
	Note string
}

// Balance is where the records went: the four stages from left to right, then
// each difference with its name. Zero is said as zero.
func Balance(r Records) []Row {
	rows := []Row{
		{"intended", r.Intended, false, "became due"},
		{"sent", r.Sent, false, "handed to the client"},
		{"acknowledged", r.Acked, false, "by the broker"},
		{"arrived", r.Seen, false, "different records at the end of the journey"},
		{"not sent", less(r.Intended, r.Sent), false, "due, and never handed to the client"},
		{"failed", r.Failed, false, "surely not written"},
		{"unknown", r.Unknown, false, "never answered by the broker"},
		{"missing", r.Missing, true, "acknowledged, did not arrive"},
		{"unacknowledged", less(r.Seen+r.Missing+r.Letters, r.Acked), false, "arrived although the broker's answer did not"},
		{"duplicate", r.Duplicate, true, "rows beyond the first of a record"},
		{"corrupt", r.Corrupt, true, "content differs from what was sent"},
		{"late", r.Late, false, "arrived later than late_after"},
		{"unexpected", r.Unexpected, true, "rows that nobody sent"},
	}
	if r.Letters > 0 {
		rows = append(rows, Row{"dead letters", r.Letters, false, "spoilt on purpose, and among the dead letters"})
	}
	return rows
}

// less is a - b, and 0 where b is more.
func less(a, b uint64) uint64 { return a - min(a, b) }

// Class is one way to be harmed, with its examples.
type Class struct {
	Name     string
	What     string // what one record of it is
	N        uint64
	Examples []Example
	Ranges   []Range
}

// Classes returns the five classes.
func Classes(r *Report) []Class {
	c, e, g := r.Records, r.Examples, r.Ranges
	return []Class{
		{"missing", "acknowledged by the broker, and absent at the end of the journey", c.Missing, e.Missing, g.Missing},
		{"duplicate", "a further row of a record that is there already", c.Duplicate, e.Duplicate, g.Duplicate},
		{"corrupt", "there, with content that differs from what was sent", c.Corrupt, e.Corrupt, g.Corrupt},
		{"late", "there, later than the scenario's late_after", c.Late, e.Late, g.Late},
		{"unexpected", "a row inside the run's offsets that nobody sent", c.Unexpected, e.Unexpected, nil},
	}
}

// Who names an example: its stream and number.
func Who(e Example) string {
	if e.Seq == nil {
		return e.Stream + " #?" // a row that no record of the run explains
	}
	return fmt.Sprintf("%s #%d", e.Stream, *e.Seq)
}

// Place says where on the topic an example lies.
func Place(e Example) string {
	out := e.Topic
	if e.Partition != nil {
		out += fmt.Sprintf("[%d]", *e.Partition)
	}
	if e.Offset != nil {
		out += fmt.Sprintf("@%d", *e.Offset)
	}
	return out
}

// Where says where an example lies: record, place on the topic, snapshot.
func Where(e Example) string {
	parts := []string{Who(e)}
	if e.Partition != nil && e.Offset != nil {
		parts = append(parts, Place(e))
	}
	if e.Snapshot != 0 {
		parts = append(parts, fmt.Sprintf("snapshot %d", e.Snapshot))
	}
	return strings.Join(parts, ", ")
}

// catalogName is the name of the catalog in the Spark configuration that the
// project ships.
const catalogName = "lab"

// Query is a statement for Spark SQL that shows an example's rows, or "" where
// the journey ended at the topic. The columns are those of the example's
// stream; without any, event_id.
func Query(r *Report, e Example) string {
	if e.Table == "" {
		return ""
	}
	cols := r.columnsOf(e.Stream)
	var either []string
	if e.EventID != "" {
		either = append(either, ident(cols.EventID)+" = "+literal(e.EventID))
	}
	show := ident(cols.EventID) + ", _file, _pos"
	if e.Offset != nil && e.Partition != nil && cols.Offset != "" && cols.Partition != "" {
		show += ", " + ident(cols.Offset)
		place := fmt.Sprintf("%s = %d", ident(cols.Offset), *e.Offset)
		if !reserved(cols.Partition) {
			place = fmt.Sprintf("%s = %d AND %s", ident(cols.Partition), *e.Partition, place)
		}
		if cols.Topic != "" {
			place = ident(cols.Topic) + " = " + literal(e.Topic) + " AND " + place
		}
		either = append(either, "("+place+")")
	}
	if len(either) == 0 {
		return ""
	}
	return fmt.Sprintf("SELECT %s FROM %s.%s WHERE %s", show, catalogName, ident(e.Table), strings.Join(either, " OR "))
}

// reserved reports whether Iceberg keeps a column name for its own metadata
// columns. A table may have such a column, but Spark refuses every query that
// names it, and therefore SELECT * too (org.apache.iceberg.MetadataColumns).
func reserved(column string) bool {
	return slices.Contains([]string{"_partition", "_file", "_pos", "_deleted", "_spec_id"}, column)
}

// QueryAll is a statement that counts the rows of all examples in the first
// one's table, or "" for fewer than two.
func QueryAll(r *Report, examples []Example) string {
	var ids []string
	var first *Example
	for i, e := range examples {
		if e.EventID == "" || e.Table == "" || first != nil && e.Table != first.Table {
			continue
		}
		if first == nil {
			first = &examples[i]
		}
		ids = append(ids, literal(e.EventID))
	}
	if len(ids) < 2 {
		return ""
	}
	const form = "SELECT %[1]s, count(*) AS n FROM %[2]s.%[3]s WHERE %[1]s IN (%[4]s) GROUP BY %[1]s ORDER BY n DESC"
	return fmt.Sprintf(form,
		ident(r.columnsOf(first.Stream).EventID), catalogName, ident(first.Table), strings.Join(ids, ", "))
}

// columnsOf returns the names of a stream's columns.
func (r *Report) columnsOf(stream string) Columns {
	for _, s := range r.Streams {
		if s.Name == stream && s.Columns.EventID != "" {
			return s.Columns
		}
	}
	return Columns{EventID: "event_id"}
}

// ident quotes each part of a name that Spark would not take plain.
func ident(name string) string {
	plain := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	parts := strings.Split(name, ".")
	for i, p := range parts {
		if !plain.MatchString(p) {
			parts[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
		}
	}
	return strings.Join(parts, ".")
}

// literal quotes text for Spark SQL, which reads backslashes as escapes. What
// cannot be seen is written as its number.
func literal(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// Count writes a number with commas.
func Count(n uint64) string { return ui.Count(n) }

// Seconds writes a duration in seconds for people; "no samples" for nil.
func Seconds(v *float64) string {
	if v == nil {
		return "no samples"
	}
	return ui.Seconds(*v)
}

// Measure writes a threshold's value in its unit.
func Measure(v *float64, unit string) string {
	if v == nil {
		return "no samples"
	}
	switch unit {
	case "seconds":
		return ui.Seconds(*v)
	case "percent":
		return fmt.Sprintf("%.2f %%", *v)
	case "records/s":
		return ui.Rate(*v)
	default:
		return ui.Number(*v)
	}
}

// Ordered returns the thresholds with the missed ones first, then those
// without samples.
func Ordered(in []Threshold) []Threshold {
	rank := func(t Threshold) int { return slices.Index([]string{"missed", "no_data", "ok"}, t.State) }
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b Threshold) int { return rank(a) - rank(b) })
	return out
}

// held counts the thresholds that held.
func held(in []Threshold) int {
	n := 0
	for _, t := range in {
		if t.State == "ok" {
			n++
		}
	}
	return n
}

func stateWord(state string) string {
	return map[string]string{
		"ok": ui.Good + " held", "missed": ui.Bad + " missed", "no_data": ui.Unclear + " no samples",
		"clean": ui.Good + " clean", "dirty": ui.Bad + " dirty", "sampled": ui.Good + " sampled",
		"not possible": "– not possible",
		"up":           ui.Good + " up", "down": ui.Bad + " down",
	}[state]
}

// judgement says a threshold that did not hold in words.
func (t Threshold) judgement() string {
	text := t.Expression + ": no samples, which is never a pass"
	if t.Value != nil {
		text = fmt.Sprintf("%s: is %s", t.Expression, Measure(t.Value, t.Unit))
		if t.Margin != nil && *t.Margin < 0 {
			off := -*t.Margin
			text += ", off by " + Measure(&off, t.Unit)
		}
	}
	return fmt.Sprintf("%s (%s)", text, t.Window)
}

// end names the end of the journey.
func (r *Report) end() string {
	var tables, topics bool
	for _, s := range r.Streams {
		tables, topics = tables || s.Table != "", topics || s.Table == ""
	}
	switch {
	case tables && !topics:
		return "in the table"
	case topics && !tables:
		return "consumed"
	}
	return "arrived"
}
