package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	apiListTransactions     = "ListTransactions"
	apiDescribeTransactions = "DescribeTransactions"
	apiProducers            = "DescribeProducers"

	// maxGaps bounds the partitions with a gap that are shown and remembered:
	// those with the largest.
	maxGaps = 1000
	// maxDescribed bounds the transactions and the partitions that one broker is
	// asked about in one collection.
	maxDescribed = 100
	// maxStates bounds the states that one broker tells of: Kafka has eight.
	maxStates = 16
)

// transactions shows what holds up readers of committed records. It remembers
// how long the last stable offsets have stood still. Its collections follow one
// another.
//
// Who it is that holds them up comes from the transactions' coordinators, which
// asks for no more than Describe. Only for a partition that no coordinator
// explains is its leader asked for its producers, which needs Read; without it,
// or meanwhile, the age of a transaction is the time since it has been seen.
type transactions struct {
	stuck   map[place]stuck
	cursor  map[string]string // by broker: the last transactional id that was asked about
	deniedT time.Time         // when the right to ask for producers was last found missing
}

// place is one partition of a topic.
type place struct {
	topic     string
	partition int32
}

type stuck struct {
	stable int64
	since  time.Time // first seen so
}

// gap is a partition whose end is beyond its last stable offset.
type gap struct {
	place
	topicOf *topic
	index   int // into its partitions
	size    int64
	seen    stuck
	again   bool // it stood there in the last collection, too

	found   bool // whether somebody knows who keeps it open
	started time.Time
}

func (g *gap) at() *partition { return &g.topicOf.partitions[g.index] }

// collect needs the ends and the last stable offsets in s. It asks each broker
// for its transactions, and where there is a gap, for more.
func (t *transactions) collect(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	gaps := t.gaps(s)
	coordinators := listTransactions(ctx, w, s, out, len(gaps) > 0)
	oldest := t.describe(ctx, w, out, coordinators, gaps).orOlder(t.producers(ctx, w, s, out, gaps))
	emitGaps(s, out, gaps)
	p := out.Part("transactions")
	emitGapSums(p, s)
	emitAges(p, s, gaps)
	if !oldest.since.IsZero() {
		p.Add(metrics.KafkaOldestTransactionInfo(), 1, oldest.id, oldest.producer, oldest.broker)
	}
}

// gaps finds the partitions with a gap, the largest first, and remembers them.
func (t *transactions) gaps(s *snapshot) []*gap {
	var out []*gap
	for _, tp := range s.topics {
		for i := range tp.partitions {
			p := &tp.partitions[i]
			if p.end == unknown || p.stable == unknown || p.stable >= p.end {
				continue
			}
			out = append(out, &gap{place: place{tp.name, p.number}, topicOf: tp, index: i, size: p.end - p.stable})
		}
	}
	slices.SortStableFunc(out, func(a, b *gap) int { return cmp.Compare(b.size, a.size) })
	out = out[:min(len(out), maxGaps)]
	now := make(map[place]stuck, len(out))
	for _, g := range out {
		g.seen = stuck{g.at().stable, s.at}
		if was, ok := t.stuck[g.place]; ok && was.stable == g.seen.stable {
			g.seen, g.again = was, true
		}
		now[g.place] = g.seen
	}
	t.stuck = now
	return out
}

// emitGaps writes the families by partition, into a part for each leader.
func emitGaps(s *snapshot, out *exporters.Batch, gaps []*gap) {
	parts := make(map[int32]*exporters.Part, len(s.brokers))
	for _, b := range s.brokers {
		parts[b.id] = out.Part(partOf("stable", b.label))
	}
	for id, part := range parts {
		if tellsNothing(s, id) {
			part.Fail(errNoStable)
		}
	}
	if s.detailAll {
		emitAllGaps(s, parts)
		return
	}
	for _, g := range gaps {
		if part := parts[g.at().leader]; part != nil && !g.topicOf.coarse {
			part.Add(metrics.KafkaPartitionLSOGap(), float64(g.size), g.topic, g.at().label)
		}
	}
}

