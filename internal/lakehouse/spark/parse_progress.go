package spark

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Progress is a StreamingQueryProgress, as far as it is of use: what Spark says
// of one batch when it is over.
type Progress struct {
	QueryID, RunID string
	Name           string // "" for a query without one
	Batch          int64
	At             time.Time // when the batch began
	Duration       time.Duration
	Phases         map[string]time.Duration // of durationMs, without the sum triggerExecution
	InputRows      int64
	OutputRows     int64     // -1 where the sink does not count
	Watermark      time.Time // zero without one
	Operators      []Operator
	Sources        []ProgressSource
	Observed       map[string]float64 // by "name.column"
}

// Operator is one operator with state.
type Operator struct {
	Name        string
	Rows, Bytes int64
	Late        int64 // rows dropped in this batch
}

// ProgressSource is one source of the batch; what is not Kafka's is nil.
type ProgressSource struct{ Start, End, Latest map[string]map[int32]int64 }

// Executed reports whether there was a batch: before Spark 3.5 a query that
// waits reports progress of the batch to come, again and again.
func (p *Progress) Executed() bool {
	_, ok := p.Phases["addBatch"]
	return ok
}

// Ends returns the offsets after the batch's last record, by topic and
// partition, of all Kafka sources; see [Offsets.Ends].
func (p *Progress) Ends() map[string]map[int32]int64 {
	ends := map[string]map[int32]int64{}
	for _, s := range p.Sources {
		Merge(ends, s.End)
	}
	return ends
}

// number is a JSON number that may also be null, a text, or not finite: all of
// these are 0.
type number float64

func (n *number) UnmarshalJSON(data []byte) error {
	*n = 0
	f, err := strconv.ParseFloat(strings.Trim(string(data), `"`), 64)
	if err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
		*n = number(f)
	}
	return nil
}

// int64 keeps within what a float counts exactly.
func (n number) int64() int64 {
	const exact = 1 << 53
	return int64(max(-exact, min(exact, float64(n))))
}

func (n number) milliseconds() time.Duration {
	const longest = 10 * 365 * 24 * time.Hour
	return time.Duration(max(0, min(float64(n), float64(longest.Milliseconds())))) * time.Millisecond
}

type jsonProgress struct {
	ID         string            `json:"id"`
	RunID      string            `json:"runId"`
	Name       string            `json:"name"`
	Timestamp  string            `json:"timestamp"`
	BatchID    int64             `json:"batchId"`
	Duration   number            `json:"batchDuration"`
	InputRows  number            `json:"numInputRows"`
	DurationMs map[string]number `json:"durationMs"`
	EventTime  map[string]string `json:"eventTime"`
	Operators  []struct {
		Name  string `json:"operatorName"`
		Rows  number `json:"numRowsTotal"`
		Bytes number `json:"memoryUsedBytes"`
		Late  number `json:"numRowsDroppedByWatermark"`
	} `json:"stateOperators"`
	Sources []struct {
		Start  json.RawMessage `json:"startOffset"`
		End    json.RawMessage `json:"endOffset"`
		Latest json.RawMessage `json:"latestOffset"`
	} `json:"sources"`
	Sink struct {
		Rows *number `json:"numOutputRows"`
	} `json:"sink"`
	Observed map[string]map[string]json.RawMessage `json:"observedMetrics"`
}

// ParseProgress reads the JSON of a StreamingQueryProgress. Numbers that are
// not finite count as 0, observed ones are left out.
func ParseProgress(data []byte) (*Progress, error) {
	var j jsonProgress
	if err := json.Unmarshal(Finite(data), &j); err != nil {
		return nil, fmt.Errorf("the query's progress: %w", err)
	}
	at, err := time.Parse(time.RFC3339, j.Timestamp)
	switch {
	case j.ID == "" || j.RunID == "":
		return nil, errors.New("the query's progress: no id or no runId")
	case err != nil:
		return nil, fmt.Errorf("the query's progress: timestamp %.40q", j.Timestamp)
	case j.BatchID < 0:
		return nil, fmt.Errorf("the query's progress: batchId %d", j.BatchID)
	}
	p := &Progress{
		QueryID: j.ID, RunID: j.RunID, Name: j.Name, Batch: j.BatchID, At: at,
		InputRows: max(0, j.InputRows.int64()), OutputRows: -1, Observed: observed(j.Observed),
	}
	p.Phases, p.Duration = j.phases()
	if j.Sink.Rows != nil {
		p.OutputRows = max(-1, j.Sink.Rows.int64())
	}
	if mark, err := time.Parse(time.RFC3339, j.EventTime["watermark"]); err == nil && mark.UnixMilli() > 0 {
		p.Watermark = mark
	}
	for _, o := range j.Operators {
		rows, bytes, late := max(0, o.Rows.int64()), max(0, o.Bytes.int64()), max(0, o.Late.int64())
		p.Operators = append(p.Operators, Operator{o.Name, rows, bytes, late})
	}
	for _, s := range j.Sources {
		p.Sources = append(p.Sources, ProgressSource{quotedOffset(s.Start), quotedOffset(s.End), quotedOffset(s.Latest)})
	}
	return p, nil
}

// phases returns the phases of the batch and its duration.
func (j *jsonProgress) phases() (map[string]time.Duration, time.Duration) {
	phases := make(map[string]time.Duration, len(j.DurationMs))
	whole := j.Duration.milliseconds()
	for name, ms := range j.DurationMs {
		if name == "triggerExecution" {
			whole = max(whole, ms.milliseconds())
			continue
		}
		phases[name] = ms.milliseconds()
	}
	return phases, whole
}

// quotedOffset reads Kafka's offset as an object or as a text that holds one.
func quotedOffset(data json.RawMessage) map[string]map[int32]int64 {
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = json.RawMessage(text)
	}
	return kafkaOffset(data)
}

func observed(metrics map[string]map[string]json.RawMessage) map[string]float64 {
	out := map[string]float64{}
	for name, columns := range metrics {
		for column, value := range columns {
			if f, err := strconv.ParseFloat(string(value), 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
				out[name+"."+column] = f
			}
		}
	}
	return out
}

// Finite returns JSON with null in place of NaN, Infinity and -Infinity, which
// JSON does not know and Spark and Python write.
func Finite(data []byte) []byte {
	if !bytes.Contains(data, []byte("NaN")) && !bytes.Contains(data, []byte("Infinity")) {
		return data
	}
	out := make([]byte, 0, len(data))
	quoted := false
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case quoted && c == '\\' && i+1 < len(data):
			out = append(out, c)
			i++
			c = data[i]
		case c == '"':
			quoted = !quoted
		case !quoted:
			if n := notFinite(data[i:]); n > 0 {
				out = append(out, "null"...)
				i += n - 1
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

func notFinite(data []byte) int {
	words := []string{"NaN", "Infinity", "-Infinity"}
	i := slices.IndexFunc(words, func(w string) bool { return bytes.HasPrefix(data, []byte(w)) })
	if i < 0 {
		return 0
	}
	return len(words[i])
}
