package kafka

import (
	"strconv"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// lagExporterOffsets writes the ends of the partitions that one broker leads,
// in the names of kafka-lag-exporter.
func (y *cycle) lagExporterOffsets(l *leader, p *exporters.Part) {
	first, last := p.Family(metrics.LagExporterEarliestOffset()), p.Family(metrics.LagExporterLatestOffset())
	l.each(y.snap, func(t *topic, q *partition) {
		if q.start != unknown {
			first.Add(float64(q.start), y.Cluster, t.name, q.label)
		}
		if q.end != unknown {
			last.Add(float64(q.end), y.Cluster, t.name, q.label)
		}
	})
}

// lagExporterLag writes how far groups have come, in the names of
// kafka-lag-exporter.
func (y *cycle) lagExporterLag(groups []*consumer, p *exporters.Part) {
	for _, c := range groups {
		all, largest := total{}, int64(unknown)
		for i := range c.topics {
			e := &c.topics[i]
			if len(e.commits) == 0 {
				continue
			}
			ofTopic := total{unknown: e.partial}
			for j := range e.commits {
				lag := e.lag(j)
				ofTopic.add(lag)
				largest = max(largest, lag)
				if !c.coarse && !e.topic.coarse {
					y.lagExporterCommit(c, e, j, p)
				}
			}
			ofTopic.emit(p.Family(metrics.LagExporterGroupTopicSumLag()), y.Cluster, c.group, e.topic.name)
			all.sum, all.unknown = all.sum+ofTopic.sum, all.unknown || ofTopic.unknown
		}
		if largest != unknown && !all.unknown {
			p.Add(metrics.LagExporterGroupMaxLag(), float64(largest), y.Cluster, c.group)
			p.Add(metrics.LagExporterGroupSumLag(), float64(all.sum), y.Cluster, c.group)
		}
	}
}

func (y *cycle) lagExporterCommit(c *consumer, e *consumed, i int, p *exporters.Part) {
	labels := y.memberLabels(c, e, i)
	p.Add(metrics.LagExporterGroupOffset(), float64(e.commits[i].offset), labels...)
	if lag := e.lag(i); lag != unknown {
		p.Add(metrics.LagExporterGroupLag(), float64(lag), labels...)
	}
}

// memberLabels are the label values of the i-th commit, with the member that has
// the partition.
func (y *cycle) memberLabels(c *consumer, e *consumed, i int) []string {
	q := &e.topic.partitions[e.commits[i].partition]
	var m member
	if owner := e.owners[q.number]; owner != nil {
		m = *owner
	}
	return []string{y.Cluster, c.group, e.topic.name, q.label, m.host, m.id, m.client}
}

// lagExporterPoll says how long the brokers took.
func (y *cycle) lagExporterPoll(p *exporters.Part) {
	p.Add(metrics.LagExporterPollTime(), float64(time.Since(y.snap.at).Milliseconds()), y.Cluster)
}

// lagExporterSeconds writes the lag in seconds. The tracker has to be done.
func (y *cycle) lagExporterSeconds() {
	now := time.Now().UnixMilli()
	for _, c := range y.consumers {
		label := ""
		if c.coordinator >= 0 {
			label = strconv.Itoa(int(c.coordinator))
		}
		p := y.out.Part(partOf("lagtime", label))
		most, known, any := 0., true, false
		for i := range c.topics {
			e := &c.topics[i]
			work := lagWork{c: c, e: e, topic: y.lag.topics[e.topic.name]}
			for j := range e.commits {
				age, ok := y.ageOf(&work, j, now)
				any = true
				if known = known && ok; !ok {
					continue
				}
				most = max(most, age)
				if work.detail() {
					p.Add(metrics.LagExporterGroupLagSeconds(), age, y.memberLabels(c, e, j)...)
				}
			}
		}
		if any && known {
			p.Add(metrics.LagExporterGroupMaxLagSeconds(), most, y.Cluster, c.group)
		}
	}
}

// ageOf is the lag in seconds at the i-th commit, if the tracker knows it.
func (y *cycle) ageOf(work *lagWork, i int, now int64) (float64, bool) {
	q := &work.e.topic.partitions[work.e.commits[i].partition]
	if work.topic == nil || work.e.lag(i) == unknown || q.start == unknown || !work.topic.has(q.number) {
		return 0, false
	}
	age, _, ok := work.age(i, now)
	return age, ok
}
