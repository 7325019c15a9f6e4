package spark

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
)

var update = flag.Bool("update", false, "write the golden files")

// The shipped schema file is the payments stream's schema.
func TestPaymentsSchemaIsTheStreams(t *testing.T) {
	want := encode.ColumnsJSON(fintech.NewPayments(1).Schema())
	if *update {
		if err := os.WriteFile("payments.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(PaymentsSchema(), want) {
		t.Errorf("payments.schema.json is stale; run: go test ./deploy/spark -update\nwant\n%s", want)
	}
}
