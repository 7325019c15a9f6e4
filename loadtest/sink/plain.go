package sink

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"

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
