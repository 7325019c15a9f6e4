package delivery_test

import (
	"testing"
	"time"

	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
)

func benchmarkWalk(b *testing.B, c Config) {
	p := mustPlan(b, 1, Even{PerSecond: 50_000, Slots: 1 << 32}, c)
	w := p.NewWalker()
	for range 3_000_000 { // a minute: the queue is as full as it gets
		w.Next()
	}
	b.ReportAllocs()
	for b.Loop() {
		w.Next()
	}
	b.ReportMetric(float64(w.Held()), "held")
}

func BenchmarkNextNothing(b *testing.B) { benchmarkWalk(b, Config{}) }

// BenchmarkNextUsual is the example of docs/scenarios.
func BenchmarkNextUsual(b *testing.B) {
	benchmarkWalk(b, Config{
		Late:      Delayed{Often{Share: Percent}, Law{Kind: LogNormal, From: 30 * time.Second, Sigma: 2000, Cap: time.Hour}},
		Duplicate: Delayed{Often: Often{Share: Percent / 10}},
		Poison:    Poisoning{Often: Often{Times: 5, Per: time.Hour}, Format: encode.JSON},
	})
}

func BenchmarkNextEverything(b *testing.B) { benchmarkWalk(b, modelConfig()) }

func BenchmarkBooks(b *testing.B) {
	p := mustPlan(b, 1, Even{PerSecond: 50_000, Slots: 1 << 32}, modelConfig())
	w, books := p.NewWalker(), p.NewBooks(BooksOptions{})
	b.ReportAllocs()
	for b.Loop() {
		s, _ := w.Next()
		books.Add(s, w.Faults())
	}
}

func BenchmarkTapeAt(b *testing.B) {
	tape := mustPlan(b, 1, Even{PerSecond: 50_000, Slots: 1 << 20}, modelConfig()).Record(1 << 20)
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n = n*6364136223846793005 + 1442695040888963407
		tape.At(n >> 44)
	}
	b.ReportMetric(float64(tape.Bytes())/(1<<20), "bytes/slot")
}
