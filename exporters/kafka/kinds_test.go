package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// live begins a consumer and returns when it has read n records; it goes on
// until the test ends.
func (f *fake) live(n int, opts ...kgo.Opt) *kgo.Client {
	cl, _ := f.read(n, opts...)
	return cl
}

func (f *fake) read(n int, opts ...kgo.Opt) (*kgo.Client, []*kgo.Record) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	cl := f.open(opts...)
	var records []*kgo.Record
	for len(records) < n {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			f.t.Fatalf("the consumer read %d of %d records: %v", len(records), n, fetches.Errors())
		}
		records = append(records, fetches.Records()...)
	}
	return cl, records
}

func (f *fake) commitAll(cl *kgo.Client) {
	f.t.Helper()
	if err := cl.CommitUncommittedOffsets(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func TestClassicGroup(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(4, "orders"))
	f.produce("orders", 4, 5)
	f.commitAll(f.live(20, kgo.ConsumerGroup("shop"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit()))
	f.produce("orders", 2, 3)
	got := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
	have(t, got, map[string]float64{
		"kafka_consumergroup_state{consumergroup=shop,state=Stable}":                     1,
		"kafka_consumergroup_members{consumergroup=shop}":                                1,
		"kafka_consumergroup_topic_members{consumergroup=shop,topic=orders}":             1,
		"kafka_consumergroup_topic_assigned_partitions{consumergroup=shop,topic=orders}": 4,
		lagSum("shop", "orders"): 6, lagOf("shop", "orders", 0): 3, lagOf("shop", "orders", 3): 0,
	})
}

func TestConsumerGroup848(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(4, "orders"))
	f.produce("orders", 4, 5)
	f.commitAll(f.live(20, kgo.ConsumerGroup("next"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(), kgo.ServerSideBalancer()))
	f.produce("orders", 2, 3)
	got := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
	found := false
	for series := range got {
		found = found || hasLabels(series, "kafka_consumergroup_info", "consumergroup=next", "type=consumer", "source=kafka", "state=Stable")
	}
	if !found {
		t.Error("no kafka_consumergroup_info of type consumer")
	}
	have(t, got, map[string]float64{
		"kafka_consumergroup_members{consumergroup=next}":                                1,
		"kafka_consumergroup_topic_assigned_partitions{consumergroup=next,topic=orders}": 4,
		lagSum("next", "orders"): 6, lagOf("next", "orders", 0): 3, lagOf("next", "orders", 3): 0,
	})
}

// TestShareGroup932: the lag is the broker's, which knows what is acknowledged.
func TestShareGroup932(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(2, "orders"))
	f.SetGroupConfigs("shared", map[string]string{"share.auto.offset.reset": "earliest"})
	f.produce("orders", 1, 5)
	cl, records := f.read(5, kgo.ShareGroup("shared"), kgo.ConsumeTopics("orders"))
	records[4].Ack(kgo.AckAccept) // of five records the last is done: the group still begins at the first
	if err := cl.FlushAcks(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
	found := false
	for series := range got {
		found = found || hasLabels(series, "kafka_consumergroup_info", "consumergroup=shared", "type=share")
	}
	if !found {
		t.Error("no kafka_consumergroup_info of type share")
	}
	have(t, got, map[string]float64{
		"kafka_consumergroup_members{consumergroup=shared}":                                 1,
		"kafka_consumergroup_topic_assigned_partitions{consumergroup=shared,topic=orders}":  2,
		"kafka_consumergroup_topic_read_committed_lag{consumergroup=shared,topic=orders}":   absent,
		"kafka_consumergroup_current_offset{consumergroup=shared,partition=0,topic=orders}": 0,
		lagOf("shared", "orders", 0): 4, lagSum("shared", "orders"): 4,
	})
	cl.Close()
}

// TestOldBroker: one that knows neither types of groups nor offsets of many
// groups at once.
func TestOldBroker(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"), kfake.MaxVersions(kversion.V2_3_0()))
	f.produce("orders", 3, 10)
	names := []string{f.groupOn(0, "a"), f.groupOn(0, "b"), f.groupOn(0, "c")}
	for i, g := range names {
		f.commit(g, "orders", int64(i), int64(i), int64(i))
	}
	got := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
	for i, g := range names {
		have(t, got, map[string]float64{lagSum(g, "orders"): float64(30 - 3*i), "kafka_consumergroup_state{consumergroup=" + g + ",state=Empty}": 1})
	}
}

// TestAssignedOnly: --no-offset.show-all of kafka_exporter.
func TestAssignedOnly(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(2, "orders", "left"))
	f.produce("orders", 2, 5)
	f.produce("left", 2, 5)
	f.commit("shop", "left", 1, 1)
	f.commit("gone", "left", 1, 1)
	f.commitAll(f.live(10, kgo.ConsumerGroup("shop"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit()))
	opts := f.options()
	got := newPage(t, f.collector("kafka", opts), exportersOptions()).collect(t.Context())
	have(t, got, map[string]float64{lagSum("shop", "left"): 8, lagSum("shop", "orders"): 0, lagSum("gone", "left"): 8})
	opts.AssignedOnly = true
	got = newPage(t, f.collector("kafka", opts), exportersOptions()).collect(t.Context())
	have(t, got, map[string]float64{lagSum("shop", "left"): absent, lagSum("shop", "orders"): 0, lagSum("gone", "left"): 8})
}

// TestFilters: what is filtered out is not asked for.
func TestFilters(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(2, "orders", "orders-old", "audit"))
	f.commit("shop", "orders", 0, 0)
	f.commit("shop-test", "orders", 0, 0)
	opts := f.options()
	opts.TopicFilter, opts.TopicExclude, opts.GroupFilter, opts.GroupExclude = "orders", "-old$", "^shop", "test"
	got := newPage(t, f.collector("kafka", opts), exportersOptions()).collect(t.Context())
	have(t, got, map[string]float64{
		offsetOf("orders", 0): 0, offsetOf("orders-old", 0): absent, offsetOf("audit", 0): absent,
		lagSum("shop", "orders"): 0, lagSum("shop-test", "orders"): absent,
		"kafka_consumergroup_members{consumergroup=shop-test}": absent,
	})
}
