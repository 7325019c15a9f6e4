package kafka

import "time"

// snapshot is what one collection knows of a cluster, read from the brokers'
// metadata and offsets.
type snapshot struct {
	at         time.Time
	clusterID  string
	controller int32 // -1: not known
	brokers    []broker
	topics     []*topic // those that the filter lets through, by name
	byName     map[string]*topic
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
