package table_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	"github.com/lakeproof/lakeproof/internal/lakehouse/table"
)

func localStore(t testing.TB) *objectstore.Store {
	t.Helper()
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// everyType has one column of each type that is read, then some that are not.
func everyType(nullable bool) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "i32", Type: arrow.PrimitiveTypes.Int32, Nullable: nullable},
		{Name: "i64", Type: arrow.PrimitiveTypes.Int64, Nullable: nullable},
		{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: nullable},
		{Name: "f32", Type: arrow.PrimitiveTypes.Float32, Nullable: nullable},
		{Name: "f64", Type: arrow.PrimitiveTypes.Float64, Nullable: nullable},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: nullable},
		{Name: "raw", Type: arrow.BinaryTypes.Binary, Nullable: nullable},
		{Name: "uuid", Type: &arrow.FixedSizeBinaryType{ByteWidth: 16}, Nullable: nullable},
		{Name: "day", Type: arrow.FixedWidthTypes.Date32, Nullable: nullable},
		{Name: "ms", Type: arrow.FixedWidthTypes.Timestamp_ms, Nullable: nullable},
		{Name: "us", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: nullable},
		{Name: "ns", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}, Nullable: nullable},
		{Name: "price", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}, Nullable: nullable},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: nullable},
	}, nil)
}

const supported = 12 // columns of everyType that are read

// micros of a row: before and after 1970, never a whole millisecond.
func micros(row int) int64 { return int64(row-50)*86_400_000_123 + 7 }

// want returns what the vector of a column must hold in a row.
func want(name string, row int) any {
	switch name {
	case "i32", "day":
		return int64(int32(row*7919 - 40_000))
	case "i64":
		return int64(row)*1_000_003 - 1<<40
	case "flag":
		return int64(row / 3 % 2)
	case "f32":
		return float64(float32(row) / 3)
	case "f64":
		return math.Sqrt(float64(row))
	case "text":
		return fmt.Sprintf("text-%d-%s", row%1000, strings.Repeat("é", row%5))
	case "raw":
		return strings.Repeat("\x00\xff", row%4)
	case "uuid":
		return fmt.Sprintf("%016d", row)
	case "ms":
		return int64(row-50) * 86_400_000_000
	}
	return micros(row)
}

func isNull(name string, row int) bool {
	return (row*31+len(name)*7)%5 == 0 || row/100%7 == 3
}

func appendValue(b array.Builder, name string, row int) {
	v := want(name, row)
	switch b := b.(type) {
	case *array.Int32Builder:
		b.Append(int32(v.(int64)))
	case *array.Date32Builder:
		b.Append(arrow.Date32(v.(int64)))
	case *array.Int64Builder:
		b.Append(v.(int64))
	case *array.BooleanBuilder:
		b.Append(v.(int64) == 1)
	case *array.Float32Builder:
		b.Append(float32(v.(float64)))
	case *array.Float64Builder:
		b.Append(v.(float64))
	case *array.StringBuilder:
		b.Append(v.(string))
	case *array.BinaryBuilder:
		b.Append([]byte(v.(string)))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte(v.(string)))
	case *array.TimestampBuilder:
		scale := map[string]func(int64) int64{
			"ms": func(v int64) int64 { return v / 1000 },
			"us": func(v int64) int64 { return v },
			"ns": func(v int64) int64 { return v*1000 + 999 },
		}[name]
		b.Append(arrow.Timestamp(scale(v.(int64))))
	default:
		b.AppendEmptyValue()
	}
}

