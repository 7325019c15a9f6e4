// Package sink is where encoded records go: a Kafka topic, a file, a writer, or
// nowhere.
//
// A value flows like this: the sender fills a [Record] and calls Send, which
// copies what it keeps. The Kafka sink hands it to franz-go and, when the broker
// has answered, tells its [Books] what became of it: each record with its
// times, each produce batch with its offsets.
//
// It does not pace, generate or judge. Send may block when the system pushes
// back; it never drops.
package sink

import (
	"context"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// Record is one encoded record and its identity. Key and Value are read before
// Send returns. A nil Value is Kafka's null, which is not the empty value.
type Record struct {
	Stream      uint16
	Seq         uint64
	Intended    time.Time
	Key, Value  []byte
	Partition   int32
	TraceParent string // W3C trace context; "" for none

	// What only files look at.
	At     int64             // event time, microseconds since the Unix epoch
	Amount int64             // minor units; 0 where there is none
	Row    *generators.Event // of a file of rows
}

// Sink takes records. Send and Flush are called from several goroutines, but
// the records of one stream always from the same one.
type Sink interface {
	// Send hands a record over. It may block until there is room.
	Send(ctx context.Context, r *Record) error
	// Flush waits until every record that was sent has an outcome.
	Flush(ctx context.Context) error
	// Close releases what the sink holds; records without an outcome are lost.
	Close(ctx context.Context) error
}

// Books is told what became of records. Calls come from one goroutine at a time.
type Books interface {
	// Acked is called once for each acknowledged record.
	Acked(stream uint16, seq uint64, t Times)
	// Batch is called once for each acknowledged produce batch, after its records.
	Batch(b Batch)
	// Lost is called for a record that was not acknowledged. When certain is
	// true the broker surely did not write it; else it may have.
	Lost(stream uint16, seq uint64, certain bool, err error)
}

// Times are the three moments of an acknowledged record.
type Times struct{ Intended, Sent, Acked time.Time }

// Batch is a run of acknowledged records of one stream at consecutive offsets
// of one partition.
type Batch struct {
	Stream            uint16
	Partition         int32
	FirstOffset       int64
	Count             uint32
	FirstSeq, LastSeq uint64
	Sent              time.Time // of the first record
	Acked             time.Time
}

// Partition is where a record with this key goes: Java's default partitioner,
// murmur2 over the key (KIP-480 keeps it for records with keys).
func Partition(key []byte, partitions int32) int32 {
	return int32(murmur2(key)&0x7fffffff) % partitions
}

// murmur2 is the 32-bit hash with the seed that Kafka's Java client uses
// (org.apache.kafka.common.utils.Utils.murmur2).
func murmur2(b []byte) uint32 {
	const (
		seed uint32 = 0x9747b28c
		m    uint32 = 0x5bd1e995
		r           = 24
	)
	h := seed ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := (uint32(b[3])<<24 | uint32(b[2])<<16 | uint32(b[1])<<8 | uint32(b[0])) * m
		k = (k ^ k>>r) * m
		h = h*m ^ k
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(b[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
