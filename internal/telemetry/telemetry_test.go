package telemetry

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/metrics"
)

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	logger, err := NewLogger(&out, "warn", "json")
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("quiet")
	logger.Warn("loud", "n", 1)
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"msg":"loud","n":1`) {
		t.Errorf("%q", got)
	}
	for _, bad := range [][2]string{{"loud", "json"}, {"info", "xml"}} {
		if _, err := NewLogger(&out, bad[0], bad[1]); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// registry has one value of every metric of the catalogue.
func registry(t *testing.T) *prometheus.Registry {
	t.Helper()
	r := NewRegistry()
	for _, m := range metrics.All()[1:] {
		values := make([]string, len(m.Labels))
		for i := range values {
			values[i] = "x"
		}
		switch m.Kind {
		case metrics.Counter:
			c := NewCounter(m)
			c.WithLabelValues(values...).Add(3)
			r.MustRegister(c)
		case metrics.Gauge:
			g := NewGauge(m)
			g.WithLabelValues(values...).Set(4)
			r.MustRegister(g)
		case metrics.Histogram:
			h := NewHistogram(m)
			h.WithLabelValues(values...).Observe(0.3)
			h.WithLabelValues(values...).Observe(1e6)
			r.MustRegister(h)
		}
	}
	return r
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServe(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	s, err := Serve(t.Context(), Web{Address: "127.0.0.1:0"}, Handler(registry(t), nil), logger)
	if err != nil {
		t.Fatal(err)
	}
	code, body := get(t, "http://"+s.Addr+"/metrics")
	if code != http.StatusOK {
		t.Fatal(code, body)
	}
	for _, m := range metrics.All() {
		if !strings.Contains(body, "# HELP "+m.Name+" "+m.Help+"\n# TYPE "+m.Name+" "+string(m.Kind)+"\n") {
			t.Errorf("%s is not exposed as it is declared", m.Name)
		}
	}
	if code, body := get(t, "http://"+s.Addr+"/-/healthy"); code != http.StatusOK || !strings.Contains(body, "healthy") {
		t.Error(code, body)
	}
	if code, _ := get(t, "http://"+s.Addr+"/else"); code != http.StatusNotFound {
		t.Error(code)
	}
	// The address is taken now.
	_, err = Serve(t.Context(), Web{Address: s.Addr}, nil, logger)
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), "--web.listen-address") {
		t.Errorf("%v (hint %q)", err, fail.HintOf(err))
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestServeAsksForALogin(t *testing.T) {
	cfg := filepath.Join(t.TempDir(), "web.yaml")
	// The hash of "secret".
	text := "basic_auth_users: {app: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}\n"
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Serve(t.Context(), Web{Address: "127.0.0.1:0", ConfigFile: cfg}, Handler(NewRegistry(), nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := get(t, "http://"+s.Addr+"/metrics"); code != http.StatusUnauthorized {
		t.Errorf("status %d", code)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = Serve(t.Context(), Web{Address: "127.0.0.1:0", ConfigFile: cfg + "x"}, nil, slog.New(slog.DiscardHandler))
	if fail.CodeOf(err) != fail.Usage {
		t.Error(err)
	}
}

func TestValueRefusesAnotherNumberOfLabels(t *testing.T) {
	r := prometheus.NewRegistry()
	r.MustRegister(constant{Value(metrics.LoadtestLag(), 1, "a", "b")})
	if _, err := r.Gather(); err == nil {
		t.Error("a metric with too many labels was gathered")
	}
}

type constant struct{ prometheus.Metric }

func (constant) Describe(chan<- *prometheus.Desc)      {}
func (c constant) Collect(ch chan<- prometheus.Metric) { ch <- c.Metric }

func TestDistribution(t *testing.T) {
	m := metrics.LoadtestAckDuration()
	seen := map[float64]uint64{0.0015: 3, 0.25: 2, 1: 4, 61: 1}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(constant{Distribution(m, maps.All(seen), "payments", metrics.KindService)})
	families, err := r.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	h := families[0].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 10 || math.Abs(h.GetSampleSum()-65.5045) > 1e-9 {
		t.Errorf("count %d, sum %f", h.GetSampleCount(), h.GetSampleSum())
	}
	for _, b := range h.GetBucket() {
		want := uint64(0)
		for value, n := range seen {
			if value <= b.GetUpperBound() {
				want += n
			}
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("up to %g: %d, want %d", b.GetUpperBound(), b.GetCumulativeCount(), want)
		}
	}
	// The native buckets hold each value between their bounds.
	native, at, delta, count := map[int]uint64{}, 0, h.GetPositiveDelta(), int64(0)
	for _, span := range h.GetPositiveSpan() {
		at += int(span.GetOffset())
		for range span.GetLength() {
			count, delta = count+delta[0], delta[1:]
			native[at] = uint64(count)
			at++
		}
	}
	for value, n := range seen {
		i := slices.IndexFunc(slices.Sorted(maps.Keys(native)), func(i int) bool {
			return native[i] == n && value <= math.Exp2(float64(i)/8)*(1+1e-9) && value > math.Exp2(float64(i-1)/8)
		})
		if h.GetSchema() != 3 || i < 0 {
			t.Errorf("schema %d: no native bucket holds %g %d times: %v", h.GetSchema(), value, n, native)
		}
	}
}

func TestDistributionRefusesAnotherNumberOfLabels(t *testing.T) {
	r := prometheus.NewRegistry()
	r.MustRegister(constant{Distribution(metrics.LoadtestAckDuration(), maps.All(map[float64]uint64{1: 1}), "payments")})
	if _, err := r.Gather(); err == nil {
		t.Error("a histogram with too few labels was gathered")
	}
}

func TestBridge(t *testing.T) {
	b := &bridge{began: time.Now()}
	if out, err := b.Produce(t.Context()); err != nil || out != nil {
		t.Errorf("without a gatherer: %v, %v", out, err)
	}
	var g prometheus.Gatherer = registry(t)
	b.source.Store(&g)
	scopes, err := b.Produce(t.Context())
	if err != nil || len(scopes) != 1 {
		t.Fatal(scopes, err)
	}
	byName := map[string]metricdata.Aggregation{}
	for _, m := range scopes[0].Metrics {
		byName[m.Name] = m.Data
	}
	sum, ok := byName[metrics.LoadtestRecords().Name].(metricdata.Sum[float64])
	if !ok || !sum.IsMonotonic || len(sum.DataPoints) != 1 || sum.DataPoints[0].Value != 3 || sum.DataPoints[0].Attributes.Len() != 2 {
		t.Errorf("%+v", sum)
	}
	gauge, ok := byName[metrics.LoadtestLag().Name].(metricdata.Gauge[float64])
	if !ok || gauge.DataPoints[0].Value != 4 {
		t.Errorf("%+v", gauge)
	}
	m := metrics.LoadtestAckDuration()
	h, ok := byName[m.Name].(metricdata.Histogram[float64])
	if !ok || len(h.DataPoints) != 1 {
		t.Fatalf("%+v", h)
	}
	var total uint64
	for _, n := range h.DataPoints[0].BucketCounts {
		total += n
	}
	last := len(m.Buckets)
	if p := h.DataPoints[0]; total != 2 || p.Count != 2 || len(p.BucketCounts) != last+1 || p.BucketCounts[last] != 1 {
		t.Errorf("%+v", p)
	}
}

// collector is an OTLP endpoint that keeps what it gets, by path.
type collector struct {
	mu  sync.Mutex
	got map[string]string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[r.URL.Path] += string(body)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func process(vars map[string]string) env.Env {
	return env.Env{Lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
}

func TestTelemetryIsSent(t *testing.T) {
	c := &collector{got: map[string]string{}}
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL) // the exporters read it themselves
	tel, err := Setup(t.Context(), process(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL}), "v1", slog.New(slog.DiscardHandler))
	if err != nil || !tel.Enabled {
		t.Fatal(tel.Enabled, err)
	}
	_, span := tel.Tracer.Start(t.Context(), "send payments")
	span.End()
	tel.Export(registry(t))
	tel.Shutdown()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := c.got["/v1/traces"]; !strings.Contains(got, "send payments") {
		t.Errorf("traces: %q", got)
	}
	if got := c.got["/v1/metrics"]; !strings.Contains(got, metrics.LoadtestRecords().Name) {
		t.Errorf("metrics: %d bytes without the catalogue", len(got))
	}
}

func TestTelemetryIsOff(t *testing.T) {
	tel, err := Setup(t.Context(), process(nil), "v1", slog.New(slog.DiscardHandler))
	if err != nil || tel.Enabled || tel.bridge != nil {
		t.Fatal(tel, err)
	}
	tel.Export(NewRegistry())
	_, span := tel.Tracer.Start(context.Background(), "send")
	if span.SpanContext().IsValid() {
		t.Error("a span without an endpoint")
	}
	tel.Shutdown()
}
