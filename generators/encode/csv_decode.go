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

type csvDecoder struct {
	fields []generators.Field
	crc    *crc32.Table
}

func (d *csvDecoder) Format() string { return CSV }

func (d *csvDecoder) Intact(value []byte) bool {
	at := bytes.LastIndexByte(value, ',')
	if at < 0 {
		return false
	}
	s := scanner{text: string(value[at+1:])}
	sum, err := s.integer()
	return err == nil && s.at == len(s.text) && sum == int64(crc32.Checksum(value[:at], d.crc))
}

func (d *csvDecoder) Decode(dst *generators.Event, value []byte) error {
	if !utf8.Valid(value) {
		return errors.New("decoding csv: not UTF-8")
	}
	if len(dst.Values) != len(d.fields) {
		dst.Values = make([]generators.Value, len(d.fields))
	}
	rest, last := string(value), len(d.fields)-1
	for i := range d.fields {
		f := &d.fields[i]
		text, quoted, after, err := cut(rest)
		if err == nil {
			err = d.value(dst, i, text, quoted)
		}
		if err != nil {
			return fmt.Errorf("decoding csv: field %q: %w", f.Name, err)
		}
		switch more := strings.HasPrefix(after, ","); {
		case i < last && !more:
			return fmt.Errorf("decoding csv: want %d fields, not %d", last+1, i+1)
		case i == last && after != "":
			return errors.New("decoding csv: want nothing after the last field, and no line break")
		case more:
			rest = after[1:]
		}
	}
	return nil
}

// value reads the text of field i.
func (d *csvDecoder) value(dst *generators.Event, i int, text string, quoted bool) error {
	f, v := &d.fields[i], &dst.Values[i]
	*v = generators.Value{}
	if text == "" && !quoted {
		if !f.Nullable {
			return errors.New("want a value, or \"\" where it is the empty string")
		}
		v.Null = true
		return nil
	}
	var err error
	switch f.Kind {
	case generators.UUID:
		id, ok := generators.ParseID(text)
		if !ok {
			return fmt.Errorf("want a UUID, not %.50q", text)
		}
		dst.ID = id
	case generators.String:
		v.Str = text
	case generators.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("want true or false, not %.50q", text)
		}
		v.Int = int64(len("false") - len(text))
	case generators.Timestamp:
		v.Int, err = parseTime(text)
	case generators.Int:
		v.Int, err = integerText(text, math.MinInt32, math.MaxInt32)
	case generators.Checksum:
		v.Int, err = integerText(text, 0, math.MaxUint32)
	default: // Long
		v.Int, err = integerText(text, math.MinInt64, math.MaxInt64)
	}
	return err
}

// integerText reads a text that is an integer within limits and nothing else.
func integerText(text string, low, high int64) (int64, error) {
	s := scanner{text: text}
	n, err := s.integerIn(low, high)
	if err == nil && s.at < len(text) {
		return 0, fmt.Errorf("want an integer, not %.50q", text)
	}
	return n, err
}

// cut returns the first field of a record, whether it stood in quotes, and what
// follows it.
func cut(rest string) (text string, quoted bool, after string, err error) {
	if !strings.HasPrefix(rest, `"`) {
		end := strings.IndexByte(rest, ',')
		if end < 0 {
			end = len(rest)
		}
		if strings.ContainsAny(rest[:end], "\"\r\n") {
			return "", false, "", errors.New("want quotes around a text with quotes or line breaks")
		}
		return rest[:end], false, rest[end:], nil
	}
	rest = rest[1:]
	end := strings.IndexByte(rest, '"')
	if end >= 0 && !strings.HasPrefix(rest[end+1:], `"`) {
		text, after = rest[:end], rest[end+1:]
	} else if text, after, quoted = unquote(rest, end); !quoted {
		return "", false, "", errors.New("want the quote at the end")
	}
	if after != "" && after[0] != ',' {
		return "", false, "", errors.New("want a comma after the quote")
	}
	return text, true, after, nil
}

// unquote reads a text with doubled quotes, the first of them at a place, up to
// the quote that ends it, which must be there.
func unquote(rest string, end int) (text, after string, ok bool) {
	out := make([]byte, 0, len(rest))
	for end >= 0 {
		out = append(out, rest[:end]...)
		if rest = rest[end+1:]; !strings.HasPrefix(rest, `"`) {
			return string(out), rest, true
		}
		out, rest = append(out, '"'), rest[1:]
		end = strings.IndexByte(rest, '"')
	}
	return "", "", false
}
