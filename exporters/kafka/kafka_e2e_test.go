//go:build e2e

package kafka_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rotated are the replicas of n partitions on three brokers, the preferred
// leaders in turn.
func rotated(n int) [][]int32 {
	var out [][]int32
	for p := range int32(n) {
		out = append(out, []int32{p%3 + 1, (p+1)%3 + 1, (p+2)%3 + 1})
	}
	return out
}

// fill makes topics, records and a group of every kind.
func (st *stage) fill(ctx context.Context, t *testing.T) {
	t.Helper()
	st.topic(ctx, t, "orders", rotated(6))
	st.topic(ctx, t, "payments", rotated(3))
	st.topic(ctx, t, "solo", [][]int32{{1}, {2}, {3}}) // each partition on one broker only
	st.produce(ctx, t, "orders", 6, 100)
	st.produce(ctx, t, "payments", 3, 100)
	st.produce(ctx, t, "solo", 3, 10)
	st.commit(ctx, t, "billing", "orders", 100, 90, 80, 70, 60, 50)
	st.commit(ctx, t, "partial", "orders", 10, 20)
	st.group(ctx, t, "live", "orders", 6, 40)
	st.group(ctx, t, "next", "orders", 6, 25, kgo.ServerSideBalancer())
}

// Everything that the exporter says of a cluster of three brokers, against
// Kafka's own command-line classes and against what was done to it.
func TestThreeBrokers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	st := newStage(ctx, t)
	st.fill(ctx, t)
	e := watch(t, st.Config().Kafka)
	for _, part := range []struct {
		name string
		run  func(context.Context, *testing.T, *stage, *eye)
	}{
		{"counts", countsAgree},
		{"share", shareGroup932},
		{"transactions", openTransaction},
		{"seconds", lagInSeconds},
		{"rights", leastPrivilege},
		{"soak", soak},
		{"stall", brokerStalls},
		{"death", brokerDies},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(ctx, t, st, e) })
	}
}

// agrees waits until the page says what Kafka's own commands say: partitions,
// replicas, leaders, offsets, groups of all types, members, lag.
func agrees(ctx context.Context, t *testing.T, st *stage, e *eye) page {
	t.Helper()
	want := st.truth(ctx, t, "[^_].*") // Kafka's own topics grow meanwhile
	return e.within(ctx, t, 2, "agreement with Kafka's own commands", func(p page) (bool, string) {
		d := want.differs(p.seen())
		return d == "", d
	})
}

