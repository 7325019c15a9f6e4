package loadtest

import (
	"context"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// discarding is a sink that forgets records but keeps the books, as if the
// broker answered at once.
type discarding struct {
	r    *run
	next [16]int64
}

func (d *discarding) Send(_ context.Context, rec *sink.Record) error {
	now := time.Now()
	(*bookkeeper)(d.r).Acked(rec.Stream, rec.Seq, sink.Times{Intended: rec.Intended, Sent: now, Acked: now})
	if p := rec.Partition; rec.Seq%200 == 0 {
		d.next[p] += 200
		(*bookkeeper)(d.r).Batch(sink.Batch{
			Stream: rec.Stream, Partition: p, FirstOffset: d.next[p], Count: 200,
			FirstSeq: rec.Seq, LastSeq: rec.Seq + 600, Sent: now, Acked: now,
		})
	}
	return nil
}

func (d *discarding) Flush(context.Context) error { return nil }
func (d *discarding) Close(context.Context) error { return nil }

// BenchmarkRecord is the whole path of a record in our own process: intended
// time, generation, JSON, identity, partition, ledger and histograms, into a
// sink that discards.
func BenchmarkRecord(b *testing.B) {
	benchRecords(b, benchRun(b, "1000000/s"))
}

// BenchmarkRecordOfCurve is the same where the rate follows a curve.
func BenchmarkRecordOfCurve(b *testing.B) {
	benchRecords(b, benchRun(b, "{mean: 1000000/s, curve: retail, payday: 1.4}\nworld: {start: 2026-03-23T12:00:00Z, speed: x60}"))
}

func benchRecords(b *testing.B, r *run) {
	b.Helper()
	d := &discarding{r: r}
	s := r.streams[0]
	traces := &tracer{}
	b.ReportAllocs()
	cpu, from := env.ReadUsage().CPU, uint64(0)
	b.ResetTimer()
	if err := s.sendRange(context.Background(), d, traces, from, uint64(b.N)); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	used := (env.ReadUsage().CPU - cpu).Seconds()
	b.ReportMetric(float64(b.N)/used, "records/cpu-s")
}

func benchRun(tb testing.TB, rate string) *run {
	tb.Helper()
	s, err := Parse("bench.yaml", []byte(`
scenario: bench
duration: 1000s
rate: `+rate+`
streams: {payments: {key: account_id}}
`))
	if err != nil {
		tb.Fatal(err)
	}
	p, err := NewPlan(s, config.Lab{Kafka: config.Kafka{Brokers: []string{"nowhere"}}}, Overrides{RunID: "bench"})
	if err != nil {
		tb.Fatal(err)
	}
	j, err := ledger.CreateJournal(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	start := time.Now().Add(-1000 * time.Second)
	r := &run{plan: p, start: start, journal: j}
	sr, err := newStreamRun(&p.Streams[0], p, start)
	if err != nil {
		tb.Fatal(err)
	}
	r.streams = []*streamRun{sr}
	return r
}

// TestRecordAllocatesNothing gates what the benchmark measures.
func TestRecordAllocatesNothing(t *testing.T) {
	r := benchRun(t, "{mean: 1000000/s, curve: retail}\nworld: {start: 2026-03-23T12:00:00Z, speed: x60}")
	d := &discarding{r: r}
	traces := &tracer{}
	next := uint64(0)
	send := func() {
		if err := r.streams[0].sendRange(context.Background(), d, traces, next, next+1000); err != nil {
			t.Fatal(err)
		}
		next += 1000
	}
	for range 100 { // fills the set's first chunk and every buffer
		send()
	}
	if n := testing.AllocsPerRun(50, send); n > 2 { // a new chunk of the set now and then
		t.Errorf("%v allocations for 1,000 records", n)
	}
}
