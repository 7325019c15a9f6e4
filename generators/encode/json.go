package encode

import (
	"hash/crc32"
	"strconv"
	"unicode/utf8"

	"github.com/lakeproof/lakeproof/generators"
)

// jsonEncoder holds everything that is the same in every record.
type jsonEncoder struct {
	fields []jsonField // all but the checksum
	tail   string      // `,"checksum":`
	crc    *crc32.Table
}

type jsonField struct {
	name   string // `,"name":`, with a brace for the first comma
	quoted string // the same and the opening quote of the value
	kind   generators.Kind
	plain  bool
}

func newJSONEncoder(s *generators.Schema) *jsonEncoder {
	e := &jsonEncoder{crc: castagnoli()}
	lead := `{"`
	for _, f := range s.Fields {
		name := lead + f.Name + `":`
		e.fields = append(e.fields, jsonField{name: name, quoted: name + `"`, kind: f.Kind, plain: f.Plain})
		lead = `,"`
	}
	last := len(e.fields) - 1
	e.tail, e.fields = e.fields[last].name, e.fields[:last]
	return e
}

func (e *jsonEncoder) Format() string { return JSON }

func (e *jsonEncoder) Append(dst []byte, ev *generators.Event) []byte {
	start := len(dst)
	values := ev.Values[:len(e.fields)+1]
	for i := range e.fields {
		f, v := &e.fields[i], &values[i]
		if v.Null {
			dst = append(append(dst, f.name...), "null"...)
			continue
		}
		switch f.kind {
		case generators.UUID:
			dst = append(ev.ID.Append(append(dst, f.quoted...)), '"')
		case generators.String:
			dst = append(dst, f.quoted...)
			if f.plain {
				dst = append(dst, v.Str...)
			} else {
				dst = appendEscaped(dst, v.Str)
			}
			dst = append(dst, '"')
		case generators.Bool:
			dst = strconv.AppendBool(append(dst, f.name...), v.Int != 0)
		case generators.Timestamp:
			dst = append(appendTime(append(dst, f.quoted...), v.Int), '"')
		default: // Int, Long
			dst = appendInt(append(dst, f.name...), v.Int)
		}
	}
	sum := int64(crc32.Checksum(dst[start:], e.crc))
	values[len(e.fields)] = generators.Value{Int: sum}
	return append(appendInt(append(dst, e.tail...), sum), '}')
}

// appendEscaped appends s as the inside of a JSON string (RFC 8259 section 7);
// invalid UTF-8 becomes U+FFFD, as in encoding/json.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[done:i]...)
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, "\ufffd"...)
		case c >= ' ':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i += size
		done = i
	}
	return append(dst, s[done:]...)
}
