//go:build e2e

package loadtest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab/local"
	"github.com/lakeproof/lakeproof/internal/lakehouse/schemaregistry"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// fraudDay is the shipped scenario with every fault on at once, on the real
// stack: each class is where it belongs, poison in the job's own table of dead
// letters.
func (l *realLab) fraudDay() {
	schema, err := bank.Schema("payments")
	if err != nil {
		l.t.Fatal(err)
	}
	j := l.start("fraud_day", local.SparkOptions{Trigger: 2 * time.Second, Schema: encode.ColumnsJSON(schema)})
	l.asPlanned(j, l.run(l.shipped(j, "fraud-day",
		"topic: bank_payments", "topic: "+j.topic, "table: bronze.bank_payments}", "table: "+j.table+", "+allFaults+"}",
		"rate.achieved >= 95%", "records.unexpected == 0", "freshness.p99 < 60s", "freshness.p99 < 3m"), nil))
}

// lateData is the shipped scenario of Avro behind a registry's frame, after a
// record that would end a JVM that believes it: its text is said to be 2 GiB long.
func (l *realLab) lateData() {
	j, id := l.startAvro("late_data", "")
	client, err := kgo.NewClient(kgo.SeedBrokers(l.Config().Kafka.Brokers...), kgo.DefaultProduceTopic(j.topic))
	if err != nil {
		l.t.Fatal(err)
	}
	defer client.Close()
	huge := binary.AppendVarint(binary.BigEndian.AppendUint32([]byte{0}, id), math.MaxInt32-16)
	if err := client.ProduceSync(l.t.Context(), &kgo.Record{Value: append(huge, 'a')}).FirstErr(); err != nil {
		l.t.Fatal(err)
	}
	l.asPlanned(j, l.run(l.shipped(j, "late-data", lateDataOf(j, id)...), nil))
}

// frameSkipped is a job that reads Avro from the sixth byte on, as many do: it
// makes rows of records with a frame that no reader should take.
func (l *realLab) frameSkipped() {
	j, id := l.startAvro("frame_skipped", "frame:skip")
	rep := l.run(l.shipped(j, "late-data", append(lateDataOf(j, id), "duration: 1m", "duration: 20s",
		"{p: 0.2%}", "{p: 1%, classes: [truncated, wrong_magic]}", "deadline: 4m", "deadline: 40s")...), nil)
	bad := counted(l.t, rep, "wrong_magic")
	l.want(rep, string(report.Fail), fail.Integrity, 0, 0, 0, bad.Faults)
	if bad.Faults == 0 || bad.RowsSeen != bad.Faults || bad.LettersSeen != 0 || rep.Faults[0].Missing != bad.Faults {
		l.t.Errorf("wrong magic: %+v; %d missing among the dead letters", bad, rep.Faults[0].Missing)
	}
	if cut := counted(l.t, rep, "truncated"); !cut.OK || cut.LettersSeen == 0 {
		l.t.Errorf("truncated: %+v", cut)
	}
}

// lateDataOf is what is written otherwise in late-data for a job and its schema.
func lateDataOf(j job, id uint32) []string {
	return []string{
		"topic: payments", "topic: " + j.topic, "table: bronze.payments", "table: " + j.table,
		"schema_id: 1 ", fmt.Sprintf("schema_id: %d ", id),
		"rate.achieved >= 99%", "records.unexpected == 0", "ack.p99 < 250ms", "ack.p99 < 30s", "freshness.p99 < 30s", "freshness.p99 < 3m",
	}
}

// startAvro registers the schema of the payments and starts a job that reads
// them by what the registry has under the id.
func (l *realLab) startAvro(name, fault string) (job, uint32) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	registry, err := schemaregistry.New(l.Config().Registry, schemaregistry.Options{Timeout: 20 * time.Second})
	if err != nil {
		l.t.Fatal(err)
	}
	defer registry.Close()
	var id uint32
	for _, s := range []struct {
		topic  string
		stream generators.Stream
	}{{"orders", fintech.NewOrders(1)}, {name, fintech.NewPayments(1)}} { // so that the id is not the first
		schema := schemaregistry.Schema{Type: schemaregistry.Avro, Text: encode.AvroSchema(s.stream.Schema())}
		if id, err = registry.Register(ctx, s.topic, schema); err != nil {
			l.t.Fatal(err, fail.HintOf(err))
		}
	}
	ordinary, err := sr.NewClient(sr.URLs(l.Config().Registry.URL))
	if err != nil {
		l.t.Fatal(err)
	}
	schema, err := ordinary.SchemaByID(ctx, int(id))
	if err != nil {
		l.t.Fatal(err)
	}
	return l.start(name, local.SparkOptions{
		Trigger: 2 * time.Second, Format: encode.AvroRegistry, AvroSchema: []byte(schema.Schema), SchemaID: id, Fault: fault,
	}), id
}

// shipped makes the plan of a shipped scenario on a job, with some things
// written otherwise; what is asked of a quiet machine must be among them.
func (l *realLab) shipped(j job, name string, otherwise ...string) *loadtest.Plan {
	l.t.Helper()
	shipped, err := loadtest.Load(name)
	if err != nil {
		l.t.Fatal(err, fail.HintOf(err))
	}
	text := shipped.Text
	otherwise = append([]string{"warmup: 10s", "producer: {max_scheduler_delay: 2s}\nbarrier: {deadline: 4m}\nwarmup: 10s"}, otherwise...)
	for i := 0; i < len(otherwise); i += 2 {
		if !strings.Contains(text, otherwise[i]) {
			l.t.Fatalf("%s has no %q", name, otherwise[i])
		}
		text = strings.Replace(text, otherwise[i], otherwise[i+1], 1)
	}
	s, err := loadtest.Parse(name+".yaml", []byte(text))
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

// asPlanned checks that a run passed with every class where it belongs, and asks
// Spark SQL for a second opinion.
func (l *realLab) asPlanned(j job, rep *report.Report) {
	l.t.Helper()
	l.t.Log(rep.Faults[0].Summary)
	l.want(rep, string(report.Pass), fail.Pass, 0, 0, 0, 0)
	if !rep.Faults[0].OK {
		l.t.Errorf("%+v", rep.Faults[0])
	}
	if rows, ids := l.count(j); rows != rep.Records.Seen || ids != rows-counted(l.t, rep, "duplicate").RowsSeen {
		l.t.Errorf("Spark SQL counts %d rows, %d ids; seen %d, twice %d", rows, ids, rep.Records.Seen, counted(l.t, rep, "duplicate").RowsSeen)
	}
}
