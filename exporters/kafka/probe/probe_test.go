package probe

import (
	"errors"
	"fmt"
	"log/slog"
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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTrack is what becomes of records, and what is counted.
func TestTrack(t *testing.T) {
	begin := time.Now()
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	const patience = 10 * time.Second
	tests := map[string]struct {
		act  func(*track)
		want stats
	}{
		"read back": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.receive(0, at(2)) },
			stats{produced: 1, received: 1, inFlight: 3},
		},
		"read back before the acknowledgement": {
			func(t *track) { t.receive(0, at(1)); t.acknowledge(0, at(2), nil) },
			stats{produced: 1, received: 1, inFlight: 3},
		},
		"lost": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.expire(at(11), patience) },
			stats{produced: 1, lost: 1, inFlight: 3},
		},
		"not lost yet": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.expire(at(10), patience) },
			stats{produced: 1, inFlight: 4},
		},
		"not acknowledged is not lost": {
			func(t *track) { t.acknowledge(0, at(1), errors.New("no")); t.expire(at(11), patience) },
			stats{failed: 1, inFlight: 3},
		},
		"never answered": {
			func(t *track) { t.expire(at(21), patience); t.acknowledge(0, at(22), nil) },
			stats{failed: 4},
		},
		"twice": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.receive(0, at(2)); t.receive(0, at(3)) },
			stats{produced: 1, received: 1, duplicate: 1, inFlight: 3},
		},
		"out of order": {
			func(t *track) { t.receive(1, at(1)); t.receive(0, at(1)); t.receive(2, at(1)) },
			stats{received: 3, reordered: 1, inFlight: 1},
		},
		"in order": {
			func(t *track) { t.receive(0, at(1)); t.receive(1, at(1)); t.receive(2, at(1)) },
			stats{received: 3, inFlight: 1},
		},
		"not ours": {
			func(t *track) { t.receive(99, at(1)); t.acknowledge(99, at(1), nil) },
			stats{inFlight: 4},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			broker, own := newStats("1"), newStats("0")
			tr := &track{own: own}
			for range 4 {
				tr.send(begin, broker)
			}
			test.act(tr)
			for _, s := range []*stats{broker, own} {
				got := stats{
					produced: s.produced, failed: s.failed, received: s.received, lost: s.lost,
					duplicate: s.duplicate, reordered: s.reordered, inFlight: s.inFlight,
				}
				if got != test.want {
					t.Errorf("counted %+v, want %+v", got, test.want)
				}
			}
		})
	}
}

// TestTrackIsBounded: records of which nothing is heard do not pile up.
func TestTrackIsBounded(t *testing.T) {
	broker := newStats("1")
	tr := &track{own: newStats("0")}
	now := time.Now()
	for i := range 10 * remembered {
		tr.send(now.Add(time.Duration(i)*time.Millisecond), broker)
	}
	if len(tr.traces) > remembered || broker.inFlight > remembered {
		t.Errorf("%d traces, %d in flight", len(tr.traces), broker.inFlight)
	}
	tr.expire(now.Add(time.Hour), time.Second)
	if len(tr.traces) != 0 || broker.inFlight != 0 {
		t.Errorf("after an hour: %d traces, %d in flight", len(tr.traces), broker.inFlight)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(1, 2))
	f.Add([]byte("somebody else's"))
	f.Fuzz(func(t *testing.T, value []byte) {
		if seq, ours := decode(value, 1); ours && string(encode(1, seq)) != string(value) {
			t.Errorf("%x is ours", value)
		}
	})
}

// quick are the options of a probe of a fake cluster.
func quick(c *kfake.Cluster) Options {
	return Options{
		Cluster: "lab", Kafka: config.Kafka{Brokers: c.ListenAddrs()}, Every: 20 * time.Millisecond,
		Patience: 500 * time.Millisecond, Compat: []string{compatKminion}, DeleteTopic: true,
	}
}

