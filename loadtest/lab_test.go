package loadtest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// TestOneLabManyRuns: runs one after the other on the same topic and table, each
// with a question of its own. Rows of the runs before disturb none of them.
func TestOneLabManyRuns(t *testing.T) {
	base := newPlan(t, small)
	embedded(t, base, lab.Sabotage{})
	for _, c := range []struct {
		name string
		test func(*testing.T, config.Lab)
	}{
		{"IdentityAlone", identityAlone},
		{"Interrupted", interrupted},
		{"ForeignOnTopic", foreignOnTopic},
		{"SharedTopic", sharedTopic},
		{"Sampled", sampled},
		{"NoData", noData},
		{"GeneratorTooSlow", generatorTooSlow},
		{"KilledRun", killedRun},
		{"FullDisk", fullDisk},
		{"BadFolders", badFolders},
		{"BadTables", badTables},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, base.Lab) })
	}
}

// quick is the small scenario with changes, on a lab that runs already.
func quick(t *testing.T, where config.Lab, changes ...string) *loadtest.Plan {
	t.Helper()
	text := strings.NewReplacer("duration: 4s", "duration: 2s", "seed: 7", fmt.Sprintf("seed: %d", time.Now().UnixNano()%1000)).Replace(small)
	text = strings.NewReplacer(changes...).Replace(text)
	s, err := loadtest.Parse("quick.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadtest.NewPlan(s, where, loadtest.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustRun(ctx context.Context, t *testing.T, p *loadtest.Plan) (*report.Report, string) {
	t.Helper()
	runs := t.TempDir()
	rep, err := loadtest.Run(ctx, p, loadtest.Options{RunsDir: runs})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	return rep, filepath.Join(runs, rep.RunID)
}

const wholeTable = "table: bronze.payments}"

func identityAlone(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, "table: bronze.payments, columns: {event_id: event_id}}")
	rep, _ := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Pass || rep.Records.Seen != 10_000 || rep.Latency.Freshness.Count == 0 {
		t.Errorf("%s: %s, %+v", rep.Verdict, rep.Reason, rep.Records)
	}
	if possible := strings.Join(rep.Streams[0].Checks, "; "); !strings.Contains(possible, "not possible: offsets") {
		t.Errorf("checks possible: %s", possible)
	}
}

func interrupted(t *testing.T, where config.Lab) {
	p := quick(t, where, "duration: 2s", "duration: 60s")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	rep, dir := mustRun(ctx, t, p)
	r := rep.Records
	if rep.Verdict != report.Interrupted || rep.ExitCode != int(fail.Interrupted) || !strings.HasPrefix(rep.Reason, "interrupted after") {
		t.Errorf("%s, exit code %d: %s", rep.Verdict, rep.ExitCode, rep.Reason)
	}
	if r.Sent == 0 || r.Sent >= 300_000 || r.Seen != r.Sent || r.Missing != 0 {
		t.Errorf("what was sent was not reconciled: %+v", r)
	}
	if _, err := loadtest.Report(dir); err != nil {
		t.Error(err)
	}
}

// stranger produces n records of somebody else while a run goes on.
func stranger(t *testing.T, where config.Lab, n int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(where.Kafka.Brokers...), kgo.DefaultProduceTopic("payments"))
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	p := quick(t, where)
	for seq := range uint64(n) {
		value := loadtest.Encoded(p, 0, seq)
		if err := client.ProduceSync(t.Context(), &kgo.Record{Value: value}).FirstErr(); err != nil {
			t.Error(err)
		}
	}
}

func withStranger(t *testing.T, where config.Lab, p *loadtest.Plan, n int) *report.Report {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(time.Second) // into the middle of the run
		stranger(t, where, n)
	}()
	rep, _ := mustRun(t.Context(), t, p)
	<-done
	return rep
}

