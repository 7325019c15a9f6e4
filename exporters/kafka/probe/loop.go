package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

const (
	askTimeout = 5 * time.Second
	lookEvery  = 10 * time.Second // between two looks at who leads what
	retryEvery = 2 * time.Second  // when the cluster cannot be probed
	endTimeout = 3 * time.Second  // for cleaning up
	keepTopic  = "3600000"        // ms: an hour of records
)

// session is one connection to the cluster.
type session struct {
	*prober
	cl      *kgo.Client // produces and administers
	reader  *kgo.Client
	adm     *kadm.Client
	leaders map[int32]int32 // by partition
	made    bool            // the topic, by us
	id      [16]byte        // of the topic
	looked  time.Time
	groups  map[int32]string // by coordinator
}

// loop probes until the end, beginning anew whenever the cluster or the topic
// is lost.
func (p *prober) loop() {
	made := false
	for p.ctx.Err() == nil {
		s := &session{prober: p, made: made}
		err := s.open()
		if err == nil {
			err = s.probe()
		}
		made = s.made
		s.close()
		if p.ctx.Err() != nil {
			return
		}
		p.fault(err)
		if !pause(p.ctx, retryEvery) {
			return
		}
	}
}

// pause waits, and reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// open connects, and finds or makes the topic.
func (s *session) open() error {
	cl, err := kafka.Dial(s.ctx, s.Kafka, s.logger,
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		// Idempotent, as producers are by default: a record that comes twice was
		// doubled by the cluster and not by our trying again.
		kgo.RecordDeliveryTimeout(max(s.Patience, time.Second)), kgo.ProduceRequestTimeout(askTimeout),
		kgo.MaxBufferedRecords(10_000))
	if err != nil {
		return err
	}
	s.cl, s.adm = cl, kadm.NewClient(cl)
	if err := s.ensure(); err != nil {
		return err
	}
	if err := s.look(); err != nil {
		return err
	}
	return s.listen()
}

// ensure makes the topic unless it is there: a partition for each broker, so
// that each leads one.
func (s *session) ensure() error {
	ctx, cancel := context.WithTimeout(s.ctx, askTimeout)
	defer cancel()
	meta, err := s.adm.Metadata(ctx, s.Topic)
	if err != nil {
		return fmt.Errorf("looking for the probe's topic %s: %w", s.Topic, err)
	}
	topic := meta.Topics[s.Topic]
	switch {
	case topic.Err == nil && len(topic.Partitions) > 0:
		return nil
	case errors.Is(topic.Err, kerr.TopicAuthorizationFailed):
		s.allowed("Produce", false)
		return fmt.Errorf("looking for the probe's topic %s: %w", s.Topic, topic.Err)
	}
	brokers := len(meta.Brokers)
	hour, deletes := keepTopic, "delete"
	created, err := s.adm.CreateTopic(ctx, int32(min(brokers, 1000)), int16(min(brokers, 3)), //nolint:gosec // bounded
		map[string]*string{"retention.ms": &hour, "cleanup.policy": &deletes}, s.Topic)
	if err == nil {
		err = created.Err
	}
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return nil
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		s.allowed("CreateTopics", false)
		return fmt.Errorf("making the probe's topic %s: %w (give Create on it, or make it)", s.Topic, err)
	case err != nil:
		return fmt.Errorf("making the probe's topic %s: %w", s.Topic, err)
	}
	s.allowed("CreateTopics", true)
	s.made = true
	return nil
}

// look reads which broker leads which partition.
func (s *session) look() error {
	ctx, cancel := context.WithTimeout(s.ctx, askTimeout)
	defer cancel()
	meta, err := s.adm.Metadata(ctx, s.Topic)
	if err == nil {
		err = meta.Topics[s.Topic].Err
	}
	if err != nil {
		return fmt.Errorf("reading who leads the probe's topic %s: %w", s.Topic, err)
	}
	s.looked = time.Now()
	if s.leaders == nil { // it does not change within a session
		s.id = meta.Topics[s.Topic].ID
	}
	leaders := map[int32]int32{}
	for _, p := range meta.Topics[s.Topic].Partitions {
		if p.Leader >= 0 {
			leaders[p.Partition] = p.Leader
		}
	}
	s.leaders = leaders
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[int32]bool{}
	for _, b := range meta.Brokers {
		known[b.NodeID] = true
		s.brokers.of(b.NodeID).partitions = 0
	}
	maps.DeleteFunc(s.brokers, func(id int32, st *stats) bool { return !known[id] && st.produced+st.committed == 0 })
	for _, st := range s.brokers {
		st.partitions = 0
	}
	for _, id := range leaders {
		s.brokers.of(id).partitions++
	}
	return nil
}

