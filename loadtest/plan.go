package loadtest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

// Plan is a scenario joined with a lab and an identity: everything that is
// decided before the first record is sent. The same plan with the same start
// makes the same bytes.
type Plan struct {
	Scenario Scenario
	Lab      config.Lab
	RunID    string // names the run and its folder
	Streams  []Stream

	overrides overrides
	bank      *bankOf // nil without
}

// Stream is one stream of a plan.
type Stream struct {
	StreamSpec
	Number   uint16
	Source   Source
	Schedule pacer.Schedule
	KeyField int            // of the record's key in the schema
	Encoder  encode.Encoder // nil of a Follower in a format that encode does not know

	faults *delivering // nil without
}

// Overrides are what a user may change of a scenario on the command line; a
// zero value changes nothing.
type Overrides struct {
	Seed     *uint64
	Rate     float64       // replaces a constant rate, or the mean of a curve
	Duration time.Duration // of a constant rate or a curve
	RunID    string
}

// NewPlan joins a scenario and a lab.
func NewPlan(s Scenario, lab config.Lab, o Overrides) (*Plan, error) {
	p, err := NewSketch(s, o)
	if err != nil {
		return nil, err
	}
	if err := p.paced(); err != nil {
		return nil, err
	}
	if strings.ContainsAny(p.RunID, "/\\ \t\n") || strings.HasPrefix(p.RunID, ".") {
		return nil, bad("use letters, digits and dashes", "run id %q cannot name a folder", p.RunID)
	}
	p.Lab = lab
	if err := needs(p.Scenario, lab); err != nil {
		return nil, err
	}
	return p, nil
}

// NewSketch is a plan without a lab: what would be made, not where it goes.
func NewSketch(s Scenario, o Overrides) (*Plan, error) {
	s, err := s.override(o)
	if err != nil {
		return nil, err
	}
	p := &Plan{Scenario: s, RunID: o.RunID, overrides: overrides{o.Rate, o.Duration.Seconds()}}
	var shares float64
	for i := range s.Streams {
		if follows(&s.Streams[i]) {
			s.Streams[i].Share = 0
		}
		shares += s.Streams[i].Share
	}
	for i, spec := range s.Streams {
		share := 1.0
		if spec.Share > 0 {
			share = spec.Share / shares
		}
		st, err := p.newStream(uint16(i), spec, share)
		if err != nil {
			err = s.places.locate(on(err, "streams", spec.Name))
			return nil, fail.Wrap(fmt.Errorf("planning stream %q: %w", spec.Name, err), fail.Usage, "")
		}
		p.Streams = append(p.Streams, st)
	}
	if p.bank != nil && len(p.bank.clocks) == 0 {
		return nil, bad("add the stream that it follows from: payments: {source: bank.payments}",
			"planning stream %q: it follows from others, and there are none", p.Streams[0].Name)
	}
	return p, p.possible()
}

// needs checks that the lab names the systems that the scenario uses.
func needs(s Scenario, lab config.Lab) error {
	if len(lab.Kafka.Brokers) == 0 {
		return bad("set kafka.brokers in lakeproof.yaml, or write one with `lakeproof config init`",
			"planning scenario %q: the lab has no Kafka", s.Name)
	}
	for _, spec := range s.Streams {
		if spec.Table != "" && lab.Catalog.URI == "" {
			return bad("set catalog.uri in lakeproof.yaml, or leave the table out of the stream to end at the topic",
				"planning scenario %q: stream %q lands in table %s, and the lab has no catalog", s.Name, spec.Name, spec.Table)
		}
	}
	return nil
}

func (p *Plan) newStream(number uint16, spec StreamSpec, share float64) (Stream, error) {
	schedule, err := p.Scenario.Schedule.Scaled(share, arrivals(p.Scenario.Seed).Entity(uint64(number)+1))
	if err != nil {
		return Stream{}, err
	}
	faults, err := deliver(p.Scenario.Seed, number, &spec, schedule)
	if err != nil {
		return Stream{}, on(err, spec.faultKey())
	}
	source, err := p.openSource(spec.Source, schedule, faults)
	if err != nil {
		return Stream{}, on(err, "source")
	}
	schema := source.Schema()
	if err := faults.spoils(&spec, schema); err != nil {
		return Stream{}, on(err, "faults")
	}
	if err := faults.evolves(p.Scenario.Seed, &spec, schema); err != nil {
		return Stream{}, err
	}
	if spec.Key == "" {
		spec.Key = schema.Fields[0].Name
	}
	st := Stream{StreamSpec: spec, Number: number, Source: source, Schedule: schedule, KeyField: -1, faults: faults}
	for i, f := range schema.Fields {
		if f.Name == spec.Key && (f.Kind == generators.String || f.Kind == generators.UUID) && !f.Nullable {
			st.KeyField = i
		}
	}
	if st.KeyField < 0 {
		return Stream{}, on(bad("key is a text field of the stream that is never null, such as "+schema.Fields[0].Name,
			"key %q", spec.Key), "key")
	}
	return st, on(st.openEncoder(), "format")
}

// openEncoder finds the encoder. Formats that take more than one record of what
// follows are the caller's.
func (s *Stream) openEncoder() (err error) {
	if _, ok := s.Source.(Follower); ok && !slices.Contains(encode.Formats(), s.Format) {
		return nil
	}
	s.Encoder, err = encode.New(s.Format, s.Source.Schema(), encode.Options{SchemaID: s.SchemaID})
	if s.faults != nil && len(s.faults.versions) > 0 {
		s.Encoder = newEvolvingEncoder(s.Encoder, s.faults)
	}
	return err
}

func (s Scenario) override(o Overrides) (Scenario, error) {
	if o.Seed != nil {
		s.Seed = *o.Seed
	}
	if o.Rate == 0 && o.Duration == 0 {
		return s, nil
	}
	schedule, ok, err := s.Schedule.With(o.Rate, o.Duration)
	if !ok {
		return s, bad("change the scenario file instead", "--rate and --duration need a scenario of one rate, or a curve")
	}
	if err != nil {
		return s, fail.Wrap(err, fail.Usage, "rate and duration must be positive")
	}
	s.Schedule = schedule
	if duration := s.Schedule.Duration(); s.Warmup >= duration {
		s.Warmup = duration / 5
	}
	return s, nil
}

// NewRunID names a run after its start: it sorts by time and is hardly ever
// given twice.
func NewRunID(scenario string, start time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", scenario, start.UnixNano()))
	return fmt.Sprintf("%s-%s-%x", start.UTC().Format("20060102-150405"), scenario, sum[:2])
}

// RunNumber is the 48-bit number of a run inside its records' identities.
func RunNumber(runID string) uint64 {
	sum := sha256.Sum256([]byte(runID))
	return binary.BigEndian.Uint64(sum[:8]) >> 16
}

// Count is how many records all streams together intend.
func (p *Plan) Count() uint64 {
	var n uint64
	for _, s := range p.Streams {
		n += s.Schedule.Count()
	}
	return n
}

// Words says the plan in a few sentences, for the report.
func (p *Plan) Words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, seed %d.", p.Scenario.Schedule, p.Scenario.Seed)
	for _, s := range p.Streams {
		fmt.Fprintf(&b, " Stream %s: %d records of %s as %s to topic %s, keyed by %s",
			s.Name, s.Schedule.Count(), s.Source.Name(), s.Format, s.Topic, s.Key)
		if s.Table != "" {
			fmt.Fprintf(&b, ", followed to table %s", s.Table)
		}
		b.WriteString(".")
	}
	return b.String()
}
