package loadtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/ui"
)

// fileEvolve is one change of a stream's schema as it is written.
type fileEvolve struct {
	At         fileWhen   `yaml:"at"`
	Add        fileFields `yaml:"add"`
	Remove     []string   `yaml:"remove"`
	Rename     filePairs  `yaml:"rename"`
	Retype     fileFields `yaml:"retype"`
	Compatible *bool      `yaml:"compatible"`
}

// fileWhen is when a schema changes: "6h" after the beginning of the run, or
// the number of a record.
type fileWhen struct {
	event uint64
	after time.Duration
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (w *fileWhen) UnmarshalYAML(n *yaml.Node) error {
	var err error
	if w.event, err = strconv.ParseUint(strings.ReplaceAll(n.Value, "_", ""), 10, 64); err == nil && w.event > 0 {
		return nil
	}
	if w.after, err = ParseDuration(n.Value); err != nil || w.after == 0 || n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: %q is not a time of a change: write 6h, or the number of a record such as 100000",
			n.Line, n.Value)
	}
	return nil
}

// fileFields are fields and their kinds, in the order of the file.
type fileFields []generators.Field

// UnmarshalYAML implements yaml.Unmarshaler.
func (f *fileFields) UnmarshalYAML(n *yaml.Node) error {
	var pairs filePairs
	if err := pairs.UnmarshalYAML(n); err != nil {
		return err
	}
	for i, p := range pairs {
		name, nullable := strings.CutSuffix(p.To, "?")
		kind, ok := kinds()[name]
		if !ok {
			hint := "write string, int, long, bool or timestamp, with a ? where it may be null"
			if near := strict.Nearest(name, []string{"string", "int", "long", "bool", "timestamp"}); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return fmt.Errorf("line %d: field %q has the kind %q: %s", n.Content[2*i+1].Line, p.From, p.To, hint)
		}
		*f = append(*f, generators.Field{
			Name: p.From, Kind: kind, Nullable: nullable, Plain: kind == generators.String,
		})
	}
	return nil
}

// quoteKinds puts words with a question mark into quotes: the rules of YAML let
// none stand at the end of a word within braces.
func quoteKinds(text []byte) []byte {
	return regexp.MustCompile(`(:\s*)([A-Za-z]+\?)(\s*[,}])`).ReplaceAll(text, []byte(`$1"$2"$3`))
}

func kinds() map[string]generators.Kind {
	return map[string]generators.Kind{
		"string": generators.String, "int": generators.Int, "long": generators.Long,
		"bool": generators.Bool, "timestamp": generators.Timestamp,
	}
}

// filePairs are keys and their values, in the order of the file.
type filePairs []delivery.Rename

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *filePairs) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: write {field: word}", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if value.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: write {field: word}", value.Line)
		}
		if slices.ContainsFunc(*p, func(r delivery.Rename) bool { return r.From == key.Value }) {
			return fmt.Errorf("line %d: field %q is there twice", key.Line, key.Value)
		}
		*p = append(*p, delivery.Rename{From: key.Value, To: value.Value})
	}
	return nil
}

// evolve adds the changes of a stream's schema to what happens on the way. What
// is impossible for the schema and the run is found when it is planned.
func (s *StreamSpec) evolve(changes []fileEvolve) error {
	if len(changes) == 0 {
		return nil
	}
	if s.Format != encode.JSON {
		return on(bad("write format: json; in other formats the readers would have to be told of each version",
			"stream %q: a schema that changes, in format %s", s.Name, s.Format), "evolve")
	}
	if s.Faults == nil {
		s.Faults = &delivery.Config{}
	}
	for i, c := range changes {
		if c.At == (fileWhen{}) {
			return on(bad("write at: 6h, or at: 100000", "stream %q: a change that does not say when", s.Name),
				"evolve", strconv.Itoa(i))
		}
		e := delivery.Evolve{
			Event: c.At.event, After: c.At.after, Add: c.Add, Remove: c.Remove, Rename: c.Rename,
			Compatible: c.Compatible == nil || *c.Compatible,
		}
		for _, f := range c.Retype {
			if f.Nullable {
				return on(bad("leave the ? out", "stream %q: field %q cannot become nullable", s.Name, f.Name),
					"evolve", strconv.Itoa(i), "retype")
			}
			e.Retype = append(e.Retype, delivery.Retype{Name: f.Name, Kind: f.Kind})
		}
		s.Faults.Evolve = append(s.Faults.Evolve, e)
	}
	return nil
}

// version is a version of a stream's schema after the first.
type version struct {
	delivery.Version
	encoder encode.Encoder
	outcome delivery.Outcome // in a reader of the first version
}

// evolves makes the versions, once the schema is known.
func (d *delivering) evolves(seed uint64, spec *StreamSpec, schema *generators.Schema) error {
	if d == nil || len(spec.Faults.Evolve) == 0 {
		return nil
	}
	var list []delivery.Version
	for i := range spec.Faults.Evolve { // one by one, so that an error has its place
		var err error
		if list, err = delivery.Versions(generators.Seed(seed), schema, spec.Faults.Evolve[:i+1]); err != nil {
			return on(err, "evolve", strconv.Itoa(i))
		}
	}
	for _, v := range list[1:] {
		out := version{Version: v}
		var err error
		if out.encoder, err = encode.New(spec.Format, v.Schema, encode.Options{SchemaID: spec.SchemaID}); err == nil {
			out.outcome, err = delivery.Expect(spec.Format, &v)
		}
		if err != nil {
			return on(err, "evolve")
		}
		d.versions = append(d.versions, out)
	}
	return nil
}

