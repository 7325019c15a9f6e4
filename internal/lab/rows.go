//go:build !nolab

package lab

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/generators"
)

// rowsPerRecord is the size of an Arrow record: small enough that decoding and
// writing overlap within a batch.
const rowsPerRecord = 8192

// place is where a row came from.
type place struct {
	topic     string
	partition int32
	offset    int64
	at        int64 // the broker's time, microseconds since the Unix epoch
}

func placeOf(r *kgo.Record) place {
	return place{r.Topic, r.Partition, r.Offset, r.Timestamp.UnixMicro()}
}

// cell appends one field to its column.
type cell struct {
	kind   generators.Kind
	text   *array.StringBuilder
	number *array.Int32Builder
	long   *array.Int64Builder
	flag   *array.BooleanBuilder
	time   *array.TimestampBuilder
}

// rowBuilder builds Arrow records of a table whose last five columns say where
// a row came from.
type rowBuilder struct {
	builder   *array.RecordBuilder
	cells     []cell
	topic     *array.StringBuilder
	partition *array.Int32Builder
	offset    *array.Int64Builder
	kafka     *array.TimestampBuilder
	ingest    *array.TimestampBuilder
	rows      int
	ingestAt  arrow.Timestamp
}

// newRowBuilder makes a builder for a table's schema. kinds are those of the
// columns before the last five; for other tables the caller appends them.
func newRowBuilder(schema *arrow.Schema, fields []generators.Field, ingestMicros int64) *rowBuilder {
	b := &rowBuilder{
		builder:  array.NewRecordBuilder(memory.DefaultAllocator, schema),
		ingestAt: arrow.Timestamp(ingestMicros),
	}
	columns := b.builder.Fields()
	for i, f := range fields {
		c := cell{kind: f.Kind}
		switch col := columns[i].(type) {
		case *array.StringBuilder:
			c.text = col
		case *array.Int32Builder:
			c.number = col
		case *array.Int64Builder:
			c.long = col
		case *array.BooleanBuilder:
			c.flag = col
		case *array.TimestampBuilder:
			c.time = col
		}
		b.cells = append(b.cells, c)
	}
	last := columns[len(columns)-5:]
	b.topic = last[0].(*array.StringBuilder)
	b.partition = last[1].(*array.Int32Builder)
	b.offset = last[2].(*array.Int64Builder)
	b.kafka = last[3].(*array.TimestampBuilder)
	b.ingest = last[4].(*array.TimestampBuilder)
	return b
}

// add appends the row of an event.
func (b *rowBuilder) add(ev *generators.Event, p place) {
	for i := range b.cells {
		c, v := &b.cells[i], &ev.Values[i]
		switch {
		case c.kind == generators.UUID:
			var id [generators.IDTextLen]byte
			ev.ID.Put(&id)
			c.text.BinaryBuilder.Append(id[:])
		case v.Null:
			b.builder.Field(i).AppendNull()
		case c.text != nil:
			c.text.Append(v.Str)
		case c.number != nil:
			c.number.Append(int32(v.Int))
		case c.long != nil:
			c.long.Append(v.Int)
		case c.flag != nil:
			c.flag.Append(v.Int != 0)
		case c.time != nil:
			c.time.Append(arrow.Timestamp(v.Int))
		}
	}
	b.origin(p)
}

// origin appends the last five columns.
func (b *rowBuilder) origin(p place) {
	b.topic.Append(p.topic)
	b.partition.Append(p.partition)
	b.offset.Append(p.offset)
	b.kafka.Append(arrow.Timestamp(p.at))
	b.ingest.Append(b.ingestAt)
	b.rows++
}

// take returns the rows so far and starts anew.
func (b *rowBuilder) take() arrow.RecordBatch {
	b.rows = 0
	return b.builder.NewRecordBatch()
}

// addDeadLetter appends a record that could not be decoded to a builder of
// [deadLetterSchema].
func (b *rowBuilder) addDeadLetter(l deadLetter) {
	b.builder.Field(0).(*array.StringBuilder).Append(l.reason)
	raw := b.builder.Field(1).(*array.BinaryBuilder)
	if l.record.Value == nil {
		raw.AppendNull()
	} else {
		raw.Append(l.record.Value)
	}
	b.origin(placeOf(l.record))
}

// arrowSchema is a table's schema with the field ids that the Parquet files
// carry.
func arrowSchema(s *iceberg.Schema) (*arrow.Schema, error) {
	schema, err := table.SchemaToArrowSchema(s, nil, true, false)
	if err != nil {
		return nil, fmt.Errorf("turning the table's schema into Arrow's: %w", err)
	}
	return schema, nil
}

// recordStream is an array.RecordReader that another goroutine fills.
type recordStream struct {
	ctx     context.Context
	schema  *arrow.Schema
	records chan arrow.RecordBatch
	current arrow.RecordBatch
	err     error // set before records is closed
}

func newRecordStream(ctx context.Context, schema *arrow.Schema) *recordStream {
	return &recordStream{ctx: ctx, schema: schema, records: make(chan arrow.RecordBatch, 2)}
}

// send hands a record over, or gives up when the reader has.
func (r *recordStream) send(rec arrow.RecordBatch) error {
	select {
	case r.records <- rec:
		return nil
	case <-r.ctx.Done():
		rec.Release()
		return r.ctx.Err()
	}
}

// finish ends the stream; a non-nil error reaches the reader.
func (r *recordStream) finish(err error) {
	r.err = err
	close(r.records)
}

// Next implements array.RecordReader.
func (r *recordStream) Next() bool {
	if r.current != nil {
		r.current.Release()
	}
	rec, ok := <-r.records
	if !ok {
		r.current = nil
		return false
	}
	r.current = rec
	return true
}

// discard reads the rest.
func (r *recordStream) discard() {
	for r.Next() {
	}
}

func (r *recordStream) Retain()                        {}
func (r *recordStream) Release()                       {}
func (r *recordStream) Schema() *arrow.Schema          { return r.schema }
func (r *recordStream) RecordBatch() arrow.RecordBatch { return r.current }
func (r *recordStream) Record() arrow.RecordBatch      { return r.current }
func (r *recordStream) Err() error                     { return r.err }
