package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/env"
)

// notebook is Books that remembers.
type notebook struct {
	mu      sync.Mutex
	acked   []uint64
	batches []Batch
	lost    map[uint64]bool
}

func (n *notebook) Acked(_ uint16, seq uint64, t Times) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t.Sent.Before(t.Intended) || t.Acked.Before(t.Sent) {
		panic(fmt.Sprintf("times %+v", t))
	}
	n.acked = append(n.acked, seq)
}

func (n *notebook) Batch(b Batch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.batches = append(n.batches, b)
}

func (n *notebook) Lost(_ uint16, seq uint64, certain bool, _ error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost[seq] = certain
}

func broker(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, config.Kafka) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(3, "payments")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, config.Kafka{Brokers: c.ListenAddrs()}
}

func open(t testing.TB, lab config.Kafka, books Books, cfg KafkaConfig) *Kafka {
	t.Helper()
	cfg.Run, cfg.Topics = 0xabcdef, []string{"payments"}
	k, err := NewKafka(lab, cfg, books, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close(context.Background()) })
	return k
}

func send(t testing.TB, k *Kafka, n int) {
	t.Helper()
	for seq := range n {
		key := []byte("account-" + strconv.Itoa(seq%97))
		r := Record{
			Seq: uint64(seq), Intended: time.Now(), Key: key, Value: fmt.Appendf(nil, "value %d", seq),
			Partition: Partition(key, 3),
		}
		if seq == 7 {
			r.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		}
		if err := k.Send(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestKafkaBooks: every record has one outcome, the batches hold exactly the
// records at their offsets, and what lies in the topic is what was sent.
func TestKafkaBooks(t *testing.T) {
	_, lab := broker(t)
	books := &notebook{lost: map[uint64]bool{}}
	k := open(t, lab, books, KafkaConfig{Linger: time.Millisecond, Compression: "lz4"})
	const n = 5000
	send(t, k, n)
	if slices.Sort(books.acked); len(books.acked) != n || books.acked[n-1] != n-1 || len(books.lost) != 0 {
		t.Fatalf("%d acked, %d lost", len(books.acked), len(books.lost))
	}
	at := map[[2]int64]Batch{}
	total := 0
	for _, b := range books.batches {
		total += int(b.Count)
		for o := b.FirstOffset; o < b.FirstOffset+int64(b.Count); o++ {
			at[[2]int64{int64(b.Partition), o}] = b
		}
	}
	if total != n || len(at) != n {
		t.Fatalf("batches hold %d records at %d offsets", total, len(at))
	}
	consume(t, lab, n, func(r *kgo.Record) {
		b, ok := at[[2]int64{int64(r.Partition), r.Offset}]
		h := map[string]string{}
		for _, header := range r.Headers {
			h[header.Key] = string(header.Value)
		}
		seq, err := strconv.ParseUint(h[HeaderSeq], 10, 64)
		if err != nil || !ok || seq < b.FirstSeq || seq > b.LastSeq {
			t.Errorf("record %q at %d/%d is in batch %+v", h[HeaderSeq], r.Partition, r.Offset, b)
		}
		if string(r.Value) != fmt.Sprintf("value %d", seq) || h[HeaderRun] != "000000abcdef" || len(h[HeaderCRC]) != 8 {
			t.Errorf("record %d: value %q, headers %v", seq, r.Value, h)
		}
		if (h[HeaderTraceParent] != "") != (seq == 7) {
			t.Errorf("record %d: traceparent %q", seq, h[HeaderTraceParent])
		}
	})
}

func consume(t *testing.T, lab config.Kafka, n int, visit func(*kgo.Record)) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(lab.Brokers...), kgo.ConsumeTopics("payments"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for n > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { n--; visit(r) })
	}
}

// TestKafkaRefusal: a batch that the broker refuses is surely not written; one
// without an answer is unknown.
func TestKafkaRefusal(t *testing.T) {
	for name, c := range map[string]struct {
		answer  error
		certain bool
	}{
		"too large":   {kerr.MessageTooLarge, true},
		"not allowed": {kerr.TopicAuthorizationFailed, false},
	} {
		cluster, lab := broker(t)
		cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			return refusal(req.(*kmsg.ProduceRequest), c.answer), nil, true
		})
		books := &notebook{lost: map[uint64]bool{}}
		k := open(t, lab, books, KafkaConfig{DeliveryTimeout: 5 * time.Second})
		send(t, k, 10)
		if len(books.lost) != 10 || books.lost[3] != c.certain {
			t.Errorf("%s: lost %v", name, books.lost)
		}
	}
}

