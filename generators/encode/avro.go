package encode

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"

	"github.com/lakeproof/lakeproof/generators"
)

// avroEncoder writes the binary encoding of Avro 1.12: a record is its fields
// one after the other, without names.
type avroEncoder struct {
	ops    []op   // of all fields but the first and the last: the identity and the checksum
	frame  []byte // of the registry, when there is one
	framed bool
	atMost int // bytes of a record whose strings are short, and an area behind it
	crc    *crc32.Table
}

func newAvroEncoder(s *generators.Schema, frame []byte) *avroEncoder {
	e := &avroEncoder{
		ops: opsOf(s), frame: frame, framed: len(frame) > 0, crc: castagnoli(),
	}
	e.atMost = len(frame) + len(s.Fields)*longestValue + len(area{})
	return e
}

// frameLen is the length of the frame of the registry's wire format.
const frameLen = 5

// frame returns the registry's wire format header: magic byte 0, schema id.
func frame(id uint32) []byte { return binary.BigEndian.AppendUint32([]byte{0}, id) }

func (e *avroEncoder) Format() string {
	if e.framed {
		return AvroRegistry
	}
	return Avro
}

// Append works in the whole capacity of dst, of which n bytes are written.
func (e *avroEncoder) Append(dst []byte, ev *generators.Event) []byte {
	n := len(dst)
	dst = room(dst, n, e.atMost)
	if e.framed {
		n += copy(dst[n:], e.frame)
	}
	start := n // the frame is not summed
	dst[n] = 2 * generators.IDTextLen
	n++
	ev.ID.Put((*[generators.IDTextLen]byte)(dst[n:]))
	n += generators.IDTextLen
	values := ev.Values[1:]
	for at := 0; at < len(e.ops); {
		run := e.ops[at:min(at+runFields, len(e.ops))]
		done, size := putFields((*area)(dst[n:]), run, values[at:])
		n += size
		if at += done; done < len(run) {
			dst, n = e.putText(dst, n, e.ops[at], values[at].Str)
			at++
		}
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	values[len(e.ops)] = generators.Value{Int: int64(sum)}
	return dst[:n+putLong((*varint)(dst[n:]), int64(sum))]
}

// putFields writes fields up to a long string, and returns how many it wrote and how
// many bytes. It calls as little as it can, so that what it works with stays in
// registers.
//
//nolint:cyclop,funlen // a call for each string would cost more than the string
func putFields(a *area, ops []op, values []generators.Value) (done, m int) {
	values, _ = values[:len(ops)], a[0] // neither is looked at again in the loop
	for i, op := range ops {
		v := &values[i]
		at := m
		if op&nullable != 0 {
			if v.Null {
				a[m&inArea] = 0 // branch 0 of the union
				m++
				continue
			}
			a[m&inArea] = 2 // branch 1
			at++
		}
		at &= inArea
		switch op &^ nullable {
		case opString:
			s := v.Str
			a[at] = byte(len(s) << 1)
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
			u := zigzag(v.Int)
			switch {
			case u < 1<<7:
				a[at] = byte(u)
				m = at + 1
			case u < 1<<28:
				w, size := fourGroups(u)
				binary.LittleEndian.PutUint32(a[at:], w)
				m = at + size
			case u < 1<<56:
				w, size := eightGroups(u)
				binary.LittleEndian.PutUint64(a[at:], w)
				m = at + size
			default:
				m = at + binary.PutUvarint(a[at:at+len(varint{})], u)
			}
		case opTime:
			w, size := eightGroups(zigzag(floorDiv(v.Int, 1000))) // of so few milliseconds there are no more
			binary.LittleEndian.PutUint64(a[at:], w)
			m = at + size
		default:
			a[at] = byte(v.Int & 1)
			m = at + 1
		}
	}
	return len(ops), m
}

// putText writes a string of any length, and makes room for all that may come behind
// it.
func (e *avroEncoder) putText(dst []byte, n int, op op, s string) ([]byte, int) {
	dst = dst[:n]
	if op&nullable != 0 {
		dst = append(dst, 2)
	}
	dst = append(appendLong(dst, int64(len(s))), s...)
	return room(dst, len(dst), e.atMost), len(dst)
}

// zigzag puts the sign of a number into its lowest bit.
func zigzag(n int64) uint64 { return uint64(n<<1) ^ uint64(n>>63) }

// putLong writes a zigzag varint, int and long of Avro, and returns its length.
func putLong(out *varint, n int64) int { return putUvarint(out, zigzag(n)) }

// appendLong appends a zigzag varint: int and long of Avro.
func appendLong(dst []byte, n int64) []byte {
	return appendUvarint(dst, zigzag(n))
}

func floorDiv(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// avroType is a type with its annotation.
type avroType struct {
	Type        string `json:"type"`
	LogicalType string `json:"logicalType,omitempty"`
}

// AvroSchema returns the schema as JSON, as a registry takes it. A nullable
// field is a union of null and its type, with null as the default.
func AvroSchema(s *generators.Schema) string {
	type field struct {
		Name    string           `json:"name"`
		Type    any              `json:"type"`
		Doc     string           `json:"doc,omitempty"`
		Default *json.RawMessage `json:"default,omitempty"`
	}
	record := struct {
		Type      string  `json:"type"`
		Name      string  `json:"name"`
		Namespace string  `json:"namespace"`
		Doc       string  `json:"doc,omitempty"`
		Fields    []field `json:"fields"`
	}{Type: "record", Name: s.Name, Namespace: "lakeproof", Doc: s.Doc}
	for _, f := range s.Fields {
		out := field{Name: f.Name, Type: avroTypeOf(f.Kind), Doc: f.Doc}
		if f.Nullable {
			null := json.RawMessage("null")
			out.Type, out.Default = []any{"null", out.Type}, &null
		}
		record.Fields = append(record.Fields, out)
	}
	text, _ := json.Marshal(record) // strings and structs of strings always marshal
	return string(text)
}

func avroTypeOf(k generators.Kind) any {
	switch k {
	case generators.UUID:
		return avroType{Type: "string", LogicalType: "uuid"}
	case generators.String:
		return "string"
	case generators.Int:
		return "int"
	case generators.Bool:
		return "boolean"
	case generators.Timestamp:
		return avroType{Type: "long", LogicalType: "timestamp-millis"}
	default: // Long, Checksum
		return "long"
	}
}
