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

// about is what a group is like.
type about struct {
	state        string
	protocol     string // what decides who reads what, such as range; "" for none
	protocolType string
	members      int
	empty        int // members without a partition
}

// member is one member of a group.
type member struct {
	id, client, host string
	topics           int // of which it has partitions
}

// saw takes over what a group is like.
func (ch *chain) saw(c *consumer, a about) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c.about, c.counted = a, true
}

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
		if c == nil || ch.wrong(apiDescribeGroups, g.Group, g.ErrorCode) {
			continue
		}
		a := about{state: g.State, protocol: g.Protocol, protocolType: g.ProtocolType, members: len(g.Members)}
		for j := range g.Members {
			m := member{id: g.Members[j].MemberID, client: g.Members[j].ClientID, host: g.Members[j].ClientHost}
			if g.ProtocolType == protocolConsumer {
				ch.assignClassic(c, &m, g.Members[j].MemberAssignment)
			}
			a.empty += bit(m.topics == 0)
		}
		ch.saw(c, a)
	}
	return nil
}

func (ch *chain) assignClassic(c *consumer, m *member, raw []byte) {
	var a kmsg.ConsumerMemberAssignment
	if len(raw) == 0 || a.ReadFrom(raw) != nil {
		return
	}
	for i := range a.Topics {
		ch.assign(c, m, ch.snap.byName[a.Topics[i].Topic], a.Topics[i].Partitions)
	}
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
		if c == nil || ch.wrong(apiDescribeGroups, g.Group, g.ErrorCode) {
			continue
		}
		a := about{state: g.State, protocol: g.AssignorName, protocolType: protocolConsumer, members: len(g.Members)}
		for j := range g.Members {
			m := member{id: g.Members[j].MemberID, client: g.Members[j].ClientID, host: g.Members[j].ClientHost}
			for _, t := range g.Members[j].Assignment.TopicPartitions {
				ch.assign(c, &m, ch.snap.find(t.Topic, t.TopicID), t.Partitions)
			}
			a.empty += bit(m.topics == 0)
		}
		ch.saw(c, a)
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
		if c == nil || ch.wrong(apiDescribeGroups, g.GroupID, g.ErrorCode) {
			continue
		}
		a := about{state: g.GroupState, protocol: g.Assignor, protocolType: kindShare, members: len(g.Members)}
		for j := range g.Members {
			m := member{id: g.Members[j].MemberID, client: g.Members[j].ClientID, host: g.Members[j].ClientHost}
			for _, t := range g.Members[j].Assignment.TopicPartitions {
				ch.assign(c, &m, ch.snap.find(t.Topic, t.TopicID), t.Partitions)
			}
			a.empty += bit(m.topics == 0)
		}
		ch.saw(c, a)
	}
	return nil
}

// assign notes that a member has partitions of a topic. The members of a share
// group may have the same ones.
func (ch *chain) assign(c *consumer, m *member, t *topic, partitions []int32) {
	if len(partitions) == 0 {
		return
	}
	m.topics++
	if t == nil {
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
	if ch.compat(CompatKafkaLagExporter) {
		if e.owners == nil {
			e.owners = map[int32]*member{}
		}
		for _, p := range partitions {
			e.owners[p] = m
		}
	}
}

// find returns a topic by its name, or by its id where a broker tells only that.
func (s *snapshot) find(name string, id [16]byte) *topic {
	if t := s.byName[name]; t != nil || name != "" {
		return t
	}
	return s.byID[id]
}
