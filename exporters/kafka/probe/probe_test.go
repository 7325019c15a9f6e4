package probe

import (
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newCluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newClient(t *testing.T, c *kfake.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.ListenAddrs()...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// quick are the options of a probe of a fake cluster.
func quick(c *kfake.Cluster) Options {
	return Options{
		Cluster: "lab", Kafka: config.Kafka{Brokers: c.ListenAddrs()}, Every: 20 * time.Millisecond,
		Patience: 2 * time.Second, Compat: []string{compatKminion}, DeleteTopic: true,
		lookEvery: 100 * time.Millisecond,
	}
}

func start(t *testing.T, o Options) exporters.Collector {
	t.Helper()
	c, err := Collector(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// values are the series of a page.
type values map[string]float64

func (v values) records(broker int, result string) float64 {
	return v[fmt.Sprintf(`kafka_probe_records_total{broker="%d",result="%s"}`, broker, result)]
}

func (v values) commits(broker int, result string) float64 {
	return v[fmt.Sprintf(`kafka_probe_commits_total{broker="%d",result="%s"}`, broker, result)]
}

func (v values) partitions(broker int) float64 {
	return v[fmt.Sprintf(`kafka_probe_partitions{broker="%d"}`, broker)]
}

// all adds up what became of the records of all brokers.
func (v values) all(result string) float64 {
	sum := 0.0
	for series, n := range v {
		if strings.HasPrefix(series, "kafka_probe_records_total{") && strings.Contains(series, `result="`+result+`"`) {
			sum += n
		}
	}
	return sum
}

func parse(t *testing.T, page string) values {
	t.Helper()
	v := values{}
	for line := range strings.Lines(page) {
		series, text, ok := strings.Cut(strings.TrimSpace(line), "} ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		v[series+"}"] = n
	}
	return v
}

// until collects until the page is as wanted.
func until(t *testing.T, c exporters.Collector, what string, ok func(values) bool) values {
	t.Helper()
	c.Close = nil
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(60 * time.Second)
	for {
		page := exportertest.Collect(t, c)
		v := parse(t, page)
		if ok(v) {
			return v
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not come: %s\n%v", what, counts(v))
		}
		<-tick.C
	}
}

// counts are the series that are worth a look.
func counts(v values) values {
	maps.DeleteFunc(v, func(series string, _ float64) bool {
		return !strings.HasPrefix(series, "kafka_probe_") || strings.Contains(series, "duration")
	})
	return v
}

// more collects until every broker has n more records read back, and offsets
// committed.
func more(t *testing.T, c exporters.Collector, n float64, brokers ...int) values {
	t.Helper()
	var begin values
	return until(t, c, fmt.Sprintf("more of brokers %v", brokers), func(v values) bool {
		if begin == nil {
			begin = v
		}
		for _, b := range brokers {
			if v.records(b, metrics.ProbeReceived) < begin.records(b, metrics.ProbeReceived)+n ||
				v.commits(b, "success") < begin.commits(b, "success")+n {
				return false
			}
		}
		return true
	})
}

// clean fails the test where records were lost, doubled or out of order.
func clean(t *testing.T, v values) {
	t.Helper()
	for _, result := range []string{metrics.ProbeLost, metrics.ProbeDuplicate, metrics.ProbeReordered} {
		if n := v.all(result); n > 0 {
			t.Errorf("%v records %s", n, result)
		}
	}
}

// spread makes brokers the leaders of the topic's partitions, in their order.
func spread(t *testing.T, cluster *kfake.Cluster, brokers ...int32) {
	t.Helper()
	for p, node := range brokers {
		if err := cluster.MoveTopicPartition(DefaultTopic, int32(p), node); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProbe goes through all brokers and all coordinators of a cluster, and
// leaves nothing behind.
func TestProbe(t *testing.T) {
	t.Parallel()
	for _, once := range []bool{false, true} {
		t.Run(fmt.Sprintf("one attempt %t", once), func(t *testing.T) {
			cluster := newCluster(t, kfake.NumBrokers(3))
			o := quick(cluster)
			o.OneAttempt = once
			c := start(t, o)
			until(t, c, "the topic", func(v values) bool { return v.partitions(0)+v.partitions(1)+v.partitions(2) == 3 })
			spread(t, cluster, 0, 1, 2)
			more(t, c, 1, 0, 1, 2)
			v := more(t, c, 10, 0, 1, 2)
			clean(t, v)
			if n := v.all(metrics.ProbeFailed); n > 0 {
				t.Errorf("%v records failed", n)
			}
			for b := range 3 {
				for _, series := range []string{
					`kafka_probe_produce_duration_seconds_count{broker="%d"}`, `kafka_probe_end_to_end_duration_seconds_count{broker="%d"}`,
					`kafka_probe_commit_duration_seconds_count{broker="%d"}`, `kafka_probe_partitions{broker="%d"}`,
					`kminion_end_to_end_messages_received_total{partition_id="%d"}`, `kminion_end_to_end_offset_commits_total{coordinator_id="%d"}`,
				} {
					if v[fmt.Sprintf(series, b)] == 0 {
						t.Errorf("%s is 0", fmt.Sprintf(series, b))
					}
				}
			}
			c.Close()
			leftBehind(t, cluster)
		})
	}
}

func leftBehind(t *testing.T, cluster *kfake.Cluster) {
	t.Helper()
	adm := kadm.NewClient(newClient(t, cluster))
	groups, err := adm.ListGroups(t.Context())
	if err != nil || len(groups) > 0 {
		t.Errorf("groups left behind: %v, %v", groups.Groups(), err)
	}
	topics, err := adm.ListTopics(t.Context())
	if err != nil || topics.Has(DefaultTopic) {
		t.Errorf("the topic is left behind: %v", err)
	}
}

// TestUncovered: a broker that leads none of the topic's partitions is said to be
// not covered; of those that lead many a few are used.
func TestUncovered(t *testing.T) {
	cluster := newCluster(t, kfake.NumBrokers(3), kfake.SeedTopics(9, DefaultTopic))
	spread(t, cluster, 0, 1, 0, 1, 0, 1, 0, 1, 0)
	v := more(t, start(t, quick(cluster)), 10, 0, 1)
	if v.partitions(0) != perBroker || v.partitions(1) != perBroker || v.partitions(2) != 0 || v.records(2, metrics.ProbeProduced) != 0 {
		t.Errorf("partitions by broker: %v %v %v", v.partitions(0), v.partitions(1), v.partitions(2))
	}
	if _, said := v[`kafka_probe_partitions{broker="2"}`]; !said {
		t.Error("nothing is said of the broker that leads none")
	}
	if n := v[`kminion_end_to_end_messages_produced_total{partition_id="6"}`]; n > 0 {
		t.Errorf("%v records in a partition too many", n)
	}
}

func produceResponse(req kmsg.Request) kmsg.Response {
	r, ok := req.(*kmsg.ProduceRequest)
	if !ok {
		return nil
	}
	resp, ok := r.ResponseKind().(*kmsg.ProduceResponse)
	if !ok {
		return nil
	}
	for _, rt := range r.Topics {
		st := kmsg.NewProduceResponseTopic()
		st.Topic, st.TopicID = rt.Topic, rt.TopicID
		for _, rp := range rt.Partitions {
			sp := kmsg.NewProduceResponseTopicPartition()
			sp.Partition = rp.Partition
			st.Partitions = append(st.Partitions, sp)
		}
		resp.Topics = append(resp.Topics, st)
	}
	return resp
}

// TestLost is the negative control of loss: a broker that acknowledges and
// throws away.
func TestLost(t *testing.T) {
	cluster := newCluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, DefaultTopic))
	var thrown atomic.Int32
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if n := thrown.Add(1); n < 5 || n > 7 {
			return nil, nil, false
		}
		return produceResponse(req), nil, true
	})
	o := quick(cluster)
	o.OneAttempt, o.Patience = true, 500*time.Millisecond // no sequence numbers that would show the gap
	v := until(t, start(t, o), "lost records", func(v values) bool { return v.records(0, metrics.ProbeLost) >= 3 })
	if lost := v.records(0, metrics.ProbeLost); lost != 3 || v.all(metrics.ProbeDuplicate) > 0 || v.all(metrics.ProbeReordered) > 0 {
		t.Errorf("%v lost, %v doubled, %v out of order", lost, v.all(metrics.ProbeDuplicate), v.all(metrics.ProbeReordered))
	}
}

// TestDuplicate is the negative control of doubling: somebody writes a record of
// ours once more.
func TestDuplicate(t *testing.T) {
	cluster := newCluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, DefaultTopic))
	c := start(t, quick(cluster))
	more(t, c, 3, 0)
	cl := newClient(t, cluster, kgo.ConsumeTopics(DefaultTopic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd().Relative(-1)))
	again := cl.PollRecords(t.Context(), 1).Records()[0]
	for _, value := range [][]byte{again.Value, []byte("somebody else's"), nil} {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: DefaultTopic, Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, c, "a doubled record", func(v values) bool { return v.records(0, metrics.ProbeDuplicate) == 1 })
	if v := more(t, c, 3, 0); v.all(metrics.ProbeDuplicate) != 1 || v.all(metrics.ProbeLost) > 0 {
		t.Errorf("%v doubled, %v lost", v.all(metrics.ProbeDuplicate), v.all(metrics.ProbeLost))
	}
}

