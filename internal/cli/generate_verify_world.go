//go:build !exporter

package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/generators/realism"
	"github.com/lakeproof/lakeproof/generators/realism/streams"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

// How a stream is measured that no scenario describes: over a quarter of a year,
// so that paydays, weekends and disputes are in it.
const (
	verifyDays  = 91
	verifyStart = 1_767_571_200_000_000 // Monday, 5 January 2026
	verifyFraud = "eea-2023"
	dayMicros   = 86_400_000_000
)

// bankStream is the payments of a bank.
type bankStream struct {
	bank  *streams.Bank
	name  string
	count uint64
	rate  func(local int64) float64
}

func (s *bankStream) options() (realism.Options, error) {
	o, err := s.bank.Options(s.count, s.rate)
	o.Source = s.name
	return o, err
}

func (s *bankStream) each(ctx context.Context, use func(*realism.Record)) error {
	return s.bank.Each(ctx, s.count, use)
}

// plainStream is a stream without memory.
type plainStream struct {
	stream *streams.Stateless
	name   string
	count  uint64
}

func (s *plainStream) options() (realism.Options, error) {
	o := s.stream.Options(s.count)
	o.Source = s.name
	return o, nil
}

func (s *plainStream) each(ctx context.Context, use func(*realism.Record)) error {
	return s.stream.Each(ctx, s.count, use)
}

// openStream opens a stream without a scenario.
func (c *generateVerifyCmd) openStream() (measured, error) {
	name := c.What[0]
	// As many payments for each of them however many there are.
	customers := int(min(bank.MaxEntities, max(3000, c.Count/100)))
	w := loadtest.WorldSpec{Customers: customers, Merchants: customers / 10}
	seed := uint64(streamSeed)
	if c.Seed != nil {
		seed = *c.Seed
	}
	if !strings.HasPrefix(name, "bank.") {
		return c.openPlain(name, name, seed, func(n uint64) int64 {
			return verifyStart + (time.Duration(n) * time.Second / streamRate).Microseconds()
		})
	}
	preset := c.Expect
	if preset == "" {
		preset = verifyFraud
	}
	var err error
	if w.Crimes, err = fraud.Preset(preset); err != nil {
		return nil, err
	}
	if name != streams.Payments {
		return nil, fail.New(fail.Usage, "use "+streams.Payments, "measuring %s: it holds no payments", name)
	}
	return c.openBank(name, seed, w, nil)
}

// openPlain opens a stream without memory.
func (c *generateVerifyCmd) openPlain(name, source string, seed uint64, at func(uint64) int64) (measured, error) {
	s, err := fintech.ByName(source, generators.Seed(seed))
	if err != nil {
		return nil, err
	}
	if c.Days > 0 {
		at = func(n uint64) int64 {
			return verifyStart + int64(float64(c.Days)*dayMicros/float64(c.Count)*float64(n))
		}
	}
	return &plainStream{streams.NewStateless(s, at), name, c.Count}, nil
}

// openScenario opens a stream of a scenario.
func (c *generateVerifyCmd) openScenario(a *app) (measured, error) {
	s, err := loadtest.Load(c.What[0])
	if err != nil {
		return nil, err
	}
	plan, err := loadtest.NewSketch(s, loadtest.Overrides{Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	st, err := c.choose(plan)
	if err != nil {
		return nil, err
	}
	if len(plan.Streams) > 1 {
		a.say("measuring stream %s of %s", st.Name, s.Name)
	}
	name := s.Name + ", stream " + st.Name
	if c.Days == 0 {
		c.Count = min(c.Count, st.Schedule.Count())
	}
	seed := plan.Scenario.Seed
	if strings.HasPrefix(st.StreamSpec.Source, "bank.") {
		return c.openBank(name, seed, plan.Scenario.World, &st.Schedule)
	}
	return c.openPlain(name, st.StreamSpec.Source, seed, func(n uint64) int64 {
		return verifyStart + st.Schedule.At(n).Microseconds()
	})
}

// choose chooses the stream of a scenario that is measured.
func (c *generateVerifyCmd) choose(plan *loadtest.Plan) (*loadtest.Stream, error) {
	measurable := append([]string{streams.Payments}, fintechNames()...)
	var names []string
	for i := range plan.Streams {
		s := &plan.Streams[i]
		if !slices.Contains(measurable, s.StreamSpec.Source) {
			continue
		}
		if c.Stream == "" || c.Stream == s.Name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fail.New(fail.Usage,
		"of it, "+strings.Join(names, ", ")+" can be measured; sources are "+strings.Join(measurable, ", "),
		"choosing a stream of scenario %s: none is named %q and holds payments", plan.Scenario.Name, c.Stream)
}

func fintechNames() []string {
	var names []string
	for _, k := range fintech.All() {
		names = append(names, k.Name)
	}
	return names
}

// openBank opens the bank of a world. Its time is that of the schedule, or of the
// calendar where days were asked for.
func (c *generateVerifyCmd) openBank(
	name string, seed uint64, w loadtest.WorldSpec, schedule *pacer.Schedule,
) (measured, error) {
	if w.Start.IsZero() { // that of any run would do
		w.Start = time.UnixMicro(verifyStart)
	}
	if schedule == nil || c.Days > 0 {
		spread, err := c.spread(seed, &w)
		if err != nil {
			return nil, err
		}
		schedule = &spread
	}
	config, err := w.Bank(seed, *schedule)
	if err != nil {
		return nil, err
	}
	b, err := streams.NewBank(config)
	return &bankStream{b, name, c.Count, schedule.Rate()}, err
}

// spread lays the events over days: customers who shop by the hours of their own
// zone, and more after payday.
func (c *generateVerifyCmd) spread(seed uint64, w *loadtest.WorldSpec) (pacer.Schedule, error) {
	days := c.Days
	if days == 0 {
		days = verifyDays
	}
	w.Start, w.Speed = w.Start.Truncate(time.Second), calendar.Live
	return pacer.Follow(pacer.Curve{
		Rate: calendar.Rate{
			Mean: float64(c.Count) / float64(days*86_400), Start: w.Start.UnixMicro(),
			Curve: "retail", Zones: bank.Zones(),
			Paydays: []calendar.Payday{{Day: 25, Factor: 1.4, Days: 3, Workday: true}},
		},
		Speed: w.Speed,
		// Growth and paydays bring the last one sooner, chance later.
		For: time.Duration(days+30+days/4) * 24 * time.Hour,
	}, generators.Seed(seed).Rand("verify.arrivals"))
}

// week replaces the hours and weekdays by those of a curve that was named.
func (c *generateVerifyCmd) week(e *realism.Expect) error {
	if c.Curve == "" {
		return nil
	}
	curve, ok := calendar.Curve(c.Curve)
	if !ok {
		return fail.New(fail.Usage, "use one of "+strings.Join(calendar.CurveNames(), ", "),
			"reading --curve: there is none of the name %q", c.Curve)
	}
	e.Rate = nil
	e.Hours, e.Weekdays = streams.Week(curve[:])
	return nil
}
