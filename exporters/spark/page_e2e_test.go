//go:build e2e

package spark_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/exporters/kafka"
	"github.com/lakeproof/lakeproof/exporters/spark"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// interval is that of the collectors: short, so that little is added to what is
// measured.
const interval = time.Second

// eye is an exporter of Spark and Kafka that collects in the background, as in
// production. Every page that it looks at must go on from the one before.
type eye struct {
	*exporters.Exporter
	counters map[string]float64 // as last seen
	pages    int

	mu              sync.Mutex
	requests, bytes int64 // most of one poll of the driver
	polls           int
}

// watch begins to look at the stage. Pushes of the job go to inbox.
func watch(t *testing.T, lab config.Lab, app spark.App, inbox *inbox) *eye {
	t.Helper()
	store, err := objectstore.New(lab.Storage)
	check(t, err)
	tables, err := catalog.New(lab.Catalog, catalog.Options{})
	check(t, err)
	logger := slog.New(slog.DiscardHandler)
	follower, err := kafka.NewFollower(lab.Name, lab.Kafka, logger)
	check(t, err)
	all, push, err := spark.CollectorsWithPush(spark.Options{
		StreamOptions: spark.StreamOptions{
			Files: store, Offsets: follower, Tables: tables,
			TableOf: map[string]string{appName: "bronze." + topicName},
		},
		Apps: []spark.App{app}, Folders: store, Interval: interval,
	}, logger)
	check(t, err)
	_, uri, _ := strings.Cut(app.Checkpoints[0], "=")
	groups, err := kafka.Collectors(kafka.Options{
		Cluster: lab.Name, Kafka: lab.Kafka, Files: store, Interval: interval,
		Checkpoints: []kafka.Checkpoint{{Name: appName, URI: uri}},
	}, logger)
	check(t, err)
	e := &eye{counters: map[string]float64{}}
	all[0].Collect = e.metered(all[0].Collect, app.UI)
	e.Exporter = exporters.New(exporters.Options{}, append(all, groups...)...)
	if inbox != nil {
		inbox.handOver(push)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		e.Close()
		follower.Close()
		tables.Close()
		store.Close()
	})
	return e
}

