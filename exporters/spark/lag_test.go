package spark

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

// brokers asks a real client for what it can tell.
type brokers struct{ *kafka.Client }

func (b brokers) Ends(ctx context.Context, names []string) (map[string]map[int32]int64, error) {
	return b.EndOffsets(ctx, names)
}

func (b brokers) Starts(ctx context.Context, names []string) (map[string]map[int32]int64, error) {
	return b.StartOffsets(ctx, names)
}

func (b brokers) TimesOf(context.Context, map[string]map[int32]int64) (map[string]map[int32]time.Time, error) {
	return nil, nil
}

func (b brokers) Retention(context.Context, []string) (map[string]time.Duration, error) {
	return nil, nil
}

// TestStoppedJob is the promise about lag: the job is stopped, 100,000 records
// are produced, and the lag is 100,000.
func TestStoppedJob(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "p"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := kafka.Open(t.Context(), config.Kafka{Brokers: cluster.ListenAddrs()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("p"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	produce := func(n int) {
		for i := range n {
			producer.Produce(t.Context(), &kgo.Record{Partition: int32(i % 2), Value: []byte("x")}, nil)
		}
		if err := producer.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	w := newWorld(t)
	w.s = w.streams(StreamOptions{Files: w.files, Offsets: brokers{client}})
	w.running()
	produce(2000)
	p := w.page()
	p.want(t, map[string]float64{`kafka_lag_records{topic="p"}`: 0})
	p.wantState(t, "idle")
	w.app.alive = false
	produce(100_000)
	p = w.after(time.Minute)
	p.want(t, map[string]float64{
		`kafka_lag_records{topic="p"}`: 100_000, `kafka_lag_max_partition_records{topic="p"}`: 50_000, `source{source="kafka"}`: 1,
	})
	p.wantState(t, "terminated")
}

// TestTopicThatIsGone costs its own series only, and a partition without an
// answer its topic's.
func TestTopicThatIsGone(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.write("offsets/9", "v1\n{}\n{\"p\":{\"0\":1000,\"1\":900},\"gone\":{\"0\":5},\"part\":{\"0\":5,\"1\":5}}", w.now.Add(-5*time.Second))
	w.kafka.ends["part"] = map[int32]int64{0: 5}
	p := w.page()
	p.want(t, map[string]float64{`kafka_lag_records{topic="p"}`: 100, `source{source="kafka"}`: 0})
	for _, topic := range []string{"gone", "part"} {
		if v, ok := p[`kafka_lag_records{topic="`+topic+`"}`]; ok {
			t.Errorf("the lag of %s is %v", topic, v)
		}
	}
	p.wantState(t, "running") // what is known of p is enough
}

// TestPartitionWithoutAnswer: where an end is missing, nobody says that nothing
// waits.
func TestPartitionWithoutAnswer(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.kafka.ends["p"] = map[int32]int64{0: 1000}
	if got := w.page().state(); got != "running" {
		t.Errorf("it is %s", got)
	}
}

func TestLagSeconds(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.kafka.ends["p"] = map[int32]int64{0: 1500, 1: 1000}
	w.kafka.times["p"] = map[int32]time.Time{0: w.now.Add(-90 * time.Second)}
	w.page().want(t, map[string]float64{`kafka_lag_seconds{topic="p"}`: 90})
	w.kafka.ends["p"][1] = 1001 // whose time is not known
	if v, ok := w.page()[`kafka_lag_seconds{topic="p"}`]; ok {
		t.Errorf("%v, where the time of one partition is not known", v)
	}
	w.kafka.ends["p"] = map[int32]int64{0: 1000, 1: 1000}
	w.page().want(t, map[string]float64{`kafka_lag_seconds{topic="p"}`: 0})
}

// TestNewPartition is one that the query has not seen: all of it waits.
func TestNewPartition(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.kafka.ends["p"], w.kafka.starts["p"] = map[int32]int64{0: 1000, 1: 1000, 2: 70}, map[int32]int64{0: 0, 1: 0, 2: 20}
	w.page().want(t, map[string]float64{`kafka_lag_records{topic="p"}`: 50, `kafka_lost_records{topic="p"}`: 0})
}

// TestRetentionEdge: the time that is left before records are lost.
func TestRetentionEdge(t *testing.T) {
	const headroom = `kafka_headroom_seconds{topic="p"}`
	w := newWorld(t)
	w.running()
	w.kafka.retention["p"] = time.Hour
	w.page().want(t, map[string]float64{headroom: 3600})
	w.kafka.ends["p"][0] = 1500
	w.kafka.times["p"] = map[int32]time.Time{0: w.now.Add(-40 * time.Minute)}
	w.page().want(t, map[string]float64{headroom: 1200})
	w.kafka.times["p"] = map[int32]time.Time{0: w.now.Add(-2 * time.Hour)}
	w.kafka.starts["p"][0] = 1100
	w.page().want(t, map[string]float64{headroom: 0, `kafka_lost_records{topic="p"}`: 100, `kafka_lag_records{topic="p"}`: 500})
}

// TestEdgeBySpeed: where retention is by size, the speed of removal says it.
func TestEdgeBySpeed(t *testing.T) {
	const headroom = `kafka_headroom_seconds{topic="p"}`
	w := newWorld(t)
	w.running()
	w.kafka.ends["p"] = map[int32]int64{0: 5000, 1: 1000}
	if v, ok := w.page()[headroom]; ok {
		t.Errorf("%v seconds, and nothing is known", v)
	}
	w.kafka.starts["p"] = map[int32]int64{0: 100, 1: 0}
	if v, ok := w.after(time.Minute)[headroom]; ok {
		t.Errorf("%v seconds after a minute", v)
	}
	w.kafka.starts["p"] = map[int32]int64{0: 600, 1: 0}
	w.after(9*time.Minute).want(t, map[string]float64{headroom: 400}) // one a second
	w.kafka.starts["p"] = map[int32]int64{0: 900, 1: 0}
	w.after(20*time.Minute).want(t, map[string]float64{headroom: 200}) // half a second
	w.after(2 * time.Hour)
	p := w.after(2 * time.Hour) // nothing was removed for long
	if v, ok := p[headroom]; ok {
		t.Errorf("%v seconds, and nothing is removed", v)
	}
}

func TestEdgeOfNothing(t *testing.T) {
	e := &edge{}
	e.note(nil, time.Unix(1, 0))
	if v := e.headroom(map[int32]int64{0: 1}, map[int32]int64{0: 2}, timing{now: time.Unix(9, 0)}); !math.IsNaN(v) {
		t.Errorf("%v", v)
	}
}
