// Package encode turns events into bytes and back: JSON, Avro, protobuf, CSV,
// and Avro and protobuf with the frame of a Confluent-compatible Schema
// Registry. All of them follow one [generators.Schema]. Changes of rows, as
// Debezium tells them, have an encoder of their own ([ChangeEncoder]), and
// Parquet files a package (parquetfile).
//
// A value flows like this: a stream fills an event, [Encoder.Append] appends
// its bytes to the caller's buffer and stores the checksum in the event's last
// value; at the other end [Decoder.Decode] reads the bytes into an event again
// and [Decoder.Intact] says whether they still have the checksum they were
// made with.
//
// The checksum is the CRC-32C (RFC 3720 appendix B.4) of the encoded bytes of
// all fields before it. In JSON that is everything from the opening brace up
// to, and without, `,"checksum":`; in CSV everything before the last comma; in
// Avro and protobuf the record before the last field, without the frame.
//
// It does not talk to a registry, and it knows no stream.
package encode

import (
	"hash/crc32"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// The formats.
const (
	JSON         = "json"          // one object, members in the order of the schema, no spaces
	Avro         = "avro"          // Avro 1.12 binary encoding of one record, without a header
	AvroRegistry = "avro-registry" // the same after a zero byte and the schema id, four bytes, big endian

	Protobuf         = "protobuf"          // one message of ProtoSchema
	ProtobufRegistry = "protobuf-registry" // the same after zero byte, schema id and the list of indexes [0]: a zero byte
	CSV              = "csv"               // RFC 4180, one record, without a header and without a line break
)

// Debezium is the format of a [ChangeEncoder], which [New] does not make.
const Debezium = "debezium"

// Formats returns the names that [New] and [NewDecoder] know.
func Formats() []string {
	return []string{JSON, Avro, AvroRegistry, Protobuf, ProtobufRegistry, CSV}
}

// LineBreak returns what stands between the records of a file of that format,
// and "" for a binary format, whose records need their lengths.
func LineBreak(format string) string {
	switch format {
	case JSON, Debezium:
		return "\n"
	case CSV:
		return "\r\n"
	}
	return ""
}

// Encoder appends events of one schema. It may be used from many goroutines at
// once, each with an event and a buffer of its own.
type Encoder interface {
	// Append appends the encoded event and stores its checksum in the last
	// value of ev. It does not allocate when dst has room, and may scribble on
	// the capacity of dst behind the result.
	Append(dst []byte, ev *generators.Event) []byte
	// Format is the name the encoder was made with.
	Format() string
}

// Decoder reads events of one schema. It may be used from many goroutines at
// once, each with an event of its own.
type Decoder interface {
	// Decode reads one encoded event into dst, all of its values. It is strict:
	// the wrong type, a missing or doubled field, a number out of range and
	// bytes after the event are errors. What the schema does not know is skipped
	// in JSON and protobuf, and their fields may come in any order. The strings
	// of dst share one copy of value; nothing else is allocated when there are
	// no escapes.
	Decode(dst *generators.Event, value []byte) error
	// Intact reports whether value has the checksum it was made with, by its
	// bytes alone. It is meant for untouched records: one that was encoded
	// anew, with other spaces for example, is not intact.
	Intact(value []byte) bool
	// Format is the name the decoder was made with.
	Format() string
}

// Options are what a format needs beside the schema.
type Options struct {
	SchemaID uint32 // the id in the frame of avro-registry and protobuf-registry; default 0
}

// New returns the encoder of a format. The schema must not change afterwards.
func New(format string, s *generators.Schema, opt Options) (Encoder, error) {
	if err := check(format, s); err != nil {
		return nil, err
	}
	switch format {
	case JSON:
		return newJSONEncoder(s), nil
	case Avro:
		return newAvroEncoder(s, nil), nil
	case AvroRegistry:
		return newAvroEncoder(s, frame(opt.SchemaID)), nil
	case Protobuf:
		return newProtoEncoder(s, nil), nil
	case ProtobufRegistry:
		return newProtoEncoder(s, protoFrame(opt.SchemaID)), nil
	case CSV:
		return newCSVEncoder(s), nil
	}
	return nil, unknownFormat(format)
}

// NewDecoder returns the decoder of a format. It accepts any schema id of the
// registry but the record must be of this schema.
func NewDecoder(format string, s *generators.Schema) (Decoder, error) {
	if err := check(format, s); err != nil {
		return nil, err
	}
	switch format {
	case JSON:
		return newJSONDecoder(s), nil
	case Avro:
		return &avroDecoder{schema: s, crc: castagnoli()}, nil
	case AvroRegistry:
		return &avroDecoder{schema: s, crc: castagnoli(), framed: true}, nil
	case Protobuf:
		return &protoDecoder{schema: s, crc: castagnoli()}, nil
	case ProtobufRegistry:
		return &protoDecoder{schema: s, crc: castagnoli(), framed: true}, nil
	case CSV:
		return &csvDecoder{fields: s.Fields, crc: castagnoli()}, nil
	}
	return nil, unknownFormat(format)
}

// check says why a schema cannot be encoded in a format.
func check(format string, s *generators.Schema) error {
	if err := s.Check(); err != nil {
		return err
	}
	if format == Protobuf || format == ProtobufRegistry {
		return checkProto(s)
	}
	return nil
}

func unknownFormat(format string) error {
	known := strings.Join(Formats(), ", ")
	return fail.New(fail.Usage, "use one of "+known, "choosing format %q: not one of %s", format, known)
}

// castagnoli returns the table of CRC-32C; the standard library makes it once
// and computes the sum with the processor's own instruction.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
