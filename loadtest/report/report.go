// Package report is what a run leaves for people and machines: report.json,
// report.html, junit.xml, summary.md and the text at the end of the command.
//
// A value flows like this: the load test fills one [Report]; [Write] renders it
// four times into the run's folder; [Read] reads report.json back, so that the
// other forms can be made again at any time.
//
// It does not measure or judge.
package report

import (
	"encoding/json"
	"math"
	"time"
)

// SchemaVersion is the version of report.json. It changes when a key is renamed,
// removed or given another meaning; new keys do not change it.
const SchemaVersion = "1"

// Verdict is the outcome of a run.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
	Interrupted  Verdict = "interrupted"
)

// Report is one run. Durations are in seconds; what is not known is null or absent.
type Report struct {
	SchemaVersion string    `json:"schema_version"`
	RunID         string    `json:"run_id"`
	ScenarioName  string    `json:"scenario_name"`
	Verdict       Verdict   `json:"verdict"`
	ExitCode      int       `json:"exit_code"`
	Reason        string    `json:"reason"` // one sentence in figures
	Started       time.Time `json:"started"`
	Ended         time.Time `json:"ended"`
	Duration      float64   `json:"duration_seconds"`

	Records  Records  `json:"records"` // of all streams together
	Examples Examples `json:"examples"`
	Ranges   Ranges   `json:"ranges"`
	Latency  Latency  `json:"latency"`
	Bound    *float64 `json:"freshness_error_bound_seconds"` // how much too high a freshness can be
	Rate     Rate     `json:"rate"`
	Streams  []Stream `json:"streams"`
	Faults   []Faults `json:"faults,omitempty"` // deliberate ones, of the streams that have them

	Thresholds []Threshold `json:"thresholds"`
	Tiers      []Tier      `json:"tiers"`
	Hops       []Hop       `json:"hops"`
	Phases     []Phase     `json:"phases"`
	Series     Series      `json:"series"`

	Generator   Generator   `json:"generator"`
	Environment Environment `json:"environment"`
	Plan        string      `json:"plan"`     // in words
	Scenario    string      `json:"scenario"` // the file as it was run
	Command     string      `json:"command"`  // that repeats the run
	Verify      string      `json:"verify_command"`
}

// Records is the balance.
type Records struct {
	Intended   uint64 `json:"intended"`
	Sent       uint64 `json:"sent"`
	Acked      uint64 `json:"acked"`
	Failed     uint64 `json:"failed"`  // surely not written
	Unknown    uint64 `json:"unknown"` // never answered
	Consumed   uint64 `json:"consumed"`
	Seen       uint64 `json:"seen"` // at the end of the journey
	Missing    uint64 `json:"missing"`
	Duplicate  uint64 `json:"duplicate"`
	Corrupt    uint64 `json:"corrupt"`
	Late       uint64 `json:"late"`
	Unexpected uint64 `json:"unexpected"`
	Letters    uint64 `json:"dead_letters,omitempty"` // spoilt on purpose, and where such records belong
}

// Stream is the balance of one stream.
type Stream struct {
	Name       string   `json:"name"`
	Topic      string   `json:"topic"`
	Partitions int32    `json:"partitions"`
	Table      string   `json:"table,omitempty"`
	Columns    Columns  `json:"columns,omitzero"`
	Records    Records  `json:"records"`
	Checks     []string `json:"checks_possible"`
}

// Columns are the names under which the table keeps a record's identity and
// place; an empty name means that it does not.
type Columns struct {
	EventID   string `json:"event_id"`
	Topic     string `json:"topic,omitempty"`
	Partition string `json:"partition,omitempty"`
	Offset    string `json:"offset,omitempty"`
}

