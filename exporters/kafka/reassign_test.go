package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestReassignments(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders", "still"))
	resp := kmsg.NewPtrListPartitionReassignmentsResponse()
	for _, name := range []string{"orders", "hidden"} {
		rt := kmsg.NewListPartitionReassignmentsResponseTopic()
		rt.Topic = name
		for p := range int32(2) {
			rp := kmsg.NewListPartitionReassignmentsResponseTopicPartition()
			rp.Partition, rp.AddingReplicas, rp.RemovingReplicas = p, []int32{4, 5}, []int32{1}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	f.ControlKey(int16(kmsg.ListPartitionReassignments), func(kmsg.Request) (kmsg.Response, error, bool) {
		return resp, nil, true // once
	})
	p := newPage(t, only(f, collectReassignments), exportersOptions())
	got := p.collect(t.Context())
	shows(t, got, map[string]float64{
		"kafka_reassigning_partitions{}":                           4,
		"kafka_topic_reassigning_partitions{topic=orders}":         2,
		"kafka_topic_reassignment_adding_replicas{topic=orders}":   4,
		"kafka_topic_reassignment_removing_replicas{topic=orders}": 2,
	})
	showsNone(t, got, "kafka_topic_reassigning_partitions{topic=still", "kafka_topic_reassigning_partitions{topic=hidden")
	got = p.collect(t.Context())
	shows(t, got, map[string]float64{"kafka_reassigning_partitions{}": 0})
	showsNone(t, got, "kafka_topic_reassign")
}

func TestReassignmentsRefused(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"))
	f.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.ListPartitionReassignments}, TopLevel: true, Count: -1, Err: kerr.ClusterAuthorizationFailed,
	})
	got := newPage(t, only(f, collectReassignments), exportersOptions()).collect(t.Context())
	if authorized(got, apiReassignments) != 0 || partOK(got, "reassignments") != 1 {
		t.Error("a missing right is not told as one")
	}
	showsNone(t, got, "kafka_reassigning_partitions")
}

// The broker that was asked closes the connection: another one is asked, and
// when that does the same, the part fails.
func TestReassignmentsAskAnother(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"))
	closes := 1
	f.ControlKey(int16(kmsg.ListPartitionReassignments), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if closes == 0 {
			return nil, nil, false
		}
		closes--
		return nil, errType, true
	})
	p := newPage(t, only(f, collectReassignments), exportersOptions())
	shows(t, p.collect(t.Context()), map[string]float64{"kafka_reassigning_partitions{}": 0})
	closes = 100
	if got := p.collect(t.Context()); partOK(got, "reassignments") != 0 {
		t.Error("nobody answers, and the part is well")
	}
}
