//go:build e2e

package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/exporters/kafka"
	"github.com/lakeproof/lakeproof/internal/config"
)

// interval is that of every collector of these tests, the shortest that leaves
// a collection its usual time.
const interval = 5 * time.Second

// eye is an exporter that collects in the background, as in production.
type eye struct{ *exporters.Exporter }

// watch begins to look at a cluster.
func watch(t *testing.T, where config.Kafka, change ...func(*kafka.Options)) *eye {
	t.Helper()
	opts := kafka.Options{
		Cluster: "lab", Kafka: where, Interval: interval, ConfigInterval: interval,
	}
	for _, c := range change {
		c(&opts)
	}
	collectors, err := kafka.Collectors(opts, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	e := exporters.New(exporters.Options{}, collectors...)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait(); e.Close() })
	return &eye{e}
}

// series is one time series of a page.
type series struct {
	labels map[string]string
	value  float64
}

// page is what a scraper would see: series by family.
type page map[string][]series

// check holds the page against the catalogue.
func (e *eye) check(t *testing.T) {
	t.Helper()
	families, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exportertest.Check(t, slices.DeleteFunc(families, func(f *dto.MetricFamily) bool {
		return !strings.HasPrefix(f.GetName(), "kafka_")
	}))
}

// page looks at the page as it is now.
func (e *eye) page(t *testing.T) page {
	t.Helper()
	families, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := page{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			s := series{labels: map[string]string{}, value: m.GetGauge().GetValue() + m.GetCounter().GetValue()}
			for _, l := range m.GetLabel() {
				s.labels[l.GetName()] = l.GetValue()
			}
			out[f.GetName()] = append(out[f.GetName()], s)
		}
	}
	return out
}

// is reports whether a series has all of these labels (name, value, ...).
func (s series) is(labels ...string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		if s.labels[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

// sum adds up the series of a family that have all of these labels, and counts
// them.
func (p page) sum(family string, labels ...string) (sum float64, n int) {
	for _, s := range p[family] {
		if s.is(labels...) {
			sum += s.value
			n++
		}
	}
	return sum, n
}

// one is the value of the one series with these labels; -999 if it is not there.
func (p page) one(family string, labels ...string) float64 {
	if sum, n := p.sum(family, labels...); n == 1 {
		return sum
	}
	return -999
}

// names are the series of the page as text, without the exporter's own.
func (p page) names() map[string]series {
	out := map[string]series{}
	for family, all := range p {
		if strings.HasPrefix(family, "kafka_") {
			for _, s := range all {
				out[family+fmt.Sprint(s.labels)] = s // fmt sorts the keys of a map
			}
		}
	}
	return out
}

// seen is what the page says, under the names of [stage.truth].
func (p page) seen() numbers {
	got := numbers{}
	add := func(family, name string, labels ...string) {
		for _, s := range p[family] {
			words := name
			for _, l := range labels {
				if l == "partition" {
					words += "-" + s.labels[l]
				} else {
					words += " " + s.labels[l]
				}
			}
			got[words] += s.value
		}
	}
	add("kafka_topic_partitions", "partitions", "topic")
	for family, name := range map[string]string{
		"kafka_topic_partition_replicas": "replicas", "kafka_topic_partition_in_sync_replica": "isr",
		"kafka_topic_partition_leader": "leader", "kafka_topic_partition_current_offset": "end",
		"kafka_topic_partition_oldest_offset": "start",
	} {
		add(family, name, "topic", "partition")
	}
	add("kafka_consumergroup_current_offset", "committed", "consumergroup", "topic", "partition")
	add("kafka_consumergroup_lag", "lag", "consumergroup", "topic", "partition")
	add("kafka_consumergroup_lag_sum", "lag sum", "consumergroup", "topic")
	add("kafka_consumergroup_info", "type", "consumergroup", "type")
	add("kafka_consumergroup_members", "members", "consumergroup")
	add("kafka_consumergroup_topic_assigned_partitions", "assigned", "consumergroup")
	for name, v := range got {
		own := strings.HasPrefix(name, "end __") || strings.HasPrefix(name, "start __") // they grow meanwhile
		if own || v == 0 && strings.HasPrefix(name, "assigned ") {
			delete(got, name)
		}
	}
	return got
}

// collections is how many collections of a collector have ended.
func (p page) collections(collector string) float64 {
	n, _ := p.sum("lakeproof_collector_collections_total", "collector", collector)
	return n
}

// within waits until the page is right, for so many cycles of a collector and
// no longer. The collection that is under way does not count: it may have
// asked already.
func (e *eye) within(ctx context.Context, t *testing.T, cycles float64, what string, right func(page) (bool, string)) page {
	t.Helper()
	before := e.page(t).collections("kafka")
	var last page
	limit := time.Duration(cycles+2) * (interval + time.Second)
	took := eventually(ctx, t, limit, what, func() (bool, string) {
		// The count first: the page is then at least of that collection.
		ended := e.page(t).collections("kafka") - before
		last = e.page(t)
		ok, seen := right(last)
		if !ok && ended > cycles+1 {
			t.Fatalf("%s: not so after %v collections: %s", what, ended, seen)
		}
		return ok, seen
	})
	t.Logf("%s: %.1f s, %v collections", what, took.Seconds(), last.collections("kafka")-before)
	return last
}

// all reports whether every part of every collector went well.
func (p page) all() (bool, string) {
	var bad []string
	for _, family := range []string{"lakeproof_collector_success", "lakeproof_collector_part_success"} {
		for _, s := range p[family] {
			if s.value != 1 {
				bad = append(bad, family+fmt.Sprint(s.labels))
			}
		}
	}
	return len(bad) == 0 && len(p["lakeproof_collector_success"]) > 0, strings.Join(bad, "\n")
}
