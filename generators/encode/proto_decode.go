package encode

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"unicode/utf8"

	"github.com/lakeproof/lakeproof/generators"
)

type protoDecoder struct {
	schema *generators.Schema
	crc    *crc32.Table
	framed bool
}

func (d *protoDecoder) Format() string {
	if d.framed {
		return ProtobufRegistry
	}
	return Protobuf
}

// body returns the message without its frame. The indexes of the first message
// of a file are [0], which is written as 0 or as its count and itself, 2 0.
func (d *protoDecoder) body(value []byte) ([]byte, error) {
	if !d.framed {
		return value, nil
	}
	if len(value) <= frameLen || value[0] != 0 {
		return nil, errors.New(
			"decoding protobuf: want the registry's frame: a zero byte, four bytes of schema id and the message's indexes")
	}
	switch index := value[frameLen:]; {
	case index[0] == 0:
		return index[1:], nil
	case len(index) > 1 && index[0] == 2 && index[1] == 0:
		return index[2:], nil
	}
	return nil, errors.New("decoding protobuf: want the first message of the registry's schema")
}

// place returns where the field of a number is in the schema, or -1.
func (d *protoDecoder) place(number uint64) int {
	last := len(d.schema.Fields) - 1
	switch {
	case number == protoChecksum:
		return last
	case number <= uint64(last):
		return int(number) - 1
	}
	return -1
}

func (d *protoDecoder) Decode(dst *generators.Event, value []byte) error {
	body, err := d.body(value)
	if err != nil {
		return err
	}
	if len(dst.Values) != len(d.schema.Fields) {
		dst.Values = make([]generators.Value, len(d.schema.Fields))
	}
	r := protoReader{body: body, text: string(body)}
	var seen [generators.MaxFields]bool
	for r.at < len(body) {
		if err := d.field(&r, dst, &seen); err != nil {
			return fmt.Errorf("decoding protobuf: at byte %d: %w", r.at, err)
		}
	}
	for i := range d.schema.Fields {
		f := &d.schema.Fields[i]
		switch {
		case seen[i]:
		case f.Nullable:
			dst.Values[i] = generators.Value{Null: true}
		case f.Kind == generators.UUID || f.Kind == generators.Timestamp || f.Kind == generators.Checksum:
			return fmt.Errorf("decoding protobuf: field %q is missing", f.Name)
		default:
			dst.Values[i] = generators.Value{} // proto3 leaves zeros out
		}
	}
	return nil
}

// field reads one field, whichever it is.
func (d *protoDecoder) field(r *protoReader, dst *generators.Event, seen *[generators.MaxFields]bool) error {
	number, wire, err := r.tag()
	if err != nil {
		return err
	}
	i := d.place(number)
	if i < 0 {
		return r.skip(wire)
	}
	f := &d.schema.Fields[i]
	if seen[i] {
		return fmt.Errorf("field %q is there twice", f.Name)
	}
	seen[i] = true
	if wire != protoWire(f.Kind) {
		return fmt.Errorf("field %q: want wire type %d, not %d", f.Name, protoWire(f.Kind), wire)
	}
	dst.Values[i] = generators.Value{}
	if err := r.value(f.Kind, dst, &dst.Values[i]); err != nil {
		return fmt.Errorf("field %q: %w", f.Name, err)
	}
	return nil
}

func (d *protoDecoder) Intact(value []byte) bool {
	body, err := d.body(value)
	if err != nil {
		return false
	}
	r := protoReader{body: body}
	for r.at < len(body) {
		start := r.at
		number, wire, err := r.tag()
		if err != nil {
			return false
		}
		if number == protoChecksum && wire == wireVarint {
			sum, err := r.uvarint()
			return err == nil && sum == uint64(crc32.Checksum(body[:start], d.crc)) && r.at == len(body)
		}
		if r.skip(wire) != nil {
			return false
		}
	}
	return false
}

// protoReader reads the binary encoding of protobuf.
type protoReader struct {
	body []byte
	text string // the same bytes, where the strings come from
	at   int
}

