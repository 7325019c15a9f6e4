package loadtest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

const allFaults = "faults: {late: {p: 2%, delay: 'lognormal(300ms, 1)'}, duplicate: {p: 1%, delay: 400ms}, drop: 1%, " +
	"out_of_order: {p: 2%, within: 50}, poison: {p: 1%}}"

const withFaults = "table: bronze.payments, " + allFaults + "}"

// counted is a class of the report.
func counted(t *testing.T, r *report.Report, class string) report.FaultClass {
	t.Helper()
	if len(r.Faults) != 1 {
		t.Fatalf("%d streams with faults", len(r.Faults))
	}
	for _, c := range r.Faults[0].Classes {
		if c.Class == class {
			return c
		}
	}
	t.Fatalf("no class %s in %+v", class, r.Faults[0].Classes)
	return report.FaultClass{}
}

// planned is what the laws alone say of the small scenario: made without the
// load test.
func planned(t *testing.T, p *loadtest.Plan) *delivery.Summary {
	t.Helper()
	st := p.Streams[0]
	d, err := delivery.New(7, 0, st.Schedule, *st.Faults)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Summarize(d.Slots(), delivery.BooksOptions{Start: time.Now()})
	if err := s.Balance(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAllFaults: late, doubled, dropped, shuffled and poisoned at once, and each
// class is exactly as the books of the delivery say.
func TestAllFaults(t *testing.T) {
	for _, format := range []string{"json", "avro-registry"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			p := newPlan(t, strings.Replace(small, wholeTable, "format: "+format+", "+withFaults, 1))
			embedded(t, p, lab.Sabotage{})
			rep, dir := mustRun(t.Context(), t, p)
			if rep.Verdict != report.Pass || !rep.Faults[0].OK {
				t.Errorf("%s: %s; %s", rep.Verdict, rep.Reason, rep.Faults[0].Summary)
			}
			asPlanned(t, rep, planned(t, p))
			for _, tier := range rep.Tiers {
				if tier.State != "clean" {
					t.Errorf("%s is %s: %s", tier.Tier, tier.State, tier.Detail)
				}
			}
			again, err := loadtest.Verify(t.Context(), dir, p.Lab, loadtest.Options{})
			if err != nil {
				t.Fatal(err, fail.HintOf(err))
			}
			if again.Verdict != rep.Verdict || again.Records != rep.Records || !slices.Equal(again.Faults[0].Classes, rep.Faults[0].Classes) {
				t.Errorf("verified again: %s, %+v; first %+v", again.Reason, again.Faults, rep.Faults)
			}
			edit(t, filepath.Join(dir, "faults.jsonl"), `"class":"late"`, `"class":"dropped"`)
			if _, err := loadtest.Verify(t.Context(), dir, p.Lab, loadtest.Options{}); fail.CodeOf(err) != fail.Usage {
				t.Errorf("a changed fault ledger goes unnoticed: %v", err)
			}
		})
	}
}

func asPlanned(t *testing.T, rep *report.Report, want *delivery.Summary) {
	t.Helper()
	var rows, letters, kafka uint64
	for _, c := range rep.Faults[0].Classes {
		rows, letters, kafka = rows+c.RowsSeen, letters+c.LettersSeen, kafka+c.KafkaSeen
	}
	total := want.Total
	for what, n := range map[string][2]uint64{
		"sent":         {kafka, total.Sent},
		"rows":         {rows, total.Readable},
		"seen":         {rep.Records.Seen, total.Readable},
		"dead letters": {letters, total.DeadLetters},
		"balance":      {rep.Records.Letters, total.DeadLetters},
		"late":         {counted(t, rep, "late").RowsSeen, total.Late},
		"out of order": {counted(t, rep, "out_of_order").RowsSeen, total.Shuffled},
		"duplicates":   {counted(t, rep, "duplicate").RowsSeen, total.Duplicates},
		"dropped":      {counted(t, rep, "dropped").Faults, total.Dropped},
		"held":         {counted(t, rep, "late").Held + counted(t, rep, "out_of_order").Held, total.Held},
	} {
		if n[0] != n[1] || n[0] == 0 {
			t.Errorf("%s: %d, planned %d", what, n[0], n[1])
		}
	}
	poisons := 0
	for _, c := range rep.Faults[0].Classes {
		class, err := delivery.ParseClass(c.Class)
		if err != nil || c.Faults != want.Classes[class] && class != delivery.OnTime {
			t.Errorf("%s: %d, planned %d", c.Class, c.Faults, want.Classes[class])
		}
		if class.Poison() {
			poisons++
		}
	}
	if poisons < 9 {
		t.Errorf("only %d classes of poison", poisons)
	}
}

