package kafka

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// snapshot is what one collection knows of a cluster, read from the brokers'
// metadata and offsets. Once the offsets are in it does not change.
type snapshot struct {
	at         time.Time
	clusterID  string
	controller int32 // -1: not known
	brokers    []broker
	topics     []*topic // those that the filter lets through, by name
	byName     map[string]*topic
	byID       map[[16]byte]*topic

	// memory is what other collections of the same cluster left behind.
	memory *memory
	// detailAll asks for families by partition where nothing is wrong, too.
	detailAll bool
}

type broker struct {
	id    int32
	label string // its id as a label value
	host  string
	port  int32
	rack  string
}

type topic struct {
	name       string
	id         [16]byte
	internal   bool
	partitions []partition // by number, without holes unless the brokers left some out

	// coarse: shown as sums for want of room, without families by partition.
	coarse bool
}

// unknown is an offset that no broker told.
const unknown = -1

type partition struct {
	number   int32
	label    string // its number as a label value
	leader   int32  // -1: none
	epoch    int32  // of the leader
	replicas []int32
	isr      []int32
	offline  []int32
	start    int64 // offset of the oldest record kept, or unknown
	end      int64 // high watermark, or unknown
	stable   int64 // last stable offset, or unknown
}

// at returns the index of a partition by its number, or -1.
func (t *topic) at(number int32) int {
	if i := int(number); i >= 0 && i < len(t.partitions) && t.partitions[i].number == number {
		return i
	}
	i, ok := slices.BinarySearchFunc(t.partitions, number, func(p partition, n int32) int { return int(p.number - n) })
	if !ok {
		return -1
	}
	return i
}

// memory is what the collections of one cluster leave to each other. It is safe
// for concurrent use.
type memory struct {
	mu     sync.Mutex
	minISR map[string]int
	labels []string // of partitions, by number
}

// setMinISR takes over min.insync.replicas by topic. The map is not altered
// afterwards.
func (m *memory) setMinISR(byTopic map[string]int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.minISR = byTopic
}

// getMinISR returns min.insync.replicas by topic, as far as it is known; the
// caller does not alter it.
func (m *memory) getMinISR() map[string]int {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.minISR
}

// maxLabels bounds the label values of partitions that are kept.
const maxLabels = 10_000

// partitionLabels returns the label values of the partitions 0 to n-1; the
// caller does not alter them.
func (m *memory) partitionLabels(n int) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.labels); i < min(n, maxLabels); i++ {
		m.labels = append(m.labels, strconv.Itoa(i))
	}
	return m.labels
}

// newSnapshot reads a broker's metadata; keep says which topics are of interest.
func newSnapshot(meta *kmsg.MetadataResponse, m *memory, keep func(topic string) bool) *snapshot {
	s := &snapshot{at: time.Now(), controller: meta.ControllerID, memory: m}
	if meta.ClusterID != nil {
		s.clusterID = *meta.ClusterID
	}
	for _, b := range meta.Brokers {
		nb := broker{id: b.NodeID, label: strconv.Itoa(int(b.NodeID)), host: b.Host, port: b.Port}
		if b.Rack != nil {
			nb.rack = *b.Rack
		}
		s.brokers = append(s.brokers, nb)
	}
	slices.SortFunc(s.brokers, func(a, b broker) int { return int(a.id) - int(b.id) })
	s.byName = make(map[string]*topic, len(meta.Topics))
	s.byID = make(map[[16]byte]*topic, len(meta.Topics))
	for i := range meta.Topics {
		mt := &meta.Topics[i]
		if mt.Topic == nil || len(mt.Partitions) == 0 && mt.ErrorCode != 0 || !keep(*mt.Topic) || s.byName[*mt.Topic] != nil {
			continue
		}
		t := &topic{name: *mt.Topic, id: mt.TopicID, internal: mt.IsInternal}
		t.partitions = readPartitions(mt.Partitions, m)
		s.topics = append(s.topics, t)
		s.byName[t.name] = t
		if t.id != [16]byte{} {
			s.byID[t.id] = t
		}
	}
	slices.SortFunc(s.topics, func(a, b *topic) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return s
}

func readPartitions(from []kmsg.MetadataResponseTopicPartition, m *memory) []partition {
	labels := m.partitionLabels(len(from))
	out := make([]partition, 0, len(from))
	for i := range from {
		mp := &from[i]
		p := partition{
			number: mp.Partition, leader: mp.Leader, epoch: mp.LeaderEpoch,
			replicas: mp.Replicas, isr: mp.ISR, offline: mp.OfflineReplicas,
			start: unknown, end: unknown, stable: unknown,
		}
		if mp.ErrorCode == kerr.LeaderNotAvailable.Code {
			p.leader = -1
		}
		if n := int(p.number); n >= 0 && n < len(labels) {
			p.label = labels[n]
		} else {
			p.label = strconv.Itoa(n)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b partition) int { return int(a.number) - int(b.number) })
	return slices.CompactFunc(out, func(a, b partition) bool { return a.number == b.number })
}
