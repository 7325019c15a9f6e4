package exporters

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

// TestSoak runs 1,000 cycles in which the subjects come and go: what the
// exporter holds does not grow with them.
func TestSoak(t *testing.T) {
	cycle := 0
	c := Collector{Name: "churn", Collect: func(_ context.Context, out *Batch) error {
		cycle++
		for part := range 5 {
			p := out.Part(fmt.Sprintf("part-%d-%d", part, cycle))
			for i := range 200 {
				p.Add(count(), 1, fmt.Sprintf("topic-%d-%d", cycle, i), fmt.Sprint(part))
			}
		}
		out.Coarsened("consumergroup", cycle)
		return nil
	}}
	e, h := newExporter(t, Options{}, c)
	turn := func() {
		e.all()[0].collect(t.Context())
		e.pages.build()
		scrape(t, h, "/metrics", map[string]string{"Accept-Encoding": "gzip"})
	}
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for range 50 {
		turn()
	}
	before, goroutines := held(), runtime.NumGoroutine()
	for range 1000 {
		turn()
	}
	after := held()
	t.Logf("heap %d KiB after 50 cycles, %d KiB after 1,050", before>>10, after>>10)
	if after > before+before/4+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if got := len(page(t, h)); got != 1000 {
		t.Errorf("%d series on the page, those of the last cycle are 1,000", got)
	}
}

// TestBuildAllocates holds what a page costs: allocations do not grow with the
// series.
func TestBuildAllocates(t *testing.T) {
	builds := func(n int) float64 {
		e := New(Options{Budget: 200_000}, series(n))
		defer e.Close()
		e.Collect(t.Context())
		e.pages.build()
		return testing.AllocsPerRun(3, e.pages.build)
	}
	small, large := builds(1_000), builds(50_000)
	t.Logf("allocations: %.0f for 1,000 series, %.0f for 50,000", small, large)
	if large > small+1000 {
		t.Errorf("%.0f allocations for 50,000 series, %.0f for 1,000", large, small)
	}
}
