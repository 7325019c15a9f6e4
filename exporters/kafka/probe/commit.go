package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

const (
	minNames   = 50 // of groups that are tried to find one for each coordinator
	maxNames   = 1000
	endTimeout = 5 * time.Second // for cleaning up
)

// commits commits an offset through every coordinator that has none under way.
// The groups have no members, so a commit needs no rebalance.
func (s *session) commits(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.barred(apiCommit, time.Now()) {
		return
	}
	for broker, group := range s.groups {
		if s.busy[broker] {
			continue
		}
		s.busy[broker] = true
		s.used[group] = true
		s.wait.Go(func() { s.commit(ctx, broker, group) })
	}
}

// find names a group for each broker that coordinates any of the candidates.
func (s *session) find(ctx context.Context, brokers int) {
	names := make([]string, 0, min(max(minNames, 10*brokers), maxNames))
	for i := range cap(names) {
		names = append(names, fmt.Sprintf("%s-%d", s.Group, i))
	}
	var found kadm.FindCoordinatorResponses
	late := s.ask(ctx, func(ctx context.Context) error {
		found = s.adm.FindGroupCoordinators(ctx, names...)
		return ctx.Err()
	})
	if ctx.Err() != nil {
		return
	}
	groups := map[int32]string{}
	err := late
	for _, name := range names {
		c, ok := found[name]
		if !ok || c.Err != nil {
			err = errors.Join(err, c.Err)
			continue
		}
		if _, has := groups[c.NodeID]; !has {
			groups[c.NodeID] = name
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, kerr.GroupAuthorizationFailed) {
		s.allow(apiCommit, false)
	}
	if len(groups) > 0 { // else nobody knows, and those of before are as good
		s.groups = groups
	}
	s.adrift = err != nil || len(groups) == 0
}

// commit commits one offset and measures it.
func (s *session) commit(ctx context.Context, broker int32, group string) {
	asked, cancel := context.WithTimeout(ctx, s.answer)
	defer cancel()
	req := s.commitRequest(group)
	began := time.Now()
	resp, err := s.asker.Broker(int(broker)).Request(asked, req)
	took := time.Since(began)
	if answer, ok := resp.(*kmsg.OffsetCommitResponse); err == nil && ok {
		err = refusal(answer)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, broker)
	st := s.brokers.of(broker)
	switch {
	case err == nil:
		s.allow(apiCommit, true)
		st.committed++
		st.commit.Observe(took.Seconds())
	case ctx.Err() != nil: // the session is over
	case errors.Is(err, kerr.GroupAuthorizationFailed), errors.Is(err, kerr.TopicAuthorizationFailed):
		s.allow(apiCommit, false)
	default:
		st.uncommitted++
		s.adrift = true
		s.hurry()
	}
}

// refusal is what is wrong with a commit, or nil.
func refusal(answer *kmsg.OffsetCommitResponse) error {
	for i := range answer.Topics {
		for _, p := range answer.Topics[i].Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

// commitRequest commits offset 0 of the topic's first partition for a group
// without members. Up to version 9 topics have names, later ids.
func (s *session) commitRequest(group string) kmsg.Request {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = group, -1
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic = s.Topic
	s.mu.Lock()
	t.TopicID = s.topic
	s.mu.Unlock()
	t.Partitions = []kmsg.OffsetCommitRequestTopicPartition{kmsg.NewOffsetCommitRequestTopicPartition()}
	req.Topics = append(req.Topics, t)
	return req
}

// clean deletes the groups, and the topic where that is asked for, by a
// connection of its own: the last one may be the reason for the end.
func (p *prober) clean() {
	deletes := p.made && p.DeleteTopic
	if len(p.used) == 0 && !deletes {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	cl, err := kafka.Dial(ctx, p.Kafka, p.logger)
	if err != nil {
		p.logger.Info("the probe's groups are not deleted; they expire by themselves", "err", err)
		return
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	names := make([]string, 0, len(p.used))
	for name := range p.used {
		names = append(names, name)
	}
	if len(names) > 0 {
		answers, err := adm.DeleteGroups(ctx, names...)
		for _, a := range answers {
			if a.Err != nil && !errors.Is(a.Err, kerr.GroupIDNotFound) {
				err = errors.Join(err, fmt.Errorf("deleting group %s: %w", a.Group, a.Err))
			}
		}
		if err != nil {
			p.logger.Info("some of the probe's groups are not deleted; they expire by themselves", "err", err)
		}
	}
	if !deletes {
		return
	}
	if gone, err := adm.DeleteTopics(ctx, p.Topic); errors.Join(err, gone.Error()) != nil {
		p.logger.Info("the probe's topic is not deleted", "topic", p.Topic, "err", errors.Join(err, gone.Error()))
	}
}