// writeTypes writes a file of everyType and returns its path.
func writeTypes(t *testing.T, rows int, nullable bool, arrowProps pqarrow.ArrowWriterProperties, opts ...parquet.WriterProperty) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "types.parquet")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(everyType(nullable), out, parquet.NewWriterProperties(opts...), arrowProps)
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, everyType(nullable))
	for row := range rows {
		for c, f := range everyType(nullable).Fields() {
			if nullable && isNull(f.Name, row) {
				b.Field(c).AppendNull()
			} else {
				appendValue(b.Field(c), f.Name, row)
			}
		}
	}
	if err := errors.Join(w.WriteBuffered(b.NewRecordBatch()), w.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// got returns what a vector holds in a row, in the form of want.
func got(v *table.Vector, row int) any {
	switch v.Kind {
	case table.Float:
		return v.Floats[row]
	case table.Bytes:
		return string(v.Bytes[row])
	}
	return v.Ints[row]
}

func checkTypes(t *testing.T, path string, rows int, nullable bool) {
	t.Helper()
	var columns []catalog.Column
	for _, f := range everyType(nullable).Fields()[:supported] {
		columns = append(columns, catalog.Column{Name: f.Name})
	}
	slices.Reverse(columns) // the order is the caller's, not the file's
	next, wrong := int64(0), 0
	err := table.ScanColumns(t.Context(), localStore(t), table.File{Path: "file://" + path, Records: int64(rows)}, columns, func(b *table.Batch) error {
		if b.First != next || b.Rows < 1 || b.Rows > table.BatchRows {
			t.Fatalf("batch of %d rows from %d, want from %d", b.Rows, b.First, next)
		}
		next += int64(b.Rows)
		for c := range b.Columns {
			v, name := &b.Columns[c], columns[c].Name
			for i := range b.Rows {
				row := int(b.First) + i
				null := nullable && isNull(name, row)
				if v.Null(i) != null || (!null && got(v, i) != want(name, row)) {
					if wrong++; wrong < 10 {
						t.Errorf("%s of row %d = %v (null %v), want %v (null %v)", name, row, got(v, i), v.Null(i), want(name, row), null)
					}
				}
				if null && v.Kind == table.Bytes && v.Bytes[i] != nil {
					t.Fatalf("%s of row %d is null and holds %q", name, row, v.Bytes[i])
				}
			}
		}
		return nil
	})
	if err != nil || next != int64(rows) {
		t.Errorf("%d of %d rows, %v", next, rows, err)
	}
}

func TestScanEveryTypeAndEncoding(t *testing.T) {
	const rows = 20_000
	plain := pqarrow.DefaultWriterProps()
	delta := []parquet.WriterProperty{parquet.WithDictionaryDefault(false)}
	for name, encoding := range map[string]parquet.Encoding{
		"i32": parquet.Encodings.DeltaBinaryPacked, "i64": parquet.Encodings.DeltaBinaryPacked,
		"us": parquet.Encodings.DeltaBinaryPacked, "text": parquet.Encodings.DeltaByteArray,
		"raw": parquet.Encodings.DeltaLengthByteArray, "f64": parquet.Encodings.ByteStreamSplit,
		"uuid": parquet.Encodings.ByteStreamSplit,
	} {
		delta = append(delta, parquet.WithEncodingFor(name, encoding))
	}
	for _, tc := range []struct {
		name  string
		props pqarrow.ArrowWriterProperties
		opts  []parquet.WriterProperty
	}{
		{"dictionary", plain, []parquet.WriterProperty{parquet.WithCompression(compress.Codecs.Zstd)}},
		{"dictionary that overflows", plain, []parquet.WriterProperty{parquet.WithDictionaryPageSizeLimit(2000), parquet.WithDataPageSize(1000)}},
		{"plain", plain, []parquet.WriterProperty{parquet.WithDictionaryDefault(false), parquet.WithCompression(compress.Codecs.Snappy)}},
		{"small pages", plain, []parquet.WriterProperty{parquet.WithDictionaryDefault(false), parquet.WithDataPageSize(500), parquet.WithBatchSize(64)}},
		{"row groups", plain, []parquet.WriterProperty{parquet.WithMaxRowGroupLength(3001), parquet.WithCompression(compress.Codecs.Gzip)}},
		{"delta", plain, append([]parquet.WriterProperty{parquet.WithEncodingFor("flag", parquet.Encodings.RLE)}, delta...)},
		// Without RLE booleans: arrow-go 18.8 writes the first page's values again
		// into the second.
		{"delta, pages v2", plain, append([]parquet.WriterProperty{
			parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDataPageSize(2000), parquet.WithCompression(compress.Codecs.Zstd),
		}, delta...)},
		{"page index", plain, []parquet.WriterProperty{parquet.WithPageIndexEnabled(true), parquet.WithDataPageSize(5000)}},
		{"int96", pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(true)), nil},
	} {
		for _, nullable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, nullable %v", tc.name, nullable), func(t *testing.T) {
				checkTypes(t, writeTypes(t, rows, nullable, tc.props, tc.opts...), rows, nullable)
			})
		}
	}
	checkTypes(t, writeTypes(t, 0, true, plain), 0, true)
	checkTypes(t, writeTypes(t, 1, true, plain), 1, true)
}

