package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// newFakeAs is a fake whose own client is the superuser.
func newFakeAs(t *testing.T, opts ...kfake.Opt) *fake {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.ClusterID("fake")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	f := &fake{Cluster: c, t: t}
	f.client = f.open(f.login()...)
	f.adm = kadm.NewClient(f.client)
	return f
}

func (f *fake) login() []kgo.Opt {
	return []kgo.Opt{kgo.SASL(plain.Auth{User: "root", Pass: "root"}.AsMechanism())}
}

// openTransaction begins a transaction that stays open, with one record.
func (f *fake) openTransaction(topic string, partition int32, opts ...kgo.Opt) *kgo.Client {
	f.t.Helper()
	cl := f.open(append(opts, kgo.TransactionalID("transfers-"+topic))...)
	if err := cl.BeginTransaction(); err != nil {
		f.t.Fatal(err)
	}
	r := &kgo.Record{Topic: topic, Partition: partition, Value: []byte("x")}
	if err := cl.ProduceSync(f.t.Context(), r).FirstErr(); err != nil {
		f.t.Fatal(err)
	}
	return cl
}

// withQuorum lets the fake, which has no quorum, answer for one.
func (f *fake) withQuorum(resp *kmsg.DescribeQuorumResponse) {
	f.t.Helper()
	offers, err := versionsRequest().RequestWith(f.t.Context(), f.client)
	if err != nil {
		f.t.Fatal(err)
	}
	key := kmsg.NewApiVersionsResponseApiKey()
	key.ApiKey, key.MaxVersion = int16(kmsg.DescribeQuorum), 2
	offers.ApiKeys = append(offers.ApiKeys, key)
	f.ControlKey(int16(kmsg.ApiVersions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		out := *offers
		out.Version = req.GetVersion()
		return &out, nil, true
	})
	f.ControlKey(int16(kmsg.DescribeQuorum), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		out := *resp
		out.Version = req.GetVersion()
		return &out, nil, true
	})
}

func replica(id int32, end, caughtUp int64) kmsg.DescribeQuorumResponseTopicPartitionReplicaState {
	r := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
	r.ReplicaID, r.LogEndOffset, r.LastCaughtUpTimestamp = id, end, caughtUp
	return r
}

// quorumAnswer is a quorum of three with one observer that never caught up and
// one that is there twice.
func quorumAnswer() *kmsg.DescribeQuorumResponse {
	const now = 1_700_000_000_000
	p := kmsg.NewDescribeQuorumResponseTopicPartition()
	p.LeaderID, p.LeaderEpoch, p.HighWatermark = 2, 7, 990
	p.CurrentVoters = append(p.CurrentVoters, replica(1, 1000, now-500), replica(2, 1000, now), replica(3, 940, now-60_000))
	p.Observers = append(p.Observers, replica(4, -1, -1), replica(5, 100, now-9000), replica(5, 999, now-1000))
	t := kmsg.NewDescribeQuorumResponseTopic()
	t.Topic, t.Partitions = metadataTopic, append(t.Partitions, p)
	resp := kmsg.NewPtrDescribeQuorumResponse()
	resp.Topics = append(resp.Topics, t)
	return resp
}

func TestQuorum(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(1, "orders"))
	f.withQuorum(quorumAnswer())
	got := newPage(t, only(f, collectQuorum), exportersOptions()).collect(t.Context())
	shows(t, got, map[string]float64{
		"kafka_quorum_leader{}": 2, "kafka_quorum_epoch{}": 7, "kafka_quorum_high_watermark{}": 990,
		"kafka_quorum_voters{}": 3, "kafka_quorum_observers{}": 3,
		"kafka_quorum_node_lag_records{node=1,role=voter}":               0,
		"kafka_quorum_node_lag_records{node=3,role=voter}":               60,
		"kafka_quorum_node_lag_records{node=5,role=observer}":            1,
		"kafka_quorum_node_last_caught_up_seconds{node=1,role=voter}":    0.5,
		"kafka_quorum_node_last_caught_up_seconds{node=2,role=voter}":    0,
		"kafka_quorum_node_last_caught_up_seconds{node=3,role=voter}":    60,
		"kafka_quorum_node_last_caught_up_seconds{node=5,role=observer}": 1,
	})
	showsNone(t, got, "kafka_quorum_node_lag_records{node=4", "kafka_quorum_node_last_caught_up_seconds{node=4")
	if v := partOK(got, "quorum"); v != 1 {
		t.Errorf("the part is %v", v)
	}
}

// Garbage fails the part and nothing else; a cluster without a quorum does not.
func TestQuorumBadAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		resp *kmsg.DescribeQuorumResponse
		part float64
	}{
		{"empty", kmsg.NewPtrDescribeQuorumResponse(), 0},
		{"refused", &kmsg.DescribeQuorumResponse{ErrorCode: kerr.NotController.Code}, 0},
		{"unsupported", &kmsg.DescribeQuorumResponse{ErrorCode: kerr.UnsupportedVersion.Code}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, kfake.SeedTopics(1, "orders"))
			f.withQuorum(c.resp)
			got := newPage(t, only(f, collectQuorum), exportersOptions()).collect(t.Context())
			showsNone(t, got, "kafka_quorum_")
			if v := partOK(got, "quorum"); v != c.part {
				t.Errorf("the part is %v, want %v", v, c.part)
			}
		})
	}
	f := newFake(t, kfake.SeedTopics(1, "orders")) // does not offer it at all
	got := newPage(t, only(f, collectQuorum), exportersOptions()).collect(t.Context())
	showsNone(t, got, "kafka_quorum_")
	if v := partOK(got, "quorum"); v != 1 {
		t.Errorf("without a quorum the part is %v", v)
	}
}
