package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetch asks for the offsets of all groups: one request, and one more where
// there are share groups.
func (ch *chain) fetch(ctx context.Context) error {
	var plain, share []string
	for _, c := range ch.groups {
		if c.kind == kindShare {
			share = append(share, c.group)
		} else {
			plain = append(plain, c.group)
		}
	}
	var wait sync.WaitGroup
	var err error
	if len(plain) > 0 {
		wait.Go(func() { err = ch.fetchPlain(ctx, plain) })
	}
	if len(share) > 0 {
		wait.Go(func() { ch.fetchShare(ctx, share) })
	}
	wait.Wait()
	return err
}

// firstBatched is the version of OffsetFetch that takes many groups.
const firstBatched = 8

// fetchPlain asks for many groups at once. A broker that is too old for that
// answers for the first one; the others are asked one by one.
func (ch *chain) fetchPlain(ctx context.Context, names []string) error {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = names[0]
	for _, name := range names {
		rg := kmsg.NewOffsetFetchRequestGroup()
		rg.Group = name
		req.Groups = append(req.Groups, rg)
	}
	for {
		resp, err := question[*kmsg.OffsetFetchResponse](ctx, ch.wire, ch.broker.id, req)
		if err != nil {
			return fmt.Errorf("reading the groups' offsets: %w", err)
		}
		if resp.Version >= firstBatched {
			for i := range resp.Groups {
				ch.takeCommits(&resp.Groups[i])
			}
			return nil
		}
		ch.takeCommits(oldCommits(names[0], resp))
		if names = names[1:]; len(names) == 0 {
			return nil
		}
		req = kmsg.NewPtrOffsetFetchRequest()
		req.Group = names[0]
	}
}

// oldCommits is an answer for a single group in the form of the newer ones.
func oldCommits(group string, resp *kmsg.OffsetFetchResponse) *kmsg.OffsetFetchResponseGroup {
	g := kmsg.NewOffsetFetchResponseGroup()
	g.Group, g.ErrorCode = group, resp.ErrorCode
	for _, t := range resp.Topics {
		gt := kmsg.NewOffsetFetchResponseGroupTopic()
		gt.Topic = t.Topic
		for _, p := range t.Partitions {
			gp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
			gp.Partition, gp.Offset, gp.ErrorCode = p.Partition, p.Offset, p.ErrorCode
			gt.Partitions = append(gt.Partitions, gp)
		}
		g.Topics = append(g.Topics, gt)
	}
	return &g
}

func (ch *chain) takeCommits(g *kmsg.OffsetFetchResponseGroup) {
	c := ch.byName[g.Group]
	if c == nil || ch.wrong(apiOffsetFetch, g.Group, g.ErrorCode) {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c.complete = true
	for i := range g.Topics {
		gt := &g.Topics[i]
		t := ch.snap.find(gt.Topic, gt.TopicID)
		if t == nil {
			continue
		}
		e := c.of(t)
		if e.commits == nil {
			e.commits = make([]commit, 0, len(gt.Partitions))
		}
		for j := range gt.Partitions {
			p := &gt.Partitions[j]
			e.take(p.Partition, p.Offset, p.ErrorCode)
		}
	}
}

// take notes one commit; a negative offset is none.
func (e *consumed) take(number int32, offset int64, code int16) {
	index := e.topic.at(number)
	switch {
	case index < 0:
	case code != 0:
		e.partial = e.partial || !errors.Is(kerr.ErrorForCode(code), kerr.UnknownTopicOrPartition)
	case offset >= 0:
		e.commits = append(e.commits, commit{index, offset})
	}
}

// fetchShare asks for the offsets at which share groups begin. The broker may
// have to ask others for them: when it does not answer, that costs the share
// groups only.
func (ch *chain) fetchShare(ctx context.Context, names []string) {
	req := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	for _, name := range names {
		rg := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
		rg.GroupID = name
		req.Groups = append(req.Groups, rg)
	}
	resp, err := question[*kmsg.DescribeShareGroupOffsetsResponse](ctx, ch.wire, ch.broker.id, req)
	if err != nil {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		for _, name := range names {
			ch.faults = append(ch.faults, fault{name, fmt.Errorf("reading the share groups' offsets: %w", err)})
		}
		return
	}
	for i := range resp.Groups {
		ch.takeShare(&resp.Groups[i], resp.Version)
	}
}

func (ch *chain) takeShare(g *kmsg.DescribeShareGroupOffsetsResponseGroup, version int16) {
	c := ch.byName[g.GroupID]
	if c == nil || ch.wrong(apiOffsetFetch, g.GroupID, g.ErrorCode) {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c.complete = true
	for i := range g.Topics {
		gt := &g.Topics[i]
		t := ch.snap.find(gt.Topic, gt.TopicID)
		if t == nil {
			continue
		}
		e := c.of(t)
		for j := range gt.Partitions {
			p := &gt.Partitions[j]
			before := len(e.commits)
			if e.take(p.Partition, p.StartOffset, p.ErrorCode); len(e.commits) > before {
				e.lags = append(e.lags, shareLag(p.Lag, version))
			}
		}
	}
}

// shareLag is what the broker says, which it does from version 1 on.
func shareLag(lag int64, version int16) int64 {
	if version < 1 {
		return unknown
	}
	return lag
}