// Faults are the deliberate faults of one stream: what was expected of each
// class and what was seen.
type Faults struct {
	Stream      string       `json:"stream"`
	OK          bool         `json:"ok"`
	Summary     string       `json:"summary"` // one sentence in figures
	Laws        string       `json:"laws"`    // as the fault ledger has them
	Ledger      string       `json:"ledger"`  // file in the run's folder
	Classes     []FaultClass `json:"classes"`
	DeadLetters string       `json:"dead_letter_table,omitempty"`
	Missing     uint64       `json:"missing_letters"`  // acknowledged poison that is not among the dead letters
	Again       uint64       `json:"repeated_letters"` // rows beyond the first of a dead letter
	Alive       uint64       `json:"readable_letters"` // dead letters that every reader should have taken
	Foreign     uint64       `json:"foreign_letters"`  // dead letters at the run's offsets that nobody sent
	Examples    []Example    `json:"examples"`         // of the four
}

// FaultClass is one class of deliberate faults, or the records without one.
type FaultClass struct {
	Class       string `json:"class"`
	OK          bool   `json:"ok"`
	Faults      uint64 `json:"faults"` // records of this class; of dropped, records that were never sent
	Held        uint64 `json:"held"`   // still held when the run ended, and never sent
	Kafka       uint64 `json:"kafka_expected"`
	KafkaSeen   uint64 `json:"kafka_seen"`
	Letters     uint64 `json:"dead_letters_expected"`
	LettersSeen uint64 `json:"dead_letters_seen"`
	Rows        uint64 `json:"rows_expected"`
	RowsSeen    uint64 `json:"rows_seen"`
}

// Examples are up to 100 records of each class.
type Examples struct {
	Missing    []Example `json:"missing"`
	Duplicate  []Example `json:"duplicate"`
	Corrupt    []Example `json:"corrupt"`
	Late       []Example `json:"late"`
	Unexpected []Example `json:"unexpected"`
}

// Example is one record that is not as it should be.
type Example struct {
	EventID   string     `json:"event_id"`
	Stream    string     `json:"stream"`
	Seq       *uint64    `json:"seq"` // null for a row that is no record of the run
	Topic     string     `json:"topic"`
	Partition *int32     `json:"partition"`
	Offset    *int64     `json:"offset"`
	Table     string     `json:"table,omitempty"`
	Snapshot  int64      `json:"snapshot_id,omitempty,string"`
	File      string     `json:"file,omitempty"`
	Intended  *time.Time `json:"intended"`
	Detail    string     `json:"detail"`
}

// Ranges are sequence numbers, both ends included.
type Ranges struct {
	Missing   []Range `json:"missing"`
	Duplicate []Range `json:"duplicate"`
	Corrupt   []Range `json:"corrupt"`
	Late      []Range `json:"late"`
}