// TestFaultsAndSabotage: what the engine harms is found, record by record, and
// no deliberate fault is taken for its work.
func TestFaultsAndSabotage(t *testing.T) {
	t.Parallel()
	p := newPlan(t, strings.Replace(small, wholeTable, withFaults, 1))
	l := embedded(t, p, lab.Sabotage{Drop: 6, Duplicate: 5, Corrupt: 4, Foreign: 3})
	rep, dir := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Fail || rep.ExitCode != int(fail.Integrity) || rep.Faults[0].OK {
		t.Errorf("%s, exit code %d: %s", rep.Verdict, rep.ExitCode, rep.Reason)
	}
	for kind, found := range map[lab.Kind][]report.Example{
		lab.Drop: rep.Examples.Missing, lab.Duplicate: rep.Examples.Duplicate, lab.Corrupt: rep.Examples.Corrupt,
		lab.Foreign: rep.Examples.Unexpected,
	} {
		if got, want := ids(found), acts(l, kind); !slices.Equal(got, want) {
			t.Errorf("%s: found %v, done %v", kind, got, want)
		}
	}
	again, err := loadtest.Verify(t.Context(), dir, p.Lab, loadtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Records != rep.Records || again.Reason != rep.Reason {
		t.Errorf("verified again: %s, %+v; first %s, %+v", again.Reason, again.Records, rep.Reason, rep.Records)
	}
}

// TestManyRunsWithFaults: runs one after the other on the same topic and table.
func TestManyRunsWithFaults(t *testing.T) {
	base := newPlan(t, strings.Replace(small, wholeTable, withFaults, 1))
	embedded(t, base, lab.Sabotage{})
	for name, test := range map[string]func(*testing.T, config.Lab){
		"Interrupted": faultsInterrupted, "IdentityAlone": faultsByIdentity, "Sampled": faultsSampled,
		"Killed": faultsKilled, "NoLetters": faultsWithoutLetters, "OtherLetters": faultsInOtherLetters,
	} {
		t.Run(name, func(t *testing.T) { test(t, base.Lab) })
	}
}

func faultsInterrupted(t *testing.T, where config.Lab) {
	p := quick(t, where, "duration: 2s", "duration: 60s", wholeTable, withFaults)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	rep, dir := mustRun(ctx, t, p)
	r := rep.Records
	if rep.Verdict != report.Interrupted || r.Missing+r.Duplicate+r.Corrupt+r.Unexpected != 0 || !rep.Faults[0].OK || r.Seen == 0 {
		t.Errorf("%s: %s, %s", rep.Verdict, rep.Reason, rep.Faults[0].Summary)
	}
	if c := counted(t, rep, "late"); c.Held == 0 || c.RowsSeen == 0 {
		t.Errorf("late: %+v", c)
	}
	if _, err := loadtest.Verify(t.Context(), dir, where, loadtest.Options{}); err != nil {
		t.Error(err, fail.HintOf(err))
	}
}

func faultsByIdentity(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, "table: bronze.payments, columns: {event_id: event_id}, "+allFaults+"}")
	rep, _ := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Pass || !rep.Faults[0].OK || counted(t, rep, "duplicate").RowsSeen == 0 {
		t.Errorf("%s: %s, %s", rep.Verdict, rep.Reason, rep.Faults[0].Summary)
	}
}

