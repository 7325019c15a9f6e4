package encode

import (
	"encoding/json"

	"github.com/lakeproof/lakeproof/generators"
)

// Column is one field as Spark SQL knows it.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // string, int, bigint, boolean or timestamp
}

// Columns returns the fields in the order of the schema: what a Spark job
// reads out of the records, and the columns of the table it writes.
func Columns(s *generators.Schema) []Column {
	columns := make([]Column, len(s.Fields))
	for i, f := range s.Fields {
		columns[i] = Column{Name: f.Name, Type: sparkType(f.Kind)}
	}
	return columns
}

// ColumnsJSON returns [Columns] as JSON, one column a line, with a newline at
// the end: the schema file of the Spark job.
func ColumnsJSON(s *generators.Schema) []byte {
	out := []byte("[")
	for i, c := range Columns(s) {
		if i > 0 {
			out = append(out, ',')
		}
		text, _ := json.Marshal(c) // two strings always marshal
		out = append(append(out, "\n  "...), text...)
	}
	return append(out, "\n]\n"...)
}

func sparkType(k generators.Kind) string {
	switch k {
	case generators.UUID, generators.String:
		return "string"
	case generators.Int:
		return "int"
	case generators.Bool:
		return "boolean"
	case generators.Timestamp:
		return "timestamp"
	default: // Long, Checksum
		return "bigint"
	}
}
