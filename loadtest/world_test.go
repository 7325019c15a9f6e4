package loadtest_test

import (
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/internal/lab"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

const bankScenario = `
scenario: bank
seed: 7
duration: 4s
rate: 5000/s
warmup: 1s
late_after: 10s
world: {customers: 1000, merchants: 100, start: 2026-01-06T00:00:00Z, speed: x720, fraud: {preset: aml-hi}}
streams:
  payments: {source: bank.payments, key: account_id, table: bronze.bank}
thresholds: [records.missing == 0]
`

// The bank remembers what it did: every record of it is followed to the table
// and compared, by the run and by another process afterwards.
func TestBankIsFollowed(t *testing.T) {
	p := newPlan(t, bankScenario)
	embedded(t, p, lab.Sabotage{Drop: 2, Corrupt: 1})
	rep, dir := mustRun(t.Context(), t, p)
	r := rep.Records
	if rep.Verdict != report.Fail || r.Missing != 2 || r.Corrupt != 1 || r.Unexpected+r.Duplicate != 0 {
		t.Errorf("%s: %s, %+v", rep.Verdict, rep.Reason, r)
	}
	again, err := loadtest.Verify(t.Context(), dir, p.Lab, loadtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Records != r {
		t.Errorf("verified again: %+v, want %+v", again.Records, r)
	}
}

func TestBadWorlds(t *testing.T) {
	for change, want := range map[string]string{
		"speed: x720=>speed: fast":                                 `reading clock "fast"`,
		"speed: x720=>speed: max":                                  "cannot run at its own",
		"{preset: aml-hi}=>{preset: aml}":                          `choosing the preset "aml"`,
		"{preset: aml-hi}=>{shares: {fan_inn: 0.1%}}":              `choosing typology "fan_inn"`,
		"{preset: aml-hi}=>{shares: {fan_in: 0.1%}, preset: none}": "a preset and shares at once",
		"{preset: aml-hi}=>{shares: {fan_in: 130%}}":               `"130%" is not a share`,
		"customers: 1000=>custmers: 1000":                          "custmers",
		"source: bank.payments=>source: bank.labels":               "follows from others",
		"source: bank.payments=>source: bank.payment":              `there is no "payment"`,
	} {
		from, to, _ := strings.Cut(change, "=>")
		text := strings.Replace(bankScenario, from, to, 1)
		if text == bankScenario {
			t.Fatalf("%s changes nothing", change)
		}
		s, err := loadtest.Parse("bank.yaml", []byte(text))
		if err == nil {
			_, err = loadtest.NewPlan(s, newPlan(t, small).Lab, loadtest.Overrides{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", change, err, want)
		}
	}
}
