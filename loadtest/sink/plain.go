package sink

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Discard takes every record and forgets it.
type Discard struct{}

// Send implements Sink.
func (Discard) Send(context.Context, *Record) error { return nil }

// Flush implements Sink.
func (Discard) Flush(context.Context) error { return nil }

// Close implements Sink.
func (Discard) Close(context.Context) error { return nil }

// Writer writes records one after the other: text formats with a line feed
// behind each, binary ones with their length before it (4 bytes, big-endian).
type Writer struct {
	buf    *bufio.Writer
	binary bool
}

// NewWriter returns a sink that writes to w and does not close it.
func NewWriter(w io.Writer, binary bool) *Writer {
	return &Writer{buf: bufio.NewWriterSize(w, 1<<18), binary: binary}
}

// Send implements Sink.
func (w *Writer) Send(_ context.Context, r *Record) error {
	if w.binary {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(r.Value)))
		if _, err := w.buf.Write(length[:]); err != nil {
			return writing(err)
		}
	}
	if _, err := w.buf.Write(r.Value); err != nil {
		return writing(err)
	}
	if !w.binary {
		return writing(w.buf.WriteByte('\n'))
	}
	return nil
}

// Flush implements Sink.
func (w *Writer) Flush(context.Context) error { return writing(w.buf.Flush()) }

// Close implements Sink.
func (w *Writer) Close(ctx context.Context) error { return w.Flush(ctx) }

func writing(err error) error {
	if err == nil {
		return nil
	}
	return fail.Wrap(fmt.Errorf("writing records: %w", err), fail.Internal,
		"see whether the disk is full and the reader still there")
}

// File is a Writer into a file, which has its name only when it is whole.
type File struct {
	Writer
	file *os.File
	name string
	err  error
}

// NewFile begins a file beside name; Close gives it its name.
func NewFile(name string, binary bool) (*File, error) {
	f, err := os.OpenFile(name+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("making the file of records: %w", err), fail.Usage,
			"choose a folder that exists and is writable")
	}
	return &File{Writer: *NewWriter(f, binary), file: f, name: name}, nil
}

// Send implements Sink.
func (f *File) Send(ctx context.Context, r *Record) error {
	if f.err == nil {
		f.err = f.Writer.Send(ctx, r)
	}
	return f.err
}

// Close implements Sink. After an error the file keeps its temporary name.
func (f *File) Close(ctx context.Context) error {
	err := errors.Join(f.err, f.Flush(ctx), writing(f.file.Close()))
	if err != nil {
		return err
	}
	return writing(os.Rename(f.name+".part", f.name))
}
