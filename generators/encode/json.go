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
	atMost int         // bytes of a record whose strings are short, and an area behind it
	crc    *crc32.Table
}

// jsonField is one member. What stands before its value is written as a whole
// array: a store of fixed size, which is far cheaper than a copy of its length.
type jsonField struct {
	before string         // the beginning of a lead that is longer than leadSize
	lead   [leadSize]byte // `,"name":`, then the opening quote where the kind has one
	size   uint8          // of the lead
	quote  uint8          // 1 where the kind has quotes, else 0
	op     op
	plain  bool
}

const (
	leadSize    = 32
	longestByte = len(`\u0000`) // what one byte of a string can become
)

func newJSONEncoder(s *generators.Schema) *jsonEncoder {
	e := &jsonEncoder{crc: castagnoli(), atMost: len(area{})}
	for i, f := range s.Fields {
		out := jsonField{op: opOf(f.Kind), plain: f.Plain}
		lead := `,"` + f.Name + `":`
		if i == 0 {
			lead = "{" + lead[1:]
		}
		if f.Kind == generators.UUID || f.Kind == generators.String || f.Kind == generators.Timestamp {
			lead, out.quote = lead+`"`, 1
		}
		cut := max(0, len(lead)-leadSize)
		out.before, out.size = lead[:cut], uint8(copy(out.lead[:], lead[cut:]))
		e.atMost += len(lead) + longestValue
		e.fields = append(e.fields, out)
	}
	last := len(e.fields) - 1
	e.first, e.tail, e.fields = e.fields[0], e.fields[last], e.fields[1:last]
	return e
}

func (e *jsonEncoder) Format() string { return JSON }

// Append works in the whole capacity of dst, of which n bytes are written.
func (e *jsonEncoder) Append(dst []byte, ev *generators.Event) []byte {
	start := len(dst)
	dst = room(dst, start, e.atMost)
	n := e.first.putLead(dst, start)
	ev.ID.Put((*[generators.IDTextLen]byte)(dst[n:]))
	n += generators.IDTextLen
	dst[n] = '"'
	n++
	values := ev.Values[1:]
	for at := 0; at < len(e.fields); at += runFields {
		dst, n = e.run(dst, n, e.fields[at:min(at+runFields, len(e.fields))], values[at:])
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	values[len(e.fields)] = generators.Value{Int: int64(sum)}
	n = e.tail.putLead(dst, n)
	n += putInt((*[intLen]byte)(dst[n:]), int64(sum))
	dst[n] = '}'
	return dst[:n+1]
}

// run writes some members behind the n bytes of dst. There is room for everything
// but strings that are long or may need escapes: those make room for themselves.
//
//nolint:funlen // a call for each string would cost more than the string
func (e *jsonEncoder) run(dst []byte, n int, fields []jsonField, values []generators.Value) ([]byte, int) {
	a, m := (*area)(dst[n:]), 0 // m bytes of the area are written
	values = values[:len(fields)]
	for i := range fields {
		f, v := &fields[i], &values[i]
		if f.before != "" {
			n += m
			n += copy(dst[n:], f.before)
			a, m = (*area)(dst[n:]), 0
		}
		*(*[leadSize]byte)(a[m&inArea:]) = f.lead
		m += int(f.size)
		if v.Null {
			m -= int(f.quote)
			binary.LittleEndian.PutUint32(a[m&inArea:], 'n'|'u'<<8|'l'<<16|'l'<<24)
			m += len("null")
			continue
		}
		switch at := m & inArea; f.op {
		case opString:
			s := v.Str
			switch {
			case len(s) > shortText || !f.plain:
				dst, n = e.putText(dst, n+m, s, f.plain)
				a, m = (*area)(dst[n:]), 0
				continue
			case len(s) >= 16:
				copy(a[at:at+16], s[:16])
				copy(a[at+len(s)-16:at+len(s)], s[len(s)-16:])
			case len(s) >= 8:
				copy(a[at:at+8], s[:8])
				copy(a[at+len(s)-8:at+len(s)], s[len(s)-8:])
			case len(s) >= 4:
				copy(a[at:at+4], s[:4])
				copy(a[at+len(s)-4:at+len(s)], s[len(s)-4:])
			case len(s) > 0:
				a[at], a[at+len(s)/2], a[at+len(s)-1] = s[0], s[len(s)/2], s[len(s)-1]
			}
			a[at+len(s)] = '"'
			m += len(s) + 1
		case opNumber:
			if uint64(v.Int) < 1e8 {
				m += putShort((*[8]byte)(a[at:]), uint64(v.Int))
			} else {
				m += putInt((*[intLen]byte)(a[at:]), v.Int)
			}
		case opTime:
			putTime((*[timeLen]byte)(a[at:]), v.Int)
			a[at+timeLen] = '"'
			m += timeLen + 1
		default:
			m += putBool((*[boolLen]byte)(a[at:]), v.Int)
		}
	}
	return dst, n + m
}

// putText writes a string of any length, with its closing quote, and makes room
// for all that may come behind it.
func (e *jsonEncoder) putText(dst []byte, n int, s string, plain bool) ([]byte, int) {
	dst = room(dst, n, longestByte*len(s)+e.atMost)
	switch {
	case plain:
		n += copy(dst[n:], s)
	case copyUnescaped(dst[n:], s):
		n += len(s)
	default:
		n = len(appendEscaped(dst[:n], s)) // there is room: it stays in dst
	}
	dst[n] = '"'
	return dst, n + 1
}

// putLead writes what stands before the value and returns where the value
// starts.
func (f *jsonField) putLead(dst []byte, n int) int {
	n += copy(dst[n:], f.before)
	*(*[leadSize]byte)(dst[n:]) = f.lead
	return n + int(f.size)
}

// boolLen is the most bytes that putBool writes.
const boolLen = 8

// putBool writes true or false, at once, and returns its length.
func putBool(out *[boolLen]byte, b int64) int {
	if b != 0 {
		binary.LittleEndian.PutUint32(out[:], 't'|'r'<<8|'u'<<16|'e'<<24)
		return len("true")
	}
	binary.LittleEndian.PutUint64(out[:], 'f'|'a'<<8|'l'<<16|'s'<<24|'e'<<32)
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
