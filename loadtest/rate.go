package loadtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

// rateSpec is one of "5000/s", {ramp: ...}, {steps: [...]} and {mean: ..., curve: ...}.
type rateSpec struct {
	constant rate
	Ramp     *struct {
		From rate     `yaml:"from"`
		To   rate     `yaml:"to"`
		Over duration `yaml:"over"`
	} `yaml:"ramp"`
	Steps []struct {
		Name string   `yaml:"name"`
		Rate rate     `yaml:"rate"`
		For  duration `yaml:"for"`
	} `yaml:"steps"`

	Mean     *rate         `yaml:"mean"`
	Curve    *fileCurve    `yaml:"curve"`
	Payday   *filePayday   `yaml:"payday"`
	Paydays  []filePayday  `yaml:"paydays"`
	Holidays *fileHolidays `yaml:"holidays"`
	Growth   *growth       `yaml:"growth"`
	Bursts   []fileBurst   `yaml:"bursts"`

	set bool
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (r *rateSpec) UnmarshalYAML(n *yaml.Node) error {
	r.set = true
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&r.constant)
	}
	type plain rateSpec
	return n.Decode((*plain)(r))
}

// fileCurve is the name of a curve, or its weights. It is an array so that it is
// decoded as a value.
type fileCurve [1]struct {
	name  string
	hours []float64
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *fileCurve) UnmarshalYAML(n *yaml.Node) error {
	switch n.Kind {
	case yaml.ScalarNode:
		c[0].name = n.Value
		return nil
	case yaml.SequenceNode:
		return n.Decode(&c[0].hours)
	default:
		return fmt.Errorf("line %d: curve is a name, such as retail, or a list of 24 or 168 weights", n.Line)
	}
}

// filePayday is a payday, or only its factor.
type filePayday struct {
	Factor  factor `yaml:"factor"`
	Day     *int   `yaml:"day"`
	Days    *int   `yaml:"days"`
	Workday *bool  `yaml:"workday"`
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *filePayday) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&p.Factor)
	}
	type plain filePayday
	return n.Decode((*plain)(p))
}

// compile fills in what most employers do.
func (p *filePayday) compile() calendar.Payday {
	out := calendar.Payday{Day: 25, Factor: float64(p.Factor), Days: 3, Workday: true}
	if p.Day != nil {
		out.Day = *p.Day
	}
	if p.Days != nil {
		out.Days = *p.Days
	}
	if p.Workday != nil {
		out.Workday = *p.Workday
	}
	return out
}

// fileHolidays is what holidays do, or only their factor.
type fileHolidays struct {
	Sunday *bool   `yaml:"sunday"`
	Factor *factor `yaml:"factor"`
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (h *fileHolidays) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&h.Factor)
	}
	type plain fileHolidays
	return n.Decode((*plain)(h))
}

type fileBurst struct {
	At   string   `yaml:"at"`
	X    *factor  `yaml:"x"`
	For  duration `yaml:"for"`
	Zone string   `yaml:"zone"`
}

// factor multiplies a rate, in YAML: 1.4.
type factor float64

// UnmarshalYAML implements yaml.Unmarshaler.
func (f *factor) UnmarshalYAML(n *yaml.Node) error {
	v, err := strconv.ParseFloat(strings.TrimPrefix(n.Value, "x"), 64)
	if err != nil || n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: %q is not a factor: write 1.4 for 40 %% more", n.Line, n.Value)
	}
	*f = factor(v)
	return nil
}

// growth is a change each day, in YAML: "1%" or 0.01.
type growth float64

// UnmarshalYAML implements yaml.Unmarshaler.
func (g *growth) UnmarshalYAML(n *yaml.Node) error {
	number, percent := strings.CutSuffix(n.Value, "%")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: %q is no growth: write 1%% or 0.01, which is that much more each day", n.Line, n.Value)
	}
	if percent {
		v /= 100
	}
	*g = growth(v)
	return nil
}

const rateHint = "write rate: 5000/s, or rate: {ramp: {from: 100/s, to: 20000/s, over: 5m}}, " +
	"or rate: {steps: [{rate: 1000/s, for: 1m}]}, or rate: {mean: 500/s, curve: retail}"

