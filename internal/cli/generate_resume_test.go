//go:build !exporter

package cli

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// killed starts generate and kills it when so many files have their names.
func killed(t *testing.T, dir string, files int, args ...string) {
	t.Helper()
	self, err := exec.LookPath("lakeproof")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(named(t, dir)) < files; {
		if time.Now().After(deadline) {
			t.Fatalf("only %q after a minute", named(t, dir))
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it had ended before it was killed")
	}
}

// named are the files of records in a folder that have their names.
func named(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*-0*"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(name string) bool { return strings.HasSuffix(name, ".part") })
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}

// A process that is killed in the middle, twice, and goes on leaves the same
// bytes as one that was left alone.
func TestKillAndResume(t *testing.T) {
	self, err := exec.LookPath("lakeproof")
	if err != nil {
		t.Fatal(err)
	}
	day := filepath.Join(t.TempDir(), "day.yaml")
	text := `
scenario: day
duration: 3s
rate: 20000/s
world: {customers: 500, start: 2026-01-06T00:00:00Z, speed: x288000, fraud: {shares: {velocity: 3%}}}
streams:
  books: {source: bank.ledger, format: camt053}
  ledger: {source: bank.ledger}
  labels: {source: bank.labels}
  payments: {source: bank.payments, format: avro}
`
	if err := os.WriteFile(day, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"a stream":   {"bank.payments", "--count", "60000", "--compress", "zstd", "--rotate-size", "200KB", "--workers", "3"},
		"a scenario": {day, "--compress", "gzip", "--rotate-records", "3000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alone, pieces := t.TempDir(), t.TempDir()
			common := slices.Concat([]string{"generate"}, args, []string{"--sink", "file", "--resume", "--dir"})
			if out, err := exec.CommandContext(t.Context(), self, append(common, alone, "--rate", "max")...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			paced := append(slices.Clone(common), pieces) // in its own time: else it might end too soon
			if args[0] != day {
				paced = append(paced, "--rate", "20000/s")
			}
			killed(t, pieces, 3, paced...)
			killed(t, pieces, len(named(t, pieces))+2, paced...)
			if out, err := exec.CommandContext(t.Context(), self, append(common, pieces, "--rate", "max")...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got, want := contents(t, pieces), contents(t, alone)
			if !maps.Equal(got, want) {
				t.Errorf("files %q, want %q, or their bytes", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
		})
	}
}
