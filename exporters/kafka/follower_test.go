package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/config"
)

// TestFollower: what is asked of a cluster for a consumer that commits
// elsewhere, and that fifty who ask at once cost no more than one.
func TestFollower(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(3, "payments", "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for i := range 60 {
		r := &kgo.Record{Topic: "payments", Partition: 1, Timestamp: begin.Add(time.Duration(i) * time.Minute), Value: fmt.Append(nil, i)}
		if err := producer.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := NewFollower("lab", config.Kafka{Brokers: cluster.ListenAddrs()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 50 {
		ends, err := f.Ends(t.Context(), []string{"payments"})
		if err != nil || len(ends["payments"]) != 3 || ends["payments"][1] != 60 {
			t.Fatalf("ends %v, %v", ends, err)
		}
	}
	if sent := f.wire.sent.Load(); sent > 7 {
		t.Errorf("%d requests for fifty questions at once, 7 are enough", sent)
	}
	starts, err := f.Starts(t.Context(), []string{"payments"})
	if err != nil || starts["payments"][1] != 0 {
		t.Errorf("starts %v, %v", starts, err)
	}
	times, err := f.TimesOf(t.Context(), map[string]map[int32]int64{"payments": {1: 20, 0: 0}, "nowhere": {0: 1}})
	if off := times["payments"][1].Sub(begin.Add(20 * time.Minute)).Abs(); err != nil || off > time.Second || len(times["payments"]) != 1 {
		t.Errorf("times %v, %v: %v off", times, err, off)
	}
	kept, err := f.Retention(t.Context(), []string{"payments"})
	if err != nil || kept["payments"] != 7*24*time.Hour {
		t.Errorf("retention %v, %v", kept, err)
	}
	if _, err := f.Ends(t.Context(), []string{"nowhere"}); err == nil {
		t.Error("a topic that is not there has ends")
	}
	if _, err := f.Ends(t.Context(), []string{"payments", "nowhere"}); err == nil {
		t.Error("nobody says that one of two topics is not there")
	}
}

// TestFollowerOfNobody: a cluster that is not there is an error in time.
func TestFollowerOfNobody(t *testing.T) {
	f, err := NewFollower("lab", config.Kafka{Brokers: []string{"127.0.0.1:1"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := f.Ends(ctx, []string{"payments"}); err == nil {
		t.Error("nobody answered, and it is no error")
	}
}
