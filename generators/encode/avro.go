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
	head   []byte // the frame, when there is one, and the length of the identity
	framed bool
	crc    *crc32.Table
}

func newAvroEncoder(s *generators.Schema, frame []byte) *avroEncoder {
	return &avroEncoder{
		ops: opsOf(s), head: append(frame, 2*generators.IDTextLen), framed: len(frame) > 0, crc: castagnoli(),
	}
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

func (e *avroEncoder) Append(dst []byte, ev *generators.Event) []byte {
	dst = append(dst, e.head...)
	start := len(dst) - 1 // the frame is not summed
	dst = appendID(dst, ev)
	ops, sum := e.ops, &ev.Values[len(e.ops)+1]
	values := ev.Values[1:][:len(ops)]
	for i := range values {
		v, op := &values[i], ops[i]
		if op&nullable != 0 {
			if v.Null {
				dst = append(dst, 0) // branch 0 of the union
				continue
			}
			if op == opString|nullable && len(v.Str) < 0x40 {
				dst = append(append(dst, 2, byte(len(v.Str)<<1)), v.Str...)
				continue
			}
			dst = append(dst, 2) // branch 1
		}
		switch op &^ nullable {
		case opString:
			dst = append(appendLong(dst, int64(len(v.Str))), v.Str...)
		case opNumber:
			dst = appendLong(dst, v.Int)
		case opTime:
			dst = appendLong(dst, floorDiv(v.Int, 1000))
		default:
			dst = append(dst, byte(v.Int&1))
		}
	}
	*sum = generators.Value{Int: int64(crc32.Checksum(dst[start:], e.crc))}
	return appendLong(dst, sum.Int)
}

// appendLong appends a zigzag varint: int and long of Avro.
func appendLong(dst []byte, n int64) []byte {
	return appendUvarint(dst, uint64(n<<1)^uint64(n>>63))
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
