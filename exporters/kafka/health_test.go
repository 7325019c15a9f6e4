package kafka

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
)

// told makes a broker's metadata of one topic, of partitions {leader, isr...}
// with the replicas 1, 2 and 3.
func told(name string, partitions ...[]int32) *kmsg.MetadataResponse {
	resp := kmsg.NewPtrMetadataResponse()
	for _, id := range []int32{3, 1, 2} {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = id, "host", 9092
		resp.Brokers = append(resp.Brokers, b)
	}
	t := kmsg.NewMetadataResponseTopic()
	t.Topic = &name
	for i, p := range partitions {
		mp := kmsg.NewMetadataResponseTopicPartition()
		mp.Partition, mp.Leader, mp.ISR, mp.Replicas = int32(i), p[0], p[1:], []int32{1, 2, 3}
		if p[0] < 0 {
			mp.ErrorCode = kerr.LeaderNotAvailable.Code
		}
		t.Partitions = append(t.Partitions, mp)
	}
	slices.Reverse(t.Partitions) // brokers keep no order
	resp.Topics = append(resp.Topics, t)
	return resp
}

// emitted is what a cycle shows of a snapshot's metadata.
func emitted(t *testing.T, s *snapshot) map[string]float64 {
	y := &cycle{cluster: &cluster{}, snap: s}
	return newPage(t, exporters.Collector{Name: "x", Collect: func(_ context.Context, out *exporters.Batch) error {
		y.emitCluster(out.Part("cluster"))
		return nil
	}}, exportersOptions()).collect(t.Context())
}

func allTopics(string) bool { return true }

func TestHealth(t *testing.T) {
	m := &memory{}
	m.setMinISR(map[string]int{"orders": 2})
	s := newSnapshot(told("orders", []int32{1, 1, 2, 3}, []int32{2, 2, 3}, []int32{3, 3}, []int32{-1, 2}), m, allTopics)
	of := func(family, partition string) string {
		return "kafka_topic_partition_" + family + "{partition=" + partition + ",topic=orders}"
	}
	counts := map[string]float64{
		"kafka_topic_offline_partitions{topic=orders}":          1,
		"kafka_topic_under_replicated_partitions{topic=orders}": 3,
		"kafka_topic_under_min_isr_partitions{topic=orders}":    2,
		"kafka_topic_at_min_isr_partitions{topic=orders}":       1,
		"kafka_broker_leaders{broker=1}":                        1,
		"kafka_broker_replicas{broker=2}":                       4,
		"kafka_broker_leader_imbalance_ratio{broker=1}":         0.75,
		"kafka_broker_leader_imbalance_ratio{broker=2}":         0,
	}
	got := emitted(t, s)
	have(t, got, counts)
	have(t, got, map[string]float64{
		of("offline", "3"): 1, of("offline", "0"): absent, of("under_min_isr", "2"): 1, of("under_min_isr", "1"): absent,
		of("at_min_isr", "1"): 1, of("at_min_isr", "2"): absent,
		of("under_replicated_partition", "0"): 0, of("under_replicated_partition", "1"): 1,
		of("replicas", "3"): 3, of("in_sync_replica", "3"): 1, of("leader_is_preferred", "0"): 1, of("leader_is_preferred", "1"): 0,
	})
	if got[of("leader", "3")] != -1 {
		t.Errorf("the leader of a partition without one is %v", got[of("leader", "3")])
	}

	s.detailAll = true
	got = emitted(t, s)
	have(t, got, counts)
	have(t, got, map[string]float64{of("offline", "0"): 0, of("under_min_isr", "1"): 0, of("at_min_isr", "2"): 0})

	s.topics[0].coarse = true
	got = emitted(t, s)
	have(t, got, counts)
	have(t, got, map[string]float64{of("offline", "3"): absent, of("replicas", "0"): absent, "kafka_topic_partitions{topic=orders}": 4})

	m.setMinISR(nil)
	have(t, emitted(t, s), map[string]float64{
		"kafka_topic_under_min_isr_partitions{topic=orders}": absent, "kafka_topic_at_min_isr_partitions{topic=orders}": absent,
		"kafka_topic_offline_partitions{topic=orders}": 1,
	})
}

