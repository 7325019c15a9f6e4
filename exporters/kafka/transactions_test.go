package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
)

const oldestAge = "kafka_topic_oldest_open_transaction_age_seconds{topic=ledger}"

// later lets the snapshots of an asker be of another time.
func later(by *time.Duration, ask asker) asker {
	return func(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
		s.at = s.at.Add(*by)
		ask(ctx, w, s, out)
	}
}

func TestTransactions(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(2, "ledger", "orders"))
	f.produce("orders", 2, 5)
	f.produce("ledger", 2, 5)
	var by time.Duration
	p := newPage(t, only(f, later(&by, (&transactions{}).collect)), exportersOptions())
	got := p.collect(t.Context())
	shows(t, got, map[string]float64{"kafka_topic_lso_gap{topic=orders}": 0, "kafka_topic_lso_gap{topic=ledger}": 0})
	showsNone(t, got, "kafka_topic_partition_lso_gap", "kafka_topic_oldest", "kafka_oldest", "kafka_transactions")

	cl := f.openTransaction("ledger", 1)
	n := f.count() // each of the fake's brokers lists all transactions, not its own
	by = 90 * time.Second
	got = p.collect(t.Context())
	coordinator := strconv.Itoa(int(f.CoordinatorFor("transfers-ledger")))
	shows(t, got, map[string]float64{
		"kafka_topic_partition_lso_gap{partition=1,topic=ledger}": 1, "kafka_topic_lso_gap{topic=ledger}": 1,
		"kafka_topic_lso_gap{topic=orders}":                            0,
		"kafka_transactions{broker=" + coordinator + ",state=Ongoing}": 1,
	})
	if v := got[oldestAge]; v < 89 || v > 95 {
		t.Errorf("the oldest transaction is %v s old", v)
	}
	info := fmt.Sprintf("kafka_oldest_open_transaction_info{broker=%s,producer_id=", coordinator)
	if !slices.ContainsFunc(seriesNames(got), func(k string) bool {
		return strings.HasPrefix(k, info) && strings.HasSuffix(k, ",transactional_id=transfers-ledger}")
	}) {
		t.Errorf("the transaction is not named: %v", own(got))
	}
	showsNone(t, got, "kafka_topic_partition_lso_gap{partition=0,topic=ledger", "kafka_topic_oldest_open_transaction_age_seconds{topic=orders")
	if n.byKey[int16(kmsg.DescribeProducers)] != 0 || n.byKey[int16(kmsg.DescribeTransactions)] != 3 || n.byKey[int16(kmsg.ListTransactions)] != 3 {
		t.Errorf("requests: %v", n.byKey)
	}

	if err := cl.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	got = p.collect(t.Context())
	shows(t, got, map[string]float64{"kafka_topic_lso_gap{topic=ledger}": 0})
	showsNone(t, got, "kafka_topic_partition_lso_gap", "kafka_topic_oldest", "kafka_oldest")
	if n.byKey[int16(kmsg.DescribeTransactions)] != 3 {
		t.Error("without a gap transactions are described")
	}
}

func seriesNames(m map[string]float64) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// A transaction that its coordinator does not tell of: the leader names the
// producer, once the partition stood still; without the right to ask it, the age
// is the time since it was first seen, and the leader is left alone for a while.
func TestTransactionThatNobodyExplains(t *testing.T) {
	for _, denied := range []bool{false, true} {
		t.Run(fmt.Sprintf("denied=%v", denied), func(t *testing.T) {
			f := newFake(t, kfake.SeedTopics(2, "ledger"))
			f.openTransaction("ledger", 0)
			f.ControlKey(int16(kmsg.ListTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
				f.KeepControl()
				return req.ResponseKind(), nil, true // as without Describe on transactional ids
			})
			if denied {
				f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeProducers}, Count: -1, Err: kerr.TopicAuthorizationFailed})
			}
			var by time.Duration
			p := newPage(t, only(f, later(&by, (&transactions{}).collect)), exportersOptions())
			n := f.count()
			showsNone(t, p.collect(t.Context()), oldestAge, "kafka_transactions")
			if n.byKey[int16(kmsg.DescribeProducers)] != 0 {
				t.Error("producers are asked for before the partition stood still")
			}
			by = time.Minute
			got := p.collect(t.Context())
			if v := got[oldestAge]; v < 59 || v > 65 {
				t.Errorf("the transaction is %v s old: %v", v, own(got))
			}
			by = 2 * time.Minute
			got = p.collect(t.Context())
			if denied {
				showsNone(t, got, "kafka_oldest")
				if authorized(got, apiProducers) != 0 || n.byKey[int16(kmsg.DescribeProducers)] != 1 {
					t.Errorf("authorized %v, asked %d times", authorized(got, apiProducers), n.byKey[int16(kmsg.DescribeProducers)])
				}
				return
			}
			if v := got[oldestAge]; v < 119 || v > 125 {
				t.Errorf("the transaction is %v s old", v)
			}
			if !slices.ContainsFunc(seriesNames(got), func(k string) bool {
				return strings.HasPrefix(k, "kafka_oldest_open_transaction_info{broker=,producer_id=") && strings.HasSuffix(k, "transactional_id=}")
			}) {
				t.Errorf("the producer is not named: %v", own(got))
			}
		})
	}
}

