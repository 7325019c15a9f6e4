package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/fail"
)

const (
	perBroker     = 3    // partitions that are used of those that a broker leads
	maxPartitions = 1000 // of the topic; those above are not used

	lookTries   = 3                      // questions, each to another broker
	lookGap     = 500 * time.Millisecond // between two looks, whoever asks for them
	giveUp      = 6                      // looks that go wrong in a row end the session
	forgetAfter = time.Hour              // a broker that is not in the cluster any more

	keepRecords = time.Hour // in the topic, where we make it
)

var (
	errGone     = errors.New("it is not there")
	errReplaced = errors.New("it was deleted and made again")
)

// open finds or makes the topic and begins to read it.
func (s *session) open(ctx context.Context) error {
	if err := s.ensure(ctx); err != nil {
		return err
	}
	for range 10 { // a new topic is not known everywhere at once
		err := s.look(ctx)
		if !errors.Is(err, errGone) || !pause(ctx, lookGap/2) {
			return err
		}
	}
	return s.look(ctx)
}

// watch looks at the cluster until the topic or the cluster is lost.
func (s *session) watch(ctx context.Context) error {
	wrong := 0
	for {
		if s.spent() {
			return nil
		}
		if !pause(ctx, min(lookGap, s.lookEvery)) {
			return nil
		}
		wait := s.lookEvery
		if wrong > 0 || s.unsettled() {
			wait = min(wait, retryEvery)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.kick:
		case <-t.C:
		}
		t.Stop()
		err := s.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			wrong = 0
			s.fault(nil)
			continue
		case errors.Is(err, errGone), errors.Is(err, errReplaced):
			return err
		}
		if wrong++; wrong > 1 {
			s.fault(err)
		}
		if wrong == giveUp {
			return err
		}
	}
}

// spent reports whether the client cannot go on as it is.
func (s *session) spent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plain && s.idempotent
}

// unsettled reports whether there is something to look for again soon.
func (s *session) unsettled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.adrift || len(s.reading) < len(s.leaders)
}

