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
	fields []protoField // all but the first and the last: the identity and the checksum
	frame  []byte       // empty, or that of the registry
	atMost int          // bytes of a record whose strings are short, and an area behind it
	crc    *crc32.Table
}

// protoField is one field: its tag is one or two bytes, but two are written.
type protoField struct {
	tag  uint16
	size uint8
	op   op
}

func newProtoEncoder(s *generators.Schema, frame []byte) *protoEncoder {
	e := &protoEncoder{frame: frame, atMost: len(frame) + len(s.Fields)*longestValue + len(area{}), crc: castagnoli()}
	for i, o := range opsOf(s) {
		tag := protoTag(i+2, protoWire(s.Fields[i+1].Kind))
		e.fields = append(e.fields, protoField{binary.LittleEndian.Uint16(append(tag, 0)), uint8(len(tag)), o})
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

// Append works in the whole capacity of dst, of which n bytes are written.
func (e *protoEncoder) Append(dst []byte, ev *generators.Event) []byte {
	n := len(dst)
	dst = room(dst, n, e.atMost)
	n += copy(dst[n:], e.frame)
	start := n
	dst[n], dst[n+1] = 1<<3|wireBytes, generators.IDTextLen
	ev.ID.Put((*[generators.IDTextLen]byte)(dst[n+2:]))
	n += 2 + generators.IDTextLen
	values := ev.Values[1:]
	for at := 0; at < len(e.fields); {
		run := e.fields[at:min(at+runFields, len(e.fields))]
		done, size := putProtoFields((*area)(dst[n:]), run, values[at:])
		n += size
		if at += done; done < len(run) {
			dst, n = e.putText(dst, n, e.fields[at], values[at].Str)
			at++
		}
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	values[len(e.fields)] = generators.Value{Int: int64(sum)}
	binary.LittleEndian.PutUint16(dst[n:], protoChecksumTag)
	n += 2
	return dst[:n+putUvarint((*varint)(dst[n:]), uint64(sum))]
}

// putProtoFields writes fields up to a long string, and returns how many it wrote and
// how many bytes. It calls as little as it can, so that what it works with stays in
// registers.
//
//nolint:cyclop,funlen,gocognit // a call for each string would cost more than the string
func putProtoFields(a *area, fields []protoField, values []generators.Value) (done, m int) {
	values, _ = values[:len(fields)], a[0] // neither is looked at again in the loop
	for i, f := range fields {
		v, optional := &values[i], f.op&nullable != 0 // of what is optional, a zero value is written too
		if optional && v.Null {
			continue
		}
		binary.LittleEndian.PutUint16(a[m&inArea:], f.tag)
		at := (m + int(f.size)) & inArea
		switch f.op &^ nullable {
		case opString:
			s := v.Str
			if s == "" && !optional {
				continue
			}
			a[at] = byte(len(s))
			at = (at + 1) & inArea
			switch {
			case len(s) > shortText:
				return i, m
			case len(s) >= 16:
				copy(a[at:at+16], s[:16])
				copy(a[at+len(s)-16:at+len(s)], s[len(s)-16:])
			case len(s) >= 8:
				binary.LittleEndian.PutUint64(a[at:], word(s))
				binary.LittleEndian.PutUint64(a[at+len(s)-8:], word(s[len(s)-8:]))
			case len(s) >= 4:
				copy(a[at:at+4], s[:4])
				copy(a[at+len(s)-4:at+len(s)], s[len(s)-4:])
			case len(s) > 0:
				a[at], a[at+len(s)/2], a[at+len(s)-1] = s[0], s[len(s)/2], s[len(s)-1]
			}
			m = at + len(s)
		case opNumber:
			switch u := uint64(v.Int); {
			case u == 0 && !optional:
			case u < 1<<28:
				w, size := fourGroups(u)
				binary.LittleEndian.PutUint32(a[at:], w)
				m = at + size
			default:
				m = at + putUvarint((*varint)(a[at:]), u)
			}
		case opTime:
			m = at + putStamp((*stamp)(a[at:]), v.Int)
		default:
			if v.Int&1 != 0 || optional {
				a[at] = byte(v.Int & 1)
				m = at + 1
			}
		}
	}
	return len(fields), m
}

// putText writes a string of any length, and makes room for all that may come behind
// it.
func (e *protoEncoder) putText(dst []byte, n int, f protoField, s string) ([]byte, int) {
	binary.LittleEndian.PutUint16(dst[n:], f.tag)
	dst = append(binary.AppendUvarint(dst[:n+int(f.size)], uint64(len(s))), s...)
	return room(dst, len(dst), e.atMost), len(dst)
}

// stamp is room for the longest that putStamp writes: a length, and a tag and a
// varint twice.
type stamp [1 + 2*(1+binary.MaxVarintLen64)]byte

// putStamp writes a google.protobuf.Timestamp: its length, then seconds (1) and
// nanoseconds (2), neither of them when zero. It returns how long all is.
func putStamp(out *stamp, micros int64) int {
	ms := floorDiv(micros, 1000)
	seconds := floorDiv(ms, 1000)
	n := 1
	if seconds != 0 {
		out[1] = 1<<3 | wireVarint
		n = 2 + putUvarint((*varint)(out[2:]), uint64(seconds))
	}
	if rest := ms - seconds*1000; rest != 0 {
		out[n] = 2<<3 | wireVarint
		n += 1 + putUvarint((*varint)(out[n+1:]), uint64(rest)*1_000_000)
	}
	out[0] = byte(n - 1)
	return n
}
