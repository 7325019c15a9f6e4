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
	ops   []op      // of all fields but the first and the last: the identity and the checksum
	tags  [][2]byte // before their values
	frame []byte    // empty, or that of the registry
	crc   *crc32.Table
}

func newProtoEncoder(s *generators.Schema, frame []byte) *protoEncoder {
	e := &protoEncoder{ops: opsOf(s), frame: frame, crc: castagnoli()}
	for i := range e.ops {
		tag := protoTag(i+2, protoWire(s.Fields[i+1].Kind))
		e.tags = append(e.tags, [2]byte(append(tag, 0)))
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
	start := len(dst)
	dst = appendID(append(dst, 1<<3|wireBytes, generators.IDTextLen), ev)
	values := ev.Values[1 : len(e.ops)+2]
	for i, op := range e.ops {
		v := &values[i]
		optional := op&nullable != 0 // also its zero value is written
		if optional && v.Null {
			continue
		}
		switch tag := e.tags[i]; op &^ nullable {
		case opString:
			if v.Str != "" || optional {
				dst = append(appendLen(appendTag(dst, tag), len(v.Str)), v.Str...)
			}
		case opNumber:
			if v.Int != 0 || optional {
				dst = appendUvarint(appendTag(dst, tag), uint64(v.Int))
			}
		case opTime:
			dst = appendStamp(appendTag(dst, tag), v.Int)
		default:
			if v.Int&1 != 0 || optional {
				dst = append(appendTag(dst, tag), byte(v.Int&1))
			}
		}
	}
	sum := crc32.Checksum(dst[start:], e.crc)
	values[len(e.ops)] = generators.Value{Int: int64(sum)}
	return appendUvarint(append(dst, protoChecksumTag&0xff, protoChecksumTag>>8), uint64(sum))
}

// appendTag appends a tag of one or two bytes.
func appendTag(dst []byte, tag [2]byte) []byte {
	if tag[1] == 0 {
		return append(dst, tag[0])
	}
	return append(dst, tag[0], tag[1])
}

// appendStamp appends a google.protobuf.Timestamp: its length, then seconds (1)
// and nanoseconds (2), neither of them when zero.
func appendStamp(dst []byte, micros int64) []byte {
	ms := floorDiv(micros, 1000)
	seconds := floorDiv(ms, 1000)
	at := len(dst)
	dst = append(dst, 0)
	if seconds != 0 {
		dst = appendUvarint(append(dst, 1<<3|wireVarint), uint64(seconds))
	}
	if rest := ms - seconds*1000; rest != 0 {
		dst = appendUvarint(append(dst, 2<<3|wireVarint), uint64(rest)*1_000_000)
	}
	dst[at] = byte(len(dst) - at - 1)
	return dst
}
