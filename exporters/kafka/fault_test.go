package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// faulty is a cluster with a topic of nine partitions, three on each broker,
// and a group on each broker that is 5 behind everywhere.
type faulty struct {
	*fake
	groups [3]string
}

func newFaulty(t *testing.T) *faulty {
	f := &faulty{fake: newFake(t, kfake.SeedTopics(9, "orders"), kfake.SeedTopics(3, "other"))}
	for p := range int32(9) {
		if err := f.MoveTopicPartition("orders", p, p%3); err != nil {
			t.Fatal(err)
		}
	}
	for p := range int32(3) {
		if err := f.MoveTopicPartition("other", p, p); err != nil {
			t.Fatal(err)
		}
	}
	f.produce("orders", 9, 10)
	f.produce("other", 3, 2)
	for b := range int32(3) {
		f.groups[b] = f.groupOn(b, fmt.Sprint("on", b))
		f.commit(f.groups[b], "orders", 5, 5, 5, 5, 5, 5, 5, 5, 5)
	}
	return f
}

// have checks the values of series; a negative one is one that must not be there.
func have(t *testing.T, got map[string]float64, want map[string]float64) {
	t.Helper()
	for series, value := range want {
		have, ok := got[series]
		if value < 0 {
			if ok {
				t.Errorf("%s is there: %v", series, have)
			}
			continue
		}
		if !ok || have != value {
			t.Errorf("%s is %v (%v), want %v", series, have, ok, value)
		}
	}
}

const absent = -1

func part(name string) string {
	return "lakeproof_collector_part_success{collector=kafka,part=" + name + ",target=fake}"
}

func offsetOf(topic string, partition int) string {
	return fmt.Sprintf("kafka_topic_partition_current_offset{partition=%d,topic=%s}", partition, topic)
}

func lagOf(group, topic string, partition int) string {
	return fmt.Sprintf("kafka_consumergroup_lag{consumergroup=%s,partition=%d,topic=%s}", group, partition, topic)
}

func lagSum(group, topic string) string {
	return fmt.Sprintf("kafka_consumergroup_lag_sum{consumergroup=%s,topic=%s}", group, topic)
}

// TestHealthy is the negative control of the tests of faults.
func TestHealthy(t *testing.T) {
	f := newFaulty(t)
	got := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
	for series, value := range got {
		if strings.HasPrefix(series, "lakeproof_collector_part_success{") && value != 1 && !strings.Contains(series, "part=quorum") {
			t.Errorf("%s is %v", series, value)
		}
	}
	for _, g := range f.groups {
		have(t, got, map[string]float64{lagOf(g, "orders", 0): 5, lagOf(g, "orders", 1): 5, lagOf(g, "orders", 2): 5, lagSum(g, "orders"): 45})
	}
	have(t, got, map[string]float64{"kafka_topic_current_offset{topic=orders}": 90})
}

// TestStalledBroker: one of three stops answering whatever it is asked.
func TestStalledBroker(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	c := f.collector("kafka", f.options())
	before := newPage(t, c, exportersOptions()).collect(t.Context())
	have(t, before, map[string]float64{offsetOf("orders", 1): 10})
	awake := make(chan struct{})
	defer close(awake)
	f.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if f.CurrentNode() == 1 {
			f.SleepControl(func() { <-awake })
		}
		return nil, nil, false
	})
	c.Interval = 20 * time.Second
	for _, round := range []string{"first", "second"} {
		e := exporters.New(exportersOptions(), c)
		began := time.Now()
		e.Collect(t.Context())
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the %s collection took %s", round, took)
		} else {
			t.Logf("the %s collection took %s", round, took)
		}
		got := series(t, e)
		have(t, got, map[string]float64{
			part("cluster"): 1, part("offsets/0"): 1, part("offsets/1"): 0, part("offsets/2"): 1,
			part("groups/0"): 1, part("groups/1"): 0, part("groups/2"): 1, part("lag/0"): 1, part("lag/1"): 0, part("lag/2"): 1,
			"kafka_brokers{}": 3, offsetOf("orders", 0): 10, offsetOf("orders", 1): absent, offsetOf("orders", 2): 10,
			lagOf(f.groups[0], "orders", 0): 5, lagOf(f.groups[0], "orders", 1): absent, lagOf(f.groups[0], "orders", 2): 5,
			lagOf(f.groups[2], "orders", 0): 5, lagSum(f.groups[0], "orders"): absent,
			"kafka_topic_current_offset{topic=orders}":                       absent,
			"kafka_consumergroup_members{consumergroup=" + f.groups[2] + "}": 0,
		})
	}
}