// listen begins to read where the partitions end now.
func (s *session) listen() error {
	ctx, cancel := context.WithTimeout(s.ctx, askTimeout)
	defer cancel()
	ends, err := s.adm.ListEndOffsets(ctx, s.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("reading where the probe's topic %s ends: %w", s.Topic, err)
	}
	from := map[int32]kgo.Offset{}
	s.mu.Lock()
	for p, o := range ends[s.Topic] {
		at, ok := s.position[p]
		switch {
		case !ok:
			at = o.Offset
		case at > o.Offset: // it is another topic of the same name
			at = 0
		}
		from[p] = kgo.NewOffset().At(at)
	}
	s.mu.Unlock()
	opts, err := kafka.Options(s.Kafka, s.logger)
	if err != nil {
		return err
	}
	s.reader, err = kgo.NewClient(append(opts,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.Topic: from}),
		kgo.FetchMaxWait(500*time.Millisecond), kgo.FetchMaxBytes(1<<20))...)
	if err != nil {
		return fmt.Errorf("making the probe's consumer: %w", err)
	}
	return nil
}

// probe sends and reads until the topic or the cluster is lost.
func (s *session) probe() error {
	ctx, cancel := context.WithCancel(s.ctx)
	var wait sync.WaitGroup
	defer func() {
		cancel()
		wait.Wait()
	}()
	committer := make(chan struct{})
	wait.Go(func() { s.read(ctx) })
	wait.Go(func() { s.commits(ctx, committer) })
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	for {
		s.send(ctx)
		select {
		case committer <- struct{}{}:
		default: // the last ones are still under way
		}
		select {
		case <-s.ctx.Done():
			return nil
		case <-tick.C:
		}
		if time.Since(s.looked) > lookEvery {
			if err := s.look(); err != nil {
				return err
			}
		}
		s.fault(nil)
	}
}

// send sends a record to every partition that has a leader.
func (s *session) send(ctx context.Context) {
	for _, number := range slices.Sorted(maps.Keys(s.leaders)) {
		s.mu.Lock()
		t := s.tracks[number]
		if t == nil {
			t = &track{own: s.partitions.of(number)}
			s.tracks[number] = t
		}
		t.expire(time.Now(), s.Patience)
		seq := t.send(time.Now(), s.brokers.of(s.leaders[number]))
		s.mu.Unlock()
		record := &kgo.Record{Topic: s.Topic, Partition: number, Value: encode(s.run, seq)}
		s.cl.TryProduce(ctx, record, func(_ *kgo.Record, err error) {
			now := time.Now()
			if errors.Is(err, kerr.TopicAuthorizationFailed) {
				s.allowed("Produce", false)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if !errors.Is(err, context.Canceled) && !errors.Is(err, kgo.ErrClientClosed) { // it is over
				t.acknowledge(seq, now, err)
			}
		})
	}
}

// read notes what comes back.
func (s *session) read(ctx context.Context) {
	for {
		fetches := s.reader.PollFetches(ctx)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return
		}
		now := time.Now()
		for _, e := range fetches.Errors() {
			if errors.Is(e.Err, kerr.TopicAuthorizationFailed) {
				s.allowed("Fetch", false)
			}
		}
		s.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			s.position[r.Partition] = r.Offset + 1
			if seq, ours := decode(r.Value, s.run); ours && s.tracks[r.Partition] != nil {
				s.tracks[r.Partition].receive(seq, now)
			}
		})
		s.mu.Unlock()
		if len(fetches.Errors()) > 0 && !pause(ctx, 100*time.Millisecond) {
			return
		}
	}
}

// close ends the session: its clients, and what it left in the cluster when the
// probe as a whole is at its end.
func (s *session) close() {
	if s.reader != nil {
		s.reader.Close()
	}
	if s.cl == nil {
		return
	}
	if s.ctx.Err() != nil {
		s.clean()
	}
	s.cl.Close()
}

// clean deletes the groups, and the topic where that is asked for.
func (s *session) clean() {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if names := slices.Collect(maps.Values(s.groups)); len(names) > 0 {
		if _, err := s.adm.DeleteGroups(ctx, names...); err != nil {
			s.logger.Info("the probe's groups are not deleted; they expire by themselves", "err", err)
		}
	}
	if s.made && s.DeleteTopic {
		if _, err := s.adm.DeleteTopics(ctx, s.Topic); err != nil {
			s.logger.Info("the probe's topic is not deleted", "topic", s.Topic, "err", err)
		}
	}
}
