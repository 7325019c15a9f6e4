package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The rights that groups need, by API.
const (
	apiListGroups     = "ListGroups"
	apiDescribeGroups = "DescribeGroups"
	apiOffsetFetch    = "OffsetFetch"
)

// chain is what one broker says of the groups that it coordinates. A group's
// coordinator is the broker that lists it, so nobody needs to be asked for it.
type chain struct {
	*cycle
	broker broker

	groups []*consumer // what the broker listed and the filter lets through
	byName map[string]*consumer

	listErr   error // the groups are not known
	someErr   error // the broker listed some groups and says that there are more
	groupErr  error // states and members are not known
	commitErr error // commits are not known

	mu     sync.Mutex
	faults []fault // of single groups
}

// fault is why one group is not shown.
type fault struct {
	group string
	err   error
}

func (ch *chain) run(ctx context.Context) {
	if ch.listErr = ch.list(ctx); ch.listErr != nil || len(ch.groups) == 0 {
		return
	}
	var wait sync.WaitGroup
	wait.Go(func() { ch.groupErr = ch.describe(ctx) })
	wait.Go(func() { ch.commitErr = ch.fetch(ctx) })
	wait.Wait()
	if ch.AssignedOnly {
		for _, c := range ch.groups {
			c.onlyAssigned()
		}
	}
}

// list asks which groups there are.
func (ch *chain) list(ctx context.Context) error {
	resp, err := question[*kmsg.ListGroupsResponse](ctx, ch.wire, ch.broker.id, kmsg.NewPtrListGroupsRequest())
	if err != nil {
		return fmt.Errorf("listing groups: %w", err)
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		if isDenied(err) {
			ch.refused(apiListGroups, err)
			return nil
		}
		if len(resp.Groups) == 0 {
			return fmt.Errorf("listing groups: %w", err)
		}
		ch.someErr = fmt.Errorf("listing all groups: %w", err)
	}
	if resp.ErrorCode == 0 {
		ch.out.Authorized(apiListGroups, true)
	}
	ch.byName = make(map[string]*consumer, len(resp.Groups))
	for _, g := range resp.Groups {
		if !ch.cluster.groups.keeps(g.Group) || ch.byName[g.Group] != nil {
			continue
		}
		c := &consumer{
			group: g.Group, kind: strings.ToLower(g.GroupType), source: sourceKafka,
			about: about{state: g.GroupState, protocolType: g.ProtocolType}, coordinator: ch.broker.id,
		}
		if c.kind == "" { // the broker knows no other
			c.kind = kindClassic
		}
		ch.groups = append(ch.groups, c)
		ch.byName[c.group] = c
	}
	return nil
}

// describe asks for states and members, one request for each kind of group that
// there is.
func (ch *chain) describe(ctx context.Context) error {
	byKind := map[string][]string{}
	for _, c := range ch.groups {
		byKind[c.kind] = append(byKind[c.kind], c.group)
	}
	var wait sync.WaitGroup
	var errs [3]error
	for i, ask := range []struct {
		kind string
		of   func(context.Context, []string) error
	}{{kindClassic, ch.describeClassic}, {kindConsumer, ch.describeConsumer}, {kindShare, ch.describeShare}} {
		if names := byKind[ask.kind]; len(names) > 0 {
			wait.Go(func() { errs[i] = ask.of(ctx, names) })
		}
	}
	wait.Wait()
	return errors.Join(errs[:]...)
}

// wrong takes down that a group cannot be shown; true means that there is
// something wrong with it.
func (ch *chain) wrong(api, group string, code int16) bool {
	err := kerr.ErrorForCode(code)
	if err == nil {
		ch.out.Authorized(api, true)
		return false
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch c := ch.byName[group]; {
	case c == nil:
	case isDenied(err):
		ch.refused(api, err)
	case errors.Is(err, kerr.GroupIDNotFound): // deleted since it was listed
		c.state = stateDead
	default:
		ch.faults = append(ch.faults, fault{group, err})
	}
	return true
}

// stateDead is the state of a group that is not there any more.
const stateDead = "Dead"

// refused says that a right is missing.
func (y *cycle) refused(api string, err error) { inquiry{y.wire, y.out, api}.deny(err) }

// merge joins what the brokers said. A group that moves may be listed by two of
// them: the one that knows its members is right, else the one with the newer
// offsets.
func (y *cycle) merge() []*consumer {
	best := map[string]*consumer{}
	for _, ch := range y.chains {
		for _, c := range ch.groups {
			if b := best[c.group]; b == nil || newer(c, b) {
				best[c.group] = c
			}
		}
	}
	var out []*consumer
	for _, ch := range y.chains {
		kept := ch.groups[:0]
		for _, c := range ch.groups {
			if best[c.group] == c && c.state != stateDead {
				kept = append(kept, c)
			}
		}
		ch.groups = kept
		out = append(out, kept...)
	}
	return out
}

func newer(a, b *consumer) bool {
	switch {
	case (a.state == stateDead) != (b.state == stateDead):
		return b.state == stateDead
	case a.counted != b.counted:
		return a.counted
	case (a.members > 0) != (b.members > 0):
		return a.members > 0
	default:
		return a.progress() > b.progress()
	}
}

// progress tells which of two views of the same group is the newer.
func (c *consumer) progress() (sum int64) {
	for i := range c.topics {
		for _, at := range c.topics[i].commits {
			sum += at.offset
		}
	}
	return sum
}
