package encode_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
)

const start = 1_767_225_600_000_000 // 2026-01-01T00:00:00Z, microseconds

// record makes the bytes of one event, as a load test does it.
type record struct {
	stream  generators.Stream
	encoder encode.Encoder
	key     generators.Key
	event   *generators.Event
	bytes   []byte
}

func newRecord(tb testing.TB, stream, format string, seed generators.Seed) *record {
	tb.Helper()
	s, err := fintech.ByName(stream, seed)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := encode.New(format, s.Schema(), encode.Options{SchemaID: 7})
	if err != nil {
		tb.Fatal(err)
	}
	return &record{s, e, generators.NewKey(1), generators.NewEvent(s.Schema()), nil}
}

func (r *record) make(seq uint64) {
	r.stream.Fill(r.event, seq, start+int64(seq)*200)
	r.event.ID = r.key.Seal(0, seq)
	r.bytes = r.encoder.Append(r.bytes[:0], r.event)
}

func BenchmarkRecord(b *testing.B) {
	for _, kind := range fintech.All() {
		for _, format := range encode.Formats() {
			b.Run(kind.Name+"/"+format, func(b *testing.B) {
				r := newRecord(b, kind.Name, format, 42)
				seq, size := uint64(0), 0
				b.ReportAllocs()
				before := cpuTime(b)
				for b.Loop() {
					r.make(seq)
					size += len(r.bytes)
					seq++
				}
				b.ReportMetric(float64(seq)/(cpuTime(b)-before).Seconds(), "records/cpu-s")
				b.ReportMetric(float64(size)/float64(seq), "bytes/record")
			})
		}
	}
}

// cpuTime is what the process has used of all processors: on a machine that
// others use too it says more than the clock.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkFill(b *testing.B) {
	r, seq := newRecord(b, "payments", encode.JSON, 42), uint64(0)
	for b.Loop() {
		r.stream.Fill(r.event, seq, start)
		seq++
	}
}

func BenchmarkNewPayments(b *testing.B) {
	for b.Loop() {
		fintech.NewPayments(42)
	}
}

// twenty is a payment of 20 fields: what published measurements of encoders are
// made with.
func twenty(tb testing.TB) (*generators.Schema, []*generators.Event) {
	tb.Helper()
	stream, err := fintech.ByName("payments", 42)
	if err != nil {
		tb.Fatal(err)
	}
	keep := []string{
		"event_id", "event_time", "event_type", "status", "account_id", "customer_id", "card_token", "amount_minor",
		"currency", "currency_exponent", "merchant_id", "merchant_name", "mcc", "merchant_city", "merchant_country",
		"channel", "entry_mode", "risk_score", "is_recurring", "checksum",
	}
	all := stream.Schema()
	s := &generators.Schema{Name: "Twenty"}
	for _, name := range keep {
		s.Fields = append(s.Fields, all.Fields[all.Index(name)])
	}
	key, full := generators.NewKey(1), generators.NewEvent(all)
	events := make([]*generators.Event, 512)
	for i := range events {
		stream.Fill(full, uint64(i), start+int64(i)*200)
		events[i] = generators.NewEvent(s)
		events[i].ID = key.Seal(0, uint64(i))
		for j, name := range keep {
			events[i].Values[j] = full.Values[all.Index(name)]
		}
	}
	return s, events
}

// BenchmarkAppend encodes events that are there already.
func BenchmarkAppend(b *testing.B) {
	s, events := twenty(b)
	for _, format := range encode.Formats() {
		b.Run(format, func(b *testing.B) {
			e, err := encode.New(format, s, encode.Options{SchemaID: 7})
			if err != nil {
				b.Fatal(err)
			}
			out, n, size := make([]byte, 0, 4096), 0, 0
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				out = e.Append(out[:0], events[n%len(events)])
				size += len(out)
				n++
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(n), "cpu-ns/op")
			b.ReportMetric(float64(size)/float64(n), "bytes/record")
		})
	}
}
