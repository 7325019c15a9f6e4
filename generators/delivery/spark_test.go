package delivery_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// casesDir is where the cases for testdata/ask_spark.py are written.
var casesDir = flag.String("cases", "", "write the cases for testdata/ask_spark.py to this folder")

type sparkCase struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
	First []byte `json:"first,omitempty"` // the record as version 1 has it
}

// evolutions are changes of the schema of samples with what Spark must make
// of them.
func evolutions() map[string]Evolve {
	retype := func(name string, kind generators.Kind) Evolve {
		return Evolve{Event: 1, Retype: []Retype{{name, kind}}}
	}
	return map[string]Evolve{
		"add nullable":      {Event: 1, Compatible: true, Add: []generators.Field{{Name: "wallet_id", Kind: generators.String, Nullable: true}}},
		"add required":      {Event: 1, Add: []generators.Field{{Name: "wallet_id", Kind: generators.Long}}},
		"remove nullable":   {Event: 1, Compatible: true, Remove: []string{"card_token"}},
		"remove required":   {Event: 1, Remove: []string{"status"}},
		"rename nullable":   {Event: 1, Compatible: true, Rename: []Rename{{"merchant_city", "city"}}},
		"rename required":   {Event: 1, Rename: []Rename{{"amount_minor", "amount"}}},
		"int to long":       retype("currency_exponent", generators.Long),
		"int to string":     retype("risk_score", generators.String),
		"long to string":    retype("amount_minor", generators.String),
		"bool to string":    retype("is_recurring", generators.String),
		"bool to int":       retype("is_recurring", generators.Int),
		"string to long":    retype("status", generators.Long),
		"time to long":      retype("event_time", generators.Long),
		"time to string":    retype("event_time", generators.String),
		"remove and retype": {Event: 1, Remove: []string{"status"}, Retype: []Retype{{"amount_minor", generators.String}}},
	}
}

const evolvedCases = 5

// sparkCases are good records and each class of poison of a format, and of JSON
// each change of the schema.
func sparkCases(t *testing.T, format string) []sparkCase {
	t.Helper()
	schema, values := samples(t, format, 40)
	var out []sparkCase
	p, err := NewPoisoner(format, schema)
	if err != nil {
		t.Fatal(err)
	}
	random := generators.Seed(2).Rand("spark")
	for i, value := range values {
		out = append(out, sparkCase{Name: fmt.Sprintf("good/%d", i), Value: value})
		for _, class := range AllPoisons() {
			if !Applies(format, class) || class == Oversized && i >= 10 {
				continue
			}
			bad := p.Append([]byte{}, class, value, random.Entity(uint64(i)).At(uint64(class)))
			out = append(out, sparkCase{Name: fmt.Sprintf("%s/%d", class, i), Value: bad})
		}
	}
	if format != encode.JSON {
		return out
	}
	names := evolutions()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		versions, err := Versions(1, schema, []Evolve{names[name]})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range uint64(evolvedCases) {
			out = append(out, sparkCase{Name: fmt.Sprintf("%s/%d", name, n), Value: evolved(t, format, &versions[1], n), First: values[n]})
		}
	}
	return out
}

// sparkAnswer is what the shipped job on a real Spark made of a case.
type sparkAnswer struct {
	Name, SHA256  string
	Reason        *string // of the dead letter
	Lost, Altered []string
}

// askSpark returns the cases of a format with the recorded answers, or writes
// the cases to be asked about.
func askSpark(t *testing.T, format, file string) ([]sparkCase, []sparkAnswer) {
	t.Helper()
	cases := sparkCases(t, format)
	if *casesDir != "" {
		text := strings.Builder{}
		out := json.NewEncoder(&text)
		_ = out.Encode(map[string]any{ // of a strings.Builder: never fails
			"columns": encode.Columns(sampleSchema()), "format": format, "avro": encode.AvroSchema(sampleSchema()), "schema_id": sampleSchemaID,
		})
		for _, c := range cases {
			_ = out.Encode(c)
		}
		if err := os.WriteFile(filepath.Join(*casesDir, format+".jsonl"), []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Skipf("wrote %d cases", len(cases))
	}
	var recorded struct {
		Spark   string
		Answers []sparkAnswer
	}
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded.Answers) != len(cases) {
		t.Fatalf("%d answers for %d cases: ask again with testdata/ask_spark.py", len(recorded.Answers), len(cases))
	}
	for i, c := range cases {
		sum := sha256.Sum256(c.Value)
		if a := recorded.Answers[i]; a.Name != c.Name || a.SHA256 != hex.EncodeToString(sum[:])[:16] {
			t.Fatalf("%s: the bytes are not those that Spark was asked about: ask again with testdata/ask_spark.py", c.Name)
		}
	}
	return cases, recorded.Answers
}

// TestSparkRejectsWhatTheTableSays compares Rejected and Expect with what the
// shipped job on a real Spark made of the very same bytes.
func TestSparkRejectsWhatTheTableSays(t *testing.T) {
	cases, answers := askSpark(t, encode.JSON, "spark.json")
	schema, _ := samples(t, encode.JSON, 1)
	for i, c := range cases {
		a := answers[i]
		name, _, _ := strings.Cut(c.Name, "/")
		change, isEvolved := evolutions()[name]
		if !isEvolved {
			if isGood := name == "good"; isGood != (a.Reason == nil) {
				t.Errorf("%s: Spark says %v: %.200q", c.Name, a.Reason, c.Value)
			}
			continue
		}
		got := Intact
		switch {
		case a.Reason != nil:
			got = Refused
		case len(a.Altered) > 0:
			got = Altered
		case len(a.Lost) > 0:
			got = Lost
		}
		versions, _ := Versions(1, schema, []Evolve{change})
		want, err := Expect(encode.JSON, &versions[1])
		if err != nil {
			t.Fatal(err)
		}
		// A column that is null anyway is not lost.
		if got != want && !(want == Lost && got == Intact && strings.Contains(name, "nullable")) {
			t.Errorf("%s: Spark: %s (reason %v, lost %q, altered %q), want %s", c.Name, got, a.Reason, a.Lost, a.Altered, want)
		}
	}
}

// TestSparkRejectsPoisonedAvro does the same for Avro behind a registry's frame:
// the job refuses every class that applies, those too that other readers take,
// and for the reason that the class has.
func TestSparkRejectsPoisonedAvro(t *testing.T) {
	const frame, record = "no frame of a Schema Registry", "not an Avro record of the schema"
	reasons := map[string][]string{
		"good": {""}, "tombstone": {"no value"}, "empty": {frame}, "not_format": {frame}, "wrong_magic": {frame},
		"truncated": {frame, record}, "unknown_schema_id": {"unknown schema id"}, "wrong_type": {record},
		"missing_field": {record}, "oversized": {record}, "out_of_range": {record}, "invalid_timestamp": {record},
		"invalid_utf8": {"a text is not UTF-8"},
	}
	cases, answers := askSpark(t, encode.AvroRegistry, "spark_avro.json")
	seen := map[string]bool{}
	for i, c := range cases {
		name, _, _ := strings.Cut(c.Name, "/")
		reason := ""
		if answers[i].Reason != nil {
			reason = *answers[i].Reason
		}
		seen[name] = true
		if !slices.Contains(reasons[name], reason) {
			t.Errorf("%s: Spark says %q, want %q: %.200q", c.Name, reason, reasons[name], c.Value)
		}
	}
	for _, class := range RejectedClasses(encode.AvroRegistry) {
		if !seen[class.String()] || slices.Contains(reasons[class.String()], "") {
			t.Errorf("%s: Spark was not asked, or takes it", class)
		}
	}
}
