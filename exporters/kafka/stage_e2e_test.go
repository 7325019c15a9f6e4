//go:build e2e

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/lab/local"
)

// stage is a real cluster of three brokers with topics, groups of every kind
// and records, all of known numbers.
type stage struct {
	*local.Stack
	client *kgo.Client
	adm    *kadm.Client
}

// newStage starts the cluster on free ports; it is brought down at the end of
// the test.
func newStage(ctx context.Context, t *testing.T) *stage {
	t.Helper()
	install := os.Getenv("LAKEPROOF_LAB_DIR")
	if install == "" {
		install = filepath.Join("..", "..", ".lab")
	}
	s, err := local.New(local.Options{
		Dir: t.TempDir(), Install: install, FreePorts: true,
		Components: []string{local.Kafka}, KafkaNodes: 3, KafkaACLs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Errorf("bringing the stack down: %v", err)
		}
		if !t.Failed() {
			return
		}
		for _, c := range s.Status(context.Background()) {
			raw, _ := os.ReadFile(c.Log)
			t.Logf("%s\n%s", c.Log, raw[max(0, len(raw)-800):])
		}
	})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	st := &stage{Stack: s}
	st.client = st.open(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	st.adm = kadm.NewClient(st.client)
	return st
}

// open is a client of the plain listeners, which ACLs do not bind.
func (st *stage) open(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(st.Config().Kafka.Brokers...), kgo.MetadataMinAge(100 * time.Millisecond),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// eventually asks until ok says yes, and fails at the limit with what it saw.
func eventually(ctx context.Context, t *testing.T, limit time.Duration, what string, ok func() (bool, string)) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, seen := ok()
		if yes {
			return time.Since(began)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting %s for %s: last seen: %s", limit, what, seen)
		case <-tick.C:
		}
	}
}

// topic makes a topic and waits until every partition has a leader.
func (st *stage) topic(ctx context.Context, t *testing.T, name string, replicas [][]int32) {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = name, -1, -1
	for p, on := range replicas {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(p), on
		rt.ReplicaAssignment = append(rt.ReplicaAssignment, a)
	}
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, st.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("making the topic %s: %v", name, err)
	}
	eventually(ctx, t, 30*time.Second, "leaders of "+name, func() (bool, string) {
		ends, err := st.adm.ListEndOffsets(ctx, name)
		if err == nil {
			err = ends.Error()
		}
		return err == nil && len(ends[name]) == len(replicas), fmt.Sprint(err)
	})
}

// produce sends n records to every one of the first partitions of a topic.
func (st *stage) produce(ctx context.Context, t *testing.T, topic string, partitions, n int) {
	t.Helper()
	var records []*kgo.Record
	for p := range partitions {
		for i := range n {
			records = append(records, &kgo.Record{Topic: topic, Partition: int32(p), Value: []byte(strconv.Itoa(i))})
		}
	}
	if err := st.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// commit commits offsets for a group without members.
func (st *stage) commit(ctx context.Context, t *testing.T, group, topic string, offsets ...int64) {
	t.Helper()
	var os kadm.Offsets
	for p, at := range offsets {
		os.AddOffset(topic, int32(p), at, -1)
	}
	if err := st.adm.CommitAllOffsets(ctx, group, os); err != nil {
		t.Fatal(err)
	}
}

// member is one live consumer of a group, which knows what it was assigned.
type member struct {
	*kgo.Client
	mu   sync.Mutex
	have map[int32]bool
}

// member joins a group. It polls, so that it stays alive, and commits nothing
// of its own.
func (st *stage) member(t *testing.T, group, topic string, opts ...kgo.Opt) *member {
	t.Helper()
	m := &member{have: map[int32]bool{}}
	lose := func(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, p := range lost[topic] {
			delete(m.have, p)
		}
	}
	m.Client = st.open(t, append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.OnPartitionsRevoked(lose), kgo.OnPartitionsLost(lose),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, p := range got[topic] {
				m.have[p] = true
			}
		}),
	}, opts...)...)
	poll(t, m.Client)
	return m
}

// poll keeps a consumer going until the end of the test.
func poll(t *testing.T, cl *kgo.Client) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil && !cl.PollFetches(ctx).IsClientClosed() {
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

func (m *member) assigned() map[int32]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.have)
}

// group is two live members of one group, that between them have committed
// offset at of every partition.
func (st *stage) group(ctx context.Context, t *testing.T, name, topic string, partitions int, at int64, opts ...kgo.Opt) {
	t.Helper()
	members := []*member{st.member(t, name, topic, opts...), st.member(t, name, topic, opts...)}
	eventually(ctx, t, time.Minute, "both members of "+name, func() (bool, string) {
		one, two := members[0].assigned(), members[1].assigned()
		return len(one)+len(two) == partitions && len(one) > 0 && len(two) > 0, fmt.Sprint(one, two)
	})
	for _, m := range members {
		commits := map[string]map[int32]kgo.EpochOffset{topic: {}}
		for p := range m.assigned() {
			commits[topic][p] = kgo.EpochOffset{Epoch: -1, Offset: at}
		}
		eventually(ctx, t, 30*time.Second, "a commit of "+name, func() (bool, string) {
			var failed error
			m.CommitOffsetsSync(ctx, commits, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
				failed = err
				if err == nil {
					for _, rt := range resp.Topics {
						for _, p := range rt.Partitions {
							failed = errors.Join(failed, kerr.ErrorForCode(p.ErrorCode))
						}
					}
				}
			})
			return failed == nil, fmt.Sprint(failed)
		})
	}
}

// tool runs one of Kafka's command-line classes against the cluster.
func (st *stage) tool(ctx context.Context, t *testing.T, class string, args ...string) string {
	t.Helper()
	args = append([]string{"--bootstrap-server", strings.Join(st.Config().Kafka.Brokers, ",")}, args...)
	out, err := st.KafkaTool(ctx, class, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}