// metered counts what a collection asks of the driver.
func (e *eye) metered(
	collect func(context.Context, *exporters.Batch) error, ui string,
) func(context.Context, *exporters.Batch) error {
	return func(ctx context.Context, out *exporters.Batch) error {
		ctx, asked := telemetry.WithRequests(ctx)
		err := collect(ctx, out)
		var requests, size int64
		for _, r := range asked.List() {
			if strings.Contains(r.What, ui) {
				requests++
				size += r.Bytes
			}
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.requests, e.bytes, e.polls = max(e.requests, requests), max(e.bytes, size), e.polls+1
		return err
	}
}

// series is one time series of a page; a histogram is two, _count and _sum.
type series struct {
	family string
	labels map[string]string
	value  float64
}

func (s series) is(labels ...string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		if s.labels[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

// String is the series without its value; fmt sorts the keys of a map.
func (s series) String() string { return s.family + strings.TrimPrefix(fmt.Sprint(s.labels), "map") }

// page is what a scraper would see: series by family.
type page map[string][]series

// look looks at the page as it is now. No counter of the systems may ever go
// back or away.
func (e *eye) look(t *testing.T) page {
	t.Helper()
	families, err := e.Gather()
	check(t, err)
	p, counters := page{}, map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, s := range seriesOf(f, m) {
				p[s.family] = append(p[s.family], s)
				if f.GetType() != dto.MetricType_GAUGE && strings.HasPrefix(s.family, "spark_") {
					counters[s.String()] = s.value
				}
			}
		}
	}
	e.pages++
	for name, before := range e.counters {
		if now, ok := counters[name]; !ok || now < before {
			t.Errorf("%s was %v and is %v (on the page: %v)", name, before, now, ok)
		}
	}
	e.counters = counters
	return p
}

func seriesOf(f *dto.MetricFamily, m *dto.Metric) []series {
	labels := map[string]string{}
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	if h := m.GetHistogram(); h != nil {
		return []series{
			{f.GetName() + "_count", labels, float64(h.GetSampleCount())},
			{f.GetName() + "_sum", labels, h.GetSampleSum()},
		}
	}
	return []series{{f.GetName(), labels, m.GetGauge().GetValue() + m.GetCounter().GetValue()}}
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

// of is a value of the job's query.
func (p page) of(name string, labels ...string) float64 {
	return p.one("spark_streaming_"+name, append([]string{"app", appName, "query", appName}, labels...)...)
}

// state is the one state that the query is in.
func (p page) state() string {
	var all []string
	for _, s := range p["spark_streaming_query_state"] {
		if s.is("app", appName, "query", appName) && s.value == 1 {
			all = append(all, s.labels["state"])
		}
	}
	return strings.Join(all, "+")
}

// lag is how many records wait, over all topics; -999 where that is not said.
func (p page) lag() float64 {
	sum, n := p.sum("spark_streaming_kafka_lag_records", "app", appName, "query", appName)
	if n == 0 {
		return -999
	}
	return sum
}

// collected is how many collections of Spark have ended.
func (p page) collected() float64 {
	n, _ := p.sum("lakeproof_collector_collections_total", "collector", "spark")
	return n
}

// names are the series of the job on the page: of its application, and of its
// query where they are of one.
func (p page) names() map[string]bool {
	out := map[string]bool{}
	for _, all := range p {
		for _, s := range all {
			query, has := s.labels["query"]
			if strings.HasPrefix(s.family, "spark_") && s.is("app", appName) && (!has || query == appName) {
				out[s.String()] = true
			}
		}
	}
	return out
}

// lint holds the page against the catalogue.
func (e *eye) lint(t *testing.T) {
	t.Helper()
	families, err := e.Gather()
	check(t, err)
	exportertest.Check(t, slices.DeleteFunc(families, func(f *dto.MetricFamily) bool {
		return !strings.HasPrefix(f.GetName(), "spark_") && !strings.HasPrefix(f.GetName(), "kafka_")
	}))
}

// until looks at pages until one is right, and fails at the limit with what it
// saw.
func (e *eye) until(
	t *testing.T, limit time.Duration, what string, right func(page) (bool, string),
) (page, time.Duration) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		p := e.look(t)
		ok, seen := right(p)
		took := time.Since(began)
		if ok {
			e.lint(t)
			t.Logf("%-42s %5.1f s  %s", what, took.Seconds(), seen)
			return p, took
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting %s for %s: last seen: %s", limit, what, seen)
		case <-tick.C:
		}
	}
}

// progress is what Spark itself says of one batch.
type progress struct {
	Name      string             `json:"name"`
	Batch     int64              `json:"batchId"`
	InputRows float64            `json:"numInputRows"`
	Processed float64            `json:"processedRowsPerSecond"`
	Duration  float64            `json:"batchDuration"`
	Durations map[string]float64 `json:"durationMs"`
}

// inbox takes the job's pushes, keeps their progress, and hands them on.
type inbox struct {
	*httptest.Server
	mu      sync.Mutex
	next    http.Handler
	batches map[int64]progress
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	b := &inbox{batches: map[int64]progress{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *inbox) handOver(next http.Handler) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = next
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var m struct {
		Event    string   `json:"event"`
		Progress progress `json:"progress"`
	}
	b.mu.Lock()
	if err == nil && json.Unmarshal(body, &m) == nil && m.Event == "progress" && m.Progress.Name == appName {
		if _, ran := m.Progress.Durations["addBatch"]; ran || m.Progress.InputRows > 0 {
			b.batches[m.Progress.Batch] = m.Progress
		}
	}
	next := b.next
	b.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	next.ServeHTTP(w, r)
}

// last is the newest batch of which Spark spoke, and rows the sum over all.
func (b *inbox) last() (last progress, rows float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, batch := range slices.Sorted(maps.Keys(b.batches)) {
		last = b.batches[batch]
		rows += last.InputRows
	}
	return last, rows
}

// usual is how long half of the batches took at most.
func (b *inbox) usual() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []float64
	for _, p := range b.batches {
		all = append(all, p.Duration)
	}
	slices.Sort(all)
	return time.Duration(all[len(all)/2]) * time.Millisecond
}

func (b *inbox) batch(n int64) (progress, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.batches[n]
	return p, ok
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
