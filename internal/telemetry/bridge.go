package telemetry

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// bridge gives the metrics of a Prometheus registry to an OpenTelemetry reader,
// so that both ways out show the same families under the same names. It is an
// sdkmetric.Producer. Summaries and native buckets stay behind.
type bridge struct {
	began  time.Time
	source atomic.Pointer[prometheus.Gatherer] // nil: nothing to give yet
}

// Produce implements sdkmetric.Producer.
func (b *bridge) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	source := b.source.Load()
	if source == nil {
		return nil, nil
	}
	families, err := (*source).Gather()
	if err != nil {
		err = fmt.Errorf("gathering metrics for OpenTelemetry: %w", err)
	}
	now := time.Now()
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: "lakeproof"}}
	for _, f := range families {
		if data := b.convert(f, now); data != nil {
			scope.Metrics = append(scope.Metrics, metricdata.Metrics{
				Name: f.GetName(), Description: f.GetHelp(), Unit: f.GetUnit(), Data: data,
			})
		}
	}
	return []metricdata.ScopeMetrics{scope}, err // what was gathered is sent all the same
}

// convert returns nil for a kind that has no place there.
func (b *bridge) convert(f *dto.MetricFamily, now time.Time) metricdata.Aggregation {
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		return metricdata.Sum[float64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
			DataPoints: b.points(f, now, func(m *dto.Metric) float64 { return m.GetCounter().GetValue() }),
		}
	case dto.MetricType_GAUGE:
		return metricdata.Gauge[float64]{
			DataPoints: b.points(f, now, func(m *dto.Metric) float64 { return m.GetGauge().GetValue() }),
		}
	case dto.MetricType_HISTOGRAM:
		return b.histogram(f, now)
	default:
		return nil
	}
}

func (b *bridge) points(
	f *dto.MetricFamily, now time.Time, value func(*dto.Metric) float64,
) []metricdata.DataPoint[float64] {
	out := make([]metricdata.DataPoint[float64], 0, len(f.GetMetric()))
	for _, m := range f.GetMetric() {
		out = append(out, metricdata.DataPoint[float64]{
			Attributes: attributes(m), StartTime: b.began, Time: now, Value: value(m),
		})
	}
	return out
}

// histogram turns the cumulative buckets of Prometheus into separate ones.
func (b *bridge) histogram(f *dto.MetricFamily, now time.Time) metricdata.Histogram[float64] {
	out := metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}
	for _, m := range f.GetMetric() {
		h := m.GetHistogram()
		p := metricdata.HistogramDataPoint[float64]{
			Attributes: attributes(m), StartTime: b.began, Time: now, Count: h.GetSampleCount(), Sum: h.GetSampleSum(),
		}
		var below uint64
		for _, bucket := range h.GetBucket() {
			p.Bounds = append(p.Bounds, bucket.GetUpperBound())
			p.BucketCounts = append(p.BucketCounts, bucket.GetCumulativeCount()-below)
			below = bucket.GetCumulativeCount()
		}
		p.BucketCounts = append(p.BucketCounts, h.GetSampleCount()-below)
		out.DataPoints = append(out.DataPoints, p)
	}
	return out
}

func attributes(m *dto.Metric) attribute.Set {
	pairs := make([]attribute.KeyValue, 0, len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		pairs = append(pairs, attribute.String(l.GetName(), l.GetValue()))
	}
	return attribute.NewSet(pairs...)
}