// Range is a run of sequence numbers of one stream.
type Range struct {
	Stream string `json:"stream"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
}

// Latency holds the distributions of every hop that has them.
type Latency struct {
	Ack       AckLatency `json:"ack"`
	Consume   Quantiles  `json:"consume"`
	Freshness Quantiles  `json:"freshness"`
}

// AckLatency is measured three ways, side by side.
type AckLatency struct {
	Service   Quantiles `json:"service"`   // handed over to acknowledged
	Corrected Quantiles `json:"corrected"` // intended to acknowledged
	Scheduler Quantiles `json:"scheduler"` // intended to handed over: the generator's own delay
}

// Quantiles of one distribution, null without samples.
type Quantiles struct {
	Count int64        `json:"count"`
	P50   *float64     `json:"p50_seconds"`
	P95   *float64     `json:"p95_seconds"`
	P99   *float64     `json:"p99_seconds"`
	P999  *float64     `json:"p999_seconds"`
	Max   *float64     `json:"max_seconds"`
	Curve [][2]float64 `json:"curve,omitempty"` // percentile (0 to 100), seconds
}

// Rate in records per second.
type Rate struct {
	Intended *float64 `json:"intended"`
	Achieved *float64 `json:"achieved"` // acknowledged
	Table    *float64 `json:"table"`    // landed, from the first intended to the last seen
}

// Threshold is one judged expression. Value and margin are in Unit.
type Threshold struct {
	Expression string   `json:"expression"`
	Value      *float64 `json:"value"`
	Limit      float64  `json:"limit"`
	Margin     *float64 `json:"margin"` // how far inside the limit; negative when missed
	Unit       string   `json:"unit"`
	Window     string   `json:"window"`
	OK         bool     `json:"ok"`
	State      string   `json:"state"` // ok, missed or no_data
}

// Tier is one stage of the reconciliation of one stream.
type Tier struct {
	Tier    string  `json:"tier"` // T0, T1 or T2
	Stream  string  `json:"stream"`
	State   string  `json:"state"` // clean, dirty, sampled or not possible
	Detail  string  `json:"detail"`
	Rows    uint64  `json:"rows_read"`
	Bytes   int64   `json:"bytes_read"`
	Seconds float64 `json:"seconds"`
}

// Hop is what watched one stage of the journey.
type Hop struct {
	Name    string   `json:"name"`
	What    string   `json:"what"`
	Records uint64   `json:"records"`
	State   string   `json:"state"` // up, or down where an outage lasted to the end
	Outages []Outage `json:"outages"`
	Notes   []string `json:"notes"`
}

// Outage is a time in which a system did not answer.
type Outage struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Error string    `json:"error"`
}

// Phase is a named window of the run.
type Phase struct {
	Name string    `json:"name"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Series is the run over time: element i of each column is at T0 + i*Step.
type Series struct {
	T0       time.Time `json:"t0"`
	Step     float64   `json:"step_seconds"`
	Intended []Number  `json:"intended_rate"`
	Acked    []Number  `json:"acked_rate"`
	Landed   []Number  `json:"landed_rate"`
	Lag      []Number  `json:"lag_records"`
	AckP50   []Number  `json:"ack_p50_seconds"`
	AckP99   []Number  `json:"ack_p99_seconds"`
	FreshP50 []Number  `json:"freshness_p50_seconds"` // by intended time
	FreshP99 []Number  `json:"freshness_p99_seconds"`
	FreshMax []Number  `json:"freshness_max_seconds"`
	CPU      []Number  `json:"cpu_cores"` // of this process
	RSS      []Number  `json:"rss_bytes"`

	Batches   []BatchPoint    `json:"batches"`
	Snapshots []SnapshotPoint `json:"snapshots"`
}

// Number is a float64 whose NaN is null in JSON.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// BatchPoint is one Spark batch.
type BatchPoint struct {
	At       float64 `json:"at_seconds"` // when its commit was seen, since T0
	App      string  `json:"app"`
	ID       int64   `json:"id"`
	Records  int64   `json:"records"`
	Duration float64 `json:"duration_seconds"` // offsets seen to commit seen
}

// SnapshotPoint is one snapshot of a table.
type SnapshotPoint struct {
	At      float64 `json:"at_seconds"` // when it was first seen, since T0
	Table   string  `json:"table"`
	ID      int64   `json:"id,string"`
	Records int64   `json:"records"`
	Files   int64   `json:"files"`
}

// Generator is what our own process used.
type Generator struct {
	Late       uint64  `json:"late_records"` // left late through the generator's own fault
	CPU        float64 `json:"cpu_seconds"`
	PeakRSS    int64   `json:"max_rss_bytes"`
	Bottleneck bool    `json:"bottleneck"`
}

// Environment is where the run was made.
type Environment struct {
	Version  string   `json:"lakeproof"`
	Go       string   `json:"go"`
	OS       string   `json:"os"`
	Arch     string   `json:"arch"`
	CPUs     int      `json:"cpus"`
	Memory   int64    `json:"memory_bytes"`
	Host     string   `json:"host_fingerprint"` // a hash: two runs on one machine have the same
	Embedded bool     `json:"embedded"`
	Lab      string   `json:"lab"`
	Systems  []System `json:"systems"`
}

// System is one system that was met.
type System struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// KeepFrom takes over what only the run itself could measure, for a report that
// was made by verifying it again.
func (r *Report) KeepFrom(old *Report) {
	fresh := r.Series
	r.Series = old.Series
	r.Series.FreshP50, r.Series.FreshP99, r.Series.FreshMax = fresh.FreshP50, fresh.FreshP99, fresh.FreshMax
	r.Generator, r.Environment, r.Command = old.Generator, old.Environment, old.Command
	r.Hops, r.Phases = old.Hops, old.Phases
	r.Records.Consumed = old.Records.Consumed
}
