package encode

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lakeproof/lakeproof/generators"
)

// ChangeDecoder reads changes of the rows of one schema. It may be used from
// many goroutines at once, each with a change of its own.
type ChangeDecoder struct{ row *jsonDecoder }

// NewChangeDecoder returns the decoder of the rows of a schema.
func NewChangeDecoder(s *generators.Schema) (*ChangeDecoder, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return &ChangeDecoder{newJSONDecoder(s)}, nil
}

// Format is Debezium.
func (d *ChangeDecoder) Format() string { return Debezium }

// Decode reads an envelope into c, all of it. It is as strict as the [Decoder]
// of JSON with the rows; op, before, after and the times and places of source
// must be there, and fit together. A null value is [ErrTombstone].
func (d *ChangeDecoder) Decode(c *Change, value []byte) error {
	if value == nil {
		return ErrTombstone
	}
	if !utf8.Valid(value) {
		return errors.New("decoding debezium: not UTF-8")
	}
	s := scanner{text: string(value)}
	err := d.envelope(&s, c)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return fmt.Errorf("decoding debezium: at byte %d: %w", s.at, err)
	}
	if err := c.check(); err != nil {
		return fmt.Errorf("decoding debezium: %w", err)
	}
	return nil
}

// Intact reports whether each row in the envelope has the checksum it was made
// with. The envelope around them has none.
func (d *ChangeDecoder) Intact(value []byte) bool {
	s, rows := scanner{text: string(value)}, 0
	err := s.object(nil, func(name string) error {
		s.space()
		start := s.at
		if err := s.skipValue(0); err != nil {
			return err
		}
		if row := value[start:s.at]; (name == "before" || name == "after") && string(row) != "null" {
			if !d.row.Intact(row) {
				return errors.New("want the row as it was")
			}
			rows++
		}
		return nil
	})
	return err == nil && rows > 0 && s.end() == nil
}

func (d *ChangeDecoder) envelope(s *scanner, c *Change) error {
	before, after := c.Before, c.After
	*c = Change{}
	return s.object([]string{"before", "after", "source", "op", "ts_us"}, func(name string) (err error) {
		switch name {
		case "before":
			c.Before, err = d.rowOrNull(s, before)
		case "after":
			c.After, err = d.rowOrNull(s, after)
		case "source":
			err = s.source(c)
		case "transaction":
			err = s.transaction(&c.Tx)
		case "op":
			var op string
			if op, err = s.str(); err == nil && len(op) != 1 {
				return fmt.Errorf("want an operation of one letter, not %.20q", op)
			} else if err == nil {
				c.Op = Op(op[0])
			}
		case "ts_us":
			c.Seen, err = s.integer()
		default:
			err = s.skipValue(0)
		}
		return err
	})
}

// rowOrNull reads a row, into one that was there before when there was one.
func (d *ChangeDecoder) rowOrNull(s *scanner, row *generators.Event) (*generators.Event, error) {
	if s.literal("null") {
		return nil, nil
	}
	if row == nil {
		row = new(generators.Event)
	}
	return row, d.row.object(s, row)
}

// source reads the source block.
func (s *scanner) source(c *Change) error {
	return s.object([]string{"ts_us", "lsn", "sequence", "txId"}, func(name string) (err error) {
		switch name {
		case "ts_us":
			c.At, err = s.integer()
		case "lsn":
			c.LSN, err = s.natural()
		case "txId":
			if !s.literal("null") {
				c.Tx.ID, err = s.natural()
			}
		case "sequence":
			c.Last, err = s.sequence()
		default:
			err = s.skipValue(0)
		}
		return err
	})
}

// sequence reads the LSN of the last commit: the first of two, or null.
func (s *scanner) sequence() (uint64, error) {
	text, err := s.str()
	if err != nil {
		return 0, err
	}
	inner, closed := strings.CutSuffix(text, "]")
	first, second, two := strings.Cut(inner, ",")
	first, open := strings.CutPrefix(first, "[")
	last, errLast := logPosition(first)
	_, errHere := logPosition(second)
	if !open || !closed || !two || errLast != nil || errHere != nil {
		return 0, fmt.Errorf("want a sequence of two log positions, not %.60q", text)
	}
	return last, nil
}

// logPosition reads a number in quotes, or null.
func logPosition(text string) (uint64, error) {
	if text == "null" {
		return 0, nil
	}
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(text[1:len(text)-1], 10, 63)
}

// transaction reads the transaction block, or null.
func (s *scanner) transaction(tx *Tx) error {
	if s.literal("null") {
		return nil
	}
	return s.object([]string{"id", "total_order", "data_collection_order"}, func(name string) (err error) {
		switch name {
		case "total_order":
			tx.Order, err = s.natural()
		case "data_collection_order":
			tx.TableOrder, err = s.natural()
		default:
			err = s.skipValue(0)
		}
		return err
	})
}

// natural reads an integer that is not below zero.
func (s *scanner) natural() (uint64, error) {
	n, err := s.integerIn(0, math.MaxInt64)
	return uint64(n), err
}

// object reads an object: member reads each value, and those that are needed
// must be there. No name may be there twice.
func (s *scanner) object(needed []string, member func(name string) error) error {
	if !s.skip('{') {
		return errors.New("want an object")
	}
	seen := map[string]bool{}
	for more := !s.skip('}'); more; {
		s.space()
		name, err := s.str()
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("member %.50q is there twice", name)
		}
		seen[name] = true
		if !s.skip(':') {
			return errors.New("want a colon")
		}
		s.space()
		if err := member(name); err != nil {
			return fmt.Errorf("member %.50q: %w", name, err)
		}
		if more = !s.skip('}'); more && !s.skip(',') {
			return errors.New("want a comma or the end of the object")
		}
	}
	for _, name := range needed {
		if !seen[name] {
			return fmt.Errorf("member %q is missing", name)
		}
	}
	return nil
}