func countsAgree(ctx context.Context, t *testing.T, st *stage, e *eye) {
	p := agrees(ctx, t, st, e)
	for name, want := range map[string]float64{
		"partitions orders": 6, "lag billing orders-5": 50, "lag sum billing orders": 150, "lag sum live orders": 360,
		"lag sum next orders": 450, "members live": 2, "members next": 2, "members billing": 0, "type next consumer": 1,
		"type live classic": 1, "assigned next": 6, "lag partial orders-1": 80,
	} {
		if got := p.seen()[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if got := p.one("kafka_brokers"); got != 3 {
		t.Errorf("kafka_brokers is %v", got)
	}
	racks := map[string]bool{}
	for _, s := range p["kafka_broker_rack_info"] {
		racks[s.labels["rack"]] = true
	}
	if len(racks) != 3 {
		t.Errorf("racks: %v", racks)
	}
	if ok, bad := p.all(); !ok {
		t.Errorf("not all parts went well:\n%s", bad)
	}
	clean(t, p)
	e.check(t)
	sizes := st.sizes(ctx, t)
	e.within(ctx, t, 2, "the size of topics", func(p page) (bool, string) {
		got := numbers{}
		for _, s := range p["kafka_topic_size_bytes"] {
			got["bytes "+s.labels["topic"]] = s.value
		}
		d := sizes.missing(got)
		return d == "" && len(sizes) > 0, d
	})
	st.quorumAgrees(ctx, t, e)
}

// clean checks that nothing is said to be wrong with any partition.
func clean(t *testing.T, p page) {
	t.Helper()
	for _, family := range []string{
		"kafka_topic_offline_partitions", "kafka_topic_under_replicated_partitions", "kafka_topic_partition_offline",
		"kafka_topic_partition_under_replicated_partition",
	} {
		if sum, _ := p.sum(family); sum != 0 {
			t.Errorf("%s: %v in all", family, sum)
		}
	}
}

// quorumAgrees waits until the page tells the quorum's leader and epoch that
// Kafka's own command tells, and returns the leader.
func (st *stage) quorumAgrees(ctx context.Context, t *testing.T, e *eye) (leader float64) {
	t.Helper()
	leader, epoch := st.quorum(ctx, t)
	e.within(ctx, t, 2, fmt.Sprintf("leader %v of the quorum in epoch %v", leader, epoch), func(p page) (bool, string) {
		gotLeader, gotEpoch := p.one("kafka_quorum_leader"), p.one("kafka_quorum_epoch")
		return gotLeader == leader && gotEpoch == epoch, fmt.Sprint(gotLeader, gotEpoch)
	})
	return leader
}

// A share group: its member while it reads, then its lag.
func shareGroup932(ctx context.Context, t *testing.T, st *stage, e *eye) {
	const group = "shared"
	st.alter(ctx, t, kmsg.ConfigResourceTypeGroupConfig, group, "share.auto.offset.reset", "earliest")
	read, stop := context.WithCancel(ctx)
	cl := st.open(t, kgo.ShareGroup(group), kgo.ConsumeTopics("payments"))
	got, ended := make(chan int), make(chan struct{})
	go func() {
		defer close(ended)
		for read.Err() == nil {
			n := cl.PollFetches(read).NumRecords()
			select {
			case got <- n:
			case <-read.Done():
			}
		}
	}()
	for sum := 0; sum < 300; {
		select {
		case n := <-got:
			sum += n
		case <-ctx.Done():
			t.Fatalf("the share group read %d of 300 records", sum)
		}
	}
	go func() { // what was read is acknowledged by the next poll
		for {
			select {
			case <-got:
			case <-read.Done():
				return
			}
		}
	}()
	e.within(ctx, t, 2, "the member of the share group", func(p page) (bool, string) {
		seen := p.seen()
		return seen["members "+group] == 1 && seen["assigned "+group] == 3 && seen["type "+group+" share"] == 1, fmt.Sprint(seen)
	})
	shareAgrees(ctx, t, st, e, 1, 0)
	stop()
	<-ended
	cl.Close()
	st.produce(ctx, t, "payments", 3, 30)
	shareAgrees(ctx, t, st, e, 0, 90)
}

// shareAgrees waits until Kafka's own command tells of so many members and so
// much lag, and then until the page does.
func shareAgrees(ctx context.Context, t *testing.T, st *stage, e *eye, members, lag float64) {
	t.Helper()
	want := numbers{}
	eventually(ctx, t, time.Minute, fmt.Sprintf("%v members and a lag of %v", members, lag), func() (bool, string) {
		clear(want)
		want["members shared"] = 0
		st.shareTruth(ctx, t, want)
		return want["lag sum shared payments"] == lag && want["members shared"] == members, fmt.Sprint(want)
	})
	e.within(ctx, t, 2, "agreement on the share group", func(p page) (bool, string) {
		d := want.missing(p.seen())
		return d == "", d
	})
}

// A transaction that stays open: it shows, and a group that reads committed
// records is at its end all the same.
func openTransaction(ctx context.Context, t *testing.T, st *stage, e *eye) {
	const group, topic = "audit", "ledger"
	st.topic(ctx, t, topic, rotated(2))
	st.produce(ctx, t, topic, 2, 50)
	st.commit(ctx, t, group, topic, 50, 50)
	cl := st.open(t, kgo.TransactionalID("transfers"), kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := cl.ProduceSync(ctx, &kgo.Record{Partition: 0, Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	p := e.within(ctx, t, 2, "the open transaction", func(p page) (bool, string) {
		committed := p.one("kafka_consumergroup_read_committed_lag", "consumergroup", group, "partition", "0")
		lag := p.one("kafka_consumergroup_lag", "consumergroup", group, "partition", "0")
		gap := p.one("kafka_topic_partition_lso_gap", "topic", topic, "partition", "0")
		return committed == 0 && lag == 5 && gap == 5, fmt.Sprintf("read committed %v, lag %v, gap %v", committed, lag, gap)
	})
	if age := p.one("kafka_topic_oldest_open_transaction_age_seconds", "topic", topic); age < 0 || age > 60 {
		t.Errorf("the open transaction is %v s old", age)
	}
	if got := p.one("kafka_oldest_open_transaction_info", "transactional_id", "transfers"); got != 1 {
		t.Errorf("the oldest open transaction: %v", p["kafka_oldest_open_transaction_info"])
	}
	if err := cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	e.within(ctx, t, 2, "the end of the transaction", func(p page) (bool, string) {
		gap, _ := p.sum("kafka_topic_partition_lso_gap", "topic", topic)
		committed, _ := p.sum("kafka_consumergroup_topic_read_committed_lag", "consumergroup", group)
		return gap == 0 && committed == 6, fmt.Sprintf("gap %v, read committed %v", gap, committed) // the marker is an offset too
	})
}

// A broker dies, the one that leads the quorum; and comes back.
func brokerDies(ctx context.Context, t *testing.T, st *stage, e *eye) {
	dead := int32(st.quorumAgrees(ctx, t, e))
	name := fmt.Sprintf("kafka-%d", dead)
	alone := strconv.Itoa(int(dead - 1)) // the partition of solo that nobody else has
	before := agrees(ctx, t, st, e).names()
	if err := st.Kill(name); err != nil {
		t.Fatal(err)
	}
	want := st.knowsDead(ctx, t, dead)
	p := e.within(ctx, t, 2, "under-replicated and offline partitions", func(p page) (bool, string) {
		under, _ := p.sum("kafka_topic_under_replicated_partitions")
		each, _ := p.sum("kafka_topic_partition_under_replicated_partition")
		offline := p.one("kafka_topic_offline_partitions", "topic", "solo")
		which := p.one("kafka_topic_partition_offline", "topic", "solo", "partition", alone)
		all, _ := p.sum("kafka_topic_partition_offline")
		return under == want && each == want && offline == 1 && which == 1 && all == 1,
			fmt.Sprintf("under-replicated %v and %v of %v, offline %v, %v, %v", under, each, want, offline, which, all)
	})
	if got := p.one("kafka_brokers"); got != 2 {
		t.Errorf("kafka_brokers is %v with one of three dead", got)
	}
	if leader := st.quorumAgrees(ctx, t, e); int32(leader) == dead {
		t.Errorf("the dead broker %d leads the quorum", dead)
	}
	nothingElseLost(ctx, t, e, before, dead)
	st.produce(ctx, t, "orders", 6, 7) // every partition, whoever leads it now
	agreesBesides(ctx, t, st, e)

	if err := st.Start(ctx, name); err != nil {
		t.Fatal(err)
	}
	e.within(ctx, t, 8, "all clean again", func(p page) (bool, string) {
		under, _ := p.sum("kafka_topic_under_replicated_partitions")
		offline, _ := p.sum("kafka_topic_offline_partitions")
		ok, bad := p.all()
		return under == 0 && offline == 0 && ok && p.one("kafka_brokers") == 3, fmt.Sprint(under, offline, bad)
	})
	clean(t, agrees(ctx, t, st, e))
	st.quorumAgrees(ctx, t, e)
}

// knowsDead waits until Kafka itself counts a broker out, and returns how many
// partitions are under-replicated then.
func (st *stage) knowsDead(ctx context.Context, t *testing.T, dead int32) (under float64) {
	t.Helper()
	eventually(ctx, t, time.Minute, "the death being known to Kafka", func() (bool, string) {
		try, stop := context.WithTimeout(ctx, 5*time.Second)
		defer stop()
		topics, err := st.adm.ListTopicsWithInternal(try)
		if err != nil {
			return false, err.Error()
		}
		under = 0
		for _, topic := range topics {
			for _, p := range topic.Partitions {
				if slices.Contains(p.ISR, dead) || p.Leader == dead {
					return false, fmt.Sprint(p)
				}
				if len(p.ISR) < len(p.Replicas) {
					under++
				}
			}
		}
		return len(topics) > 0, "no topics"
	})
	return under
}

// nothingElseLost waits until what is stale has been dropped, and checks that
// each series that is gone was of the dead broker or of what it alone had.
func nothingElseLost(ctx context.Context, t *testing.T, e *eye, before map[string]series, dead int32) {
	t.Helper()
	began := e.page(t).collections("kafka")
	var now page
	eventually(ctx, t, time.Minute, "stale series being dropped", func() (bool, string) {
		now = e.page(t)
		n := now.collections("kafka") - began
		return n > 5, fmt.Sprint(n)
	})
	id := strconv.Itoa(int(dead))
	have := now.names()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		s := before[name]
		// What all replicas take is not known while a broker is away.
		if _, ok := have[name]; ok || s.labels["topic"] == "solo" || strings.HasPrefix(name, "kafka_topic_size_bytes") {
			continue
		}
		of := []string{s.labels["broker"], s.labels["id"], s.labels["coordinator"], s.labels["voter"], s.labels["node"]}
		if !slices.Contains(of, id) {
			t.Errorf("lost with broker %s: %s", id, name)
		}
	}
	if ok, bad := now.all(); !ok {
		t.Errorf("two of three brokers are well, and yet:\n%s", bad)
	}
}

// agreesBesides is agreement on all but the offsets of the topic of which a
// partition is offline: those nobody can tell.
func agreesBesides(ctx context.Context, t *testing.T, st *stage, e *eye) {
	t.Helper()
	want := st.truth(ctx, t, "[^_s].*")
	drop := func(n numbers) numbers {
		maps.DeleteFunc(n, func(name string, _ float64) bool {
			return strings.HasPrefix(name, "end solo") || strings.HasPrefix(name, "start solo")
		})
		return n
	}
	e.within(ctx, t, 2, "agreement with one broker dead", func(p page) (bool, string) {
		d := want.differs(drop(p.seen()))
		return d == "", d
	})
}
