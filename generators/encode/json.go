package encode

import (
	"hash/crc32"
	"slices"
	"unicode/utf8"

	"github.com/lakeproof/lakeproof/generators"
)

// jsonEncoder holds everything that is the same in every record.
type jsonEncoder struct {
	fields []jsonField // all but the checksum
	tail   jsonField   // the checksum
	crc    *crc32.Table
}

// jsonField is one member. What stands before its value is written as a whole
// array: a store of fixed size, which is far cheaper than a copy of its length.
type jsonField struct {
	lead   [leadSize]byte // `,"name":`, then the opening quote where the kind has one
	size   int            // of the lead, at most leadSize
	rest   string         // of a lead that is longer
	quote  int            // 1 where the kind has quotes, else 0
	kind   generators.Kind
	plain  bool
	atMost int // bytes of the member without its string's characters
}

const (
	leadSize     = 32
	longestValue = generators.IDTextLen + len(`""}`) // of those that are no strings
	longestByte  = len(`\u0000`)                     // what one byte of a string can become
)

func newJSONEncoder(s *generators.Schema) *jsonEncoder {
	e := &jsonEncoder{crc: castagnoli()}
	for i, f := range s.Fields {
		out := jsonField{kind: f.Kind, plain: f.Plain}
		lead := `,"` + f.Name + `":`
		if i == 0 {
			lead = "{" + lead[1:]
		}
		if f.Kind == generators.UUID || f.Kind == generators.String || f.Kind == generators.Timestamp {
			lead, out.quote = lead+`"`, 1
		}
		out.size = copy(out.lead[:], lead)
		out.rest = lead[out.size:]
		out.atMost = leadSize + len(out.rest) + longestValue
		e.fields = append(e.fields, out)
	}
	last := len(e.fields) - 1
	e.tail, e.fields = e.fields[last], e.fields[:last]
	return e
}

func (e *jsonEncoder) Format() string { return JSON }

// Append works in the whole capacity of dst, of which n bytes are written, and
// makes room once for each member.
func (e *jsonEncoder) Append(dst []byte, ev *generators.Event) []byte {
	start, n := len(dst), len(dst)
	values := ev.Values[:len(e.fields)+1]
	for i := range e.fields {
		f, v := &e.fields[i], &values[i]
		dst = room(dst, n, f.atMost+longestByte*len(v.Str))
		n = f.putLead(dst, n)
		if v.Null {
			n += copy(dst[n-f.quote:], "null") - f.quote
			continue
		}
		switch f.kind {
		case generators.UUID:
			ev.ID.Put((*[generators.IDTextLen]byte)(dst[n:]))
			n += generators.IDTextLen
		case generators.String:
			if f.plain || unescaped(v.Str) {
				n += copy(dst[n:], v.Str)
			} else {
				n = len(appendEscaped(dst[:n], v.Str)) // there is room: it stays in dst
			}
		case generators.Bool:
			n += copy(dst[n:], literal(v.Int))
		case generators.Timestamp:
			putTime((*[timeLen]byte)(dst[n:]), v.Int)
			n += timeLen
		default: // Int, Long
			n += putInt((*[intLen]byte)(dst[n:]), v.Int)
		}
		dst[n] = '"'
		n += f.quote
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	values[len(e.fields)] = generators.Value{Int: int64(sum)}
	dst = room(dst, n, e.tail.atMost)
	n = e.tail.putLead(dst, n)
	n += putInt((*[intLen]byte)(dst[n:]), int64(sum))
	dst[n] = '}'
	return dst[:n+1]
}

// putLead writes what stands before the value and returns where the value
// starts.
func (f *jsonField) putLead(dst []byte, n int) int {
	*(*[leadSize]byte)(dst[n:]) = f.lead
	n += f.size
	if f.rest != "" {
		n += copy(dst[n:], f.rest)
	}
	return n
}

func literal(b int64) string {
	if b != 0 {
		return "true"
	}
	return "false"
}

// room returns buf, of which n bytes are used, at its full capacity and with
// space for more.
func room(buf []byte, n, more int) []byte {
	if len(buf)-n >= more {
		return buf
	}
	buf = slices.Grow(buf[:n], more)
	return buf[:cap(buf)]
}

// unescaped reports whether s stands in a JSON string as it is. It looks at
// eight bytes at a time; the last eight may overlap those before.
func unescaped(s string) bool {
	if len(s) < 8 {
		for i := range len(s) {
			if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
				return false
			}
		}
		return true
	}
	const each, high = 0x0101010101010101, 0x8080808080808080
	found, foreign := uint64(0), uint64(0)
	for i := 0; i < len(s); i += 8 {
		w := word(s[min(i, len(s)-8):])
		quote, slash := w^'"'*each, w^'\\'*each
		found |= (w-' '*each)&^w | (quote-each)&^quote | (slash-each)&^slash
		foreign |= w
	}
	return found&high == 0 && (foreign&high == 0 || utf8.ValidString(s))
}

// word returns the first eight bytes, the first in the lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
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
