package kafka

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/lakeproof/lakeproof/exporters/exportertest"
)

func TestCollect(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"), kfake.SeedTopics(1, "idle"))
	f.produce("orders", 3, 10)
	f.commit("shop", "orders", 4, 10)
	got := exportertest.Collect(t, f.collector("kafka", f.options()))
	for _, want := range []string{
		"kafka_brokers 3",
		`kafka_cluster_info{cluster_id="fake"} 1`,
		`kafka_topic_partitions{topic="orders"} 3`,
		`kafka_topic_partition_current_offset{topic="orders",partition="2"} 10`,
		`kafka_topic_partition_oldest_offset{topic="orders",partition="2"} 0`,
		`kafka_topic_current_offset{topic="orders"} 30`,
		`kafka_consumergroup_current_offset{consumergroup="shop",topic="orders",partition="0"} 4`,
		`kafka_consumergroup_lag{consumergroup="shop",topic="orders",partition="0"} 6`,
		`kafka_consumergroup_lag{consumergroup="shop",topic="orders",partition="1"} 0`,
		`kafka_consumergroup_lag_sum{consumergroup="shop",topic="orders"} 6`,
		`kafka_consumergroup_current_offset_sum{consumergroup="shop",topic="orders"} 14`,
		`kafka_consumergroup_members{consumergroup="shop"} 0`,
		`kafka_consumergroup_state{consumergroup="shop",state="Empty"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(got, `consumergroup="shop",topic="orders",partition="2"`) {
		t.Error("a partition without a commit is shown")
	}
	if t.Failed() {
		t.Log(got)
	}
}

// TestRequests holds how much is asked: as often as sent says, and as few as promised.
func TestRequests(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(10, "a", "b", "c", "d"))
	for _, broker := range []int32{0, 1, 2} {
		for _, prefix := range []string{"g", "h"} {
			f.commit(f.groupOn(broker, prefix), "a", 0, 0, 0)
		}
	}
	c := f.collector("kafka", f.options())
	p := newPage(t, c, exportersOptions())
	p.collect(t.Context())
	n := f.count()
	series := p.collect(t.Context())
	const notKnown = 1 // DescribeQuorum, which the fake does not offer and the client therefore does not send
	asked := series["lakeproof_collector_requests{collector=kafka,target=fake}"]
	if float64(n.all+notKnown) != asked || asked > mostRequests {
		t.Errorf("%d requests, at most %d are promised; the collector says %v: %v", n.all, mostRequests, asked, n.byKey)
	}
	t.Logf("%d requests: %v", n.all, n.byKey)
}
