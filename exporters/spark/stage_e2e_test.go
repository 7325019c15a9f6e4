//go:build e2e

package spark_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/lab/local"
)

const (
	trigger    = 2 * time.Second
	appName    = "bronze" // of application and query
	topicName  = "payments"
	partitions = 3
)

// stage is the real stack: Kafka, store, catalog, and a driver with the shipped
// job, whose progress goes to the test.
type stage struct {
	*local.Stack
	driver *local.Driver
	client *kgo.Client
	sent   int           // records that Kafka has acknowledged
	behind time.Duration // how old records are when they come
}

// newStage starts everything but the driver, whose progress will go to an
// address. It is brought down at the end of the test.
func newStage(ctx context.Context, t *testing.T, progress string) *stage {
	t.Helper()
	install := os.Getenv("LAKEPROOF_LAB_DIR")
	if install == "" {
		install = filepath.Join("..", "..", ".lab")
	}
	s, err := local.New(local.Options{
		Dir: t.TempDir(), Install: install, FreePorts: true,
		Components: []string{local.Kafka, local.Store, local.Catalog},
		Spark: local.SparkOptions{
			App: appName, Topic: topicName, Trigger: trigger, ProgressURL: progress,
			Checkpoint: "s3://" + local.Bucket + "/checkpoints/" + appName,
		},
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
			t.Logf("%s\n%s", c.Log, raw[max(0, len(raw)-1500):])
		}
	})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureTopic(ctx, topicName, partitions, 7*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	st := &stage{Stack: s, driver: s.Driver()}
	st.client, err = kgo.NewClient(kgo.SeedBrokers(s.Config().Kafka.Brokers...), kgo.DefaultProduceTopic(topicName),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.client.Close)
	return st
}

// produce sends n records in turn to all partitions, with times of the caller's
// choice, and waits for all acks.
func (st *stage) produce(ctx context.Context, t *testing.T, n int, at func(i int) time.Time) {
	t.Helper()
	if err := st.send(ctx, n, at); err != nil {
		t.Fatalf("producing: %v", err)
	}
}

func (st *stage) send(ctx context.Context, n int, at func(i int) time.Time) error {
	var once sync.Once
	var failed error
	for i := range n {
		seq := st.sent + i
		value := fmt.Sprintf(`{"event_id":"e%d","event_time":%q,"account_id":"a%d","amount_minor":%d}`,
			seq, at(i).UTC().Format(time.RFC3339Nano), seq%977, seq)
		record := &kgo.Record{Partition: int32(seq % partitions), Timestamp: at(i), Value: []byte(value)}
		st.client.Produce(ctx, record, func(_ *kgo.Record, err error) {
			if err != nil {
				once.Do(func() { failed = err })
			}
		})
	}
	if err := st.client.Flush(ctx); err != nil {
		return err
	}
	if failed == nil {
		st.sent += n
	}
	return failed
}

// trickle lets records arrive all the time, until the returned function is
// called; that waits for all acks.
func (st *stage) trickle(ctx context.Context, t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				done <- nil
				return
			case <-tick.C:
			}
			at := time.Now().Add(-st.behind)
			err := st.send(context.WithoutCancel(ctx), 20, func(int) time.Time { return at })
			if err != nil {
				done <- err
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("producing: %v", err)
		}
	})
}
