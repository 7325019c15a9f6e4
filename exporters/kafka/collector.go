package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/fail"
	lakekafka "github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

// cluster is one cluster that is looked at. Its collectors share a client and
// what they remember.
type cluster struct {
	settings
	memory      *memory
	witness     *witness
	lag         *lagTracker
	logdirs     *logDirs
	txns        *transactions
	configs     *configCache
	checkpoints []*checkpointReader // of the main collector alone

	mu   sync.Mutex
	wire *wire // nil until it is needed
	open int   // collectors that are not closed yet
}

// Collectors returns the collectors of one cluster. A cluster that cannot be
// reached is no error here; only options that cannot be right are.
func Collectors(opts Options, logger *slog.Logger) ([]exporters.Collector, error) {
	s, err := check(opts, logger)
	if err != nil {
		return nil, err
	}
	if _, err := lakekafka.Options(s.Kafka, logger); err != nil {
		return nil, err
	}
	configs := &configCache{}
	c := &cluster{
		settings: s, memory: &memory{}, witness: &witness{dirsToo: s.compat(CompatKminion)}, open: 2,
		lag:     newLagTracker(lagSettings{retention: configs.retention, compacted: configs.compacted, now: s.now}),
		logdirs: &logDirs{}, txns: &transactions{}, configs: configs,
		checkpoints: newCheckpointReaders(opts),
	}
	out := []exporters.Collector{{
		Name: "kafka", Target: s.Cluster, Labels: s.Labels, Interval: s.Interval, Timeout: s.Timeout,
		Cost:    "up to 27 requests to 3 brokers, whatever the number of topics and groups",
		Collect: c.collect, Close: c.close,
	}, {
		Name: "kafka_config", Target: s.Cluster, Labels: s.Labels, Interval: s.ConfigInterval, Timeout: configTimeout,
		Cost:    "one request for each kind of setting, and two to each broker",
		Collect: c.collectConfig, Close: c.close,
	}}
	return out, nil
}

// dial returns the client, which is made when it is first needed. Making it
// connects to nothing.
func (c *cluster) dial() (*wire, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wire != nil {
		return c.wire, nil
	}
	opts, err := lakekafka.Options(c.Kafka, c.logger)
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.MetadataMaxAge(time.Hour), kgo.ConnIdleTimeout(2*c.longest()+time.Minute))
	if c.compat(CompatKminion) {
		opts = append(opts, kgo.WithHooks(c.witness))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("making the Kafka client: %w", err), fail.Usage, "write kafka.brokers as host:port")
	}
	c.wire = newWire(cl, c.Kafka.Brokers)
	// A collection that may take longer may wait longer for a broker.
	c.wire.limit = max(askTimeout, c.Timeout*3/5)
	if c.witness != nil {
		c.wire.watch = c.witness.see
	}
	return c.wire, nil
}

// longest is the time between two collections of the collector that is asked
// the least often but one: connections stay open for it.
func (c *cluster) longest() time.Duration { return max(c.Interval, exporters.DefaultInterval) }

// drop gives a client up, so that the next collection makes one from what the
// files of certificates hold then.
func (c *cluster) drop(w *wire) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wire == w {
		c.wire = nil
		w.cl.Close()
	}
}

// close is called once by each collector.
func (c *cluster) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if c.open == 0 && c.wire != nil {
		c.wire.cl.Close()
		c.wire = nil
	}
}

// look asks for the cluster's metadata. When nobody answers, the error says
// which step of the first contact goes wrong.
func (c *cluster) look(ctx context.Context) (*wire, *snapshot, error) {
	w, err := c.dial()
	if err != nil {
		return nil, nil, err
	}
	meta, err := w.metadata(ctx)
	if err != nil {
		c.drop(w)
		return nil, nil, c.explain(ctx, err)
	}
	s := newSnapshot(meta, c.memory, c.topics.keeps)
	s.at, s.detailAll = c.now(), c.Details == DetailsAll
	if err := w.know(s.brokers); err != nil {
		return nil, nil, err
	}
	return w, s, nil
}

// explain makes the first contact once more, step by step, for its better
// errors.
func (c *cluster) explain(ctx context.Context, err error) error {
	cl, better := lakekafka.Dial(ctx, c.Kafka, slog.New(slog.DiscardHandler))
	if better != nil {
		return better
	}
	cl.Close()
	return err
}
