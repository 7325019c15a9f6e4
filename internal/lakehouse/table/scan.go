package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

const (
	// BatchRows is the most rows that a Batch holds.
	BatchRows = 8192

	largestPage   = 64 << 20 // bytes, uncompressed; what writers make is about 1 MiB
	streamBuffers = 16 << 20 // bytes, shared by the columns of a scan
)

// Batch is some rows of a file, in the file's order. It and all that it holds
// are valid until the function that got it returns.
type Batch struct {
	First   int64    // number of its first row in the file, from 0
	Rows    int      //
	Columns []Vector // in the order in which the columns were asked for
}

// MissingColumnError says that a file lacks a column.
type MissingColumnError struct {
	Path   string
	Column string
	There  []string // the columns that the file has
}

// Error implements error.
func (e *MissingColumnError) Error() string {
	return fmt.Sprintf("finding column %q in %s: it has only %s", e.Column, e.Path, strings.Join(e.There, ", "))
}

// ScanColumns reads the wanted columns of one Parquet file and calls fn for
// each batch of up to [BatchRows] rows, until the end or fn's first error,
// which it returns. A column is found by its field id, so that a renamed one
// is, or by its name where the file or the wanted column has no ids. One that
// is missing gives a [MissingColumnError], one of an unsupported type an
// error that says so. The memory it needs does not depend on the file's size.
func ScanColumns(ctx context.Context, store *objectstore.Store, f File, columns []catalog.Column,
	fn func(*Batch) error,
) error {
	if f.Format != "" && !strings.EqualFold(f.Format, "PARQUET") {
		return fail.New(fail.Usage, "set the table's write.format.default to parquet",
			"reading %s: %s files are not supported", f.Path, f.Format)
	}
	object, err := store.Open(ctx, f.Path)
	if err != nil {
		return err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	s := scan{ctx: ctx, file: f, fn: fn}
	if err := guard(func() error { return s.open(object, len(columns)) }); err != nil {
		return fmt.Errorf("reading the footer of %s: %w", f.Path, err)
	}
	if err := s.bind(columns); err != nil {
		return err
	}
	for i := range s.reader.NumRowGroups() {
		if err := s.rowGroup(i); err != nil {
			return err
		}
	}
	if f.Records > 0 && s.batch.First != f.Records {
		return fail.New(fail.Integrity, "the manifest and the data file disagree: the table is damaged",
			"reading %s: it holds %d rows and not the %d of its manifest", f.Path, s.batch.First, f.Records)
	}
	return nil
}

// scan is one run over a file.
type scan struct {
	ctx    context.Context
	file   File
	fn     func(*Batch) error
	reader *file.Reader
	leaves []leaf
	batch  Batch
}

func (s *scan) open(object *objectstore.Object, columns int) (err error) {
	props := parquet.NewReaderProperties(memory.NewGoAllocator())
	props.BufferedStreamEnabled = true
	props.BufferSize = int64(max(256<<10, min(4<<20, streamBuffers/max(1, columns))))
	props.MaxCompressedPageSize = largestPage
	props.MaxUncompressedPageSize = largestPage
	s.reader, err = file.NewParquetReader(io.NewSectionReader(object, 0, object.Size()), file.WithReadProps(props))
	return err
}

// bind finds the wanted columns in the file's schema.
func (s *scan) bind(columns []catalog.Column) error {
	fileSchema := s.reader.MetaData().Schema
	root := fileSchema.Root()
	s.leaves = make([]leaf, len(columns))
	s.batch.Columns = make([]Vector, len(columns))
	for i, c := range columns {
		node := find(root, c)
		if node == nil {
			return fail.Wrap(&MissingColumnError{s.file.Path, c.Name, names(root)}, fail.Usage,
				"name the table's own column in the scenario; a file written before the column was added does not have it")
		}
		at := -1
		if node.Type() == schema.Primitive {
			at = fileSchema.ColumnIndexByNode(node)
		}
		if at < 0 {
			return fail.New(fail.Usage, "name a column of a simple type",
				"reading column %q of %s: it is nested", c.Name, s.file.Path)
		}
		if err := s.leaves[i].init(at, fileSchema.Column(at), &s.batch.Columns[i]); err != nil {
			return fail.Wrap(fmt.Errorf("reading column %q of %s: %w", c.Name, s.file.Path, err), fail.Usage,
				"name a column of a simple type")
		}
	}
	return nil
}

// find returns the node of the wanted column, or nil. A node that has a field
// id is matched by its id alone, for a name may have been given away.
func find(root *schema.GroupNode, c catalog.Column) schema.Node {
	for i := range root.NumFields() {
		node := root.Field(i)
		if id := node.FieldID(); id > 0 && c.ID > 0 {
			if int(id) == c.ID {
				return node
			}
		} else if node.Name() == c.Name {
			return node
		}
	}
	return nil
}

func names(root *schema.GroupNode) []string {
	var all []string
	for i := range root.NumFields() {
		all = append(all, root.Field(i).Name())
	}
	return all
}

// rowGroup reads one row group, all columns abreast.
func (s *scan) rowGroup(i int) error {
	var group *file.RowGroupReader
	err := guard(func() error {
		group = s.reader.RowGroup(i)
		for l := range s.leaves {
			chunk, err := group.Column(s.leaves[l].index)
			if err != nil {
				return err
			}
			s.leaves[l].attach(chunk)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading row group %d of %s: %w", i, s.file.Path, err)
	}
	defer s.detach()
	for left := group.NumRows(); left > 0; left -= int64(s.batch.Rows) {
		if err := s.ctx.Err(); err != nil {
			return fmt.Errorf("reading %s: %w", s.file.Path, err)
		}
		s.batch.Rows = int(min(left, BatchRows))
		for l := range s.leaves {
			leaf := &s.leaves[l]
			if err := guard(func() error { return leaf.fill(s.batch.Rows) }); err != nil {
				return fmt.Errorf("reading column %q of row group %d of %s: %w", leaf.name, i, s.file.Path, err)
			}
		}
		if err := s.fn(&s.batch); err != nil {
			return err
		}
		s.batch.First += int64(s.batch.Rows)
	}
	return nil
}

func (s *scan) detach() {
	for l := range s.leaves {
		_ = guard(s.leaves[l].chunk.Close) // reading is over; there is nothing left to lose
	}
}

// errShort says that a column chunk ends before its row group.
var errShort = errors.New("the column ends too early")
