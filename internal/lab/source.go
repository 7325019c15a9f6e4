//go:build !nolab

package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	listTimeout = 10 * time.Second // one question about offsets
	readTimeout = 60 * time.Second // all records of a batch
	pollRecords = 20_000
)

// source reads one topic without a group, as Spark does: the checkpoint alone
// knows the place. It reads ahead while a batch is written.
type source struct {
	topic  string
	client *kgo.Client
	admin  *kadm.Client
	known  offsets                 // partitions that are being read, with their next offset
	ahead  map[int32][]*kgo.Record // read, but behind the end of the batch
}

func newSource(brokers []string, topic string) (*source, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ClientID("lakeproof-embedded-engine"),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.FetchMaxBytes(16<<20),
		kgo.FetchMaxPartitionBytes(8<<20),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return nil, fmt.Errorf("making the engine's Kafka client: %w", err)
	}
	return &source{
		topic:  topic,
		client: client,
		admin:  kadm.NewClient(client),
		known:  offsets{},
		ahead:  make(map[int32][]*kgo.Record),
	}, nil
}

func (s *source) close() { s.client.Close() }

// starts returns the first offsets of the topic, nil when it is not there yet.
func (s *source) starts(ctx context.Context) (offsets, error) {
	return s.list(ctx, s.admin.ListStartOffsets)
}

// ends returns the offsets after the last records, nil when the topic is not
// there yet.
func (s *source) ends(ctx context.Context) (offsets, error) {
	return s.list(ctx, s.admin.ListEndOffsets)
}

func (s *source) list(ctx context.Context, ask func(context.Context, ...string) (kadm.ListedOffsets,
	error),
) (offsets, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	listed, err := ask(ctx, s.topic)
	if err == nil {
		err = listed.Error()
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the offsets of topic %s: %w", s.topic, err)
	}
	o := make(offsets)
	listed.Each(func(l kadm.ListedOffset) { o[l.Partition] = l.Offset })
	return o, nil
}

// read calls take for each record from the offsets from to those before end, in
// order within each partition. Successive calls must continue each other.
func (s *source) read(ctx context.Context, from, end offsets, take func(*kgo.Record) error) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	s.assign(from, end)
	for {
		if err := s.drain(end, take); err != nil {
			return err
		}
		if s.reached(end) {
			return nil
		}
		fetches := s.client.PollRecords(ctx, pollRecords)
		for _, e := range fetches.Errors() {
			return fmt.Errorf("reading topic %s partition %d: %w", s.topic, e.Partition, e.Err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			s.ahead[p.Partition] = append(s.ahead[p.Partition], p.Records...)
		})
	}
}

// assign starts reading the partitions that are new.
func (s *source) assign(from, end offsets) {
	fresh := make(map[int32]kgo.Offset)
	for p := range end {
		if _, ok := s.known[p]; !ok {
			fresh[p] = kgo.NewOffset().At(from[p])
			s.known[p] = from[p]
		}
	}
	if len(fresh) > 0 {
		s.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{s.topic: fresh})
	}
}

// drain hands out what was read ahead, up to the end of the batch.
func (s *source) drain(end offsets, take func(*kgo.Record) error) error {
	for p, records := range s.ahead {
		n := 0
		for n < len(records) && records[n].Offset < end[p] {
			if err := take(records[n]); err != nil {
				return err
			}
			s.known[p] = records[n].Offset + 1
			records[n] = nil
			n++
		}
		if n == len(records) {
			delete(s.ahead, p)
		} else {
			s.ahead[p] = records[n:]
		}
	}
	return nil
}

func (s *source) reached(end offsets) bool {
	for p, at := range end {
		// A record behind the end proves that nothing before it is missing:
		// aborted or compacted records leave holes.
		if s.known[p] < at && len(s.ahead[p]) == 0 {
			return false
		}
	}
	return true
}
