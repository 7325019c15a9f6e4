package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const apiListOffsets = "ListOffsets"

// bound is which offset of a partition is asked for.
type bound int

const (
	earliest bound = iota
	latest
	stable
)

func (b bound) String() string {
	return [...]string{"oldest", "newest", "last stable"}[b]
}

// leader is a broker with the partitions that it leads.
type leader struct {
	id    int32
	label string
	ask   []kmsg.ListOffsetsRequestTopic // all that it leads
	count int

	mu     sync.Mutex
	err    error   // of a whole answer
	moved  int     // partitions that another broker leads now, or nobody
	reason error   // why the first of them
	told   [3]bool // by bound
	denied error   // a right is missing
}

// leadersOf divides the partitions by leader. Those without one are asked of
// nobody.
func leadersOf(s *snapshot) []*leader {
	byID := map[int32]*leader{}
	var out []*leader
	for _, b := range s.brokers {
		l := &leader{id: b.id, label: b.label}
		byID[b.id] = l
		out = append(out, l)
	}
	for _, t := range s.topics {
		for i := range t.partitions {
			if l := byID[t.partitions[i].leader]; l != nil {
				l.add(t, &t.partitions[i])
			}
		}
	}
	return out
}

func (l *leader) add(t *topic, p *partition) {
	if n := len(l.ask); n == 0 || l.ask[n-1].Topic != t.name {
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = t.name
		l.ask = append(l.ask, rt)
	}
	rt := &l.ask[len(l.ask)-1]
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Partition, rp.MaxNumOffsets = p.number, 1
	rt.Partitions = append(rt.Partitions, rp)
	l.count++
}

const (
	isolationAll       = 0
	isolationCommitted = 1

	timestampLatest   = -1
	timestampEarliest = -2
)

// request makes the request for one bound. Requests share the list of
// partitions; those for latest and stable may be under way at once.
func (l *leader) request(which bound) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.Topics = l.ask
	req.IsolationLevel = isolationAll
	if which == stable {
		req.IsolationLevel = isolationCommitted
	}
	return req
}

// aim sets the timestamp of all partitions; the next requests ask for it.
func (l *leader) aim(timestamp int64) {
	if l.err != nil { // a request that nobody waits for may not be written yet
		l.ask = slices.Clone(l.ask)
		for i := range l.ask {
			l.ask[i].Partitions = slices.Clone(l.ask[i].Partitions)
		}
	}
	for i := range l.ask {
		for j := range l.ask[i].Partitions {
			l.ask[i].Partitions[j].Timestamp = timestamp
		}
	}
}

// list asks for one bound of all partitions that the broker leads.
func (l *leader) list(ctx context.Context, w *wire, s *snapshot, which bound) {
	if l.count == 0 {
		return
	}
	resp, err := question[*kmsg.ListOffsetsResponse](ctx, w, l.id, l.request(which))
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.err == nil {
			l.err = fmt.Errorf("reading the %s offsets: %w", which, err)
		}
		return
	}
	l.told[which] = true
	for i := range resp.Topics {
		rt := &resp.Topics[i]
		t := s.byName[rt.Topic]
		if t == nil {
			continue
		}
		for j := range rt.Partitions {
			l.take(t, &rt.Partitions[j], which)
		}
	}
}

func (l *leader) take(t *topic, rp *kmsg.ListOffsetsResponseTopicPartition, which bound) {
	i := t.at(rp.Partition)
	if i < 0 {
		return
	}
	offset := rp.Offset
	if len(rp.OldStyleOffsets) > 0 { // version 0
		offset = rp.OldStyleOffsets[0]
	}
	if rp.ErrorCode != 0 {
		l.refuse(t, rp)
		return
	}
	if offset < 0 {
		return
	}
	switch p := &t.partitions[i]; which {
	case earliest:
		p.start = offset
	case latest:
		p.end = offset
	case stable:
		p.stable = offset
	}
}

// refuse notes why a partition has no offset. One that is gone is no fault.
func (l *leader) refuse(t *topic, rp *kmsg.ListOffsetsResponseTopicPartition) {
	err := kerr.ErrorForCode(rp.ErrorCode)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		l.denied = err
	default:
		l.moved++
		if l.reason == nil {
			l.reason = fmt.Errorf("reading the offsets of %s/%s: %w", t.name, strconv.Itoa(int(rp.Partition)), err)
		}
	}
}

// each calls do for every partition that has families of its own.
func (l *leader) each(s *snapshot, do func(*topic, *partition)) {
	for i := range l.ask {
		t := s.byName[l.ask[i].Topic]
		if t.coarse {
			continue
		}
		for j := range l.ask[i].Partitions {
			do(t, &t.partitions[t.at(l.ask[i].Partitions[j].Partition)])
		}
	}
}

// settle puts right what three answers of different moments cannot agree on.
func (l *leader) settle(s *snapshot) {
	l.each(s, func(_ *topic, p *partition) {
		if p.end == unknown {
			return
		}
		p.stable, p.start = min(p.stable, p.end), min(p.start, p.end)
	})
}
