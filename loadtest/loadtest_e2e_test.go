//go:build e2e

package loadtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab/local"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// realLab is the real stack that all tests of this file share, with one streaming
// job for each test.
type realLab struct {
	*local.Stack
	t *testing.T
}

// TestRealStack proves the load test on Apache Kafka, Apache Spark, the Iceberg
// REST catalog and MinIO.
func TestRealStack(t *testing.T) {
	installed := os.Getenv("LAKEPROOF_LAB_DIR")
	if installed == "" {
		installed = filepath.Join("..", ".lab")
	}
	s, err := local.New(local.Options{
		Dir: t.TempDir(), Install: installed, FreePorts: true,
		Components: []string{local.Kafka, local.Store, local.Catalog, local.Registry},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Errorf("bringing the stack down: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	if err := s.Install(ctx); err != nil { // Spark too: the jobs start it later
		t.Fatal(err)
	}
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		test func(*realLab)
	}{
		{"Million", (*realLab).million},
		{"DriverKilled", (*realLab).driverKilled},
		{"CheckpointWiped", (*realLab).checkpointWiped},
		{"RecordsFilteredOut", (*realLab).filtered},
		{"AmountsAltered", (*realLab).altered},
		{"ForeignProducer", (*realLab).foreignProducer},
		{"Outages", (*realLab).outages},
		{"NeverThere", (*realLab).neverThere},
		{"SecureBroker", (*realLab).secureBroker},
		{"FraudDayWithFaults", (*realLab).fraudDay},
		{"LateData", (*realLab).lateData},
		{"FrameSkipped", (*realLab).frameSkipped},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(&realLab{s, t}) })
	}
}

// job is a streaming job with topic and table of its own.
type job struct {
	*local.Driver
	topic, table string
}

// start starts a job and stops it at the end of the test.
func (l *realLab) start(name string, o local.SparkOptions) job {
	l.t.Helper()
	j := job{topic: name, table: "bronze." + name}
	o.App, o.Topic, o.Table = name, j.topic, j.table
	ctx, cancel := context.WithTimeout(l.t.Context(), 4*time.Minute)
	defer cancel()
	d, err := l.StartSpark(ctx, o)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if err := d.Stop(context.Background()); err != nil {
			l.t.Errorf("stopping the job: %v", err)
		}
		if l.t.Failed() {
			raw, _ := os.ReadFile(d.Log())
			l.t.Logf("%s\n%s", d.Log(), raw[max(0, len(raw)-3000):])
		}
	})
	j.Driver = d
	return j
}

// plan makes the plan of a constant rate to a job's topic and table.
func (l *realLab) plan(j job, rate int, d time.Duration, thresholds ...string) *loadtest.Plan {
	l.t.Helper()
	text := fmt.Sprintf(`
scenario: e2e
seed: %d
duration: %v
rate: %d/s
warmup: 2s
late_after: 5m
barrier: {deadline: 3m, grace: 10s}
producer: {max_scheduler_delay: 2s}
streams:
  payments: {topic: %s, partitions: 3, retention: 7d, key: account_id, table: %s}
thresholds: [%s]
`, rand.Uint64N(1<<32), d, rate, j.topic, j.table, strings.Join(append(thresholds, "records.missing == 0"), ", "))
	s, err := loadtest.Parse("e2e.yaml", []byte(text))
	if err != nil {
		l.t.Fatal(err, fail.HintOf(err))
	}
	where := l.Config()
	where.Spark = []config.Spark{j.Driver.Config()}
	p, err := loadtest.NewPlan(s, where, loadtest.Overrides{})
	if err != nil {
		l.t.Fatal(err, fail.HintOf(err))
	}
	return p
}

// run runs a plan to its end; meanwhile may be nil.
func (l *realLab) run(p *loadtest.Plan, meanwhile func(context.Context)) *report.Report {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Minute)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if meanwhile != nil {
			meanwhile(ctx)
		}
	}()
	rep, err := loadtest.Run(ctx, p, loadtest.Options{RunsDir: filepath.Join(l.t.TempDir(), "runs")})
	<-done
	if err != nil {
		l.t.Fatal(err, fail.HintOf(err))
	}
	l.t.Logf("verdict %s: %s; freshness p99 %v", rep.Verdict, rep.Reason, show(rep.Latency.Freshness.P99))
	return rep
}

func show(v *float64) string {
	if v == nil {
		return "no samples"
	}
	return fmt.Sprintf("%.3f s", *v)
}

