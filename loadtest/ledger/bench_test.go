package ledger

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"
)

// prepared is a Columns whose values are there already, so that the benchmark
// measures the ledger and not the test.
type prepared struct{ partitions, offsets []int64 }

func (p prepared) Len() int             { return len(p.offsets) }
func (p prepared) Bytes(int) [][]byte   { return nil }
func (p prepared) Null(int, int) bool   { return false }
func (p prepared) Ints(col int) []int64 { return [][]int64{p.partitions, p.offsets}[col] }

type ready []prepared

func (ready) BytesRead() int64 { return 0 }

func (r ready) Scan(_ context.Context, _ File, _ []string, visit func(Columns) error) error {
	for _, p := range r {
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkKeys is T1 without the reading: offsets into sets, records found,
// freshness noted.
func BenchmarkKeys(b *testing.B) {
	const rows = 300_000
	r := newRun(rand.New(rand.NewPCG(1, 2)), rows)
	parts := make([]prepared, 3)
	for _, row := range r.rows {
		p := &parts[row.partition]
		p.partitions, p.offsets = append(p.partitions, row.partition), append(p.offsets, row.offset)
	}
	o := options(true)
	o.Layout.Topic, o.LateAfter = "", 0
	told := int64(0)
	o.Freshness = func(_, _ time.Duration, n int64) { told += n }
	b.ReportAllocs()
	for b.Loop() {
		k := newKeys(r.acc, r.exp, o, &Result{})
		if err := k.scan(b.Context(), ready(parts), []File{{Seen: time.Hour, Timed: true}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	if told != int64(b.N)*rows {
		b.Fatalf("freshness of %d records", told)
	}
}
