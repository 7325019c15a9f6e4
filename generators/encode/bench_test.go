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
