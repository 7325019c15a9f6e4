package delivery

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators/encode"
)

// poisonFormats are the formats of which this package knows what is poison.
func poisonFormats() []string {
	return []string{
		encode.JSON, encode.Avro, encode.AvroRegistry, encode.Protobuf, encode.ProtobufRegistry, encode.CSV,
	}
}

// Applies reports whether a class of poison means something in a format: then
// [Poisoner.Append] makes bytes of it that the strict decoder refuses.
//
//	                    json  avro  avro-registry  protobuf  protobuf-registry  csv
//	truncated            R     R         R            R              R           R
//	wrong_type           R     R         R            R              R           R
//	missing_field        R     R         R            -              -           R
//	invalid_utf8         R     a         a            R              R           a
//	empty                R     R         R            a              R           R
//	tombstone            R     R         R            R              R           R
//	wrong_magic          R     -         R            -              R           -
//	unknown_schema_id    -     -         R            -              R           -
//	oversized            R     R         R            R              R           R
//	out_of_range         R     R         R            R              R           R
//	invalid_timestamp    R     a         a            -              -           R
//	not_format           R     R         R            R              R           R
//
// R: applies, and is surely rejected (see [Rejected]); a: applies only. Of Avro
// with a registry the shipped Spark job refuses those too (testdata/spark_avro.json).
func Applies(format string, class Class) bool {
	if !class.Poison() || !slices.Contains(poisonFormats(), format) {
		return false
	}
	switch class {
	case WrongMagic: // there must be a first byte that means something, or none that could be a record's
		return framed(format) || format == encode.JSON
	case UnknownSchemaID:
		return framed(format)
	case MissingField, InvalidTimestamp:
		// Protobuf 3 knows no required field, and any two numbers are a time.
		return format != encode.Protobuf && format != encode.ProtobufRegistry
	default:
		return true
	}
}

// Rejected reports whether no ordinary reader of the format makes a row of
// such a record, so that it can be expected among the dead letters. For JSON
// it is the shipped Spark job, asked itself: testdata/spark.json has what
// Spark 4.1.3 said to the bytes that Poisoner.Append makes. Only these classes
// may be used where books must close.
func Rejected(format string, class Class) bool {
	if !Applies(format, class) {
		return false
	}
	switch format {
	case encode.JSON:
		// All that apply, by how they are made. truncated, empty, not_format and
		// wrong_magic: from_json finds no object ("not a JSON object"), at least
		// the last brace being gone or something standing before the first.
		// wrong_type, out_of_range, oversized: a string, an array, an object or
		// too many digits where the column is a number or a boolean ("a field is
		// of another type"); a number in a string column would be taken, and so
		// would a number in a timestamp column, so these are never used.
		// invalid_timestamp: from_json tries each of its patterns and finds none.
		// invalid_utf8: Spark reads wrong bytes as U+FFFD and does not complain,
		// so they stand in a number, a boolean or a timestamp, never in a text.
		// missing_field: the job takes any field as null but the event_id ("no
		// event_id"), so it is the event_id that is missing. tombstone: "no value".
		return true
	case encode.Avro, encode.AvroRegistry:
		// Not invalid_utf8: Java's and most other readers take any bytes for a
		// string. Not invalid_timestamp: it is a long, and any long is one. The
		// others end before the last field, or have a length or a number that the
		// specification forbids, or a frame that no registry knows; the shipped job,
		// asked itself, refuses them all (testdata/spark_avro.json).
		return class != InvalidUTF8 && class != InvalidTimestamp
	case encode.Protobuf:
		// Not empty: it is the message with every field at its default.
		return class != Empty
	case encode.ProtobufRegistry:
		return true
	default: // csv
		// A reader that checks the number of columns and their types refuses all
		// but bytes that are not UTF-8, which many take as Latin-1.
		return class != InvalidUTF8
	}
}

// framed reports whether records of the format stand behind a registry's frame.
func framed(format string) bool {
	return format == encode.AvroRegistry || format == encode.ProtobufRegistry
}

// RejectedClasses returns the classes that [Rejected] allows for a format.
func RejectedClasses(format string) []Class {
	var out []Class
	for _, c := range AllPoisons() {
		if Rejected(format, c) {
			out = append(out, c)
		}
	}
	return out
}
