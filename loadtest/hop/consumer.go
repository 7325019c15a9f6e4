package hop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

// ConsumerConfig says what a [Consumer] follows.
type ConsumerConfig struct {
	Run    uint64                   // 48-bit number of the run whose records are expected
	Topics map[string]ConsumerTopic // by name
	// OnRecord is called for every record of the run, from one goroutine; seen is
	// when this process had it. Default: nothing is called.
	OnRecord func(stream uint16, seq uint64, intended, seen time.Time)
}

// ConsumerTopic is one topic.
type ConsumerTopic struct {
	Streams []uint16        // that are sent to it
	Start   map[int32]int64 // first offset to read, by partition: all partitions that are read
}

// Consumer reads topics beside the pipeline, without a consumer group, and
// holds each record against what the producer said of it in the headers. It is
// safe for concurrent use; Run runs once.
type Consumer struct {
	opts    []kgo.Opt
	logger  *slog.Logger
	check   checker
	outages *connections

	mu       sync.Mutex // guards what Run publishes
	position map[string]map[int32]int64
	result   ConsumerResult
}

// NewConsumer makes the hop. It connects in Run; an error is fail.Usage.
func NewConsumer(lab config.Kafka, cfg ConsumerConfig, logger *slog.Logger) (*Consumer, error) {
	opts, err := kafka.Options(lab, logger)
	if err != nil {
		return nil, err
	}
	c := &Consumer{
		logger:   logger.With("hop", "consumer"),
		check:    newChecker(cfg),
		position: map[string]map[int32]int64{},
	}
	c.outages = &connections{logger: c.logger, failing: map[int32]time.Time{}, lost: map[int32]time.Time{}}
	start := map[string]map[int32]kgo.Offset{}
	for topic, t := range cfg.Topics {
		c.position[topic] = maps.Clone(t.Start)
		start[topic] = map[int32]kgo.Offset{}
		for p, at := range t.Start {
			start[topic][p] = kgo.NewOffset().At(at)
		}
	}
	c.opts = append(opts,
		kgo.ConsumePartitions(start),
		kgo.KeepControlRecords(), // so that the position passes them
		kgo.FetchMaxBytes(16<<20),
		kgo.FetchMaxPartitionBytes(4<<20),
		kgo.FetchMaxWait(500*time.Millisecond),
		kgo.WithHooks(c.outages),
	)
	if err := kgo.ValidateOpts(c.opts...); err != nil {
		return nil, fail.Wrap(fmt.Errorf("making a Kafka consumer: %w", err), fail.Usage, "correct kafka in lakeproof.yaml")
	}
	return c, nil
}

// Run reads until ctx ends, which is not an error. Through a restart of the
// broker it goes on by itself. It returns an error only where going on is
// pointless: this user may not read a topic, or a topic is gone.
func (c *Consumer) Run(ctx context.Context) error {
	client, err := kgo.NewClient(c.opts...)
	if err != nil {
		return fmt.Errorf("making a Kafka consumer: %w", err)
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		seen := time.Now()
		if ctx.Err() != nil && fetches.Empty() {
			return nil
		}
		if err := c.troubles(fetches); err != nil {
			return err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) > 0 {
				c.check.partition(p.Topic, p.Partition, p.Records, seen)
			}
		})
		c.publish()
		if fetches.Empty() && !rest(ctx, 50*time.Millisecond) {
			return nil
		}
	}
}

// rest waits, and reports false when ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// troubles returns the first error that no waiting will cure, and logs others:
// what they skip shows as a gap in the offsets.
func (c *Consumer) troubles(fetches kgo.Fetches) error {
	var fatal error
	fetches.EachError(func(topic string, partition int32, err error) {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return
		}
		if errors.Is(err, kerr.TopicAuthorizationFailed) {
			fatal = fail.Wrap(fmt.Errorf("reading topic %s: %w", topic, err), fail.Usage,
				"give this user the rights Describe and Read on the topic")
			return
		}
		c.logger.Warn("reading from the topic", "topic", topic, "partition", partition, "err", err)
	})
	return fatal
}

// publish makes what Run knows visible to others.
func (c *Consumer) publish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at, s := range c.check.state {
		c.position[at.topic][at.partition] = s.next
	}
	c.result = c.check.result
}

// Position returns the offset after the last record that was read, by topic
// and partition.
func (c *Consumer) Position() map[string]map[int32]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]map[int32]int64, len(c.position))
	for topic, p := range c.position {
		out[topic] = maps.Clone(p)
	}
	return out
}

// Result returns what was found so far.
func (c *Consumer) Result() ConsumerResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result
}

// Outages returns the times in which a broker did not answer; To is zero while
// it still does not.
func (c *Consumer) Outages() []Outage { return c.outages.log.all() }

// forgetFailing is how long a broker that is not tried any more counts as away:
// its partitions have moved, or it left the cluster.
const forgetFailing = 5 * time.Second

// connections notes outages from what happens to the client's connections: one
// begins when a broker cannot be reached, and ends when data flows and no broker
// fails any more.
type connections struct {
	logger *slog.Logger
	log    outageLog

	mu      sync.Mutex
	failing map[int32]time.Time // when a broker was last found away
	lost    map[int32]time.Time // when the last connection to a broker ended
}

// OnBrokerDisconnect implements kgo.HookBrokerDisconnect.
func (c *connections) OnBrokerDisconnect(meta kgo.BrokerMetadata, _ net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost[meta.NodeID] = time.Now()
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (c *connections) OnBrokerConnect(meta kgo.BrokerMetadata, took time.Duration, _ net.Conn, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.lost, meta.NodeID)
		return
	}
	since := time.Now().Add(-took)
	if at, ok := c.lost[meta.NodeID]; ok && since.Sub(at) < forgetFailing {
		since = at // the attempt follows the loss of the connection
	}
	delete(c.lost, meta.NodeID)
	c.failing[meta.NodeID] = time.Now()
	if c.log.begin(since, err) {
		c.logger.Warn("a broker does not answer", "broker", meta.NodeID, "err", err)
	}
}

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (c *connections) OnBrokerE2E(meta kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if e.Err() != nil || key != int16(kmsg.Fetch) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.failing) == 0 {
		return
	}
	now := time.Now()
	maps.DeleteFunc(c.failing, func(id int32, last time.Time) bool {
		// Below zero are the addresses of the configuration, not brokers.
		return id == meta.NodeID || id < 0 || now.Sub(last) > forgetFailing
	})
	if len(c.failing) == 0 && c.log.end(now) {
		c.logger.Info("the broker answers again", "broker", meta.NodeID)
	}
}
