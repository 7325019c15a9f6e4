package sink

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

// The headers of every record. Their values are text, so that an ordinary
// consumer shows them: the run and the checksum as hexadecimal digits, the
// others as decimal ones.
const (
	HeaderRun         = "lakeproof-run"      // 48-bit number of the run
	HeaderStream      = "lakeproof-stream"   // number of the stream in the run
	HeaderSeq         = "lakeproof-seq"      // sequence number in the stream
	HeaderIntended    = "lakeproof-intended" // microseconds since the Unix epoch
	HeaderCRC         = "lakeproof-crc32c"   // CRC-32C of the value
	HeaderTraceParent = "traceparent"        // W3C trace context, on a sampled share
)

// KafkaConfig is how records are produced. The sink is always idempotent and
// waits for all in-sync replicas.
type KafkaConfig struct {
	Run             uint64        // 48-bit number of the run
	Topics          []string      // by stream number
	Linger          time.Duration // default 0
	Compression     string        // none, lz4, snappy or zstd; default none
	DeliveryTimeout time.Duration // until a record counts as unknown; default 60s
	MaxBuffered     int           // bytes in flight above which Send blocks; default 16 MiB
}

// Kafka is the Kafka sink.
type Kafka struct {
	client *kgo.Client
	cfg    KafkaConfig
	run    []byte
	books  Books
	slots  sync.Pool
	flying atomic.Int64 // bytes without an answer

	mu   sync.Mutex // guards open: promises come one at a time, idle flushes beside them
	open map[place]*Batch
	quit chan struct{}
	once sync.Once
	idle sync.WaitGroup
}

// place is one partition of one stream.
type place struct {
	stream    uint16
	partition int32
}

// slot is a record on its way: the client's record with everything it points to.
type slot struct {
	context.Context // so that the record can carry the slot
	rec             kgo.Record
	sink            *Kafka
	stream          uint16
	seq             uint64
	intended, sent  time.Time
	headers         [6]kgo.RecordHeader
	buf             []byte // key, value and header values
}

// mergeWithin is how far apart the answers for records of one batch may be.
const mergeWithin = 2 * time.Millisecond

// maxBatch bounds a batch of the journal.
const maxBatch = 1 << 20

// NewKafka connects lazily: kafka.Dial proves the connection beforehand.
func NewKafka(lab config.Kafka, cfg KafkaConfig, books Books, logger *slog.Logger) (*Kafka, error) {
	opts, err := kafka.Options(lab, logger)
	if err != nil {
		return nil, err
	}
	if cfg.DeliveryTimeout == 0 {
		cfg.DeliveryTimeout = time.Minute
	}
	if cfg.MaxBuffered == 0 {
		cfg.MaxBuffered = 16 << 20
	}
	codec := map[string]kgo.CompressionCodec{
		"": kgo.NoCompression(), "none": kgo.NoCompression(), "lz4": kgo.Lz4Compression(),
		"snappy": kgo.SnappyCompression(), "zstd": kgo.ZstdCompression(),
	}[cfg.Compression]
	client, err := kgo.NewClient(append(opts,
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(cfg.Linger),
		kgo.ProducerBatchCompression(codec),
		kgo.RecordDeliveryTimeout(cfg.DeliveryTimeout),
		// Send bounds what is in flight; the client's own bound must never be reached,
		// because it would start a goroutine for each record that waits.
		kgo.MaxBufferedRecords(math.MaxInt32),
	)...)
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("making a Kafka producer: %w", err), fail.Usage, "correct producer in the scenario")
	}
	k := &Kafka{
		client: client, cfg: cfg, books: books, run: fmt.Appendf(nil, "%012x", cfg.Run),
		open: map[place]*Batch{}, quit: make(chan struct{}),
	}
	k.slots.New = func() any { return &slot{Context: context.Background(), sink: k} }
	k.idle.Add(1)
	go k.settleIdle()
	return k, nil
}

// Send implements Sink. It blocks while too much is in flight.
func (k *Kafka) Send(ctx context.Context, r *Record) error {
	if k.flying.Load() > int64(k.cfg.MaxBuffered) {
		if err := k.makeRoom(ctx); err != nil {
			return err
		}
	}
	s := k.slots.Get().(*slot) //nolint:forcetypeassert // the pool holds nothing else
	s.fill(r)
	k.flying.Add(int64(len(s.buf)))
	// A record that was sent is followed to its end, so it does not share the
	// sender's fate.
	k.client.Produce(s, &s.rec, answered)
	return nil
}

