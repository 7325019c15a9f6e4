//go:build !exporter

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// summed is what the manifest of a folder says of each stream.
func summed(t *testing.T, dir string) (digests map[string]uint64, records map[string]int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Streams []struct {
			Name, Digest string
			Records      int
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	digests, records = map[string]uint64{}, map[string]int{}
	for _, s := range m.Streams {
		if digests[s.Name], err = strconv.ParseUint(s.Digest, 16, 64); err != nil {
			t.Fatal(err)
		}
		records[s.Name] = s.Records
	}
	return digests, records
}

// Together the shards are the whole, and no record is in two of them.
func TestShards(t *testing.T) {
	day := scenarioFile(t, `
scenario: day
duration: 10s
rate: 2000/s
world: {customers: 3000, start: 2026-01-06T00:00:00Z, speed: x500000, fraud: {shares: {velocity: 3%}}}
streams:
  customers: {source: bank.customers, format: debezium}
  labels: {source: bank.labels, key: account_id}
  ledger: {source: bank.ledger}
  statements: {source: bank.ledger, format: camt053}
  orders: {key: account_id}
  payments: {source: bank.payments, key: account_id}
`)
	for name, args := range map[string][]string{
		"a scenario": {day, "--rate", "max"},
		"cards":      {"bank.payments", "--count", "10000", "--format", "iso8583"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			make := func(dir string, more ...string) {
				t.Helper()
				all := slices.Concat([]string{"generate"}, args, []string{"--sink", "file", "--dir", dir}, more)
				if code, _, said := lakeproof(all...); code != fail.Pass {
					t.Fatalf("%d: %s", code, said)
				}
			}
			whole := t.TempDir()
			make(whole)
			wantDigests, wantRecords := summed(t, whole)
			digests, records := map[string]uint64{}, map[string]int{}
			lines := map[string]bool{}
			for i, part := range []string{"0-3/16", "4-4/16", "5/16", "6-15/16"} {
				dir := t.TempDir()
				make(dir, "--shards", part, "--workers", fmt.Sprint(i+1))
				d, r := summed(t, dir)
				for stream := range wantDigests {
					if r[stream] == wantRecords[stream] || r[stream] == 0 && stream != "labels" { // of few accounts
						t.Errorf("shards %s of %s: %d records of %d", part, stream, r[stream], wantRecords[stream])
					}
					digests[stream] += d[stream]
					records[stream] += r[stream]
				}
				notTwice(t, dir, lines)
			}
			if !maps.Equal(digests, wantDigests) || !maps.Equal(records, wantRecords) {
				t.Errorf("together %v %v, want %v %v", records, digests, wantRecords, wantDigests)
			}
		})
	}
}

// notTwice checks that no line of a folder's files was there before.
func notTwice(t *testing.T, dir string, lines map[string]bool) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*s.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if lines[string(line)] && string(line) != "null\n" {
				t.Fatalf("%s: twice: %s", filepath.Base(name), line)
			}
			lines[string(line)] = true
		}
	}
}

func TestParseShards(t *testing.T) {
	for text, want := range map[string]shards{
		"0-3/16": {0, 3, 16}, "5/16": {5, 5, 16}, "0/1": {0, 0, 1}, "": {},
	} {
		if got, err := parseShards(text); got != want || err != nil {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"3", "3-1/4", "4/4", "-1/4", "0-3/", "a/b", "0/0", "0-1-2/4", "1/9999999", "1/-4", "0-3/16/2"} {
		if got, err := parseShards(bad); err == nil || fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%q is %v, %v", bad, got, err)
		}
	}
	if (shards{0, 0, 2}).has([]byte("a")) == (shards{1, 1, 2}).has([]byte("a")) {
		t.Error("a key is in both halves, or in none")
	}
}