// value reads a value of a kind into v, or into the event's ID.
func (r *protoReader) value(kind generators.Kind, dst *generators.Event, v *generators.Value) (err error) {
	switch kind {
	case generators.UUID, generators.String:
		start, end, err := r.span()
		if err != nil {
			return err
		}
		if !utf8.Valid(r.body[start:end]) {
			return errors.New("want UTF-8")
		}
		if v.Str = r.text[start:end]; kind == generators.String {
			return nil
		}
		id, ok := generators.ParseID(v.Str)
		if !ok {
			return fmt.Errorf("want a UUID, not %.50q", v.Str)
		}
		dst.ID, v.Str = id, ""
	case generators.Timestamp:
		v.Int, err = r.stamp()
	case generators.Bool:
		v.Int, err = r.varintIn(0, 1)
	case generators.Int:
		v.Int, err = r.varintIn(math.MinInt32, math.MaxInt32)
	case generators.Checksum:
		v.Int, err = r.varintIn(0, math.MaxUint32)
	default: // Long
		v.Int, err = r.varintIn(math.MinInt64, math.MaxInt64)
	}
	return err
}

// stamp reads a google.protobuf.Timestamp as microseconds; what is below one is
// cut off.
func (r *protoReader) stamp() (micros int64, err error) {
	const most = math.MaxInt64/1_000_000 - 1
	start, end, err := r.span()
	if err != nil {
		return 0, err
	}
	inner := protoReader{body: r.body[start:end]}
	var parts [3]int64
	var seen [3]bool
	for inner.at < len(inner.body) {
		number, wire, err := inner.tag()
		if err != nil {
			return 0, err
		}
		if number > 2 {
			if err := inner.skip(wire); err != nil {
				return 0, err
			}
			continue
		}
		if wire != wireVarint || seen[number] {
			return 0, errors.New("want seconds and nanoseconds, each once")
		}
		low, high := int64(-most), int64(most)
		if number == 2 {
			low, high = 0, 999_999_999
		}
		if parts[number], err = inner.varintIn(low, high); err != nil {
			return 0, err
		}
		seen[number] = true
	}
	return parts[1]*1_000_000 + parts[2]/1000, nil
}

// tag reads the number and the wire type of a field.
func (r *protoReader) tag() (number uint64, wire int, err error) {
	u, err := r.uvarint()
	if err != nil {
		return 0, 0, err
	}
	if number = u >> 3; number == 0 || number >= 1<<29 {
		return 0, 0, fmt.Errorf("want a field number from 1 to 536870911, not %d", number)
	}
	return number, int(u & 7), nil
}

// skip passes a value.
func (r *protoReader) skip(wire int) (err error) {
	switch wire {
	case wireVarint:
		_, err = r.uvarint()
	case wireBytes:
		_, _, err = r.span()
	case wireFixed64:
		err = r.pass(8)
	case wireFixed32:
		err = r.pass(4)
	default:
		err = fmt.Errorf("want no wire type %d", wire)
	}
	return err
}

func (r *protoReader) pass(n uint64) error {
	if n > uint64(len(r.body)-r.at) {
		return errShort
	}
	r.at += int(n)
	return nil
}

// span reads a length and returns where the bytes are.
func (r *protoReader) span() (start, end int, err error) {
	n, err := r.uvarint()
	if err != nil {
		return 0, 0, err
	}
	start = r.at
	return start, start + int(n), r.pass(n)
}

// uvarint reads a varint of at most 64 bits.
func (r *protoReader) uvarint() (u uint64, err error) {
	for shift := 0; shift < 64; shift += 7 {
		if r.at >= len(r.body) {
			return 0, errShort
		}
		b := r.body[r.at]
		r.at++
		u |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if shift == 63 && b > 1 {
				break
			}
			return u, nil
		}
	}
	return 0, errors.New("want a number of 64 bits")
}

// varintIn reads a signed number within limits.
func (r *protoReader) varintIn(low, high int64) (int64, error) {
	u, err := r.uvarint()
	if n := int64(u); err != nil || n >= low && n <= high {
		return n, err
	}
	return 0, fmt.Errorf("want a number from %d to %d, not %d", low, high, int64(u))
}
