package loadtest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

// fileFaults are the deliberate faults of a stream as they are written.
type fileFaults struct {
	Late       *fileDelayed `yaml:"late"`
	Duplicate  *fileDelayed `yaml:"duplicate"`
	Drop       often        `yaml:"drop"`
	OutOfOrder *struct {
		P      often  `yaml:"p"`
		Within uint64 `yaml:"within"`
	} `yaml:"out_of_order"`
	Poison *struct {
		P       often    `yaml:"p"`
		Classes []string `yaml:"classes"`
	} `yaml:"poison"`
	MaxHeld int `yaml:"max_held"`
}

type fileDelayed struct {
	P     often `yaml:"p"`
	Delay law   `yaml:"delay"`
}

// often is how often a fault happens in YAML: "0.1%" or "5/hour".
type often delivery.Often

func (o *often) UnmarshalYAML(n *yaml.Node) error {
	return located(n, (*delivery.Often)(o).UnmarshalText([]byte(n.Value)))
}

// law is a law of delays in YAML: "30s" or "lognormal(30s, 2)".
type law delivery.Law

func (l *law) UnmarshalYAML(n *yaml.Node) error {
	return located(n, (*delivery.Law)(l).UnmarshalText([]byte(n.Value)))
}

// located says in which line an error is, and what to write there: whoever
// decodes the file knows neither.
func located(n *yaml.Node, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w: %s", n.Line, err, fail.HintOf(err))
}

// validate checks what the types cannot. What is impossible for the run's
// schedule is found when it is planned.
func (f *fileFaults) validate(stream, format string) (*delivery.Config, error) {
	if f == nil {
		return nil, nil
	}
	c := &delivery.Config{Drop: delivery.Often(f.Drop), MaxHeld: f.MaxHeld}
	for _, d := range []struct {
		name string
		is   *fileDelayed
		to   *delivery.Delayed
	}{{"late", f.Late, &c.Late}, {"duplicate", f.Duplicate, &c.Duplicate}} {
		if d.is == nil {
			continue
		}
		*d.to = delivery.Delayed{Often: delivery.Often(d.is.P), Delay: delivery.Law(d.is.Delay)}
		if d.to.Never() {
			return nil, on(bad(oftenHint, "stream %q: faults.%s never happens", stream, d.name), d.name)
		}
	}
	if o := f.OutOfOrder; o != nil {
		c.OutOfOrder = delivery.Shuffled{Often: delivery.Often(o.P), Within: orCount(o.Within, 50)}
		if c.OutOfOrder.Never() {
			return nil, on(bad(oftenHint, "stream %q: faults.out_of_order never happens", stream), "out_of_order")
		}
	}
	var err error
	if c.Poison, err = f.poison(stream, format); err != nil {
		return nil, on(err, "poison")
	}
	if c.Drop.Never() && f.Late == nil && f.Duplicate == nil && f.OutOfOrder == nil && f.Poison == nil {
		return nil, bad("name a fault, such as drop: 0.05%, or leave faults out", "stream %q: faults names none", stream)
	}
	return c, nil
}

const oftenHint = "write how often: p: 0.1%, or p: 5/hour"

func (f *fileFaults) poison(stream, format string) (out delivery.Poisoning, err error) {
	p := f.Poison
	if p == nil {
		return out, nil
	}
	out = delivery.Poisoning{Often: delivery.Often(p.P), Format: format}
	if out.Never() {
		return out, bad(oftenHint, "stream %q: faults.poison never happens", stream)
	}
	for _, name := range p.Classes {
		class, err := poisonClass(name)
		if err != nil {
			return out, fmt.Errorf("stream %q: faults.poison: %w", stream, err)
		}
		out.Classes = append(out.Classes, class)
	}
	return out, nil
}

// poisonClass finds a class of poison by its name.
func poisonClass(name string) (delivery.Class, error) {
	var names []string
	for _, c := range delivery.AllPoisons() {
		if c.String() == name {
			return c, nil
		}
		names = append(names, c.String())
	}
	hint := "the classes are " + strings.Join(names, ", ")
	if near := strict.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return 0, bad(hint, "no class of poison is called %q", name)
}

// delivering is what a stream with deliberate faults has more than others.
type delivering struct {
	*delivery.Plan
	poisoner *delivery.Poisoner
	versions []version // after the first
}

// deliver plans the faults of a stream.
func deliver(seed uint64, number uint16, spec *StreamSpec, s pacer.Schedule) (*delivering, error) {
	if spec.Faults == nil {
		return nil, nil
	}
	p, err := delivery.New(generators.Seed(seed), number, s, *spec.Faults)
	if err != nil {
		return nil, err
	}
	return &delivering{Plan: p}, nil
}

// spoils makes the poisoner, once the schema is known.
func (d *delivering) spoils(spec *StreamSpec, schema *generators.Schema) (err error) {
	if d == nil || spec.Faults.Poison.Never() {
		return nil
	}
	classes := spec.Faults.Poison.Classes
	if len(classes) == 0 {
		classes = delivery.RejectedClasses(spec.Format)
	}
	d.poisoner, err = delivery.NewPoisoner(spec.Format, schema, classes...)
	return err
}

// drawn is when the truth records of a stream with faults happen: in the slots
// in which they are drawn. It walks the plan as far as it is asked.
type drawn struct {
	plan *delivery.Plan

	mu    sync.Mutex // guards what follows
	walk  *delivery.Walker
	steps []step
	over  bool
}

// step begins a stretch of truth records that are drawn one a slot.
type step struct{ truth, slot uint64 }

func newDrawn(p *delivery.Plan) *drawn { return &drawn{plan: p, walk: p.NewWalker()} }

// At returns when a truth record happens.
func (d *drawn) At(truth uint64) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.over && d.walk.Truth() <= truth {
		d.advance()
	}
	low, high := 0, len(d.steps)
	for low < high {
		if mid := (low + high) / 2; d.steps[mid].truth <= truth {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 || truth >= d.walk.Truth() {
		return d.plan.At(d.plan.Slots())
	}
	s := d.steps[low-1]
	return d.plan.At(s.slot + truth - s.truth)
}

// advance walks one slot. All records that are drawn in it happen in it, so each
// but the last is a step of its own.
func (d *drawn) advance() {
	first, slot := d.walk.Truth(), d.walk.Slot()
	if _, ok := d.walk.Next(); !ok {
		d.over = true
		return
	}
	for n := first; n < d.walk.Truth(); n++ {
		if last := len(d.steps) - 1; last >= 0 && d.steps[last].slot+n-d.steps[last].truth == slot {
			continue
		}
		d.steps = append(d.steps, step{n, slot})
	}
}
