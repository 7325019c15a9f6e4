package encode

import (
	"encoding/binary"
	"hash/crc32"
	"unicode/utf8"

	"github.com/lakeproof/lakeproof/generators"
)

// jsonEncoder holds everything that is the same in every record.
type jsonEncoder struct {
	first  jsonField   // the identity
	fields []jsonField // those between
	tail   jsonField   // the checksum
	crc    *crc32.Table
}

// jsonField is one member. What stands before its value is written as a whole
// array: a store of fixed size, which is far cheaper than a copy of its length.
type jsonField struct {
	lead   [leadSize]byte // `,"name":`, then the opening quote where the kind has one
	rest   string         // of a lead that is longer
	atMost int            // bytes of the member without its string's characters
	size   uint8          // of the lead, at most leadSize
	quote  uint8          // 1 where the kind has quotes, else 0
	kind   generators.Kind
	plain  bool
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
		out.size = uint8(copy(out.lead[:], lead))
		out.rest = lead[out.size:]
		out.atMost = leadSize + len(out.rest) + longestValue
		e.fields = append(e.fields, out)
	}
	last := len(e.fields) - 1
	e.first, e.tail, e.fields = e.fields[0], e.fields[last], e.fields[1:last]
	return e
}

func (e *jsonEncoder) Format() string { return JSON }

// Append works in the whole capacity of dst, of which n bytes are written, and
// makes room once for each member.
func (e *jsonEncoder) Append(dst []byte, ev *generators.Event) []byte {
	start := len(dst)
	dst, n := e.first.putID(dst, ev)
	fields := e.fields
	values := ev.Values[1:][:len(fields)]
	for i := range values {
		f, v := &fields[i], &values[i]
		if most := f.atMost + longestByte*len(v.Str); len(dst)-n < most {
			dst = grow(dst, n, most)
		}
		n = f.putLead(dst, n)
		if v.Null {
			n -= int(f.quote)
			binary.LittleEndian.PutUint32(dst[n:], 'n'|'u'<<8|'l'<<16|'l'<<24)
			n += len("null")
			continue
		}
		switch f.kind {
		case generators.String:
			switch {
			case f.plain:
				n += copy(dst[n:], v.Str)
			case copyUnescaped(dst[n:], v.Str):
				n += len(v.Str)
			default:
				n = len(appendEscaped(dst[:n], v.Str)) // there is room: it stays in dst
			}
			dst[n] = '"'
			n++
		case generators.Timestamp:
			putTime((*[timeLen]byte)(dst[n:]), v.Int)
			dst[n+timeLen] = '"'
			n += timeLen + 1
		case generators.Bool:
			n += putBool(dst, n, v.Int)
		default: // Int, Long
			n += putInt((*[intLen]byte)(dst[n:]), v.Int)
		}
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	ev.Values[len(fields)+1] = generators.Value{Int: int64(sum)}
	dst = room(dst, n, e.tail.atMost)
	n = e.tail.putLead(dst, n)
	n += putInt((*[intLen]byte)(dst[n:]), int64(sum))
	dst[n] = '}'
	return dst[:n+1]
}

// putID writes the identity behind dst, and returns the whole capacity of dst
// and how many bytes of it are written.
func (f *jsonField) putID(dst []byte, ev *generators.Event) ([]byte, int) {
	n := len(dst)
	dst = room(dst, n, f.atMost)
	n = f.putLead(dst, n)
	ev.ID.Put((*[generators.IDTextLen]byte)(dst[n:]))
	n += generators.IDTextLen
	dst[n] = '"'
	return dst, n + 1
}

// putLead writes what stands before the value and returns where the value
// starts.
func (f *jsonField) putLead(dst []byte, n int) int {
	*(*[leadSize]byte)(dst[n:]) = f.lead
	n += int(f.size)
	if f.rest != "" {
		n += copy(dst[n:], f.rest)
	}
	return n
}

// putBool writes true or false, eight bytes at once, and returns its length.
func putBool(dst []byte, n int, b int64) int {
	if b != 0 {
		binary.LittleEndian.PutUint32(dst[n:], 't'|'r'<<8|'u'<<16|'e'<<24)
		return len("true")
	}
	binary.LittleEndian.PutUint64(dst[n:], 'f'|'a'<<8|'l'<<16|'s'<<24|'e'<<32)
	return len("false")
}

// copyUnescaped copies s to dst, where there is room, and reports whether it may
// stand in a JSON string as it is.
func copyUnescaped(dst []byte, s string) bool {
	clean, ascii := copyClean(dst, s, '\\')
	return clean && (ascii || utf8.ValidString(s))
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
