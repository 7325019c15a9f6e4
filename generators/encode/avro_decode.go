package encode

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"unicode/utf8"

	"github.com/lakeproof/lakeproof/generators"
)

type avroDecoder struct {
	schema *generators.Schema
	crc    *crc32.Table
	framed bool
}

func (d *avroDecoder) Format() string {
	if d.framed {
		return AvroRegistry
	}
	return Avro
}

// body returns the record without its frame.
func (d *avroDecoder) body(value []byte) ([]byte, error) {
	if !d.framed {
		return value, nil
	}
	if len(value) < frameLen || value[0] != 0 {
		return nil, errors.New("decoding avro: want the registry's frame: a zero byte and four bytes of schema id")
	}
	return value[frameLen:], nil
}

func (d *avroDecoder) Decode(dst *generators.Event, value []byte) error {
	body, err := d.body(value)
	if err != nil {
		return err
	}
	fields := d.schema.Fields
	if len(dst.Values) != len(fields) {
		dst.Values = make([]generators.Value, len(fields))
	}
	r := reader{body: body, text: string(body)}
	for i := range fields {
		if err := r.field(&fields[i], dst, &dst.Values[i]); err != nil {
			return fmt.Errorf("decoding avro: field %q at byte %d: %w", fields[i].Name, r.at, err)
		}
	}
	if r.at < len(body) {
		return fmt.Errorf("decoding avro: want nothing after the record, not %d bytes", len(body)-r.at)
	}
	return nil
}

func (d *avroDecoder) Intact(value []byte) bool {
	body, err := d.body(value)
	if err != nil {
		return false
	}
	r, last := reader{body: body}, len(d.schema.Fields)-1
	for i := range d.schema.Fields[:last] {
		if r.pass(&d.schema.Fields[i]) != nil {
			return false
		}
	}
	sum := int64(crc32.Checksum(body[:r.at], d.crc))
	n, err := r.long()
	return err == nil && n == sum && r.at == len(body)
}

// reader reads the binary encoding of Avro.
type reader struct {
	body []byte
	text string // the same bytes, where the strings come from
	at   int
}

var errShort = errors.New("want more bytes")

// field reads the value of one field.
func (r *reader) field(f *generators.Field, dst *generators.Event, v *generators.Value) (err error) {
	*v = generators.Value{}
	if f.Nullable {
		if v.Null, err = r.null(); v.Null || err != nil {
			return err
		}
	}
	switch f.Kind {
	case generators.UUID, generators.String:
		start, end, err := r.span()
		if err != nil {
			return err
		}
		if f.Kind == generators.String {
			v.Str = r.text[start:end]
			break
		}
		id, ok := generators.ParseID(r.text[start:end])
		if !ok {
			return fmt.Errorf("want a UUID, not %.50q", r.text[start:end])
		}
		dst.ID = id
	case generators.Bool:
		v.Int, err = r.bool()
	case generators.Int:
		v.Int, err = r.longIn(math.MinInt32, math.MaxInt32)
	case generators.Timestamp:
		v.Int, err = r.longIn(math.MinInt64/1000, math.MaxInt64/1000)
		v.Int *= 1000
	case generators.Checksum:
		v.Int, err = r.longIn(0, math.MaxUint32)
	default: // Long
		v.Int, err = r.long()
	}
	return err
}

// pass steps over one field.
func (r *reader) pass(f *generators.Field) (err error) {
	if f.Nullable {
		if null, err := r.null(); null || err != nil {
			return err
		}
	}
	switch f.Kind {
	case generators.UUID, generators.String:
		_, _, err = r.span()
	case generators.Bool:
		_, err = r.bool()
	default:
		_, err = r.long()
	}
	return err
}

// null reads the branch of a union of null and a type.
func (r *reader) null() (bool, error) {
	branch, err := r.longIn(0, 1)
	return branch == 0 && err == nil, err
}

// span reads the length of a string and returns where the string is.
func (r *reader) span() (start, end int, err error) {
	n, err := r.long()
	if err != nil {
		return 0, 0, err
	}
	if n < 0 || n > int64(len(r.body)-r.at) {
		return 0, 0, fmt.Errorf("want a string within the record, not of %d bytes", n)
	}
	start = r.at
	r.at += int(n)
	if !utf8.Valid(r.body[start:r.at]) {
		return 0, 0, errors.New("want UTF-8")
	}
	return start, r.at, nil
}

func (r *reader) bool() (int64, error) {
	if r.at >= len(r.body) {
		return 0, errShort
	}
	b := r.body[r.at]
	if b > 1 {
		return 0, fmt.Errorf("want a boolean, not byte %d", b)
	}
	r.at++
	return int64(b), nil
}

// long reads a zigzag varint.
func (r *reader) long() (int64, error) {
	var u uint64
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
			return int64(u>>1) ^ -int64(u&1), nil
		}
	}
	return 0, errors.New("want a number of 64 bits")
}

// longIn reads a number within limits.
func (r *reader) longIn(low, high int64) (int64, error) {
	n, err := r.long()
	if err == nil && (n < low || n > high) {
		return 0, fmt.Errorf("want a number from %d to %d, not %d", low, high, n)
	}
	return n, err
}
