//go:build !exporter

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// weeks is two months of a bank whose customers change.
const weeks = `
scenario: weeks
duration: 10s
rate: 2000/s
world: {customers: 3000, start: 2026-01-06T00:00:00Z, speed: x500000}
streams:
  customers: {source: bank.customers, topic: bank.customers, format: debezium}
  kyc: {source: bank.kyc, share: 0.05}
  payments: {source: bank.payments}
`

func scenarioFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// rowsOf follows changes as somebody does who keeps a table of them.
type rowsOf struct {
	decoder *encode.ChangeDecoder
	rows    map[string]generators.Event
	ops     map[encode.Op]int
}

func newRowsOf(t *testing.T) (*rowsOf, *generators.Schema) {
	t.Helper()
	schema, err := bank.Schema("customers")
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := encode.NewChangeDecoder(schema)
	if err != nil {
		t.Fatal(err)
	}
	return &rowsOf{decoder, map[string]generators.Event{}, map[encode.Op]int{}}, schema
}

func (r *rowsOf) apply(t *testing.T, schema *generators.Schema, value []byte) {
	t.Helper()
	c := encode.Change{Before: generators.NewEvent(schema), After: generators.NewEvent(schema)}
	if err := r.decoder.Decode(&c, value); err != nil {
		t.Fatalf("%v: %s", err, value)
	}
	r.ops[c.Op]++
	row, key := c.After, schema.Index("customer_id")
	if row == nil {
		row = c.Before
	}
	old, known := r.rows[row.Values[key].Str]
	if c.Before != nil && (!known || old.ID != c.Before.ID || !slices.Equal(old.Values, c.Before.Values)) {
		t.Fatalf("the row before is not the one that was: %s", value)
	}
	if (c.Op == encode.Read) == known || (c.Tx.Order > 0) == (c.Op == encode.Read) {
		t.Fatalf("operation %c does not fit: %s", c.Op, value)
	}
	r.rows[row.Values[key].Str] = *row
}

// Customers as Debezium tells them: a row before a change is the row after the one
// before it, and a deletion is followed by a tombstone.
func TestDebezium(t *testing.T) {
	dir := t.TempDir()
	code, _, said := lakeproof("generate", scenarioFile(t, weeks), "--rate", "max", "--sink", "file", "--dir", dir)
	if code != fail.Pass {
		t.Fatalf("%d: %s", code, said)
	}
	text, err := os.ReadFile(filepath.Join(dir, "customers.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	follower, schema := newRowsOf(t)
	tombstones := 0
	for line := range bytes.Lines(text) {
		if string(line) == "null\n" {
			tombstones++
			continue
		}
		follower.apply(t, schema, line[:len(line)-1])
	}
	if follower.ops[encode.Read] != 3000 || follower.ops[encode.Update] < 20 || tombstones == 0 ||
		follower.ops[encode.Delete] != tombstones {
		t.Errorf("%v and %d tombstones", follower.ops, tombstones)
	}
	// As rows that were, without tombstones.
	flat := filepath.Join(dir, "flat")
	plain := scenarioFile(t, strings.Replace(weeks, ", format: debezium", "", 1))
	code, _, said = lakeproof("generate", plain, "--rate", "max", "--sink", "file", "--dir", flat)
	rows, err := os.ReadFile(filepath.Join(flat, "customers.jsonl"))
	if code != fail.Pass || err != nil || bytes.Count(rows, []byte("\n")) != bytes.Count(text, []byte("\n"))-tombstones ||
		!strings.Contains(said, "events of customers were left out") {
		t.Errorf("%d, %v: %d rows of %d changes: %s", code, err, bytes.Count(rows, []byte("\n")), bytes.Count(text, []byte("\n")), said)
	}
}

// In Kafka a tombstone is null, and all changes of a row are in one partition.
func TestDebeziumInKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	lab := scenarioFile(t, "kafka: {brokers: ['"+cluster.ListenAddrs()[0]+"']}\n")
	code, _, said := lakeproof("--config", lab, "generate", scenarioFile(t, weeks), "--rate", "max", "--sink", "kafka")
	if code != fail.Pass {
		t.Fatalf("%d: %s", code, said)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("bank.customers"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	want := 0
	for word := range strings.FieldsSeq(said) { // of the line that says how many there are
		if json.Unmarshal([]byte(word), &want) == nil {
			break
		}
	}
	follower, schema := newRowsOf(t)
	places, tombstones := map[string]int32{}, 0
	for n := 0; n < want; {
		fetched := client.PollFetches(t.Context())
		if err := fetched.Err(); err != nil {
			t.Fatal(err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			n++
			if at, known := places[string(r.Key)]; known && at != r.Partition {
				t.Fatalf("key %s is in two partitions", r.Key)
			}
			places[string(r.Key)] = r.Partition
			if r.Value == nil {
				tombstones++
				return
			}
			follower.apply(t, schema, r.Value)
		})
	}
	if len(places) != 3000 || want < 3020 || tombstones == 0 || follower.ops[encode.Delete] != tombstones ||
		!strings.HasPrefix(slices.Collect(keys(places))[0], `{"customer_id":"cus-`) {
		t.Errorf("%d keys, %d records, %v, %d tombstones", len(places), want, follower.ops, tombstones)
	}
}

func keys(m map[string]int32) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// digestIn is the digest of the first stream of a folder.
func digestIn(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Streams []struct{ Digest string } }
	if err := json.Unmarshal(text, &m); err != nil || len(m.Streams) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	return m.Streams[0].Digest
}

// The rows of Parquet files are the records: they have the checksums of the Avro
// ones, which the manifest sums.
func TestParquet(t *testing.T) {
	dirs := map[string]string{"avro": t.TempDir(), "parquet": t.TempDir()}
	for format, dir := range dirs {
		code, _, said := lakeproof("generate", "bank.payments", "--count", "20000", "--format", format, "--rotate-size", "1MB",
			"--sink", "file", "--dir", dir, "--workers", "3")
		if code != fail.Pass {
			t.Fatalf("%d: %s", code, said)
		}
	}
	if a, p := digestIn(t, dirs["avro"]), digestIn(t, dirs["parquet"]); a != p {
		t.Errorf("digest %s of Avro, %s of Parquet", a, p)
	}
	names, err := filepath.Glob(filepath.Join(dirs["parquet"], "bank.payments-0000[1-4].parquet"))
	if err != nil || len(names) != 4 {
		t.Fatalf("files %q, %v", names, err)
	}
	code, out, said := lakeproof(slices.Concat([]string{"generate", "verify"}, names)...)
	if code == fail.Usage || code == fail.Internal || !strings.Contains(out, "20,000") && !strings.Contains(out, "20000") {
		t.Errorf("%d: %s%s", code, out, said)
	}
}