// TestSnapshotAt: partitions are found by number, also where some were left out.
func TestSnapshotAt(t *testing.T) {
	meta := told("orders", []int32{1, 1}, []int32{1, 1}, []int32{1, 1}, []int32{1, 1})
	meta.Topics[0].Partitions = slices.Delete(meta.Topics[0].Partitions, 1, 2) // number 2
	o := newSnapshot(meta, &memory{}, allTopics).byName["orders"]
	for number, want := range map[int32]int{0: 0, 1: 1, 2: -1, 3: 2, 4: -1, -1: -1} {
		if got := o.at(number); got != want {
			t.Errorf("partition %d is at %d, want %d", number, got, want)
		}
	}
}

// TestKnow: a slot never changes its broker, and the list does not grow for ever.
func TestKnow(t *testing.T) {
	cl, err := kgo.NewClient(kgo.SeedBrokers("boot:1"), kgo.WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	w := newWire(cl, []string{"boot:1"})
	know := func(brokers ...broker) {
		t.Helper()
		if err := w.know(brokers); err != nil {
			t.Fatal(err)
		}
	}
	know(broker{id: 1, host: "boot", port: 1}, broker{id: 2, host: "two", port: 1})
	if !slices.Equal(w.addrs, []string{"boot:1", "two:1"}) || w.peers[1].slot != 0 {
		t.Errorf("addresses %v", w.addrs)
	}
	know(broker{id: 1, host: "boot", port: 1}, broker{id: 2, host: "elsewhere", port: 1})
	if w.addrs[w.peers[2].slot] != "elsewhere:1" || w.addrs[1] != "two:1" {
		t.Errorf("addresses %v", w.addrs)
	}
	for i := range 1000 {
		know(broker{id: int32(i), host: "host", port: int32(i + 1)})
	}
	if len(w.addrs) > 20 || len(w.peers) != 1 {
		t.Errorf("%d addresses, %d brokers are remembered", len(w.addrs), len(w.peers))
	}
	if len(cl.SeedBrokers()) != len(w.addrs) {
		t.Errorf("%d seeds for %d addresses", len(cl.SeedBrokers()), len(w.addrs))
	}
}

// FuzzAssignment: what members say of themselves is theirs to get wrong.
func FuzzAssignment(f *testing.F) {
	name := "orders"
	good := kmsg.ConsumerMemberAssignment{Topics: []kmsg.ConsumerMemberAssignmentTopic{{Topic: name, Partitions: []int32{0, 7, -1}}}}
	f.Add(good.AppendTo(nil))
	f.Add([]byte{0, 0, 0xff, 0xff, 0xff, 0xff})
	s := newSnapshot(told(name, []int32{1, 1}), &memory{}, allTopics)
	f.Fuzz(func(t *testing.T, raw []byte) {
		ch := &chain{cycle: &cycle{cluster: &cluster{settings: settings{logger: slog.New(slog.DiscardHandler)}}, snap: s}}
		c := &consumer{}
		ch.assignClassic(c, &member{}, raw)
		for i := range c.topics {
			if e := &c.topics[i]; e.topic == nil || len(e.assigned) > len(raw) {
				t.Errorf("assigned %v of %v", e.assigned, e.topic)
			}
		}
		c.onlyAssigned()
	})
}

// TestHedge: a broker that hangs costs less than a second and a half of the
// first contact.
func TestHedge(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	awake := make(chan struct{})
	defer close(awake)
	f.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if f.CurrentNode() == 0 {
			f.SleepControl(func() { <-awake })
		}
		return nil, nil, false
	})
	addrs := f.ListenAddrs() // in the order of the brokers
	cl := f.open(kgo.SeedBrokers(addrs...))
	began := time.Now()
	meta, err := newWire(cl, addrs).metadata(t.Context())
	if took := time.Since(began); took < hedgeAfter || took > 2500*time.Millisecond { // with room for a busy machine
		t.Errorf("the metadata took %s", took)
	}
	if err != nil || len(meta.Brokers) != 3 {
		t.Fatalf("metadata %v, %v", meta, err)
	}
}