func start(t *testing.T, o Options) exporters.Collector {
	t.Helper()
	c, err := Collector(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// until collects until the page has all of the texts.
func until(t *testing.T, c exporters.Collector, wants ...string) string {
	t.Helper()
	closing := c.Close
	c.Close = nil
	t.Cleanup(closing)
	deadline := time.Now().Add(30 * time.Second)
	for {
		page := exportertest.Collect(t, c)
		missing := ""
		for _, want := range wants {
			if !strings.Contains(page, want) {
				missing = want
			}
		}
		if missing == "" {
			return page
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q on the page:\n%s", missing, page)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestProbe goes through all brokers and all coordinators of a cluster, and
// leaves nothing behind.
func TestProbe(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	c := start(t, quick(cluster))
	closed := false
	closing := c.Close
	c.Close = func() {
		if !closed {
			closing()
		}
		closed = true
	}
	until(t, c,
		`result="received"} 5`, `kminion_end_to_end_messages_received_total{partition_id="2"} `)
	page := until(t, c, `kafka_probe_commits_total{broker="0",result="success"} 3`)
	for _, lie := range []string{`result="lost"} 1`, `result="duplicate"} 1`, `result="reordered"} 1`, `result="failed"} 1`} {
		if strings.Contains(page, lie) {
			t.Errorf("a healthy cluster has %s", lie)
		}
	}
	for broker := range 3 {
		for _, want := range []string{
			`kafka_probe_produce_duration_seconds_count{broker="%d"} `, `kafka_probe_end_to_end_duration_seconds_count{broker="%d"} `,
			`kafka_probe_partitions{broker="%d"} `,
		} {
			if want := fmt.Sprintf(want, broker); !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
		}
	}
	c.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	groups, err := adm.ListGroups(t.Context())
	if err != nil || len(groups) > 0 {
		t.Errorf("groups left behind: %v, %v", groups.Groups(), err)
	}
	topics, err := adm.ListTopics(t.Context())
	if err != nil || topics.Has(DefaultTopic) {
		t.Errorf("the topic is left behind: %v", err)
	}
}

// TestLost is the negative control of loss: a broker that acknowledges and
// throws away.
func TestLost(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, DefaultTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	var thrown atomic.Int32
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if thrown.Add(1) > 3 {
			return nil, nil, false
		}
		r := req.(*kmsg.ProduceRequest)
		resp := r.ResponseKind().(*kmsg.ProduceResponse)
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
		return resp, nil, true
	})
	until(t, start(t, quick(cluster)), `kafka_probe_records_total{broker="0",result="lost"} 3`)
}

// TestDuplicate is the negative control of doubling: somebody writes a record of
// ours once more.
func TestDuplicate(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, DefaultTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	c := start(t, quick(cluster))
	until(t, c, `result="received"} 3`)
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics(DefaultTopic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd().Relative(-1)))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	again := cl.PollRecords(t.Context(), 1).Records()[0]
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: DefaultTopic, Value: again.Value}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	until(t, c, `kafka_probe_records_total{broker="0",result="duplicate"} 1`)
}

// TestFaults: what the probe cannot do is said, and it goes on when it can.
func TestFaults(t *testing.T) {
	t.Run("nobody there", func(t *testing.T) {
		o := Options{Cluster: "lab", Kafka: config.Kafka{Brokers: []string{"127.0.0.1:1"}}}
		c := start(t, o)
		defer c.Close()
		e := exporters.New(exporters.Options{}, exporters.Collector{Name: c.Name, Interval: time.Second, Collect: c.Collect})
		defer e.Close()
		deadline := time.Now().Add(20 * time.Second)
		for failed := false; !failed; {
			if time.Now().After(deadline) {
				t.Fatal("nobody says that the cluster is not there")
			}
			failed = failing(t, e)
		}
	})
	t.Run("topic deleted", func(t *testing.T) {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		c := start(t, quick(cluster))
		until(t, c, `result="received"} 3`)
		cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		if _, err := kadm.NewClient(cl).DeleteTopics(t.Context(), DefaultTopic); err != nil {
			t.Fatal(err)
		}
		until(t, c, `kafka_probe_records_total{broker="0",result="failed"} `)
	})
	t.Run("no right", func(t *testing.T) {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
			kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", "probe", "secret"))
		if err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		o := quick(cluster)
		o.Kafka.SASL = config.SASL{Mechanism: "PLAIN", Username: "probe", Password: config.NewSecret("secret")}
		c := start(t, o)
		defer c.Close()
		e := exporters.New(exporters.Options{}, exporters.Collector{Name: c.Name, Interval: time.Second, Collect: c.Collect})
		defer e.Close()
		deadline := time.Now().Add(20 * time.Second)
		for !failing(t, e) {
			if time.Now().After(deadline) {
				t.Fatal("nobody says that a right is missing")
			}
		}
	})
}

// failing collects once and reports whether the part of the cluster failed.
func failing(t *testing.T, e *exporters.Exporter) bool {
	t.Helper()
	time.Sleep(50 * time.Millisecond)
	e.Collect(t.Context())
	families, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "lakeproof_collector_part_success" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetGauge().GetValue() == 0 {
				return true
			}
		}
	}
	return false
}
