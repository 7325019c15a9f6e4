package encode

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Op is what happened to a row.
type Op byte

// The operations.
const (
	Create Op = 'c'
	Update Op = 'u'
	Delete Op = 'd'
	Read   Op = 'r' // the row was there when the connector took its first snapshot
)

// Change is one change of one row.
type Change struct {
	Op     Op
	Before *generators.Event // the row before it: of a delete, and of an update with REPLICA IDENTITY FULL; else nil
	After  *generators.Event // the row after it: not of a delete
	At     int64             // when it was committed, microseconds since the Unix epoch
	Seen   int64             // when the connector saw it, likewise
	LSN    uint64            // where it is in the log, below 2^63; it grows with every change
	Last   uint64            // the LSN of the last commit before it; 0 is null
	Tx     Tx
}

// Tx is a change's place in its transaction.
type Tx struct {
	ID         uint64 // below 2^63; 0 is null
	Order      uint64 // among all changes of the transaction, from 1 on; 0 leaves the block away
	TableOrder uint64 // among those of the same table, from 1 on
}

// ErrTombstone is what a null value decodes to.
var ErrTombstone = errors.New("decoding debezium: a tombstone, no change")

// Tombstone is the value of the record that follows a delete, with the same
// key: null in Kafka, which is nil and not empty. It lets compaction remove the
// row.
func Tombstone() []byte { return nil }

// check says what does not fit together.
func (c *Change) check() error {
	before, after := c.Before != nil, c.After != nil
	switch c.Op {
	case Create, Read:
		if before || !after {
			return fmt.Errorf("operation %q has a row after it, and none before", c.Op)
		}
	case Update:
		if !after {
			return fmt.Errorf("operation %q has a row after it", c.Op)
		}
	case Delete:
		if !before || after {
			return fmt.Errorf("operation %q has a row before it, and none after", c.Op)
		}
	default:
		return fmt.Errorf("operation %q is not one of c, u, d and r", c.Op)
	}
	if (c.Tx.Order == 0) != (c.Tx.TableOrder == 0) || c.Tx.Order > 0 && c.Tx.ID == 0 {
		return errors.New("a transaction has an id and both orders, or none of them")
	}
	return nil
}

// Source is where changes come from: a table of a PostgreSQL database behind a
// connector. Each zero value has a default.
type Source struct {
	Name     string   // topic.prefix of the connector; default "lakeproof"
	Database string   // default "bank"
	Schema   string   // default "public"
	Table    string   // default the name of the schema of the rows
	Key      []string // the fields of the primary key; default the identity
	Version  string   // of Debezium; default "3.3.0.Final"
}

// ChangeEncoder appends changes of the rows of one schema, as Debezium 3's
// connector for PostgreSQL and Kafka Connect's JsonConverter with
// schemas.enable=false write them: the envelope with before, after, source,
// transaction, op, ts_ms, ts_us and ts_ns. It may be used from many goroutines
// at once.
//
// A row is the object that the JSON [Encoder] writes, with the checksum of its
// own; a time is what Debezium makes of timestamptz(3). The envelope has no
// checksum.
type ChangeEncoder struct {
	row    *jsonEncoder
	schema *generators.Schema
	key    []int // places of the fields
	table  string
	// The pieces of the source block that never change.
	version, database, relation string
}

// NewChangeEncoder returns the encoder of a table. The schema must not change
// afterwards.
func NewChangeEncoder(s *generators.Schema, src Source) (*ChangeEncoder, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	src = src.defaults(s)
	e := &ChangeEncoder{
		row: newJSONEncoder(s), schema: s, table: src.Schema + "." + src.Table,
		version: `,"source":{"version":` + quoted(src.Version) + `,"connector":"postgresql","name":` + quoted(src.Name) +
			`,"ts_ms":`,
		database: `","db":` + quoted(src.Database) + `,"sequence":"[`,
		relation: `,"schema":` + quoted(src.Schema) + `,"table":` + quoted(src.Table) + `,"txId":`,
	}
	for _, name := range src.Key {
		i := s.Index(name)
		if i < 0 || s.Fields[i].Nullable {
			return nil, fail.New(fail.Usage, "name a field of the schema that is never null",
				"choosing the key of %s: %q is none", e.table, name)
		}
		e.key = append(e.key, i)
	}
	return e, nil
}

func (src Source) defaults(s *generators.Schema) Source {
	for _, d := range []struct {
		to   *string
		text string
	}{
		{&src.Name, "lakeproof"},
		{&src.Database, "bank"},
		{&src.Schema, "public"},
		{&src.Table, s.Name},
		{&src.Version, "3.3.0.Final"},
	} {
		if *d.to == "" {
			*d.to = d.text
		}
	}
	if len(src.Key) == 0 {
		src.Key = []string{s.Fields[0].Name}
	}
	return src
}

func quoted(s string) string { return `"` + string(appendEscaped(nil, s)) + `"` }

// Format is Debezium.
func (e *ChangeEncoder) Format() string { return Debezium }

// Table is the name of the table in events about transactions.
func (e *ChangeEncoder) Table() string { return e.table }

