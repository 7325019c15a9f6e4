package kafka

import (
	"cmp"
	"slices"
)

// How many series there are of one subject, the other families of the package
// (log directories, lag in seconds) included.
const (
	seriesFixed         = 250
	seriesOfBroker      = 40
	seriesOfTopic       = 16
	seriesOfPartition   = 7
	seriesOfGroup       = 8
	seriesOfGroupTopic  = 18
	seriesOfCommit      = 4
	detailOfPartition   = 7 // more with DetailsAll
	compatOfPartition   = 2 // more with another exporter's names
	kminionOfCommit     = 1
	lagExporterOfCommit = 3
)

// coarsen makes what is emitted fit into the room that there is: the largest
// groups are shown as sums by topic, and if that is not enough, the largest
// topics as well. It says what it did.
func (y *cycle) coarsen() {
	ofPartition, ofCommit := y.rates()
	room := y.out.Room() * 49 / 50 // what cannot be foreseen
	need := seriesFixed + seriesOfBroker*len(y.snap.brokers)
	for _, t := range y.snap.topics {
		need += seriesOfTopic + ofPartition*len(t.partitions)
	}
	for _, c := range y.consumers {
		need += seriesOfGroup + seriesOfGroupTopic*len(c.topics) + ofCommit*c.partitions() + y.unstable(c)
	}
	groups, topics := 0, 0
	bySize := slices.SortedFunc(slices.Values(y.consumers), func(a, b *consumer) int {
		return cmp.Or(b.partitions()-a.partitions(), cmp.Compare(a.group, b.group))
	})
	for _, c := range bySize {
		n := c.partitions()
		if need <= room || n == 0 {
			break
		}
		c.coarse = true
		groups++
		need -= ofCommit*n + y.unstable(c)
	}
	largest := slices.SortedFunc(slices.Values(y.snap.topics), func(a, b *topic) int {
		return cmp.Or(len(b.partitions)-len(a.partitions), cmp.Compare(a.name, b.name))
	})
	for _, t := range largest {
		if need <= room {
			break
		}
		t.coarse = true
		topics++
		need -= ofPartition * len(t.partitions)
	}
	y.out.Coarsened("group", groups)
	y.out.Coarsened("topic", topics)
	if groups+topics > 0 && y.wire.once("coarsened") {
		y.out.Log().Warn("the series budget is too small for every partition; the largest are shown as sums",
			"groups", groups, "topics", topics, "room", room)
	}
}

// unstable is how many partitions of a consumer have a lag of committed records
// of their own.
func (y *cycle) unstable(c *consumer) (n int) {
	for i := range c.topics {
		e := &c.topics[i]
		for _, at := range e.commits {
			q := &e.topic.partitions[at.partition]
			n += bit(y.snap.detailAll || q.stable != q.end)
		}
	}
	return n
}

// rates returns the series of one partition and of one commit.
func (y *cycle) rates() (ofPartition, ofCommit int) {
	ofPartition, ofCommit = seriesOfPartition, seriesOfCommit
	if y.snap.detailAll {
		ofPartition += detailOfPartition
	}
	if y.compat(CompatKminion) {
		ofPartition += compatOfPartition
		ofCommit += kminionOfCommit
	}
	if y.compat(CompatKafkaLagExporter) {
		ofPartition += compatOfPartition
		ofCommit += lagExporterOfCommit
	}
	return ofPartition, ofCommit
}
