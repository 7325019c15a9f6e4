package kafka

import (
	"fmt"
	"runtime"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/version"
	"github.com/lakeproof/lakeproof/metrics"
)

// emitCluster writes what the metadata says.
func (y *cycle) emitCluster(p *exporters.Part) {
	s := y.snap
	p.Add(metrics.KafkaBrokers(), float64(len(s.brokers)))
	if s.clusterID != "" {
		p.Add(metrics.KafkaClusterInfo(), 1, s.clusterID)
	}
	p.Add(metrics.KafkaClusterController(), float64(s.controller))
	v := version.Get()
	p.Add(metrics.KafkaExporterBuildInfo(), 1,
		"", runtime.GOARCH, runtime.GOOS, runtime.Version(), v.Revision, "", v.Version)
	for _, b := range s.brokers {
		p.Add(metrics.KafkaBrokerInfo(), 1, b.label, b.address())
		p.Add(metrics.KafkaBrokerRackInfo(), 1, b.label, b.rack)
	}
	emitLeaders(s, p)
	emitPartitions(s, p)
	emitHealth(s, p)
	if y.compat(CompatKminion) {
		y.kminionCluster(p)
	}
	if y.compat(CompatKafkaLagExporter) {
		y.lagExporterPoll(p)
	}
}

// share is what one broker has of the partitions.
type share struct{ leads, holds, preferred, away int }

// emitLeaders says how the partitions are spread over the brokers.
func emitLeaders(s *snapshot, p *exporters.Part) {
	shares := make(map[int32]*share, len(s.brokers))
	for _, b := range s.brokers {
		shares[b.id] = &share{}
	}
	for _, t := range s.topics {
		for i := range t.partitions {
			t.partitions[i].spread(shares)
		}
	}
	for _, b := range s.brokers {
		n := shares[b.id]
		p.Add(metrics.KafkaBrokerLeaders(), float64(n.leads), b.label)
		p.Add(metrics.KafkaBrokerReplicas(), float64(n.holds), b.label)
		p.Add(metrics.KafkaBrokerLeaderImbalance(), float64(n.away)/float64(max(1, n.preferred)), b.label)
	}
}

// spread counts the partition with its leader and its replicas.
func (q *partition) spread(shares map[int32]*share) {
	if b := shares[q.leader]; b != nil {
		b.leads++
	}
	for i, r := range q.replicas {
		b := shares[r]
		if b == nil {
			continue
		}
		b.holds++
		b.preferred += bit(i == 0)
		b.away += bit(i == 0 && q.leader != r)
	}
}

// emitPartitions writes the families that kafka_exporter has of every partition.
func emitPartitions(s *snapshot, p *exporters.Part) {
	count := p.Family(metrics.KafkaTopicPartitions())
	leader := p.Family(metrics.KafkaPartitionLeader())
	preferred := p.Family(metrics.KafkaPartitionLeaderIsPreferred())
	replicas := p.Family(metrics.KafkaPartitionReplicas())
	inSync := p.Family(metrics.KafkaPartitionInSyncReplicas())
	under := p.Family(metrics.KafkaPartitionUnderReplicated())
	n := s.shown()
	for _, f := range []*exporters.Family{leader, preferred, replicas, inSync, under} {
		f.Grow(n)
	}
	for _, t := range s.topics {
		count.Add(float64(len(t.partitions)), t.name)
		if t.coarse {
			continue
		}
		for i := range t.partitions {
			q := &t.partitions[i]
			leader.Add(float64(q.leader), t.name, q.label)
			preferred.Add(one(q.preferred()), t.name, q.label)
			replicas.Add(float64(len(q.replicas)), t.name, q.label)
			inSync.Add(float64(len(q.isr)), t.name, q.label)
			under.Add(one(q.underReplicated()), t.name, q.label)
		}
	}
}

// shown is how many partitions have families of their own.
func (s *snapshot) shown() (n int) {
	for _, t := range s.topics {
		if !t.coarse {
			n += len(t.partitions)
		}
	}
	return n
}

