package flow

import (
	"fmt"
	"os"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/config/strict"
)

// run is what a run did so far.
type run struct {
	events, told, times, atOnce, passed int
	amount, held, paid                  int64 // of a first amount of 10^9
	spent, received                     bool  // the customer paid, or got money first
}

// enter does what a state does, and says what it may not.
func (r *run) enter(s *State, random uint64) string {
	if r.passed++; r.passed > 50*MaxLength {
		return "does not end"
	}
	if s.Release {
		if r.held == 0 {
			return "releases nothing"
		}
		if r.held != r.amount {
			return "releases another amount than was held"
		}
		r.held = 0
	}
	if s.High > 0 {
		r.amount = r.amount * (int64(s.Low) + int64(generators.Below(random, uint64(s.High-s.Low+1)))) / 1_000_000
	}
	if s.Hold {
		r.held += r.amount
	}
	for _, p := range s.Posts {
		switch {
		case p.Fee:
		case p.From == Customer:
			r.paid, r.spent = r.paid+r.amount, true
		case p.To == Customer:
			r.received = r.received || !r.spent
			r.paid -= r.amount
		}
	}
	if s.Emit != NoEvent {
		r.events++
	}
	if s.Tell != Nothing {
		r.told++
	}
	if r.paid < 0 && !r.received {
		return "pays back more than was paid"
	}
	return ""
}

// broken runs a flow many times, whatever facts come and go on the way, and says
// which promise a run broke.
func broken(f *Flow) string {
	r, n, tells := generators.Seed(9).Rand("promise."+f.Name), uint64(0), f.tells()
	for range 5_000 {
		is, state := run{amount: 1_000_000_000}, 0
		for {
			s := &f.States[state]
			n += 2
			if wrong := is.enter(s, r.At(n)); wrong != "" {
				return s.Name + " " + wrong
			}
			known := s.given(Facts(r.At(n)>>20) & Facts(r.At(n)>>30) &^ (Succeeded | Failed)) // each in a quarter
			next := s.Leave(known, uint8(is.times), r.At(n+1))
			if next == nil {
				if !s.End || is.events == 0 || is.held != 0 || tells != (is.told == 1) {
					return fmt.Sprintf("ends in %s: %+v", s.Name, is)
				}
				break
			}
			if is.atOnce++; next.After.Law != AtOnce {
				is.atOnce = 0
			}
			if is.atOnce >= MaxAtOnce {
				return fmt.Sprintf("passes %d states at once before %s", is.atOnce, s.Name)
			}
			if next.Times > 0 {
				is.times++
			}
			state = next.To - f.First
		}
	}
	return ""
}

// What the checks promise of a machine is so in its runs.
func TestWalksKeepWhatTheChecksPromise(t *testing.T) {
	for _, f := range load(t).Flows {
		if wrong := broken(f); wrong != "" {
			t.Errorf("%s %s", f.Name, wrong)
		}
	}
}

// Without the checks, runs break the promises: the walks would show it.
func TestWalksSeeBrokenPromises(t *testing.T) {
	for _, name := range []string{
		"release_nothing", "held_at_the_end", "held_and_changed", "refund_twice", "refund_circle", "silent", "told_twice", "told_nothing",
		"dead_end", "dead_end_for_some", "dead_end_unless", "endless", "endless_when_spent", "too_long_at_once",
	} {
		text, err := os.ReadFile("testdata/refused/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		p := &parser{source: name, numbers: map[string]int{}}
		if err := strict.Decode(text, name, &p.file); err != nil {
			t.Fatal(err)
		}
		f := p.flow()
		if p.err != nil {
			t.Fatal(p.err)
		}
		if broken(f) == "" {
			t.Errorf("%s: no run breaks a promise", name)
		}
	}
}
