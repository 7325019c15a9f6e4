package encode

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/lakeproof/lakeproof/generators"
)

type jsonDecoder struct {
	fields []generators.Field
	names  []string       // `"name":`, as our own encoder writes it
	index  map[string]int // by name
	tail   []byte         // `,"checksum":`
	crc    *crc32.Table
}

func newJSONDecoder(s *generators.Schema) *jsonDecoder {
	d := &jsonDecoder{fields: s.Fields, index: make(map[string]int), crc: castagnoli()}
	for i, f := range s.Fields {
		d.names = append(d.names, `"`+f.Name+`":`)
		d.index[f.Name] = i
	}
	d.tail = []byte("," + d.names[len(d.names)-1])
	return d
}

func (d *jsonDecoder) Format() string { return JSON }

func (d *jsonDecoder) Intact(value []byte) bool {
	at := bytes.LastIndex(value, d.tail)
	if at < 0 {
		return false
	}
	s := scanner{text: string(value[at+len(d.tail):])}
	sum, err := s.integer()
	return err == nil && s.text[s.at:] == "}" && sum == int64(crc32.Checksum(value[:at], d.crc))
}

func (d *jsonDecoder) Decode(dst *generators.Event, value []byte) error {
	if !utf8.Valid(value) {
		return errors.New("decoding json: not UTF-8")
	}
	s := scanner{text: string(value)}
	err := d.object(&s, dst)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return fmt.Errorf("decoding json: at byte %d: %w", s.at, err)
	}
	return nil
}

// object reads a record.
func (d *jsonDecoder) object(s *scanner, dst *generators.Event) error {
	if len(dst.Values) != len(d.fields) {
		dst.Values = make([]generators.Value, len(d.fields))
	}
	var seen [generators.MaxFields]bool
	if !s.skip('{') {
		return errors.New("want an object")
	}
	for next, more := 0, !s.skip('}'); more; {
		i, err := d.member(s, next)
		switch {
		case err != nil:
			return err
		case i < 0:
			err = s.skipValue(0)
		case seen[i]:
			return fmt.Errorf("field %q is there twice", d.fields[i].Name)
		default:
			seen[i], next = true, i+1
			err = d.value(s, dst, i)
		}
		if err != nil {
			return err
		}
		if more = !s.skip('}'); more && !s.skip(',') {
			return errors.New("want a comma or the end of the object")
		}
	}
	for i := range d.fields {
		if seen[i] {
			continue
		}
		if !d.fields[i].Nullable {
			return fmt.Errorf("field %q is missing", d.fields[i].Name)
		}
		dst.Values[i] = generators.Value{Null: true}
	}
	return nil
}

// member reads a name and its colon and returns the field's place, or -1 for a
// stranger. It tries the field after the last one first.
func (d *jsonDecoder) member(s *scanner, next int) (int, error) {
	if next < len(d.names) && strings.HasPrefix(s.text[s.at:], d.names[next]) {
		s.at += len(d.names[next])
		return next, nil
	}
	s.space()
	name, err := s.str()
	if err != nil {
		return 0, err
	}
	if !s.skip(':') {
		return 0, errors.New("want a colon")
	}
	if i, ok := d.index[name]; ok {
		return i, nil
	}
	return -1, nil
}

// value reads the value of field i.
func (d *jsonDecoder) value(s *scanner, dst *generators.Event, i int) error {
	f, v := &d.fields[i], &dst.Values[i]
	*v = generators.Value{}
	s.space()
	if f.Nullable && s.literal("null") {
		v.Null = true
		return nil
	}
	if err := s.value(f.Kind, dst, v); err != nil {
		return fmt.Errorf("field %q: %w", f.Name, err)
	}
	return nil
}

// value reads a value of a kind into v, or into the event's ID.
func (s *scanner) value(kind generators.Kind, dst *generators.Event, v *generators.Value) (err error) {
	switch kind {
	case generators.UUID:
		text, err := s.str()
		if err != nil {
			return err
		}
		id, ok := generators.ParseID(text)
		if !ok {
			return fmt.Errorf("want a UUID, not %.50q", text)
		}
		dst.ID = id
	case generators.String:
		v.Str, err = s.str()
	case generators.Bool:
		switch {
		case s.literal("true"):
			v.Int = 1
		case !s.literal("false"):
			return errors.New("want true or false")
		}
	case generators.Timestamp:
		text, err := s.str()
		if err != nil {
			return err
		}
		if v.Int, err = parseTime(text); err != nil {
			return err
		}
	case generators.Int:
		v.Int, err = s.integerIn(math.MinInt32, math.MaxInt32)
	case generators.Checksum:
		v.Int, err = s.integerIn(0, math.MaxUint32)
	default: // Long
		v.Int, err = s.integer()
	}
	return err
}
