package table

import (
	"github.com/apache/arrow-go/v18/parquet/file"
)

// The readers of the physical types: each puts the values that it finds side
// by side into the leaf's slice, from row from on.

func (l *leaf) readInt64(c *file.Int64ColumnChunkReader) func(from, to int) (int64, int, error) {
	return func(from, to int) (int64, int, error) {
		rows, n, err := c.ReadBatchInPage(int64(to-from), l.ints[from:to], l.levels(from, to), nil)
		if l.micros != nil {
			for i := from; i < from+n; i++ {
				l.ints[i] = l.micros(l.ints[i])
			}
		}
		return rows, n, err
	}
}

func (l *leaf) readInt32(c *file.Int32ColumnChunkReader) func(from, to int) (int64, int, error) {
	return func(from, to int) (int64, int, error) {
		rows, n, err := c.ReadBatchInPage(int64(to-from), l.i32, l.levels(from, to), nil)
		out := l.ints[from : from+n]
		for i, v := range l.i32[:n] {
			out[i] = int64(v)
		}
		return rows, n, err
	}
}

func (l *leaf) readInt96(c *file.Int96ColumnChunkReader) func(from, to int) (int64, int, error) {
	return func(from, to int) (int64, int, error) {
		rows, n, err := c.ReadBatchInPage(int64(to-from), l.i96, l.levels(from, to), nil)
		for i, v := range l.i96[:n] {
			l.ints[from+i] = v.ToTime().UnixMicro()
		}
		return rows, n, err
	}
}

func (l *leaf) readBools(c *file.BooleanColumnChunkReader) func(from, to int) (int64, int, error) {
	return func(from, to int) (int64, int, error) {
		rows, n, err := c.ReadBatchInPage(int64(to-from), l.bools, l.levels(from, to), nil)
		for i, v := range l.bools[:n] {
			l.ints[from+i] = 0
			if v {
				l.ints[from+i] = 1
			}
		}
		return rows, n, err
	}
}

func (l *leaf) readFloat32(c *file.Float32ColumnChunkReader) func(from, to int) (int64, int, error) {
	return func(from, to int) (int64, int, error) {
		rows, n, err := c.ReadBatchInPage(int64(to-from), l.f32, l.levels(from, to), nil)
		for i, v := range l.f32[:n] {
			l.floats[from+i] = float64(v)
		}
		return rows, n, err
	}
}

func (l *leaf) readBinary(c *file.ByteArrayColumnChunkReader) func(from, to int) (int64, int, error) {
	return func(from, to int) (int64, int, error) {
		rows, n, err := c.ReadBatchInPage(int64(to-from), l.binary, l.levels(from, to), nil)
		for i, v := range l.binary[:n] {
			l.bytes[from+i] = v
		}
		return rows, n, err
	}
}

func (l *leaf) readFixed(c *file.FixedLenByteArrayColumnChunkReader) func(from, to int) (int64, int, error) {
	return func(from, to int) (int64, int, error) {
		rows, n, err := c.ReadBatchInPage(int64(to-from), l.fixed, l.levels(from, to), nil)
		for i, v := range l.fixed[:n] {
			l.bytes[from+i] = v
		}
		return rows, n, err
	}
}
