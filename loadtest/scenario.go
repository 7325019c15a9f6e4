package loadtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
	"github.com/lakeproof/lakeproof/loadtest/threshold"
	"github.com/lakeproof/lakeproof/scenarios"
)

// Scenario is a validated scenario file: what to send, where it should arrive,
// what is good enough.
type Scenario struct {
	Name        string
	Description string
	Text        string // the file as it was read
	Seed        uint64
	Schedule    pacer.Schedule // of all streams together
	World       WorldSpec
	Warmup      time.Duration
	Streams     []StreamSpec // in the order of their names; the index is the stream's number
	LateAfter   time.Duration
	Barrier     Barrier
	Verify      VerifySpec
	Producer    ProducerSpec
	Thresholds  []threshold.Threshold

	places places // of the file's keys, for errors that are found later
}

// StreamSpec is one stream of a scenario.
type StreamSpec struct {
	Name        string // of the stream in the scenario
	Source      string // of the generator; default: Name
	Topic       string // default: Name
	Partitions  int32  // default 3
	Replication int16  // default -1, the broker's default
	Retention   time.Duration
	Key         string // field; default: the second UUID-free id of the schema, else event_id
	Format      string // json, avro or avro-registry; default json
	SchemaID    uint32 // of the Schema Registry framing
	Share       float64
	Table       string // "" ends the journey at the topic
	Shared      bool   // others write to the topic too: foreign rows are no failure
	Columns     Columns
	Faults      *delivery.Config // deliberate ones and changes of the schema; nil without
	DeadLetters string           // table of what no reader takes; "" where there is none; default: Table with _dead_letter
}

// Columns says under which names the table keeps what the verification needs.
// An empty name means that the table does not keep it.
type Columns struct {
	EventID   string
	Topic     string
	Partition string
	Offset    string
	Content   map[string]string // field to column; nil compares every column named like a field
}

// Barrier is how long to wait for the end of the journey.
type Barrier struct {
	Deadline time.Duration // for a snapshot that covers all; default 2m
	Grace    time.Duration // for records still absent after that; default 10s
}

// VerifySpec bounds the reading of contents (tier T2).
type VerifySpec struct {
	ContentRows uint64 // all rows up to this number are compared; default 10,000,000
	SampleRows  uint64 // above it, about this many; default 1,000,000
}

// ProducerSpec tunes the client.
type ProducerSpec struct {
	Linger            time.Duration // default 5ms
	Compression       string        // none, lz4, snappy or zstd; default snappy
	DeliveryTimeout   time.Duration // default 60s
	MaxSchedulerDelay time.Duration // p99 of the generator's own delay above which the run is inconclusive; default 250ms
	TraceShare        float64       // of records that carry a trace context; default 0.0001 where tracing is on
}

// Load reads a scenario from a file, or, when name is not a path, the shipped
// scenario of that name.
func Load(name string) (Scenario, error) {
	text, err := read(name)
	if err != nil {
		return Scenario{}, err
	}
	s, err := Parse(name, text)
	if err != nil {
		return Scenario{}, fail.Wrap(fmt.Errorf("reading scenario %q: %w", name, err), fail.Usage, "")
	}
	return s, nil
}

// loadFolder reads the scenario of a run's folder, with the copies of the files
// that it names.
func loadFolder(dir string) (Scenario, error) {
	name := filepath.Join(dir, scenarioFileName)
	text, err := os.ReadFile(name)
	if err != nil {
		return Scenario{}, fail.Wrap(err, fail.Usage, "give the folder of a run that lakeproof wrote")
	}
	return parse(name, text, func(i int, _ string) string { return filepath.Join(dir, flowCopy(i)) })
}