// Append appends the envelope of a change, and stores the checksums of its rows
// in their last values. It does not allocate when dst has room. What does not
// fit together, such as a delete with a row after it, is an error, and nothing
// is appended.
func (e *ChangeEncoder) Append(dst []byte, c *Change) ([]byte, error) {
	if err := c.check(); err != nil {
		return dst, fmt.Errorf("encoding a change of %s: %w", e.table, err)
	}
	dst = e.appendRow(append(dst, `{"before":`...), c.Before)
	dst = e.appendRow(append(dst, `,"after":`...), c.After)
	dst = e.appendSource(dst, c)
	dst = append(dst, `,"transaction":`...)
	if c.Tx.Order == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = appendTxID(append(dst, `{"id":"`...), c.Tx.ID, c.LSN)
		dst = strconv.AppendUint(append(dst, `","total_order":`...), c.Tx.Order, 10)
		dst = strconv.AppendUint(append(dst, `,"data_collection_order":`...), c.Tx.TableOrder, 10)
		dst = append(dst, '}')
	}
	dst = append(append(append(dst, `,"op":"`...), byte(c.Op)), `","ts_ms":`...)
	dst = strconv.AppendInt(dst, floorDiv(c.Seen, 1000), 10)
	return append(appendMicros(dst, c.Seen), '}'), nil
}

func (e *ChangeEncoder) appendRow(dst []byte, row *generators.Event) []byte {
	if row == nil {
		return append(dst, "null"...)
	}
	return e.row.Append(dst, row)
}

// appendSource appends the source block, its fields in the order of the
// connector.
func (e *ChangeEncoder) appendSource(dst []byte, c *Change) []byte {
	dst = strconv.AppendInt(append(dst, e.version...), floorDiv(c.At, 1000), 10)
	dst = append(dst, `,"snapshot":"`...)
	if c.Op == Read {
		dst = append(dst, "true"...)
	} else {
		dst = append(dst, "false"...)
	}
	dst = append(dst, e.database...)
	if c.Last == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = append(strconv.AppendUint(append(dst, `\"`...), c.Last, 10), `\"`...)
	}
	dst = append(strconv.AppendUint(append(dst, `,\"`...), c.LSN, 10), `\"]"`...)
	dst = append(appendMicros(dst, c.At), e.relation...)
	if c.Tx.ID == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendUint(dst, c.Tx.ID, 10)
	}
	dst = strconv.AppendUint(append(dst, `,"lsn":`...), c.LSN, 10)
	return append(dst, `,"xmin":null}`...)
}

// appendMicros appends a time in microseconds and in nanoseconds.
func appendMicros(dst []byte, micros int64) []byte {
	dst = strconv.AppendInt(append(dst, `,"ts_us":`...), micros, 10)
	dst = strconv.AppendInt(append(dst, `,"ts_ns":`...), micros, 10)
	if micros == 0 {
		return dst
	}
	return append(dst, "000"...)
}

func appendTxID(dst []byte, id, lsn uint64) []byte {
	return strconv.AppendUint(append(strconv.AppendUint(dst, id, 10), ':'), lsn, 10)
}

// AppendKey appends the key of a change: the fields of the primary key, of the
// row before a delete and else of the row after the change. A tombstone has the
// key of its delete.
func (e *ChangeEncoder) AppendKey(dst []byte, c *Change) []byte {
	row := c.After
	if row == nil {
		row = c.Before
	}
	for n, i := range e.key {
		f, v := &e.schema.Fields[i], &row.Values[i]
		lead := ",\""
		if n == 0 {
			lead = "{\""
		}
		dst = append(append(append(dst, lead...), f.Name...), `":`...)
		switch f.Kind {
		case generators.UUID:
			dst = append(appendID(append(dst, '"'), row), '"')
		case generators.String:
			dst = append(appendEscaped(append(dst, '"'), v.Str), '"')
		case generators.Bool:
			dst = strconv.AppendBool(dst, v.Int != 0)
		case generators.Timestamp:
			dst = append(appendTime(append(dst, '"'), v.Int), '"')
		default: // Int, Long, Checksum
			dst = strconv.AppendInt(dst, v.Int, 10)
		}
	}
	return append(dst, '}')
}

// Boundary is the begin or the end of a transaction.
type Boundary struct {
	ID, LSN uint64
	At      int64 // microseconds since the Unix epoch
}

// TableCount is how many changes of a table a transaction had.
type TableCount struct {
	Table  string // as [ChangeEncoder.Table] says it
	Events uint64
}

// AppendBegin appends the event of a transaction's begin, for the topic
// `<name>.transaction`.
func (b Boundary) AppendBegin(dst []byte) []byte {
	return append(b.append(dst, "BEGIN"), `,"event_count":null,"data_collections":null}`...)
}

// AppendEnd appends the event of a transaction's end, with the changes of all
// its tables.
func (b Boundary) AppendEnd(dst []byte, tables []TableCount) []byte {
	var sum uint64
	for _, t := range tables {
		sum += t.Events
	}
	dst = strconv.AppendUint(append(b.append(dst, "END"), `,"event_count":`...), sum, 10)
	dst = append(dst, `,"data_collections":[`...)
	for i, t := range tables {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendEscaped(append(dst, `{"data_collection":"`...), t.Table)
		dst = append(strconv.AppendUint(append(dst, `","event_count":`...), t.Events, 10), '}')
	}
	return append(dst, "]}"...)
}

func (b Boundary) append(dst []byte, status string) []byte {
	dst = append(append(append(dst, `{"status":"`...), status...), `","id":"`...)
	dst = append(appendTxID(dst, b.ID, b.LSN), `","ts_ms":`...)
	return strconv.AppendInt(dst, floorDiv(b.At, 1000), 10)
}
