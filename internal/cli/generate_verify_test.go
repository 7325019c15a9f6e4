//go:build !exporter

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/realism"
	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// verified runs the command and returns its exit code and what it printed.
func verified(t *testing.T, c generateVerifyCmd) (fail.Code, string) {
	t.Helper()
	var out bytes.Buffer
	a, err := newApp(env.Env{
		Stdin: strings.NewReader("amount\n1\n"), Stdout: &out, Stderr: &out,
		Signals: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	}, globals{LogLevel: "warn", LogFormat: "logfmt"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Count == 0 {
		c.Count = 1_000_000
	}
	err = c.Run(a)
	if code, ok := errors.AsType[exit](err); ok {
		return fail.Code(code), out.String()
	}
	if err != nil {
		fmt.Fprintf(&out, "%v\nhint: %s\n", err, fail.HintOf(err))
	}
	return fail.CodeOf(err), out.String()
}

// prices writes a CSV of so many amounts.
func prices(t *testing.T, n int, of func(u float64) float64) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("id,price\n")
	draw := generators.Seed(5).Rand("prices")
	for i := range n {
		u := (float64(draw.At(uint64(i))>>11) + 0.5) / (1 << 53)
		fmt.Fprintf(&b, "%d,%.2f\n", i, of(u))
	}
	name := filepath.Join(t.TempDir(), "prices.csv")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestVerifyFiles(t *testing.T) {
	price := map[string]string{"amount": "price"}
	decades := func(u float64) float64 { return math.Pow(10, 4*u) }
	even := func(u float64) float64 { return 1 + 999*u }
	for _, c := range []struct {
		name string
		file string
		code fail.Code
		want string
	}{
		{"four decades", prices(t, 60_000, decades), fail.Pass, "✔ PASS"},
		{"even prices", prices(t, 60_000, even), fail.Threshold, "✘ benford_mad"},
		{"ten rows", prices(t, 10, decades), fail.Inconclusive, "10 records are too few to say how real they look"},
		{"no rows", prices(t, 0, decades), fail.Inconclusive, "NOT MEASURED"},
	} {
		if code, out := verified(t, generateVerifyCmd{What: []string{c.file}, Map: price}); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s", c.name, code, c.code, c.want, out)
		}
	}
	code, out := verified(t, generateVerifyCmd{What: []string{prices(t, 10, even)}, Map: price, Output: "json"})
	if r, err := realism.Read([]byte(out)); err != nil || code != fail.Inconclusive || r.Verdict != realism.NotMeasured {
		t.Errorf("ten rows as JSON: exit %d, %v, %+v", code, err, r)
	}
	twice := filepath.Join(t.TempDir(), "twice.jsonl")
	if err := os.WriteFile(twice, []byte("{\"id\":1}\n{\"id\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := verified(t, generateVerifyCmd{What: []string{twice}}); code != fail.Threshold {
		t.Errorf("an id that is there twice: exit %d\n%s", code, out)
	}
	if code, out := verified(t, generateVerifyCmd{What: []string{"-"}}); code != fail.Inconclusive || !strings.Contains(out, "1 records") {
		t.Errorf("standard input: exit %d\n%s", code, out)
	}
}

// A stream and a scenario are made and measured, the page is written.
func TestVerifyStreams(t *testing.T) {
	page := filepath.Join(t.TempDir(), "r.html")
	code, out := verified(t, generateVerifyCmd{What: []string{"bank.payments"}, Count: 30_000, Days: 28, HTML: page, Output: "json"})
	r, err := realism.Read([]byte(out))
	if err != nil || code != fail.Threshold && code != fail.Pass || r.Records != 30_000 {
		t.Fatalf("exit %d, %v:\n%s", code, err, out)
	}
	for i := range r.Measures {
		m := &r.Measures[i]
		switch m.Name {
		case "conservation", "balance_chain", "integrity_in_time", "key_uniqueness", "boundary_adherence":
			if m.Verdict != realism.Pass {
				t.Errorf("%s: %s", m.Name, m.Sentence)
			}
		case "hour_curve", "weekday_curve", "type_mix":
			if m.High == nil {
				t.Errorf("%s has no band", m.Name)
			}
		}
	}
	if html, err := os.ReadFile(page); err != nil || !bytes.Contains(html, []byte("bank.payments")) {
		t.Errorf("the page: %v", err)
	}
	again, text := verified(t, generateVerifyCmd{What: []string{"bank.payments"}, Count: 30_000, Days: 28, Output: "json"})
	if again != code || text != out {
		t.Error("the same seed gives another report")
	}
	for _, what := range []string{"payments", "orders", "smoke"} {
		if code, out := verified(t, generateVerifyCmd{What: []string{what}, Count: 20_000}); code == fail.Usage || code == fail.Internal {
			t.Errorf("%s: exit %d\n%s", what, code, out)
		}
	}
}

func TestVerifyScenario(t *testing.T) {
	name := filepath.Join(t.TempDir(), "bank.yaml")
	const text = `
scenario: crimes
seed: 7
duration: 20s
rate: 1000/s
warmup: 1s
world: {customers: 1000, merchants: 100, start: 2026-01-06T00:00:00Z, speed: x720, fraud: {preset: aml-hi}}
streams:
  other: {source: orders, topic: orders, share: 0.2}
  payments: {source: bank.payments, topic: payments, key: account_id, share: 0.8}
`
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := verified(t, generateVerifyCmd{What: []string{name}, Stream: "payments"})
	if code != fail.Threshold && code != fail.Pass || !strings.Contains(out, "crimes, stream payments, 16,000 records, 2026-01-06 00:00 to 2026-01-06 03:59") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out = verified(t, generateVerifyCmd{What: []string{name}, Stream: "nothing"}); code != fail.Usage {
		t.Errorf("a stream that is not there: exit %d\n%s", code, out)
	}
}

func TestVerifyRefuses(t *testing.T) {
	file := prices(t, 10, func(u float64) float64 { return u })
	seed := uint64(1)
	for want, c := range map[string]generateVerifyCmd{
		`"nothing" is no stream`:                {What: []string{"nothing"}},
		"are not files all of them":             {What: []string{file, "bank.payments"}},
		"no such file":                          {What: []string{"./nothing.csv"}},
		"reading --map: it has no effect":       {What: []string{"payments"}, Map: map[string]string{"time": "x"}},
		"reading --labels: it has no effect":    {What: []string{"smoke"}, Labels: file},
		"reading --columns: it has no effect":   {What: []string{"smoke"}, Columns: "a"},
		"reading --days: it has no effect":      {What: []string{file}, Days: 3},
		"reading --seed: it has no effect":      {What: []string{file}, Seed: &seed},
		"reading --stream: it has no effect":    {What: []string{file}, Stream: "a"},
		"reading --days: 4000 is not":           {What: []string{"payments"}, Days: 4000},
		"reading --count: 1099511627776":        {What: []string{"payments"}, Count: 1 << 40},
		"there are no labels":                   {What: []string{file}, LabelsMap: map[string]string{"id": "x"}},
		`reading --curve: there is none of the`: {What: []string{"payments"}, Curve: "round", Count: 10},
		`there is no column "price"`:            {What: []string{file}, Map: map[string]string{"id": "price"}, Columns: "x,y"},
	} {
		if code, out := verified(t, c); code != fail.Usage || !strings.Contains(out, want) {
			t.Errorf("%+v: exit %d, want %q:\n%s", c, code, want, out)
		}
	}
}
