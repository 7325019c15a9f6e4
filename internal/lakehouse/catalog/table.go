package catalog

import (
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Table is one answer of the catalog.
type Table struct {
	Ident             string // namespace.table, as asked for
	UUID              string
	Location          string
	MetadataLocation  string
	FormatVersion     int
	Columns           []Column          // top level of the current schema, in its order
	PartitionSpec     string            // the default spec, such as "day(event_time)"; "" is unpartitioned
	Properties        map[string]string // never nil
	CurrentSnapshotID *int64            // nil for a table without data
	Snapshots         map[int64]Snapshot
	SnapshotLog       []LogEntry // in the order of the commits; complete even where Snapshots is not
	ETag              string     // to be sent back byte for byte; "" when the server sends none
}

// Column is one column of a table's schema. A Column with only a Name is found
// by its name.
type Column struct {
	ID       int    // Iceberg field id, which outlives a renaming; 0 is unknown
	Name     string //
	Type     string // Iceberg type, such as "long"; "struct", "list", "map" for nested ones
	Required bool
}

// LogEntry says when a snapshot became current, by the writer's clock.
type LogEntry struct {
	Time       time.Time
	SnapshotID int64
}

// Snapshot is one commit.
type Snapshot struct {
	ID             int64
	ParentID       *int64 // nil for the first, and where the catalog keeps no history
	SequenceNumber int64
	Timestamp      time.Time // timestamp-ms: the writer's clock
	ManifestList   string    // location
	Summary        map[string]string
}

// Current returns the current snapshot, if there is one.
func (t *Table) Current() (Snapshot, bool) {
	if t.CurrentSnapshotID == nil {
		return Snapshot{}, false
	}
	s, ok := t.Snapshots[*t.CurrentSnapshotID]
	return s, ok
}

// Select returns the named columns of the schema, in the order of the names.
// The error names the first that is missing and the columns that are there.
func (t *Table) Select(names ...string) ([]Column, error) {
	found := make([]Column, 0, len(names))
	for _, name := range names {
		at := -1
		there := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			there[i] = c.Name
			if c.Name == name {
				at = i
			}
		}
		if at < 0 {
			return nil, fail.New(fail.Usage, "name the table's own column in the scenario, or add the column to the pipeline",
				"finding column %q in table %s: it has only %s", name, t.Ident, strings.Join(there, ", "))
		}
		found = append(found, t.Columns[at])
	}
	return found, nil
}

// Operation returns append, replace, overwrite or delete.
func (s Snapshot) Operation() string { return s.Summary["operation"] }

// AddedRecords returns the rows that the commit says it added; false when it
// does not say.
func (s Snapshot) AddedRecords() (int64, bool) { return s.number("added-records") }

// TotalRecords returns the rows of the table after the commit; false when the
// commit does not say.
func (s Snapshot) TotalRecords() (int64, bool) { return s.number("total-records") }

// AddedFiles returns the data files that the commit says it added.
func (s Snapshot) AddedFiles() (int64, bool) { return s.number("added-data-files") }

// QueryID returns the streaming query that made the commit, or "". Source:
// SparkWrite.java, spark.sql.streaming.queryId.
func (s Snapshot) QueryID() string { return s.Summary["spark.sql.streaming.queryId"] }

// EpochID returns the micro-batch that made the commit; false when no
// streaming query did.
func (s Snapshot) EpochID() (int64, bool) { return s.number("spark.sql.streaming.epochId") }

func (s Snapshot) number(key string) (int64, bool) {
	n, err := strconv.ParseInt(s.Summary[key], 10, 64)
	return n, err == nil
}
