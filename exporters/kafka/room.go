package kafka

import (
	"cmp"
	"slices"
)

// How many series there are at most of one subject, the other families of the
// package (logdirs, lag in seconds) included.
const (
	seriesFixed         = 200
	seriesOfBroker      = 40
	seriesOfTopic       = 16
	seriesOfPartition   = 7
	seriesOfGroup       = 8
	seriesOfGroupTopic  = 16
	seriesOfCommit      = 6
	detailOfPartition   = 6 // more with DetailsAll
	detailOfCommit      = 3
	kminionOfPartition  = 2
	kminionOfCommit     = 1
	lagExporterOfCommit = 3
)

// coarsen makes what is emitted fit into the room that there is: the largest
// groups are shown as sums by topic, and if that is not enough, the largest
// topics as well. It says what it did.
func (y *cycle) coarsen() {
	ofPartition, ofCommit := y.rates()
	room := y.out.Room()
	need := seriesFixed + seriesOfBroker*len(y.snap.brokers)
	for _, t := range y.snap.topics {
		need += seriesOfTopic + ofPartition*len(t.partitions)
	}
	for _, c := range y.consumers {
		need += seriesOfGroup + seriesOfGroupTopic*len(c.topics) + ofCommit*c.partitions()
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
		need -= ofCommit * n
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

// rates returns the series of one partition and of one commit.
func (y *cycle) rates() (ofPartition, ofCommit int) {
	ofPartition, ofCommit = seriesOfPartition, seriesOfCommit
	if y.snap.detailAll {
		ofPartition += detailOfPartition
		ofCommit += detailOfCommit
	}
	if y.compat(CompatKminion) {
		ofPartition += kminionOfPartition
		ofCommit += kminionOfCommit
	}
	if y.compat(CompatKafkaLagExporter) {
		ofPartition += kminionOfPartition
		ofCommit += lagExporterOfCommit
	}
	return ofPartition, ofCommit
}
