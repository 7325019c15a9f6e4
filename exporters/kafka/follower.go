package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
)

const (
	// followAge is how old an answer may be: those who follow the applications
	// of one exporter ask at about the same moment, and share it.
	followAge = 2 * time.Second
	// retentionAge is the same for what hardly changes.
	retentionAge = 5 * time.Minute
	// followTopics bounds the topics that are followed.
	followTopics = 1000
)

// Follower answers for those who follow consumers that keep their offsets
// outside Kafka: where topics begin and end, when records were written, how
// long they are kept. It is safe for concurrent use and needs Describe and
// DescribeConfigs on the topics.
type Follower struct {
	cluster *cluster

	mu        sync.Mutex
	topics    map[string]bool // that anybody asked for
	at        time.Time
	wire      *wire
	snap      *snapshot
	err       error // of some brokers
	times     *lagTracker
	retention map[string]time.Duration
	known     map[string]bool // topics whose retention was read
	read      time.Time
}

// NewFollower makes a follower of one cluster. It connects when it is first
// asked. The caller closes it.
func NewFollower(name string, cfg config.Kafka, logger *slog.Logger) (*Follower, error) {
	s, err := check(Options{Cluster: name, Kafka: cfg}, logger)
	if err != nil {
		return nil, err
	}
	return &Follower{
		cluster: &cluster{settings: s, memory: &memory{}, open: 1},
		topics:  map[string]bool{}, times: newLagTracker(lagSettings{}),
	}, nil
}

// Close ends the connections.
func (f *Follower) Close() { f.cluster.close() }

// Ends returns the offset after the last record of every partition. What could
// be had is returned also beside an error.
func (f *Follower) Ends(ctx context.Context, topics []string) (map[string]map[int32]int64, error) {
	return f.offsets(ctx, topics, func(p *partition) int64 { return p.end })
}

// Starts returns the offset of the oldest record that is kept.
func (f *Follower) Starts(ctx context.Context, topics []string) (map[string]map[int32]int64, error) {
	return f.offsets(ctx, topics, func(p *partition) int64 { return p.start })
}

func (f *Follower) offsets(
	ctx context.Context, topics []string, which func(*partition) int64,
) (map[string]map[int32]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.look(ctx, topics); err != nil {
		return nil, err
	}
	out := make(map[string]map[int32]int64, len(topics))
	err := f.err
	for _, name := range topics {
		t := f.snap.byName[name]
		if t == nil {
			err = errors.Join(err, fmt.Errorf("reading the offsets of topic %s: %w", name, kerr.UnknownTopicOrPartition))
			continue
		}
		out[name] = make(map[int32]int64, len(t.partitions))
		for i := range t.partitions {
			if at := which(&t.partitions[i]); at != unknown {
				out[name][t.partitions[i].number] = at
			}
		}
	}
	return out, err
}

// look brings the snapshot up to date: all topics that anybody follows.
func (f *Follower) look(ctx context.Context, topics []string) error {
	fresh := time.Since(f.at) < followAge
	for _, t := range topics {
		if !f.topics[t] && len(f.topics) < followTopics {
			f.topics[t], fresh = true, false
		}
	}
	if fresh {
		return nil
	}
	c := f.cluster
	w, err := c.dial()
	if err != nil {
		return err
	}
	meta, err := w.metadata(ctx)
	if err != nil {
		c.drop(w)
		return c.explain(ctx, err)
	}
	s := newSnapshot(meta, c.memory, func(topic string) bool { return f.topics[topic] })
	if err := w.know(s.brokers); err != nil {
		return err
	}
	leaders := leadersOf(s)
	for _, which := range []bound{earliest, latest} {
		var wait sync.WaitGroup
		for _, l := range leaders {
			l.aim(map[bound]int64{earliest: timestampEarliest, latest: timestampLatest}[which])
			wait.Go(func() { l.list(ctx, w, s, which) })
		}
		wait.Wait()
	}
	f.wire, f.snap, f.at, f.err = w, s, time.Now(), nil
	for _, l := range leaders {
		l.settle(s)
		f.err = errors.Join(f.err, l.err, l.reason, l.denied)
	}
	return nil
}