func (q *partition) preferred() bool       { return len(q.replicas) > 0 && q.leader == q.replicas[0] }
func (q *partition) underReplicated() bool { return len(q.isr) < len(q.replicas) }

// emitHealth counts what is wrong by topic, and names the partitions.
func emitHealth(s *snapshot, p *exporters.Part) {
	minISR := s.memory.getMinISR()
	for _, t := range s.topics {
		least, known := minISR[t.name]
		var offline, behind, under, at int
		for i := range t.partitions {
			q := &t.partitions[i]
			isOffline, isUnder, isAt := q.leader < 0, known && len(q.isr) < least, known && len(q.isr) == least
			offline += bit(isOffline)
			behind += bit(q.underReplicated())
			under += bit(isUnder)
			at += bit(isAt)
			if t.coarse {
				continue
			}
			where(p, metrics.KafkaPartitionOffline(), isOffline, s.detailAll, t.name, q.label)
			where(p, metrics.KafkaPartitionUnderMinISR(), isUnder, s.detailAll && known, t.name, q.label)
			where(p, metrics.KafkaPartitionAtMinISR(), isAt, s.detailAll && known, t.name, q.label)
		}
		p.Add(metrics.KafkaTopicOfflinePartitions(), float64(offline), t.name)
		p.Add(metrics.KafkaTopicUnderReplicatedPartitions(), float64(behind), t.name)
		if known {
			p.Add(metrics.KafkaTopicUnderMinISRPartitions(), float64(under), t.name)
			p.Add(metrics.KafkaTopicAtMinISRPartitions(), float64(at), t.name)
		}
	}
}

// emitOffsets writes the ends of the partitions that one broker leads.
func (y *cycle) emitOffsets(l *leader) {
	if l.count == 0 {
		return
	}
	p := y.out.Part(partOf("offsets", l.label))
	if l.err != nil {
		p.Fail(l.err)
		return
	}
	if l.moved > 0 { // the others' offsets are right
		y.out.Part(partOf("offsets", l.label) + "/moved").Fail(fmt.Errorf("%d partitions, the first: %w", l.moved, l.reason))
	}
	if l.denied != nil {
		y.refused(apiListOffsets, l.denied)
	} else {
		y.out.Authorized(apiListOffsets, true)
	}
	end, start := p.Family(metrics.KafkaPartitionCurrentOffset()), p.Family(metrics.KafkaPartitionOldestOffset())
	end.Grow(l.count)
	start.Grow(l.count)
	l.each(y.snap, func(t *topic, q *partition) {
		if q.end != unknown {
			end.Add(float64(q.end), t.name, q.label)
		}
		if q.start != unknown {
			start.Add(float64(q.start), t.name, q.label)
		}
	})
	if y.compat(CompatKminion) {
		y.kminionOffsets(l, p)
	}
	if y.compat(CompatKafkaLagExporter) {
		y.lagExporterOffsets(l, p)
	}
}

// emitSums writes the ends of topics all of whose partitions are known.
func (y *cycle) emitSums(p *exporters.Part) {
	ends, starts := p.Family(metrics.KafkaTopicCurrentOffset()), p.Family(metrics.KafkaTopicOldestOffset())
	for _, t := range y.snap.topics {
		var end, start int64
		known := true
		for i := range t.partitions {
			q := &t.partitions[i]
			known = known && q.end != unknown && q.start != unknown
			end, start = end+q.end, start+q.start
		}
		if known {
			ends.Add(float64(end), t.name)
			starts.Add(float64(start), t.name)
			if y.compat(CompatKminion) {
				kminionSum(p, t, start, end)
			}
		}
	}
}

// where shows a condition of one partition: where it holds, or everywhere.
func where(p *exporters.Part, m metrics.Metric, holds, always bool, labels ...string) {
	if holds || always {
		p.Add(m, one(holds), labels...)
	}
}

func one(yes bool) float64 { return float64(bit(yes)) }

func bit(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