func read(name string) ([]byte, error) {
	if !strings.ContainsAny(name, "./\\") {
		text, err := fs.ReadFile(scenarios.Files, name+".yaml")
		if err == nil {
			return text, nil
		}
		return nil, fail.New(fail.Usage,
			"give a file, or one of the shipped scenarios: "+strings.Join(Shipped(), ", "),
			"reading scenario %q: no such shipped scenario", name)
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fail.New(fail.Usage,
			"give a file that exists, or one of the shipped scenarios: "+strings.Join(Shipped(), ", "),
			"reading scenario %q: no such file", name)
	}
	return text, fail.Wrap(err, fail.Usage, "the scenario file must be readable")
}

// Shipped returns the names of the scenarios in the binary.
func Shipped() []string {
	files, err := fs.Glob(scenarios.Files, "*.yaml")
	if err != nil {
		return nil // the pattern is constant and right
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}

// Parse reads the text of a scenario; name is only for messages.
// Names of files in it count from its folder.
func Parse(name string, text []byte) (Scenario, error) {
	return parse(name, text, func(_ int, other string) string {
		if filepath.IsAbs(other) {
			return other
		}
		return filepath.Join(filepath.Dir(name), other)
	})
}

func parse(name string, text []byte, find finder) (Scenario, error) {
	f := file{find: find}
	readable := text
	err := strict.Decode(text, path.Base(name), &f)
	if quoted := quoteKinds(text); err != nil && !bytes.Equal(quoted, text) {
		f, readable = file{find: find}, quoted
		err = strict.Decode(quoted, path.Base(name), &f)
	}
	if err != nil {
		return Scenario{}, err
	}
	s, err := f.validate()
	s.Text, s.places = string(text), newPlaces(name, readable)
	return s, s.places.locate(err)
}

// file is a scenario as it is written.
type file struct {
	Scenario    string                `yaml:"scenario"`
	Description string                `yaml:"description"`
	Seed        uint64                `yaml:"seed"`
	Duration    duration              `yaml:"duration"`
	Rate        rateSpec              `yaml:"rate"`
	World       fileWorld             `yaml:"world"`
	Warmup      duration              `yaml:"warmup"`
	LateAfter   duration              `yaml:"late_after"`
	Streams     map[string]fileStream `yaml:"streams"`
	Barrier     struct {
		Deadline duration `yaml:"deadline"`
		Grace    duration `yaml:"grace"`
	} `yaml:"barrier"`
	Verify struct {
		ContentRows uint64 `yaml:"content_rows"`
		SampleRows  uint64 `yaml:"sample_rows"`
	} `yaml:"verify"`
	Producer struct {
		Linger            *duration `yaml:"linger"`
		Compression       string    `yaml:"compression"`
		DeliveryTimeout   duration  `yaml:"delivery_timeout"`
		MaxSchedulerDelay duration  `yaml:"max_scheduler_delay"`
		TraceShare        *float64  `yaml:"trace_share"`
	} `yaml:"producer"`
	Thresholds []string `yaml:"thresholds"`

	find finder
}

type fileStream struct {
	Source      string   `yaml:"source"`
	Topic       string   `yaml:"topic"`
	Partitions  int32    `yaml:"partitions"`
	Replication int16    `yaml:"replication"`
	Retention   duration `yaml:"retention"`
	Key         string   `yaml:"key"`
	Format      string   `yaml:"format"`
	SchemaID    uint32   `yaml:"schema_id"`
	Share       *float64 `yaml:"share"`
	Table       string   `yaml:"table"`
	Shared      bool     `yaml:"shared"`
	DeadLetters string   `yaml:"dead_letters"`
	Columns     *struct {
		EventID   string            `yaml:"event_id"`
		Topic     string            `yaml:"topic"`
		Partition string            `yaml:"partition"`
		Offset    string            `yaml:"offset"`
		Content   map[string]string `yaml:"content"`
	} `yaml:"columns"`
	Faults *fileFaults  `yaml:"faults"`
	Evolve []fileEvolve `yaml:"evolve"`
}

// validate checks what the types cannot and fills in the defaults.
func (f *file) validate() (Scenario, error) {
	s := Scenario{
		Name: f.Scenario, Description: f.Description, Seed: f.Seed,
		Warmup: time.Duration(f.Warmup), LateAfter: time.Duration(f.LateAfter),
		Barrier: Barrier{or(f.Barrier.Deadline, 2*time.Minute), or(f.Barrier.Grace, 10*time.Second)},
		Verify:  VerifySpec{orCount(f.Verify.ContentRows, 10_000_000), orCount(f.Verify.SampleRows, 1_000_000)},
	}
	if s.Name == "" {
		return s, bad("give the scenario a name: scenario: smoke", "key %q is missing", "scenario")
	}
	var err error
	if s.World, err = f.World.validate(f.find); err != nil {
		return s, on(err, "world")
	}
	if s.Schedule, err = f.schedule(&s.World); err != nil {
		return s, err
	}
	if s.Warmup < 0 || s.Warmup >= s.Schedule.Duration() {
		return s, on(bad("the warm-up is left out of the thresholds: make it shorter than the run",
			"warmup %v is not within the run of %v", s.Warmup, s.Schedule.Duration()), "warmup")
	}
	if s.Streams, err = f.streams(); err != nil {
		return s, err
	}
	if s.Producer, err = f.producer(); err != nil {
		return s, on(err, "producer")
	}
	s.Thresholds, err = f.thresholds(s.Schedule)
	return s, err
}

func (f *file) streams() ([]StreamSpec, error) {
	if len(f.Streams) == 0 {
		return nil, bad("add streams: {payments: {topic: payments, table: bronze.payments}}", "no streams")
	}
	names := make([]string, 0, len(f.Streams))
	for name := range f.Streams {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make([]StreamSpec, 0, len(names))
	tables := map[string]string{}
	for _, name := range names {
		s, err := f.Streams[name].validate(name)
		if err != nil {
			return nil, on(err, "streams", name)
		}
		for _, place := range []string{"topic " + s.Topic, "table " + s.Table} {
			if other, taken := tables[place]; taken && place != "table " {
				return nil, on(bad("give each stream a topic and a table of its own",
					"streams %q and %q share the %s", other, name, place), "streams", name)
			}
			tables[place] = name
		}
		out = append(out, s)
	}
	return out, nil
}

func (f fileStream) validate(name string) (s StreamSpec, err error) {
	s = StreamSpec{
		Name: name, Source: orText(f.Source, name), Topic: orText(f.Topic, name),
		Partitions: f.Partitions, Replication: f.Replication, Retention: time.Duration(f.Retention),
		Key: f.Key, Format: orText(f.Format, "json"), SchemaID: f.SchemaID, Share: 1,
		Table: f.Table, Shared: f.Shared,
		Columns: Columns{EventID: "event_id", Topic: "_topic", Partition: "_partition", Offset: "_offset"},
	}
	if s.Partitions == 0 {
		s.Partitions = 3
	}
	if s.Replication == 0 {
		s.Replication = -1
	}
	if f.Share != nil {
		s.Share = *f.Share
	}
	if c := f.Columns; c != nil {
		s.Columns = Columns{orText(c.EventID, "event_id"), c.Topic, c.Partition, c.Offset, c.Content}
	}
	if err := s.check(); err != nil {
		return s, err
	}
	if s.DeadLetters, err = f.deadLetters(name); err != nil {
		return s, on(err, "dead_letters")
	}
	if s.Faults, err = f.Faults.validate(name, s.Format); err != nil {
		return s, on(err, "faults")
	}
	return s, s.evolve(f.Evolve)
}

// check checks the ranges of a stream's keys.
func (s *StreamSpec) check() error {
	switch name := s.Name; {
	case s.Partitions < 0 || s.Partitions > maxPartitions:
		return on(bad("partitions: 3", "stream %q: %d partitions", name, s.Partitions), "partitions")
	case !(s.Share > 0 && s.Share < 1e6):
		return on(bad("a share is a weight above 0", "stream %q: share %v", name, s.Share), "share")
	case s.Retention < 0:
		return on(bad("retention: 7d", "stream %q: retention %v", name, s.Retention), "retention")
	case s.Table != "" && strings.Count(s.Table, ".") < 1:
		return on(bad("write namespace.table, for example bronze.payments", "stream %q: table %q", name, s.Table), "table")
	case (s.Columns.Partition == "") != (s.Columns.Offset == ""):
		return on(bad("name both columns, partition and offset, or neither", "stream %q: columns", name), "columns")
	}
	return nil
}

const maxPartitions = 100_000

// noDeadLetters is what says that a pipeline keeps none.
const noDeadLetters = "none"

// deadLetters names the table of what no reader takes, as the shipped job does.
func (f *fileStream) deadLetters(stream string) (string, error) {
	switch {
	case f.DeadLetters == noDeadLetters || f.DeadLetters == "" && f.Table == "":
		return "", nil
	case f.DeadLetters == "":
		return f.Table + "_dead_letter", nil
	case f.Table == "" || strings.Count(f.DeadLetters, ".") < 1:
		return "", bad("write namespace.table beside a table, or none", "stream %q: dead_letters %q", stream, f.DeadLetters)
	default:
		return f.DeadLetters, nil
	}
}

func (f *file) producer() (ProducerSpec, error) {
	p := ProducerSpec{
		Linger: 5 * time.Millisecond, Compression: orText(f.Producer.Compression, "snappy"),
		DeliveryTimeout:   or(f.Producer.DeliveryTimeout, time.Minute),
		MaxSchedulerDelay: or(f.Producer.MaxSchedulerDelay, 250*time.Millisecond),
		TraceShare:        0.0001,
	}
	if f.Producer.Linger != nil {
		p.Linger = time.Duration(*f.Producer.Linger)
	}
	if f.Producer.TraceShare != nil {
		p.TraceShare = *f.Producer.TraceShare
	}
	codecs := []string{"none", "lz4", "snappy", "zstd"}
	switch {
	case !slices.Contains(codecs, p.Compression):
		return p, on(bad("compression is one of "+strings.Join(codecs, ", "),
			"producer: compression %q", p.Compression), "compression")
	case p.Linger < 0 || p.Linger > time.Minute:
		return p, on(bad("linger: 5ms", "producer: linger %v", p.Linger), "linger")
	case !(p.TraceShare >= 0 && p.TraceShare <= 1):
		return p, on(bad("trace_share is between 0 and 1", "producer: trace_share %v", p.TraceShare), "trace_share")
	}
	return p, nil
}

func (f *file) thresholds(s pacer.Schedule) ([]threshold.Threshold, error) {
	var phases []string
	for _, p := range s.Phases() {
		phases = append(phases, p.Name)
	}
	out := make([]threshold.Threshold, 0, len(f.Thresholds))
	for i, text := range f.Thresholds {
		t, err := threshold.Parse(text)
		if err == nil {
			err = checkWindow(t, text, phases)
		}
		if err != nil {
			return nil, on(err, "thresholds", strconv.Itoa(i))
		}
		out = append(out, t)
	}
	return out, nil
}

// checkWindow checks the phase for which a threshold holds.
func checkWindow(t threshold.Threshold, text string, phases []string) error {
	switch windowed := strings.HasPrefix(t.Metric, "ack.") || strings.HasPrefix(t.Metric, "freshness.") ||
		strings.HasPrefix(t.Metric, "consume."); {
	case t.Phase == "":
		return nil
	case !slices.Contains(phases, t.Phase):
		return bad("the phases of this scenario are "+strings.Join(phases, ", "), "threshold %q: no phase %q", text, t.Phase)
	case !windowed:
		return bad("only latencies have windows: ack, consume, freshness",
			"threshold %q: %s is of the whole run", text, t.Metric)
	}
	return nil
}

func bad(hint, format string, args ...any) error { return fail.New(fail.Usage, hint, format, args...) }

func or(d duration, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return time.Duration(d)
}

func orText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func orCount(n, def uint64) uint64 {
	if n == 0 {
		return def
	}
	return n
}
