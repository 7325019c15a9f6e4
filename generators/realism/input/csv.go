package input

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// maxRow is the most bytes of a row.
const maxRow = 1 << 20

// csvTable is a file of RFC 4180 with a line of names.
type csvTable struct {
	limit  *limited
	reader *csv.Reader
	names  []string
	bound  []binding
	line   int
}

// limited reads at most so much until it is allowed more, so that a quote that
// is never closed does not take the whole file into memory.
type limited struct {
	from io.Reader
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fail.New(fail.Usage, "see whether a quote is not closed", "a row of more than %d bytes", maxRow)
	}
	n, err := l.from.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// newCSV reads the names, unless they are given. Values are separated by commas, or by semicolons or tabs
// where there is no comma.
func newCSV(b *bufio.Reader, names []string) (*csvTable, error) {
	head, _ := b.Peek(b.Size()) // a short one is short
	line, _, _ := bytes.Cut(head, []byte("\n"))
	comma := ','
	for _, other := range ";\t" {
		if bytes.IndexByte(line, ',') < 0 && bytes.ContainsRune(line, other) {
			comma = other
			break
		}
	}
	limit := &limited{b, 2 * maxRow}
	t := &csvTable{limit: limit, reader: csv.NewReader(limit)}
	t.reader.Comma, t.reader.ReuseRecord = comma, true
	if len(names) > 0 {
		t.names, t.reader.FieldsPerRecord = names, len(names)
		return t, nil
	}
	names, err := t.reader.Read()
	if err != nil {
		return nil, t.explain(err)
	}
	t.line = 1
	t.names = append(t.names, names...)
	return t, nil
}

func (t *csvTable) bind(c *columns) (err error) {
	t.bound, err = c.bind(t.names)
	return err
}

func (t *csvTable) next(w *row) error {
	t.limit.left = max(t.limit.left, 0) + maxRow
	t.limit.left = min(t.limit.left, 2*maxRow)
	values, err := t.reader.Read()
	if err != nil {
		t.line++
		return t.explain(err)
	}
	t.line, _ = t.reader.FieldPos(0)
	for _, b := range t.bound {
		w.put(b.choice, cell{text: values[b.column]})
	}
	return nil
}

// explain says what is wrong with a row.
func (t *csvTable) explain(err error) error {
	parse, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err
	}
	t.line = parse.Line
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		return fmt.Errorf("not as many values as there are names: %d", len(t.names))
	}
	return parse.Err
}

func (t *csvTable) where() string { return fmt.Sprintf("line %d", t.line) }
