package encode

import (
	"encoding/binary"
	"math/bits"
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
		o := opOf(f.Kind)
		if f.Nullable {
			o |= nullable
		}
		ops = append(ops, o)
	}
	return ops
}

func opOf(k generators.Kind) op {
	switch k {
	case generators.String:
		return opString
	case generators.Timestamp:
		return opTime
	case generators.Bool:
		return opBool
	default: // Int, Long
		return opNumber
	}
}

// area is where a run of fields is written. Its size is known and a place in it is
// a number masked by inArea, so that the compiler sees that every store fits and
// leaves the checks out. Strings of at most shortText bytes are written there as two
// pieces of a fixed size that may overlap: a few loads and stores, while copying
// their length is a call.
type area [areaSize + 2*leadSize]byte

const (
	areaSize     = 2048
	inArea       = areaSize - 1
	shortText    = 32
	longestValue = generators.IDTextLen + 2              // of those that are written there
	runFields    = areaSize / (leadSize + shortText + 1) // so many fit into it
)

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

// varint is room for the longest.
type varint = [binary.MaxVarintLen64]byte

// putUvarint writes a varint and returns its length.
func putUvarint(out *varint, u uint64) int {
	if u >= 1<<56 {
		return binary.PutUvarint(out[:], u)
	}
	w, size := eightGroups(u)
	binary.LittleEndian.PutUint64(out[:], w)
	return size
}

// eightGroups returns the varint of a number below 2^56, the first byte in the
// lowest, and its length. It spreads groups of seven over the bytes of a word,
// without a branch for each.
func eightGroups(u uint64) (word uint64, size int) {
	more := (bits.Len64(u|1) - 1) * 37 >> 8 // a seventh: the bytes before the last
	u = u&0x0fffffff | u>>28<<32
	u = u&0x00003fff_00003fff | u&0x0fffc000_0fffc000<<2
	u = u&0x007f007f_007f007f | u&0x3f803f80_3f803f80<<1
	return u | 0x80808080_80808080&(1<<(8*more&63)-1), more + 1
}

// fourGroups is eightGroups of a number below 2^28.
func fourGroups(u uint64) (word uint32, size int) {
	more := (bits.Len64(u|1) - 1) * 37 >> 8 // a seventh: the bytes before the last
	w := uint32(u&0x7f | u<<1&0x7f00 | u<<2&0x7f0000 | u<<3&0x7f000000)
	return w | 0x80808080&(1<<(8*more&31)-1), more + 1
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