func foreignOnTopic(t *testing.T, where config.Lab) {
	rep := withStranger(t, where, quick(t, where), 7)
	if rep.ExitCode != int(fail.Integrity) || rep.Records.Unexpected != 7 || rep.Records.Missing+rep.Records.Duplicate+rep.Records.Corrupt != 0 {
		t.Errorf("exit code %d: %s", rep.ExitCode, rep.Reason)
	}
}

func sharedTopic(t *testing.T, where config.Lab) {
	rep := withStranger(t, where, quick(t, where, wholeTable, "table: bronze.payments, shared: true}"), 7)
	if rep.Verdict != report.Pass {
		t.Errorf("%s: %s", rep.Verdict, rep.Reason)
	}
}

func sampled(t *testing.T, where config.Lab) {
	p := quick(t, where, "late_after: 5s", "late_after: 5s\nverify: {content_rows: 10, sample_rows: 1000}")
	rep, _ := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Pass || rep.Tiers[2].State != "sampled" || rep.Tiers[2].Rows == 0 || rep.Records.Seen != 10_000 {
		t.Errorf("%s: %s, %+v", rep.Verdict, rep.Reason, rep.Tiers)
	}
}

// noData: a threshold without samples is never a pass.
func noData(t *testing.T, where config.Lab) {
	p := quick(t, where, wholeTable, "}", "records.late == 0, freshness.p99 < 60s", "freshness.p99 < 60s")
	rep, _ := mustRun(t.Context(), t, p)
	if rep.Verdict != report.Inconclusive || rep.ExitCode != int(fail.Inconclusive) || !strings.Contains(rep.Reason, "no samples for freshness.p99") {
		t.Errorf("%s, exit code %d: %s", rep.Verdict, rep.ExitCode, rep.Reason)
	}
}

// generatorTooSlow: where the generator may not be late at all, it is the
// bottleneck, and the run neither passes nor fails.
func generatorTooSlow(t *testing.T, where config.Lab) {
	rep, _ := mustRun(t.Context(), t, quick(t, where, "max_scheduler_delay: 5s", "max_scheduler_delay: 1ns"))
	if rep.Verdict != report.Inconclusive || rep.ExitCode != int(fail.Inconclusive) ||
		!strings.Contains(rep.Reason, "the generator was the bottleneck") || rep.Generator.Late == 0 {
		t.Errorf("%s, exit code %d: %s", rep.Verdict, rep.ExitCode, rep.Reason)
	}
}

// killedRun: the folder of a process that was killed says what is certain.
func killedRun(t *testing.T, where config.Lab) {
	rep, dir := mustRun(t.Context(), t, quick(t, where))
	edit(t, filepath.Join(dir, "run.json"), `"state": "complete"`, `"state": "running"`)
	batches := filepath.Join(dir, "batches.csv")
	whole, err := os.ReadFile(batches)
	if err != nil {
		t.Fatal(err)
	}
	put(t, batches, whole[:len(whole)-3]) // a line that was not finished
	again, err := loadtest.Verify(t.Context(), dir, where, loadtest.Options{})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	if again.Records.Missing != 0 || again.Records.Sent > rep.Records.Sent || again.Records.Sent < rep.Records.Sent*9/10 {
		t.Errorf("verified %+v, run %+v", again.Records, rep.Records)
	}
}

func edit(t *testing.T, name, from, to string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("%s has no %q: %v", name, from, err)
	}
	put(t, name, []byte(strings.Replace(string(text), from, to, 1)))
}

func put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// fullDisk: the run ends early, says why and what to do, and does not hang.
func fullDisk(t *testing.T, where config.Lab) {
	p := quick(t, where, "duration: 2s", "duration: 60s")
	began := time.Now()
	_, err := loadtest.Run(t.Context(), p, loadtest.OnFullDisk(loadtest.Options{RunsDir: t.TempDir()}))
	if fail.CodeOf(err) != fail.Internal || !strings.Contains(fmt.Sprint(err), "no space left on device") ||
		!strings.Contains(fail.HintOf(err), "free some disk space") {
		t.Errorf("%v (exit code %d, hint %q)", err, fail.CodeOf(err), fail.HintOf(err))
	}
	if took := time.Since(began); took > 45*time.Second {
		t.Errorf("it took %v to notice", took)
	}
}