// readBy settles what the readers make of later versions. That of the embedded
// lab is strict: what is not as its schema says is no row.
func (d *delivering) readBy(embedded bool) {
	if d == nil {
		return
	}
	for i := range d.versions {
		v := &d.versions[i]
		v.outcome, _ = delivery.Expect(encode.JSON, &v.Version) // as planned, without an error
		if embedded && v.strict() {
			v.outcome = delivery.Refused
		}
	}
}

// strict reports whether a strict reader refuses records of the version.
func (v *version) strict() bool {
	for _, f := range v.First.Fields {
		at := v.Schema.Index(f.Name)
		if at < 0 && !f.Nullable {
			return true
		}
	}
	return v.outcome > delivery.Lost
}

// class is what a slot of a stream that evolves counts as: a record of a later
// version to which nothing else happened has a class of its own.
func (d *delivering) class(s delivery.Send) delivery.Class {
	if s.Class == delivery.OnTime && s.Version > 1 {
		return delivery.Evolved
	}
	return s.Class
}

// refused reports whether no reader makes a row of what a slot carries.
func (d *delivering) refused(s delivery.Send) bool {
	return s.Class.Poison() || s.Version > 1 && d.versions[s.Version-2].outcome == delivery.Refused
}

// buries reports whether anything is expected among the dead letters.
func (d *delivering) buries() bool {
	return d.poisoner != nil ||
		slices.ContainsFunc(d.versions, func(v version) bool { return v.outcome == delivery.Refused })
}

// evolvedMaker writes records of later versions, and says what a reader of the
// first one makes of them.
type evolvedMaker struct {
	events []*generators.Event // by version
	read   *generators.Event
}

func newEvolvedMaker(d *delivering, schema *generators.Schema) *evolvedMaker {
	m := &evolvedMaker{read: generators.NewEvent(schema)}
	for _, v := range d.versions {
		m.events = append(m.events, generators.NewEvent(v.Schema))
	}
	return m
}

// append appends a record as its version has it.
func (m *evolvedMaker) append(dst []byte, d *delivering, s delivery.Send, first *generators.Event) []byte {
	v, ev := &d.versions[s.Version-2], m.events[s.Version-2]
	v.Fill(ev, first, s.Truth)
	return v.encoder.Append(dst, ev)
}

// seen is the record that was appended last as a row has it: what is gone is
// null, and what has another kind is what Spark makes of that.
func (m *evolvedMaker) seen(d *delivering, s delivery.Send, first *generators.Event) *generators.Event {
	v, ev := &d.versions[s.Version-2], m.events[s.Version-2]
	m.read.ID = first.ID
	for i, f := range v.First.Fields {
		at := v.Schema.Index(f.Name)
		if at < 0 {
			m.read.Values[i] = generators.Value{Null: true}
			continue
		}
		m.read.Values[i] = first.Values[i]
		switch kind := v.Schema.Fields[at].Kind; {
		case f.Kind == generators.Checksum:
			m.read.Values[i] = ev.Values[at]
		case kind == generators.Long && f.Kind == generators.String:
			m.read.Values[i] = generators.Value{Str: strconv.FormatInt(ev.Values[at].Int, 10)}
		case kind == generators.Long && f.Kind == generators.Timestamp: // a number counts as seconds
			m.read.Values[i] = generators.Value{Int: ev.Values[at].Int * 1_000_000}
		}
	}
	return m.read
}

// Numbered is an encoder of a stream whose schema changes: to it matters which
// record an event is. Append takes each for one of the first version.
type Numbered interface {
	encode.Encoder
	// AppendNumber appends record n of the stream.
	AppendNumber(dst []byte, ev *generators.Event, n uint64) []byte
}

// evolvingEncoder is the encoder of a stream that is made without its faults.
type evolvingEncoder struct {
	encode.Encoder
	plan   *delivering
	makers sync.Pool
}

func newEvolvingEncoder(first encode.Encoder, d *delivering) *evolvingEncoder {
	return &evolvingEncoder{Encoder: first, plan: d, makers: sync.Pool{New: func() any {
		return newEvolvedMaker(d, d.versions[0].First)
	}}}
}

// AppendNumber implements [Numbered].
func (e *evolvingEncoder) AppendNumber(dst []byte, ev *generators.Event, n uint64) []byte {
	s := delivery.Send{Truth: n, Version: e.plan.Version(n, n)}
	if s.Version == 1 {
		return e.Append(dst, ev)
	}
	m := e.makers.Get().(*evolvedMaker)
	defer e.makers.Put(m)
	return m.append(dst, e.plan, s, ev)
}

// words says what is expected of the later versions.
func (d *delivering) words() string {
	var parts []string
	for i := range d.versions {
		v := &d.versions[i]
		from := fmt.Sprintf("record %s", ui.Count(v.Change.Event))
		if v.Change.Event == 0 {
			from = v.Change.After.String()
		}
		what := map[delivery.Outcome]string{
			delivery.Intact: "read as before", delivery.Lost: "read with nulls", delivery.Altered: "read as something else",
			delivery.Refused: "refused",
		}[v.outcome]
		parts = append(parts, fmt.Sprintf("version %d from %s on is %s", v.Number, from, what))
	}
	return strings.Join(parts, ", ")
}

// meetReaders tells the plan by whom its records are read.
func (p *Plan) meetReaders() {
	for i := range p.Streams {
		p.Streams[i].faults.readBy(p.Lab.Embedded)
	}
}

// faultKey is the key of a scenario where errors of what happens on the way are.
func (s *StreamSpec) faultKey() string {
	if f := s.Faults; f != nil && len(f.Evolve) > 0 && f.String() == (delivery.Config{Evolve: f.Evolve}).String() {
		return "evolve"
	}
	return "faults"
}
