// Package probe measures a Kafka cluster as its users feel it: it produces
// records to every broker, reads them back, and commits offsets through every
// coordinator.
//
// A value flows like this: [Collector] makes a collector whose first collection
// starts a loop; each second the loop sends one record to every partition of the
// probe's topic, a consumer of its own reads them back, and a track by partition
// says what became of each: acknowledged, read back, lost, twice, out of order.
// Collections only write down what is counted; closing ends the loop and deletes
// the probe's groups.
//
// It needs Write and Read on its topic, Create where it is to make that, and
// Read on its groups; what is missing costs its own series only. It never needs
// Alter: it moves no partition to another broker, but says which brokers it does
// not go through.
package probe

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

// Options of the probe of one cluster.
type Options struct {
	Cluster string // what the cluster is called; target of the collector
	Kafka   config.Kafka
	Labels  []exporters.Label // that every series carries; default none
	Compat  []string          // "kminion" adds its names
	Topic   string            // default lakeproof-probe
	Group   string            // beginning of its groups' names; default lakeproof-probe

	Every    time.Duration // between two records to a partition; default 1 s
	Patience time.Duration // after which an acknowledged record is lost; default 10 s
	Interval time.Duration // between two collections; default 15 s

	DeleteTopic bool // at the end, where the probe made it; default false
}

// Defaults of [Options].
const (
	DefaultTopic    = "lakeproof-probe"
	DefaultEvery    = time.Second
	DefaultPatience = 10 * time.Second

	compatKminion = "kminion"
)

func (o Options) withDefaults() Options {
	if o.Topic == "" {
		o.Topic = DefaultTopic
	}
	if o.Group == "" {
		o.Group = DefaultTopic
	}
	if o.Every <= 0 {
		o.Every = DefaultEvery
	}
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	return o
}

// prober is the probe of one cluster at work.
type prober struct {
	Options
	logger *slog.Logger
	run    uint64 // tells our records from those of others

	ctx   context.Context //nolint:containedctx // of the loop, which outlives a collection
	end   context.CancelFunc
	start sync.Once
	done  sync.WaitGroup

	mu         sync.Mutex
	err        error           // why it cannot probe now
	rights     map[string]bool // by API
	brokers    board
	partitions board
	tracks     map[int32]*track
	position   map[int32]int64 // after what was read, by partition
}

// Collector returns the collector of the probe. It connects at the first
// collection; an error is about the options.
func Collector(opts Options, logger *slog.Logger) (exporters.Collector, error) {
	p := newProber(opts, logger)
	if p.Every < 10*time.Millisecond {
		return exporters.Collector{}, fail.New(fail.Usage, "give 1s, or more",
			"setting up the probe: a record every %v is too often", p.Every)
	}
	if _, err := kafka.Options(p.Kafka, logger); err != nil {
		return exporters.Collector{}, err
	}
	return exporters.Collector{
		Name: "kafka_probe", Target: p.Cluster, Labels: p.Labels, Interval: p.Interval,
		Cost:    "a record of 16 bytes a second to each partition of its topic, and an offset a second to each coordinator",
		Collect: p.collect, Close: p.close,
	}, nil
}

func newProber(opts Options, logger *slog.Logger) *prober {
	p := &prober{
		Options: opts.withDefaults(), logger: logger, run: rand.Uint64(), //nolint:gosec // no secret
		rights: map[string]bool{}, brokers: board{}, partitions: board{},
		tracks: map[int32]*track{}, position: map[int32]int64{},
	}
	p.ctx, p.end = context.WithCancel(context.Background())
	return p
}

// collect writes down what is counted.
func (p *prober) collect(_ context.Context, out *exporters.Batch) error {
	p.start.Do(func() { p.done.Go(p.loop) })
	p.mu.Lock()
	defer p.mu.Unlock()
	for api, yes := range p.rights {
		out.Authorized(api, yes)
	}
	part := out.Part("probe")
	for _, s := range p.brokers.all() {
		s.emit(part)
	}
	if slices.Contains(p.Compat, compatKminion) {
		for _, s := range p.partitions.all() {
			s.emitPartition(part)
		}
		for _, s := range p.brokers.all() {
			s.emitCoordinator(part)
		}
	}
	if p.err != nil {
		out.Part("cluster").Fail(p.err)
	}
	return nil
}

func (p *prober) close() {
	p.end()
	p.done.Wait()
}

// allowed notes whether the probe has a right.
func (p *prober) allowed(api string, yes bool) {
	p.mu.Lock()
	was, known := p.rights[api]
	p.rights[api] = yes
	p.mu.Unlock()
	if !yes && (was || !known) {
		p.logger.Warn("the probe lacks a right", "api", api, "topic", p.Topic)
	}
}

// fault notes why it cannot probe now; nil when it can.
func (p *prober) fault(err error) {
	p.mu.Lock()
	was := p.err
	p.err = err
	p.mu.Unlock()
	if err != nil && (was == nil || was.Error() != err.Error()) {
		p.logger.Warn("the probe cannot go on", "err", err)
	}
}
