package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// candidates is how many names of groups are tried to find one for each
// coordinator.
const candidates = 50

// commits commits an offset through every coordinator whenever it is asked to.
// Its groups have no members, so a commit needs no rebalance.
func (s *session) commits(ctx context.Context, asked <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		if s.groups == nil {
			groups, err := s.find(ctx)
			if err != nil || len(groups) == 0 {
				if !pause(ctx, retryEvery) {
					return
				}
				continue
			}
			s.groups = groups
		}
		for broker, group := range s.groups {
			if err := s.commit(ctx, broker, group); errors.Is(err, kerr.GroupAuthorizationFailed) {
				s.allowed("OffsetCommit", false)
				return
			} else if errors.Is(err, kerr.NotCoordinator) || errors.Is(err, kerr.CoordinatorNotAvailable) {
				s.groups = nil // it moved: look again
				break
			}
		}
	}
}

// find names a group for each broker that coordinates any of the candidates.
func (s *session) find(ctx context.Context) (map[int32]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	names := make([]string, 0, candidates)
	for i := range candidates {
		names = append(names, fmt.Sprintf("%s-%d", s.Group, i))
	}
	found := s.adm.FindGroupCoordinators(ctx, names...)
	groups := map[int32]string{}
	var err error
	for _, name := range names {
		switch c := found[name]; {
		case errors.Is(c.Err, kerr.GroupAuthorizationFailed):
			s.allowed("OffsetCommit", false)
			return nil, c.Err
		case c.Err != nil:
			err = c.Err
		default:
			if _, ok := groups[c.NodeID]; !ok {
				groups[c.NodeID] = name
			}
		}
	}
	return groups, err
}

// commit commits one offset and measures it.
func (s *session) commit(ctx context.Context, broker int32, group string) error {
	asked, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	began := time.Now()
	resp, err := s.cl.Broker(int(broker)).Request(asked, s.commitRequest(group))
	took := time.Since(began)
	if answer, ok := resp.(*kmsg.OffsetCommitResponse); err == nil && ok {
		for i := range answer.Topics {
			for _, p := range answer.Topics[i].Partitions {
				err = errors.Join(err, kerr.ErrorForCode(p.ErrorCode))
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.brokers.of(broker)
	if err != nil {
		st.uncommitted++
		return err
	}
	st.committed++
	st.commit.Observe(took.Seconds())
	return nil
}

// commitRequest commits offset 0 of the topic's first partition for a group
// without members. Up to version 9 topics have names, later ids.
func (s *session) commitRequest(group string) kmsg.Request {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = group, -1
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID = s.Topic, s.id
	t.Partitions = []kmsg.OffsetCommitRequestTopicPartition{kmsg.NewOffsetCommitRequestTopicPartition()}
	req.Topics = append(req.Topics, t)
	return req
}
