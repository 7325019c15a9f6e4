// Package exportertest tests collectors: one collection, held against the
// catalogue of metrics, as the text that Prometheus would read.
//
// A value flows like this: [Collect] runs a collector once in an exporter of its
// own, looks for what must never be on a page (families or labels that the
// catalogue does not have, series twice, values that are not finite, names that
// promlint finds fault with), and returns the text; [Golden] compares it with a
// file, which -update writes.
//
// It knows no system.
package exportertest

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// Update reports whether golden files are to be written, by the flag -update.
func Update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// Flag declares -update; call it from a package variable of the test:
//
//	var _ = exportertest.Flag()
func Flag() *bool {
	if f := flag.Lookup("update"); f != nil {
		yes := f.Value.String() == "true"
		return &yes
	}
	return flag.Bool("update", false, "write the golden files")
}

// Collect runs one collection and returns the page without the exporter's own
// metrics. A part that goes wrong is no error here; see [Families] for those who
// want to look.
func Collect(t testing.TB, c exporters.Collector) string {
	t.Helper()
	families := Families(t, c)
	return Text(t, families)
}

// Families runs one collection and returns the families of its page, by name,
// without the exporter's own. The collector is not closed.
func Families(t testing.TB, c exporters.Collector) []*dto.MetricFamily {
	t.Helper()
	closeLater := c.Close
	c.Close = nil
	if closeLater != nil {
		t.Cleanup(closeLater)
	}
	e := exporters.New(exporters.Options{Budget: 10_000_000}, c)
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e.Collect(ctx)
	families, err := e.Gather()
	if err != nil {
		t.Fatalf("gathering: %v", err)
	}
	var out []*dto.MetricFamily
	for _, f := range families {
		switch {
		case f.GetName() == metrics.CollectorDroppedSeries().Name:
			wantNoneDropped(t, f)
		case own(f.GetName()):
		default:
			out = append(out, f)
		}
	}
	Check(t, out)
	return out
}

// own reports whether a family is of the exporter itself.
func own(name string) bool {
	for _, p := range []string{"lakeproof_collector_", "lakeproof_exporter_", "lakeproof_build_info", "go_", "process_"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func wantNoneDropped(t testing.TB, f *dto.MetricFamily) {
	t.Helper()
	for _, m := range f.GetMetric() {
		if n := m.GetGauge().GetValue(); n > 0 {
			t.Errorf("%v series were dropped: %v", n, m.GetLabel())
		}
	}
}

// Check holds families against the catalogue and promlint.
func Check(t testing.TB, families []*dto.MetricFamily) {
	t.Helper()
	declared := map[string]metrics.Metric{}
	for _, m := range metrics.All() {
		declared[m.Name] = m
	}
	for _, f := range families {
		m, ok := declared[f.GetName()]
		if !ok {
			t.Errorf("%s is not in the catalogue (package metrics)", f.GetName())
			continue
		}
		checkFamily(t, f, m)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Errorf("linting: %v", err)
	}
	for _, p := range problems {
		if declared[p.Metric].Origin == "" {
			t.Errorf("promlint: %s: %s", p.Metric, p.Text)
		}
	}
}

func checkFamily(t testing.TB, f *dto.MetricFamily, m metrics.Metric) {
	t.Helper()
	if m.Help != f.GetHelp() || strings.ToUpper(string(m.Kind)) != f.GetType().String() {
		t.Errorf("%s is a %s with the help %q; the catalogue has %s, %q", m.Name, f.GetType(), f.GetHelp(), m.Kind, m.Help)
	}
	for _, s := range f.GetMetric() {
		var names []string
		for _, l := range s.GetLabel() {
			names = append(names, l.GetName())
		}
		for _, want := range m.Labels {
			if !slices.Contains(names, want) {
				t.Errorf("%s has the labels %v; the catalogue has %v", m.Name, names, m.Labels)
			}
		}
	}
}

// Text is the page as the text format has it.
func Text(t testing.TB, families []*dto.MetricFamily) string {
	t.Helper()
	var out bytes.Buffer
	enc := expfmt.NewEncoder(&out, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		slices.SortFunc(f.Metric, func(a, b *dto.Metric) int { return strings.Compare(key(a), key(b)) })
		if err := enc.Encode(f); err != nil {
			t.Fatalf("encoding %s: %v", f.GetName(), err)
		}
	}
	return out.String()
}

func key(m *dto.Metric) string {
	var b strings.Builder
	for _, l := range m.GetLabel() {
		b.WriteString(l.GetValue() + "\x00")
	}
	return b.String()
}

// Golden runs one collection and compares the page with a file.
func Golden(t testing.TB, c exporters.Collector, file string) {
	t.Helper()
	GoldenText(t, Collect(t, c), file)
}

// GoldenText compares a page with a file; with -update it writes the file.
func GoldenText(t testing.TB, got, file string) {
	t.Helper()
	if Update() {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("reading the golden file (write it with -update): %v", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the page is not that of %s (-want +got; rewrite with -update):\n%s", file, diff)
	}
}
