package spark

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/fintech"
)

var update = flag.Bool("update", false, "write the golden files")

// The shipped schema file is the payments stream's schema.
func TestPaymentsSchemaIsTheStreams(t *testing.T) {
	want, err := SchemaJSON(fintech.NewPayments(1).Schema())
	if err != nil {
		t.Fatal(err)
	}
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

func TestSchemaJSONNamesATypeForEveryKind(t *testing.T) {
	got, err := SchemaJSON(&generators.Schema{Name: "All", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID, Doc: "who"},
		{Name: "s", Kind: generators.String},
		{Name: "i", Kind: generators.Int},
		{Name: "l", Kind: generators.Long},
		{Name: "b", Kind: generators.Bool},
		{Name: "t", Kind: generators.Timestamp},
		{Name: "c", Kind: generators.Checksum},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"name": "event_id",
      "type": "string",
      "doc": "who"`,
		`"name": "s",
      "type": "string"`,
		`"name": "i",
      "type": "int"`,
		`"name": "l",
      "type": "bigint"`,
		`"name": "b",
      "type": "boolean"`,
		`"name": "t",
      "type": "timestamp"`,
		`"name": "c",
      "type": "bigint"`,
	} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("the schema file lacks %s:\n%s", want, got)
		}
	}
}
