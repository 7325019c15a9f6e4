package delivery

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// OversizedBytes is how long the value is that makes a record oversized. It is
// far below what a broker takes (1 MiB by default): the record arrives, and it
// is the reader that must cope.
const OversizedBytes = 64 << 10

// Poisoner spoils records of one format and schema. It may be used from many
// goroutines at once.
type Poisoner struct {
	format  string
	typed   []int // fields that hold a number or a boolean
	numbers []int // fields that hold a number
	times   []int // fields that hold a time
	texts   []int // fields that hold a text
	fields  []generators.Field
}

// NewPoisoner returns the poisoner of a stream. Each class that is asked of it
// later must be among these, and mean something for format and schema.
func NewPoisoner(format string, s *generators.Schema, classes ...Class) (*Poisoner, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	p := &Poisoner{format: format, fields: s.Fields}
	for i, f := range s.Fields {
		switch f.Kind {
		case generators.Timestamp:
			p.times = append(p.times, i)
		case generators.UUID, generators.String:
			p.texts = append(p.texts, i)
		default:
			p.typed = append(p.typed, i)
			if f.Kind != generators.Bool {
				p.numbers = append(p.numbers, i)
			}
		}
	}
	for _, c := range classes {
		if !Applies(format, c) || c == InvalidTimestamp && len(p.times) == 0 {
			return nil, fail.New(fail.Usage, "leave it out", "poisoning %s of schema %q: %s means nothing there",
				format, s.Name, c)
		}
	}
	return p, nil
}

// Append appends record value, spoilt as the class says, to dst: bytes that no
// decoder of the format should take for a record. The same random bits spoil
// in the same way. A Tombstone is nil whatever dst is, for Kafka's null is not
// the empty value. A value that is no record of the schema is cut short
// instead, and so is one whose class does not apply.
func (p *Poisoner) Append(dst []byte, class Class, value []byte, random uint64) []byte {
	switch class {
	case Tombstone:
		return nil
	case Empty:
		if dst == nil {
			return []byte{}
		}
		return dst
	case NotFormat:
		return appendPage(dst, random)
	case Truncated:
		return p.truncate(dst, value, random)
	default:
	}
	n := len(dst)
	out, ok := dst, false
	switch p.format {
	case encode.JSON:
		out, ok = p.json(dst, class, value, random)
	case encode.Avro:
		out, ok = p.avro(dst, class, value, random)
	case encode.AvroRegistry, encode.ProtobufRegistry:
		out, ok = p.framed(dst, class, value, random)
	case encode.Protobuf:
		out, ok = p.protobuf(dst, class, value, random)
	case encode.CSV:
		out, ok = p.csv(dst, class, value, random)
	}
	if !ok {
		return p.truncate(out[:n], value, random)
	}
	return out
}

// truncate keeps at least one byte and loses at least one. Of Protobuf only
// the last byte is cut off: it is in the checksum, whose tag or number is then
// incomplete, while a cut between two fields would leave a whole message. Of
// CSV so much is cut off that the last column is gone.
func (p *Poisoner) truncate(dst, value []byte, random uint64) []byte {
	end := len(value)
	switch {
	case end < 2:
		return append(dst, value[:0]...)
	case p.format == encode.Protobuf || p.format == encode.ProtobufRegistry:
		return append(dst, value[:end-1]...)
	case p.format == encode.CSV:
		for end > 2 && value[end-1] != ',' {
			end--
		}
	}
	return append(dst, value[:1+generators.Below(random, uint64(end-1))]...)
}

// appendPage appends what a proxy answers when there is nobody behind it. It
// begins with an empty line, so that its first byte is no length of a string
// in Avro.
func appendPage(dst []byte, random uint64) []byte {
	dst = append(dst, "\r\n<!DOCTYPE html>\r\n<html><head><title>502 Bad Gateway</title></head>\r\n"+
		"<body><h1>502 Bad Gateway</h1><hr>request "...)
	return append(appendHex(dst, random), "</body></html>\r\n"...)
}

// appendHex appends 16 hexadecimal digits.
func appendHex(dst []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}

// appendDigits appends a number of so many digits, none of them zero.
func appendDigits(dst []byte, count int, random uint64) []byte {
	for range count {
		dst = append(dst, byte('1'+random%9))
		random = random*6364136223846793005 + 1442695040888963407
		random ^= random >> 29
	}
	return dst
}

// badText returns bytes that are not UTF-8: a byte that begins nothing, an
// overlong slash, half a surrogate pair, a lone continuation.
func badText(random uint64) string {
	switch random & 3 {
	case 0:
		return "\xff"
	case 1:
		return "\xc0\xaf"
	case 2:
		return "\xed\xa0\x80"
	default:
		return "\x80"
	}
}

// pick returns one of the list.
func pick[T any](list []T, random uint64) T { return list[generators.Below(random, uint64(len(list)))] }

// splice appends value with the bytes from start to end replaced.
func splice(dst, value []byte, start, end int, instead string) []byte {
	dst = append(dst, value[:start]...)
	dst = append(dst, instead...)
	return append(dst, value[end:]...)
}
