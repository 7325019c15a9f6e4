package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// TopicSpec is a topic as it should be.
type TopicSpec struct {
	Name        string
	Partitions  int32
	Replication int16             // 0 and -1: the broker's default
	Config      map[string]string // for example retention.ms; keys that are not here do not matter
}

// Topic is a topic as it is.
type Topic struct {
	Name       string
	Partitions int32 // may be more than asked for
	Created    bool
	Differs    []Difference // of a topic that was there already; nothing is altered
}

// Difference is a setting that is not as asked for.
type Difference struct{ Key, Want, Have string }

// EnsureTopic creates the topic where it does not exist. One that exists with
// fewer partitions than asked for is fail.Usage; more partitions and other
// settings are reported in the result and left as they are.
func (c *Client) EnsureTopic(ctx context.Context, want TopicSpec) (Topic, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	have, err := c.lookUp(ctx, want.Name)
	if err == nil {
		return c.compare(ctx, want, have)
	}
	if badSpec(err) {
		return Topic{}, fail.Wrap(fmt.Errorf("looking up topic %s: %w", want.Name, err), fail.Usage, badSpecHint)
	}
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return Topic{}, c.refused(fmt.Errorf("looking up topic %s: %w", want.Name, err))
	}
	replication := want.Replication
	if replication == 0 {
		replication = -1
	}
	settings := map[string]*string{}
	for k, v := range want.Config {
		settings[k] = &v
	}
	_, err = c.adm.CreateTopic(ctx, want.Partitions, replication, settings, want.Name)
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists): // somebody else was quicker
		if have, err = c.awaitTopic(ctx, want.Name); err != nil {
			return Topic{}, err
		}
		return c.compare(ctx, want, have)
	case badSpec(err):
		return Topic{}, fail.Wrap(fmt.Errorf("creating topic %s: %w", want.Name, err), fail.Usage, badSpecHint)
	case err != nil:
		return Topic{}, c.refused(fmt.Errorf("creating topic %s: %w", want.Name, err))
	}
	if have, err = c.awaitTopic(ctx, want.Name); err != nil {
		return Topic{}, err
	}
	return Topic{Name: want.Name, Partitions: int32(len(have.Partitions)), Created: true}, nil
}

const badSpecHint = "correct the topic's name, partitions, replication or retention"

// badSpec reports whether the broker says that there cannot be such a topic.
func badSpec(err error) bool {
	return isAny(err, kerr.InvalidTopicException, kerr.InvalidPartitions, kerr.InvalidReplicationFactor,
		kerr.InvalidConfig, kerr.PolicyViolation)
}

// awaitTopic waits until a created topic has a leader for every partition, so
// that nothing that follows meets a topic that is half there.
func (c *Client) awaitTopic(ctx context.Context, name string) (kadm.TopicDetail, error) {
	for {
		t, err := c.lookUp(ctx, name)
		ready := err == nil && len(t.Partitions) > 0
		for _, p := range t.Partitions {
			ready = ready && p.Err == nil && p.Leader >= 0
		}
		if ready {
			return t, nil
		}
		if err := pause(ctx); err != nil {
			return t, c.refused(fmt.Errorf("waiting for the leaders of topic %s: %w", name, err))
		}
	}
}

func (c *Client) lookUp(ctx context.Context, name string) (kadm.TopicDetail, error) {
	topics, err := c.adm.ListTopicsWithInternal(ctx, name)
	if err != nil {
		return kadm.TopicDetail{}, err
	}
	t, ok := topics[name]
	if !ok {
		return t, kerr.UnknownTopicOrPartition
	}
	return t, t.Err
}

func (c *Client) compare(ctx context.Context, want TopicSpec, have kadm.TopicDetail) (Topic, error) {
	t := Topic{Name: want.Name, Partitions: int32(len(have.Partitions))}
	if t.Partitions < want.Partitions {
		return t, fail.New(fail.Usage,
			fmt.Sprintf("ask for %d partitions, add partitions to the topic, or use another topic", t.Partitions),
			"using topic %s: it has %d partitions, %d are asked for", want.Name, t.Partitions, want.Partitions)
	}
	if len(want.Config) == 0 {
		return t, nil
	}
	var settings kadm.ResourceConfig
	described, err := c.adm.DescribeTopicConfigs(ctx, want.Name)
	if err == nil {
		settings, err = described.On(want.Name, nil)
	}
	if err == nil {
		err = settings.Err
	}
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		return t, nil // a user may write without being shown the settings
	}
	if err != nil {
		return t, c.refused(fmt.Errorf("reading the settings of topic %s: %w", want.Name, err))
	}
	is := map[string]string{}
	for _, s := range settings.Configs {
		is[s.Key] = s.MaybeValue()
	}
	for _, key := range slices.Sorted(maps.Keys(want.Config)) {
		if is[key] != want.Config[key] {
			t.Differs = append(t.Differs, Difference{Key: key, Want: want.Config[key], Have: is[key]})
		}
	}
	return t, nil
}
