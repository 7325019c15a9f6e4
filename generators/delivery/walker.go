package delivery

import (
	"math"
	"time"
)

// Walker walks through a plan, slot by slot. It has one owner.
type Walker struct {
	plan    *Plan
	slot    uint64 // the next
	truth   uint64 // the next
	version uint8  // of the last record drawn
	crowded uint64
	queue   queue
	faults  []Fault
}

// NewWalker returns a walker that stands before slot 0.
func (p *Plan) NewWalker() *Walker {
	return &Walker{plan: p, version: 1, faults: make([]Fault, 0, 64)}
}

// Next returns what is sent in the next slot, and false when the schedule is
// over. It takes time with the logarithm of how many copies are held, and it
// allocates only when more are held than ever before.
func (w *Walker) Next() (Send, bool) {
	w.faults = w.faults[:0]
	if w.slot >= w.plan.slots {
		return Send{}, false
	}
	slot := w.slot
	w.slot++
	if len(w.queue) > 0 && w.queue[0].due <= int64(w.plan.schedule.At(slot)) {
		return w.release(slot, w.queue.pop()), true
	}
	if !w.plan.any && len(w.plan.changes) == 0 {
		n := w.truth
		w.truth++
		return Send{Slot: slot, Truth: n, TruthSlot: slot, Version: 1}, true
	}
	return w.draw(slot), true
}

// release sends a held copy.
func (w *Walker) release(slot uint64, h held) Send {
	s := Send{
		Slot: slot, Truth: h.truth, TruthSlot: h.truthSlot, Class: h.class, Copy: 0,
		Version: w.plan.Version(h.truth, h.truthSlot),
	}
	w.note(Fault{Class: h.class, Truth: h.truth, Slot: h.sent, Second: slot, Version: s.Version}, h.truthSlot, h.due)
	if h.class == Duplicate {
		s.Copy = 1
	} else if h.twice {
		w.again(s)
	}
	return s
}

// draw takes truth records until one may pass in this slot.
func (w *Walker) draw(slot uint64) Send {
	p := w.plan
	for {
		n := w.truth
		w.truth++
		version := p.Version(n, slot)
		if version != w.version {
			w.version = version
			w.note(Fault{Class: Evolved, Truth: n, Slot: slot, Second: NoSlot, Version: version}, slot, noTime)
		}
		class, twice := p.fate(n)
		s := Send{Slot: slot, Truth: n, TruthSlot: slot, Class: class, Version: version}
		switch {
		case class == Dropped:
			w.note(Fault{Class: class, Truth: n, Slot: slot, Second: NoSlot, Version: version}, slot, noTime)
			continue
		case class.Poison():
			w.note(Fault{Class: class, Truth: n, Slot: slot, Second: NoSlot, Version: version}, slot, noTime)
			return s
		case class != OnTime && w.hold(held{
			due: p.due(n, slot, class), truth: n, truthSlot: slot, sent: slot, class: class, twice: twice,
		}):
			continue
		}
		s.Class = OnTime
		if twice {
			w.again(s)
		}
		return s
	}
}

// again holds the second copy of a record that is being sent.
func (w *Walker) again(s Send) {
	due := int64(w.plan.schedule.At(s.Slot)) + w.plan.twiceLaw.draw(w.plan.twiceDelay.At(s.Truth))
	w.hold(held{due: due, truth: s.Truth, truthSlot: s.TruthSlot, sent: s.Slot, class: Duplicate})
}

// hold keeps a copy, if there is room. If there is none the fault does not
// happen: the record is sent in its turn, or once only.
func (w *Walker) hold(h held) bool {
	if len(w.queue) >= w.plan.maxHeld {
		w.crowded++
		return false
	}
	w.queue.push(h)
	return true
}

const noTime = math.MinInt64

// note adds a fault to those of this slot.
func (w *Walker) note(f Fault, truthSlot uint64, due int64) {
	f.EventTime = w.plan.schedule.At(truthSlot)
	f.TruthSlot = truthSlot
	f.Due = f.EventTime
	if due != noTime {
		f.Due = time.Duration(due)
	}
	w.faults = append(w.faults, f)
}

// Faults returns the faults that were settled by the last call of Next or
// Finish: a late record when it leaves, a duplicate when its second copy does.
// The slice is valid until the next call.
func (w *Walker) Faults() []Fault { return w.faults }

// Finish ends the walk, at the end of the schedule or before: each copy that is
// still held becomes a fault that did not come to pass, Second is NoSlot. They
// are in the order in which they would have been due.
func (w *Walker) Finish() []Fault {
	w.faults = w.faults[:0]
	for len(w.queue) > 0 {
		h := w.queue.pop()
		w.note(Fault{
			Class: h.class, Truth: h.truth, Slot: h.sent, Second: NoSlot, Held: true,
			Version: w.plan.Version(h.truth, h.truthSlot),
		}, h.truthSlot, h.due)
	}
	w.slot = w.plan.slots
	return w.faults
}

// Slot returns the number of the next slot: how many were walked.
func (w *Walker) Slot() uint64 { return w.slot }

// Truth returns the number of the next truth record: how many were drawn.
func (w *Walker) Truth() uint64 { return w.truth }

// Held returns how many copies are held.
func (w *Walker) Held() int { return len(w.queue) }

// Crowded returns how many faults did not happen because the queue was full.
func (w *Walker) Crowded() uint64 { return w.crowded }

// held is a copy that waits.
type held struct {
	due       int64 // since the start of the run
	truth     uint64
	truthSlot uint64
	sent      uint64 // slot of the first copy, for a duplicate; else the truth slot
	class     Class
	twice     bool
}

// before is a total order: a truth record is held once at a time, for its
// second copy is held when the first one leaves.
func (h *held) before(o *held) bool {
	return h.due < o.due || h.due == o.due && h.truth < o.truth
}

// queue is a binary heap: the copy that is due first is the first.
type queue []held

func (q *queue) push(h held) {
	*q = append(*q, h)
	list := *q
	i := len(list) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !h.before(&list[up]) {
			break
		}
		list[i] = list[up]
		i = up
	}
	list[i] = h
}

func (q *queue) pop() held {
	list := *q
	first, last := list[0], list[len(list)-1]
	list = list[:len(list)-1]
	*q = list
	if len(list) == 0 {
		return first
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= len(list) {
			break
		}
		if down+1 < len(list) && list[down+1].before(&list[down]) {
			down++
		}
		if !list[down].before(&last) {
			break
		}
		list[i] = list[down]
		i = down
	}
	list[i] = last
	return first
}