// TestBrokerHaltsHalfWay: one of three halts when it is asked for a share group's
// offsets, for which it asks others: what comes last in the collection is still
// there of the other two.
func TestBrokerHaltsHalfWay(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.SetGroupConfigs("shared", map[string]string{"share.auto.offset.reset": "earliest"})
	cl, _ := f.read(5, kgo.ShareGroup("shared"), kgo.ConsumeTopics("orders"))
	cl.Close()
	awake := make(chan struct{})
	defer close(awake)
	halted := int32(-1)
	f.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if halted < 0 && kmsg.Key(req.Key()) == kmsg.DescribeShareGroupOffsets {
			halted = f.CurrentNode()
		}
		if f.CurrentNode() == halted {
			f.SleepControl(func() { <-awake })
		}
		return nil, nil, false
	})
	c := f.collector("kafka", f.options())
	c.Interval = 20 * time.Second
	e := exporters.New(exportersOptions(), c)
	began := time.Now()
	e.Collect(t.Context())
	took, got := time.Since(began), series(t, e)
	if took > 5*time.Second || halted < 0 {
		t.Errorf("the collection took %s, broker %d halts", took, halted)
	}
	want := map[string]float64{part("cluster"): 1}
	for b := range int32(3) {
		value := 1.0
		if b == halted {
			value = 0
		}
		for _, what := range []string{"offsets", "logdirs", "transactions"} {
			want[part(fmt.Sprintf("%s/%d", what, b))] = value
		}
	}
	have(t, got, want)
}

// TestOneFaultCostsItsOwn: each of these answers costs what it is about, and
// nothing else.
func TestOneFaultCostsItsOwn(t *testing.T) {
	f := newFaulty(t)
	own := f.groups[1]
	for _, test := range []struct {
		name  string
		fault kfake.Fault
		want  map[string]float64
	}{
		{
			"a partition has moved",
			kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{4}, Err: kerr.NotLeaderForPartition},
			map[string]float64{
				offsetOf("orders", 4): absent, offsetOf("orders", 1): 10, lagOf(own, "orders", 4): absent, lagOf(own, "orders", 1): 5,
				lagSum(own, "orders"): absent, "kafka_topic_current_offset{topic=orders}": absent,
				"kafka_consumergroup_current_offset_sum{consumergroup=" + own + ",topic=orders}": 45,
				part("offsets/1"): 1, part("offsets/1/moved"): 0,
			},
		},
		{
			"a topic is deleted meanwhile",
			kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "other", Err: kerr.UnknownTopicOrPartition},
			map[string]float64{offsetOf("other", 0): absent, offsetOf("orders", 0): 10, lagSum(own, "orders"): 45, part("offsets/1"): 1},
		},
		{
			"a coordinator loads its groups",
			kfake.Fault{Keys: []kmsg.Key{kmsg.ListGroups}, Nodes: []int32{1}, TopLevel: true, Err: kerr.CoordinatorLoadInProgress},
			map[string]float64{
				part("groups/1"): 0, part("lag/1"): 0, part("groups/0"): 1, lagSum(own, "orders"): absent,
				lagSum(f.groups[0], "orders"): 45, lagSum(f.groups[2], "orders"): 45, offsetOf("orders", 1): 10,
			},
		},
		{
			"a group is being loaded",
			kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Group: own, Err: kerr.CoordinatorLoadInProgress},
			map[string]float64{
				part("group/" + own): 0, part("groups/1"): 1, lagSum(own, "orders"): 45, lagSum(f.groups[0], "orders"): 45,
				"kafka_consumergroup_members{consumergroup=" + own + "}":         absent,
				"kafka_consumergroup_members{consumergroup=" + f.groups[0] + "}": 0,
			},
		},
		{
			"a group's offsets are being loaded",
			kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: own, Err: kerr.CoordinatorLoadInProgress},
			map[string]float64{
				part("group/" + own): 0, part("lag/1"): 1, lagSum(own, "orders"): absent, lagSum(f.groups[0], "orders"): 45,
				"kafka_consumergroup_members{consumergroup=" + own + "}": 0,
			},
		},
		{
			"no right to a group",
			kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups, kmsg.OffsetFetch}, Group: own, Err: kerr.GroupAuthorizationFailed},
			map[string]float64{
				part("groups/1"): 1, lagSum(own, "orders"): absent, lagSum(f.groups[0], "orders"): 45,
				"lakeproof_collector_authorized{api=DescribeGroups,collector=kafka,target=fake}": 0,
				"lakeproof_collector_authorized{api=OffsetFetch,collector=kafka,target=fake}":    0,
			},
		},
		{
			"no right to a topic",
			kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "other", Err: kerr.TopicAuthorizationFailed},
			map[string]float64{
				part("offsets/1"): 1, offsetOf("other", 1): absent, offsetOf("orders", 1): 10,
				"lakeproof_collector_authorized{api=ListOffsets,collector=kafka,target=fake}": 0,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.t = t
			test.fault.Count = -1
			h := f.Fault(test.fault)
			defer h.Remove()
			got := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
			if h.Hits() == 0 {
				t.Fatal("nothing was asked that the fault is about")
			}
			have(t, got, test.want)
		})
	}
}

