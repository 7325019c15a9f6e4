package loadtest

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
)

// courier says what a slot of a stream with deliberate faults carries. The
// sender's walks as it goes; a verifier's remembers the walk, so that it can be
// asked for any slot.
type courier struct {
	plan *delivering
	walk *delivery.Walker
	now  delivery.Send  // of the slot before the walker's
	tape *delivery.Tape // of a verifier
	bad  *ledger.Set    // and the slots that no reader takes

	// A source that remembers makes old records slowly, so those that are sent
	// later, or again, are kept as they are drawn.
	keeps bool
	kept  map[uint64]*generators.Event
	last  bool // what is sent now is not sent again
}

func newCourier(d *delivering, keeps bool) *courier {
	return &courier{plan: d, walk: d.NewWalker(), keeps: keeps, kept: map[uint64]*generators.Event{}}
}

// remember records the walk up to a slot.
func (c *courier) remember(slots uint64) {
	c.tape, c.bad = c.plan.NewTape(), ledger.NewSet(slots)
	w := c.plan.NewWalker()
	for w.Slot() < slots {
		s, ok := w.Next()
		if !ok {
			break
		}
		c.tape.Add(s)
		if c.plan.refused(s) {
			c.bad.Add(s.Slot)
		}
	}
	c.tape.Close(w.Truth())
}

// tell gives an account what it must know of the faults.
func (c *courier) tell(acc *ledger.Account, exp ledger.Expected) {
	acc.Sends, acc.Poison = c.tape, c.bad
	acc.Bury(exp)
}

// at returns what a slot carries. draw is called for truth records that must be
// kept because they come later.
func (c *courier) at(slot uint64, draw func(truth, truthSlot uint64) *generators.Event) delivery.Send {
	if c.tape == nil || c.keeps {
		c.step(slot, draw)
	}
	if c.tape == nil {
		return c.now
	}
	s, _ := c.tape.At(slot)
	return s
}

// step walks until the slot is behind.
func (c *courier) step(slot uint64, draw func(truth, truthSlot uint64) *generators.Event) {
	for c.walk.Slot() <= slot {
		first, held := c.walk.Truth(), c.walk.Held()
		s, ok := c.walk.Next()
		if !ok {
			return
		}
		c.now = s
		if !c.keeps {
			continue
		}
		c.last = s.Copy > 0 || c.walk.Held() < held
		later := c.walk.Held() - held
		for n := first; n < c.walk.Truth(); n++ {
			if n != s.Truth && !c.dropped(n) {
				later--
				c.kept[n] = clone(draw(n, s.Slot))
			}
		}
		if s.Truth >= first && later > 0 { // its second copy
			c.kept[s.Truth] = clone(draw(s.Truth, s.Slot))
		}
	}
}

// dropped reports whether a truth record that was drawn in the last step was
// dropped.
func (c *courier) dropped(truth uint64) bool {
	return slices.ContainsFunc(c.walk.Faults(), func(f delivery.Fault) bool {
		return f.Class == delivery.Dropped && f.Truth == truth
	})
}

// recall returns a record that was kept, or nil. A sender forgets it with the
// last time that it is sent.
func (c *courier) recall(s delivery.Send) *generators.Event {
	ev := c.kept[s.Truth]
	if c.tape == nil && c.last {
		delete(c.kept, s.Truth)
	}
	return ev
}

func clone(ev *generators.Event) *generators.Event {
	return &generators.Event{ID: ev.ID, Values: slices.Clone(ev.Values)}
}
