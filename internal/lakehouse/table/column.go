package table

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// Kind says which slice of a Vector holds its values.
type Kind uint8

// The kinds.
const (
	Int       Kind = iota + 1 // Ints: int, long, date (days), time (its own unit)
	Timestamp                 // Ints: microseconds since the Unix epoch, whatever unit the file has
	Bool                      // Ints: 0 or 1
	Float                     // Floats
	Bytes                     // Bytes: string, binary, fixed, uuid (16 bytes)
)

// Vector is one column of a Batch: one element a row. The element of a row
// that is null is 0, or nil.
type Vector struct {
	Kind   Kind
	Ints   []int64
	Floats []float64
	Bytes  [][]byte
	Nulls  []bool // nil when no row of the batch is null
}

// Null reports whether a row is null.
func (v *Vector) Null(row int) bool { return v.Nulls != nil && v.Nulls[row] }

// leaf reads one column of a file, chunk after chunk, into a Vector.
type leaf struct {
	index  int
	name   string
	physic parquet.Type
	maxDef int16
	micros func(int64) int64 // to microseconds; nil where there is nothing to do

	out    *Vector
	ints   []int64
	floats []float64
	bytes  [][]byte
	nulls  []bool
	defs   []int16
	arena  []byte // values whose page is gone

	chunk file.ColumnChunkReader
	read  func(from, to int) (rows int64, values int, err error) // into the row's own slots, without gaps

	i32    []int32
	i96    []parquet.Int96
	bools  []bool
	f32    []float32
	fixed  []parquet.FixedLenByteArray
	binary []parquet.ByteArray
}

// init prepares a leaf for a column of the file.
func (l *leaf) init(index int, c *schema.Column, out *Vector) error {
	l.index, l.name, l.physic, l.maxDef, l.out = index, c.Name(), c.PhysicalType(), c.MaxDefinitionLevel(), out
	if c.MaxRepetitionLevel() > 0 || l.maxDef > 1 {
		return fmt.Errorf("it is nested")
	}
	if err := l.setKind(c.LogicalType()); err != nil {
		return err
	}
	l.nulls = make([]bool, BatchRows)
	if l.maxDef > 0 {
		l.defs = make([]int16, BatchRows)
	}
	switch out.Kind {
	case Float:
		l.floats = make([]float64, BatchRows)
	case Bytes:
		l.bytes = make([][]byte, BatchRows)
	default:
		l.ints = make([]int64, BatchRows)
	}
	return nil
}

func (l *leaf) setKind(logical schema.LogicalType) error {
	if d, ok := logical.(schema.DecimalLogicalType); ok {
		return fmt.Errorf("its type %s is not supported", d)
	}
	switch l.physic {
	case parquet.Types.Boolean:
		l.out.Kind, l.bools = Bool, make([]bool, BatchRows)
	case parquet.Types.Int32:
		l.out.Kind, l.i32 = Int, make([]int32, BatchRows)
	case parquet.Types.Int64:
		l.out.Kind = Int
		if t, ok := logical.(schema.TimestampLogicalType); ok {
			l.out.Kind, l.micros = Timestamp, toMicros(t.TimeUnit())
		}
	case parquet.Types.Int96:
		l.out.Kind, l.i96 = Timestamp, make([]parquet.Int96, BatchRows)
	case parquet.Types.Float:
		l.out.Kind, l.f32 = Float, make([]float32, BatchRows)
	case parquet.Types.Double:
		l.out.Kind = Float
	case parquet.Types.ByteArray:
		l.out.Kind, l.binary = Bytes, make([]parquet.ByteArray, BatchRows)
	case parquet.Types.FixedLenByteArray:
		l.out.Kind, l.fixed = Bytes, make([]parquet.FixedLenByteArray, BatchRows)
	default:
		return fmt.Errorf("its type %s is not supported", l.physic)
	}
	return nil
}

func toMicros(unit schema.TimeUnitType) func(int64) int64 {
	switch unit {
	case schema.TimeUnitMillis:
		return func(v int64) int64 { return v * 1000 }
	case schema.TimeUnitNanos:
		return func(v int64) int64 {
			micros := v / 1000
			if v%1000 < 0 {
				micros-- // round down, before 1970 too
			}
			return micros
		}
	case schema.TimeUnitMicros, schema.TimeUnitUnknown:
	}
	return nil
}

// attach points the leaf to its chunk of the next row group.
func (l *leaf) attach(chunk file.ColumnChunkReader) {
	l.chunk = chunk
	switch c := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		l.read = l.readBools(c)
	case *file.Int32ColumnChunkReader:
		l.read = l.readInt32(c)
	case *file.Int64ColumnChunkReader:
		l.read = l.readInt64(c)
	case *file.Int96ColumnChunkReader:
		l.read = l.readInt96(c)
	case *file.Float32ColumnChunkReader:
		l.read = l.readFloat32(c)
	case *file.Float64ColumnChunkReader:
		l.read = func(from, to int) (int64, int, error) {
			return c.ReadBatchInPage(int64(to-from), l.floats[from:to], l.levels(from, to), nil)
		}
	case *file.ByteArrayColumnChunkReader:
		l.read = l.readBinary(c)
	case *file.FixedLenByteArrayColumnChunkReader:
		l.read = l.readFixed(c)
	}
}

// fill reads the next rows into the leaf's vector. A read ends at the end of a
// page, so it may take several.
func (l *leaf) fill(rows int) error {
	l.arena = l.arena[:0]
	anyNull := false
	for from := 0; from < rows; {
		got, values, err := l.read(from, rows)
		if err != nil {
			return err
		}
		if got <= 0 {
			return errShort
		}
		to := from + int(got)
		if values < int(got) {
			if !anyNull {
				clear(l.nulls[:rows])
				anyNull = true
			}
			l.spread(from, to, values)
		}
		if l.out.Kind == Bytes && to < rows {
			l.save(from, to)
		}
		from = to
	}
	l.out.Ints, l.out.Floats, l.out.Bytes, l.out.Nulls = nil, nil, nil, nil
	switch l.out.Kind {
	case Float:
		l.out.Floats = l.floats[:rows]
	case Bytes:
		l.out.Bytes = l.bytes[:rows]
	default:
		l.out.Ints = l.ints[:rows]
	}
	if anyNull {
		l.out.Nulls = l.nulls[:rows]
	}
	return nil
}

// spread moves values that lie side by side to their rows and marks the rows
// between them as null.
func (l *leaf) spread(from, to, values int) {
	next := from + values
	for row := to - 1; row >= from; row-- {
		null := l.defs[row] < l.maxDef
		if l.nulls[row] = null; !null {
			next--
		}
		switch {
		case l.floats != nil && null:
			l.floats[row] = 0
		case l.floats != nil:
			l.floats[row] = l.floats[next]
		case l.bytes != nil && null:
			l.bytes[row] = nil
		case l.bytes != nil:
			l.bytes[row] = l.bytes[next]
		case null:
			l.ints[row] = 0
		default:
			l.ints[row] = l.ints[next]
		}
	}
}

// save copies values out of a page before the next page takes its place. When
// the arena grows, what was saved before stays where it is.
func (l *leaf) save(from, to int) {
	for row := from; row < to; row++ {
		if v := l.bytes[row]; len(v) > 0 {
			at := len(l.arena)
			l.arena = append(l.arena, v...)
			l.bytes[row] = l.arena[at:len(l.arena):len(l.arena)]
		}
	}
}

func (l *leaf) levels(from, to int) []int16 {
	if l.defs == nil {
		return nil
	}
	return l.defs[from:to]
}
