package encode

import (
	"encoding/binary"
	"slices"

	"github.com/lakeproof/lakeproof/generators"
)

// op is how the value of a field is written.
type op uint8

const (
	opString op = iota << 1
	opNumber
	opTime
	opBool
	nullable op = 1 // added to one of the others
)

// opsOf returns the ops of all fields but the first, which is the identity, and
// the last, which is the checksum ([generators.Schema.Check]).
func opsOf(s *generators.Schema) []op {
	ops := make([]op, 0, len(s.Fields))
	for _, f := range s.Fields[1 : len(s.Fields)-1] {
		o := opNumber
		switch f.Kind {
		case generators.String:
			o = opString
		case generators.Timestamp:
			o = opTime
		case generators.Bool:
			o = opBool
		default: // Int, Long
		}
		if f.Nullable {
			o |= nullable
		}
		ops = append(ops, o)
	}
	return ops
}

// appendID appends the identity as text.
func appendID(dst []byte, ev *generators.Event) []byte {
	n := len(dst)
	dst = room(dst, n, generators.IDTextLen)
	ev.ID.Put((*[generators.IDTextLen]byte)(dst[n:]))
	return dst[:n+generators.IDTextLen]
}

// appendUvarint appends a varint.
func appendUvarint(dst []byte, u uint64) []byte {
	for u >= 0x80 {
		dst = append(dst, byte(u)|0x80)
		u >>= 7
	}
	return append(dst, byte(u))
}

// appendLen appends a length as a varint, most often of one byte.
func appendLen(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return binary.AppendUvarint(dst, uint64(n))
}

// copyClean copies s to dst, where there is room, and reports whether it has no
// control characters, no quotes and no stop, and whether it is ASCII. It looks at
// eight bytes at a time; the last eight may overlap those before.
func copyClean(dst []byte, s string, stop byte) (clean, ascii bool) {
	const each, high = 0x0101010101010101, 0x8080808080808080
	found, foreign := uint64(0), uint64(0)
	if len(s) < 8 {
		for i := range len(s) {
			c := s[i]
			if c < ' ' || c == '"' || c == stop {
				found = high
			}
			foreign |= uint64(c)
			dst[i] = c
		}
		return found == 0, foreign&high == 0
	}
	stops := uint64(stop) * each
	for i := 0; i < len(s); i += 8 {
		at := min(i, len(s)-8)
		w := word(s[at:])
		binary.LittleEndian.PutUint64(dst[at:], w)
		quote, other := w^'"'*each, w^stops
		found |= (w-' '*each)&^w | (quote-each)&^quote | (other-each)&^other
		foreign |= w
	}
	return found&high == 0, foreign&high == 0
}

// word returns the first eight bytes, the first in the lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// room returns buf, of which n bytes are used, at its full capacity and with
// space for more.
func room(buf []byte, n, more int) []byte {
	if cap(buf)-n >= more {
		return buf[:cap(buf)]
	}
	return grow(buf, n, more)
}

// grow is room where there is none. It stands apart to keep what calls it short.
//
//go:noinline
func grow(buf []byte, n, more int) []byte {
	buf = slices.Grow(buf[:n], more)
	return buf[:cap(buf)]
}
