package delivery

import (
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Outcome is what a reader with the first version's schema makes of a record
// of another version.
type Outcome uint8

// The outcomes, from good to bad: a record has the worst of its fields.
const (
	Intact  Outcome = iota // a row with every column of version 1 as it was made
	Lost                   // a row, but a column is null that was not
	Altered                // a row, but a column has another value
	Refused                // no row: a dead letter
)

// String returns the outcome in a word.
func (o Outcome) String() string {
	names := strings.Fields("intact lost altered refused")
	if int(o) < len(names) {
		return names[o]
	}
	return "outcome?"
}

// Expect says what becomes of records of a version in a reader that knows
// version 1 only.
//
// JSON, and the shipped Spark job with its fixed schema file: members are found
// by name, unknown ones are left out, missing ones are null, and a value is
// taken when Spark's from_json takes it for the column's type. What that is was
// asked of Spark 4.1.3 (testdata/spark.json):
//
//	added            intact
//	removed, renamed lost, required or not: the job needs the event_id only
//	int -> long      intact: our numbers stay below 2^31
//	timestamp->string intact: JSON has the same text for both
//	timestamp -> long altered: a number counts as seconds
//	string -> long   altered: a number becomes its text
//	int, long, bool -> string; bool -> int   refused
//
// Avro with a registry: the reader resolves the writer's schema against its
// own (Avro 1.12, "Schema Resolution"):
//
//	added            intact
//	removed, renamed lost where nullable (null is the default), else refused
//	timestamp->long  intact: both are longs
//	any other kind   refused: a long does not become an int, nor a string a number
//
// The shipped job asks no registry: it refuses every schema id but its own.
//
// In other formats fields are told apart by their place, and what comes out
// depends on the bytes: no one can say it beforehand.
func Expect(format string, v *Version) (Outcome, error) {
	if v.Number == 1 {
		return Intact, nil
	}
	if format != encode.JSON && format != encode.AvroRegistry {
		return 0, fail.New(fail.Usage, "use "+encode.JSON+" or "+encode.AvroRegistry,
			"evolving a stream in format %q: what old readers make of new records cannot be said", format)
	}
	worst := Intact
	for i := range v.First.Fields {
		f := &v.First.Fields[i]
		at := v.Schema.Index(f.Name)
		switch {
		case at < 0 && (format == encode.JSON || f.Nullable):
			worst = max(worst, Lost)
		case at < 0:
			worst = max(worst, Refused)
		case format == encode.JSON:
			worst = max(worst, readJSON(f.Kind, v.Schema.Fields[at].Kind))
		default:
			worst = max(worst, resolveAvro(f.Kind, v.Schema.Fields[at].Kind))
		}
	}
	return worst, nil
}

func readJSON(reader, writer generators.Kind) Outcome {
	switch {
	case reader == writer,
		reader == generators.Int && writer == generators.Long,
		reader == generators.Timestamp && writer == generators.String:
		return Intact
	case reader == generators.Timestamp && writer == generators.Long,
		reader == generators.String && writer == generators.Long:
		return Altered
	default:
		return Refused
	}
}

func resolveAvro(reader, writer generators.Kind) Outcome {
	if reader == writer || reader == generators.Timestamp && writer == generators.Long {
		return Intact
	}
	return Refused
}

// Outcomes returns the outcome of each version, [0] of version 1.
func Outcomes(format string, versions []Version) ([]Outcome, error) {
	out := make([]Outcome, len(versions))
	for i := range versions {
		var err error
		if out[i], err = Expect(format, &versions[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