// ask asks up to three brokers, so that one that stalls does not matter.
func (p *prober) ask(ctx context.Context, question func(context.Context) error) error {
	var err error
	for range lookTries {
		one, cancel := context.WithTimeout(ctx, p.soon())
		err = question(one)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (s *session) metadata(ctx context.Context) (kadm.Metadata, kadm.TopicDetail, error) {
	var meta kadm.Metadata
	err := s.ask(ctx, func(ctx context.Context) (err error) {
		meta, err = s.adm.Metadata(ctx, s.Topic)
		return err
	})
	topic := meta.Topics[s.Topic]
	if err == nil {
		err = topic.Err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		s.allow(apiMetadata, false)
	case errors.Is(err, kerr.UnknownTopicOrPartition), err == nil && len(topic.Partitions) == 0:
		return meta, topic, fmt.Errorf("looking for the probe's topic %s: %w", s.Topic, errGone)
	case err == nil:
		s.allow(apiMetadata, true)
		return meta, topic, nil
	}
	return meta, topic, fmt.Errorf("looking for the probe's topic %s: %w", s.Topic, err)
}

// ensure makes the topic unless it is there: a partition for each broker, so
// that each leads one.
func (s *session) ensure(ctx context.Context) error {
	meta, _, err := s.metadata(ctx)
	if !errors.Is(err, errGone) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.answer)
	defer cancel()
	age := strconv.FormatInt(keepRecords.Milliseconds(), 10)
	deletes := "delete"
	// Records go with their whole segment, so segments are as short-lived as
	// they are; not every service lets its users say that.
	configs := map[string]*string{"cleanup.policy": &deletes, "retention.ms": &age, "segment.ms": &age}
	err = s.create(ctx, len(meta.Brokers), configs)
	if errors.Is(err, kerr.InvalidConfig) || errors.Is(err, kerr.PolicyViolation) {
		delete(configs, "segment.ms")
		err = s.create(ctx, len(meta.Brokers), configs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.allow(apiCreate, true)
		s.made = true
		return nil
	case errors.Is(err, kerr.TopicAlreadyExists):
		return nil
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		s.allow(apiCreate, false)
	}
	return fail.Wrap(fmt.Errorf("making the probe's topic %s: %w", s.Topic, err), fail.Usage,
		"make it yourself, with a partition for each broker, or give the right Create on it")
}

func (s *session) create(ctx context.Context, brokers int, configs map[string]*string) error {
	created, err := s.adm.CreateTopic(ctx,
		int32(min(brokers, maxPartitions)), int16(min(brokers, 3)), configs, s.Topic) //nolint:gosec // bounded
	if err == nil {
		err = created.Err
	}
	return err
}

// look reads which broker leads and coordinates what, and begins to read the
// partitions that are new.
func (s *session) look(ctx context.Context) error {
	meta, topic, err := s.metadata(ctx)
	if err != nil {
		return err
	}
	if !s.same(topic.ID) {
		return fmt.Errorf("looking for the probe's topic %s: %w", s.Topic, errReplaced)
	}
	again := s.settle(meta.Brokers, choose(topic.Partitions))
	s.listen(ctx)
	if again {
		s.find(ctx, len(meta.Brokers))
	}
	return nil
}

// same reports whether it is still the topic of this session. A session begins
// to read a topic that is new from its beginning.
func (s *session) same(id kadm.TopicID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topic == id {
		return true
	}
	before := s.topic
	s.topic = id
	if before == ([16]byte{}) {
		return true
	}
	for p := range s.position {
		s.position[p] = 0
	}
	return s.leaders == nil // the session has not begun
}

// choose chooses the partitions to send to and returns their leaders.
func choose(partitions kadm.PartitionDetails) map[int32]int32 {
	leaders, of := map[int32]int32{}, map[int32]int{}
	for _, p := range partitions.Sorted() {
		if p.Leader < 0 || p.Partition >= maxPartitions || of[p.Leader] == perBroker {
			continue
		}
		of[p.Leader]++
		leaders[p.Partition] = p.Leader
	}
	return leaders
}

// settle takes what a look brought, and reports whether the coordinators are to
// be looked for.
func (s *session) settle(brokers kadm.BrokerDetails, leaders map[int32]int32) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	live := make(map[int32]bool, len(brokers))
	for _, b := range brokers {
		live[b.NodeID] = true
		s.brokers.of(b.NodeID).seen = now
	}
	for _, st := range s.brokers {
		st.partitions = 0
	}
	for _, id := range leaders {
		st := s.brokers.of(id)
		st.partitions++
		st.seen = now
	}
	maps.DeleteFunc(s.brokers, func(_ int32, st *stats) bool { return now.Sub(st.seen) > forgetAfter })
	s.adrift = s.adrift || !maps.Equal(live, s.live)
	s.live, s.leaders = live, leaders
	return s.adrift
}

// listen begins to read the partitions that are not read yet: where the last
// session ended, else where they end now. Each leader is asked for that on its
// own, so that none waits for one that stalls.
func (s *session) listen(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := map[int32][]int32{}
	for p, leader := range s.leaders {
		if _, ok := s.reading[p]; ok {
			continue
		}
		if at, ok := s.position[p]; ok {
			s.follow(p, at)
		} else if !s.asking[leader] {
			unknown[leader] = append(unknown[leader], p)
		}
	}
	for leader, partitions := range unknown {
		s.asking[leader] = true
		s.wait.Go(func() { s.ends(ctx, leader, partitions) })
	}
}

// follow begins to read a partition at an offset. It is called under the lock.
func (s *session) follow(partition int32, at int64) {
	s.reading[partition] = true
	s.position[partition] = at
	s.cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{s.Topic: {partition: kgo.NewOffset().At(at)}})
}

// ends asks a leader where its partitions end, and begins to read them.
func (s *session) ends(ctx context.Context, leader int32, partitions []int32) {
	ctx, cancel := context.WithTimeout(ctx, s.answer)
	defer cancel()
	req := kmsg.NewPtrListOffsetsRequest()
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = s.Topic
	for _, p := range partitions {
		one := kmsg.NewListOffsetsRequestTopicPartition()
		one.Partition, one.Timestamp = p, -1
		topic.Partitions = append(topic.Partitions, one)
	}
	req.Topics = append(req.Topics, topic)
	resp, err := s.asker.Broker(int(leader)).Request(ctx, req)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asking, leader)
	answer, ok := resp.(*kmsg.ListOffsetsResponse)
	if err != nil || !ok {
		s.logger.Debug("a broker does not say where the probe's partitions end", "broker", leader, "err", err)
		return
	}
	for i := range answer.Topics {
		for _, p := range answer.Topics[i].Partitions {
			if _, read := s.reading[p.Partition]; p.ErrorCode == 0 && p.Offset >= 0 && !read {
				s.follow(p.Partition, p.Offset)
			}
		}
	}
}
