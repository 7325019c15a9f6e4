//go:build e2e

package hop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lab/local"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// outcomes are sink.Books that count.
type outcomes struct {
	mu          sync.Mutex
	acked, lost int
	batched     uint64
}

func (o *outcomes) Acked(uint16, uint64, sink.Times) { o.count(func() { o.acked++ }) }
func (o *outcomes) Batch(b sink.Batch)               { o.count(func() { o.batched += uint64(b.Count) }) }
func (o *outcomes) Lost(uint16, uint64, bool, error) { o.count(func() { o.lost++ }) }

func (o *outcomes) count(add func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	add()
}

// realBroker starts a broker that is brought down at the end, and makes the topic.
func realBroker(ctx context.Context, t *testing.T) (*local.Stack, *kafka.Client) {
	t.Helper()
	installed := os.Getenv("LAKEPROOF_LAB_DIR")
	if installed == "" {
		installed = filepath.Join("..", "..", ".lab")
	}
	stack, err := local.New(local.Options{Dir: t.TempDir(), Install: installed, FreePorts: true, Components: []string{local.Kafka}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Down(context.Background()); err != nil {
			t.Errorf("bringing the broker down: %v", err)
		}
	})
	if err := stack.Up(ctx); err != nil {
		t.Fatal(err)
	}
	admin, err := kafka.Open(ctx, stack.SecureKafka(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	if _, err := admin.EnsureTopic(ctx, kafka.TopicSpec{Name: consumerTopic, Partitions: 2}); err != nil {
		t.Fatal(err)
	}
	return stack, admin
}

// sendThrough sends n records at some 10,000 a second, calls disturb after a
// third of them, and waits for every outcome.
func sendThrough(ctx context.Context, t *testing.T, lab config.Kafka, n uint64, disturb func()) *outcomes {
	t.Helper()
	books := &outcomes{}
	out, err := sink.NewKafka(lab, sink.KafkaConfig{
		Run: consumerRun, Topics: []string{"", "", consumerTopic}, Linger: 5 * time.Millisecond, Compression: "lz4",
	}, books, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for seq := range n {
		if seq == n/3 {
			disturb()
		}
		key := fmt.Appendf(nil, "account-%d", seq%50)
		r := sink.Record{
			Stream: 2, Seq: seq, Intended: time.Now(), Key: key, Value: fmt.Appendf(nil, "payment %d", seq),
			Partition: sink.Partition(key, 2),
		}
		if err := out.Send(ctx, &r); err != nil {
			t.Fatal(err)
		}
		if seq%10 == 0 {
			<-pace.C
		}
	}
	if err := out.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(ctx); err != nil {
		t.Error(err)
	}
	return books
}

// TestRealBrokerKilled sends through the TLS listener while the broker is
// killed and started again: every record is acknowledged, and the consumer
// sees each once, in order and unaltered, and one outage.
func TestRealBrokerKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	stack, admin := realBroker(ctx, t)
	lab := stack.SecureKafka()
	consumer, _ := consume(t, lab, nil)
	const n = 30_000
	restarted := make(chan error, 1)
	books := sendThrough(ctx, t, lab, n, func() {
		go func() {
			if err := stack.Kill(local.Kafka); err != nil {
				restarted <- err
				return
			}
			restarted <- stack.Start(ctx, local.Kafka)
		}()
	})
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	if books.acked != n || books.batched != n || books.lost != 0 {
		t.Errorf("%d records acknowledged, %d in batches, %d lost", books.acked, books.batched, books.lost)
	}
	ends, err := admin.EndOffsets(ctx, []string{consumerTopic})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the end offsets", func() bool {
		at := consumer.Position()[consumerTopic]
		return at[0] >= ends[consumerTopic][0] && at[1] >= ends[consumerTopic][1]
	})
	r := consumer.Result()
	t.Logf("%d records, outages %+v", r.Records, consumer.Outages())
	if r.Records != n || r.Foreign.Count+r.Corrupt.Count+r.Disordered.Count+r.Gaps.Count != 0 {
		t.Errorf("result %+v", r)
	}
	if o := consumer.Outages(); len(o) != 1 || o[0].To.IsZero() {
		t.Errorf("outages %+v", o)
	}
}
