package flow

import "slices"

// check looks at the machine as a whole. Each check takes what the ones before
// it found right for granted.
func (p *parser) check(f *Flow) {
	for _, check := range []func(*Flow){
		p.checkReach, p.checkLimits, p.checkShares, p.checkWaiting, p.checkFees, p.checkAtOnce, p.checkEnd, p.checkLength,
		p.checkPast, p.checkStake,
	} {
		if check(f); p.err != nil {
			return
		}
	}
}

// checkReach refuses a state that no way leads to.
func (p *parser) checkReach(f *Flow) {
	reached := make([]bool, len(f.States))
	reached[0] = true
	for again := true; again; {
		again = false
		for i := range f.States {
			for _, t := range f.States[i].Next {
				if reached[i] && !reached[t.To] {
					reached[t.To], again = true, true
				}
			}
		}
	}
	for i, ok := range reached {
		if !ok {
			p.refuse(f.States[i].line, "lead a way to it, or take it out; a flow begins in its first state, "+f.States[0].Name,
				"state %q cannot be reached", f.States[i].Name)
		}
	}
}

// checkLimits refuses a second limited transition: a run counts one thing.
func (p *parser) checkLimits(f *Flow) {
	found := false
	for i := range f.States {
		for _, t := range f.States[i].Next {
			if t.Times > 0 && found {
				p.refuse(t.line, "write the other loop out, as states of their own",
					"times is used twice: a run of a flow counts one thing")
			}
			found = found || t.Times > 0
		}
	}
}

// subsets calls look for every set of facts that may be true together in a
// state: one that waits knows one of two outcomes.
func (s *State) subsets(look func(Facts)) {
	for facts := Facts(0); ; facts = (facts - s.Asks) & s.Asks {
		if s.starts == "" || facts&(Succeeded|Failed) == Succeeded || facts&(Succeeded|Failed) == Failed {
			look(facts)
		}
		if facts == s.Asks {
			break
		}
	}
	if s.starts != "" && s.Asks&(Succeeded|Failed) != Succeeded|Failed { // the outcome that is not asked for
		s.subsetsOfOther(look)
	}
}

// subsetsOfOther calls look for the sets of facts with an outcome that the
// state does not ask for.
func (s *State) subsetsOfOther(look func(Facts)) {
	other := (Succeeded | Failed) &^ s.Asks
	for rest, facts := s.Asks&^(Succeeded|Failed), Facts(0); ; facts = (facts - rest) & rest {
		look(facts | other)
		if facts == rest {
			return
		}
	}
}

// checkShares refuses a way that nobody takes, and a state that is left by less
// than all who get there, unless it is an end.
func (p *parser) checkShares(f *Flow) {
	for i := range f.States {
		s := &f.States[i]
		var taken [MaxNext]bool
		var most uint64 // that are left
		var under Facts
		s.subsets(func(facts Facts) {
			for _, spent := range []bool{false, true} {
				shares, left := s.leaves(facts, spent)
				for j := range s.Next {
					taken[j] = taken[j] || shares[j] > 0
				}
				if left > most {
					most, under = left, facts
				}
			}
		})
		for j, t := range s.Next {
			if !taken[j] {
				p.refuse(t.line, "put it before the way that takes all, or take it out",
					"the way from %q to %q is never taken", s.Name, f.States[t.To].Name)
			}
		}
		p.checkRest(s, most, under)
	}
}

func (p *parser) checkRest(s *State, most uint64, under Facts) {
	switch {
	case s.End && most == 0:
		p.refuse(s.line, "take end away, or make the probabilities less than 100 %",
			"state %q is an end, but everything goes on", s.Name)
	case !s.End && len(s.Next) == 0:
		p.refuse(s.line, "add end: true, or a way out: next: [{to: ...}]", "state %q is a dead end", s.Name)
	case !s.End && most > 0:
		when := ""
		if under != 0 {
			when = " when " + under.String()
		}
		p.refuse(s.line, "add a last way without p, which takes the rest, or end: true",
			"state %q is a dead end for %s of what gets there%s", s.Name, share(most), when)
	}
}

