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
	atMost int         // bytes of a record whose strings are short and plain, and a slot behind it
	crc    *crc32.Table
}

// jsonField is one member. What stands before its value is written as a whole
// array: a store of fixed size, which is far cheaper than a copy of its length.
type jsonField struct {
	lead  [leadSize]byte // `,"name":`, then the opening quote where the kind has one
	rest  string         // of a lead that is longer
	size  uint8          // of the lead, at most leadSize
	quote uint8          // 1 where the kind has quotes, else 0
	op    op
	plain bool
}

const (
	leadSize    = 32
	longestByte = len(`\u0000`) // what one byte of a string can become
)

func newJSONEncoder(s *generators.Schema) *jsonEncoder {
	e := &jsonEncoder{crc: castagnoli()}
	for i, f := range s.Fields {
		out := jsonField{op: opOf(f.Kind), plain: f.Plain}
		lead := `,"` + f.Name + `":`
		if i == 0 {
			lead = "{" + lead[1:]
		}
		if f.Kind == generators.UUID || f.Kind == generators.String || f.Kind == generators.Timestamp {
			lead, out.quote = lead+`"`, 1
		}
		out.size = uint8(copy(out.lead[:], lead))
		out.rest = lead[out.size:]
		e.atMost += len(lead) + longestValue
		e.fields = append(e.fields, out)
	}
	e.atMost += 2 * slotSize
	last := len(e.fields) - 1
	e.first, e.tail, e.fields = e.fields[0], e.fields[last], e.fields[1:last]
	return e
}

func (e *jsonEncoder) Format() string { return JSON }

// Append works in the whole capacity of dst, of which n bytes are written. There
// is room for everything but strings that are long or may need escapes: those
// make room for themselves.
func (e *jsonEncoder) Append(dst []byte, ev *generators.Event) []byte {
	start := len(dst)
	dst = room(dst, start, e.atMost)
	n := e.first.putID(dst, start, ev)
	fields := e.fields
	values := ev.Values[1:][:len(fields)]
	for i := range values {
		f, v := &fields[i], &values[i]
		member := (*[2 * slotSize]byte)(dst[n:])
		*(*[leadSize]byte)(member[:]) = f.lead
		if f.rest != "" {
			n += copy(dst[n+leadSize:], f.rest)
			member = (*[2 * slotSize]byte)(dst[n:])
		}
		at := int(f.size & 63)
		if v.Null {
			at -= int(f.quote)
			binary.LittleEndian.PutUint32(member[at&63:], 'n'|'u'<<8|'l'<<16|'l'<<24)
			n += at + len("null")
			continue
		}
		n += at
		switch out := (*slot)(member[at:]); f.op {
		case opString:
			s := v.Str
			switch {
			case len(s) > 32 || !f.plain:
				dst, n = e.putText(dst, n, s, f.plain)
				continue
			case len(s) > 16:
				binary.LittleEndian.PutUint64(out[:], word(s))
				binary.LittleEndian.PutUint64(out[8:], word(s[8:]))
				binary.LittleEndian.PutUint64(out[len(s)-16:], word(s[len(s)-16:]))
				binary.LittleEndian.PutUint64(out[len(s)-8:], word(s[len(s)-8:]))
			case len(s) >= 8:
				binary.LittleEndian.PutUint64(out[:], word(s))
				binary.LittleEndian.PutUint64(out[len(s)-8:], word(s[len(s)-8:]))
			case len(s) >= 4:
				binary.LittleEndian.PutUint32(out[:], half(s))
				binary.LittleEndian.PutUint32(out[len(s)-4:], half(s[len(s)-4:]))
			case len(s) > 0:
				out[0], out[len(s)/2], out[len(s)-1] = s[0], s[len(s)/2], s[len(s)-1]
			}
			out[len(s)] = '"'
			n += len(s) + 1
		case opNumber:
			if uint64(v.Int) < 1e8 {
				n += putShort((*[8]byte)(out[:]), uint64(v.Int))
			} else {
				n += putInt((*[intLen]byte)(out[:]), v.Int)
			}
		case opTime:
			putTime((*[timeLen]byte)(out[:]), v.Int)
			out[timeLen] = '"'
			n += timeLen + 1
		default:
			n += putBool((*[boolLen]byte)(out[:]), v.Int)
		}
	}
	sum := crc32.Checksum(dst[start:n], e.crc)
	ev.Values[len(fields)+1] = generators.Value{Int: int64(sum)}
	n = e.tail.putLead(dst, n)
	n += putInt((*[intLen]byte)(dst[n:]), int64(sum))
	dst[n] = '}'
	return dst[:n+1]
}

// putText writes a string of any length, with its closing quote, and makes room
// for all that Append may write behind it.
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

// putID writes the identity and returns where it ends.
func (f *jsonField) putID(dst []byte, n int, ev *generators.Event) int {
	n = f.putLead(dst, n)
	ev.ID.Put((*[generators.IDTextLen]byte)(dst[n:]))
	n += generators.IDTextLen
	dst[n] = '"'
	return n + 1
}

// putLead writes what stands before the value and returns where the value
// starts.
func (f *jsonField) putLead(dst []byte, n int) int {
	*(*[leadSize]byte)(dst[n:]) = f.lead
	n += int(f.size)
	return n + copy(dst[n:], f.rest)
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
