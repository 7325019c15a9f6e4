package spark

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
)

var update = flag.Bool("update", false, "write the golden files")

// The shipped schema files are the payments stream's schema.
func TestPaymentsSchemaIsTheStreams(t *testing.T) {
	schema := fintech.NewPayments(1).Schema()
	var avro bytes.Buffer
	if err := json.Indent(&avro, []byte(encode.AvroSchema(schema)+"\n"), "", "  "); err != nil {
		t.Fatal(err)
	}
	for _, file := range []struct {
		name      string
		got, want []byte
	}{
		{"payments.schema.json", PaymentsSchema(), encode.ColumnsJSON(schema)},
		{"payments.avsc", PaymentsAvroSchema(), avro.Bytes()},
	} {
		if *update {
			if err := os.WriteFile(file.name, file.want, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.Equal(file.got, file.want) {
			t.Errorf("%s is stale; run: go test ./deploy/spark -update\nwant\n%s", file.name, file.want)
		}
	}
}
