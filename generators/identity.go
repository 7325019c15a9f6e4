package generators

import (
	"encoding/binary"
	"math/bits"
)

// ID128 is a UUID: the 16 bytes of RFC 9562 section 4 in network order.
type ID128 [16]byte

// IDTextLen is the length of an identifier as text, in bytes.
const IDTextLen = 36

// Append appends the 36 characters of RFC 9562 section 4, in lower case.
func (id ID128) Append(dst []byte) []byte {
	n := len(dst)
	dst = append(dst, "00000000-0000-0000-0000-000000000000"...)
	id.Put((*[IDTextLen]byte)(dst[n:]))
	return dst
}

// Put writes the 36 characters that [ID128.Append] appends.
func (id ID128) Put(out *[IDTextLen]byte) {
	putHex(out, binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:]))
}

// putHex takes the two halves as numbers, which stay in registers.
func putHex(out *[IDTextLen]byte, high, low uint64) {
	a, b, c, d := hex8(high>>32), hex8(high&0xffffffff), hex8(low>>32), hex8(low&0xffffffff)
	binary.LittleEndian.PutUint64(out[0:8], a)
	binary.LittleEndian.PutUint64(out[8:16], '-'|b&0xffffffff<<8|'-'<<40|b>>32<<48)
	binary.LittleEndian.PutUint64(out[16:24], b>>48|'-'<<16|c&0xffffffff<<24|'-'<<56)
	binary.LittleEndian.PutUint32(out[24:28], uint32(c>>32))
	binary.LittleEndian.PutUint64(out[28:36], d)
}

// String returns the 36 characters that [ID128.Append] appends.
func (id ID128) String() string { return string(id.Append(nil)) }

// hex8 returns the eight lower-case hexadecimal digits of 32 bits, the first in the
// lowest byte. All of them are made at once: each half is spread, until every digit
// has a byte; then those above 9 are moved to the letters.
func hex8(n uint64) uint64 {
	x := n>>16 | n&0xffff<<32
	x = x>>8&0x000000ff_000000ff | x&0x000000ff_000000ff<<16
	x = x>>4&0x000f000f_000f000f | x&0x000f000f_000f000f<<8
	const each = 0x01010101_01010101
	return x + '0'*each + (x+6*each)>>4&each*('a'-'0'-10)
}

// ParseID reads the 36 characters of RFC 9562 section 4, in either case, and
// nothing else: no braces, no "urn:uuid:", no missing dashes.
func ParseID[T string | []byte](text T) (id ID128, ok bool) {
	if len(text) != IDTextLen || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return ID128{}, false
	}
	var bad byte
	for i, at := range [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		hi, lo := nibble(text[at]), nibble(text[at+1])
		bad |= hi | lo
		id[i] = hi<<4 | lo
	}
	if bad > 0x0f {
		return ID128{}, false
	}
	return id, true
}

// nibble returns the value of a hexadecimal digit, or 0xff.
func nibble(c byte) byte {
	if d := c - '0'; d <= 9 {
		return d
	}
	if d := c | 0x20 - 'a'; d <= 5 {
		return d + 10
	}
	return 0xff
}

// IDFromBytes reads the 16 bytes of an identifier, as a fixed or binary column
// holds them.
func IDFromBytes(b []byte) (id ID128, ok bool) {
	if len(b) != len(id) {
		return ID128{}, false
	}
	return ID128(b), true
}

// The limits of the parts of an identity.
const (
	MaxRun = 1<<48 - 1 // largest run number
	MaxSeq = 1<<48 - 1 // largest sequence number
)

const (
	half   = 1<<61 - 1 // one side of the Feistel network: half of the 122 free bits
	rounds = 5
)

// Key seals identities of one run into UUIDs of version 8 and opens them again.
//
// The identity is 122 bits, as many as RFC 9562 section 5.8 leaves free:
//
//	left 61:  run(48) zero(10) stream(3 high bits)
//	right 61: stream(13 low bits) seq(48)
//
// They pass a balanced Feistel network of five rounds, so sealing is a
// permutation: two identities never share a UUID, and opening costs the same
// few multiplications. A foreign UUID opens to random bits and must hit the
// version, the variant, the run and the ten zero bits by chance: 2^-64 for
// random bits, 2^-58 for another UUID of version 8.
//
// This is mixing, not cryptography. The round keys follow from the run number
// alone, so whoever knows the run can make its identities. It keeps strangers'
// records apart from ours; it does not keep an adversary out. Consecutive
// sequence numbers give UUIDs whose bits are balanced and change with
// probability 1/2 (identity_test.go measures both to 1 %), and that is all
// that is claimed.
type Key struct {
	run  uint64
	keys [rounds][2]uint64
}

// NewKey returns the key of a run. Only the low 48 bits of run count. The
// round keys are the splitmix64 sequence that starts at the run number.
func NewKey(run uint64) Key {
	k := Key{run: run & MaxRun}
	state := k.run
	for i := range k.keys {
		for j := range k.keys[i] {
			state += golden
			k.keys[i][j] = mix(state)
		}
	}
	return k
}

// Run returns the run number.
func (k *Key) Run() uint64 { return k.run }

// Seal returns the UUID of event seq of a stream. Only the low 48 bits of seq
// count.
func (k *Key) Seal(stream uint16, seq uint64) (id ID128) {
	k.SealTo(&id, stream, seq)
	return id
}

// SealTo writes what [Key.Seal] returns to where it is wanted: a copy right behind
// it would have to wait for both halves.
func (k *Key) SealTo(id *ID128, stream uint16, seq uint64) {
	left := k.run<<13 | uint64(stream)>>13
	right := uint64(stream)&0x1fff<<48 | seq&MaxSeq
	left ^= k.round(0, right) // instead of changing sides after each round, the next one goes the other way
	right ^= k.round(1, left)
	left ^= k.round(2, right)
	right ^= k.round(3, left)
	left ^= k.round(4, right)
	left, right = right, left
	binary.BigEndian.PutUint64(id[:8], left>>13<<16|0x8000|left>>1&0x0fff)
	binary.BigEndian.PutUint64(id[8:], 1<<63|left&1<<61|right)
}

// Open turns a UUID back into its identity. ok is false for everything that
// this run's Seal did not return.
func (k *Key) Open(id ID128) (stream uint16, seq uint64, ok bool) {
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	if hi&0xf000 != 0x8000 || lo>>62 != 0b10 {
		return 0, 0, false
	}
	left := hi>>16<<13 | hi&0x0fff<<1 | lo>>61&1
	right := lo & half
	for i := range k.keys {
		left, right = right^k.round(rounds-1-i, left), left
	}
	if left>>13 != k.run || left>>3&0x3ff != 0 {
		return 0, 0, false
	}
	return uint16(left&7<<13 | right>>48), right & MaxSeq, true
}

// round is the round function: both factors depend on the key and on every bit
// of x, and the 128-bit product is folded onto the half.
func (k *Key) round(i int, x uint64) uint64 {
	return fold(x^k.keys[i][0], bits.RotateLeft64(x, 32)^k.keys[i][1]) & half
}