// want checks verdict, exit code and the five classes.
func (l *realLab) want(rep *report.Report, verdict string, code fail.Code, missing, duplicate, corrupt, unexpected uint64) {
	l.t.Helper()
	r := rep.Records
	if string(rep.Verdict) != verdict || rep.ExitCode != int(code) {
		l.t.Errorf("verdict %s, exit code %d; want %s, %d: %s", rep.Verdict, rep.ExitCode, verdict, code, rep.Reason)
	}
	if r.Missing != missing || r.Duplicate != duplicate || r.Corrupt != corrupt || r.Unexpected != unexpected {
		l.t.Errorf("missing %d, duplicate %d, corrupt %d, unexpected %d; want %d, %d, %d, %d",
			r.Missing, r.Duplicate, r.Corrupt, r.Unexpected, missing, duplicate, corrupt, unexpected)
	}
	if r.Sent == 0 || r.Acked != r.Sent {
		l.t.Errorf("sent %d, acknowledged %d", r.Sent, r.Acked)
	}
}

func (l *realLab) clean(rep *report.Report) {
	l.t.Helper()
	l.want(rep, "pass", fail.Pass, 0, 0, 0, 0)
	for _, tier := range rep.Tiers {
		if tier.State != "clean" {
			l.t.Errorf("%s is %s: %s", tier.Tier, tier.State, tier.Detail)
		}
	}
	if len(rep.Tiers) != 3 {
		l.t.Errorf("%d tiers", len(rep.Tiers))
	}
}

// count asks Spark SQL, the independent reader, for rows and different ids.
func (l *realLab) count(j job) (rows, ids uint64) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 5*time.Minute)
	defer cancel()
	got, err := l.SQL(ctx, "SELECT count(*), count(DISTINCT event_id) FROM lab."+j.table)
	if err != nil || len(got) != 1 {
		l.t.Fatalf("counting: %v, %v", got, err)
	}
	rows, _ = strconv.ParseUint(got[0][0], 10, 64)
	ids, _ = strconv.ParseUint(got[0][1], 10, 64)
	return rows, ids
}

// A clean run of a million payments, counted by Spark SQL as well.
func (l *realLab) million() {
	j := l.start("million", local.SparkOptions{Trigger: 5 * time.Second})
	rep := l.run(l.plan(j, 20_000, 50*time.Second, "freshness.p99 < 3m", "rate.achieved >= 90%"), nil)
	l.clean(rep)
	if rep.Records.Seen != 1_000_000 {
		l.t.Errorf("seen %d", rep.Records.Seen)
	}
	if rows, ids := l.count(j); rows != 1_000_000 || ids != 1_000_000 {
		l.t.Errorf("Spark SQL counts %d rows, %d ids", rows, ids)
	}
}

// The driver is killed three times at random moments: nothing is lost or
// doubled, and the breach of freshness is in the report at the right time.
func (l *realLab) driverKilled() {
	j := l.start("killed", local.SparkOptions{Trigger: 2 * time.Second})
	var kills []time.Time
	rep := l.run(l.plan(j, 2000, 100*time.Second, "freshness.p999 < 8s"), func(ctx context.Context) {
		for range 3 {
			pause(ctx, 5*time.Second+rand.N(8*time.Second))
			kills = append(kills, time.Now())
			if err := j.Kill(); err != nil {
				l.t.Errorf("killing the driver: %v", err)
			}
			if err := j.Start(ctx); err != nil {
				l.t.Errorf("starting the driver again: %v", err)
			}
		}
	})
	l.want(rep, "fail", fail.Threshold, 0, 0, 0, 0)
	worst, at := worstFreshness(rep)
	if worst < 5 {
		l.t.Errorf("worst freshness %.1f s: the breach is not in the report", worst)
	}
	// The record that waited longest was waiting while the driver was killed.
	seen := at.Add(time.Duration(worst * float64(time.Second)))
	if !slices.ContainsFunc(kills, func(k time.Time) bool { return k.After(at) && k.Before(seen) }) {
		l.t.Errorf("worst freshness from %v to %v, kills at %v", at, seen, kills)
	}
	if rows, ids := l.count(j); rows != rep.Records.Sent || ids != rows {
		l.t.Errorf("Spark SQL counts %d rows, %d ids of %d", rows, ids, rep.Records.Sent)
	}
}

