package loadtest

import (
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

// maxLatency is the highest latency that is told apart; longer ones count as
// this long.
const maxLatency = 24 * time.Hour

// latency is the distribution of one kind of latency, in microseconds: over
// everything after the warm-up, and in each phase. Its size is fixed, whatever
// the number of records.
type latency struct {
	warmup time.Duration
	phases []pacer.Phase

	mu      sync.Mutex
	all     *hdrhistogram.Histogram
	byPhase []*hdrhistogram.Histogram // empty when there is one phase only
	recent  *hdrhistogram.Histogram   // since the last call of lately
}

func newLatency(phases []pacer.Phase, warmup time.Duration) *latency {
	l := &latency{warmup: warmup, phases: phases, all: histogram(3), recent: histogram(2)}
	if len(phases) > 1 {
		for range phases {
			l.byPhase = append(l.byPhase, histogram(3))
		}
	}
	return l
}

func histogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency.Microseconds(), digits)
}

// record notes the latency of a record with the given intended time.
func (l *latency) record(intended, took time.Duration) { l.recordN(intended, took, 1) }

// recordN notes n records at once.
func (l *latency) recordN(intended, took time.Duration, n int64) {
	us := min(max(took.Microseconds(), 1), maxLatency.Microseconds())
	l.mu.Lock()
	defer l.mu.Unlock()
	must(l.recent.RecordValues(us, n))
	if intended < l.warmup {
		return
	}
	must(l.all.RecordValues(us, n))
	for i := range l.byPhase {
		if p := l.phases[i]; intended < p.To || i == len(l.byPhase)-1 {
			must(l.byPhase[i].RecordValues(us, n))
			return
		}
	}
}

// must holds that a value inside a histogram's range is accepted.
func must(err error) {
	if err != nil {
		panic("loadtest: a clamped latency is out of range: " + err.Error())
	}
}

// spread is a distribution in seconds.
type spread struct {
	Count                    int64
	P50, P95, P99, P999, Max float64
	Curve                    [][2]float64 `json:",omitempty"` // percentile (0 to 100), seconds
}

func spreadOf(h *hdrhistogram.Histogram) spread {
	q := func(p float64) float64 { return float64(h.ValueAtQuantile(p)) / 1e6 }
	return spread{Count: h.TotalCount(), P50: q(50), P95: q(95), P99: q(99), P999: q(99.9), Max: float64(h.Max()) / 1e6}
}

// of returns the spread in a phase, or over all phases for "".
func (l *latency) of(phase string) spread {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.phases, func(p pacer.Phase) bool { return p.Name == phase })
	if phase == "" || i < 0 || len(l.byPhase) == 0 {
		return spreadOf(l.all)
	}
	return spreadOf(l.byPhase[i])
}

// lately returns the spread since the last call, warm-up included.
func (l *latency) lately() spread {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spreadOf(l.recent)
	l.recent.Reset()
	return s
}

// curve returns points of the percentile curve: percentile (0 to 100) and seconds.
func (l *latency) curve() [][2]float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all.TotalCount() == 0 {
		return nil
	}
	var out [][2]float64
	for _, p := range []float64{0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999, 100} {
		out = append(out, [2]float64{p, float64(l.all.ValueAtQuantile(p)) / 1e6})
	}
	return out
}

// byName returns the spread of every phase by its name, and of all under "".
func (l *latency) byName() map[string]spread {
	all := l.of("")
	all.Curve = l.curve()
	out := map[string]spread{"": all}
	for _, p := range l.phases {
		out[p.Name] = l.of(p.Name)
	}
	return out
}
