package loadtest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

// WorldSpec is the bank of a scenario: its streams are those whose source begins
// with "bank.".
type WorldSpec struct {
	Customers int            // default 10,000
	Merchants int            // default a tenth of the customers
	Start     time.Time      // when it opens; zero: when the run begins
	Speed     calendar.Speed // how fast its time runs; default live
	Crimes    fraud.Rates    // nil: none
	Flows     []flow.File    // of the user, beside the shipped ones or in their place
	Trouble   int            // how many of a million merchants are in trouble
}

// fileWorld is the same as it is written.
type fileWorld struct {
	Customers int       `yaml:"customers"`
	Merchants int       `yaml:"merchants"`
	Start     time.Time `yaml:"start"`
	Speed     string    `yaml:"speed"`
	Flows     fileNames `yaml:"flows"`
	Fraud     struct {
		Preset string           `yaml:"preset"`
		Shares map[string]share `yaml:"shares"`
	} `yaml:"fraud"`
}

func (f *fileWorld) validate(find finder) (w WorldSpec, err error) {
	w = WorldSpec{Customers: f.Customers, Merchants: f.Merchants, Start: f.Start, Speed: calendar.Live}
	if w.Customers == 0 {
		w.Customers = 10_000
	}
	if w.Merchants == 0 {
		w.Merchants = w.Customers / 10
	}
	if err := f.size(&w); err != nil {
		return w, err
	}
	if f.Speed != "" {
		if w.Speed, err = calendar.ParseSpeed(f.Speed); err != nil {
			return w, on(err, "speed")
		}
		if w.Speed == calendar.Max {
			return w, on(bad("write x720 for a day in two minutes",
				"speed: a run has a rate, so its world cannot run at its own"), "speed")
		}
	}
	if w.Flows, err = f.Flows.read(find); err != nil {
		return w, on(err, "flows")
	}
	if f.Fraud.Preset == presetTrouble {
		w.Trouble = presetTroubled
	}
	w.Crimes, err = f.crimes()
	return w, on(err, "fraud")
}

// size checks how large the world is.
func (f *fileWorld) size(w *WorldSpec) error {
	switch {
	case w.Customers < minCustomers || w.Customers > bank.MaxEntities:
		return on(bad(fmt.Sprintf("a world has %d to %d customers", minCustomers, bank.MaxEntities),
			"world: %d customers", w.Customers), "customers")
	case w.Merchants < 1 || w.Merchants > bank.MaxEntities:
		return on(bad(fmt.Sprintf("a world has 1 to %d merchants", bank.MaxEntities),
			"world: %d merchants", w.Merchants), "merchants")
	default:
		return nil
	}
}

// The preset in which the harm is the merchants', and to how many of a million.
const (
	presetTrouble  = "merchant-in-trouble"
	presetTroubled = 20_000
)

const minCustomers = 200 // as the bank wants

// crimes are the rates of crime.
func (f *fileWorld) crimes() (fraud.Rates, error) {
	switch {
	case f.Fraud.Preset != "" && f.Fraud.Shares != nil:
		return nil, bad("leave one of them away", "fraud: a preset and shares at once")
	case f.Fraud.Preset != "":
		rates, err := fraud.Preset(f.Fraud.Preset)
		return rates, on(err, "preset")
	case f.Fraud.Shares != nil:
		ppm := map[string]float64{}
		for name, s := range f.Fraud.Shares {
			if _, err := fraud.ByName(name); err != nil {
				return nil, on(err, "shares", name)
			}
			ppm[name] = float64(s) * 1e6
		}
		rates, err := fraud.NewRates(ppm)
		return rates, on(err, "shares")
	default:
		return nil, nil
	}
}

// bankPrefix marks the sources that are streams of the bank.
const bankPrefix = "bank."

// bankOf is the bank of a plan: it opens when a run begins, and again when the
// run is verified.
type bankOf struct {
	config bank.Config
	speed  calendar.Speed
	start  time.Time
	clocks map[flow.Stream]func() timeline
	zones  func() *calendar.Zones

	mu   sync.Mutex
	open map[int64]*bank.Bank // by the time when the run began
}

// Source is where the records of a stream come from: a stream that begins with
// the run.
type Source interface {
	Name() string
	Schema() *generators.Schema
	// Begin returns the stream for a run that begins at a time. The same time
	// gives the same stream again.
	Begin(start time.Time) (generators.Stream, error)
}

// stateless is a source that every run finds the same.
type stateless struct{ generators.Stream }

