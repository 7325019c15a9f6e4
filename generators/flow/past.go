package flow

// checkPast refuses what depends on how a run got to a state: to release what
// is not held, to end with something held, to tell the starter nothing or twice,
// to end without an event.
func (p *parser) checkPast(f *Flow) {
	p.follow(f, holding)
	p.follow(f, silence)
	for i := range f.States {
		if f.States[i].Tell != Nothing {
			p.follow(f, telling)
			return
		}
	}
}

// memory is one thing that a run remembers: what it was, 0 at first, becomes
// what it is in a state; or something is wrong there.
type memory func(s *State, was int) (is int, hint, wrong string)

// follow goes all ways with a memory of two values.
func (p *parser) follow(f *Flow, remember memory) {
	type point struct{ state, was int }
	seen := map[point]bool{{0, 0}: true}
	for todo := []point{{0, 0}}; len(todo) > 0; todo = todo[1:] {
		s := &f.States[todo[0].state]
		is, hint, wrong := remember(s, todo[0].was)
		if wrong != "" {
			p.refuse(s.line, hint, "state %q %s", s.Name, wrong)
			return
		}
		for _, t := range s.Next {
			if next := (point{t.To, is}); !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
}

func holding(s *State, held int) (is int, hint, wrong string) {
	if s.Release && held == 0 {
		return 0, "hold it before, on every way to here: hold: true", "releases what is not held"
	}
	if s.Release {
		held = 0
	}
	if held > 0 && s.High > 0 {
		return 0, "add release: true: what is held must be released as it is", "changes the amount while it is held"
	}
	if held > 0 && s.Hold {
		return 0, "release it before", "holds what is held already"
	}
	if s.Hold {
		held = 1
	}
	if held > 0 && s.End {
		return 0, "add release: true, here or before", "may be the end while the amount is held"
	}
	return held, "", ""
}

func silence(s *State, spoken int) (is int, hint, wrong string) {
	if s.Emit != NoEvent {
		spoken = 1
	}
	if s.End && spoken == 0 {
		return 0, "emit one on every way: emit: and a kind of event", "may be the end without an event"
	}
	return spoken, "", ""
}

func telling(s *State, told int) (is int, hint, wrong string) {
	if s.Tell != Nothing && told > 0 {
		return 0, "tell it once", "tells the outcome a second time"
	}
	if s.Tell != Nothing {
		told = 1
	}
	if s.End && told == 0 {
		return 0, "add tells: succeeded or tells: failed on the way here", "may be the end without telling the outcome"
	}
	return told, "", ""
}

// checkStake refuses a run in which the customer, having paid, gets back more:
// of all ways to a state it looks at the one on which the least is left. Runs in
// which the customer gets money first (a salary, a loan) are not looked at.
func (p *parser) checkStake(f *Flow) {
	stakes := make([]stake, len(f.States)) // on entering
	stakes[0].fresh = true
	for round := 0; ; round++ {
		last := -1 // state that changed what is known of another
		for i := range f.States {
			s := &f.States[i]
			after, ok := stakes[i].pass(s)
			if !ok {
				p.refuse(s.line, "pay back less, or lead no way from one refund to the next",
					"the customer may get back more than was paid in state %q", s.Name)
				return
			}
			for _, t := range s.Next {
				if stakes[t.To].join(after) {
					last = i
				}
			}
		}
		if last < 0 {
			return
		}
		// A circle that leaves less each time leaves less than nothing in the end.
		if round > 2*len(f.States) {
			p.refuse(f.States[last].line, "take as much from the customer in each round as is given back",
				"state %q is in a circle in which the customer gets back more than was paid", f.States[last].Name)
			return
		}
	}
}

// stake is what a customer may have at stake somewhere.
type stake struct {
	fresh bool  // nothing was paid yet, perhaps
	paid  bool  // something was paid, perhaps
	left  int64 // then: at least so much less what came back, in millionths of the amount so far
}

// join adds what may be as well, and reports whether that is new.
func (a *stake) join(b stake) bool {
	before := *a
	if b.paid && (!a.paid || b.left < a.left) {
		a.paid, a.left = true, b.left
	}
	a.fresh = a.fresh || b.fresh
	return *a != before
}

// pass is what is at stake after a state; not ok if that may be less than
// nothing.
func (a stake) pass(s *State) (after stake, ok bool) {
	const whole, most = 1_000_000, 1 << 40
	if a.paid && s.High > 0 {
		a.left = a.left * whole / int64(s.High)
	}
	for _, post := range s.Posts {
		switch {
		case post.Fee:
		case post.From == Customer:
			if a.fresh {
				a.join(stake{paid: true})
				a.fresh = false
			}
			a.left += whole
		case post.To == Customer:
			a.fresh = false
			a.left -= whole
			if a.paid && a.left < 0 {
				return a, false
			}
		}
		a.left = min(a.left, most)
	}
	return a, true
}
