package exporters

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/metrics"
)

// self is what the exporter says of itself, as it is at the moment of a scrape:
// a page that cannot be made anew must not look fresh.
type self struct {
	exporter *Exporter
	reloads  *prometheus.CounterVec
}

func newSelf(e *Exporter) *self {
	s := &self{exporter: e, reloads: telemetry.NewCounter(metrics.ExporterReloads())}
	s.reloads.WithLabelValues("success")
	s.reloads.WithLabelValues("failure")
	return s
}

func (s *self) reload(err error) {
	result := "success"
	if err != nil {
		result = "failure"
	}
	s.reloads.WithLabelValues(result).Inc()
}

// Describe implements prometheus.Collector: what it collects depends on the
// collectors, so it describes nothing.
func (s *self) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *self) Collect(out chan<- prometheus.Metric) {
	s.reloads.Collect(out)
	now := time.Now()
	for _, c := range s.exporter.all() {
		c.tell(out, now)
	}
	s.exporter.pages.tell(out)
	out <- telemetry.Value(metrics.ExporterSeriesBudget(), float64(s.exporter.opts.Budget))
}

// tell emits the self metrics of one collector.
func (s *subject) tell(out chan<- prometheus.Metric, now time.Time) {
	name, target := s.Name, s.Target
	age, shown := s.age(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	if r.began.IsZero() { // nothing was collected yet
		return
	}
	out <- telemetry.Value(metrics.CollectorSuccess(), number(r.ok()), name, target)
	for part, err := range r.parts {
		out <- telemetry.Value(metrics.CollectorPartSuccess(), number(err == nil), name, target, part)
	}
	for api, denied := range r.denied {
		out <- telemetry.Value(metrics.CollectorAuthorized(), number(!denied), name, target, api)
	}
	for subject, n := range r.coarsened {
		out <- telemetry.Value(metrics.CollectorCoarsened(), float64(n), name, target, subject)
	}
	for _, reason := range []string{dropBudget, dropDuplicate, dropInvalid} {
		out <- telemetry.Value(metrics.CollectorDroppedSeries(), float64(s.drops[reason]), name, target, reason)
	}
	if !r.lastSuccess.IsZero() {
		at := float64(r.lastSuccess.UnixMilli()) / 1000
		out <- telemetry.Value(metrics.CollectorLastSuccess(), at, name, target)
	}
	if shown {
		out <- telemetry.Value(metrics.CollectorDataAge(), age.Seconds(), name, target)
	}
	out <- telemetry.Value(metrics.CollectorDuration(), r.took.Seconds(), name, target)
	out <- telemetry.Value(metrics.CollectorSeries(), float64(s.series), name, target)
	out <- telemetry.Value(metrics.CollectorRequests(), float64(r.asked), name, target)
	out <- telemetry.Value(metrics.CollectorResponseBytes(), float64(r.bytes), name, target)
	out <- telemetry.Value(metrics.CollectorCollections(), float64(r.succeeded), name, target, "success")
	out <- telemetry.Value(metrics.CollectorCollections(), float64(r.failed), name, target, "failure")
}

func (p *pages) tell(out chan<- prometheus.Metric) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.content == nil {
		return
	}
	out <- telemetry.Value(metrics.ExporterSeries(), float64(p.content.series))
	out <- telemetry.Value(metrics.ExporterPageBuildDuration(), p.took.Seconds())
	for k, b := range p.bodies {
		encoding := "identity"
		if k.gzip {
			encoding = "gzip"
		}
		out <- telemetry.Value(metrics.ExporterPageBytes(), float64(len(b.data)), formatName(k.format), encoding)
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
