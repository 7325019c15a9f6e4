package loadtest

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// maxBins bounds the freshness chart: longer runs get wider bins.
const maxBins = 600

// freshBins is freshness by intended time: p50, p99 and maximum of each bin.
type freshBins struct {
	step time.Duration
	bins []*hdrhistogram.Histogram
}

func newFreshBins(total time.Duration) *freshBins {
	step := max(time.Second, (total+maxBins-1)/maxBins).Truncate(time.Second)
	return &freshBins{step: step, bins: make([]*hdrhistogram.Histogram, total/step+1)}
}

func (f *freshBins) record(intended, took time.Duration, n int64) {
	i := int(intended / f.step)
	if i < 0 || i >= len(f.bins) {
		return
	}
	if f.bins[i] == nil {
		f.bins[i] = hdrhistogram.New(1, maxLatency.Milliseconds(), 2)
	}
	must(f.bins[i].RecordValues(min(max(took.Milliseconds(), 1), maxLatency.Milliseconds()), n))
}

// at returns p50, p99 and the maximum of the bin that holds a moment, in
// seconds; NaN where nothing was intended then.
func (f *freshBins) at(moment time.Duration) (p50, p99, most float64) {
	i := int(moment / f.step)
	if moment < 0 || i >= len(f.bins) || f.bins[i] == nil {
		return math.NaN(), math.NaN(), math.NaN()
	}
	h := f.bins[i]
	return float64(h.ValueAtQuantile(50)) / 1e3, float64(h.ValueAtQuantile(99)) / 1e3, float64(h.Max()) / 1e3
}
