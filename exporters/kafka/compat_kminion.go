package kafka

import (
	"strconv"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/version"
	"github.com/lakeproof/lakeproof/metrics"
)

// kminionCluster writes what kminion says of the cluster and its topics.
func (y *cycle) kminionCluster(p *exporters.Part) {
	s, n := y.snap, y.witness
	p.Add(metrics.KminionUp(), 1, version.Get().Version)
	p.Add(metrics.KminionClusterInfo(), 1,
		n.guess(), strconv.Itoa(len(s.brokers)), strconv.Itoa(int(s.controller)), s.clusterID)
	for _, b := range s.brokers {
		p.Add(metrics.KminionBrokerInfo(), 1,
			b.label, b.host, strconv.Itoa(int(b.port)), b.rack, strconv.FormatBool(b.id == s.controller))
	}
	for _, t := range s.topics {
		replicas := 0
		if len(t.partitions) > 0 {
			replicas = len(t.partitions[0].replicas)
		}
		p.Add(metrics.KminionTopicInfo(), 1,
			t.name, strconv.Itoa(len(t.partitions)), strconv.Itoa(replicas), y.configs.cleanup(t.name))
	}
	p.Add(metrics.KminionRequestsSent(), float64(n.sentRequests.Load()))
	p.Add(metrics.KminionSentBytes(), float64(n.sentBytes.Load()))
	p.Add(metrics.KminionRequestsReceived(), float64(n.receivedAnswers.Load()))
	p.Add(metrics.KminionReceivedBytes(), float64(n.receivedBytes.Load()))
}

// kminionDirs writes the sizes of brokers and topics.
func (y *cycle) kminionDirs(p *exporters.Part) {
	dirs := y.witness.takeDirs()
	topics := map[string]int64{}
	for _, b := range y.snap.brokers {
		d, ok := dirs[b.id]
		if !ok {
			continue
		}
		p.Add(metrics.KminionBrokerLogDirSize(), float64(d.all), b.label, b.host, strconv.Itoa(int(b.port)), b.rack)
		for name, size := range d.byTopic {
			topics[name] += size
		}
	}
	if len(dirs) < len(y.snap.brokers) {
		return
	}
	for name, size := range topics {
		if y.snap.byName[name] != nil {
			p.Add(metrics.KminionTopicLogDirSize(), float64(size), name)
		}
	}
}

// kminionOffsets writes the watermarks of the partitions that one broker leads.
func (y *cycle) kminionOffsets(l *leader, p *exporters.Part) {
	low, high := p.Family(metrics.KminionPartitionLowWaterMark()), p.Family(metrics.KminionPartitionHighWaterMark())
	l.each(y.snap, func(t *topic, q *partition) {
		if q.start != unknown {
			low.Add(float64(q.start), t.name, q.label)
		}
		if q.end != unknown {
			high.Add(float64(q.end), t.name, q.label)
		}
	})
}

func kminionSum(p *exporters.Part, t *topic, start, end int64) {
	p.Add(metrics.KminionTopicLowWaterMarkSum(), float64(start), t.name)
	p.Add(metrics.KminionTopicHighWaterMarkSum(), float64(end), t.name)
}

// kminionAbout writes what groups are like.
func kminionAbout(groups []*consumer, p *exporters.Part) {
	for _, c := range groups {
		if !c.counted {
			continue
		}
		p.Add(metrics.KminionGroupInfo(), one(c.state == "Stable"),
			c.group, c.protocol, c.protocolType, c.state, strconv.Itoa(int(c.coordinator)))
		p.Add(metrics.KminionGroupMembers(), float64(c.members), c.group)
		if c.empty > 0 {
			p.Add(metrics.KminionGroupEmptyMembers(), float64(c.empty), c.group)
		}
		for i := range c.topics {
			if e := &c.topics[i]; e.members > 0 {
				p.Add(metrics.KminionGroupTopicMembers(), float64(e.members), c.group, e.topic.name)
				p.Add(metrics.KminionGroupTopicAssignedPartitions(), float64(len(e.assigned)), c.group, e.topic.name)
			}
		}
	}
}

// kminionLag writes how far groups have come.
func kminionLag(groups []*consumer, p *exporters.Part) {
	single, sum := p.Family(metrics.KminionGroupPartitionLag()), p.Family(metrics.KminionGroupTopicLag())
	offsets := p.Family(metrics.KminionGroupTopicOffsetSum())
	for _, c := range groups {
		for i := range c.topics {
			e := &c.topics[i]
			if len(e.commits) == 0 {
				continue
			}
			at, lags := total{unknown: e.partial}, total{unknown: e.partial}
			for j := range e.commits {
				lag := e.lag(j)
				at.add(e.commits[j].offset)
				lags.add(lag)
				if lag != unknown && !c.coarse && !e.topic.coarse {
					single.Add(float64(lag), c.group, e.topic.name, e.topic.partitions[e.commits[j].partition].label)
				}
			}
			at.emit(offsets, c.group, e.topic.name)
			lags.emit(sum, c.group, e.topic.name)
		}
	}
}
