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
	begun  [8]uint32 // the checksum of so many bytes of a record, which begin all of them
	dates  dates
}

// jsonField is one member. What stands before its value is written as a whole
// array: a store of fixed size, which is far cheaper than a copy of its length.
type jsonField struct {
	lead  [leadSize]byte // `,"name":`, then the opening quote where the kind has one
	size  uint8          // of the lead
	quote uint8          // 1 where the kind has quotes, else 0
	op    op
	slow  bool   // not to be written without looking for room: the lead is longer, or there may be escapes
	plain bool   // of a string
	long  string // the lead, when it is longer
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
		if out.size = uint8(copy(out.lead[:], lead)); len(lead) > leadSize {
			out.long = lead
		}
		out.slow = out.long != "" || f.Kind == generators.String && !f.Plain
		e.atMost += len(lead) + longestValue
		e.fields = append(e.fields, out)
	}
	last := len(e.fields) - 1
	e.first, e.tail, e.fields = e.fields[0], e.fields[last], e.fields[1:last]
	for n := range e.begun {
		e.begun[n] = crc32.Checksum(e.first.lead[:min(n, int(e.first.size))], e.crc)
	}
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
	for at := 0; at < len(e.fields); {
		run := e.fields[at:min(at+runFields, len(e.fields))]
		done, size := e.putMembers((*area)(dst[n:]), run, values[at:])
		n += size
		if at += done; done < len(run) {
			dst, n = e.putMember(dst, n, &e.fields[at], &values[at])
			at++
		}
	}
	odd := -start & 7
	sum := crc32.Update(e.begun[odd], e.crc, dst[start+min(odd, int(e.first.size)):n])
	values[len(e.fields)] = generators.Value{Int: int64(sum)}
	n = e.tail.putLead(dst, n)
	n += putInt((*[intLen]byte)(dst[n:]), int64(sum))
	dst[n] = '}'
	return dst[:n+1]
}

// putMembers writes members up to one that needs room for itself, and returns how
// many it wrote and how many bytes. It calls as little as it can, so that what it
// works with stays in registers.
//
//nolint:cyclop,funlen // a call for each string would cost more than the string
func (e *jsonEncoder) putMembers(a *area, fields []jsonField, values []generators.Value) (done, m int) {
	values, _ = values[:len(fields)], a[0] // neither is looked at again in the loop
	for i := range fields {
		f, v := &fields[i], &values[i]
		if f.slow {
			return i, m
		}
		*(*[leadSize]byte)(a[m&inArea:]) = f.lead
		if v.Null {
			m += int(f.size) - int(f.quote)
			binary.LittleEndian.PutUint32(a[m&inArea:], null)
			m += len("null")
			continue
		}
		at := (m + int(f.size)) & inArea
		switch f.op {
		case opString:
			s := v.Str
			switch {
			case len(s) > shortText:
				return i, m
			case len(s) >= 16:
				copy(a[at:at+16], s[:16])
				copy(a[at+len(s)-16:at+len(s)], s[len(s)-16:])
			case len(s) >= 8:
				binary.LittleEndian.PutUint64(a[at:], word(s))
				binary.LittleEndian.PutUint64(a[at+len(s)-8:], word(s[len(s)-8:]))
			case len(s) >= 4:
				copy(a[at:at+4], s[:4])
				copy(a[at+len(s)-4:at+len(s)], s[len(s)-4:])
			case len(s) > 0:
				a[at], a[at+len(s)/2], a[at+len(s)-1] = s[0], s[len(s)/2], s[len(s)-1]
			}
			a[at+len(s)] = '"'
			m = at + len(s) + 1
		case opNumber:
			switch n := uint64(v.Int); {
			case n < 10:
				a[at] = '0' + byte(n)
				m = at + 1
			case n < 1e8:
				d := digits8(n)
				skip := leading(d)
				binary.LittleEndian.PutUint64(a[at:], (d|zeros)>>(8*skip&63))
				m = at + 8 - skip
			default:
				m = at + putInt((*[intLen]byte)(a[at:]), v.Int)
			}
		case opTime:
			e.dates.putTime((*[timeLen]byte)(a[at:]), v.Int)
			a[at+timeLen] = '"'
			m = at + timeLen + 1
		default:
			m = at + putBool((*[boolLen]byte)(a[at:]), v.Int)
		}
	}
	return len(fields), m
}

// putMember writes a member of any length, and makes room for all that may come
// behind it.
func (e *jsonEncoder) putMember(dst []byte, n int, f *jsonField, v *generators.Value) ([]byte, int) {
	n = f.putLead(dst, n)
	switch {
	case v.Null:
		n += copy(dst[n-int(f.quote):], "null") - int(f.quote)
	case f.op == opString:
		return e.putText(dst, n, v.Str, f.plain)
	case f.op == opNumber:
		n += putInt((*[intLen]byte)(dst[n:]), v.Int)
	case f.op == opTime:
		putTime((*[timeLen]byte)(dst[n:]), v.Int)
		dst[n+timeLen] = '"'
		n += timeLen + 1
	default:
		n += putBool((*[boolLen]byte)(dst[n:]), v.Int)
	}
	return room(dst, n, e.atMost), n
}

// null is four characters.
const null = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24

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
	if f.long != "" {
		return n + copy(dst[n:], f.long)
	}
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