// TestGroupOnTwoCoordinators: while a group moves, both brokers list it.
func TestGroupOnTwoCoordinators(t *testing.T) {
	f := newFaulty(t)
	moving := f.groups[2]
	f.ControlKey(int16(kmsg.ListGroups), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		node := f.CurrentNode()
		if node == 2 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ListGroupsResponse)
		for _, name := range []string{f.groups[node], moving} {
			g := kmsg.NewListGroupsResponseGroup()
			g.Group, g.ProtocolType, g.GroupState = name, "consumer", "Empty"
			resp.Groups = append(resp.Groups, g)
		}
		return resp, nil, true
	})
	got := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
	have(t, got, map[string]float64{
		lagSum(moving, "orders"): 45, lagSum(f.groups[0], "orders"): 45, lagSum(f.groups[1], "orders"): 45,
		"kafka_consumergroup_members{consumergroup=" + moving + "}":                        0,
		"lakeproof_collector_dropped_series{collector=kafka,reason=duplicate,target=fake}": 0,
	})
}

func TestNewerGroup(t *testing.T) {
	orders := &topic{name: "orders", partitions: []partition{{}}}
	at := func(offset int64) []consumed {
		return []consumed{{topic: orders, commits: []commit{{0, offset}}}}
	}
	for _, test := range []struct {
		name        string
		worse, best consumer
	}{
		{"one is dead", consumer{about: about{state: stateDead}, counted: true}, consumer{about: about{state: "Empty"}}},
		{"one was described", consumer{}, consumer{counted: true}},
		{"one has members", consumer{counted: true, topics: at(9)}, consumer{counted: true, about: about{members: 1}, topics: at(8)}},
		{"one is further", consumer{counted: true, topics: at(8)}, consumer{counted: true, topics: at(9)}},
	} {
		if newer(&test.worse, &test.best) || !newer(&test.best, &test.worse) {
			t.Errorf("%s: the wrong one is taken", test.name)
		}
	}
}

// TestNobodyAnswers: the error says what to do, and a cluster that comes later
// is found.
func TestNobodyAnswers(t *testing.T) {
	f := newFake(t)
	opts := f.options()
	opts.Kafka.Brokers = []string{"127.0.0.1:1"}
	got := newPage(t, f.collector("kafka", opts), exportersOptions()).collect(t.Context())
	have(t, got, map[string]float64{"lakeproof_collector_success{collector=kafka,target=fake}": 0, "kafka_brokers{}": absent})
	opts.Kafka.Brokers = append(opts.Kafka.Brokers, f.ListenAddrs()...)
	got = newPage(t, f.collector("kafka", opts), exportersOptions()).collect(t.Context())
	have(t, got, map[string]float64{"kafka_brokers{}": 3})
}

// TestErrorHasHint: what a person got wrong is told with what to do.
func TestErrorHasHint(t *testing.T) {
	t.Parallel()
	plainText := newFake(t)
	login := newFake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "admin"))
	for _, test := range []struct {
		name, hint string
		cfg        config.Kafka
	}{
		{"wrong address", "start the broker", config.Kafka{Brokers: []string{"127.0.0.1:1"}}},
		{"wrong password", "create that user", config.Kafka{
			Brokers: login.ListenAddrs(),
			SASL:    config.SASL{Mechanism: "PLAIN", Username: "admin", Password: config.NewSecret("wrong")},
		}},
		{"TLS to a plain port", "without TLS", config.Kafka{Brokers: plainText.ListenAddrs(), TLS: config.TLS{Enabled: true}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{t: t}
			c := f.collector("kafka", Options{Cluster: "fake", Kafka: test.cfg})
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err := c.Collect(ctx, nil)
			if wantHint(t, err); !strings.Contains(fail.HintOf(err), test.hint) {
				t.Errorf("hint %q of %v", fail.HintOf(err), err)
			}
		})
	}
}
