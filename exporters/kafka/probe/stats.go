package probe

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/metrics"
)

// stats are what is counted of one broker, or (for kminion's names) of one
// partition.
type stats struct {
	label      string
	inFlight   int
	partitions int       // that the broker leads now, and that are used
	seen       time.Time // in the cluster

	produced, failed, received, lost, duplicate, reordered float64
	committed, uncommitted                                 float64

	produce, endToEnd, commit prometheus.Histogram
}

// histogram makes a histogram of the catalogue of its own.
func histogram(m metrics.Metric) prometheus.Histogram {
	h, ok := telemetry.NewHistogram(metrics.Metric{Name: m.Name, Help: m.Help, Buckets: m.Buckets}).
		WithLabelValues().(prometheus.Histogram)
	if !ok { // client_golang's own vectors always hold them
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: m.Buckets})
	}
	return h
}

func newStats(label string) *stats {
	return &stats{
		label:    label,
		produce:  histogram(metrics.KafkaProbeProduceDuration()),
		endToEnd: histogram(metrics.KafkaProbeEndToEndDuration()),
		commit:   histogram(metrics.KafkaProbeCommitDuration()),
	}
}

// emit writes the families of one broker.
func (s *stats) emit(p *exporters.Part) {
	for _, r := range []struct {
		result string
		n      float64
	}{
		{metrics.ProbeProduced, s.produced},
		{metrics.ProbeFailed, s.failed},
		{metrics.ProbeReceived, s.received},
		{metrics.ProbeLost, s.lost},
		{metrics.ProbeDuplicate, s.duplicate},
		{metrics.ProbeReordered, s.reordered},
	} {
		p.Add(metrics.KafkaProbeRecords(), r.n, s.label, r.result)
	}
	p.Add(metrics.KafkaProbeInFlight(), float64(s.inFlight), s.label)
	p.Add(metrics.KafkaProbePartitions(), float64(s.partitions), s.label)
	p.Add(metrics.KafkaProbeCommits(), s.committed, s.label, "success")
	p.Add(metrics.KafkaProbeCommits(), s.uncommitted, s.label, "failure")
	p.Family(metrics.KafkaProbeProduceDuration()).Histogram(s.produce, s.label)
	p.Family(metrics.KafkaProbeEndToEndDuration()).Histogram(s.endToEnd, s.label)
	p.Family(metrics.KafkaProbeCommitDuration()).Histogram(s.commit, s.label)
}

// emitPartition writes kminion's families of one partition.
func (s *stats) emitPartition(p *exporters.Part) {
	p.Add(metrics.KminionProduced(), s.produced, s.label)
	p.Add(metrics.KminionProduceFailed(), s.failed, s.label)
	p.Add(metrics.KminionReceived(), s.received, s.label)
	p.Add(metrics.KminionLost(), s.lost, s.label)
	p.Add(metrics.KminionInFlight(), float64(s.inFlight), s.label)
	p.Family(metrics.KminionProduceLatency()).Histogram(s.produce, s.label)
	p.Family(metrics.KminionRoundtripLatency()).Histogram(s.endToEnd, s.label)
}

// emitCoordinator writes kminion's families of one coordinator.
func (s *stats) emitCoordinator(p *exporters.Part) {
	p.Add(metrics.KminionCommits(), s.committed, s.label)
	p.Add(metrics.KminionCommitsFailed(), s.uncommitted, s.label, "any")
	p.Family(metrics.KminionCommitLatency()).Histogram(s.commit, s.label)
}

// board holds the stats by number.
type board map[int32]*stats

func (b board) of(id int32) *stats {
	s, ok := b[id]
	if !ok {
		s = newStats(strconv.Itoa(int(id)))
		b[id] = s
	}
	return s
}

// all returns the stats in the order of their numbers.
func (b board) all() []*stats {
	ids := make([]int32, 0, len(b))
	for id := range b {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out := make([]*stats, 0, len(ids))
	for _, id := range ids {
		out = append(out, b[id])
	}
	return out
}
