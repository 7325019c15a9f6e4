package parquetfile

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/fail"
)

var update = flag.Bool("update", false, "write the golden files anew")

// everySchema has every kind with and without null.
func everySchema() *generators.Schema {
	s := &generators.Schema{Name: "Every", Fields: []generators.Field{{Name: "event_id", Kind: generators.UUID}}}
	for name, kind := range map[string]generators.Kind{
		"text": generators.String, "count": generators.Int, "amount": generators.Long, "flag": generators.Bool, "at": generators.Timestamp,
	} {
		s.Fields = append(s.Fields, generators.Field{Name: name, Kind: kind}, generators.Field{Name: name + "_or_null", Kind: kind, Nullable: true})
	}
	sortFields(s.Fields[1:])
	s.Fields = append(s.Fields, generators.Field{Name: "checksum", Kind: generators.Checksum})
	return s
}

func sortFields(fields []generators.Field) {
	for i := range fields {
		for j := i; j > 0 && fields[j].Name < fields[j-1].Name; j-- {
			fields[j], fields[j-1] = fields[j-1], fields[j]
		}
	}
}

func everyEvent(s *generators.Schema, n int) *generators.Event {
	texts := []string{"", "a", "Zürich, 日本 \U0001f3e6\x00\n", strings.Repeat("x", 3000)}
	longs := []int64{0, 1, -1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	key, ev := generators.NewKey(3), generators.NewEvent(s)
	ev.ID = key.Seal(0, uint64(n))
	for i, f := range s.Fields[1 : len(s.Fields)-1] {
		v := &ev.Values[i+1]
		switch f.Kind {
		case generators.String:
			v.Str = texts[(n+i)%len(texts)]
		case generators.Int:
			v.Int = longs[(n+i)%5]
		case generators.Bool:
			v.Int = int64((n + i) % 2)
		case generators.Timestamp:
			v.Int = []int64{0, -1000, 1_767_225_599_999_000}[(n+i)%3]
		default:
			v.Int = longs[(n+i)%len(longs)]
		}
		if f.Nullable && (n+i)%4 == 0 {
			*v = generators.Value{Null: true}
		}
	}
	return ev
}

// write makes a file of n events and returns its name.
func write(t *testing.T, s *generators.Schema, n int, opt Options) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "events.parquet")
	w, err := Create(name, s, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(everyEvent(s, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Rows() != int64(n) {
		t.Errorf("%d rows, want %d", w.Rows(), n)
	}
	return name
}

func open(t *testing.T, name string) *file.Reader {
	t.Helper()
	r, err := file.OpenParquetFile(name, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// compare reads a file with Arrow's reader and calls event for what row n must
// be.
func compare(t *testing.T, name string, s *generators.Schema, event func(n int) *generators.Event) int {
	t.Helper()
	r, err := pqarrow.NewFileReader(open(t, name), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	avro, err := encode.New(encode.Avro, s, encode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, n := array.NewTableReader(table, 0), 0
	defer rows.Release()
	for rows.Next() {
		batch := rows.RecordBatch()
		for row := range int(batch.NumRows()) {
			want := event(n)
			avro.Append(nil, want) // sets the checksum
			for i, f := range s.Fields {
				got, text := batch.Column(i), want.ID.String()
				if v := want.Values[i]; v.Null {
					text = array.NullValueStr
				} else if f.Kind != generators.UUID {
					text = map[bool]string{true: v.Str, false: fmt.Sprint(v.Int)}[f.Kind == generators.String]
				}
				if cell := cell(got, row); cell != text {
					t.Fatalf("row %d, %s is %.60q, want %.60q", n, f.Name, cell, text)
				}
			}
			n++
		}
	}
	return n
}

func cell(column any, row int) string {
	switch c := column.(type) {
	case *array.String:
		if c.IsValid(row) {
			return c.Value(row)
		}
	case *array.Int32:
		if c.IsValid(row) {
			return fmt.Sprint(c.Value(row))
		}
	case *array.Int64:
		if c.IsValid(row) {
			return fmt.Sprint(c.Value(row))
		}
	case *array.Boolean:
		if c.IsValid(row) {
			return map[bool]string{true: "1", false: "0"}[c.Value(row)]
		}
	case *array.Timestamp:
		if c.IsValid(row) {
			return fmt.Sprint(int64(c.Value(row)))
		}
	}
	return array.NullValueStr
}

func TestReadBack(t *testing.T) {
	s := everySchema()
	for _, codec := range []string{"", "zstd", "snappy", "gzip", "none"} {
		for _, n := range []int{0, 1, batchRows, 2*batchRows + 7} {
			name := write(t, s, n, Options{Codec: codec})
			if got := compare(t, name, s, func(i int) *generators.Event { return everyEvent(s, i) }); got != n {
				t.Errorf("codec %q: %d rows, want %d", codec, got, n)
			}
		}
	}
	for _, kind := range fintech.All() {
		stream, err := fintech.ByName(kind.Name, 42)
		if err != nil {
			t.Fatal(err)
		}
		s := stream.Schema()
		event := func(n int) *generators.Event {
			ev, key := generators.NewEvent(s), generators.NewKey(1)
			stream.Fill(ev, uint64(n), 1_767_225_600_000_000+int64(n)*1000)
			ev.ID = key.Seal(0, uint64(n))
			return ev
		}
		name := filepath.Join(t.TempDir(), kind.Name)
		w, err := Create(name, s, Options{RowGroupBytes: 200_000})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3000 {
			if err := w.Write(event(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := compare(t, name, s, event); got != 3000 {
			t.Errorf("%s: %d rows", kind.Name, got)
		}
	}
}

func TestSchema(t *testing.T) {
	var got bytes.Buffer
	r := open(t, write(t, everySchema(), 3, Options{}))
	schema.PrintSchema(r.MetaData().Schema.Root(), &got, 2)
	const golden = "testdata/every.schema.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range r.MetaData().Schema.NumColumns() {
		if id := r.MetaData().Schema.Column(i).SchemaNode().FieldID(); id != -1 {
			t.Errorf("column %d has field id %d", i, id)
		}
	}
}

// No row group is larger than its bound, and none much smaller: neither as we
// count nor as the file says it of itself.
func TestRowGroupsAreBounded(t *testing.T) {
	s := everySchema()
	const limit, n = 100_000, 4000
	r := open(t, write(t, s, n, Options{RowGroupBytes: limit, Codec: "none"}))
	b := newRowBuilder(memory.DefaultAllocator, arrowSchema(s), s)
	defer b.release()
	row, groups := 0, r.NumRowGroups()
	for g := range groups {
		meta, size := r.MetaData().RowGroup(g), int64(0)
		for range meta.NumRows() {
			size += b.size(everyEvent(s, row))
			row++
		}
		if size > limit || g < groups-1 && size < limit-10_000 {
			t.Errorf("row group %d of %d has %d bytes", g, groups, size)
		}
		if meta.TotalByteSize() > limit {
			t.Errorf("row group %d says that it has %d bytes", g, meta.TotalByteSize())
		}
	}
	if row != n || groups < 10 {
		t.Errorf("%d rows in %d groups", row, groups)
	}
	// A row that is larger than the bound has a group of its own.
	if got := open(t, write(t, s, 10, Options{RowGroupBytes: 1})).NumRowGroups(); got != 10 {
		t.Errorf("%d row groups for ten rows", got)
	}
}

func TestSameBytes(t *testing.T) {
	var files [2][]byte
	for i := range files {
		data, err := os.ReadFile(write(t, everySchema(), 3000, Options{RowGroupBytes: 200_000}))
		if err != nil {
			t.Fatal(err)
		}
		files[i] = data
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same events make other bytes")
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWholeOrNotAtAll(t *testing.T) {
	dir, s := t.TempDir(), everySchema()
	name := filepath.Join(dir, "events.parquet")
	if err := os.WriteFile(name, []byte("the old one"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := Create(name, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(everyEvent(s, 1)); err != nil {
		t.Fatal(err)
	}
	files := list(t, dir)
	if data, err := os.ReadFile(name); err != nil || string(data) != "the old one" || len(files) != 2 || !strings.HasPrefix(files[0], ".events.parquet.") {
		t.Errorf("before Close: %v, %q, %v", files, data, err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if files := list(t, dir); len(files) != 1 {
		t.Errorf("after Abort: %v", files)
	}
	if err := errors.Join(w.Abort(), w.Close()); err != nil {
		t.Errorf("a second end: %v", err)
	}
	if err := w.Write(everyEvent(s, 1)); err == nil {
		t.Error("written after Abort")
	}
	if w, err = Create(name, s, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o644 || len(list(t, dir)) != 1 || open(t, name).NumRows() != 0 {
		t.Errorf("after Close: %v, %v, %v", list(t, dir), info, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	_, errFolder := Create(filepath.Join(dir, "no", "such"), everySchema(), Options{})
	_, errCodec := Create(filepath.Join(dir, "x"), everySchema(), Options{Codec: "lzma"})
	for _, err := range []error{errFolder, errCodec} {
		if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%v has code %d and hint %q", err, fail.CodeOf(err), fail.HintOf(err))
		}
	}
	if _, err := Create(filepath.Join(dir, "x"), &generators.Schema{Name: "No"}, Options{}); err == nil {
		t.Error("took a schema without fields")
	}
	if files := list(t, dir); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

// full is a file on a disk that has room for so many bytes.
type full struct {
	*os.File
	room int
	sync error
}

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		n, _ := f.File.Write(p[:f.room])
		f.room = 0
		return n, errFull
	}
	f.room -= len(p)
	return f.File.Write(p)
}

func (f *full) Sync() error { return f.sync }

// Wherever the disk is full, the error says so and nothing is left; where it is
// not, the file is whole.
func TestDiskFull(t *testing.T) {
	s, dir := everySchema(), t.TempDir()
	name := filepath.Join(dir, "events.parquet")
	attempt := func(room int, sync error) error {
		f, err := os.CreateTemp(dir, ".events.*.part")
		if err != nil {
			t.Fatal(err)
		}
		w, err := newWriter(name, &full{f, room, sync}, s, Options{RowGroupBytes: 1 << 20, Codec: "none"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1200 {
			if w.Write(everyEvent(s, i)) != nil {
				break
			}
		}
		return w.Close()
	}
	info, err := os.Stat(write(t, s, 1200, Options{RowGroupBytes: 1 << 20, Codec: "none"}))
	if err != nil {
		t.Fatal(err)
	}
	whole := int(info.Size())
	for room := 0; room < whole; room += max(1, whole/23) {
		err := attempt(room, nil)
		if !errors.Is(err, errFull) || fail.HintOf(err) == "" || strings.Contains(err.Error(), "removing") {
			t.Errorf("room for %d of %d bytes: %v", room, whole, err)
		}
		if files := list(t, dir); len(files) != 0 {
			t.Fatalf("room for %d of %d bytes: left behind %v", room, whole, files)
		}
	}
	for _, room := range []int{whole - 1, whole - 5} {
		if err := attempt(room, nil); !errors.Is(err, errFull) || len(list(t, dir)) != 0 {
			t.Errorf("room for %d of %d bytes: %v", room, whole, err)
		}
	}
	if err := attempt(whole, errFull); !errors.Is(err, errFull) || len(list(t, dir)) != 0 {
		t.Errorf("a disk that loses what it was given: %v", err)
	}
	if err := attempt(whole, nil); err != nil || len(list(t, dir)) != 1 {
		t.Errorf("the control, room for all: %v, %v", err, list(t, dir))
	}
}

func BenchmarkWrite(b *testing.B) {
	stream, err := fintech.ByName("payments", 42)
	if err != nil {
		b.Fatal(err)
	}
	w, err := Create(filepath.Join(b.TempDir(), "x"), stream.Schema(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abort()
	ev, key, n := generators.NewEvent(stream.Schema()), generators.NewKey(1), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		stream.Fill(ev, n, 1_767_225_600_000_000)
		ev.ID = key.Seal(0, n)
		if err := w.Write(ev); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