// makeRoom waits until a quarter of the bound is free.
func (k *Kafka) makeRoom(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for k.flying.Load() > int64(k.cfg.MaxBuffered)*3/4 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// fill copies a record into the slot.
func (s *slot) fill(r *Record) {
	b := append(append(s.buf[:0], r.Key...), r.Value...)
	stream := len(b)
	b = strconv.AppendUint(b, uint64(r.Stream), 10)
	seq := len(b)
	b = strconv.AppendUint(b, r.Seq, 10)
	intended := len(b)
	b = strconv.AppendInt(b, r.Intended.UnixMicro(), 10)
	crc := len(b)
	b = appendHex32(b, crc32.Checksum(r.Value, crc32.MakeTable(crc32.Castagnoli)))
	end := len(b)
	b = append(b, r.TraceParent...)
	s.buf = b
	s.stream, s.seq, s.intended, s.sent = r.Stream, r.Seq, r.Intended, time.Now()
	s.headers = [6]kgo.RecordHeader{
		{Key: HeaderRun, Value: s.sink.run},
		{Key: HeaderStream, Value: b[stream:seq:seq]},
		{Key: HeaderSeq, Value: b[seq:intended:intended]},
		{Key: HeaderIntended, Value: b[intended:crc:crc]},
		{Key: HeaderCRC, Value: b[crc:end:end]},
		{Key: HeaderTraceParent, Value: b[end:]},
	}
	n := len(s.headers)
	if r.TraceParent == "" {
		n--
	}
	key := len(r.Key)
	s.rec = kgo.Record{
		Key: b[:key:key], Value: b[key:stream:stream], Headers: s.headers[:n:n],
		Topic: s.sink.cfg.Topics[r.Stream], Partition: r.Partition, Timestamp: r.Intended, Context: s,
	}
	if r.Value == nil { // Kafka's null, which is not the empty value
		s.rec.Value = nil
	}
}

func appendHex32(b []byte, v uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[v>>shift&15])
	}
	return b
}

// answered is the promise of every record. The client calls promises one at a
// time, and in the order of offsets within a partition.
func answered(rec *kgo.Record, err error) {
	s, ok := rec.Context.(*slot)
	if !ok {
		return // not a record of ours
	}
	s.sink.flying.Add(-int64(len(s.buf)))
	s.sink.settle(s, rec, err)
	s.sink.slots.Put(s)
}

func (k *Kafka) settle(s *slot, rec *kgo.Record, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.books.Lost(s.stream, s.seq, certain(err), err)
		return
	}
	now := time.Now()
	k.books.Acked(s.stream, s.seq, Times{s.intended, s.sent, now})
	at := place{s.stream, rec.Partition}
	b := k.open[at]
	if b != nil && b.Count > 0 {
		if rec.Offset == b.FirstOffset+int64(b.Count) && now.Sub(b.Acked) < mergeWithin && b.Count < maxBatch {
			b.Count++
			b.LastSeq = s.seq
			return
		}
		k.books.Batch(*b)
	}
	if b == nil {
		b = &Batch{}
		k.open[at] = b
	}
	*b = Batch{
		Stream: s.stream, Partition: rec.Partition, FirstOffset: rec.Offset, Count: 1,
		FirstSeq: s.seq, LastSeq: s.seq, Sent: s.sent, Acked: now,
	}
}

// certain reports whether an error says that the broker did not write the
// record: it refused the batch as such. After time-outs and lost connections
// nobody knows, and a right that was taken away says nothing of the attempt
// before.
func certain(err error) bool {
	for _, refusal := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.CorruptMessage,
		kerr.InvalidTopicException, kerr.UnsupportedForMessageFormat, kerr.PolicyViolation,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// settleIdle closes batches that no further record joins.
func (k *Kafka) settleIdle() {
	defer k.idle.Done()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-k.quit:
			return
		case <-tick.C:
			k.closeBatches(50 * time.Millisecond)
		}
	}
}

func (k *Kafka) closeBatches(idle time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, b := range k.open {
		if b.Count > 0 && time.Since(b.Acked) >= idle {
			k.books.Batch(*b)
			b.Count = 0
		}
	}
}

// Flush implements Sink.
func (k *Kafka) Flush(ctx context.Context) error {
	err := k.client.Flush(ctx)
	k.closeBatches(0)
	return err
}

// Close implements Sink. Records without an answer stay without an outcome.
func (k *Kafka) Close(context.Context) error {
	k.once.Do(func() {
		k.client.Close()
		close(k.quit)
		k.idle.Wait()
		k.closeBatches(0)
	})
	return nil
}
