package kafka

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

func open(t *testing.T, cfg config.Kafka) *Client {
	t.Helper()
	c, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestEnsureTopic(t *testing.T) {
	_, cfg := broker(t)
	c := open(t, cfg)
	spec := TopicSpec{Name: "orders", Partitions: 6, Config: map[string]string{"retention.ms": "604800000"}}
	want := Topic{Name: "orders", Partitions: 6, Created: true}
	got, err := c.EnsureTopic(t.Context(), spec)
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("created %+v, %v", got, err)
	}
	want.Created = false
	if got, err = c.EnsureTopic(t.Context(), spec); err != nil || !cmp.Equal(got, want) {
		t.Errorf("the same again: %+v, %v", got, err)
	}

	spec.Partitions, spec.Config = 3, map[string]string{"retention.ms": "1000", "cleanup.policy": "delete"}
	want.Differs = []Difference{{Key: "retention.ms", Want: "1000", Have: "604800000"}}
	if got, err = c.EnsureTopic(t.Context(), spec); err != nil || !cmp.Equal(got, want) {
		t.Errorf("more partitions, other retention: %s, %v", cmp.Diff(want, got), err)
	}

	spec.Partitions = 7
	_, err = c.EnsureTopic(t.Context(), spec)
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), "has 6 partitions, 7 are asked for") {
		t.Errorf("fewer partitions: %v", err)
	}

	_, err = c.EnsureTopic(t.Context(), TopicSpec{Name: "broken", Partitions: 1, Replication: 3})
	if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
		t.Errorf("more replicas than brokers: %v, code %d", err, fail.CodeOf(err))
	}
}

func TestOffsets(t *testing.T) {
	_, cfg := broker(t, kfake.SeedTopics(2, "payments"), kfake.SeedTopics(1, "other"))
	c := open(t, cfg)
	producer, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for range 5 {
		if err := producer.ProduceSync(t.Context(), &kgo.Record{Topic: "payments", Partition: 1}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	ends, err := c.EndOffsets(t.Context(), []string{"payments", "payments"})
	if want := (Offsets{"payments": {0: 0, 1: 5}}); err != nil || !cmp.Equal(ends, want) {
		t.Errorf("end offsets %v, %v", ends, err)
	}
	starts, err := c.StartOffsets(t.Context(), []string{"payments"})
	if want := (Offsets{"payments": {0: 0, 1: 0}}); err != nil || !cmp.Equal(starts, want) {
		t.Errorf("start offsets %v, %v", starts, err)
	}
	if none, err := c.EndOffsets(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of no topic: %v, %v", none, err)
	}
	if _, err := c.EndOffsets(t.Context(), []string{"absent"}); err == nil {
		t.Error("a topic that does not exist has end offsets")
	}
}

func TestAbout(t *testing.T) {
	_, cfg := broker(t, kfake.ClusterID("lab-1"))
	about, err := open(t, cfg).About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if about.ID != "lab-1" || !strings.Contains(about.Version, "v") || len(about.Brokers) != 1 {
		t.Errorf("about %+v", about)
	}
}

func TestDeniedByACL(t *testing.T) {
	allow := kfake.ACL{
		Resource: kmsg.ACLResourceTypeTopic, Name: "payments", Pattern: kmsg.ACLResourcePatternTypeLiteral,
		Operation: kmsg.ACLOperationDescribe, Allow: true,
	}
	_, cfg := broker(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(3, "payments"),
		kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", "app", password, allow))
	cfg.SASL = login("PLAIN", "app", password)
	c := open(t, cfg)
	got, err := c.EnsureTopic(t.Context(), TopicSpec{Name: "payments", Partitions: 3, Config: map[string]string{"retention.ms": "1000"}})
	if err != nil || got.Created {
		t.Errorf("a topic that this user may see: %+v, %v", got, err)
	}
	_, err = c.EnsureTopic(t.Context(), TopicSpec{Name: "secret", Partitions: 3})
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), "ACL") {
		t.Errorf("a topic that this user may not create: %v, code %d, hint %q", err, fail.CodeOf(err), fail.HintOf(err))
	}
}
