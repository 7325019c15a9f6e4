package encode

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// protoChecksum is the number of the checksum. All other fields are numbered by
// their place from 1 on; the checksum is always last, so that a field added to
// the schema would move it, and a number must never be given anew. It is above
// every place, so that the checksum also comes last on the wire.
const protoChecksum = 1000

// protoChecksumTag are the two bytes of its tag, the first in the low half.
const protoChecksumTag = protoChecksum<<3>>7<<8 | protoChecksum<<3&0x7f | 0x80

// ProtoSchema returns the schema as the text of a .proto file (proto3) with one
// message, as a registry and protoc take it. A field's number is its place,
// from 1 on, and that of the checksum is 1000. A nullable field is optional.
//
// A time is a google.protobuf.Timestamp and not an int64, because that is what
// others know as a time: from_protobuf of Spark makes a TimestampType of it,
// and ksqlDB and the converters of Kafka Connect a TIMESTAMP, where an int64
// becomes a number that somebody must convert. It costs about six bytes. The
// import is built into protoc and into the registry; a descriptor set for Spark
// needs `protoc --include_imports`.
//
// proto3 does not write a zero that is not optional. Spark shows such a field
// as null unless from_protobuf has the option emit.default.values=true; ksqlDB
// shows the zero.
func ProtoSchema(s *generators.Schema) string {
	var b strings.Builder
	b.WriteString("syntax = \"proto3\";\n\npackage lakeproof;\n\n")
	for _, f := range s.Fields {
		if f.Kind == generators.Timestamp {
			b.WriteString("import \"google/protobuf/timestamp.proto\";\n\n")
			break
		}
	}
	comment(&b, "", s.Doc)
	b.WriteString("message " + s.Name + " {\n")
	for i, f := range s.Fields {
		comment(&b, "  ", f.Doc)
		b.WriteString("  ")
		if f.Nullable {
			b.WriteString("optional ")
		}
		b.WriteString(protoType(f.Kind) + " " + f.Name + " = " + strconv.Itoa(protoNumber(s, i)) + ";\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// protoNumber is the number of the field at a place.
func protoNumber(s *generators.Schema, place int) int {
	if place == len(s.Fields)-1 {
		return protoChecksum
	}
	return place + 1
}

// comment writes each line of a text as one.
func comment(b *strings.Builder, indent, text string) {
	for line := range strings.Lines(text) {
		b.WriteString(indent + "// " + strings.TrimSpace(line) + "\n")
	}
}

func protoType(k generators.Kind) string {
	switch k {
	case generators.UUID, generators.String:
		return "string"
	case generators.Int:
		return "int32"
	case generators.Bool:
		return "bool"
	case generators.Timestamp:
		return "google.protobuf.Timestamp"
	default: // Long, Checksum
		return "int64"
	}
}

// checkProto refuses the names that Avro takes and protoc does not.
func checkProto(s *generators.Schema) error {
	const hint = "give the field another name, or use another format"
	seen := map[string]string{}
	for _, f := range s.Fields {
		if f.Name == "google" {
			return fail.Wrap(errors.New("checking the schema for protobuf: a field named google hides the package of Timestamp"),
				fail.Usage, hint)
		}
		name := protoJSONName(f.Name)
		if other, twice := seen[name]; twice {
			return fail.Wrap(fmt.Errorf("checking the schema for protobuf: fields %q and %q are both %q in its JSON",
				other, f.Name, name), fail.Usage, hint)
		}
		seen[name] = f.Name
	}
	return nil
}

// protoJSONName is the name that protoc gives a field in JSON: without
// underscores, the letter behind each in upper case.
func protoJSONName(name string) string {
	out := make([]byte, 0, len(name))
	upper := false
	for i := range len(name) {
		c := name[i]
		if c == '_' {
			upper = true
			continue
		}
		if upper && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		out, upper = append(out, c), false
	}
	return string(out)
}
