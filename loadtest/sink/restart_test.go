package sink

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestKafkaRestart: records that meet a broker which restarts are delayed, and
// each is in the topic once.
func TestKafkaRestart(t *testing.T) {
	dir := t.TempDir()
	cluster, lab := broker(t, kfake.DataDir(dir))
	books := &notebook{lost: map[uint64]bool{}}
	k := open(t, lab, books, KafkaConfig{Linger: time.Millisecond})
	const before, during = 1000, 500
	send(t, k, before)
	cluster.Close()
	for seq := uint64(before); seq < before+during; seq++ {
		r := Record{Seq: seq, Intended: time.Now(), Value: []byte("v"), Partition: int32(seq % 3)}
		if err := k.Send(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	_, port, err := net.SplitHostPort(lab.Brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	_, lab = broker(t, kfake.DataDir(dir), kfake.Ports(number))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := k.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	expectOnce(t, books, before+during)
	inTopic := map[string]int{}
	consume(t, lab, before+during, func(r *kgo.Record) {
		for _, h := range r.Headers {
			if h.Key == HeaderSeq {
				inTopic[string(h.Value)]++
			}
		}
	})
	if len(inTopic) != before+during {
		t.Errorf("%d different records are in the topic", len(inTopic))
	}
}

// TestKafkaLateAnswer: batches that are written although the broker says that
// time was up are sent again and stay single, because the producer is
// idempotent.
func TestKafkaLateAnswer(t *testing.T) {
	cluster, lab := broker(t)
	fault := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 3})
	books := &notebook{lost: map[uint64]bool{}}
	k := open(t, lab, books, KafkaConfig{})
	send(t, k, 100)
	if fault.Hits() == 0 {
		t.Fatal("the fault was not met")
	}
	expectOnce(t, books, 100)
	client, err := kgo.NewClient(kgo.SeedBrokers(lab.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "payments")
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	if total != 100 {
		t.Errorf("the topic holds %d records", total)
	}
}

// expectOnce holds that records 0 to n-1 were all acknowledged, each once.
func expectOnce(t *testing.T, books *notebook, n int) {
	t.Helper()
	books.mu.Lock()
	defer books.mu.Unlock()
	once := map[uint64]bool{}
	for _, seq := range books.acked {
		once[seq] = true
	}
	if len(once) != n || len(books.acked) != n || len(books.lost) != 0 {
		t.Errorf("%d acknowledged, %d of them different, %d lost", len(books.acked), len(once), len(books.lost))
	}
}
