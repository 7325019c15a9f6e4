package delivery

import (
	"cmp"
	"slices"
	"sort"
)

// Tape remembers a walk, so that what was sent in a slot and where a truth
// record was sent can be asked at random.
//
// A stretch of slots in which nothing special happens takes 24 bytes, however
// long it is; a slot in which something does takes 28, and so does the stretch
// after it. So 1 % of late records cost about half a byte a slot, and when a
// tenth of all slots is special it is about 5 bytes. [Tape.Bytes] has the exact
// number.
type Tape struct {
	plan     *Plan
	slots    uint64
	truths   uint64
	runs     []run
	specials []special
	byTruth  []uint32 // places of specials, in the order of truth and slot
}

// run is a stretch of slots that send one truth record after the other, on
// time.
type run struct{ slot, truth, count uint64 }

// special is any other slot.
type special struct {
	slot      uint64
	truth     uint64
	truthSlot uint64 // and, in the low byte, the class
}

const (
	classBits = 8
	tapeEntry = 24 // bytes of a run, and of a special slot
)

func (s special) class() Class { return Class(s.truthSlot) }

// NewTape returns an empty tape for a walk through the plan.
func (p *Plan) NewTape() *Tape { return &Tape{plan: p} }

// Record walks through the plan up to a slot and returns the tape of it.
func (p *Plan) Record(slots uint64) *Tape {
	t, w := p.NewTape(), p.NewWalker()
	for w.Slot() < slots {
		s, ok := w.Next()
		if !ok {
			break
		}
		t.Add(s)
	}
	t.Close(w.Truth())
	return t
}

// Add remembers a slot; they come in order and without gaps.
func (t *Tape) Add(s Send) {
	t.slots = s.Slot + 1
	if s.Class != OnTime {
		t.specials = append(t.specials, special{s.Slot, s.Truth, s.TruthSlot<<classBits | uint64(s.Class)})
		return
	}
	if n := len(t.runs); n > 0 {
		r := &t.runs[n-1]
		if s.Slot == r.slot+r.count && s.Truth == r.truth+r.count {
			r.count++
			return
		}
	}
	t.runs = append(t.runs, run{s.Slot, s.Truth, 1})
}

// Close ends the tape: so many truth records were drawn. Slots may be asked
// for from now on, and from many goroutines at once; nothing may be added.
func (t *Tape) Close(truths uint64) {
	t.truths = truths
	t.runs, t.specials = slices.Clip(t.runs), slices.Clip(t.specials)
	t.byTruth = make([]uint32, len(t.specials))
	for i := range t.byTruth {
		t.byTruth[i] = uint32(i)
	}
	slices.SortFunc(t.byTruth, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(t.specials[a].truth, t.specials[b].truth), cmp.Compare(a, b))
	})
}

// Len returns how many slots the tape holds.
func (t *Tape) Len() uint64 { return t.slots }

// Truths returns how many truth records were drawn.
func (t *Tape) Truths() uint64 { return t.truths }

// Bytes returns the memory that the tape takes.
func (t *Tape) Bytes() uint64 {
	return uint64(cap(t.runs)+cap(t.specials))*tapeEntry + uint64(cap(t.byTruth))*4
}

// At returns what was sent in a slot, and false beyond the end.
func (t *Tape) At(slot uint64) (Send, bool) {
	if slot >= t.slots {
		return Send{}, false
	}
	i := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].slot > slot }) - 1
	if i >= 0 && slot < t.runs[i].slot+t.runs[i].count {
		n := t.runs[i].truth + slot - t.runs[i].slot
		return Send{Slot: slot, Truth: n, TruthSlot: slot, Version: t.plan.Version(n, slot)}, true
	}
	i = sort.Search(len(t.specials), func(i int) bool { return t.specials[i].slot >= slot })
	s := t.specials[i]
	out := Send{Slot: slot, Truth: s.truth, TruthSlot: s.truthSlot >> classBits, Class: s.class()}
	if out.Class == Duplicate {
		out.Copy = 1
	}
	out.Version = t.plan.Version(out.Truth, out.TruthSlot)
	return out, true
}

// Slots returns the slots in which a truth record was sent. count is 0 for one
// that was dropped, is still held or was never drawn; second is NoSlot unless
// it is 2.
func (t *Tape) Slots(truth uint64) (first, second uint64, count int) {
	at := [2]uint64{NoSlot, NoSlot}
	i := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].truth > truth }) - 1
	if i >= 0 && truth < t.runs[i].truth+t.runs[i].count {
		at[0], count = t.runs[i].slot+truth-t.runs[i].truth, 1
	}
	i = sort.Search(len(t.byTruth), func(i int) bool { return t.specials[t.byTruth[i]].truth >= truth })
	for ; i < len(t.byTruth) && t.specials[t.byTruth[i]].truth == truth && count < 2; i++ {
		at[count] = t.specials[t.byTruth[i]].slot
		count++
	}
	return at[0], at[1], count
}
