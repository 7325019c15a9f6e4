package loadtest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// evolving is the small scenario with a schema that changes.
func evolving(changes string) string {
	return "table: bronze.payments, evolve: [" + changes + "]}"
}

// TestEvolution: a new field disturbs nobody; what breaks old readers is
// expected among the dead letters, and nowhere else.
func TestEvolution(t *testing.T) {
	t.Parallel()
	base := newPlan(t, small)
	embedded(t, base, lab.Sabotage{})
	for name, test := range map[string]func(*testing.T, config.Lab){
		"Compatible": evolutionCompatible, "Breaking": evolutionBreaking, "Nullable": evolutionNullable,
		"WithFaults": evolutionWithFaults, "Negative": evolutionUntold,
	} {
		t.Run(name, func(t *testing.T) { test(t, base.Lab) })
	}
}

// evolutionCompatible is a change in the middle that all readers take.
func evolutionCompatible(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, evolving(`{at: 4000, add: {wallet_id: string?}}`))
	rep, dir := mustRun(t.Context(), t, p)
	c := counted(t, rep, "evolved")
	if rep.Verdict != report.Pass || !rep.Faults[0].OK || c.Rows != 6000 || c.RowsSeen != 6000 || c.KafkaSeen != 6000 {
		t.Errorf("%s: %s; %s, %+v", rep.Verdict, rep.Reason, rep.Faults[0].Summary, c)
	}
	if !strings.Contains(rep.Faults[0].Summary, "version 2 from record 4,000 on is read as before") {
		t.Errorf("in words: %s", rep.Faults[0].Summary)
	}
	again, err := loadtest.Verify(t.Context(), dir, where, loadtest.Options{})
	if err != nil || again.Records != rep.Records || !slices.Equal(again.Faults[0].Classes, rep.Faults[0].Classes) {
		t.Errorf("verified again: %+v, %v", again, err)
	}
}

// evolutionBreaking takes a required field away and gives another one another
// kind: the strict engine of the lab refuses both.
func evolutionBreaking(t *testing.T, where config.Lab) {
	for _, change := range []string{
		`{at: 1s, remove: [amount_minor], compatible: false}`,
		`{at: 1s, retype: {amount_minor: string}, compatible: false}`,
	} {
		p := quick(t, where, wholeTable, evolving(change))
		rep, _ := mustRun(t.Context(), t, p)
		c := counted(t, rep, "evolved")
		if rep.Verdict != report.Pass || !rep.Faults[0].OK || c.Rows+c.RowsSeen != 0 || c.Letters != 5000 || c.LettersSeen != 5000 {
			t.Errorf("%s: %s: %s; %s, %+v", change, rep.Verdict, rep.Reason, rep.Faults[0].Summary, c)
		}
		if !strings.Contains(rep.Faults[0].Summary, "version 2 from 1s on is refused") {
			t.Errorf("in words: %s", rep.Faults[0].Summary)
		}
	}
}

// evolutionNullable takes a field away that may be null: rows have nulls there,
// and the contents are compared all the same.
func evolutionNullable(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, evolving(`{at: 5000, remove: [card_token]}`))
	rep, _ := mustRun(t.Context(), t, p)
	c := counted(t, rep, "evolved")
	if rep.Verdict != report.Pass || c.RowsSeen != 5000 || !strings.Contains(rep.Faults[0].Summary, "read with nulls") {
		t.Errorf("%s: %s; %s, %+v", rep.Verdict, rep.Reason, rep.Faults[0].Summary, c)
	}
}

// evolutionWithFaults: a changed schema and every fault at once.
func evolutionWithFaults(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, "table: bronze.payments, "+allFaults+
		`, evolve: [{at: 3000, add: {wallet_id: string?}}, {at: 6000, rename: {amount_minor: amount_cents}, compatible: false}]}`)
	rep, _ := mustRun(t.Context(), t, p)
	c := counted(t, rep, "evolved")
	if rep.Verdict != report.Pass || !rep.Faults[0].OK || c.RowsSeen == 0 || c.LettersSeen == 0 {
		t.Errorf("%s: %s; %s, %+v", rep.Verdict, rep.Reason, rep.Faults[0].Summary, c)
	}
}

// evolutionUntold is the negative control: records that a reader refuses are
// missed where nobody says that they will be refused.
func evolutionUntold(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, evolving(`{at: 1s, remove: [amount_minor], compatible: false}`), "deadline: 60s", "deadline: 3s")
	where.Embedded = false // so that rows are expected, as Spark would make them
	p.Lab = where
	rep, _ := mustRun(t.Context(), t, p)
	if c := counted(t, rep, "evolved"); rep.Verdict != report.Fail || rep.Faults[0].OK || rep.Records.Missing != 5000 || c.Rows != 5000 || c.RowsSeen != 0 {
		t.Errorf("%s: %s; %s, %+v", rep.Verdict, rep.Reason, rep.Faults[0].Summary, c)
	}
}

// TestLifeIsFollowed: a rate that follows life, a bank with a flow of the user's
// own, and a schema that changes: followed to the table and compared, and again
// from the run's folder alone.
func TestLifeIsFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own, err := os.ReadFile("testdata/gift.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("rate: 5000/s", "rate: {mean: 3000/s, curve: retail, payday: 1.5, bursts: [{at: 2026-03-25, x: 3, for: 6h}]}",
		"start: 2026-01-06T00:00:00Z", "start: 2026-03-24T18:00:00Z", "speed: x720", "speed: x21600, flows: gift.yaml",
		"table: bronze.bank}", "table: bronze.bank, evolve: [{at: 6000, add: {wallet_id: string?}}]}").Replace(bankScenario)
	for name, text := range map[string]string{"life.yaml": text, "gift.yaml": string(own)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := loadtest.Load(filepath.Join(dir, "life.yaml"))
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	s.Producer.MaxSchedulerDelay = 5 * time.Second
	p, err := loadtest.NewPlan(s, newPlan(t, small).Lab, loadtest.Overrides{})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	embedded(t, p, lab.Sabotage{Drop: 2, Corrupt: 1})
	rep, run := mustRun(t.Context(), t, p)
	r := rep.Records
	if rep.Verdict != report.Fail || r.Missing != 2 || r.Corrupt != 1 || r.Unexpected+r.Duplicate != 0 || counted(t, rep, "evolved").Rows == 0 {
		t.Errorf("%s: %s, %+v", rep.Verdict, rep.Reason, r)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	again, err := loadtest.Verify(t.Context(), run, p.Lab, loadtest.Options{})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	if again.Records != r {
		t.Errorf("verified again: %+v, want %+v", again.Records, r)
	}
}
