// Package threshold parses and judges the service level objectives of a
// scenario, such as "freshness.p99 < 15s" or "records.missing == 0".
//
// A value flows like this: [Parse] turns the text into a [Threshold] and checks
// its metric, unit and window before anything is sent; when the run is over
// [Threshold.Judge] compares the limit with the measured value. A metric
// without samples never passes.
//
// It does not measure: the load test gives the value.
package threshold

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Unit is what a metric is measured in.
type Unit string

// The units. A Rate is written "4950/s" or, as a share of what was intended, "99%".
const (
	Records Unit = "records"
	Seconds Unit = "seconds"
	Rate    Unit = "records/s"
	Percent Unit = "percent"
)

// Metric is one thing a threshold can speak of.
type Metric struct {
	Name string
	Unit Unit
	Help string
}

// Metrics returns every metric that a threshold can name.
func Metrics() []Metric {
	out := []Metric{
		{"records.intended", Records, "records that became due"},
		{"records.sent", Records, "records handed to the client"},
		{"records.acked", Records, "records that the broker acknowledged"},
		{"records.failed", Records, "records that surely were not written"},
		{"records.unknown", Records, "records whose fate the broker never told"},
		{"records.seen", Records, "different records found at the end of the journey"},
		{"records.missing", Records, "acknowledged records that did not arrive"},
		{"records.duplicate", Records, "rows beyond the first of a record"},
		{"records.corrupt", Records, "records whose content differs from what was sent"},
		{"records.late", Records, "records that arrived later than late_after"},
		{"records.unexpected", Records, "rows that nobody sent, inside the run's offsets"},
		{"rate.achieved", Rate, "acknowledged records per second, or as a share of the intended rate"},
		{"rate.table", Rate, "records per second that landed in the table, from first intended to last seen"},
		{"lag.max", Records, "highest lag of the table behind the acknowledged records"},
		{"batch.p95", Seconds, "95th percentile of Spark's batch duration, plan to commit seen"},
	}
	for _, hop := range []struct{ name, help string }{
		{"ack", "intended time to acknowledgement (corrected for coordinated omission)"},
		{"ack.service", "handed to the client to acknowledgement"},
		{"ack.scheduler", "the generator's own delay, intended to handed over"},
		{"consume", "intended time to consumed from the topic"},
		{"freshness", "intended time to first seen in a table snapshot"},
	} {
		for _, q := range []string{"p50", "p95", "p99", "p999", "max"} {
			out = append(out, Metric{hop.name + "." + q, Seconds, hop.help + ", " + q})
		}
	}
	return out
}

// Threshold is one parsed expression.
type Threshold struct {
	Expression string
	Metric     string
	Op         string
	Limit      float64 // in Unit; a share is in percent
	Unit       Unit
	Phase      string // "" is everything after the warm-up
}

// Result is the judgement of one threshold.
type Result struct {
	Threshold
	Value  float64 // NaN without samples
	OK     bool
	NoData bool
}

// Parse reads "<metric> <op> <limit>" with an optional " during <phase>" and
// checks it against the known metrics.
func Parse(text string) (Threshold, error) {
	form := regexp.MustCompile(`^\s*([\w.]+)\s*(==|!=|<=|>=|<|>)\s*(\S+)(?:\s+during\s+(\S+))?\s*$`)
	m := form.FindStringSubmatch(text)
	if m == nil {
		return Threshold{}, fail.New(fail.Usage,
			`write "<metric> <operator> <limit>", for example "freshness.p99 < 15s" or "records.missing == 0"`,
			"parsing threshold %q", text)
	}
	metrics := Metrics()
	i := slices.IndexFunc(metrics, func(k Metric) bool { return k.Name == m[1] })
	if i < 0 {
		return Threshold{}, unknownMetric(text, m[1], metrics)
	}
	limit, unit, err := parseLimit(m[3], metrics[i].Unit)
	if err != nil {
		return Threshold{}, fail.Wrap(fmt.Errorf("parsing threshold %q: %w", text, err), fail.Usage,
			example(metrics[i]))
	}
	return Threshold{strings.TrimSpace(text), m[1], m[2], limit, unit, m[4]}, nil
}

func unknownMetric(text, name string, metrics []Metric) error {
	names := make([]string, len(metrics))
	for i, k := range metrics {
		names[i] = k.Name
	}
	hint := "known metrics are " + strings.Join(names, ", ")
	if near := strict.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return fail.New(fail.Usage, hint, "parsing threshold %q: unknown metric %q", text, name)
}

func example(m Metric) string {
	limit := map[Unit]string{Records: "0", Seconds: "250ms", Rate: "99% or 4950/s"}[m.Unit]
	return fmt.Sprintf("%s is in %s: write a limit like %s", m.Name, m.Unit, limit)
}

// parseLimit reads a limit in a unit that suits the metric.
func parseLimit(s string, unit Unit) (float64, Unit, error) {
	switch unit {
	case Seconds:
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, "", fmt.Errorf("%q is not a duration", s)
		}
		return d.Seconds(), Seconds, nil
	case Rate:
		if share, ok := strings.CutSuffix(s, "%"); ok {
			v, err := number(share)
			return v, Percent, err
		}
		v, err := number(strings.TrimSuffix(s, "/s"))
		return v, Rate, err
	default:
		v, err := number(strings.ReplaceAll(s, "_", ""))
		return v, Records, err
	}
}

func number(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return 0, fmt.Errorf("%q is not a number of zero or more", s)
	}
	return v, nil
}

// Judge compares value with the limit; ok false means that there are no samples.
func (t Threshold) Judge(value float64, ok bool) Result {
	if !ok || math.IsNaN(value) {
		return Result{Threshold: t, Value: math.NaN(), NoData: true}
	}
	pass := false
	switch t.Op {
	case "==":
		pass = value == t.Limit
	case "!=":
		pass = value != t.Limit
	case "<":
		pass = value < t.Limit
	case "<=":
		pass = value <= t.Limit
	case ">":
		pass = value > t.Limit
	case ">=":
		pass = value >= t.Limit
	}
	return Result{Threshold: t, Value: value, OK: pass}
}
