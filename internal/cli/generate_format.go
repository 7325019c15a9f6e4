//go:build !exporter

package cli

import (
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/generators/bank/messages"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest"
)

// parquet is the format of files of rows, which no record has by itself.
const parquet = "parquet"

// sketched is the format with which a stream is planned: that of its records
// where they have one by themselves.
func (c *generateRunCmd) sketched() string {
	switch {
	case c.Format == "" || slices.Contains(messages.Formats(), c.Format):
		return encode.JSON
	case c.Format == parquet:
		return encode.Avro // whose bytes have the checksum of a row
	default:
		return c.Format
	}
}

// setFormat lets a job make the format that is wanted.
func (c *generateRunCmd) setFormat(j *job, s *loadtest.Stream) (err error) {
	j.format = s.Format
	switch {
	case c.Format == parquet:
		if j.format, j.rows = parquet, true; c.Sink != "file" && c.Sink != "discard" {
			return fail.New(fail.Usage, "add --sink file", "reading --format: Parquet is a format of files")
		}
	case slices.Contains(messages.Formats(), c.Format):
		if j.format = c.Format; s.StreamSpec.Source != "bank.payments" {
			return fail.New(fail.Usage, "name bank.payments, or a scenario with nothing else",
				"reading --format: %s is no message in %s", strings.TrimPrefix(s.StreamSpec.Source, "bank."), c.Format)
		}
	case s.Format == encode.Debezium:
		j.changes, err = encode.NewChangeEncoder(s.Source.Schema(), encode.Source{
			Table: "customers", Key: []string{"customer_id"},
		})
	}
	return err
}
