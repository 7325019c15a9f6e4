package fileset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/lakeproof/lakeproof/generators/encode/parquetfile"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// What compresses a file.
const (
	Gzip = "gzip"
	Zstd = "zstd"
)

// part is a file that is not whole.
type part interface {
	write(r *sink.Record) error
	size() int64            // of the file so far, about
	finish() (int64, error) // gives it its name and says its size; after an error nothing is left
	drop() error            // leaves nothing
}

// text is a file of records that have bytes.
type text struct {
	name   string
	file   *os.File
	buf    *bufio.Writer
	disk   *counter
	out    io.Writer // what records are written to
	packer io.Closer // of out; nil without compression
	binary bool
	length [4]byte
}

// counter counts what is written.
type counter struct {
	io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

func newText(name string, o *Options) (*text, error) {
	file, err := os.OpenFile(name+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	t := &text{name: name, file: file, buf: bufio.NewWriterSize(file, 1<<18), binary: o.Binary}
	t.disk = &counter{Writer: t.buf}
	switch o.Compress {
	case Gzip:
		z := gzip.NewWriter(t.disk)
		t.out, t.packer = z, z
	case Zstd:
		// One goroutine: where a file ends must not depend on how far others are.
		z, err := zstd.NewWriter(t.disk, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, errors.Join(err, t.drop())
		}
		t.out, t.packer = z, z
	default:
		t.out = t.disk
	}
	if o.Header == "" {
		return t, nil
	}
	if err := t.put([]byte(o.Header)); err != nil {
		return nil, errors.Join(err, t.drop())
	}
	return t, nil
}

func (t *text) write(r *sink.Record) error { return t.put(r.Value) }

func (t *text) put(value []byte) error {
	if t.binary {
		binary.BigEndian.PutUint32(t.length[:], uint32(len(value)))
		if _, err := t.out.Write(t.length[:]); err != nil {
			return err
		}
	}
	if _, err := t.out.Write(value); err != nil || t.binary {
		return err
	}
	_, err := t.out.Write([]byte{'\n'})
	return err
}

func (t *text) size() int64 { return t.disk.n }

func (t *text) finish() (int64, error) {
	var err error
	if t.packer != nil {
		err = t.packer.Close()
	}
	if err == nil {
		err = t.buf.Flush()
	}
	if err == nil {
		err = t.file.Sync()
	}
	if err == nil {
		err = t.file.Close()
	}
	if err == nil {
		err = os.Rename(t.name+".part", t.name)
	}
	if err != nil {
		return 0, errors.Join(err, t.drop())
	}
	return t.disk.n, nil
}

func (t *text) drop() error {
	if err := t.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return os.Remove(t.name + ".part")
}

// rows is a Parquet file.
type rows struct {
	*parquetfile.Writer
	name  string
	plain int64
}

func newRows(name string, o *Options) (*rows, error) {
	stale, err := filepath.Glob(filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".*.part"))
	if err != nil {
		return nil, err
	}
	for _, old := range stale { // of one who was killed
		if err := os.Remove(old); err != nil {
			return nil, err
		}
	}
	codec := o.Compress
	w, err := parquetfile.Create(name, o.Parquet, parquetfile.Options{Codec: codec})
	return &rows{Writer: w, name: name}, err
}

func (r *rows) write(rec *sink.Record) error {
	r.plain += int64(len(rec.Value))
	return r.Write(rec.Row)
}

// size is that of the values before they are compressed: the library writes a
// group of rows at a time.
func (r *rows) size() int64 { return r.plain }

func (r *rows) finish() (int64, error) {
	if err := r.Close(); err != nil {
		return 0, err
	}
	info, err := os.Stat(r.name)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (r *rows) drop() error { return r.Abort() }
