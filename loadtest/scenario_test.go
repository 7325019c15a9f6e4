package loadtest

import (
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestShippedScenariosAreValid(t *testing.T) {
	names := Shipped()
	if len(names) < 5 {
		t.Fatalf("only %v", names)
	}
	for _, name := range names {
		s, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v (%s)", name, err, fail.HintOf(err))
			continue
		}
		if s.Name != name || s.Description == "" || len(s.Thresholds) == 0 {
			t.Errorf("%s: name %q, description %q, %d thresholds", name, s.Name, s.Description, len(s.Thresholds))
		}
		for _, st := range s.Streams {
			want := map[string]int32{"payments": 3, "orders": 6}[st.Name]
			if st.Partitions != want || st.Retention != 7*24*time.Hour {
				t.Errorf("%s: stream %s has %d partitions and keeps %v", name, st.Name, st.Partitions, st.Retention)
			}
		}
	}
}

const plain = `
scenario: test
duration: 10s
rate: 100/s
streams: {payments: {table: bronze.payments}}
`

func TestDefaults(t *testing.T) {
	s, err := Parse("test.yaml", []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	st := s.Streams[0]
	if st.Topic != "payments" || st.Partitions != 3 || st.Format != "json" || st.Columns.Offset != "_offset" {
		t.Errorf("stream %+v", st)
	}
	if s.Schedule.Count() != 1000 || s.Barrier.Deadline != 2*time.Minute || s.Verify.ContentRows != 10_000_000 {
		t.Errorf("scenario %+v", s)
	}
}

func TestBadScenarios(t *testing.T) {
	for name, c := range map[string]struct{ from, to, text, hint string }{
		"unknown key":       {"duration:", "duratoin:", `unknown key "duratoin"`, "duration"},
		"rate 0":            {"100/s", "0/s", "rate 0/s is not positive", "5000/s"},
		"negative rate":     {"100/s", "-5/s", "is negative", ""},
		"no rate":           {"rate: 100/s\n", "", `key "rate" is missing`, "ramp"},
		"not a rate":        {"100/s", "fast", `"fast" is not a rate`, ""},
		"no duration":       {"duration: 10s\n", "", "is not positive", "duration: 30s"},
		"bad duration":      {"10s", "ten", `"ten" is not a duration`, ""},
		"no name":           {"scenario: test", "scenario: ''", `"scenario" is missing`, "name"},
		"no streams":        {"{payments: {table: bronze.payments}}", "{}", "no streams", "add streams"},
		"table without dot": {"bronze.payments", "payments", `table "payments"`, "namespace.table"},
		"half the columns":  {"table: bronze.payments", "table: a.b, columns: {partition: p}", "columns", "neither"},
		"long warm-up":      {"rate:", "warmup: 10s\nrate:", "warmup 10s", "shorter"},
		"compression":       {"rate:", "producer: {compression: rar}\nrate:", `"rar"`, "zstd"},
		"unknown metric":    {"rate:", "thresholds: [freshnes.p99 < 1s]\nrate:", "unknown metric", "freshness.p99"},
		"unknown phase":     {"rate:", "thresholds: [ack.p99 < 1s during peak]\nrate:", `no phase "peak"`, "steady"},
		"window of a count": {"rate:", "thresholds: [records.missing == 0 during steady]\nrate:", "whole run", "only latencies"},
		"ramp and steps":    {"100/s", "{ramp: {from: 1/s, to: 2/s}, steps: [{rate: 1/s, for: 1s}]}", "at once", ""},
		"topic shared":      {"table: bronze.payments}", "table: a.b}, orders: {topic: payments}", "share the topic", "of its own"},
		"absurd count":      {"100/s", "1e15/s", "too many", ""},
	} {
		text := strings.Replace(plain, c.from, c.to, 1)
		if text == plain {
			t.Fatalf("%s: the case changes nothing", name)
		}
		_, err := Parse("test.yaml", []byte(text))
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), c.text) || !strings.Contains(fail.HintOf(err)+err.Error(), c.hint) {
			t.Errorf("%s: %v, hint %q", name, err, fail.HintOf(err))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(plain))
	f.Add([]byte(living))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := Parse("fuzz.yaml", text); err == nil && s.Schedule.Count() == 0 {
			t.Error("a valid scenario without records")
		}
	})
}
