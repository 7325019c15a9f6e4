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
	case c.Format == "" || c.Format == messages.Camt053 || slices.Contains(messages.Formats(), c.Format):
		return encode.JSON
	case c.Format == parquet:
		return encode.Avro // whose bytes have the checksum of a row
	default:
		return c.Format
	}
}

// setFormat lets a job make the format that is wanted.
func (c *generateRunCmd) setFormat(j *job, s *loadtest.Stream) (err error) {
	source := s.StreamSpec.Source
	if j.format = c.Format; c.Format == "" {
		j.format = s.Format
	}
	switch {
	case j.format == parquet && s.Encoder != nil:
		if j.rows = true; c.Sink != "file" && c.Sink != "discard" {
			return fail.New(fail.Usage, "add --sink file", "reading --format: Parquet is a format of files")
		}
	case slices.Contains(messages.Formats(), j.format):
		if source != "bank.payments" {
			return fail.New(fail.Usage, "name bank.payments alone",
				"reading --format: %s is no message in %s", strings.TrimPrefix(source, "bank."), j.format)
		}
	case j.format == messages.Camt053:
		if source != "bank.ledger" {
			return fail.New(fail.Usage, "name bank.ledger alone, or give this format to it in the scenario",
				"choosing the format of %s: statements are made of the ledger", s.Name)
		}
		j.books, err = messages.NewStatements()
	case j.format == encode.Debezium && source == "bank.customers":
		j.changes, err = encode.NewChangeEncoder(s.Source.Schema(), encode.Source{
			Table: "customers", Key: []string{"customer_id"},
		})
	case s.Encoder == nil:
		return fail.New(fail.Usage, "use one of "+strings.Join(encode.Formats(), ", ")+
			"; of bank.customers also debezium, of bank.ledger camt053",
			"choosing the format of %s: it has none named %q", s.Name, j.format)
	}
	return err
}