// tellsNothing reports whether a broker leads partitions and told the last
// stable offset of none.
func tellsNothing(s *snapshot, broker int32) bool {
	leads := false
	for _, t := range s.topics {
		for i := range t.partitions {
			if p := &t.partitions[i]; p.leader == broker {
				if p.stable != unknown {
					return false
				}
				leads = true
			}
		}
	}
	return leads
}

// emitAllGaps writes the gaps of all partitions, with those that are none.
func emitAllGaps(s *snapshot, parts map[int32]*exporters.Part) {
	for _, t := range s.topics {
		for i := range t.partitions {
			p := &t.partitions[i]
			part := parts[p.leader]
			if part != nil && !t.coarse && p.end != unknown && p.stable != unknown {
				part.Add(metrics.KafkaPartitionLSOGap(), float64(max(0, p.end-p.stable)), t.name, p.label)
			}
		}
	}
}

var errNoStable = errors.New("reading the last stable offsets: the broker told none")

// emitGapSums writes the sums that are complete.
func emitGapSums(p *exporters.Part, s *snapshot) {
	for _, t := range s.topics {
		var sum int64
		complete := true
		for i := range t.partitions {
			q := &t.partitions[i]
			complete = complete && q.end != unknown && q.stable != unknown
			sum += max(0, q.end-q.stable)
		}
		if complete {
			p.Add(metrics.KafkaTopicLSOGap(), float64(sum), t.name)
		}
	}
}

// emitAges writes the age of each topic's oldest open transaction.
func emitAges(p *exporters.Part, s *snapshot, gaps []*gap) {
	oldest := map[string]time.Time{}
	for _, g := range gaps {
		since := g.seen.since
		if g.found {
			since = g.started
		} else if !g.again {
			continue // it may be of a moment ago
		}
		if was, ok := oldest[g.topic]; !ok || since.Before(was) {
			oldest[g.topic] = since
		}
	}
	for topic, since := range oldest {
		p.Add(metrics.KafkaTopicOldestTransaction(), max(0, s.at.Sub(since).Seconds()), topic)
	}
}

// coordinator is one broker with the transactions that are open at it.
type coordinator struct {
	broker broker
	open   []string // transactional ids
}

// listTransactions asks every broker for the transactions that it coordinates
// and counts them by state. Ids that one may not see are left out by the
// broker, without a word.
func listTransactions(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch, want bool) []coordinator {
	found := make([]coordinator, len(s.brokers))
	var wait sync.WaitGroup
	for i, b := range s.brokers {
		p := out.Part(partOf("transactions", b.label))
		wait.Go(func() {
			q := inquiry{w, out, apiListTransactions}
			resp, err := question[*kmsg.ListTransactionsResponse](ctx, w, b.id, kmsg.NewPtrListTransactionsRequest())
			if err == nil {
				err = q.code(resp.ErrorCode)
			}
			if !q.good(p, err) {
				return
			}
			emitStates(p, b, resp)
			if want {
				found[i] = coordinator{b, openOnes(resp)}
			}
		})
	}
	wait.Wait()
	return found
}

// isOpen reports whether a transaction in that state holds up readers.
func isOpen(state string) bool {
	return state == "Ongoing" || state == "PrepareCommit" || state == "PrepareAbort"
}

func openOnes(resp *kmsg.ListTransactionsResponse) []string {
	var ids []string
	for i := range resp.TransactionStates {
		if st := &resp.TransactionStates[i]; isOpen(st.TransactionState) {
			ids = append(ids, st.TransactionalID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func emitStates(p *exporters.Part, b broker, resp *kmsg.ListTransactionsResponse) {
	if len(resp.TransactionStates) == 0 {
		return
	}
	states := map[string]int{"Ongoing": 0}
	for i := range resp.TransactionStates {
		name := resp.TransactionStates[i].TransactionState
		if _, ok := states[name]; ok || len(states) < maxStates {
			states[name]++
		}
	}
	for name, n := range states {
		p.Add(metrics.KafkaTransactions(), float64(n), b.label, name)
	}
}

// isMoved reports whether an item is another broker's by now, or over.
func isMoved(code int16) bool {
	return isOneOf(kerr.ErrorForCode(code), kerr.NotCoordinator, kerr.CoordinatorLoadInProgress,
		kerr.CoordinatorNotAvailable, kerr.TransactionalIDNotFound, kerr.NotLeaderForPartition) || isGone(code)
}
