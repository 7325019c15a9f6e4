package kafka

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// protocolConsumer is the protocol type of classic groups whose members say
// what they are assigned in the consumers' own format.
const protocolConsumer = "consumer"

func (ch *chain) describeClassic(ctx context.Context, names []string) error {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = names
	resp, err := question[*kmsg.DescribeGroupsResponse](ctx, ch.wire, ch.broker.id, req)
	if err != nil {
		return fmt.Errorf("describing groups: %w", err)
	}
	for i := range resp.Groups {
		g := &resp.Groups[i]
		c := ch.byName[g.Group]
		if c == nil || ch.wrong(g.Group, g.ErrorCode) {
			continue
		}
		ch.saw(c, g.State, g.Protocol, len(g.Members))
		if g.ProtocolType != protocolConsumer {
			continue
		}
		for j := range g.Members {
			var a kmsg.ConsumerMemberAssignment
			if len(g.Members[j].MemberAssignment) == 0 || a.ReadFrom(g.Members[j].MemberAssignment) != nil {
				continue
			}
			for _, t := range a.Topics {
				ch.assign(c, t.Topic, [16]byte{}, t.Partitions)
			}
		}
	}
	return nil
}

func (ch *chain) describeConsumer(ctx context.Context, names []string) error {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = names
	resp, err := question[*kmsg.ConsumerGroupDescribeResponse](ctx, ch.wire, ch.broker.id, req)
	if err != nil {
		return fmt.Errorf("describing consumer groups: %w", err)
	}
	for i := range resp.Groups {
		g := &resp.Groups[i]
		c := ch.byName[g.Group]
		if c == nil || ch.wrong(g.Group, g.ErrorCode) {
			continue
		}
		ch.saw(c, g.State, g.AssignorName, len(g.Members))
		for j := range g.Members {
			for _, t := range g.Members[j].Assignment.TopicPartitions {
				ch.assign(c, t.Topic, t.TopicID, t.Partitions)
			}
		}
	}
	return nil
}

func (ch *chain) describeShare(ctx context.Context, names []string) error {
	req := kmsg.NewPtrShareGroupDescribeRequest()
	req.GroupIDs = names
	resp, err := question[*kmsg.ShareGroupDescribeResponse](ctx, ch.wire, ch.broker.id, req)
	if err != nil {
		return fmt.Errorf("describing share groups: %w", err)
	}
	for i := range resp.Groups {
		g := &resp.Groups[i]
		c := ch.byName[g.GroupID]
		if c == nil || ch.wrong(g.GroupID, g.ErrorCode) {
			continue
		}
		ch.saw(c, g.GroupState, g.Assignor, len(g.Members))
		for j := range g.Members {
			for _, t := range g.Members[j].Assignment.TopicPartitions {
				ch.assign(c, t.Topic, t.TopicID, t.Partitions)
			}
		}
	}
	return nil
}

// saw takes over what a group is like.
func (ch *chain) saw(c *consumer, state, protocol string, members int) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c.state, c.protocol, c.members, c.counted = state, protocol, members, true
}

// assign notes that one more member has partitions of a topic. The members of a
// share group may have the same ones.
func (ch *chain) assign(c *consumer, name string, id [16]byte, partitions []int32) {
	t := ch.snap.find(name, id)
	if t == nil || len(partitions) == 0 {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	e := c.of(t)
	e.members++
	e.assigned = append(e.assigned, partitions...)
	if e.members > 1 {
		slices.Sort(e.assigned)
		e.assigned = slices.Compact(e.assigned)
	}
}

// find returns a topic by its name, or by its id where a broker tells only that.
func (s *snapshot) find(name string, id [16]byte) *topic {
	if t := s.byName[name]; t != nil || name != "" {
		return t
	}
	return s.byID[id]
}
