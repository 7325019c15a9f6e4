package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

const (
	warmTimeout = 30 * time.Second // until the first record counts
	retryEvery  = 2 * time.Second  // when the cluster cannot be probed
	maxBuffer   = 100_000          // records in the client; each partition has a bound of its own
)

// session is one connection to the cluster. What is below began is under the
// lock of the prober.
type session struct {
	*prober
	cl    *kgo.Client // produces and consumes, and does nothing else
	asker *kgo.Client // asks and commits: what waits for a broker there holds up no record
	adm   *kadm.Client
	wait  sync.WaitGroup
	kick  chan struct{} // asks for a look before its time

	idempotent bool

	began   time.Time
	warm    bool             // the client knows the topic, and a broker has answered
	live    map[int32]bool   // brokers of the last look
	leaders map[int32]int32  // of the partitions to send to
	reading map[int32]bool   // partitions that are read; false when that is refused
	asking  map[int32]bool   // brokers that are asked where partitions end
	groups  map[int32]string // by coordinator
	busy    map[int32]bool   // coordinators with a commit under way
	adrift  bool             // a group may have another coordinator by now
}

// loop probes until the end, beginning anew whenever the cluster or the topic
// is lost.
func (p *prober) loop() {
	for p.ctx.Err() == nil {
		err := p.session()
		if err == nil || p.ctx.Err() != nil { // at the end, or because the client has to be another one
			continue
		}
		p.fault(err)
		pause(p.ctx, retryEvery)
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

// session connects and probes until the topic or the cluster is lost.
func (p *prober) session() error {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	idempotent := p.idempotent()
	asker, err := kafka.Dial(ctx, p.Kafka, p.logger, kgo.DialTimeout(p.answer), kgo.RequestTimeoutOverhead(p.answer))
	if err != nil {
		return err
	}
	defer asker.Close()
	opts, err := kafka.Options(p.Kafka, p.logger)
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(append(opts, p.clientOptions(idempotent)...)...)
	if err != nil {
		return fmt.Errorf("making the probe's producer: %w", err)
	}
	defer cl.Close()
	s := &session{
		prober: p, cl: cl, asker: asker, adm: kadm.NewClient(asker), kick: make(chan struct{}, 1),
		idempotent: idempotent, began: time.Now(),
		reading: map[int32]bool{}, asking: map[int32]bool{}, busy: map[int32]bool{},
	}
	defer s.wait.Wait()
	defer cancel()
	if err := s.open(ctx); err != nil {
		return err
	}
	s.fault(nil)
	s.wait.Go(func() { s.read(ctx) })
	s.wait.Go(func() { s.beat(ctx) })
	return s.watch(ctx)
}

func (p *prober) idempotent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.OneAttempt && !p.plain
}

func (p *prober) clientOptions(idempotent bool) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(maxBuffer),
		kgo.RecordDeliveryTimeout(max(p.Patience, time.Second)), kgo.ProduceRequestTimeout(p.answer),
		kgo.DialTimeout(p.soon()), kgo.RequestTimeoutOverhead(p.soon()),
		kgo.FetchMaxWait(500 * time.Millisecond), kgo.FetchMaxBytes(1 << 20),
	}
	if idempotent {
		// Idempotent, as producers are by default: a record that comes twice was
		// doubled by the cluster and not by our trying again.
		return opts
	}
	return append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1), kgo.RecordRetries(1))
}

// beat sends and commits whenever it is time.
func (s *session) beat(ctx context.Context) {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	for {
		s.send(ctx)
		s.commits(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// hurry asks for a look before its time.
func (s *session) hurry() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// shot is a record that is about to be sent.
type shot struct {
	track  *track
	seq    uint64
	record *kgo.Record
}

// send sends a record to every partition of the session.
func (s *session) send(ctx context.Context) {
	for _, shot := range s.load() {
		s.cl.TryProduce(ctx, shot.record, func(_ *kgo.Record, err error) { s.answered(shot, err) })
	}
}

// load makes the records to send.
func (s *session) load() []shot {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	if s.barred(apiProduce, now) {
		return nil
	}
	if !s.warm && now.Sub(s.began) < warmTimeout {
		return s.heat()
	}
	var shots []shot
	for _, number := range slices.Sorted(maps.Keys(s.leaders)) {
		t := s.tracks[number]
		if t == nil {
			t = &track{own: s.partitions.of(number)}
			s.tracks[number] = t
		}
		seq, ok := t.send(now, s.brokers.of(s.leaders[number]), s.reading[number])
		if !ok {
			continue
		}
		shots = append(shots, shot{t, seq, &kgo.Record{Topic: s.Topic, Partition: number, Value: encode(s.run, seq)}})
	}
	return shots
}

// heat makes records that do not count: what the client learns first, from
// whichever broker it happens to ask, says nothing about the brokers. It is
// called under the lock.
func (s *session) heat() []shot {
	shots := make([]shot, 0, len(s.leaders))
	for number := range s.leaders {
		shots = append(shots, shot{
			&track{own: newStats("")}, 0, &kgo.Record{Topic: s.Topic, Partition: number, Value: encode(s.run, math.MaxUint64)},
		})
	}
	return shots
}

// answered notes what the client says of a record.
func (s *session) answered(shot shot, err error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	shot.track.waiting--
	switch {
	case err == nil:
		s.allow(apiProduce, true)
		s.warm = true
		shot.track.acknowledge(shot.seq, now, nil)
	case errors.Is(err, context.Canceled), errors.Is(err, kgo.ErrClientClosed): // the session is over
		shot.track.drop(shot.seq)
	case errors.Is(err, kerr.ClusterAuthorizationFailed): // idempotence has a right of its own
		s.plain = true
		shot.track.drop(shot.seq)
		s.hurry()
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		s.allow(apiProduce, false)
		shot.track.drop(shot.seq)
	default:
		shot.track.acknowledge(shot.seq, now, err)
		s.hurry()
	}
}

// read notes what comes back.
func (s *session) read(ctx context.Context) {
	for {
		fetches := s.cl.PollFetches(ctx)
		now := time.Now()
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return
		}
		s.take(fetches, now)
		if len(fetches.Errors()) > 0 && !pause(ctx, 100*time.Millisecond) {
			return
		}
	}
}

func (s *session) take(fetches kgo.Fetches, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fetches.EachError(func(_ string, partition int32, err error) {
		if !errors.Is(err, kerr.TopicAuthorizationFailed) {
			s.hurry()
			return
		}
		s.allow(apiFetch, false)
		if _, ok := s.reading[partition]; ok {
			s.reading[partition] = false
		}
		if t := s.tracks[partition]; t != nil {
			t.unread()
		}
	})
	fetches.EachRecord(func(r *kgo.Record) {
		s.allow(apiFetch, true)
		s.reading[r.Partition] = true
		s.position[r.Partition] = r.Offset + 1
		if seq, ours := decode(r.Value, s.run); ours && s.tracks[r.Partition] != nil {
			s.tracks[r.Partition].receive(seq, r.Offset, now)
		}
	})
}
