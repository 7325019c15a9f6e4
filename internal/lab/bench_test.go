//go:build !nolab

package lab

import (
	"testing"
	"time"
)

// BenchmarkEngine measures how fast a backlog of payments reaches the table,
// all systems in and beside this process.
func BenchmarkEngine(b *testing.B) {
	const n = 600_000
	for b.Loop() {
		b.StopTimer()
		began := time.Now()
		opts := testOptions(b)
		opts.Trigger = time.Hour // one batch, then wait
		l := startTestLab(b, opts)
		b.ReportMetric(time.Since(began).Seconds(), "start-s")
		p := newProducer(b, l, 3)
		p.payments(n)
		s := l.streams[0]
		l.stop()
		l.parts.Wait()
		b.StartTimer()
		began = time.Now()
		for range n / maxRowsPerBatch {
			if err := s.step(b.Context(), time.Now()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "rows/s")
	}
}
