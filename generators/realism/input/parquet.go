package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// parquetTable is a Parquet file, of which only the wanted columns are read.
type parquetTable struct {
	ctx     context.Context //nolint:containedctx // of the one walk through the file
	file    *file.Reader
	reader  pqarrow.RecordReader
	bound   []binding // columns are those of the batch
	batch   arrow.RecordBatch
	at, row int
}

// batchRows is how many rows are decoded at a time.
const batchRows = 4096

// parquetFile reads a file. The library panics on some files that are broken.
func parquetFile(ctx context.Context, in parquet.ReaderAtSeeker, use func(table) error) (err error) {
	t := &parquetTable{ctx: ctx}
	defer func() {
		if p := recover(); p != nil {
			err = fail.New(fail.Usage, "write it again", "%s: the Parquet file is broken: %v", t.where(), p)
		}
	}()
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true
	t.file, err = file.NewParquetReader(in, file.WithReadProps(props))
	if err != nil {
		return fmt.Errorf("opening Parquet: %w", err)
	}
	return use(t)
}

func (t *parquetTable) bind(c *columns) error {
	s := t.file.MetaData().Schema
	var names []string
	var leaves []int
	for i := range s.NumColumns() {
		if col := s.Column(i); len(col.ColumnPath()) == 1 && col.MaxRepetitionLevel() == 0 {
			names, leaves = append(names, col.Name()), append(leaves, i)
		}
	}
	bound, err := c.bind(names)
	if err != nil {
		return err
	}
	var wanted []int
	for _, b := range bound {
		wanted = append(wanted, leaves[b.column])
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	for i := range bound {
		bound[i].column, _ = slices.BinarySearch(wanted, leaves[bound[i].column])
	}
	t.bound = bound
	r, err := pqarrow.NewFileReader(t.file, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	if t.reader, err = r.GetRecordReader(t.ctx, wanted, nil); err != nil {
		return err
	}
	return t.check()
}

// check refuses columns whose type is no text, number, time or truth.
func (t *parquetTable) check() error {
	for _, b := range t.bound {
		f := t.reader.Schema().Field(b.column)
		switch f.Type.ID() {
		case arrow.LIST, arrow.STRUCT, arrow.MAP, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST, arrow.INTERVAL_MONTHS,
			arrow.INTERVAL_DAY_TIME, arrow.INTERVAL_MONTH_DAY_NANO, arrow.DENSE_UNION, arrow.SPARSE_UNION:
			return fail.New(fail.Usage, "map another column", "column %s is a %s, not a value", clip(f.Name), f.Type)
		default:
		}
	}
	return nil
}

func (t *parquetTable) next(w *row) error {
	for t.batch == nil || t.at == int(t.batch.NumRows()) {
		t.batch, t.at = nil, 0
		if !t.reader.Next() {
			if err := t.reader.Err(); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			t.reader.Release()
			return io.EOF
		}
		t.batch = t.reader.RecordBatch()
	}
	for _, b := range t.bound {
		if v, ok := value(t.batch.Column(b.column), t.at); ok {
			w.put(b.choice, v)
		}
	}
	t.at++
	t.row++
	return nil
}

// value is a value of a column; none where it is null.
func value(column arrow.Array, i int) (cell, bool) {
	if column.IsNull(i) {
		return cell{}, false
	}
	switch c := column.(type) {
	case *array.String:
		return cell{text: c.Value(i)}, true
	case *array.Binary:
		return cell{text: string(c.Value(i))}, true
	case *array.Timestamp:
		unit := c.DataType().(*arrow.TimestampType).Unit //nolint:forcetypeassert // that is what makes it one
		v := int64(c.Value(i))
		switch unit {
		case arrow.Second:
			v *= 1_000_000
		case arrow.Millisecond:
			v *= 1_000
		case arrow.Nanosecond:
			v = floor(v, 1_000)
		default:
		}
		return cell{micros: v, isTime: true}, true
	}
	return cell{text: column.ValueStr(i)}, true
}

// floor divides towards the past.
func floor(v, by int64) int64 {
	q := v / by
	if v%by < 0 {
		q--
	}
	return q
}

func (t *parquetTable) where() string { return fmt.Sprintf("row %d", t.row) }
