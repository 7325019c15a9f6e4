package hop

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

const (
	consumerRun   = 0xabcdef123456
	consumerTopic = "payments"
	testDeadline  = 60 * time.Second
)

// message is a record as the sink makes it, before somebody alters it.
func message(seq uint64, change func(*kgo.Record)) *kgo.Record {
	value := []byte("payment " + strconv.FormatUint(seq, 10))
	r := &kgo.Record{
		Topic: consumerTopic, Value: value,
		Headers: []kgo.RecordHeader{
			{Key: sink.HeaderRun, Value: fmt.Appendf(nil, "%012x", uint64(consumerRun))},
			{Key: sink.HeaderStream, Value: []byte("2")},
			{Key: sink.HeaderSeq, Value: strconv.AppendUint(nil, seq, 10)},
			{Key: sink.HeaderIntended, Value: []byte("1795236625007123")},
			{Key: sink.HeaderCRC, Value: fmt.Appendf(nil, "%08x", crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli)))},
		},
	}
	if change != nil {
		change(r)
	}
	return r
}

func header(r *kgo.Record, key, value string) {
	for i := range r.Headers {
		if r.Headers[i].Key == key {
			r.Headers[i].Value = []byte(value)
		}
	}
}

func newBroker(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, config.Kafka) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(2, consumerTopic)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c, config.Kafka{Brokers: c.ListenAddrs()}
}