func faultsSampled(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, withFaults, "late_after: 5s", "late_after: 5s\nverify: {content_rows: 10, sample_rows: 1000}")
	rep, _ := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Pass || !rep.Faults[0].OK || rep.Tiers[2].State != "sampled" {
		t.Errorf("%s: %s, %s, %+v", rep.Verdict, rep.Reason, rep.Faults[0].Summary, rep.Tiers)
	}
}

func faultsKilled(t *testing.T, where config.Lab) {
	_, dir := mustRun(t.Context(), t, quick(t, where, wholeTable, withFaults))
	edit(t, filepath.Join(dir, "run.json"), `"state": "complete"`, `"state": "running"`)
	again, err := loadtest.Verify(t.Context(), dir, where, loadtest.Options{})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	if r := again.Records; r.Missing+r.Duplicate+r.Corrupt+r.Unexpected != 0 || !again.Faults[0].OK {
		t.Errorf("%+v, %s", r, again.Faults[0].Summary)
	}
}

// faultsWithoutLetters: a pipeline that keeps no dead letters is judged without.
func faultsWithoutLetters(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, "table: bronze.payments, dead_letters: none, "+allFaults+"}")
	rep, _ := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Pass || !rep.Faults[0].OK || rep.Faults[0].DeadLetters != "" {
		t.Errorf("%s: %s, %+v", rep.Verdict, rep.Reason, rep.Faults[0])
	}
}

// faultsInOtherLetters: poison that is nowhere is missed.
func faultsInOtherLetters(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, "table: bronze.payments, dead_letters: bronze.nowhere, "+allFaults+"}", "deadline: 60s", "deadline: 5s")
	rep, _ := mustRun(t.Context(), t, p)
	f := rep.Faults[0]
	if rep.Verdict != report.Fail || rep.ExitCode != int(fail.Integrity) || f.OK || f.Missing == 0 || len(f.Examples) == 0 ||
		!strings.Contains(rep.Reason, fmt.Sprintf("%d missing among the dead letters", f.Missing)) {
		t.Errorf("%s, exit code %d: %s", rep.Verdict, rep.ExitCode, rep.Reason)
	}
}

// TestBankWithFaults: the bank remembers, and its records can be late all the
// same.
func TestBankWithFaults(t *testing.T) {
	t.Parallel()
	p := newPlan(t, strings.Replace(bankScenario, "table: bronze.bank}", "table: bronze.bank, "+allFaults+"}", 1))
	l := embedded(t, p, lab.Sabotage{Drop: 2, Corrupt: 1})
	rep, dir := mustRun(t.Context(), t, p)
	r := rep.Records
	if rep.Verdict != report.Fail || r.Missing != 2 || r.Corrupt != 1 || r.Unexpected+r.Duplicate != 0 ||
		!slices.Equal(ids(rep.Examples.Missing), acts(l, lab.Drop)) {
		t.Errorf("%s: %s, %+v", rep.Verdict, rep.Reason, r)
	}
	again, err := loadtest.Verify(t.Context(), dir, p.Lab, loadtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Records != r || !slices.Equal(again.Faults[0].Classes, rep.Faults[0].Classes) {
		t.Errorf("verified again: %+v, want %+v", again.Records, r)
	}
}

// TestLateData: the shipped scenario, shortened.
func TestLateData(t *testing.T) {
	t.Parallel()
	s, err := loadtest.Load("late-data")
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	s.Producer.MaxSchedulerDelay = 5 * time.Second
	s.Thresholds = nil
	where := config.Lab{Kafka: config.Kafka{Brokers: []string{"set later"}}, Catalog: config.Catalog{URI: "set later"}}
	p, err := loadtest.NewPlan(s, where, loadtest.Overrides{Duration: 7 * time.Second})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	embedded(t, p, lab.Sabotage{})
	rep, _ := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Pass || !rep.Faults[0].OK || counted(t, rep, "late").RowsSeen == 0 || counted(t, rep, "duplicate").RowsSeen == 0 {
		t.Errorf("%s: %s; %s", rep.Verdict, rep.Reason, rep.Faults[0].Summary)
	}
}