func refusal(req *kmsg.ProduceRequest, answer error) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	var code *kerr.Error
	if e, ok := answer.(*kerr.Error); ok { //nolint:errorlint // kerr's own values
		code = e
	}
	for _, topic := range req.Topics {
		st := kmsg.NewProduceResponseTopic()
		st.Topic, st.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			sp := kmsg.NewProduceResponseTopicPartition()
			sp.Partition, sp.ErrorCode = p.Partition, code.Code
			st.Partitions = append(st.Partitions, sp)
		}
		resp.Topics = append(resp.Topics, st)
	}
	return resp
}

// TestKafkaUnknown: a broker that goes away before it answers leaves the fate
// of the records open, and nothing hangs.
func TestKafkaUnknown(t *testing.T) {
	cluster, lab := broker(t)
	books := &notebook{lost: map[uint64]bool{}}
	k := open(t, lab, books, KafkaConfig{DeliveryTimeout: 2 * time.Second})
	send(t, k, 10)
	cluster.Close()
	for seq := uint64(10); seq < 20; seq++ {
		r := Record{Seq: seq, Intended: time.Now(), Key: []byte("k"), Value: []byte("v")}
		if err := k.Send(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := k.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if err := k.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	books.mu.Lock()
	defer books.mu.Unlock()
	for seq, certain := range books.lost {
		if certain {
			t.Errorf("record %d is called surely lost", seq)
		}
	}
	if len(books.acked) != 10 {
		t.Errorf("%d acked", len(books.acked))
	}
}

// TestPartition: the values of Kafka's own tests of Utils.murmur2.
func TestPartition(t *testing.T) {
	for key, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
}

type nobody struct{}

func (nobody) Acked(uint16, uint64, Times)      {}
func (nobody) Batch(Batch)                      {}
func (nobody) Lost(uint16, uint64, bool, error) {}

// BenchmarkKafka measures acknowledged, idempotent production of 300-byte
// values, half of them random. The broker, in the same process, checks the
// sequences, answers and stores nothing. CPU time is of both together.
func BenchmarkKafka(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // test data
	values := make([][]byte, 1024)
	for i := range values {
		values[i] = fmt.Appendf(nil, `{"account_id":"%016x","status":"authorised","currency":"EUR","text":"`, random.Uint64())
		for len(values[i]) < 298 {
			values[i] = strconv.AppendUint(append(values[i], "payment "...), random.Uint64(), 36)
		}
		values[i] = append(values[i][:298], `"}`...)
	}
	for _, codec := range []string{"none", "lz4", "snappy", "zstd"} {
		b.Run(codec, func(b *testing.B) {
			_, lab := broker(b, kfake.BlackholeProduce())
			k := open(b, lab, nobody{}, KafkaConfig{Linger: 5 * time.Millisecond, Compression: codec})
			key := []byte("account-00001234")
			b.ReportAllocs()
			b.SetBytes(300)
			var seq uint64
			before := env.ReadUsage().CPU
			for b.Loop() {
				r := Record{Seq: seq, Intended: time.Now(), Key: key, Value: values[seq%1024], Partition: int32(seq % 3)}
				if err := k.Send(b.Context(), &r); err != nil {
					b.Fatal(err)
				}
				seq++
			}
			if err := k.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64((env.ReadUsage().CPU-before).Nanoseconds())/float64(seq), "cpu-ns/record")
		})
	}
}
