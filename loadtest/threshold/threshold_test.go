package threshold

import (
	"math"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Threshold{
		"records.missing == 0":           {Metric: "records.missing", Op: "==", Unit: Records},
		"freshness.p99<15s":              {Metric: "freshness.p99", Op: "<", Limit: 15, Unit: Seconds},
		"ack.p99 <= 250ms during step-2": {Metric: "ack.p99", Op: "<=", Limit: 0.25, Unit: Seconds, Phase: "step-2"},
		"rate.achieved >= 99%":           {Metric: "rate.achieved", Op: ">=", Limit: 99, Unit: Percent},
		"rate.achieved > 4950/s":         {Metric: "rate.achieved", Op: ">", Limit: 4950, Unit: Rate},
		"ack.scheduler.p999 != 1ms":      {Metric: "ack.scheduler.p999", Op: "!=", Limit: 0.001, Unit: Seconds},
		"  records.seen >= 1_000_000  ":  {Metric: "records.seen", Op: ">=", Limit: 1e6, Unit: Records},
	} {
		got, err := Parse(text)
		want.Expression = strings.TrimSpace(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, hint := range map[string]string{
		"":                        "for example",
		"records.missing":         "for example",
		"records.mising == 0":     `did you mean "records.missing"?`,
		"weather.today == 0":      "known metrics are",
		"freshness.p99 < 15":      "in seconds",
		"freshness.p99 < -15s":    "in seconds",
		"records.missing == none": "in records",
		"records.missing == -1":   "in records",
		"rate.achieved >= NaN%":   "99% or 4950/s",
		"ack.p99 < 1s during":     "for example",
		"ack.p99 < 1s; rm -rf":    "for example",
	} {
		_, err := Parse(text)
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), hint) {
			t.Errorf("Parse(%q): %v, hint %q; want a hint with %q", text, err, fail.HintOf(err), hint)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		text  string
		value float64
		pass  bool
	}{
		{"records.missing == 0", 0, true},
		{"records.missing == 0", 1, false},
		{"records.missing != 0", 1, true},
		{"records.missing != 0", 0, false},
		{"ack.p99 < 1s", 0.999, true},
		{"ack.p99 < 1s", 1, false},
		{"ack.p99 <= 1s", 1, true},
		{"ack.p99 <= 1s", 1.001, false},
		{"rate.achieved > 99%", 99.1, true},
		{"rate.achieved > 99%", 99, false},
		{"rate.achieved >= 99%", 99, true},
		{"rate.achieved >= 99%", 98.9, false},
	} {
		th, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if r := th.Judge(c.value, true); r.OK != c.pass || r.NoData {
			t.Errorf("%s with %v: ok %v", c.text, c.value, r.OK)
		}
		// No samples is never a pass, whatever the expression.
		for _, r := range []Result{th.Judge(0, false), th.Judge(math.NaN(), true)} {
			if r.OK || !r.NoData {
				t.Errorf("%s without samples: %+v", c.text, r)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("freshness.p99 < 15s during steady")
	f.Add("rate.achieved >= 99%")
	f.Fuzz(func(t *testing.T, text string) {
		th, err := Parse(text)
		if err == nil && (th.Metric == "" || math.IsNaN(th.Limit)) {
			t.Errorf("Parse(%q) = %+v", text, th)
		}
	})
}