func worstFreshness(rep *report.Report) (worst float64, at time.Time) {
	for i, v := range rep.Series.FreshMax {
		if float64(v) > worst {
			worst = float64(v)
			at = rep.Series.T0.Add(time.Duration(float64(i) * rep.Series.Step * float64(time.Second)))
		}
	}
	return worst, at
}

// The checkpoint is wiped while the job is down: it reads everything again.
func (l *realLab) checkpointWiped() {
	j := l.start("wiped", local.SparkOptions{Trigger: 2 * time.Second})
	const n = 60_000
	rep := l.run(l.plan(j, 2000, 30*time.Second), func(ctx context.Context) {
		pause(ctx, 15*time.Second)
		if err := j.Stop(ctx); err != nil {
			l.t.Error(err)
		}
		if err := j.WipeCheckpoint(ctx); err != nil {
			l.t.Error(err)
		}
		if err := j.Start(ctx); err != nil {
			l.t.Error(err)
		}
	})
	rows, ids := l.count(j)
	if rows <= n || ids != n {
		l.t.Fatalf("Spark SQL counts %d rows, %d ids: the control did no harm", rows, ids)
	}
	l.want(rep, "fail", fail.Integrity, 0, rows-n, 0, 0)
}

// The job leaves out every 5,000th record of a partition.
func (l *realLab) filtered() {
	j := l.start("filtered", local.SparkOptions{Trigger: 2 * time.Second, Fault: "filter:5000"})
	const n = 60_000
	rep := l.run(l.plan(j, 3000, 20*time.Second), nil)
	rows, _ := l.count(j)
	if rows >= n {
		l.t.Fatalf("Spark SQL counts %d rows: the control did no harm", rows)
	}
	l.want(rep, "fail", fail.Integrity, n-rows, 0, 0, 0)
	for _, e := range rep.Examples.Missing {
		if e.Offset == nil || *e.Offset%5000 != 4999 {
			l.t.Errorf("missing example %+v is not one that the job left out", e)
		}
	}
}

// The job adds 1 to the amount of every 5,000th record of a partition.
func (l *realLab) altered() {
	j := l.start("altered", local.SparkOptions{Trigger: 2 * time.Second, Fault: "alter:5000"})
	rep := l.run(l.plan(j, 3000, 20*time.Second), nil)
	ctx, cancel := context.WithTimeout(l.t.Context(), 5*time.Minute)
	defer cancel()
	got, err := l.SQL(ctx, "SELECT count(*) FROM lab."+j.table+" WHERE _offset % 5000 = 4999")
	if err != nil {
		l.t.Fatal(err)
	}
	want, _ := strconv.ParseUint(got[0][0], 10, 64)
	if want == 0 {
		l.t.Fatal("the control did no harm")
	}
	l.want(rep, "fail", fail.Integrity, 0, 0, want, 0)
	for _, e := range rep.Examples.Corrupt {
		if !strings.Contains(e.Detail, "amount_minor") {
			l.t.Errorf("corrupt example %+v", e)
		}
	}
}

// Somebody else produces to the topic in the middle of the run.
func (l *realLab) foreignProducer() {
	j := l.start("foreign", local.SparkOptions{Trigger: 2 * time.Second})
	const strangers = 17
	rep := l.run(l.plan(j, 2000, 20*time.Second), func(ctx context.Context) {
		pause(ctx, 10*time.Second)
		l.intrude(ctx, j.topic, strangers)
	})
	l.want(rep, "fail", fail.Integrity, 0, 0, 0, strangers)
	if len(rep.Examples.Unexpected) != strangers {
		l.t.Errorf("%d examples", len(rep.Examples.Unexpected))
	}
}

// intrude produces records of another run's identity.
func (l *realLab) intrude(ctx context.Context, topic string, n int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(l.Config().Kafka.Brokers...), kgo.DefaultProduceTopic(topic))
	if err != nil {
		l.t.Error(err)
		return
	}
	defer client.Close()
	stream := fintech.NewPayments(99)
	enc, err := encode.New(encode.JSON, stream.Schema(), encode.Options{})
	if err != nil {
		l.t.Error(err)
		return
	}
	key, ev := generators.NewKey(4711), generators.NewEvent(stream.Schema())
	for seq := range uint64(n) {
		ev.ID = key.Seal(0, seq)
		stream.Fill(ev, seq, time.Now().UnixMilli()*1000)
		if err := client.ProduceSync(ctx, &kgo.Record{Value: enc.Append(nil, ev)}).FirstErr(); err != nil {
			l.t.Error(err)
		}
	}
}

