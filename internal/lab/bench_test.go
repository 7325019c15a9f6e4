//go:build unix && !nolab

package lab

import (
	"syscall"
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
		cpu := cpuTime(b)
		for range n / maxRowsPerBatch {
			if err := s.step(b.Context(), time.Now()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/n, "cpu-ns/row")
		b.ReportMetric(n/time.Since(began).Seconds(), "rows/s")
	}
}

// cpuTime is what this process, without the store, has used.
func cpuTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
