package kafka

import (
	"fmt"
	"strconv"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// maxFaults bounds the parts of single groups that go wrong.
const maxFaults = 10

// emitGroups writes the groups of one coordinator.
func (y *cycle) emitGroups(ch *chain) {
	about, lag := y.out.Part(partOf("groups", ch.broker.label)), y.out.Part(partOf("lag", ch.broker.label))
	for _, err := range []error{ch.listErr, ch.groupErr} {
		if err != nil {
			about.Fail(err)
		}
	}
	for _, err := range []error{ch.listErr, ch.commitErr} {
		if err != nil {
			lag.Fail(err)
		}
	}
	if ch.someErr != nil {
		y.out.Part(partOf("groups", ch.broker.label) + "/list").Fail(ch.someErr)
	}
	for i, f := range ch.faults {
		if i == maxFaults {
			y.out.Log().Warn("more groups cannot be shown", "broker", ch.broker.label, "groups", len(ch.faults)-i)
			break
		}
		err := fmt.Errorf("asking broker %s for group %s: %w", ch.broker.label, f.group, f.err)
		y.out.Part(partOf("group", f.group)).Fail(err)
	}
	if ch.listErr == nil && ch.groupErr == nil {
		y.emitAbout(ch.groups, about)
	}
	if ch.listErr == nil && ch.commitErr == nil {
		y.emitLag(ch.groups, lag)
	}
}

// emitAbout writes what groups are like.
func (y *cycle) emitAbout(groups []*consumer, p *exporters.Part) {
	for _, c := range groups {
		coordinator := ""
		if c.coordinator >= 0 {
			coordinator = strconv.Itoa(int(c.coordinator))
		}
		p.Add(metrics.KafkaGroupInfo(), 1, c.group, c.kind, c.source, c.state, c.protocol, coordinator)
		if c.state != "" {
			p.Add(metrics.KafkaGroupState(), 1, c.group, c.state)
		}
		if !c.counted {
			continue
		}
		p.Add(metrics.KafkaGroupMembers(), float64(c.members), c.group)
		for i := range c.topics {
			if e := &c.topics[i]; e.members > 0 {
				p.Add(metrics.KafkaGroupTopicMembers(), float64(e.members), c.group, e.topic.name)
				p.Add(metrics.KafkaGroupTopicAssignedPartitions(), float64(len(e.assigned)), c.group, e.topic.name)
			}
		}
	}
	if y.compat(CompatKminion) {
		kminionAbout(groups, p)
	}
}

// lagFamilies are the families of how far groups have come.
type lagFamilies struct {
	offset, offsetSum, lag, lagSum, committed, committedSum *exporters.Family
}

func (y *cycle) emitLag(groups []*consumer, p *exporters.Part) {
	f := lagFamilies{
		offset: p.Family(metrics.KafkaGroupCurrentOffset()), offsetSum: p.Family(metrics.KafkaGroupCurrentOffsetSum()),
		lag: p.Family(metrics.KafkaGroupLag()), lagSum: p.Family(metrics.KafkaGroupLagSum()),
		committed:    p.Family(metrics.KafkaGroupReadCommittedLag()),
		committedSum: p.Family(metrics.KafkaGroupTopicReadCommittedLag()),
	}
	n := 0
	for _, c := range groups {
		if !c.coarse {
			n += c.partitions()
		}
	}
	f.offset.Grow(n)
	f.lag.Grow(n)
	for _, c := range groups {
		for i := range c.topics {
			f.add(c, &c.topics[i], y.snap)
		}
	}
	if y.compat(CompatKminion) {
		kminionLag(groups, p)
	}
	if y.compat(CompatKafkaLagExporter) {
		y.lagExporterLag(groups, p)
	}
}

// partitions is how many partitions the consumer has an offset in.
func (c *consumer) partitions() (n int) {
	for i := range c.topics {
		n += len(c.topics[i].commits)
	}
	return n
}

// total is a sum that is shown only when all of its terms are known.
type total struct {
	sum     int64
	unknown bool
}

func (t *total) add(n int64) {
	t.sum += n
	t.unknown = t.unknown || n == unknown
}

func (t *total) emit(f *exporters.Family, labels ...string) {
	if !t.unknown {
		f.Add(float64(t.sum), labels...)
	}
}

func (f *lagFamilies) add(c *consumer, e *consumed, s *snapshot) {
	if len(e.commits) == 0 {
		return
	}
	name := e.topic.name
	detail := !c.coarse && !e.topic.coarse
	all := s.detailAll && c.source == sourceKafka
	offsets, lags, committed := total{unknown: e.partial}, total{unknown: e.partial}, total{unknown: e.partial}
	for i := range e.commits {
		at := &e.commits[i]
		q := &e.topic.partitions[at.partition]
		lag, behind := e.lag(i), e.committedLag(i)
		offsets.add(at.offset)
		lags.add(lag)
		committed.add(behind)
		if !detail {
			continue
		}
		f.offset.Add(float64(at.offset), c.group, name, q.label)
		if lag != unknown {
			f.lag.Add(float64(lag), c.group, name, q.label)
		}
		if behind != unknown && (all || q.stable != q.end) {
			f.committed.Add(float64(behind), c.group, name, q.label)
		}
	}
	offsets.emit(f.offsetSum, c.group, name)
	lags.emit(f.lagSum, c.group, name)
	if c.kind != kindShare {
		committed.emit(f.committedSum, c.group, name)
	}
}
