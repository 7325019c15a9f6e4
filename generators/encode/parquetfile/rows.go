package parquetfile

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/lakeproof/lakeproof/generators"
)

// arrowSchema returns the columns of a schema.
func arrowSchema(s *generators.Schema) *arrow.Schema {
	fields := make([]arrow.Field, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = arrow.Field{Name: f.Name, Type: arrowType(f.Kind), Nullable: f.Nullable}
	}
	return arrow.NewSchema(fields, nil)
}

func arrowType(k generators.Kind) arrow.DataType {
	switch k {
	case generators.UUID, generators.String:
		return arrow.BinaryTypes.String
	case generators.Int:
		return arrow.PrimitiveTypes.Int32
	case generators.Bool:
		return arrow.FixedWidthTypes.Boolean
	case generators.Timestamp:
		return arrow.FixedWidthTypes.Timestamp_us // with time zone UTC
	default: // Long, Checksum
		return arrow.PrimitiveTypes.Int64
	}
}

// rowBuilder collects events into columns.
type rowBuilder struct {
	builder *array.RecordBuilder
	columns []column
	count   int
}

// column appends the values of one field.
type column struct {
	builder  array.Builder
	add      func(ev *generators.Event, v *generators.Value)
	nullable bool
	bytes    int64 // of a value, of a string without its characters
}

func newRowBuilder(mem memory.Allocator, schema *arrow.Schema, s *generators.Schema) *rowBuilder {
	b := &rowBuilder{builder: array.NewRecordBuilder(mem, schema)}
	b.builder.Reserve(batchRows)
	for i, f := range s.Fields {
		c := column{builder: b.builder.Field(i), nullable: f.Nullable}
		c.add, c.bytes = adder(c.builder, f.Kind)
		b.columns = append(b.columns, c)
	}
	return b
}

// adder returns how a value of a kind is appended, and its bytes.
func adder(to array.Builder, kind generators.Kind) (func(*generators.Event, *generators.Value), int64) {
	switch to := to.(type) {
	case *array.StringBuilder:
		if kind == generators.UUID {
			var text [generators.IDTextLen]byte
			return func(ev *generators.Event, _ *generators.Value) {
				ev.ID.Put(&text)
				to.BinaryBuilder.Append(text[:])
			}, 4 + generators.IDTextLen
		}
		return func(_ *generators.Event, v *generators.Value) { to.Append(v.Str) }, 4
	case *array.Int32Builder:
		return func(_ *generators.Event, v *generators.Value) { to.Append(int32(v.Int)) }, 4
	case *array.BooleanBuilder:
		return func(_ *generators.Event, v *generators.Value) { to.Append(v.Int != 0) }, 1
	case *array.TimestampBuilder:
		return func(_ *generators.Event, v *generators.Value) { to.Append(arrow.Timestamp(v.Int)) }, 8
	case *array.Int64Builder:
		return func(_ *generators.Event, v *generators.Value) { to.Append(v.Int) }, 8
	}
	return nil, 0 // arrowType has no other
}

// size returns the bytes of an event's values.
func (b *rowBuilder) size(ev *generators.Event) int64 {
	var n int64
	for i := range b.columns {
		n += b.columns[i].bytes + int64(len(ev.Values[i].Str))
	}
	return n
}

func (b *rowBuilder) add(ev *generators.Event) {
	for i := range b.columns {
		c, v := &b.columns[i], &ev.Values[i]
		if c.nullable && v.Null {
			c.builder.AppendNull()
			continue
		}
		c.add(ev, v)
	}
	b.count++
}

// take returns the rows collected so far and begins anew.
func (b *rowBuilder) take() arrow.RecordBatch {
	b.count = 0
	return b.builder.NewRecordBatch()
}

func (b *rowBuilder) release() { b.builder.Release() }
