package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/lakeproof/lakeproof/internal/version"
	"github.com/lakeproof/lakeproof/metrics"
)

// Native histograms stand beside the classic buckets: about 10 % between two
// bounds, at most 160 of them, widened at most once an hour.
const (
	nativeFactor  = 1.1
	nativeBuckets = 160
	nativeReset   = time.Hour
)

// NewRegistry returns a registry with the metrics of the Go runtime, of the
// process and of the build.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := version.Get()
	info := NewGauge(metrics.BuildInfo())
	info.WithLabelValues(build.Version, build.Go).Set(1)
	r.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Desc describes a metric of the catalogue, for collectors that make constant
// metrics.
func Desc(m metrics.Metric) *prometheus.Desc {
	return prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
}

// NewCounter makes the collector of a counter of the catalogue.
func NewCounter(m metrics.Metric) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
}

// NewGauge makes the collector of a gauge of the catalogue.
func NewGauge(m metrics.Metric) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, m.Labels)
}

// NewHistogram makes the collector of a histogram of the catalogue: classic
// buckets and, for a Prometheus that asks for them, native ones.
func NewHistogram(m metrics.Metric) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: m.Name, Help: m.Help, Buckets: m.Buckets,
		NativeHistogramBucketFactor:     nativeFactor,
		NativeHistogramMaxBucketNumber:  nativeBuckets,
		NativeHistogramMinResetDuration: nativeReset,
	}, m.Labels)
}

// Value is a constant metric of the catalogue, for collectors that copy what
// others counted. The label values are in the order of the metric's labels.
func Value(m metrics.Metric, value float64, labels ...string) prometheus.Metric {
	kind := prometheus.GaugeValue
	if m.Kind == metrics.Counter {
		kind = prometheus.CounterValue
	}
	v, err := prometheus.NewConstMetric(Desc(m), kind, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(Desc(m), err)
	}
	return v
}
