package exporters

import (
	"log/slog"
	"math"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/lakeproof/lakeproof/metrics"
)

// Batch takes what one collection found. Its methods are safe for concurrent
// use; a [Part] and its families belong to one goroutine at a time.
type Batch struct {
	constant []Label
	room     int
	logger   *slog.Logger

	mu        sync.Mutex
	parts     map[string]*Part
	denied    map[string]bool // by API: the right is missing
	coarsened map[string]int
}

func newBatch(c Collector, room int, logger *slog.Logger) *Batch {
	return &Batch{
		constant: c.Labels, room: room, logger: logger,
		parts: map[string]*Part{}, denied: map[string]bool{}, coarsened: map[string]int{},
	}
}

// Log takes messages about this collection; /debug/collect shows them.
func (b *Batch) Log() *slog.Logger { return b.logger }

// Room is how many series this collector may emit within the budget. One that
// would emit more chooses a coarser form of its largest families and says so
// with [Batch.Coarsened]; what is emitted above it is cut off and counted.
func (b *Batch) Room() int { return b.room }

// Coarsened says that n subjects (groups, topics) are shown in a coarser form
// for want of room.
func (b *Batch) Coarsened(subject string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.coarsened[subject] = n
}

// Authorized says whether the collector has the right to ask an API, by its
// name in the system's documentation, such as DescribeConfigs. A missing right
// costs its own series only and is not a failure.
func (b *Batch) Authorized(api string, yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.denied[api] = b.denied[api] || !yes
}

// Part begins a part, or returns the one already begun under that name. When
// the collection ends, a part that did not fail replaces the one of the same
// name of the last collection; one that failed leaves that in its place until
// it is stale; one that was not begun is gone.
func (b *Batch) Part(name string) *Part {
	name = strings.ToValidUTF8(name, "\uFFFD")
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.parts[name]
	if !ok {
		p = &Part{name: name, constant: b.constant, byName: map[string]*Family{}}
		b.parts[name] = p
	}
	return p
}

// Part is a set of families that succeed or go wrong together, such as all that
// one broker leads, or one application.
type Part struct {
	name     string
	constant []Label
	families []*Family
	byName   map[string]*Family
	err      error
}

// Fail says that the part is not complete. The first error counts.
func (p *Part) Fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// Family begins a family of the catalogue in this part, or returns the one
// already begun.
func (p *Part) Family(m metrics.Metric) *Family {
	f, ok := p.byName[m.Name]
	if !ok {
		f = &Family{metric: m, constant: p.constant}
		p.byName[m.Name] = f
		p.families = append(p.families, f)
	}
	return f
}

// Add emits one series of a counter or gauge; see [Family.Add].
func (p *Part) Add(m metrics.Metric, value float64, labels ...string) {
	p.Family(m).Add(value, labels...)
}

// Family is the series of one metric within a part.
type Family struct {
	metric   metrics.Metric
	constant []Label
	labels   []string // values, len(metric.Labels) for each series
	values   []float64
	hists    []*dto.Histogram // instead of values, for a histogram
	invalid  int              // not finite, or with the wrong number of labels
}

// Add emits one series: the values of the labels are in the order of the
// catalogue. A value that is not finite is left out and counted.
func (f *Family) Add(value float64, labels ...string) {
	if math.IsNaN(value) || math.IsInf(value, 0) || !f.fits(labels) || f.metric.Kind == metrics.Histogram {
		f.invalid++
		return
	}
	f.append(labels)
	f.values = append(f.values, value+0) // -0 is 0
}

// Histogram emits one series of a histogram: any metric of client_golang that
// writes one, classic or native.
func (f *Family) Histogram(h prometheus.Metric, labels ...string) {
	var m dto.Metric
	if f.metric.Kind != metrics.Histogram || !f.fits(labels) || h.Write(&m) != nil || m.Histogram == nil {
		f.invalid++
		return
	}
	f.append(labels)
	f.hists = append(f.hists, m.Histogram)
}

func (f *Family) fits(labels []string) bool { return len(labels) == len(f.metric.Labels) }

// Grow makes room for n more series.
func (f *Family) Grow(n int) {
	f.values = append(make([]float64, 0, len(f.values)+n), f.values...)
	f.labels = append(make([]string, 0, len(f.labels)+n*len(f.metric.Labels)), f.labels...)
}

func (f *Family) append(labels []string) {
	for _, v := range labels {
		f.labels = append(f.labels, strings.ToValidUTF8(v, "\uFFFD"))
	}
}

// len is the number of series.
func (f *Family) len() int { return len(f.values) + len(f.hists) }

// row returns the label values of series i.
func (f *Family) row(i int) []string {
	n := len(f.metric.Labels)
	return f.labels[i*n : (i+1)*n : (i+1)*n]
}
