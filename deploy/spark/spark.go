// Package spark holds the shipped PySpark streaming job, so that a lone binary
// can start it, and turns a record schema of ours into the JSON file that the
// job reads.
//
// A schema flows from generators.Schema through [SchemaJSON] into the file
// that the job gets with --schema; the job itself knows no payment.
//
// It does not run Spark: that is internal/lab/local on one machine and the
// manifests under deploy on Kubernetes.
package spark

import (
	_ "embed"
	"encoding/json"

	"github.com/lakeproof/lakeproof/generators"
)

//go:embed bronze_payments.py
var job []byte

//go:embed faulty.py
var faulty []byte

//go:embed payments.schema.json
var payments []byte

// Job returns bronze_payments.py, the streaming job.
func Job() []byte { return job }

// Faulty returns faulty.py, which runs the same job with a fault in it: the
// negative control of every detector. Never for production.
func Faulty() []byte { return faulty }

// PaymentsSchema returns the shipped schema of the payments stream.
func PaymentsSchema() []byte { return payments }

// schemaFile is the content of the job's --schema file.
type schemaFile struct {
	Name   string       `json:"name"`
	Fields []fieldEntry `json:"fields"`
}

type fieldEntry struct {
	Name string `json:"name"`
	Type string `json:"type"` // a Spark SQL type: string, int, bigint, boolean, timestamp
	Doc  string `json:"doc,omitempty"`
}

// SchemaJSON writes s as the job's --schema file.
func SchemaJSON(s *generators.Schema) ([]byte, error) {
	file := schemaFile{Name: s.Name}
	for _, f := range s.Fields {
		file.Fields = append(file.Fields, fieldEntry{Name: f.Name, Type: sqlType(f.Kind), Doc: f.Doc})
	}
	b, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// sqlType is the Spark SQL type that holds every value of the kind.
func sqlType(k generators.Kind) string {
	switch k {
	case generators.Int:
		return "int"
	case generators.Long, generators.Checksum:
		return "bigint"
	case generators.Bool:
		return "boolean"
	case generators.Timestamp:
		return "timestamp"
	default:
		return "string"
	}
}
