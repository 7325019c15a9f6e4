package delivery

import (
	"encoding/binary"
	"math"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// frameLen is the length of a registry's frame: a zero byte and four of id.
const frameLen = 5

// firstUnknownID begins ids that no registry has given out: they count from one.
const firstUnknownID = 0x7f000000

// framed spoils a record behind a registry's frame.
func (p *Poisoner) framed(dst []byte, class Class, value []byte, random uint64) ([]byte, bool) {
	if len(value) < frameLen || value[0] != 0 {
		return dst, false
	}
	switch class {
	case WrongMagic: // not 0, nor 1, which newer registries use
		dst = append(dst, byte(2+random%254))
		return append(dst, value[1:]...), true
	case UnknownSchemaID:
		// Such a record is not of the stream's schema either. The body says so
		// too, for readers that skip the frame: a text of four bytes in Avro; the
		// first message, and a text that is longer than what follows, in Protobuf.
		dst = binary.BigEndian.AppendUint32(append(dst, 0), firstUnknownID|uint32(random)&0xffffff)
		if p.format == encode.ProtobufRegistry {
			return append(dst, "\x00\x0a\x08test"...), true
		}
		return append(dst, "\x08test"...), true
	default:
	}
	if p.format == encode.AvroRegistry {
		return p.avro(append(dst, value[:frameLen]...), class, value[frameLen:], random)
	}
	if len(value) == frameLen || value[frameLen] != 0 { // the list of indexes, as our encoder writes it
		return dst, false
	}
	return p.protobuf(append(dst, value[:frameLen+1]...), class, value[frameLen+1:], random)
}

// avro spoils the binary encoding of one record.
func (p *Poisoner) avro(dst []byte, class Class, body []byte, random uint64) ([]byte, bool) {
	more := generators.Again(random)
	switch class {
	case WrongType: // where the first text has its length there is a number below zero
		_, end, ok := p.field(body, 0)
		if !ok || end < generators.IDTextLen {
			return dst, false
		}
		dst = binary.AppendVarint(dst, -1-int64(random%1000))
		return append(dst, body[end-generators.IDTextLen:]...), true
	case MissingField: // the writer did not know the last one
		start, _, ok := p.field(body, len(p.fields)-1)
		return append(dst, body[:start]...), ok
	case Oversized: // the first text takes all the room there is, and the record ends
		dst = binary.AppendVarint(dst, OversizedBytes)
		return appendDigits(dst, OversizedBytes, random), true
	case OutOfRange: // more than the ten bytes that 64 bits need
		return p.replace(dst, body, pick(p.numbers, random), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
	case InvalidTimestamp: // a millisecond that microseconds cannot count
		var far [binary.MaxVarintLen64]byte
		n := binary.PutVarint(far[:], math.MaxInt64-int64(random%1e6))
		if len(p.times) == 0 {
			return dst, false
		}
		return p.replace(dst, body, pick(p.times, random), string(far[:n]))
	case InvalidUTF8:
		return p.scramble(dst, body, more)
	default:
	}
	return dst, false
}

// replace appends the body with another encoding of a number.
func (p *Poisoner) replace(dst, body []byte, i int, instead string) ([]byte, bool) {
	start, end, ok := p.field(body, i)
	if !ok {
		return dst, false
	}
	if p.fields[i].Nullable {
		dst = append(dst, body[:start]...)
		return append(append(append(dst, 2), instead...), body[end:]...), true
	}
	return splice(dst, body, start, end, instead), true
}

// scramble appends the body with a byte in a text that is not UTF-8. The
// event_id is always there.
func (p *Poisoner) scramble(dst, body []byte, random uint64) ([]byte, bool) {
	start, end, ok := p.field(body, pick(p.texts, random))
	if !ok {
		return dst, false
	}
	if end-start < 4 { // null or nearly empty
		if _, end, ok = p.field(body, 0); !ok {
			return dst, false
		}
	}
	n := len(dst)
	dst = append(dst, body...)
	dst[n+end-1] = 0xff
	return dst, true
}

// field finds where field i begins and ends in a record of Avro.
func (p *Poisoner) field(body []byte, i int) (start, end int, ok bool) {
	at := 0
	for f := 0; f <= i; f++ {
		start = at
		if at, ok = skipAvro(&p.fields[f], body, at); !ok {
			return 0, 0, false
		}
	}
	return start, at, true
}

// skipAvro returns where the field that begins at a place ends.
func skipAvro(f *generators.Field, body []byte, at int) (int, bool) {
	if f.Nullable {
		if at >= len(body) || body[at] != 0 && body[at] != 2 {
			return 0, false
		}
		at++
		if body[at-1] == 0 {
			return at, true
		}
	}
	if f.Kind == generators.Bool {
		return at + 1, at < len(body)
	}
	if at > len(body) {
		return 0, false
	}
	n, size := binary.Varint(body[at:])
	if size <= 0 {
		return 0, false
	}
	at += size
	if f.Kind == generators.UUID || f.Kind == generators.String {
		if n < 0 || n > int64(len(body)-at) {
			return 0, false
		}
		at += int(n)
	}
	return at, true
}

// protobuf spoils a message.
func (p *Poisoner) protobuf(dst []byte, class Class, value []byte, random uint64) ([]byte, bool) {
	const text1 = 1<<3 | 2 // the tag of field 1, a text: the event_id
	switch class {
	case WrongType: // field 1 with a wire type that there is not
		return append(append(dst, 1<<3|7), value...), true
	case Oversized: // a text that says it is longer than what follows
		dst = binary.AppendUvarint(append(dst, text1), OversizedBytes+1)
		return appendDigits(dst, OversizedBytes, random), true
	case OutOfRange: // field 1, a number of more than the ten bytes that 64 bits need
		return append(append(dst, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"...), value...), true
	case InvalidUTF8:
		if len(value) < 3 || value[0] != text1 || value[1] != generators.IDTextLen ||
			len(value) < 2+generators.IDTextLen {
			return dst, false
		}
		n := len(dst)
		dst = append(dst, value...)
		dst[n+2+int(random%generators.IDTextLen)] = 0xff
		return dst, true
	default:
	}
	return dst, false
}