// TestReordered is the negative control of order: a broker that keeps one record
// back and appends it after the next one.
func TestReordered(t *testing.T) {
	cluster := newCluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, DefaultTopic))
	var (
		n    int
		kept []byte
	)
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		r, ok := req.(*kmsg.ProduceRequest)
		if n++; n < 5 || !ok {
			return nil, nil, false
		}
		records := &r.Topics[0].Partitions[0].Records
		switch n {
		case 5:
			kept = *records
			return produceResponse(req), nil, true
		case 6:
			return nil, nil, false
		}
		kept, *records = *records, kept // from then on each comes one later
		return nil, nil, false
	})
	o := quick(cluster)
	o.OneAttempt = true
	c := start(t, o)
	until(t, c, "a record out of order", func(v values) bool { return v.records(0, metrics.ProbeReordered) > 0 })
	v := more(t, c, 5, 0)
	if v.records(0, metrics.ProbeReordered) != 1 || v.all(metrics.ProbeDuplicate) > 0 || v.all(metrics.ProbeLost) > 0 {
		t.Errorf("%v out of order, %v doubled, %v lost",
			v.all(metrics.ProbeReordered), v.all(metrics.ProbeDuplicate), v.all(metrics.ProbeLost))
	}
}

// TestOptions: what cannot be is refused with a hint.
func TestOptions(t *testing.T) {
	brokers := config.Kafka{Brokers: []string{"127.0.0.1:9092"}}
	for name, o := range map[string]Options{
		"too often":          {Kafka: brokers, Every: time.Millisecond},
		"too patient":        {Kafka: brokers, Patience: time.Hour},
		"not patient enough": {Kafka: brokers, Every: 20 * time.Second},
		"no brokers":         {},
	} {
		if _, err := Collector(o, slog.New(slog.DiscardHandler)); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