// schedule is the timeline of all streams together.
func (f *file) schedule(w *WorldSpec) (pacer.Schedule, error) {
	r, total := &f.Rate, time.Duration(f.Duration)
	kinds := 0
	for _, is := range []bool{r.Ramp != nil, r.Steps != nil, r.follows()} {
		if is {
			kinds++
		}
	}
	var s pacer.Schedule
	var err error
	switch {
	case !r.set:
		return s, bad(rateHint, "key %q is missing", "rate")
	case kinds > 1:
		return s, on(bad("keep one of them: a ramp, steps, or a mean with a curve", "rate is two things at once"), "rate")
	case r.follows():
		s, err = r.follow(w, total, f.Seed)
	default:
		s, err = r.straight(total)
	}
	if err != nil {
		return s, on(err, "rate")
	}
	if max := uint64(1) << 40; s.Count() > max {
		return s, on(bad("a run holds at most a million million records", "%d records are too many", s.Count()), "rate")
	}
	return s, nil
}

// follows reports whether the rate follows a curve.
func (r *rateSpec) follows() bool {
	return r.Mean != nil || r.Curve != nil || r.Payday != nil || r.Paydays != nil || r.Holidays != nil ||
		r.Growth != nil || r.Bursts != nil
}

// straight is a rate of straight lines.
func (r *rateSpec) straight(total time.Duration) (pacer.Schedule, error) {
	var segs []pacer.Segment
	switch {
	case r.Ramp != nil:
		over := or(r.Ramp.Over, total)
		segs = append(segs, pacer.Segment{Name: "ramp", From: float64(r.Ramp.From), To: float64(r.Ramp.To), For: over})
		if total > over {
			segs = append(segs, pacer.Segment{Name: "hold", From: float64(r.Ramp.To), To: float64(r.Ramp.To), For: total - over})
		}
	case r.Steps != nil:
		for i, step := range r.Steps {
			segs = append(segs, pacer.Segment{
				Name: orText(step.Name, fmt.Sprintf("step-%d", i+1)), From: float64(step.Rate), To: float64(step.Rate),
				For: time.Duration(step.For),
			})
		}
	default:
		if r.constant <= 0 {
			return pacer.Schedule{}, bad(rateHint, "rate %g/s is not positive", float64(r.constant))
		}
		segs = append(segs, pacer.Segment{Name: "steady", From: float64(r.constant), To: float64(r.constant), For: total})
	}
	s, err := pacer.New(segs...)
	return s, fail.Wrap(err, fail.Usage, "rates and durations must be positive: duration: 30s, "+rateHint)
}

// follow is a rate that follows the life of the world.
func (r *rateSpec) follow(w *WorldSpec, total time.Duration, seed uint64) (pacer.Schedule, error) {
	c := pacer.Curve{Speed: w.Speed, For: total}
	switch {
	case r.Mean == nil:
		return pacer.Schedule{}, bad("add the rate of an ordinary week: mean: 500/s", "key %q is missing", "mean")
	case w.Start.IsZero():
		return pacer.Schedule{}, bad("say when the world begins: world: {start: 2026-01-05T00:00:00Z}",
			"a curve is of days and hours, and the scenario does not say of which")
	case total <= 0:
		return pacer.Schedule{}, bad("add duration: 30s", "duration %v is not positive", total)
	case r.Payday != nil && r.Paydays != nil:
		return pacer.Schedule{}, on(bad("keep one of them", "payday and paydays at once"), "paydays")
	}
	var err error
	if c.Rate, err = r.compile(w, c); err != nil {
		return pacer.Schedule{}, err
	}
	s, err := pacer.Follow(c, arrivals(seed))
	if err != nil {
		return s, fail.Wrap(err, fail.Usage, "raise the mean, or make the run longer")
	}
	return s, r.checkBursts(c)
}

// arrivals are the draws of a scenario's curve.
func arrivals(seed uint64) generators.Rand { return generators.Seed(seed).Rand("loadtest.arrivals") }

// maxYears is how long a world lasts of which holidays and working days are
// known.
const maxYears = 10