func TestScanRefusals(t *testing.T) {
	path := writeTypes(t, 100, true, pqarrow.DefaultWriterProps())
	store := localStore(t)
	scan := func(f table.File, columns ...string) error {
		var wanted []catalog.Column
		for _, name := range columns {
			wanted = append(wanted, catalog.Column{Name: name})
		}
		return table.ScanColumns(t.Context(), store, f, wanted, func(*table.Batch) error { return nil })
	}
	var missing *table.MissingColumnError
	err := scan(table.File{Path: path}, "i64", "event_id")
	if !errors.As(err, &missing) || missing.Column != "event_id" || !slices.Contains(missing.There, "uuid") || fail.CodeOf(err) != fail.Usage {
		t.Errorf("a column that is not there: %v", err)
	}
	for _, tc := range []struct{ name, column, text string }{
		{"decimal", "price", "not supported"}, {"list", "tags", "nested"},
	} {
		if err := scan(table.File{Path: path}, tc.column); fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if err := scan(table.File{Path: path, Records: 99}, "i64"); fail.CodeOf(err) != fail.Integrity {
		t.Errorf("another number of rows than the manifest says: %v", err)
	}
	if err := scan(table.File{Path: path, Format: "AVRO"}, "i64"); fail.CodeOf(err) != fail.Usage {
		t.Errorf("another format: %v", err)
	}
	if err := scan(table.File{Path: path, Format: "PARQUET", Records: 100}, "i64"); err != nil {
		t.Errorf("a right file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = table.ScanColumns(ctx, store, table.File{Path: path}, []catalog.Column{{Name: "i64"}}, func(*table.Batch) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	stop := errors.New("enough")
	err = table.ScanColumns(t.Context(), store, table.File{Path: path}, []catalog.Column{{Name: "i64"}}, func(*table.Batch) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("fn's error: %v", err)
	}
}

func TestScanFollowsFieldIDs(t *testing.T) {
	id := func(name string, n string) arrow.Field {
		f := arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64}
		if n != "" {
			f.Metadata = arrow.NewMetadata([]string{"PARQUET:field_id"}, []string{n})
		}
		return f
	}
	schema := arrow.NewSchema([]arrow.Field{id("old_name", "5"), id("offset", "6"), id("plain", "")}, nil)
	path := filepath.Join(t.TempDir(), "f.parquet")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, out, nil, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for c := range 3 {
		b.Field(c).(*array.Int64Builder).Append(int64(c + 100))
	}
	if err := errors.Join(w.Write(b.NewRecordBatch()), w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		column catalog.Column
		want   int64 // 0 is missing
	}{
		{catalog.Column{ID: 5, Name: "new_name"}, 100}, // renamed
		{catalog.Column{ID: 5, Name: "offset"}, 100},   // renamed to a name that was free
		{catalog.Column{ID: 9, Name: "offset"}, 0},     // dropped and added again
		{catalog.Column{Name: "offset"}, 101},          // by name alone
		{catalog.Column{ID: 7, Name: "plain"}, 102},    // the file has no id
	} {
		var got int64
		err := table.ScanColumns(t.Context(), localStore(t), table.File{Path: path}, []catalog.Column{tc.column}, func(b *table.Batch) error {
			got = b.Columns[0].Ints[0]
			return nil
		})
		var missing *table.MissingColumnError
		if got != tc.want || errors.As(err, &missing) != (tc.want == 0) {
			t.Errorf("%+v = %d, %v, want %d", tc.column, got, err, tc.want)
		}
	}
}

// TestScanFromS3 shows that a scan of two columns costs few requests and few
// bytes.
func TestScanFromS3(t *testing.T) {
	const rows = 100_000
	path := wideFile(t, rows)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeFile(w, r, path)
	}))
	defer server.Close()
	store, err := objectstore.New(config.Storage{Endpoint: server.URL, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	sum := int64(0)
	columns := []catalog.Column{{Name: "_partition"}, {Name: "_offset"}}
	err = table.ScanColumns(t.Context(), store, table.File{Path: "s3://lake/data/f.parquet", Records: rows}, columns, func(b *table.Batch) error {
		for i := range b.Rows {
			sum += b.Columns[0].Ints[i]<<32 + b.Columns[1].Ints[i]
		}
		return nil
	})
	want := int64(0)
	share := (rows + partitions - 1) / partitions
	for i := range rows {
		want += int64(i/share)<<32 + int64(i%share)
	}
	if err != nil || sum != want {
		t.Fatalf("sum = %d, want %d, %v", sum, want, err)
	}
	if n := store.Requests(); n > 4 { // HEAD, footer, two column chunks
		t.Errorf("%d requests", n)
	}
	if n := store.BytesRead(); n*50 > info.Size() {
		t.Errorf("%d of %d bytes read, want under 2 %%", n, info.Size())
	}
}

// TestScanDamaged flips, cuts and blanks bytes: every outcome is allowed but a
// crash or a hang.
func TestScanDamaged(t *testing.T) {
	whole, err := os.ReadFile(writeTypes(t, 3000, true, pqarrow.DefaultWriterProps(), parquet.WithCompression(compress.Codecs.Snappy)))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.parquet")
	failed := 0
	try := func(data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		columns := []catalog.Column{{Name: "i64"}, {Name: "text"}, {Name: "flag"}, {Name: "us"}, {Name: "uuid"}}
		if table.ScanColumns(t.Context(), localStore(t), table.File{Path: path}, columns, func(*table.Batch) error { return nil }) != nil {
			failed++
		}
	}
	for i := range 400 {
		data := bytes.Clone(whole)
		at := len(data) * i / 400
		if i%2 == 1 {
			at = len(data) - 1 - i*6%4000 // the footer, where lengths and offsets are
		}
		for j := at; j < min(at+1+i%8, len(data)); j++ {
			data[j] ^= byte(1 + i*37)
		}
		try(data)
	}
	for _, n := range []int{0, 1, 8, 12, len(whole) / 2, len(whole) - 1} {
		try(whole[:n])
	}
	if failed < 50 {
		t.Errorf("only %d of 406 damaged files were found out", failed)
	}
}