// TimesOf returns the time of the first record at or after an offset, as far as
// it is known, by topic and partition: by asking for offsets by time, without
// reading a record.
func (f *Follower) TimesOf(
	ctx context.Context, at map[string]map[int32]int64,
) (map[string]map[int32]time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := make([]string, 0, len(at))
	for name := range at {
		names = append(names, name)
	}
	if err := f.look(ctx, names); err != nil {
		return nil, err
	}
	l := f.times
	l.cycle++
	now := l.now()
	f.each(at, func(from *topic, p *partition, offset int64) {
		if t := l.topic(f.snap, from, now); t.has(p.number) {
			t.logs[p.number].Want(offset)
		}
	})
	l.search(ctx, f.wire, f.snap)
	out := make(map[string]map[int32]time.Time, len(at))
	f.each(at, func(from *topic, p *partition, offset int64) {
		t := l.topics[from.name]
		if t == nil || !t.has(p.number) {
			return
		}
		if e := t.logs[p.number].At(offset); e.Known {
			if out[from.name] == nil {
				out[from.name] = map[int32]time.Time{}
			}
			out[from.name][p.number] = time.UnixMilli(e.Time)
		}
	})
	l.forget()
	return out, f.err
}

// each calls yield for every offset that is within its partition.
func (f *Follower) each(at map[string]map[int32]int64, yield func(*topic, *partition, int64)) {
	for name, partitions := range at {
		t := f.snap.byName[name]
		if t == nil {
			continue
		}
		for number, offset := range partitions {
			i := t.at(number)
			if i < 0 {
				continue
			}
			p := &t.partitions[i]
			if from := max(offset, p.start); p.start != unknown && from < p.end {
				yield(t, p, from)
			}
		}
	}
}

// Retention returns for how long topics keep their records; those that keep
// them for ever are left out.
func (f *Follower) Retention(ctx context.Context, topics []string) (map[string]time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.look(ctx, topics); err != nil {
		return nil, err
	}
	missing := false
	for _, t := range topics {
		missing = missing || !f.known[t]
	}
	var err error
	if missing && time.Since(f.read) > followAge || time.Since(f.read) > retentionAge {
		err = f.readRetention(ctx)
	}
	out := map[string]time.Duration{}
	for _, t := range topics {
		if d, ok := f.retention[t]; ok {
			out[t] = d
		}
	}
	return out, err
}

const retentionKey = "retention.ms"

// readRetention asks one broker for the configuration of all topics.
func (f *Follower) readRetention(ctx context.Context) error {
	f.read = time.Now()
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, t := range f.snap.topics {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, t.name, []string{retentionKey}
		req.Resources = append(req.Resources, r)
	}
	if len(req.Resources) == 0 || len(f.snap.brokers) == 0 {
		return nil
	}
	resp, err := question[*kmsg.DescribeConfigsResponse](ctx, f.wire, f.snap.brokers[0].id, req)
	if err != nil {
		return fmt.Errorf("reading retention.ms: %w", err)
	}
	f.retention, f.known = map[string]time.Duration{}, map[string]bool{}
	for i := range resp.Resources {
		r := &resp.Resources[i]
		if code := kerr.ErrorForCode(r.ErrorCode); code != nil {
			err = errors.Join(err, fmt.Errorf("reading retention.ms of %s: %w", r.ResourceName, code))
			continue
		}
		f.known[r.ResourceName] = true
		for _, entry := range r.Configs {
			if entry.Name != retentionKey || entry.Value == nil {
				continue
			}
			if ms, bad := strconv.ParseInt(*entry.Value, 10, 64); bad == nil && ms > 0 {
				f.retention[r.ResourceName] = time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
			}
		}
	}
	return err
}