// compile turns the rate into one of the calendar. The parts are checked as they
// are added, so that an error has its place in the file.
func (r *rateSpec) compile(w *WorldSpec, c pacer.Curve) (calendar.Rate, error) {
	const second = 1_000_000
	clock := calendar.Clock{Speed: c.Speed, Event: w.Start.UnixMicro()}
	years := (float64(clock.EventAt(c.For.Microseconds())) - float64(clock.Event)) / (second * 366 * 86_400)
	if years > maxYears {
		return calendar.Rate{}, bad("make the run shorter, or its world slower",
			"a curve over %.1f years of the world: more than %d", years, maxYears)
	}
	out := calendar.Rate{
		Mean: float64(*r.Mean), Start: clock.Event, Zones: bank.Zones(),
		End: max(clock.Event+second, clock.EventAt(c.For.Microseconds())/second*second),
	}
	check := func(path ...string) error { return on(out.Check(), path...) }
	if err := check("mean"); err != nil {
		return out, err
	}
	if r.Curve != nil {
		out.Curve, out.Hours = r.Curve[0].name, r.Curve[0].hours
		if err := check("curve"); err != nil {
			return out, err
		}
	}
	if r.Growth != nil {
		out.Growth = float64(*r.Growth)
		if err := check("growth"); err != nil {
			return out, err
		}
	}
	if h := r.Holidays; h != nil {
		out.Holidays = &calendar.Holidays{Sunday: h.Sunday == nil || *h.Sunday, Factor: 1}
		if h.Factor != nil {
			out.Holidays.Factor = float64(*h.Factor)
		}
		if err := check("holidays"); err != nil {
			return out, err
		}
	}
	return out, r.events(&out, check)
}

// events adds paydays and bursts.
func (r *rateSpec) events(out *calendar.Rate, check func(...string) error) error {
	if r.Payday != nil {
		out.Paydays = []calendar.Payday{r.Payday.compile()}
		if err := check("payday"); err != nil {
			return err
		}
	}
	for i := range r.Paydays {
		out.Paydays = append(out.Paydays, r.Paydays[i].compile())
		if err := check("paydays", strconv.Itoa(i)); err != nil {
			return err
		}
	}
	for i, b := range r.Bursts {
		if b.X == nil {
			return on(bad("say how many times more: x: 8", "a burst without a factor"), "bursts", strconv.Itoa(i))
		}
		out.Bursts = append(out.Bursts, calendar.Burst{
			At: b.At, Factor: float64(*b.X), For: time.Duration(b.For), Zone: b.Zone,
		})
		if err := check("bursts", strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

// checkBursts refuses a burst that touches no moment of the run: the rate with
// it is the rate without.
func (r *rateSpec) checkBursts(c pacer.Curve) error {
	for i, b := range c.Rate.Bursts {
		touches, err := touchesRun(c.Rate, b)
		if err == nil && !touches {
			err = bad("move the burst, or the run with world.start, world.speed and duration",
				"the burst at %q lasts %v and touches no moment of the run, which is from %s to %s",
				b.At, b.For, moment(c.Rate.Start), moment(c.Rate.End))
		}
		if err != nil {
			return on(err, "bursts", strconv.Itoa(i))
		}
	}
	return nil
}

// touchesRun asks the calendar. It looks only where the burst could be: in the
// first days, if it comes again, and else about its date.
func touchesRun(rate calendar.Rate, b calendar.Burst) (bool, error) {
	const day = 86_400_000_000
	if date, err := time.Parse(time.DateOnly, b.At[:min(len(b.At), len(time.DateOnly))]); err == nil {
		from := date.UnixMicro() - 2*day
		rate.Start, rate.End = max(rate.Start, from), min(rate.End, from+5*day+b.For.Microseconds())
	} else {
		rate.End = min(rate.End, rate.Start+9*day)
	}
	if rate.Start >= rate.End {
		return false, nil
	}
	b.Factor = 2
	var expected [2]float64
	for i, bursts := range [][]calendar.Burst{nil, {b}} {
		rate.Bursts = bursts
		shape, err := rate.Shape()
		if err != nil {
			return false, err
		}
		expected[i] = shape.Expected(rate.Start, rate.End)
	}
	return expected[0] != expected[1], nil
}

// moment is a time of the world as a person reads it.
func moment(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("Mon 2006-01-02 15:04 UTC")
}
