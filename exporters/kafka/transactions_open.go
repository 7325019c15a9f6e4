package kafka

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
)

// culprit is an open transaction.
type culprit struct {
	id       string // "" where it is not known
	producer string
	broker   string // its coordinator
	since    time.Time
}

// orOlder is the older of two open transactions; one without a time is none.
func (c culprit) orOlder(o culprit) culprit {
	if c.since.IsZero() || !o.since.IsZero() && o.since.Before(c.since) {
		return o
	}
	return c
}

// describe asks the coordinators about the transactions that are open, at most
// one request each, and returns the oldest that keeps a partition open.
func (t *transactions) describe(
	ctx context.Context, w *wire, out *exporters.Batch, from []coordinator, gaps []*gap,
) culprit {
	byPlace := make(map[place]*gap, len(gaps))
	for _, g := range gaps {
		byPlace[g.place] = g
	}
	answers := make([]*kmsg.DescribeTransactionsResponse, len(from))
	cursor := make(map[string]string, len(from))
	var wait sync.WaitGroup
	for i, c := range from {
		if len(c.open) == 0 {
			continue
		}
		ids := window(c.open, t.cursor[c.broker.label])
		cursor[c.broker.label] = ids[len(ids)-1]
		part := out.Part(partOf("open-transactions", c.broker.label))
		wait.Go(func() {
			req := kmsg.NewPtrDescribeTransactionsRequest()
			req.TransactionalIDs = ids
			resp, err := question[*kmsg.DescribeTransactionsResponse](ctx, w, c.broker.id, req)
			if (inquiry{w, out, apiDescribeTransactions}).good(part, err) {
				answers[i] = resp
			}
		})
	}
	wait.Wait()
	t.cursor = cursor
	var oldest culprit
	for i, resp := range answers {
		if resp == nil {
			continue
		}
		q := inquiry{w, out, apiDescribeTransactions}
		for j := range resp.TransactionStates {
			oldest = oldest.orOlder(q.explain(&resp.TransactionStates[j], from[i].broker, byPlace))
		}
	}
	return oldest
}

// window returns up to [maxDescribed] of the ids, those after the last that was
// asked about first, so that all have their turn.
func window(ids []string, last string) []string {
	if len(ids) <= maxDescribed {
		return ids
	}
	at, _ := slices.BinarySearchFunc(ids, last, func(id, last string) int {
		if id <= last {
			return -1
		}
		return 1
	})
	return slices.Concat(ids[at:], ids[:at])[:maxDescribed]
}

// explain notes what one transaction keeps open; none where it keeps nothing.
func (q inquiry) explain(st *kmsg.DescribeTransactionsResponseTransactionState, b broker, gaps map[place]*gap) culprit {
	switch err := kerr.ErrorForCode(st.ErrorCode); {
	case err != nil && isDenied(err):
		q.deny(q.code(st.ErrorCode))
		return culprit{}
	case isMoved(st.ErrorCode):
		return culprit{}
	case err != nil:
		q.odd(st.TransactionalID, st.ErrorCode)
		return culprit{}
	case !isOpen(st.State) || st.StartTimestamp <= 0:
		return culprit{}
	}
	since := time.UnixMilli(st.StartTimestamp)
	holds := false
	for i := range st.Topics {
		for _, number := range st.Topics[i].Partitions {
			if g := gaps[place{st.Topics[i].Topic, number}]; g != nil {
				g.blame(since)
				holds = true
			}
		}
	}
	if !holds {
		return culprit{}
	}
	return culprit{st.TransactionalID, strconv.FormatInt(st.ProducerID, 10), b.label, since}
}

// blame says that a transaction keeps the partition open; the oldest counts.
func (g *gap) blame(since time.Time) {
	if !g.found || since.Before(g.started) {
		g.started = since
	}
	g.found = true
}

// restDenied is how long nobody is asked for producers after a refusal.
const restDenied = 5 * time.Minute

// producers asks the leaders of the partitions that stand still and that no
// transaction explains, at most one request each, and returns the producer that
// has kept one open the longest.
func (t *transactions) producers(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch, gaps []*gap) culprit {
	if !t.deniedT.IsZero() && s.at.Sub(t.deniedT) < restDenied {
		out.Authorized(apiProducers, false)
		return culprit{}
	}
	byLeader := map[int32][]*gap{}
	for _, g := range gaps {
		if id := g.at().leader; !g.found && g.again && id >= 0 && len(byLeader[id]) < maxDescribed {
			byLeader[id] = append(byLeader[id], g)
		}
	}
	var mu sync.Mutex
	var oldest culprit
	var wait sync.WaitGroup
	for id, list := range byLeader {
		wait.Go(func() {
			resp, err := question[*kmsg.DescribeProducersResponse](ctx, w, id, producersRequest(list))
			mu.Lock()
			defer mu.Unlock()
			q := inquiry{w, out, apiProducers}
			if !q.good(out.Part(partOf("producers", strconv.Itoa(int(id)))), err) {
				return
			}
			c, refused := q.blameProducers(resp, list)
			if refused {
				t.deniedT = s.at
			}
			oldest = oldest.orOlder(c)
		})
	}
	wait.Wait()
	return oldest
}

func producersRequest(gaps []*gap) *kmsg.DescribeProducersRequest {
	gaps = slices.SortedFunc(slices.Values(gaps), func(a, b *gap) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	req := kmsg.NewPtrDescribeProducersRequest()
	for _, g := range gaps {
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != g.topic {
			rt := kmsg.NewDescribeProducersRequestTopic()
			rt.Topic = g.topic
			req.Topics = append(req.Topics, rt)
		}
		rt := &req.Topics[len(req.Topics)-1]
		rt.Partitions = append(rt.Partitions, g.partition)
	}
	return req
}

// blameProducers notes which producers keep partitions open, and returns the
// oldest of them and whether a right is missing.
func (q inquiry) blameProducers(resp *kmsg.DescribeProducersResponse, gaps []*gap) (oldest culprit, refused bool) {
	byPlace := make(map[place]*gap, len(gaps))
	for _, g := range gaps {
		byPlace[g.place] = g
	}
	for i := range resp.Topics {
		rt := &resp.Topics[i]
		for j := range rt.Partitions {
			rp := &rt.Partitions[j]
			g := byPlace[place{rt.Topic, rp.Partition}]
			switch err := kerr.ErrorForCode(rp.ErrorCode); {
			case err != nil && isDenied(err):
				q.deny(q.code(rp.ErrorCode))
				refused = true
			case g == nil, isMoved(rp.ErrorCode):
			case err != nil:
				q.odd(rt.Topic+"/"+strconv.Itoa(int(rp.Partition)), rp.ErrorCode)
			default:
				oldest = oldest.orOlder(g.blameProducer(rp))
			}
		}
	}
	return oldest, refused
}

// blameProducer finds the producer whose open transaction begins where the
// stable offsets end. When it last wrote, its transaction was already open; the
// partition may have been seen stuck for longer.
func (g *gap) blameProducer(rp *kmsg.DescribeProducersResponseTopicPartition) culprit {
	for i := range rp.ActiveProducers {
		ap := &rp.ActiveProducers[i]
		if ap.CurrentTxnStartOffset != g.seen.stable {
			continue
		}
		since := g.seen.since
		if at := time.UnixMilli(ap.LastTimestamp); ap.LastTimestamp > 0 && at.Before(since) {
			since = at
		}
		g.blame(since)
		return culprit{producer: strconv.FormatInt(ap.ProducerID, 10), since: since}
	}
	return culprit{}
}