// badFolders: folders that are cut off or of another program are refused.
func badFolders(t *testing.T, where config.Lab) {
	_, dir := mustRun(t.Context(), t, quick(t, where))
	for name, harm := range map[string]func(string){
		"no run.json":       func(d string) { put(t, filepath.Join(d, "run.json"), nil) },
		"cut off run.json":  func(d string) { put(t, filepath.Join(d, "run.json"), []byte(`{"format": "lakepr`)) },
		"another program's": func(d string) { put(t, filepath.Join(d, "run.json"), []byte(`{"format": "k6"}`)) },
		"another version":   func(d string) { edit(t, filepath.Join(d, "run.json"), `"version": 1`, `"version": 9`) },
		"cut off batches": func(d string) {
			put(t, filepath.Join(d, "batches.csv"), []byte("stream,partition,first_offset,count,first_seq,last_seq,sent_us,acked_us\n0,1"))
		},
		"no batches":        func(d string) { _ = os.Remove(filepath.Join(d, "batches.csv")) },
		"another scenario":  func(d string) { edit(t, filepath.Join(d, "scenario.yaml"), "rate: 5000/s", "rate: 5/s") },
		"no scenario":       func(d string) { _ = os.Remove(filepath.Join(d, "scenario.yaml")) },
		"changed sightings": func(d string) { put(t, filepath.Join(d, "sightings.jsonl"), []byte("no json\n{}\n")) },
	} {
		copied := filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		harm(copied)
		_, err := loadtest.Verify(t.Context(), copied, where, loadtest.Options{})
		if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: %v (exit code %d, hint %q)", name, err, fail.CodeOf(err), fail.HintOf(err))
		}
	}
}

// badTables: a table that cannot be verified is refused before anything is sent.
func badTables(t *testing.T, where config.Lab) {
	for name, c := range map[string]struct{ columns, says string }{
		"no event_id":       {"{event_id: payment_id}", `no column "payment_id"`},
		"event_id a number": {"{event_id: amount_minor}", "holds no event_id"},
		"no such content":   {"{event_id: event_id, content: {mcc: code}}", `column "code"`},
		"another type":      {"{event_id: event_id, content: {mcc: amount_minor}}", "cannot be compared"},
		"no such field":     {"{event_id: event_id, content: {colour: mcc}}", `field "colour"`},
		"text offsets":      {"{event_id: event_id, partition: mcc, offset: mcc}", "as numbers"},
	} {
		p := quick(t, where, wholeTable, "table: bronze.payments, columns: "+c.columns+"}")
		_, err := loadtest.Run(t.Context(), p, loadtest.Options{RunsDir: t.TempDir()})
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(fmt.Sprint(err, fail.HintOf(err)), c.says) {
			t.Errorf("%s: %v (exit code %d, hint %q)", name, err, fail.CodeOf(err), fail.HintOf(err))
		}
	}
	p := quick(t, where, "bronze.payments", "bronze.nowhere")
	if _, err := loadtest.Run(t.Context(), p, loadtest.Options{RunsDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "bronze.nowhere") {
		t.Errorf("no such table: %v", err)
	}
	p = quick(t, where, "partitions: 3", "partitions: 9")
	if _, err := loadtest.Run(t.Context(), p, loadtest.Options{RunsDir: t.TempDir()}); fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), "partitions") {
		t.Errorf("too few partitions: %v", err)
	}
	readOnly := filepath.Join(t.TempDir(), "file")
	put(t, readOnly, nil)
	if _, err := loadtest.Run(t.Context(), quick(t, where), loadtest.Options{RunsDir: filepath.Join(readOnly, "runs")}); fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), "--runs-dir") {
		t.Errorf("runs folder that cannot be made: %v", err)
	}
}
