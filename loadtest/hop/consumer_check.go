package hop

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/loadtest/sink"
)

const maxOddities = 100

// ConsumerResult is what a [Consumer] found on the topics.
type ConsumerResult struct {
	Records    uint64   // of the run, corrupt and disordered ones included
	Control    uint64   // markers of transactions
	Foreign    Oddities // without our headers, or of another run or stream
	Corrupt    Oddities // of the run, but the value is not the one that was sent, or a header cannot be read
	Disordered Oddities // of the run, but behind a record that was sent later (or the same one again)
	Gaps       Oddities // places where offsets are skipped: Count is the offsets; compaction and lost data do that
}

// Oddities are records, or places, that are not as they should be.
type Oddities struct {
	Count    uint64
	Examples []Oddity // the first 100
}

// Oddity is one of them.
type Oddity struct {
	Topic     string
	Partition int32
	Offset    int64
	Stream    uint16 // with Seq
	Seq       uint64
	HasSeq    bool // whether the record says which one of the run it is
	Detail    string
}

// add counts n and keeps one example while there is room. Examples that were
// given out stay as they are: appending never changes what is there.
func (o *Oddities) add(n uint64, example Oddity) {
	o.Count += n
	if len(o.Examples) < maxOddities {
		o.Examples = append(o.Examples, example)
	}
}

// checker holds records against their headers. One goroutine uses it.
type checker struct {
	run      []byte // as its header says it
	topics   map[string]ConsumerTopic
	onRecord func(stream uint16, seq uint64, intended, seen time.Time)
	table    *crc32.Table
	state    map[place]*partitionState
	result   ConsumerResult
}

// place is one partition.
type place struct {
	topic     string
	partition int32
}

// partitionState is how far one partition was read.
type partitionState struct {
	next    int64
	streams []uint16 // of the topic
	last    []uint64 // by index in streams: the highest sequence number so far, plus 1
}

func newChecker(cfg ConsumerConfig) checker {
	c := checker{
		run: fmt.Appendf(nil, "%012x", cfg.Run), topics: cfg.Topics, onRecord: cfg.OnRecord,
		table: crc32.MakeTable(crc32.Castagnoli), state: map[place]*partitionState{},
	}
	if c.onRecord == nil {
		c.onRecord = func(uint16, uint64, time.Time, time.Time) {}
	}
	for topic, t := range cfg.Topics {
		for p, start := range t.Start {
			c.state[place{topic, p}] = &partitionState{
				next: start, streams: t.Streams, last: make([]uint64, len(t.Streams)),
			}
		}
	}
	return c
}

// partition checks the records of one fetch from one partition.
func (c *checker) partition(topic string, partition int32, records []*kgo.Record, seen time.Time) {
	s := c.state[place{topic, partition}]
	if s == nil {
		return // not asked for
	}
	for _, r := range records {
		c.offset(s, r)
		if r.Attrs.IsControl() {
			c.result.Control++
			continue
		}
		c.record(s, r, seen)
	}
}

// offset holds that offsets follow each other.
func (c *checker) offset(s *partitionState, r *kgo.Record) {
	if r.Offset > s.next {
		c.result.Gaps.add(uint64(r.Offset-s.next), oddity(r, fmt.Sprintf("offsets %d to %d are not there",
			s.next, r.Offset-1)))
	}
	s.next = r.Offset + 1
}

func (c *checker) record(s *partitionState, r *kgo.Record, seen time.Time) {
	h := readHeaders(r.Headers)
	if !bytes.Equal(h.run, c.run) {
		c.result.Foreign.add(1, oddity(r, foreignDetail(h)))
		return
	}
	id, ok := h.identity()
	if !ok {
		c.result.Records++
		c.result.Corrupt.add(1, oddity(r, "its lakeproof headers cannot be read"))
		return
	}
	i := slices.Index(s.streams, id.stream)
	if i < 0 {
		c.result.Foreign.add(1, identified(r, id, fmt.Sprintf("stream %d of the run is not sent to this topic", id.stream)))
		return
	}
	c.result.Records++
	if sum := crc32.Checksum(r.Value, c.table); sum != id.crc {
		c.result.Corrupt.add(1, identified(r, id, fmt.Sprintf("the value's CRC-32C is %08x, sent was %08x", sum, id.crc)))
	}
	if id.seq < s.last[i] {
		c.result.Disordered.add(1, identified(r, id, fmt.Sprintf("it comes after record %d of the stream", s.last[i]-1)))
	}
	s.last[i] = max(s.last[i], id.seq+1)
	c.onRecord(id.stream, id.seq, time.UnixMicro(id.intended), seen)
}

func foreignDetail(h headers) string {
	if h.run == nil {
		return "it has no " + sink.HeaderRun + " header"
	}
	return fmt.Sprintf("it is of run %.32q", h.run)
}

func oddity(r *kgo.Record, detail string) Oddity {
	return Oddity{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Detail: detail}
}

func identified(r *kgo.Record, id identity, detail string) Oddity {
	o := oddity(r, detail)
	o.Stream, o.Seq, o.HasSeq = id.stream, id.seq, true
	return o
}

// headers are the lakeproof headers of a record as they are.
type headers struct {
	run, stream, seq, intended, crc []byte
}

// identity is what the headers say.
type identity struct {
	stream   uint16
	seq      uint64
	intended int64 // microseconds since the Unix epoch
	crc      uint32
}

// readHeaders picks ours among a record's headers; the first of a name counts.
func readHeaders(all []kgo.RecordHeader) headers {
	var h headers
	for _, r := range all {
		switch r.Key {
		case sink.HeaderRun:
			h.run = first(h.run, r.Value)
		case sink.HeaderStream:
			h.stream = first(h.stream, r.Value)
		case sink.HeaderSeq:
			h.seq = first(h.seq, r.Value)
		case sink.HeaderIntended:
			h.intended = first(h.intended, r.Value)
		case sink.HeaderCRC:
			h.crc = first(h.crc, r.Value)
		}
	}
	return h
}

func first(have, next []byte) []byte {
	if have != nil {
		return have
	}
	return next
}

// identity parses the headers.
func (h headers) identity() (identity, bool) {
	stream, ok1 := decimal(h.stream, 1<<16-1)
	seq, ok2 := decimal(h.seq, 1<<48-1)
	intended, ok3 := decimal(h.intended, 1<<62)
	crc, ok4 := hexadecimal(h.crc)
	return identity{uint16(stream), seq, int64(intended), crc}, ok1 && ok2 && ok3 && ok4
}

// decimal reads a number of at most limit.
func decimal(b []byte, limit uint64) (uint64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var n uint64
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + uint64(d-'0')
	}
	return n, n <= limit
}

// hexadecimal reads 8 lower-case digits.
func hexadecimal(b []byte) (uint32, bool) {
	if len(b) != 8 {
		return 0, false
	}
	var n uint32
	for _, d := range b {
		switch {
		case d >= '0' && d <= '9':
			n = n<<4 | uint32(d-'0')
		case d >= 'a' && d <= 'f':
			n = n<<4 | uint32(d-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
