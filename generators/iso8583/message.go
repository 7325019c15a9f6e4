package iso8583

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// What makes a message unreadable; ask with errors.Is.
var (
	ErrShort     = errors.New("it ends too early")
	ErrTail      = errors.New("something follows it")
	ErrCharacter = errors.New("a character that does not belong there")
	ErrLength    = errors.New("longer than the field may be")
	ErrField     = errors.New("a field that the table does not have")
	errType      = errors.New("not one of 0100, 0110, 0200, 0210, 0420 and 0430")
)

// Message is where the fields of a message are. It refers to the bytes that it
// was read from.
type Message struct {
	data   []byte
	mti    MTI
	bitmap [2]uint64 // field 1 is the highest bit
	at     [last + 1]struct{ from, to uint16 }
}

// Type is the message type.
func (m *Message) Type() MTI { return m.mti }

// Has reports whether the field is there.
func (m *Message) Has(n int) bool {
	return n >= 2 && n <= last && m.bitmap[(n-1)/64]>>(63-(n-1)%64)&1 == 1
}

// Bytes returns the characters of a field without the length before them, or
// nil. Fixed texts keep their spaces.
func (m *Message) Bytes(n int) []byte {
	if !m.Has(n) {
		return nil
	}
	return m.data[m.at[n].from:m.at[n].to]
}

// Number returns the value of a field of at most 18 digits; ok is false when it
// is not there or is no such number.
func (m *Message) Number(n int) (value int64, ok bool) {
	digits := m.Bytes(n)
	for _, d := range digits {
		if d-'0' > 9 {
			return 0, false
		}
		value = value*10 + int64(d-'0')
	}
	return value, len(digits) > 0 && len(digits) <= 18
}

// Count is how many fields there are, without the bitmaps.
func (m *Message) Count() int {
	return bits.OnesCount64(m.bitmap[0]&^(1<<63)) + bits.OnesCount64(m.bitmap[1])
}

// Parse reads one message, the whole of data, into dst. It is strict: a
// character that the field's kind does not have, a length above the field's and
// bytes after the message are errors. The error does not show the contents.
func (c *Codec) Parse(dst *Message, data []byte) error {
	dst.data, dst.bitmap = data, [2]uint64{}
	if len(data) < 20 {
		return fmt.Errorf("parsing ISO 8583 message: type and bitmap: %w", ErrShort)
	}
	if len(data) > 1<<16-1 {
		return fmt.Errorf("parsing ISO 8583 message: %d bytes: %w", len(data), ErrLength)
	}
	mti, ok := digits(data[:4])
	if !ok {
		return fmt.Errorf("parsing ISO 8583 message: type: %w", ErrCharacter)
	}
	dst.mti = MTI(mti)
	var bitmap [2]uint64
	at := 4
	for i := range bitmap {
		if i == 1 && bitmap[0]>>63 == 0 {
			break
		}
		if len(data) < at+16 {
			return fmt.Errorf("parsing ISO 8583 message: bitmap %d: %w", i+1, ErrShort)
		}
		if bitmap[i], ok = hexadecimal(data[at : at+16]); !ok {
			return fmt.Errorf("parsing ISO 8583 message: bitmap %d: %w", i+1, ErrCharacter)
		}
		at += 16
	}
	for n := 2; n <= last; n++ {
		if bitmap[(n-1)/64]>>(63-(n-1)%64)&1 == 0 {
			continue
		}
		end, err := c.field(dst, n, at)
		if err != nil {
			return fmt.Errorf("parsing ISO 8583 message: field %d (%s): %w", n, c.fields[n].Name, err)
		}
		at = end
	}
	if at != len(data) {
		return fmt.Errorf("parsing ISO 8583 message: %d bytes: %w", len(data)-at, ErrTail)
	}
	dst.bitmap = bitmap
	return nil
}

// field finds the end of field n that begins at a place, and checks it.
func (c *Codec) field(dst *Message, n, at int) (end int, err error) {
	f, data := &c.fields[n], dst.data
	length := f.Length
	if length == 0 {
		return 0, ErrField
	}
	if f.Prefix > 0 {
		if len(data) < at+f.Prefix {
			return 0, ErrShort
		}
		stated, ok := digits(data[at : at+f.Prefix])
		if !ok {
			return 0, ErrCharacter
		}
		if stated > length {
			return 0, ErrLength
		}
		at, length = at+f.Prefix, stated
	}
	if len(data) < at+length {
		return 0, ErrShort
	}
	for i, char := range data[at : at+length] {
		if !f.Kind.holds(char, i) {
			return 0, ErrCharacter
		}
	}
	dst.at[n].from, dst.at[n].to = uint16(at), uint16(at+length)
	return at + length, nil
}

func digits(text []byte) (n int, ok bool) {
	for _, d := range text {
		if d-'0' > 9 {
			return 0, false
		}
		n = n*10 + int(d-'0')
	}
	return n, true
}

func hexadecimal(text []byte) (n uint64, ok bool) {
	for _, c := range text {
		switch {
		case c-'0' <= 9:
			n = n<<4 | uint64(c-'0')
		case c|0x20-'a' <= 5:
			n = n<<4 | uint64(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// putHex writes 16 hexadecimal digits in upper case.
func putHex(out []byte, n uint64) {
	const hex = "0123456789ABCDEF"
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	for i, c := range b {
		out[2*i], out[2*i+1] = hex[c>>4], hex[c&15]
	}
}
