package input

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// jsonLines is a file of one JSON object a line.
type jsonLines struct {
	in      *bufio.Reader
	columns *columns
	line    int
	long    []byte // a line that did not fit into the buffer
	values  map[string]json.RawMessage
	names   map[string][]choice // of all keys so far
	found   bool                // a column that is known
	wanted  map[string]bool     // columns that were named and not yet seen
	ended   bool
}

func newJSONLines(in *bufio.Reader) *jsonLines {
	return &jsonLines{
		in: in, values: map[string]json.RawMessage{}, names: map[string][]choice{}, wanted: map[string]bool{},
	}
}

func (t *jsonLines) bind(c *columns) error {
	t.columns = c
	for name := range c.mapped {
		t.wanted[name] = true
	}
	return nil
}

func (t *jsonLines) next(w *row) error {
	line, err := t.read()
	if err != nil {
		return t.end(err)
	}
	clear(t.values)
	if err := json.Unmarshal(line, &t.values); err != nil {
		return fmt.Errorf("no JSON object: %w", err)
	}
	for name, raw := range t.values {
		choices, ok := t.names[name]
		if !ok {
			const most = 4096
			if len(t.names) == most {
				return fail.New(fail.Usage, "give rows that have the same keys", "more than %d different keys", most)
			}
			choices = t.columns.of(name)
			t.names[name] = choices
			t.found = t.found || len(choices) > 0
			delete(t.wanted, name)
		}
		for _, k := range choices {
			v, err := scalar(raw)
			if err != nil {
				return fmt.Errorf("column %s: %w", clip(name), err)
			}
			w.put(k, v)
		}
	}
	if !t.found { // of the first line at the latest
		return t.columns.strange(slices.Sorted(maps.Keys(t.values)))
	}
	return nil
}

// end is the end of the file; a column that was named must have been seen.
func (t *jsonLines) end(err error) error {
	if !errors.Is(err, io.EOF) || len(t.wanted) == 0 || t.line == 0 || t.ended {
		return err
	}
	t.ended = true
	return t.columns.missing(slices.Sorted(maps.Keys(t.wanted))[0], slices.Sorted(maps.Keys(t.names)))
}

// read reads a line that is not empty.
func (t *jsonLines) read() ([]byte, error) {
	for {
		t.line++
		line, err := t.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			t.long = append(t.long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) && len(t.long) <= maxRow {
				line, err = t.in.ReadSlice('\n')
				t.long = append(t.long, line...)
			}
			line = t.long
		}
		if len(line) > maxRow {
			return nil, fail.New(fail.Usage, "give one object a line", "a line of more than %d bytes", maxRow)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if err != nil {
			t.line--
			return nil, err
		}
	}
}

// scalar is the text of a JSON value.
func scalar(raw json.RawMessage) (cell, error) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return cell{text: s}, err
	case '{', '[':
		return cell{}, errors.New("a list or an object, not a value")
	case 'n':
		return cell{}, nil
	}
	return cell{text: string(raw)}, nil
}

func (t *jsonLines) where() string { return fmt.Sprintf("line %d", t.line) }