// Each system is away for fifteen seconds: the run survives, ends clean and the
// report says when.
func (l *realLab) outages() {
	j := l.start("outages", local.SparkOptions{Trigger: 2 * time.Second})
	type away struct {
		name     string
		from, to time.Time
	}
	var gone []away
	rep := l.run(l.plan(j, 1000, 120*time.Second), func(ctx context.Context) {
		for _, name := range []string{local.Store, local.Catalog, local.Kafka} {
			pause(ctx, 10*time.Second)
			from := time.Now()
			if err := l.Stop(ctx, name); err != nil {
				l.t.Errorf("stopping %s: %v", name, err)
			}
			if name != local.Kafka {
				pause(ctx, 15*time.Second)
			}
			if err := l.Start(ctx, name); err != nil {
				l.t.Errorf("starting %s: %v", name, err)
			}
			gone = append(gone, away{name, from, time.Now()})
		}
	})
	l.want(rep, "pass", fail.Pass, 0, 0, 0, 0)
	shown := func(a away, hop string) bool {
		for _, h := range rep.Hops {
			for _, o := range h.Outages {
				if strings.Contains(h.Name, hop) && o.From.Before(a.to) && o.From.After(a.from.Add(-5*time.Second)) {
					return true
				}
			}
		}
		return false
	}
	for i, hop := range []string{"store", "table", "consume"} {
		if !shown(gone[i], hop) {
			l.t.Errorf("%s was away from %v to %v, which hop %q does not show: %+v",
				gone[i].name, gone[i].from, gone[i].to, hop, rep.Hops)
		}
	}
}

// A system that is not there at all is named within ten seconds.
func (l *realLab) neverThere() {
	j := l.start("absent", local.SparkOptions{Trigger: 2 * time.Second})
	closed := closedPort(l.t)
	for name, change := range map[string]func(*config.Lab){
		"kafka":   func(c *config.Lab) { c.Kafka.Brokers = []string{closed} },
		"catalog": func(c *config.Lab) { c.Catalog.URI = "http://" + closed },
		"storage": func(c *config.Lab) { c.Storage.Endpoint = "http://" + closed },
	} {
		p := l.plan(j, 1000, 10*time.Second)
		change(&p.Lab)
		began := time.Now()
		_, err := loadtest.Run(l.t.Context(), p, loadtest.Options{RunsDir: l.t.TempDir()})
		if took := time.Since(began); fail.CodeOf(err) != fail.Unreachable || took > 10*time.Second {
			l.t.Errorf("%s: %v (exit code %d) after %v", name, err, fail.CodeOf(err), took)
		}
		if !strings.Contains(fmt.Sprint(err), closed) || fail.HintOf(err) == "" {
			l.t.Errorf("%s: %v, hint %q: does not say where", name, err, fail.HintOf(err))
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// The same broker behind TLS and SCRAM; a wrong password and an unknown CA are
// told apart, quickly and without a secret.
func (l *realLab) secureBroker() {
	j := l.start("secure", local.SparkOptions{Trigger: 2 * time.Second})
	p := l.plan(j, 1000, 10*time.Second)
	p.Lab.Kafka = l.SecureKafka()
	l.clean(l.run(p, nil))

	const wrong = "not-the-password"
	for name, c := range map[string]struct {
		change func(*config.Kafka)
		says   string
	}{
		"wrong password": {func(k *config.Kafka) { k.SASL.Password = config.NewSecret(wrong) }, "SASL_AUTHENTICATION_FAILED"},
		"unknown CA":     {func(k *config.Kafka) { k.TLS.CAFile = "" }, "unknown authority"},
	} {
		p := l.plan(j, 1000, 10*time.Second)
		p.Lab.Kafka = l.SecureKafka()
		c.change(&p.Lab.Kafka)
		began := time.Now()
		_, err := loadtest.Run(l.t.Context(), p, loadtest.Options{RunsDir: l.t.TempDir()})
		text := fmt.Sprint(err, fail.HintOf(err))
		if took := time.Since(began); fail.CodeOf(err) != fail.Unreachable || !strings.Contains(text, c.says) || took > 10*time.Second {
			l.t.Errorf("%s: %s (exit code %d) after %v", name, text, fail.CodeOf(err), took)
		}
		if strings.Contains(text, wrong) || strings.Contains(text, l.SecureKafka().SASL.Password.Reveal()) {
			l.t.Errorf("%s: a secret is in %s", name, text)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
