package encode

import (
	"hash/crc32"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
)

// csvEncoder writes records of RFC 4180 without their line break.
//
// CSV knows no null. As in PostgreSQL's COPY and in Spark, nothing between two
// commas is null, and a pair of quotes the empty string. Spark reads doubled
// quotes only with the option escape='"', and line breaks inside quotes only
// with multiLine=true.
type csvEncoder struct {
	kinds []generators.Kind // of all fields but the checksum
	crc   *crc32.Table
	dates dates
}

// csvAtMost is the most bytes of a value that is no string, with its comma.
const csvAtMost = generators.IDTextLen + 1

// CSVHeader returns the names of the fields as a record of CSV, in the order of
// the schema, without a line break.
func CSVHeader(s *generators.Schema) string {
	names := make([]string, len(s.Fields)) // letters, digits and underscores: nothing to quote
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return strings.Join(names, ",")
}

func newCSVEncoder(s *generators.Schema) *csvEncoder {
	e := &csvEncoder{crc: castagnoli()}
	for _, f := range s.Fields[:len(s.Fields)-1] {
		e.kinds = append(e.kinds, f.Kind)
	}
	return e
}

func (e *csvEncoder) Format() string { return CSV }

func (e *csvEncoder) Append(dst []byte, ev *generators.Event) []byte {
	start, n := len(dst), len(dst)
	values := ev.Values[:len(e.kinds)+1]
	for i := range e.kinds {
		v := &values[i]
		dst = room(dst, n, csvAtMost+2+2*len(v.Str)+csvAtMost)
		if i > 0 {
			dst[n] = ','
			n++
		}
		if v.Null {
			continue
		}
		switch e.kinds[i] {
		case generators.UUID:
			ev.ID.Put((*[generators.IDTextLen]byte)(dst[n:]))
			n += generators.IDTextLen
		case generators.String:
			n = putText(dst, n, v.Str)
		case generators.Bool:
			n += putBool((*[boolLen]byte)(dst[n:]), v.Int)
		case generators.Timestamp:
			e.dates.putTime((*[timeLen]byte)(dst[n:]), v.Int)
			n += timeLen
		default: // Int, Long
			n += putInt((*[intLen]byte)(dst[n:]), v.Int)
		}
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	values[len(e.kinds)] = generators.Value{Int: int64(sum)}
	dst = room(dst, n, csvAtMost)
	dst[n] = ','
	return dst[:n+1+putInt((*[intLen]byte)(dst[n+1:]), int64(sum))]
}

// putText writes a string, in quotes where it needs them, and returns where it
// ends. Spaces at its ends get them because some readers trim; `\.` because it
// ends the data for PostgreSQL.
func putText(dst []byte, n int, s string) int {
	if s != "" && s[0] != ' ' && s[len(s)-1] != ' ' && s != `\.` {
		if clean, _ := copyClean(dst[n:], s, ','); clean {
			return n + len(s)
		}
	}
	dst[n] = '"'
	n++
	for i := range len(s) {
		if s[i] == '"' {
			dst[n] = '"'
			n++
		}
		dst[n] = s[i]
		n++
	}
	dst[n] = '"'
	return n + 1
}
