package loadtest_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// TestMain lets the test binary be the embedded lab's object store.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "store" {
		if err := lab.StoreMain(context.Background(), os.Stdin); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var starting sync.Mutex

// embedded starts an embedded lab for a scenario.
func embedded(t *testing.T, p *loadtest.Plan, s lab.Sabotage) *lab.Lab {
	t.Helper()
	o := lab.Options{
		Dir: t.TempDir(), Self: os.Args[0], ChildArgs: []string{"store"}, Trigger: 500 * time.Millisecond,
		Sabotage: s, SabotageSeed: 1, ExpectedRecords: p.Count(), DelayFor: 6 * time.Second,
	}
	for _, st := range p.Streams {
		if st.Table != "" {
			o.Streams = append(o.Streams, lab.Stream{
				Topic: st.Topic, Partitions: int(st.Partitions), Table: st.Table, Schema: st.Source.Schema(), Format: st.Format,
			})
		}
	}
	starting.Lock() // two labs may run side by side, but not start
	l, err := lab.Start(t.Context(), o)
	starting.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	p.Lab = l.Config()
	return l
}

const small = `
scenario: small
seed: 7
duration: 4s
rate: 5000/s
warmup: 500ms
late_after: 5s
barrier: {deadline: 60s, grace: 10s}
producer: {max_scheduler_delay: 5s}
streams:
  payments: {topic: payments, partitions: 3, retention: 7d, key: account_id, table: bronze.payments}
thresholds: [records.missing == 0, records.late == 0, freshness.p99 < 60s]
`

func newPlan(t *testing.T, text string) *loadtest.Plan {
	t.Helper()
	s, err := loadtest.Parse("small.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadtest.NewPlan(s, config.Lab{Kafka: config.Kafka{Brokers: []string{"set later"}}, Catalog: config.Catalog{URI: "set later"}}, loadtest.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCleanRun: from scenario to verdict on the embedded lab.
func TestCleanRun(t *testing.T) {
	p := newPlan(t, small)
	embedded(t, p, lab.Sabotage{})
	runs := t.TempDir()
	rep, err := loadtest.Run(t.Context(), p, loadtest.Options{RunsDir: runs})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Verdict != report.Pass || rep.Records.Seen != 20_000 {
		t.Errorf("%s: %s", rep.Verdict, rep.Reason)
	}
	again, err := loadtest.Verify(t.Context(), filepath.Join(runs, rep.RunID), p.Lab, loadtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Verdict != rep.Verdict || again.Records != rep.Records {
		t.Errorf("verified again: %s, %+v; first %+v", again.Verdict, again.Records, rep.Records)
	}
}

// TestSabotage is the detector's negative control: it names exactly the records
// that the engine harmed, and no other.
func TestSabotage(t *testing.T) {
	for name, c := range map[string]struct {
		harm    lab.Sabotage
		verdict report.Verdict
		code    fail.Code
	}{
		"all":        {lab.Sabotage{Drop: 3, Duplicate: 5, Corrupt: 2, Delay: 4, Foreign: 1}, report.Fail, fail.Integrity},
		"compensate": {lab.Sabotage{Drop: 2, Duplicate: 4, Delay: 2}, report.Fail, fail.Integrity},
		"delay":      {lab.Sabotage{Delay: 4}, report.Fail, fail.Threshold},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlan(t, small)
			l := embedded(t, p, c.harm)
			rep, err := loadtest.Run(t.Context(), p, loadtest.Options{RunsDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if rep.Verdict != c.verdict || rep.ExitCode != int(c.code) {
				t.Errorf("%s, exit code %d: %s", rep.Verdict, rep.ExitCode, rep.Reason)
			}
			for kind, found := range map[lab.Kind][]report.Example{
				lab.Drop: rep.Examples.Missing, lab.Duplicate: rep.Examples.Duplicate, lab.Corrupt: rep.Examples.Corrupt,
				lab.Delay: rep.Examples.Late, lab.Foreign: rep.Examples.Unexpected,
			} {
				if got, want := ids(found), acts(l, kind); !slices.Equal(got, want) {
					t.Errorf("%s: found %v, done %v", kind, got, want)
				}
			}
		})
	}
}

func ids(examples []report.Example) []string {
	var out []string
	for _, e := range examples {
		out = append(out, e.EventID)
	}
	slices.Sort(out)
	return out
}

func acts(l *lab.Lab, kind lab.Kind) []string {
	var out []string
	for _, a := range l.Sabotaged() {
		if a.Kind == kind {
			out = append(out, a.EventID.String())
		}
	}
	slices.Sort(out)
	return out
}
