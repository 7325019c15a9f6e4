package kafka

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	apiQuorum = "DescribeQuorum"
	// maxNodes bounds the voters and observers that are shown.
	maxNodes = 1000

	roleVoter    = "voter"
	roleObserver = "observer"
)

// metadataTopic is the log that the quorum keeps.
const metadataTopic = "__cluster_metadata"

// collectQuorum asks any broker for the state of the KRaft quorum; it passes
// the question on to the leader. A cluster with ZooKeeper has none.
func collectQuorum(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	p := out.Part("quorum")
	q := inquiry{w, out, apiQuorum}
	resp, err := anyAnswer[*kmsg.DescribeQuorumResponse](ctx, w, s, quorumRequest)
	if err == nil {
		err = q.code(resp.ErrorCode)
	}
	if !q.good(p, err) {
		return
	}
	rp := quorumPartition(resp)
	if rp == nil {
		p.Fail(errNoQuorum)
		return
	}
	if q.good(p, q.code(rp.ErrorCode)) {
		emitQuorum(p, rp, s.at)
	}
}

var errNoQuorum = errors.New("asking for DescribeQuorum: the answer is empty")

func quorumRequest() kmsg.Request {
	req := kmsg.NewPtrDescribeQuorumRequest()
	rt := kmsg.NewDescribeQuorumRequestTopic()
	rt.Topic = metadataTopic
	rt.Partitions = append(rt.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, rt)
	return req
}

func quorumPartition(resp *kmsg.DescribeQuorumResponse) *kmsg.DescribeQuorumResponseTopicPartition {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == metadataTopic && len(t.Partitions) > 0 {
			return &t.Partitions[0]
		}
	}
	return nil
}

func emitQuorum(p *exporters.Part, rp *kmsg.DescribeQuorumResponseTopicPartition, now time.Time) {
	p.Add(metrics.KafkaQuorumLeader(), float64(rp.LeaderID))
	p.Add(metrics.KafkaQuorumEpoch(), float64(rp.LeaderEpoch))
	if rp.HighWatermark >= 0 { // a new leader does not know it yet
		p.Add(metrics.KafkaQuorumHighWatermark(), float64(rp.HighWatermark))
	}
	p.Add(metrics.KafkaQuorumVoters(), float64(len(rp.CurrentVoters)))
	p.Add(metrics.KafkaQuorumObservers(), float64(len(rp.Observers)))
	n := quorumNodes{part: p, end: unknown, now: now.UnixMilli()}
	for i := range rp.CurrentVoters {
		if v := &rp.CurrentVoters[i]; v.ReplicaID == rp.LeaderID {
			n.end = v.LogEndOffset
			if v.LastCaughtUpTimestamp > 0 { // the leader's own time
				n.now = v.LastCaughtUpTimestamp
			}
		}
	}
	n.emit(roleVoter, rp.CurrentVoters)
	n.emit(roleObserver, rp.Observers)
}

// quorumNodes writes the families by node.
type quorumNodes struct {
	part *exporters.Part
	end  int64 // of the leader's log
	now  int64 // in milliseconds, by the leader's clock
}

func (n quorumNodes) emit(role string, nodes []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) {
	// A node with a new disk is there twice for a while: the one further on counts.
	best := map[int32]int{}
	for i := range nodes {
		if len(best) == maxNodes {
			break
		}
		if j, ok := best[nodes[i].ReplicaID]; !ok || nodes[i].LogEndOffset > nodes[j].LogEndOffset {
			best[nodes[i].ReplicaID] = i
		}
	}
	for id, i := range best {
		name := strconv.Itoa(int(id))
		if end := nodes[i].LogEndOffset; end >= 0 && n.end >= 0 {
			n.part.Add(metrics.KafkaQuorumNodeLag(), math.Max(0, float64(n.end-end)), name, role)
		}
		if at := nodes[i].LastCaughtUpTimestamp; at > 0 { // -1 or 0: never, or too old a broker
			n.part.Add(metrics.KafkaQuorumNodeLastCaughtUp(), math.Max(0, float64(n.now-at)/1000), name, role)
		}
	}
}
