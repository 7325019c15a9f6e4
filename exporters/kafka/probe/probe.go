// Package probe measures a Kafka cluster as its users feel it: it produces
// records to every broker, reads them back, and commits offsets through every
// coordinator.
//
// A value flows like this: [Collector] makes a collector whose first collection
// starts a loop; each second the loop sends a record to a few partitions of the
// probe's topic on every broker, reads them back without a group, and a track by
// partition says what became of each: acknowledged, read back, lost, twice, out
// of order. Beside that it looks every ten seconds who leads what and who
// coordinates whom. Collections only write down what is counted; closing ends
// the loop and deletes the probe's groups.
//
// A broker that stalls costs its own series only. It needs Write and Read on its
// topic, Create where it is to make that, Read on its groups and Delete on them
// to clean up; what is missing costs its own series only, and is used as soon as
// it is given. It never needs Alter: it moves no partition to another broker,
// but says which brokers it does not go through.
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

	// OneAttempt sends each record once, without idempotence. By default a record
	// is tried again until Patience is over, as producers do; where idempotence is
	// refused, it is as if this was set.
	OneAttempt  bool
	DeleteTopic bool // at the end, where the probe made it; default false

	lookEvery time.Duration // between two looks at who leads what; default 10 s
	answer    time.Duration // within which a broker answers; default 5 s
}

// Defaults of [Options].
const (
	DefaultTopic    = "lakeproof-probe"
	DefaultEvery    = time.Second
	DefaultPatience = 10 * time.Second

	compatKminion = "kminion"
)

// maxUnderWay is how many records of a partition can be sent within the
// patience, so that all of them can be remembered.
const maxUnderWay = 500

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
	if o.lookEvery <= 0 {
		o.lookEvery = 10 * time.Second
	}
	if o.answer <= 0 {
		o.answer = 5 * time.Second
	}
	return o
}

// soon is when a broker that says nothing is taken to stall, where another one
// can be asked.
func (o Options) soon() time.Duration { return o.answer * 2 / 5 }

func (o Options) check() error {
	switch {
	case o.Every < 10*time.Millisecond:
		return fail.New(fail.Usage, "give 1s, or more",
			"setting up the probe: a record every %v is too often", o.Every)
	case o.Patience < o.Every || o.Patience > maxUnderWay*o.Every:
		return fail.New(fail.Usage, "give 10s, with a record every second",
			"setting up the probe: it cannot wait %v for each of the records that it sends every %v", o.Patience, o.Every)
	}
	return nil
}

// The APIs whose rights are reported.
const (
	apiMetadata = "Metadata"
	apiCreate   = "CreateTopics"
	apiProduce  = "Produce"
	apiFetch    = "Fetch"
	apiCommit   = "OffsetCommit"
)

// prober is the probe of one cluster at work. What is below mu outlives the
// sessions, so that a lost connection costs no count.
type prober struct {
	Options
	logger *slog.Logger
	run    uint64 // tells our records from those of others

	ctx   context.Context //nolint:containedctx // of the loop, which outlives a collection
	end   context.CancelFunc
	start sync.Once
	stop  sync.Once
	done  sync.WaitGroup

	mu         sync.Mutex
	err        error                // why it cannot probe now
	rights     map[string]bool      // by API
	refused    map[string]time.Time // when a missing right was last tried, by API
	brokers    board
	partitions board
	tracks     map[int32]*track
	position   map[int32]int64 // after what was read, by partition
	topic      [16]byte        // the topic that the positions are of
	made       bool            // the topic, by us
	plain      bool            // idempotence is refused
	used       map[string]bool // groups to delete at the end
}

// Collector returns the collector of the probe. It connects at the first
// collection; an error is about the options.
func Collector(opts Options, logger *slog.Logger) (exporters.Collector, error) {
	p := newProber(opts, logger)
	if err := p.check(); err != nil {
		return exporters.Collector{}, err
	}
	if _, err := kafka.Options(p.Kafka, logger); err != nil {
		return exporters.Collector{}, err
	}
	return exporters.Collector{
		Name: "kafka_probe", Target: p.Cluster, Labels: p.Labels, Interval: p.Interval,
		Cost:    "a record of 16 bytes a second to at most 3 partitions by broker, an offset a second to each coordinator",
		Collect: p.collect, Close: p.close,
	}, nil
}

func newProber(opts Options, logger *slog.Logger) *prober {
	p := &prober{
		Options: opts.withDefaults(), logger: logger, run: rand.Uint64(), //nolint:gosec // no secret
		rights: map[string]bool{}, refused: map[string]time.Time{}, brokers: board{}, partitions: board{},
		tracks: map[int32]*track{}, position: map[int32]int64{}, used: map[string]bool{},
	}
	p.ctx, p.end = context.WithCancel(context.Background())
	return p
}

// collect writes down what is counted.
func (p *prober) collect(_ context.Context, out *exporters.Batch) error {
	p.start.Do(func() { p.done.Go(p.loop) })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire(time.Now())
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
	p.stop.Do(func() {
		p.end()
		p.done.Wait()
		p.clean()
	})
}

// expire gives up what did not come in time, also where nothing is sent now. It
// is called under the lock.
func (p *prober) expire(now time.Time) {
	for _, t := range p.tracks {
		t.expire(now, p.Patience)
	}
}

// allow notes whether the probe has a right. It is called under the lock.
func (p *prober) allow(api string, yes bool) {
	was, known := p.rights[api]
	p.rights[api] = yes
	if yes {
		return
	}
	p.refused[api] = time.Now()
	if was || !known {
		p.logger.Warn("the probe lacks a right", "api", api, "topic", p.Topic)
	}
}

// barred reports whether a right is missing that was tried a moment ago. It is
// called under the lock.
func (p *prober) barred(api string, now time.Time) bool {
	yes, known := p.rights[api]
	return known && !yes && now.Sub(p.refused[api]) < p.lookEvery
}

// fault notes why it cannot probe now; nil when it can.
func (p *prober) fault(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.err
	p.err = err
	if err != nil && (was == nil || was.Error() != err.Error()) {
		p.logger.Warn("the probe cannot go on", "err", err)
	}
}
