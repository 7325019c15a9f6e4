package exportertest

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// told takes down what a test would be failed with.
type told struct {
	testing.TB
	errors []string
}

func (t *told) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}
func (*told) Helper() {}

// TestCollectRefuses is the negative control of what Collect looks for.
func TestCollectRefuses(t *testing.T) {
	brokers := metrics.KafkaBrokers()
	other := brokers
	other.Help = "Another help"
	named := metrics.KafkaTopicPartitions()
	named.Labels = []string{"subject"}
	for want, emit := range map[string]func(*exporters.Part){
		"is not in the catalogue": func(p *exporters.Part) {
			p.Add(metrics.Metric{Name: "kafka_surprise", Kind: metrics.Gauge, Help: "Not declared"}, 1)
		},
		"with the help":       func(p *exporters.Part) { p.Add(other, 1) },
		"has the labels":      func(p *exporters.Part) { p.Add(named, 1, "x") },
		"series were dropped": func(p *exporters.Part) { p.Add(brokers, math.NaN()) },
		"1 series were dropped": func(p *exporters.Part) {
			p.Add(brokers, 1)
			p.Add(brokers, 2)
		},
	} {
		r := &told{TB: t}
		Collect(r, exporters.Collector{Name: "x", Collect: func(_ context.Context, out *exporters.Batch) error {
			emit(out.Part("x"))
			return nil
		}})
		if !strings.Contains(strings.Join(r.errors, "\n"), want) {
			t.Errorf("no %q: %q", want, r.errors)
		}
	}
	r := &told{TB: t}
	page := Collect(r, exporters.Collector{Name: "x", Collect: func(_ context.Context, out *exporters.Batch) error {
		out.Part("x").Add(brokers, 3)
		return nil
	}})
	if len(r.errors) > 0 || !strings.HasSuffix(page, "\nkafka_brokers 3\n") {
		t.Errorf("what is right is refused: %q, %s", r.errors, page)
	}
	GoldenText(r, page+"#", filepath.Join("..", "kafka", "testdata", "compat", "kminion.prom"))
	if !strings.Contains(strings.Join(r.errors, "\n"), "the page is not that of") {
		t.Error("another page passes for the golden one")
	}
}
