package metrics

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

const page = "../docs/metrics.md"

func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		if seen[m.Name] {
			t.Errorf("%s is there twice", m.Name)
		}
		seen[m.Name] = true
		for _, problem := range problems(m) {
			t.Errorf("%s: %s", m.Name, problem)
		}
	}
}

// TestCatalogueRefuses is the negative control of problems.
func TestCatalogueRefuses(t *testing.T) {
	for _, m := range []Metric{
		{Name: "lakeproof_x_seconds", Kind: Counter, Unit: Seconds, Help: "No total"},
		{Name: "lakeproof_x_total", Kind: Gauge, Help: "A total that is no counter"},
		{Name: "lakeproof_x_milliseconds", Kind: Gauge, Help: "Not a base unit"},
		{Name: "lakeproof_x", Kind: Gauge, Unit: Bytes, Help: "The unit is not in the name"},
		{Name: "kafka_exporter_x_count", Kind: Gauge, Help: "A name of another tool's kind without saying so"},
		{Name: "x_bytes", Kind: Gauge, Unit: Bytes, Help: "Without the prefix"},
		{Name: "lakeproof_x", Kind: Gauge},
		{Name: "lakeproof_x", Kind: Gauge, Help: "Ends in a stop."},
		{Name: "lakeproof_x_seconds", Kind: Histogram, Unit: Seconds, Help: "Without buckets"},
		{Name: "lakeproof_x_seconds", Kind: Histogram, Unit: Seconds, Help: "Unsorted", Buckets: []float64{2, 1}},
		{Name: "lakeproof_x", Kind: Gauge, Help: "A label of Prometheus' own", Labels: []string{"le"}},
	} {
		if len(problems(m)) == 0 {
			t.Errorf("%+v: no problem found", m)
		}
	}
}

func problems(m Metric) []string {
	var out []string
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(sample{m})
	families, err := registry.Gather()
	if err != nil {
		return append(out, err.Error())
	}
	lint, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		out = append(out, err.Error())
	}
	for _, p := range lint {
		if m.Origin == "" { // another tool's name is kept as it is
			out = append(out, p.Text)
		}
	}
	switch {
	case !slices.ContainsFunc(prefixes(), func(p string) bool { return strings.HasPrefix(m.Name, p) }):
		out = append(out, fmt.Sprint("has none of the prefixes ", prefixes()))
	case m.Unit != None && !strings.Contains(m.Name, "_"+m.Unit):
		out = append(out, "does not name its unit "+m.Unit)
	case m.Help == "" || strings.HasSuffix(m.Help, "."):
		out = append(out, "help is not one sentence without a stop")
	case m.Kind == Histogram && (len(m.Buckets) == 0 || !slices.IsSorted(m.Buckets)):
		out = append(out, "has no ascending buckets")
	}
	return out
}

// prefixes are those of names: the system that a metric is about, or ourselves.
func prefixes() []string { return []string{"kafka_", "spark_", "lakeproof_", "kminion_"} }

// sample collects one value of a metric.
type sample struct{ Metric }

func (s sample) Describe(ch chan<- *prometheus.Desc) { ch <- s.desc() }

func (s sample) desc() *prometheus.Desc {
	return prometheus.NewDesc(s.Name, s.Help, s.Labels, nil)
}

func (s sample) Collect(ch chan<- prometheus.Metric) {
	values := make([]string, len(s.Labels))
	switch s.Kind {
	case Counter:
		ch <- prometheus.MustNewConstMetric(s.desc(), prometheus.CounterValue, 1, values...)
	case Gauge:
		ch <- prometheus.MustNewConstMetric(s.desc(), prometheus.GaugeValue, 1, values...)
	case Histogram:
		ch <- prometheus.MustNewConstHistogram(s.desc(), 1, 1, map[float64]uint64{1: 1}, values...)
	}
}

func TestPageIsNotStale(t *testing.T) {
	want := document()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("docs/metrics.md is stale; run: go test ./metrics -update\nwant\n%s", want)
	}
}

// document is docs/metrics.md.
func document() string {
	var b strings.Builder
	b.WriteString("# Metrics\n\nGenerated from the package `metrics`; `make generate` writes it again. " +
		"Histograms are exposed with classic buckets and, to a Prometheus that asks for them, as native ones.\n")
	for _, section := range []struct{ title, prefix string }{
		{"Kafka", "kafka_"},
		{"Kafka, in the names of kminion", "kminion_"},
		{"Spark", "spark_"},
		{"The exporter itself", "lakeproof_"},
		{"The load test", "lakeproof_loadtest_"},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| name | kind | unit | labels | help |\n|---|---|---|---|---|\n", section.title)
		for _, m := range All() {
			load := strings.HasPrefix(m.Name, "lakeproof_loadtest_")
			if strings.HasPrefix(m.Name, section.prefix) && (section.prefix != "lakeproof_" || !load) {
				b.WriteString(line(m))
			}
		}
	}
	return b.String()
}

// line is one line of the page.
func line(m Metric) string {
	labels, help := "", m.Help
	if len(m.Labels) > 0 {
		labels = "`" + strings.Join(m.Labels, "`, `") + "`"
	}
	if m.Origin != "" {
		help += " (the name is that of " + m.Origin + ")"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", m.Name, m.Kind, m.Unit, labels, help)
}
