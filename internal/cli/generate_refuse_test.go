//go:build !exporter

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// What cannot be is refused with what is wrong and a hint, and leaves nothing.
func TestGenerateRefuses(t *testing.T) {
	const head = "scenario: day\nduration: 1s\nrate: 100/s\n"
	honest := scenarioFile(t, head+"streams: {labels: {source: bank.labels}, payments: {source: bank.payments}}\n")
	alone := scenarioFile(t, head+"world: {fraud: {preset: aml-hi}}\nstreams: {labels: {source: bank.labels}}\n")
	two := scenarioFile(t, head+"streams: {payments: {}, orders: {}}\n")
	odd := scenarioFile(t, head+"streams: {l: {source: bank.ledger, format: xml}, payments: {source: bank.payments}}\n")
	out := filepath.Join(t.TempDir(), "out")
	for want, args := range map[string][]string{
		"no stream of bank.payments follows from others":     {"bank.payments", "--tail", "1h"},
		`reading --tail: "soon" is no span`:                  {"bank.labels", "--tail", "soon"},
		"this bank has no crime":                             {honest},
		"it follows from others, and there are none":         {alone},
		"its records have no history":                        {"explain", "bank.labels", "3"},
		"orders is no message in pacs008":                    {"bank.orders", "--format", "pacs008"},
		"statements are made of the ledger":                  {"bank.labels", "--format", "camt053"},
		`bank.ledger: it has none named "debezium"`:          {"bank.ledger", "--format", "debezium"},
		`l: it has none named "xml"`:                         {odd},
		"Parquet is a format of files":                       {"bank.payments", "--format", "parquet"},
		`choosing format "debezium"`:                         {"bank.payments", "--format", "debezium"},
		"making the folder of records: ":                     {"--sink", "file", "--dir", two},
		"reading --compress: the sink is stdout":             {"--compress", "gzip"},
		"reading --rotate-records: it needs a folder":        {"--sink", "file", "--file", out, "--rotate-records", "5"},
		"records go to one of them":                          {"--sink", "file", "--file", out, "--dir", out},
		`"10Q" is no size`:                                   {"--sink", "file", "--dir", out, "--rotate-size", "10Q"},
		`"10B" is not between 1KB and 8EB`:                   {"--sink", "file", "--dir", out, "--rotate-size", "10B"},
		"2 streams and one file":                             {two, "--sink", "file", "--file", out},
		`reading --shards: "4/4" is no part`:                 {"--shards", "4/4"},
		"reading --key: the sink is stdout":                  {"--key", "account_id"},
		`"10TB5" is no size`:                                 {"--sink", "file", "--dir", out, "--rotate-size", "10TB5"},
		`"99999999TB" is not between`:                        {"--sink", "file", "--dir", out, "--rotate-size", "99999999TB"},
		"bank.labels follows from others and has no rate of": nil,
	} {
		line := append([]string{"generate"}, args...)
		if args == nil {
			lab := scenarioFile(t, "kafka: {brokers: ['127.0.0.1:1']}\n")
			line = []string{"--config", lab, "loadtest", "run", honest}
		}
		code, printed, said := lakeproof(line...)
		if code != fail.Usage || printed != "" || !strings.Contains(said, want) || !strings.Contains(said, "\nhint: ") {
			t.Errorf("%q: code %d, stdout %q: %s, want %s", line, code, printed, said, want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was made")
	}
}
