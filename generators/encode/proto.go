package encode

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/lakeproof/lakeproof/generators"
)

// The wire types of protobuf that we write or pass over.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// protoEncoder writes the binary encoding of protobuf: each field its tag and
// its value, in ascending order of the numbers, as the ordinary libraries do.
// What proto3 leaves out is left out: a field that is not optional and has the
// zero value of its type.
type protoEncoder struct {
	fields []protoField // all but the checksum
	frame  []byte       // empty, or that of the registry
	crc    *crc32.Table
}

// protoField is one field. Its tag is stored as two bytes always.
type protoField struct {
	tag      uint16 // the first byte in the low half
	size     int    // of the tag: 1 or 2
	kind     generators.Kind
	optional bool // also its zero value is written
}

const (
	// protoAtMost is the most bytes of a field, without its string's characters.
	protoAtMost = 2 + 1 + max(generators.IDTextLen, stampAtMost, binary.MaxVarintLen64)
	// stampAtMost is the most bytes inside a google.protobuf.Timestamp.
	stampAtMost = 1 + binary.MaxVarintLen64 + 1 + 5
)

func newProtoEncoder(s *generators.Schema, frame []byte) *protoEncoder {
	e := &protoEncoder{frame: frame, crc: castagnoli()}
	for i, f := range s.Fields[:len(s.Fields)-1] {
		tag := protoTag(i+1, protoWire(f.Kind))
		e.fields = append(e.fields, protoField{
			tag: binary.LittleEndian.Uint16(append(tag, 0)), size: len(tag), kind: f.Kind, optional: f.Nullable,
		})
	}
	return e
}

// protoTag returns what stands before a value: one or two bytes, as no number
// is above 2047.
func protoTag(number, wire int) []byte {
	return binary.AppendUvarint(make([]byte, 0, 3), uint64(number<<3|wire))
}

func protoWire(k generators.Kind) int {
	if k == generators.UUID || k == generators.String || k == generators.Timestamp {
		return wireBytes
	}
	return wireVarint
}

// protoFrame is the registry's frame before a message that is the first of its
// file: the list of message indexes [0] is written as one zero byte.
func protoFrame(id uint32) []byte { return append(frame(id), 0) }

func (e *protoEncoder) Format() string {
	if len(e.frame) > 0 {
		return ProtobufRegistry
	}
	return Protobuf
}

func (e *protoEncoder) Append(dst []byte, ev *generators.Event) []byte {
	dst = append(dst, e.frame...)
	start, n := len(dst), len(dst)
	values := ev.Values[:len(e.fields)+1]
	for i := range e.fields {
		f, v := &e.fields[i], &values[i]
		if f.optional && v.Null {
			continue
		}
		dst = room(dst, n, protoAtMost+binary.MaxVarintLen64+len(v.Str))
		n = f.put(dst, n, ev, v)
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	values[len(e.fields)] = generators.Value{Int: int64(sum)}
	dst = room(dst, n, protoAtMost)
	binary.LittleEndian.PutUint16(dst[n:], protoChecksumTag)
	return dst[:putUvarint(dst, n+2, uint64(sum))]
}

// put writes the field behind the first n bytes of dst, where there is room,
// and returns where it ends.
func (f *protoField) put(dst []byte, n int, ev *generators.Event, v *generators.Value) int {
	binary.LittleEndian.PutUint16(dst[n:], f.tag)
	at := n + f.size
	switch f.kind {
	case generators.UUID:
		dst[at] = generators.IDTextLen
		ev.ID.Put((*[generators.IDTextLen]byte)(dst[at+1:]))
		return at + 1 + generators.IDTextLen
	case generators.String:
		if v.Str == "" && !f.optional {
			return n
		}
		at = putUvarint(dst, at, uint64(len(v.Str)))
		return at + copy(dst[at:], v.Str)
	case generators.Timestamp:
		end := putStamp(dst, at+1, v.Int)
		dst[at] = byte(end - at - 1)
		return end
	case generators.Bool:
		if v.Int&1 == 0 && !f.optional {
			return n
		}
		dst[at] = byte(v.Int & 1)
		return at + 1
	default: // Int, Long
		if v.Int == 0 && !f.optional {
			return n
		}
		return putUvarint(dst, at, uint64(v.Int))
	}
}

// putStamp writes the inside of a google.protobuf.Timestamp: seconds (1) and
// nanoseconds (2), neither of them when zero.
func putStamp(dst []byte, n int, micros int64) int {
	ms := floorDiv(micros, 1000)
	seconds := floorDiv(ms, 1000)
	if seconds != 0 {
		dst[n] = 1<<3 | wireVarint
		n = putUvarint(dst, n+1, uint64(seconds))
	}
	if rest := ms - seconds*1000; rest != 0 {
		dst[n] = 2<<3 | wireVarint
		n = putUvarint(dst, n+1, uint64(rest)*1_000_000)
	}
	return n
}

// putUvarint writes a varint behind the first n bytes of dst, where there is
// room, and returns where it ends.
func putUvarint(dst []byte, n int, u uint64) int {
	for u >= 0x80 {
		dst[n] = byte(u) | 0x80
		u >>= 7
		n++
	}
	dst[n] = byte(u)
	return n + 1
}
