//go:build !nolab

package lab

import (
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/lakeproof/lakeproof/generators"
)

// The columns that follow those of the record, as the shipped Spark job names
// them.
const (
	colTopic     = "_topic"
	colPartition = "_partition"
	colOffset    = "_offset"
	colKafkaTS   = "_kafka_ts"
	colIngestTS  = "_ingest_ts"
)

// landingSchema is the schema of a stream's table: the fields of its records by
// name, then where they came from. All columns are optional, as in a table that
// Spark made.
func landingSchema(s *generators.Schema) *iceberg.Schema {
	var fields []iceberg.NestedField
	for _, f := range s.Fields {
		fields = append(fields, column(len(fields)+1, f.Name, icebergType(f.Kind)))
	}
	return iceberg.NewSchema(0, origin(fields)...)
}

// deadLetterSchema is the schema of the records that could not be decoded, as
// the shipped Spark job makes it.
func deadLetterSchema() *iceberg.Schema {
	return iceberg.NewSchema(0, origin([]iceberg.NestedField{
		column(1, "reason", iceberg.PrimitiveTypes.String),
		column(2, "raw", iceberg.PrimitiveTypes.Binary),
	})...)
}

// origin appends the columns that say where a row came from.
func origin(fields []iceberg.NestedField) []iceberg.NestedField {
	for _, c := range []struct {
		name string
		typ  iceberg.Type
	}{
		{colTopic, iceberg.PrimitiveTypes.String},
		{colPartition, iceberg.PrimitiveTypes.Int32},
		{colOffset, iceberg.PrimitiveTypes.Int64},
		{colKafkaTS, iceberg.PrimitiveTypes.TimestampTz},
		{colIngestTS, iceberg.PrimitiveTypes.TimestampTz},
	} {
		fields = append(fields, column(len(fields)+1, c.name, c.typ))
	}
	return fields
}

func column(id int, name string, typ iceberg.Type) iceberg.NestedField {
	return iceberg.NestedField{ID: id, Name: name, Type: typ}
}

func icebergType(k generators.Kind) iceberg.Type {
	switch k {
	case generators.Int:
		return iceberg.PrimitiveTypes.Int32
	case generators.Long, generators.Checksum:
		return iceberg.PrimitiveTypes.Int64
	case generators.Bool:
		return iceberg.PrimitiveTypes.Bool
	case generators.Timestamp:
		return iceberg.PrimitiveTypes.TimestampTz
	default: // UUID, String
		return iceberg.PrimitiveTypes.String
	}
}

// identifier turns namespace.table into what iceberg-go asks for.
func identifier(name string) table.Identifier { return strings.Split(name, ".") }