// Begin implements [Source].
func (s stateless) Begin(time.Time) (generators.Stream, error) { return s.Stream, nil }

// bankSource is a stream of a bank that opens with the run.
type bankSource struct {
	of     *bankOf
	name   string
	schema *generators.Schema
}

// Name implements [Source].
func (s *bankSource) Name() string { return bankPrefix + s.name }

// Schema implements [Source].
func (s *bankSource) Schema() *generators.Schema { return s.schema }

// Begin implements [Source]: it opens the bank.
func (s *bankSource) Begin(start time.Time) (generators.Stream, error) {
	b, err := s.of.at(start)
	if err != nil {
		return nil, err
	}
	return b.Stream(s.name)
}

func (o *bankOf) at(start time.Time) (*bank.Bank, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.open[start.UnixMicro()]; b != nil {
		return b, nil
	}
	b, err := bank.New(o.opens(start))
	if err != nil {
		return nil, err
	}
	o.open[start.UnixMicro()] = b
	return b, nil
}

// opens is what the bank is made of when a run begins. Nothing that changes is
// shared with another bank.
func (o *bankOf) opens(start time.Time) bank.Config {
	c := o.config
	opens := o.start
	if opens.IsZero() {
		opens = start
	}
	c.Start, c.Clocks, c.Zones = opens.UnixMicro(), map[flow.Stream]bank.Clock{}, o.zones()
	for stream, begin := range o.clocks {
		c.Clocks[stream] = paced{calendar.Clock{Speed: o.speed, Event: c.Start}, begin()}
	}
	if c.Clocks[flow.Payments] == nil { // money moves, whether or not somebody is told
		for stream := flow.Payments; c.Clocks[flow.Payments] == nil; stream++ {
			c.Clocks[flow.Payments] = c.Clocks[stream]
		}
	}
	return c
}

// timeline says when the records of a stream happen.
type timeline interface {
	At(n uint64) time.Duration
}

// paced is the clock of a stream that a schedule paces.
type paced struct {
	clock    calendar.Clock
	schedule timeline
}

// At implements [bank.Clock].
func (p paced) At(n uint64) int64 { return p.clock.EventAt(p.schedule.At(n).Microseconds()) }

// openBank makes the bank of a scenario, which opens when a run begins.
func openBank(s Scenario) (*bankOf, error) {
	config, err := s.World.config(s.Seed)
	if err != nil {
		return nil, err
	}
	return &bankOf{
		speed: s.World.Speed, start: s.World.Start, zones: s.Schedule.Zones,
		clocks: map[flow.Stream]func() timeline{}, open: map[int64]*bank.Bank{}, config: config,
	}, nil
}

// stream is a stream of the bank: one that a schedule paces, or one that follows
// from those. Where it has deliberate faults its records happen in the slots in
// which they are drawn.
func (o *bankOf) stream(name string, schedule pacer.Schedule, faults *delivering) (Source, error) {
	schema, err := bank.Schema(name)
	if err != nil {
		return nil, err
	}
	kind, ok := bank.Paced(name)
	if !ok {
		return &followSource{bankSource{of: o, name: name, schema: schema}}, nil
	}
	if _, twice := o.clocks[kind]; twice {
		return nil, fail.New(fail.Usage, "leave one of them out", "two streams are %s%s", bankPrefix, name)
	}
	o.clocks[kind] = func() timeline { return schedule }
	if faults != nil {
		o.clocks[kind] = func() timeline { return newDrawn(faults.Plan) }
	}
	return &bankSource{of: o, name: name, schema: schema}, nil
}

// openSource finds the source of a stream that a schedule paces.
func (p *Plan) openSource(name string, schedule pacer.Schedule, faults *delivering) (Source, error) {
	seed := generators.Seed(p.Scenario.Seed)
	of, ok := strings.CutPrefix(name, bankPrefix)
	if !ok {
		s, err := fintech.ByName(name, seed)
		return stateless{s}, err
	}
	if p.bank == nil {
		var err error
		if p.bank, err = openBank(p.Scenario); err != nil {
			return nil, err
		}
	}
	return p.bank.stream(of, schedule, faults)
}

// lead is how long after its preparation a run begins, so that the hops are
// watching when the first record leaves, and the bank is open.
func (p *Plan) lead() time.Duration {
	if p.bank == nil {
		return leadTime
	}
	return leadTime + time.Duration(p.bank.config.Customers)*openingTime
}

const openingTime = 10 * time.Microsecond // for each customer: many times what it takes
