package telemetry

import (
	"iter"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

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

// nativeSchema gives constant histograms 8 native buckets for each power of
// two: bucket i ends at 2^(i/8).
const nativeSchema = 3

// Distribution is a constant histogram of the catalogue, classic and native,
// for collectors that copy what others observed: values above 0, and how often
// each was seen.
func Distribution(m metrics.Metric, observed iter.Seq2[float64, uint64], labels ...string) prometheus.Metric {
	var count uint64
	var sum float64
	classic, native := make(map[float64]uint64, len(m.Buckets)), map[int]int64{}
	for _, bound := range m.Buckets {
		classic[bound] = 0
	}
	for value, n := range observed {
		count += n
		sum += value * float64(n)
		native[int(math.Ceil(math.Log2(value)*(1<<nativeSchema)))] += int64(n)
		for _, bound := range m.Buckets {
			if value <= bound {
				classic[bound] += n
			}
		}
	}
	desc := Desc(m)
	c, err := prometheus.NewConstHistogram(desc, count, sum, classic, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	n, err := prometheus.NewConstNativeHistogram(desc, count, sum, native, nil, 0, nativeSchema,
		prometheus.DefNativeHistogramZeroThreshold, time.Time{}, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return both{c, n}
}

// both is a classic histogram with the buckets of a native one beside its own.
type both struct {
	prometheus.Metric
	native prometheus.Metric
}

// Write implements prometheus.Metric.
func (b both) Write(out *dto.Metric) error {
	var native dto.Metric
	if err := b.native.Write(&native); err != nil {
		return err
	}
	if err := b.Metric.Write(out); err != nil {
		return err
	}
	h, n := out.Histogram, native.Histogram
	h.Schema, h.ZeroThreshold, h.ZeroCount = n.Schema, n.ZeroThreshold, n.ZeroCount
	h.PositiveSpan, h.PositiveDelta = n.PositiveSpan, n.PositiveDelta
	return nil
}
