// Package parquetfile writes events into Parquet files, as Spark and Iceberg
// read them.
//
// A value flows like this: [Create] begins a file beside its name, [Writer.Write]
// collects events into columns, a thousand rows at a time, and begins a new row
// group before one would grow beyond its bytes; [Writer.Close] ends the file,
// forces it to the disk and gives it its name. A file that has its name is
// whole: after an error, and after [Writer.Abort], nothing is left.
//
// The columns are those of the table: UUIDs as text, times as
// TIMESTAMP(MICROS, UTC), nullable fields optional and all others required. They
// have no field ids, so that Iceberg's name mapping applies. A row of a Parquet
// file has no bytes of its own; its checksum is that of its Avro encoding, which
// a reader can make again.
//
// It does not read, partition or upload.
package parquetfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// DefaultRowGroupBytes is the default of [Options.RowGroupBytes].
const DefaultRowGroupBytes = 64 << 20

// batchRows is how many rows are collected before they are encoded.
const batchRows = 1024

// Options tune a Writer; every zero value has a default.
type Options struct {
	// RowGroupBytes is the most that the values of one row group take before
	// encodings and compression: a string its length and four bytes, other values
	// one, four or eight. It is also the order of memory that a Writer needs.
	// Default 64 MiB. One row that is larger has a group of its own.
	RowGroupBytes int64
	// Codec is zstd, snappy, gzip or none; default zstd.
	Codec string
}

// Writer writes one file. It must not be used from several goroutines at once.
type Writer struct {
	name    string
	dst     target
	buf     *bufio.Writer
	out     *pqarrow.FileWriter
	rows    *rowBuilder
	encoder encode.Encoder // for the checksum
	scratch []byte
	limit   int64
	size    int64 // of the row group so far
	count   int64
	err     error // the first; nothing is written after it
	closed  bool
}

// target is what a Writer needs of *os.File.
type target interface {
	io.WriteCloser
	Name() string
	Sync() error
}

// Create begins a file of events of a schema.
func Create(name string, s *generators.Schema, opt Options) (*Writer, error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.part")
	if err == nil {
		err = f.Chmod(0o644) // what os.Create gives
	}
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("creating Parquet file %s: %w", name, err), fail.Usage,
			"choose a folder that exists and is writable")
	}
	w, err := newWriter(name, f, s, opt)
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, fmt.Errorf("creating Parquet file %s: %w", name, err)
	}
	return w, nil
}

func newWriter(name string, f target, s *generators.Schema, opt Options) (*Writer, error) {
	codec, err := codecOf(opt.Codec)
	if err != nil {
		return nil, err
	}
	encoder, err := encode.New(encode.Avro, s, encode.Options{})
	if err != nil {
		return nil, err
	}
	if opt.RowGroupBytes <= 0 {
		opt.RowGroupBytes = DefaultRowGroupBytes
	}
	w := &Writer{name: name, dst: f, buf: bufio.NewWriterSize(f, 1<<18), encoder: encoder, limit: opt.RowGroupBytes}
	schema := arrowSchema(s)
	props := parquet.NewWriterProperties(
		parquet.WithCompression(codec),
		parquet.WithMaxRowGroupLength(math.MaxInt64), // ours is in bytes
		// Every value of these is another.
		parquet.WithDictionaryFor(s.Fields[0].Name, false),
		parquet.WithDictionaryFor(s.Fields[len(s.Fields)-1].Name, false),
		parquet.WithCreatedBy("lakeproof, parquet-go version "+arrow.PkgVersion),
	)
	// The library must not close what it writes to, whatever happens.
	w.out, err = pqarrow.NewFileWriter(schema, struct{ io.Writer }{w.buf}, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	w.rows = newRowBuilder(memory.DefaultAllocator, schema, s)
	return w, nil
}

func codecOf(name string) (compress.Compression, error) {
	switch name {
	case "", "zstd":
		return compress.Codecs.Zstd, nil
	case "snappy":
		return compress.Codecs.Snappy, nil
	case "gzip":
		return compress.Codecs.Gzip, nil
	case "none":
		return compress.Codecs.Uncompressed, nil
	}
	return 0, fail.New(fail.Usage, "use one of zstd, snappy, gzip, none", "choosing codec %q: not one that is known", name)
}

// Rows returns how many events were written.
func (w *Writer) Rows() int64 { return w.count }

// Write adds an event, and stores its checksum in its last value. After an error
// nothing more is written, and Close returns the error again.
func (w *Writer) Write(ev *generators.Event) error {
	if w.closed {
		return fmt.Errorf("writing Parquet file %s: it is closed", w.name)
	}
	if w.err != nil {
		return w.err
	}
	w.scratch = w.encoder.Append(w.scratch[:0], ev)
	size := w.rows.size(ev)
	if w.size > 0 && w.size+size > w.limit {
		w.keep(w.endGroup())
	}
	w.rows.add(ev)
	w.size += size
	if w.rows.count == batchRows {
		w.keep(w.flush())
	}
	if w.err == nil {
		w.count++
	}
	return w.err
}

// keep remembers the first error.
func (w *Writer) keep(err error) {
	if err != nil && w.err == nil {
		w.err = fail.Wrap(fmt.Errorf("writing Parquet file %s: %w", w.name, err), fail.Internal,
			"see whether the disk is full; nothing is left of the file")
	}
}

// endGroup writes what is collected and begins a new row group.
func (w *Writer) endGroup() error {
	w.size = 0
	if err := w.flush(); err != nil {
		return err
	}
	return w.out.NewBufferedRowGroupChecked()
}

// flush encodes the rows that are collected into the row group.
func (w *Writer) flush() error {
	if w.rows.count == 0 {
		return nil
	}
	batch := w.rows.take()
	defer batch.Release()
	return w.out.WriteBuffered(batch)
}

// Close ends the file and gives it its name. After an error it removes what
// there is, and returns the first.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	if w.err == nil {
		w.keep(w.flush())
	}
	w.keep(w.out.Close()) // also after an error: it has buffers of its own
	if w.err == nil {
		w.keep(w.buf.Flush())
	}
	if w.err == nil {
		w.keep(w.dst.Sync())
	}
	if err := w.release(); w.err == nil {
		w.keep(err)
	}
	if w.err == nil {
		w.keep(os.Rename(w.dst.Name(), w.name))
	}
	if w.err != nil {
		return errors.Join(w.err, w.remove())
	}
	return syncFolder(filepath.Dir(w.name))
}

// Abort ends the file and removes it. After Close it does nothing.
func (w *Writer) Abort() error {
	if w.closed {
		return nil
	}
	w.buf.Reset(io.Discard) // what the library still writes
	closed := errors.Join(w.out.Close(), w.release())
	if err := w.remove(); err != nil {
		return err
	}
	if closed != nil {
		return fmt.Errorf("closing the rest of Parquet file %s: %w", w.name, closed)
	}
	return nil
}

// release gives back the memory and the file.
func (w *Writer) release() error {
	w.closed = true
	w.rows.release()
	return w.dst.Close()
}

func (w *Writer) remove() error {
	if err := os.Remove(w.dst.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the rest of Parquet file %s: %w", w.name, err)
	}
	return nil
}

// syncFolder makes a new name durable.
func syncFolder(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("opening folder %s: %w", name, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("forcing folder %s to the disk: %w", name, err)
	}
	return nil
}
