package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Glyph is the sign of a verdict, beside its word.
func Glyph(v Verdict) string {
	switch v {
	case Pass:
		return "✓"
	case Fail:
		return "✗"
	case Inconclusive:
		return "?"
	default:
		return "■"
	}
}

// Row is one line of the balance.
type Row struct {
	Name string
	N    uint64
	Bad  bool // a number above zero is harm
	Note string
}

// Balance is where the records went, from left to right, then each difference
// with its name. Zero is said as zero.
func Balance(r Records) []Row {
	return []Row{
		{"intended", r.Intended, false, "became due"},
		{"sent", r.Sent, false, "handed to the client"},
		{"acknowledged", r.Acked, false, "by the broker"},
		{"arrived", r.Seen, false, "different records at the end of the journey"},
		{"failed", r.Failed, false, "surely not written"},
		{"unknown", r.Unknown, false, "never answered by the broker"},
		{"missing", r.Missing, true, "acknowledged, did not arrive"},
		{"duplicate", r.Duplicate, true, "rows beyond the first of a record"},
		{"corrupt", r.Corrupt, true, "content differs from what was sent"},
		{"late", r.Late, false, "arrived later than late_after"},
		{"unexpected", r.Unexpected, true, "rows that nobody sent"},
	}
}

// Class is one way to be harmed, with its examples.
type Class struct {
	Name     string
	N        uint64
	Examples []Example
	Ranges   []Range
}

// Classes returns the five classes.
func Classes(r *Report) []Class {
	return []Class{
		{"missing", r.Records.Missing, r.Examples.Missing, r.Ranges.Missing},
		{"duplicate", r.Records.Duplicate, r.Examples.Duplicate, r.Ranges.Duplicate},
		{"corrupt", r.Records.Corrupt, r.Examples.Corrupt, r.Ranges.Corrupt},
		{"late", r.Records.Late, r.Examples.Late, r.Ranges.Late},
		{"unexpected", r.Records.Unexpected, r.Examples.Unexpected, nil},
	}
}

// Where says where an example lies.
func Where(e Example) string {
	var parts []string
	if e.Seq != nil {
		parts = append(parts, fmt.Sprintf("%s %d", e.Stream, *e.Seq))
	}
	if e.Partition != nil && e.Offset != nil {
		parts = append(parts, fmt.Sprintf("%s[%d]@%d", e.Topic, *e.Partition, *e.Offset))
	}
	if e.Snapshot != 0 {
		parts = append(parts, fmt.Sprintf("snapshot %d", e.Snapshot))
	}
	return strings.Join(parts, ", ")
}

// Query is a statement for Spark SQL that shows an example's rows.
func Query(e Example) string {
	if e.Table == "" || strings.ContainsAny(e.EventID, "'\\\n") {
		return ""
	}
	return fmt.Sprintf("SELECT * FROM lab.%s WHERE event_id = '%s'", e.Table, e.EventID)
}

// Count writes a number with commas.
func Count(n uint64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Seconds writes a duration in seconds for people; "no samples" for nil.
func Seconds(v *float64) string {
	switch {
	case v == nil:
		return "no samples"
	case *v < 0.001:
		return fmt.Sprintf("%.0f µs", *v*1e6)
	case *v < 1:
		return fmt.Sprintf("%.3g ms", *v*1e3)
	case *v < 120:
		return fmt.Sprintf("%.3g s", *v)
	default:
		return time.Duration(*v * float64(time.Second)).Round(time.Second).String()
	}
}

// Measure writes a threshold's value in its unit.
func Measure(v *float64, unit string) string {
	switch {
	case v == nil:
		return "no samples"
	case unit == "seconds" && *v < 0:
		minus := -*v
		return "−" + Seconds(&minus)
	case unit == "seconds":
		return Seconds(v)
	case unit == "percent":
		return fmt.Sprintf("%.2f %%", *v)
	case unit == "records/s":
		return Count(uint64(max(*v, 0))) + "/s"
	case *v < 0:
		return "−" + Count(uint64(-*v))
	default:
		return Count(uint64(*v))
	}
}

func stateWord(state string) string {
	return map[string]string{"ok": "✓ ok", "missed": "✗ missed", "no_data": "? no samples"}[state]
}

// Text writes the last lines of a command: verdict, balance, what was missed,
// what went wrong, and where the report is.
func Text(w io.Writer, r *Report, dir string) error {
	var b strings.Builder
	lab := ""
	if r.Environment.Embedded {
		lab = " (embedded lab)"
	}
	fmt.Fprintf(&b, "%s %s%s: %s\n\n", Glyph(r.Verdict), strings.ToUpper(string(r.Verdict)), lab, r.Reason)
	rec := r.Records
	fmt.Fprintf(&b, "  records   %s intended → %s sent → %s acknowledged → %s arrived\n",
		Count(rec.Intended), Count(rec.Sent), Count(rec.Acked), Count(rec.Seen))
	fmt.Fprintf(&b, "            missing %s, duplicate %s, corrupt %s, late %s, unexpected %s\n",
		Count(rec.Missing), Count(rec.Duplicate), Count(rec.Corrupt), Count(rec.Late), Count(rec.Unexpected))
	fmt.Fprintf(&b, "  ack       p50 %s  p99 %s  (service p99 %s, generator's own delay p99 %s)\n",
		Seconds(r.Latency.Ack.Corrected.P50), Seconds(r.Latency.Ack.Corrected.P99),
		Seconds(r.Latency.Ack.Service.P99), Seconds(r.Latency.Ack.Scheduler.P99))
	if f := r.Latency.Freshness; f.Count > 0 {
		fmt.Fprintf(&b, "  freshness p50 %s  p99 %s  max %s  (at most %s too high)\n",
			Seconds(f.P50), Seconds(f.P99), Seconds(f.Max), Seconds(r.Bound))
	}
	for _, t := range r.Thresholds {
		fmt.Fprintf(&b, "  %-14s %-32s %s\n", stateWord(t.State), t.Expression, Measure(t.Value, t.Unit))
	}
	for _, c := range Classes(r) {
		for i, e := range c.Examples {
			if i == 5 {
				fmt.Fprintf(&b, "  %-10s ... and %s more\n", c.Name, Count(c.N-5))
				break
			}
			fmt.Fprintf(&b, "  %-10s %s  %s: %s\n", c.Name, e.EventID, Where(e), e.Detail)
		}
	}
	if dir != "" {
		fmt.Fprintf(&b, "\n  report    %s/%s\n", strings.TrimSuffix(dir, "/"), HTMLFile)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
