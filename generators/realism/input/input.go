// Package input reads payments of anybody's data from files, for
// generators/realism: JSON lines, CSV and Parquet, the first two also through
// gzip.
//
// A value flows like this: [New] says which column is which field (those of this
// project's own streams and of a few public data sets are known by name),
// [Reader.Read] looks at the first bytes of a file for its format, reads one row
// after the other, turns each into a realism.Record and hands it on.
// [ReadLabels] reads what is known of fraud from a file of its own, which is
// joined by the payment's or the event's id.
//
// What cannot be read is refused with the file and its line or row. Memory is
// bounded: a row at a time (a batch of rows of Parquet), the labels up to
// [MaxLabels], and the payments seen last (see [MaxPayments]). It judges nothing
// and sorts nothing: the order of the stream is that of the files.
package input

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lakeproof/lakeproof/generators/realism"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Options say how rows become records.
type Options struct {
	Map       map[string]string // column by field; see [Fields]
	Columns   []string          // names of the columns of CSV without a line of names
	TimeUnit  string            // of times that are whole numbers: d, h, m, s, ms, us or ns; "" is by their size
	Labels    *Labels           // nil: the rows' own
	FollowUps []string          // types that never begin a payment: without a beginning they are orphans
}

// Reader reads files that follow each other.
type Reader struct {
	opt     Options
	columns columns
	convert converter
}

// New returns a reader.
func New(o Options) (*Reader, error) {
	c, err := newColumns(o.Map)
	if err != nil {
		return nil, err
	}
	if _, ok := unitMicros(o.TimeUnit); o.TimeUnit != "" && !ok {
		return nil, fail.New(fail.Usage, "use d, h, m, s, ms, us or ns", "reading the unit of times: %q is none", o.TimeUnit)
	}
	return &Reader{opt: o, columns: c, convert: newConverter(&o)}, nil
}

// Rows is how many rows have been read.
func (r *Reader) Rows() uint64 { return r.convert.rows }

// Read reads a file, and calls use with each record; nothing of a record may be
// kept.
func (r *Reader) Read(ctx context.Context, name string, use func(*realism.Record)) error {
	return open(ctx, name, r.opt.Columns, func(t table) error {
		return r.each(ctx, t, use)
	})
}

// ReadFrom reads a stream that is no file: JSON lines or CSV.
func (r *Reader) ReadFrom(ctx context.Context, name string, in io.Reader, use func(*realism.Record)) error {
	return wrap(name, text(in, r.opt.Columns, func(t table) error { return r.each(ctx, t, use) }))
}

// each turns the rows of a table into records.
func (r *Reader) each(ctx context.Context, t table, use func(*realism.Record)) error {
	return walk(ctx, t, &r.columns, func(w *row) error {
		record, err := r.convert.record(w)
		if err == nil {
			use(record)
		}
		return err
	})
}

// table is a file as rows.
type table interface {
	// bind says which columns are wanted. It fails where the names of all columns
	// are known before the first row and one is missing.
	bind(*columns) error
	// next reads the next row; [io.EOF] is the end.
	next(*row) error
	// where says where the row is that was read last: "line 7".
	where() string
}

// walk reads a table row by row.
func walk(ctx context.Context, t table, c *columns, use func(*row) error) error {
	if err := t.bind(c); err != nil {
		return err
	}
	w := new(row)
	for n := 0; ; n++ {
		const often = 4096
		if n%often == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		w.clear()
		err := t.next(w)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = use(w)
		}
		if err != nil {
			return fail.Wrap(fmt.Errorf("%s: %w", t.where(), err), fail.Usage, "mend the row, or leave it out")
		}
	}
}

func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fail.Wrap(fmt.Errorf("reading %s: %w", name, err), fail.Usage, "")
}

// open finds out what a file is.
func open(ctx context.Context, name string, names []string, use func(table) error) error {
	f, err := os.Open(name)
	if err != nil {
		hint := "give a file that is there and readable"
		if errors.Is(err, fs.ErrPermission) {
			hint = "make it readable"
		}
		return fail.Wrap(fmt.Errorf("reading records: %w", err), fail.Usage, hint)
	}
	defer func() { _ = f.Close() }() // it was only read
	var magic [4]byte
	n, err := io.ReadFull(f, magic[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return wrap(name, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil { // a pipe
		return wrap(name, text(io.MultiReader(bytes.NewReader(magic[:n]), f), names, use))
	}
	if string(magic[:n]) == "PAR1" {
		return wrap(name, parquetFile(ctx, f, use))
	}
	return wrap(name, text(f, names, use))
}

// text reads JSON lines or CSV, as they are or through gzip.
func text(in io.Reader, names []string, use func(table) error) error {
	b := bufio.NewReaderSize(in, 1<<16)
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return fmt.Errorf("unpacking gzip: %w", err)
		}
		b = bufio.NewReaderSize(z, 1<<16)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return fail.New(fail.Usage, "unpack it first: zstd -d", "compressed with zstd")
	case string(head) == "PAR1":
		return fail.New(fail.Usage, "give the file by its name", "Parquet is read from its end, which a stream does not show")
	}
	if bom, err := b.Peek(3); err == nil && bytes.Equal(bom, []byte{0xef, 0xbb, 0xbf}) {
		_, _ = b.Discard(len(bom)) // they were peeked
	}
	switch first(b) {
	case 0:
		return nil // nothing, or white space
	case '{':
		return use(newJSONLines(b))
	case '[':
		return fail.New(fail.Usage, "write one object a line: jq -c '.[]'", "a JSON array, not one object a line")
	}
	t, err := newCSV(b, names)
	if err != nil {
		return err
	}
	return use(t)
}

// first is the first byte that is no white space, or 0.
func first(b *bufio.Reader) byte {
	for n := 1; n <= b.Size(); n++ {
		head, err := b.Peek(n)
		if len(head) < n {
			return 0
		}
		if c := head[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
		if err != nil {
			return 0
		}
	}
	return ' '
}
