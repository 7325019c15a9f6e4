//go:build !nolab

package lab

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go/table"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
)

const (
	testWait  = 60 * time.Second // far above what anything takes
	testRun   = 4711
	testTopic = "payments"
	testTable = "bronze.payments"
)

// testOptions are a lab with one stream and a short trigger.
func testOptions(t testing.TB) Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Dir:       t.TempDir(),
		Self:      self,
		ChildArgs: []string{storeArg},
		Trigger:   100 * time.Millisecond,
		Streams: []Stream{{
			Topic: testTopic, Partitions: 3, Table: testTable,
			Schema: fintech.NewPayments(1).Schema(), Format: encode.JSON,
		}},
	}
}

func startTestLab(t testing.TB, opts Options) *Lab {
	t.Helper()
	l, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// producer sends payments of one run to a lab's topic.
type producer struct {
	t      testing.TB
	client *kgo.Client
	stream generators.Stream
	key    generators.Key
	next   uint64
}

func newProducer(t testing.TB, l *Lab, partitions int32) *producer {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.Config().Kafka.Brokers...), kgo.DefaultProduceTopic(testTopic),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	_, err = kadm.NewClient(client).CreateTopic(t.Context(), partitions, 1, nil, testTopic)
	if err != nil {
		t.Fatal(err)
	}
	return &producer{t: t, client: client, stream: fintech.NewPayments(1), key: generators.NewKey(testRun)}
}

// payments sends n payments.
func (p *producer) payments(n int) {
	p.t.Helper()
	enc, err := encode.New(encode.JSON, p.stream.Schema(), encode.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	ev := generators.NewEvent(p.stream.Schema())
	for range n {
		p.stream.Fill(ev, p.next, 1_700_000_000_000_000+int64(p.next)*1000)
		ev.ID = p.key.Seal(1, p.next)
		p.next++
		p.raw(enc.Append(nil, ev))
	}
	p.flush()
}

func (p *producer) raw(value []byte) {
	p.client.Produce(p.t.Context(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
		if err != nil {
			p.t.Errorf("producing: %v", err)
		}
	})
}

func (p *producer) flush() {
	p.t.Helper()
	if err := p.client.Flush(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func flush(t testing.TB, l *Lab) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testWait)
	defer cancel()
	if err := l.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// loadThroughREST opens a table by what the REST endpoint says of it.
func loadThroughREST(t testing.TB, l *Lab, name string) *table.Table {
	t.Helper()
	answer := getTable(t, l, name, "all")
	meta, err := table.ParseMetadataBytes(answer.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	tbl := table.New(identifier(name), meta, answer.Location, l.catalogFS(), nil)
	return tbl
}

// row is what the tests look at of a landed row.
type row struct {
	id        string
	amount    int64
	partition int32
	offset    int64
}

// scan reads a table's rows, the columns of row only.
func scan(t testing.TB, tbl *table.Table) []row {
	t.Helper()
	_, records, err := tbl.Scan(table.WithSelectedFields("event_id", "amount_minor", colPartition, colOffset)).ToArrowRecords(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for rec, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			rows = append(rows, row{
				rec.Column(0).(*array.String).Value(i),
				rec.Column(1).(*array.Int64).Value(i),
				rec.Column(2).(*array.Int32).Value(i),
				rec.Column(3).(*array.Int64).Value(i),
			})
		}
		rec.Release()
	}
	return rows
}

// wanted are the rows that the first n payments should have led to, without
// their places.
func (p *producer) wanted(n int) map[string]int64 {
	rows := make(map[string]int64, n)
	ev := generators.NewEvent(p.stream.Schema())
	amount := p.stream.Schema().Index("amount_minor")
	for seq := range uint64(n) {
		p.stream.Fill(ev, seq, 1_700_000_000_000_000+int64(seq)*1000)
		id := p.key.Seal(1, seq)
		rows[id.String()] = ev.Values[amount].Int
	}
	return rows
}

// checkExact compares rows with what was sent: each once, with its amount and
// a place of its own.
func checkExact(t testing.TB, rows []row, want map[string]int64) {
	t.Helper()
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	places := make(map[[2]int64]bool)
	for _, r := range rows {
		amount, ok := want[r.id]
		if !ok {
			t.Fatalf("row %s is there twice or was never sent", r.id)
		}
		if amount != r.amount {
			t.Fatalf("row %s has amount %d, want %d", r.id, r.amount, amount)
		}
		delete(want, r.id)
		at := [2]int64{int64(r.partition), r.offset}
		if places[at] {
			t.Fatalf("two rows claim partition %d offset %d", r.partition, r.offset)
		}
		places[at] = true
	}
	if len(want) > 0 {
		t.Errorf("%d rows are missing", len(want))
	}
}

func TestRecordsReachTheTable(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	p := newProducer(t, l, 3) // after the engine: it must cope with a topic that appears later
	const n = 20_000
	p.payments(n / 2)
	flush(t, l)
	p.payments(n / 2)
	flush(t, l)
	tbl := loadThroughREST(t, l, testTable)
	checkExact(t, scan(t, tbl), p.wanted(n))

	var epochs []int
	for _, snap := range tbl.Metadata().Snapshots() {
		if snap.Summary.Properties[summaryEngine] != engineName {
			t.Errorf("snapshot %d was made by %q", snap.SnapshotID, snap.Summary.Properties[summaryEngine])
		}
		epoch, err := strconv.Atoi(snap.Summary.Properties[summaryEpoch])
		if err != nil {
			t.Error(err)
		}
		epochs = append(epochs, epoch)
	}
	for i, epoch := range epochs {
		if epoch != i {
			t.Fatalf("epochs of the snapshots are %v, want 0, 1, 2 ...", slices.Clone(epochs))
		}
	}
}