// Garbage: unknown states, ids that nobody asked about, a coordinator that has
// moved. No series is lost by it.
func TestTransactionsGarbage(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(2, "ledger"))
	f.openTransaction("ledger", 0)
	f.ControlKey(int16(kmsg.ListTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		resp := kmsg.NewPtrListTransactionsResponse()
		resp.Version = req.GetVersion()
		for i := range 40 {
			st := kmsg.NewListTransactionsResponseTransactionState()
			st.TransactionalID, st.TransactionState = "x", "State"+strconv.Itoa(i)
			resp.TransactionStates = append(resp.TransactionStates, st)
		}
		for range 2 {
			st := kmsg.NewListTransactionsResponseTransactionState()
			st.TransactionalID, st.TransactionState = "moved", "Ongoing"
			resp.TransactionStates = append(resp.TransactionStates, st)
		}
		return resp, nil, true
	})
	f.ControlKey(int16(kmsg.DescribeTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		resp := kmsg.NewPtrDescribeTransactionsResponse()
		for _, code := range []int16{kerr.NotCoordinator.Code, kerr.UnknownServerError.Code, 0, 0} {
			st := kmsg.NewDescribeTransactionsResponseTransactionState()
			st.ErrorCode, st.State, st.StartTimestamp = code, "Ongoing", -5
			tt := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
			tt.Topic, tt.Partitions = "ledger", []int32{-1, 0, 99}
			st.Topics = append(st.Topics, tt)
			resp.TransactionStates = append(resp.TransactionStates, st)
		}
		return resp, nil, true
	})
	got := newPage(t, only(f, (&transactions{}).collect), exportersOptions()).collect(t.Context())
	shows(t, got, map[string]float64{
		"kafka_topic_lso_gap{topic=ledger}": 1, "kafka_transactions{broker=0,state=Ongoing}": 2,
	})
	states := 0
	for k := range got {
		if strings.HasPrefix(k, "kafka_transactions{broker=0") {
			states++
		}
	}
	if states > maxStates {
		t.Errorf("%d states", states)
	}
	showsNone(t, got, oldestAge)
}

// A leader that tells no stable offsets fails its part; sums that need it are
// not there.
func TestTransactionsOfASilentLeader(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "ledger"), kfake.SeedTopics(1, "one"))
	const bad, good = 0, 1
	for topic, leaders := range map[string][]int32{"ledger": {bad, good, good}, "one": {good}} {
		for p, leader := range leaders {
			if err := f.MoveTopicPartition(topic, int32(p), leader); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if r := req.(*kmsg.ListOffsetsRequest); f.CurrentNode() == bad && r.IsolationLevel == isolationCommitted {
			return nil, errType, true
		}
		return nil, nil, false
	})
	got := newPage(t, only(f, (&transactions{}).collect), exportersOptions()).collect(t.Context())
	shows(t, got, map[string]float64{"kafka_topic_lso_gap{topic=one}": 0})
	showsNone(t, got, "kafka_topic_lso_gap{topic=ledger")
	if v := partOK(got, partOf("stable", strconv.Itoa(bad))); v != 0 {
		t.Errorf("the part of the silent leader is %v", v)
	}
}

// Gaps are bounded to the largest, and all open transactions get their turn.
func TestTransactionsAreBounded(t *testing.T) {
	tp := &topic{name: "ledger"}
	for i := range int32(3 * maxGaps) {
		tp.partitions = append(tp.partitions, partition{number: i, leader: 1, end: int64(i) + 1})
	}
	s := &snapshot{at: time.Unix(1, 0), topics: []*topic{tp}}
	var tx transactions
	if got := tx.gaps(s); len(got) != maxGaps || got[0].size != 3*maxGaps || len(tx.stuck) != maxGaps {
		t.Errorf("%d gaps, the largest %d, %d remembered", len(got), got[0].size, len(tx.stuck))
	}
	var ids []string
	for i := range 2*maxDescribed + 7 {
		ids = append(ids, fmt.Sprintf("id-%04d", i))
	}
	asked, last := map[string]bool{}, ""
	for range 3 {
		some := window(ids, last)
		if len(some) != maxDescribed {
			t.Fatalf("%d ids at once", len(some))
		}
		for _, id := range some {
			asked[id] = true
		}
		last = some[len(some)-1]
	}
	if len(asked) != len(ids) {
		t.Errorf("%d of %d ids were asked about", len(asked), len(ids))
	}
}
