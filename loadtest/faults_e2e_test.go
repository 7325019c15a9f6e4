//go:build e2e

package loadtest_test

import (
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab/local"
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
	shipped, err := loadtest.Load("fraud-day")
	if err != nil {
		l.t.Fatal(err, fail.HintOf(err))
	}
	j := l.start("fraud_day", local.SparkOptions{Trigger: 2 * time.Second, Schema: encode.ColumnsJSON(schema)})
	text := strings.NewReplacer(
		"topic: bank_payments", "topic: "+j.topic, "table: bronze.bank_payments}", "table: "+j.table+", "+allFaults+"}",
		"rate.achieved >= 95%", "records.unexpected == 0",
		"warmup: 10s", "producer: {max_scheduler_delay: 2s}\nbarrier: {deadline: 4m}\nwarmup: 10s", "freshness.p99 < 60s", "freshness.p99 < 3m",
	).Replace(shipped.Text)
	if !strings.Contains(text, allFaults) {
		l.t.Fatal("fraud-day is written otherwise")
	}
	s, err := loadtest.Parse("fraud-day.yaml", []byte(text))
	if err != nil {
		l.t.Fatal(err, fail.HintOf(err))
	}
	where := l.Config()
	where.Spark = []config.Spark{j.Driver.Config()}
	p, err := loadtest.NewPlan(s, where, loadtest.Overrides{})
	if err != nil {
		l.t.Fatal(err, fail.HintOf(err))
	}
	rep := l.run(p, nil)
	l.t.Log(rep.Faults[0].Summary)
	l.want(rep, string(report.Pass), fail.Pass, 0, 0, 0, 0)
	if !rep.Faults[0].OK {
		l.t.Errorf("%+v", rep.Faults[0])
	}
	if rows, ids := l.count(j); rows != rep.Records.Seen || ids != rows-counted(l.t, rep, "duplicate").RowsSeen {
		l.t.Errorf("Spark SQL counts %d rows, %d ids; seen %d, twice %d", rows, ids, rep.Records.Seen, counted(l.t, rep, "duplicate").RowsSeen)
	}
}