// checkWaiting refuses a question for an outcome where nothing was started, and
// an outcome that is not waited for.
func (p *parser) checkWaiting(f *Flow) {
	for i := range f.States {
		s := &f.States[i]
		for _, t := range s.Next {
			if t.When&(Succeeded|Failed) != 0 && s.starts == "" {
				p.refuse(t.line, "add starts: and the name of a flow to the state",
					"state %q waits for a flow that it does not start", s.Name)
			}
		}
		if s.starts != "" && s.Asks&(Succeeded|Failed) == 0 {
			p.refuse(s.line, "write next: [{to: paid, when: succeeded}, {to: cancelled, when: failed}]",
				"state %q starts a flow, but does not ask how it went", s.Name)
		}
	}
}

// checkFees refuses a fee that nobody pays.
func (p *parser) checkFees(f *Flow) {
	if f.Fee == (Fee{}) {
		return
	}
	for i := range f.States {
		for _, post := range f.States[i].Posts {
			if post.Fee {
				return
			}
		}
	}
	p.refuse(p.file.Fee.line(), "add a posting of it: post: {merchant -> fees: fee}", "nobody pays the fee")
}

// checkAtOnce refuses a circle without a delay, and too long a chain without
// one.
func (p *parser) checkAtOnce(f *Flow) {
	depth := make([]int, len(f.States)) // of the longest chain from there; -1 while it is looked at
	var measure func(i int) int
	measure = func(i int) int {
		s := &f.States[i]
		switch {
		case depth[i] < 0:
			p.refuse(s.line, "add a delay to one of its ways: after: 1h", "state %q is in a circle without a delay", s.Name)
			return 0
		case depth[i] > 0:
			return depth[i]
		}
		depth[i] = -1
		longest := 0
		for _, t := range s.Next {
			if t.After.Law == AtOnce {
				longest = max(longest, measure(t.To))
			}
		}
		depth[i] = longest + 1
		return depth[i]
	}
	for i := range f.States {
		if measure(i) > MaxAtOnce {
			p.refuse(f.States[i].line, "add a delay on the way, or join states",
				"more than %d states follow state %q without a delay", MaxAtOnce, f.States[i].Name)
		}
	}
}

// checkEnd refuses a circle that cannot be left, under any set of facts that
// stays true, once the limited transition was taken as often as it may be.
func (p *parser) checkEnd(f *Flow) {
	asks := f.asks() &^ (Succeeded | Failed)
	for facts := Facts(0); p.err == nil; facts = (facts - asks) & asks {
		for _, outcome := range []Facts{Succeeded, Failed} {
			p.checkEndUnder(f, facts|outcome)
		}
		if facts == asks {
			return
		}
	}
}

func (p *parser) checkEndUnder(f *Flow, facts Facts) {
	alive := f.alive(facts)
	var after []bool // states from which an end can be reached, once more of the limited transitions were taken
	for times := f.times(); times >= 0; times-- {
		ends := f.ends(facts, times == f.times(), after)
		for i, ok := range alive {
			if ok && !ends[i] {
				when := ""
				if under := facts & f.asks(); under != 0 {
					when = " while " + under.String()
				}
				p.refuse(f.States[i].line, "give the circle a way out: a way with p to another state, "+
					"or times: 12 for the way back",
					"state %q is in a circle that cannot end%s", f.States[i].Name, when)
				return
			}
		}
		if slices.Equal(ends, after) {
			return // it is the same from here on
		}
		after = ends
	}
}

// ends returns from which states an end can be reached; after are those from
// which it can after the limited transition.
func (f *Flow) ends(facts Facts, spent bool, after []bool) []bool {
	out := make([]bool, len(f.States))
	for again := true; again; {
		again = false
		for i := range f.States {
			if out[i] {
				continue
			}
			s := &f.States[i]
			shares, left := s.leaves(facts, spent)
			ok := left > 0
			for j, t := range s.Next {
				if shares[j] > 0 {
					ok = ok || t.Times == 0 && out[t.To] || t.Times > 0 && after[t.To]
				}
			}
			out[i], again = ok, again || ok
		}
	}
	return out
}

// alive returns which states can be reached under some facts.
func (f *Flow) alive(facts Facts) []bool {
	out := make([]bool, len(f.States))
	out[0] = true
	for again := true; again; {
		again = false
		for i := range f.States {
			if !out[i] {
				continue
			}
			for _, spent := range []bool{false, true} {
				shares, _ := f.States[i].leaves(facts, spent)
				for j, t := range f.States[i].Next {
					if shares[j] > 0 && !out[t.To] {
						out[t.To], again = true, true
					}
				}
			}
		}
	}
	return out
}
