package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// askTimeout bounds one administrative question.
const askTimeout = 15 * time.Second

// Client asks a cluster administrative questions. It is safe for concurrent use.
type Client struct {
	cl      *kgo.Client
	adm     *kadm.Client
	brokers string
}

// Open connects as [Dial] does. The caller closes the client.
func Open(ctx context.Context, cfg config.Kafka, logger *slog.Logger) (*Client, error) {
	cl, err := Dial(ctx, cfg, logger)
	if err != nil {
		return nil, err
	}
	return &Client{cl: cl, adm: kadm.NewClient(cl), brokers: fmt.Sprint(cfg.Brokers)}, nil
}

// Close ends all connections.
func (c *Client) Close() { c.cl.Close() }

// Offsets are offsets by topic and partition.
type Offsets map[string]map[int32]int64

// EndOffsets returns the offset after the last record of every partition. A
// topic or partition without an answer is an error.
func (c *Client) EndOffsets(ctx context.Context, topics []string) (Offsets, error) {
	return c.list(ctx, "end", topics, c.adm.ListEndOffsets)
}

// StartOffsets returns the offset of the oldest record kept of every partition.
func (c *Client) StartOffsets(ctx context.Context, topics []string) (Offsets, error) {
	return c.list(ctx, "start", topics, c.adm.ListStartOffsets)
}

func (c *Client) list(ctx context.Context, which string, topics []string,
	ask func(context.Context, ...string) (kadm.ListedOffsets, error),
) (Offsets, error) {
	out := Offsets{}
	if len(topics) == 0 {
		return out, nil // no topic would mean all of them
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	unique := slices.Compact(slices.Sorted(slices.Values(topics)))
	listed, err := ask(ctx, unique...)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, c.refused(fmt.Errorf("reading %s offsets of topics %v: %w", which, unique, err))
	}
	for _, topic := range unique {
		if len(listed[topic]) == 0 {
			return nil, c.refused(fmt.Errorf("reading %s offsets of topic %s: %w", which, topic, kerr.UnknownTopicOrPartition))
		}
		out[topic] = make(map[int32]int64, len(listed[topic]))
		for p, o := range listed[topic] {
			out[topic][p] = o.Offset
		}
	}
	return out, nil
}

// Broker is one broker of a cluster.
type Broker struct {
	ID   int32
	Host string
	Port int32
	Rack string // "" where none is set
}

// Cluster says which cluster answered.
type Cluster struct {
	ID      string // "" where the cluster has none
	Version string // of the oldest broker, guessed from what it offers, for example "v4.1"
	Brokers []Broker
}

// About describes the cluster.
func (c *Client) About(ctx context.Context) (Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	meta, err := c.adm.BrokerMetadata(ctx)
	if err != nil {
		return Cluster{}, c.refused(fmt.Errorf("describing the cluster: %w", err))
	}
	about := Cluster{ID: meta.Cluster}
	for _, b := range meta.Brokers {
		broker := Broker{ID: b.NodeID, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		about.Brokers = append(about.Brokers, broker)
	}
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, c.cl)
	if err != nil {
		return Cluster{}, c.refused(fmt.Errorf("asking a broker for its versions: %w", err))
	}
	about.Version = VersionOf(resp)
	return about, nil
}

// optional are the API keys that say nothing about a broker's version: they are
// between brokers (4 to 7, 27, 56 to 58, 67), are there only where a feature is
// switched on (delegation tokens 38 to 41, telemetry 71 and 72), or are the
// controller's (55, 64, 70, 80 to 87).
func optional() []int16 {
	return []int16{4, 5, 6, 7, 27, 38, 39, 40, 41, 55, 56, 57, 58, 64, 67, 70, 71, 72, 80, 81, 82, 83, 84, 85, 86, 87}
}

// refused gives an error of a broker the code and hint that fit.
func (c *Client) refused(err error) error {
	hint := "look at the brokers' logs: " + c.brokers
	switch {
	case isAny(err, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.GroupAuthorizationFailed):
		return fail.Wrap(err, fail.Usage, "give this user the right (ACLs: Describe, Create, Write and Read on the topic)")
	case isAny(err, kerr.UnknownTopicOrPartition):
		return fail.Wrap(err, fail.Usage, "create the topic, or correct its name")
	default:
		return fail.Wrap(err, fail.Unreachable, hint)
	}
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

// pause waits a moment before a question is repeated.
func pause(ctx context.Context) error {
	t := time.NewTimer(100 * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
