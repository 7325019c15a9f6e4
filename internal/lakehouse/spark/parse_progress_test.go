package spark

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// progress is what Spark 4.1.3 sends, shortened.
const progress = `{"id":"8ed99fab-e08b-4c69-829c-c61203c1fb13","runId":"6f12cd5d-b082-4122-bd9e-04e6fbb95dd2",` +
	`"name":"bronze","timestamp":"2026-11-21T04:01:24.120Z","batchId":34,"batchDuration":1402,"numInputRows":4000,` +
	`"inputRowsPerSecond":2000.0,"processedRowsPerSecond":NaN,` +
	`"durationMs":{"addBatch":1200,"commitOffsets":50,"getBatch":0,"latestOffset":12,"queryPlanning":40,` +
	`"triggerExecution":1402,"walCommit":60},` +
	`"eventTime":{"avg":"2026-11-21T04:01:20.000Z","watermark":"2026-11-21T04:00:00.000Z"},` +
	`"stateOperators":[{"operatorName":"dedupe","numRowsTotal":7,"memoryUsedBytes":900,"numRowsDroppedByWatermark":3}],` +
	`"sources":[{"description":"KafkaV2[Subscribe[p20]]","startOffset":{"p20":{"0":10}},"endOffset":{"p20":{"0":4010}},` +
	`"latestOffset":{"p20":{"0":4020}},"numInputRows":4000,"metrics":{"avgOffsetsBehindLatest":"10.0"}},` +
	`{"description":"rate","startOffset":4,"endOffset":"5","latestOffset":null}],` +
	`"sink":{"description":"lab.bronze.payments","numOutputRows":-1},` +
	`"observedMetrics":{"records":{"read":4000,"bad":2,"mean":NaN,"worst":-Infinity,"first":"2026"}}}`

func TestParseProgress(t *testing.T) {
	got, err := ParseProgress([]byte(progress))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 4, 1, 24, 120e6, time.UTC)
	ms := time.Millisecond
	want := &Progress{
		QueryID: "8ed99fab-e08b-4c69-829c-c61203c1fb13", RunID: "6f12cd5d-b082-4122-bd9e-04e6fbb95dd2", Name: "bronze",
		Batch: 34, At: at, Duration: 1402 * ms, InputRows: 4000, OutputRows: -1, Watermark: time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC),
		Phases: map[string]time.Duration{
			"addBatch": 1200 * ms, "commitOffsets": 50 * ms, "getBatch": 0, "latestOffset": 12 * ms, "queryPlanning": 40 * ms, "walCommit": 60 * ms,
		},
		Operators: []Operator{{"dedupe", 7, 900, 3}},
		Sources: []ProgressSource{
			{topics{"p20": {0: 10}}, topics{"p20": {0: 4010}}, topics{"p20": {0: 4020}}}, {},
		},
		Observed: map[string]float64{"records.read": 4000, "records.bad": 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got.Executed() || !cmp.Equal(got.Ends(), topics{"p20": {0: 4010}}) {
		t.Errorf("executed %v, ends %v", got.Executed(), got.Ends())
	}
}

// TestRecordedProgress reads what Spark 4.1.3 sent: a query that drops
// duplicates, and observes numbers that are none.
func TestRecordedProgress(t *testing.T) {
	data, err := os.ReadFile("testdata/progress-4.1.3.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var got []*Progress
	for line := range strings.Lines(string(data)) {
		p, err := ParseProgress([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	p := got[1]
	if p.Batch != 36 || p.InputRows != 100 || p.OutputRows != 100 || p.Duration != 368*time.Millisecond || !p.Executed() ||
		!cmp.Equal(p.Operators, []Operator{{"dedupeWithinWatermark", 1100, 287488, 0}}) || len(p.Ends()) != 0 ||
		!cmp.Equal(p.Observed, map[string]float64{"records.read": 100}) || p.Watermark.UnixMilli() != 1795256981688 {
		t.Errorf("%+v", p)
	}
	if !got[0].Watermark.IsZero() {
		t.Errorf("a watermark of 1970: %v", got[0].Watermark)
	}
}

func TestParseProgressVariants(t *testing.T) {
	const idle = `{"id":"a","runId":"b","name":null,"timestamp":"2026-11-21T04:01:24.120Z","batchId":3,"numInputRows":0,` +
		`"durationMs":{"latestOffset":1,"triggerExecution":2}}`
	p, err := ParseProgress([]byte(idle))
	if err != nil || p.Executed() || p.Name != "" || p.OutputRows != -1 || !p.Watermark.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	for text, want := range map[string]string{
		``:                       "end of JSON",
		`<html>`:                 "invalid character",
		`{}`:                     "no id",
		`[]`:                     "cannot unmarshal",
		`{"id":"a","runId":"b"}`: "timestamp",
		strings.Replace(idle, `"batchId":3`, `"batchId":-3`, 1): "batchId",
	} {
		if _, err := ParseProgress([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

func TestFinite(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":NaN,"b":[-Infinity,Infinity]}`: `{"a":null,"b":[null,null]}`,
		`{"NaN":"\"NaN","Infinity\\":NaN}`:   `{"NaN":"\"NaN","Infinity\\":null}`,
		`{"a":1}`:                            `{"a":1}`,
	} {
		if got := string(Finite([]byte(text))); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// FuzzParseProgress holds that nothing makes the parser panic or return what
// cannot be, and that what is JSON is left as it is.
func FuzzParseProgress(f *testing.F) {
	f.Add([]byte(progress))
	f.Add([]byte(`{"id":"a","runId":"b","timestamp":"2026-11-21T04:01:24Z","batchDuration":1e300,"numInputRows":-5,"sink":{"numOutputRows":"NaN"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if json.Valid(data) && string(Finite(data)) != string(data) {
			t.Error("valid JSON was changed")
		}
		p, err := ParseProgress(data)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
		if p != nil && (p.InputRows < 0 || p.Duration < 0 || p.OutputRows < -1 || p.Batch < 0) {
			t.Errorf("%+v", p)
		}
	})
}