func produce(t testing.TB, lab config.Kafka, records ...*kgo.Record) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(lab.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// consume starts a consumer of both partitions and returns it with a function
// that waits until it has read up to an end offset of partition 0, and stops.
func consume(t testing.TB, lab config.Kafka, onRecord func(uint16, uint64, time.Time, time.Time)) (*Consumer, func(int64)) {
	t.Helper()
	c, err := NewConsumer(lab, ConsumerConfig{
		Run: consumerRun, OnRecord: onRecord,
		Topics: map[string]ConsumerTopic{consumerTopic: {Streams: []uint16{2}, Start: map[int32]int64{0: 0, 1: 0}}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop := func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return c, func(end int64) {
		t.Helper()
		await(t, fmt.Sprintf("offset %d", end), func() bool { return c.Position()[consumerTopic][0] >= end })
	}
}

func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(testDeadline)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func clean(from, to uint64) (out []*kgo.Record) {
	for seq := from; seq < to; seq++ {
		out = append(out, message(seq, nil))
	}
	return out
}

// TestConsumerFinds holds that each kind of odd record is found, exactly those,
// and that a clean one is none of them.
func TestConsumerFinds(t *testing.T) {
	one := func(seq uint64, change func(*kgo.Record)) []*kgo.Record { return []*kgo.Record{message(seq, change)} }
	type counts struct{ records, foreign, corrupt, disordered uint64 }
	tests := map[string]struct {
		middle []*kgo.Record // between records 0 to 9 and 20 to 29
		want   counts
		detail string
	}{
		"clean":         {clean(10, 20), counts{records: 30}, ""},
		"no headers":    {one(10, func(r *kgo.Record) { r.Headers = nil }), counts{records: 20, foreign: 1}, "no lakeproof-run header"},
		"another run":   {one(10, func(r *kgo.Record) { header(r, sink.HeaderRun, "000000000001") }), counts{records: 20, foreign: 1}, `run "000000000001"`},
		"other stream":  {one(10, func(r *kgo.Record) { header(r, sink.HeaderStream, "3") }), counts{records: 20, foreign: 1}, "stream 3"},
		"altered value": {one(10, func(r *kgo.Record) { r.Value[3] ^= 1 }), counts{records: 21, corrupt: 1}, "CRC-32C"},
		"lost value":    {one(10, func(r *kgo.Record) { r.Value = nil }), counts{records: 21, corrupt: 1}, "CRC-32C"},
		"broken seq":    {one(10, func(r *kgo.Record) { header(r, sink.HeaderSeq, "1x") }), counts{records: 21, corrupt: 1}, "headers"},
		"huge seq": {
			one(10, func(r *kgo.Record) { header(r, sink.HeaderSeq, "281474976710656") }), counts{records: 21, corrupt: 1}, "headers",
		},
		"no checksum": {
			one(10, func(r *kgo.Record) { r.Headers = r.Headers[:4] }), counts{records: 21, corrupt: 1}, "headers",
		},
		"the same again": {one(9, nil), counts{records: 21, disordered: 1}, "after record 9"},
		"behind":         {one(4, nil), counts{records: 21, disordered: 1}, "after record 9"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, lab := newBroker(t)
			t.Cleanup(cluster.Close)
			var called atomic.Uint64
			c, reach := consume(t, lab, func(stream uint16, _ uint64, intended, _ time.Time) {
				if stream == 2 && intended.UnixMicro() == 1795236625007123 {
					called.Add(1)
				}
			})
			produce(t, lab, clean(0, 10)...)
			produce(t, lab, test.middle...)
			produce(t, lab, clean(20, 30)...)
			reach(int64(20 + len(test.middle)))
			r := c.Result()
			got := counts{r.Records, r.Foreign.Count, r.Corrupt.Count, r.Disordered.Count}
			if got != test.want || r.Gaps.Count != 0 {
				t.Fatalf("got %+v, want %+v; gaps %+v", got, test.want, r.Gaps)
			}
			for _, o := range append(append(r.Foreign.Examples, r.Corrupt.Examples...), r.Disordered.Examples...) {
				if o.Offset != 10 || o.Topic != consumerTopic || o.Partition != 0 || !strings.Contains(o.Detail, test.detail) {
					t.Errorf("example %+v", o)
				}
			}
			unread := uint64(0)
			if test.detail == "headers" {
				unread = 1
			}
			if called.Load() != test.want.records-unread {
				t.Errorf("%d records were handed over", called.Load())
			}
		})
	}
}

func TestConsumerBoundsExamples(t *testing.T) {
	cluster, lab := newBroker(t)
	t.Cleanup(cluster.Close)
	var foreign []*kgo.Record
	for range maxOddities + 50 {
		foreign = append(foreign, &kgo.Record{Topic: consumerTopic})
	}
	produce(t, lab, foreign...)
	c, reach := consume(t, lab, nil)
	reach(maxOddities + 50)
	if r := c.Result().Foreign; r.Count != maxOddities+50 || len(r.Examples) != maxOddities {
		t.Errorf("%d foreign records, %d examples", r.Count, len(r.Examples))
	}
}

// TestConsumerGap: records that the broker removed before they were read show
// as a gap, and reading goes on behind it.
func TestConsumerGap(t *testing.T) {
	cluster, lab := newBroker(t)
	t.Cleanup(cluster.Close)
	for seq := range uint64(10) {
		produce(t, lab, message(seq, nil))
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(lab.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	trim := kadm.Offsets{}
	trim.Add(kadm.Offset{Topic: consumerTopic, Partition: 0, At: 4})
	if _, err := kadm.NewClient(cl).DeleteRecords(t.Context(), trim); err != nil {
		t.Fatal(err)
	}
	c, reach := consume(t, lab, nil)
	reach(10)
	r := c.Result()
	if r.Records != 6 || r.Gaps.Count != 4 || len(r.Gaps.Examples) != 1 ||
		r.Gaps.Examples[0].Detail != "offsets 0 to 3 are not there" || r.Disordered.Count != 0 {
		t.Errorf("result %+v", r)
	}
}

// TestConsumerControl: markers of transactions are passed, not judged.
func TestConsumerControl(t *testing.T) {
	cluster, lab := newBroker(t)
	t.Cleanup(cluster.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(lab.Brokers...), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(t.Context(), message(0, nil), message(1, nil)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := cl.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	c, reach := consume(t, lab, nil)
	reach(3)
	if r := c.Result(); r.Records != 2 || r.Control != 1 || r.Gaps.Count+r.Foreign.Count+r.Corrupt.Count != 0 {
		t.Errorf("result %+v", r)
	}
}

// TestConsumerOutage: a broker that is away for a while is an outage, and
// nothing is lost, doubled or out of order afterwards.
func TestConsumerOutage(t *testing.T) {
	dir := t.TempDir()
	cluster, lab := newBroker(t, kfake.DataDir(dir))
	for seq := range uint64(10) {
		produce(t, lab, message(seq, nil))
	}
	c, reach := consume(t, lab, nil)
	reach(10)
	if out := c.Outages(); len(out) != 0 {
		t.Fatalf("outages before there was one: %+v", out)
	}
	closed := time.Now()
	cluster.Close()
	await(t, "an outage", func() bool { return len(c.Outages()) == 1 })
	if o := c.Outages()[0]; !o.To.IsZero() || o.Error == "" || o.From.Before(closed.Add(-time.Second)) {
		t.Errorf("while it lasts: %+v", o)
	}
	_, port, err := net.SplitHostPort(lab.Brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	cluster, lab = newBroker(t, kfake.DataDir(dir), kfake.Ports(number))
	t.Cleanup(cluster.Close)
	for seq := range uint64(10) {
		produce(t, lab, message(seq+10, nil))
	}
	reach(20)
	await(t, "the end of the outage", func() bool { return !c.Outages()[len(c.Outages())-1].To.IsZero() })
	r := c.Result()
	if r.Records != 20 || r.Gaps.Count+r.Foreign.Count+r.Corrupt.Count+r.Disordered.Count != 0 || len(c.Outages()) != 1 {
		t.Errorf("result %+v, outages %+v", r, c.Outages())
	}
}

// TestConnections: one broker of several that is away for a while is one
// outage, although the others answer all the time.
func TestConnections(t *testing.T) {
	c := &connections{
		logger: slog.New(slog.DiscardHandler), failing: map[int32]time.Time{}, lost: map[int32]time.Time{},
	}
	node := func(id int32) kgo.BrokerMetadata { return kgo.BrokerMetadata{NodeID: id} }
	refused := errors.New("connection refused")
	fetched := func(id int32) { c.OnBrokerE2E(node(id), int16(kmsg.Fetch), kgo.BrokerE2E{}) }
	fetched(1)
	if out := c.log.all(); len(out) != 0 {
		t.Fatalf("outages of brokers that answer: %+v", out)
	}
	for range 3 {
		c.OnBrokerConnect(node(2), time.Millisecond, nil, refused)
		c.OnBrokerConnect(node(-1), time.Millisecond, nil, refused)
		fetched(1)
	}
	if out := c.log.all(); len(out) != 1 || !out[0].To.IsZero() || out[0].Error != refused.Error() {
		t.Fatalf("while broker 2 is away: %+v", out)
	}
	c.OnBrokerE2E(node(2), int16(kmsg.Fetch), kgo.BrokerE2E{ReadErr: refused})
	c.OnBrokerE2E(node(2), int16(kmsg.Metadata), kgo.BrokerE2E{})
	if out := c.log.all(); !out[0].To.IsZero() {
		t.Fatalf("no data flows yet: %+v", out)
	}
	fetched(2)
	if out := c.log.all(); len(out) != 1 || out[0].To.IsZero() {
		t.Fatalf("when broker 2 is back: %+v", out)
	}
	c.OnBrokerConnect(node(3), time.Millisecond, nil, refused)
	c.failing[3] = time.Now().Add(-2 * forgetFailing)
	fetched(1)
	if out := c.log.all(); len(out) != 2 || out[1].To.IsZero() {
		t.Fatalf("when broker 3 left the cluster: %+v", out)
	}
}

func TestConsumerDenied(t *testing.T) {
	cluster, lab := newBroker(t, kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", "app", "app"))
	t.Cleanup(cluster.Close)
	lab.SASL = config.SASL{Mechanism: "PLAIN", Username: "app", Password: config.NewSecret("app")}
	c, err := NewConsumer(lab, ConsumerConfig{Topics: map[string]ConsumerTopic{consumerTopic: {Start: map[int32]int64{0: 0}}}},
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	if err := c.Run(ctx); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
		t.Errorf("error %v", err)
	}
}

// TestConsumerAllocates holds that looking at a record allocates nothing.
func TestConsumerAllocates(t *testing.T) {
	c, records := checkerWith(1000)
	if n := testing.AllocsPerRun(10, func() {
		c.state[place{consumerTopic, 0}].next = 0
		c.state[place{consumerTopic, 0}].last[0] = 0
		c.partition(consumerTopic, 0, records, time.Now())
	}); n != 0 {
		t.Errorf("%v allocations for %d records", n, len(records))
	}
	if r := c.result; r.Records == 0 || r.Corrupt.Count+r.Foreign.Count+r.Disordered.Count+r.Gaps.Count != 0 {
		t.Errorf("result %+v", r)
	}
}

func checkerWith(n int) (*checker, []*kgo.Record) {
	c := newChecker(ConsumerConfig{
		Run:    consumerRun,
		Topics: map[string]ConsumerTopic{consumerTopic: {Streams: []uint16{2}, Start: map[int32]int64{0: 0}}},
	})
	var records []*kgo.Record
	for i := range n {
		records = append(records, message(uint64(i), func(r *kgo.Record) {
			r.Offset = int64(i)
			r.Value = append(r.Value, make([]byte, 300-len(r.Value))...)
			header(r, sink.HeaderCRC, fmt.Sprintf("%08x", crc32.Checksum(r.Value, crc32.MakeTable(crc32.Castagnoli))))
		}))
	}
	return &c, records
}

func BenchmarkConsumerCheck(b *testing.B) {
	c, records := checkerWith(1000)
	s := c.state[place{consumerTopic, 0}]
	b.ReportAllocs()
	for i := 0; i < b.N; i += len(records) {
		s.next, s.last[0] = 0, 0
		c.partition(consumerTopic, 0, records, time.Now())
	}
}

// BenchmarkConsumer reads records of 300 bytes from a broker in the same
// process, client and broker together.
func BenchmarkConsumer(b *testing.B) {
	cluster, lab := newBroker(b)
	b.Cleanup(cluster.Close)
	_, records := checkerWith(100_000)
	cl, err := kgo.NewClient(kgo.SeedBrokers(lab.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(len(records)), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	if err := cl.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		c, reach := consume(b, lab, nil)
		reach(int64(len(records)))
		if r := c.Result(); r.Records != uint64(len(records)) || r.Corrupt.Count+r.Foreign.Count+r.Gaps.Count != 0 {
			b.Fatalf("result %+v", r)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(records))/b.Elapsed().Seconds(), "records/s")
}
