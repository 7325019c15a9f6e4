package loadtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	"github.com/lakeproof/lakeproof/internal/lakehouse/table"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
)

// layout finds the columns that verification needs in the table's schema. It
// also says in words which checks are possible.
func (s *Stream) layout(t *catalog.Table) (ledger.Layout, []string, error) {
	types := map[string]string{}
	for _, c := range t.Columns {
		types[c.Name] = c.Type
	}
	if err := s.identityColumn(t, types); err != nil {
		return ledger.Layout{}, nil, err
	}
	l := ledger.Layout{EventID: s.Columns.EventID}
	possible := []string{"missing, duplicate and late records, by " + l.EventID}
	p, o := s.Columns.Partition, s.Columns.Offset
	switch {
	case p == "" || types[p] == "" || types[o] == "":
		possible = append(possible, "not possible: offsets (the table keeps no partition and offset), "+
			"so rows that nobody sent cannot be told from other runs' rows")
	case !integer(types[p]) || !integer(types[o]):
		return l, nil, bad("give the columns that hold Kafka's partition and offset as numbers",
			"reading the schema of %s: %s is %s, %s is %s", t.Ident, p, types[p], o, types[o])
	default:
		l.Partition, l.Offset = p, o
		possible = append(possible, "partition and offset of each row, rows that nobody sent")
		if types[s.Columns.Topic] == "string" {
			l.Topic = s.Columns.Topic
		}
	}
	var skipped []string
	var err error
	if l.Content, skipped, err = s.contentColumns(t, types); err != nil {
		return l, nil, err
	}
	possible = append(possible, fmt.Sprintf("contents of %d of %d fields", len(l.Content),
		len(s.Source.Schema().Fields)-1))
	if len(skipped) > 0 {
		possible = append(possible, "not compared: "+strings.Join(skipped, ", "))
	}
	return l, possible, nil
}

func integer(typ string) bool { return typ == "int" || typ == "long" }

// identityColumn checks that the table keeps event_id as text, UUID or bytes.
func (s *Stream) identityColumn(t *catalog.Table, types map[string]string) error {
	name := s.Columns.EventID
	if types[name] == "" {
		there := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			there[i] = c.Name
		}
		return bad(fmt.Sprintf("keep event_id in the pipeline, or name its column: streams.%s.columns.event_id", s.Name),
			"reading the schema of %s: no column %q, only %s", t.Ident, name, strings.Join(there, ", "))
	}
	if !slices.Contains([]string{"string", "uuid", "binary", "fixed[16]"}, types[name]) {
		return bad(fmt.Sprintf("name the column that holds event_id as text: streams.%s.columns.event_id", s.Name),
			"reading the schema of %s: column %q is of type %s, which holds no event_id", t.Ident, name, types[name])
	}
	return nil
}

// contentColumns pairs fields with columns: the ones that the scenario names,
// or all of the same name and a type that can be compared.
func (s *Stream) contentColumns(t *catalog.Table, types map[string]string) ([]ledger.Content, []string, error) {
	var out []ledger.Content
	var skipped []string
	named := s.Columns.Content
	for i, f := range s.Source.Schema().Fields {
		if f.Kind == generators.UUID {
			continue
		}
		column, asked := named[f.Name]
		if !asked {
			column = f.Name
		}
		if named != nil && !asked {
			continue
		}
		ok := comparable(f.Kind, types[column])
		switch {
		case ok:
			out = append(out, ledger.Content{Column: column, Field: i, Kind: f.Kind})
		case asked:
			return nil, nil, bad("name columns whose type is that of the field: "+f.Name,
				"reading the schema of %s: column %q (%s) cannot be compared with field %q",
				t.Ident, column, orText(types[column], "not there"), f.Name)
		case types[column] != "":
			skipped = append(skipped, fmt.Sprintf("%s (the table has it as %s)", column, types[column]))
		}
	}
	for name := range named {
		if s.Source.Schema().Index(name) < 0 {
			return nil, nil, bad("the fields are those of stream "+s.Source.Name(),
				"stream %q: columns.content names field %q, which it has not", s.Name, name)
		}
	}
	return out, skipped, nil
}

// comparable reports whether a column of the type holds values of the kind.
func comparable(kind generators.Kind, typ string) bool {
	switch kind {
	case generators.String:
		return typ == "string"
	case generators.Int:
		return integer(typ)
	case generators.Long, generators.Checksum:
		return typ == "long"
	case generators.Bool:
		return typ == "boolean"
	case generators.Timestamp:
		return strings.HasPrefix(typ, "timestamp")
	default:
		return false
	}
}

// scanner reads data files for the ledger.
type scanner struct {
	store *objectstore.Store
	table *catalog.Table
}

// BytesRead implements ledger.Scanner.
func (s *scanner) BytesRead() int64 { return s.store.BytesRead() }

// Scan implements ledger.Scanner.
func (s *scanner) Scan(ctx context.Context, f ledger.File, columns []string, visit func(ledger.Columns) error) error {
	wanted, err := s.table.Select(columns...)
	if err != nil {
		return err
	}
	return table.ScanColumns(ctx, s.store, table.File{Path: f.Path, Records: int64(f.Rows), Size: f.Bytes}, wanted,
		func(b *table.Batch) error { return visit((*rows)(b)) })
}

// rows is a table.Batch as the ledger sees it.
type rows table.Batch

func (r *rows) Len() int                  { return r.Rows }
func (r *rows) Ints(column int) []int64   { return r.Columns[column].Ints }
func (r *rows) Bytes(column int) [][]byte { return r.Columns[column].Bytes }
func (r *rows) Null(column, row int) bool { return r.Columns[column].Null(row) }
