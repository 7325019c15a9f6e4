package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const apiReassignments = "ListPartitionReassignments"

// collectReassignments asks the controller for the reassignments in flight.
// Topics without any have no series.
func collectReassignments(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	p := out.Part("reassignments")
	q := inquiry{w, out, apiReassignments}
	resp, err := anyAnswer[*kmsg.ListPartitionReassignmentsResponse](ctx, w, s, func() kmsg.Request {
		req := kmsg.NewPtrListPartitionReassignmentsRequest() // Topics nil: all
		req.TimeoutMillis = int32(askTimeout.Milliseconds())
		return req
	})
	if err == nil {
		err = q.code(resp.ErrorCode)
	}
	if !q.good(p, err) {
		return
	}
	all := 0
	seen := make(map[string]bool, len(resp.Topics))
	for i := range resp.Topics {
		rt := &resp.Topics[i]
		all += len(rt.Partitions)
		if len(rt.Partitions) == 0 || s.byName[rt.Topic] == nil || seen[rt.Topic] {
			continue
		}
		seen[rt.Topic] = true
		adding, removing := 0, 0
		for j := range rt.Partitions {
			adding += len(rt.Partitions[j].AddingReplicas)
			removing += len(rt.Partitions[j].RemovingReplicas)
		}
		p.Add(metrics.KafkaTopicReassigningPartitions(), float64(len(rt.Partitions)), rt.Topic)
		p.Add(metrics.KafkaTopicReassignmentAdding(), float64(adding), rt.Topic)
		p.Add(metrics.KafkaTopicReassignmentRemoving(), float64(removing), rt.Topic)
	}
	p.Add(metrics.KafkaReassigningPartitions(), float64(all))
}
