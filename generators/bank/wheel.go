package bank

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// pending is something that will happen: the next state of a flow that is under
// way, or the beginning of one.
type pending struct {
	due     int64  // microseconds since the Unix epoch
	amount  int64  // of the flow, minor units of its market's currency
	number  uint64 // of the flow's first event, and one; 0: there was none yet
	order   uint64 // number of the order that it pays, and one; 0: none; of a trade, when it began
	crime   crime
	account uint32
	other   uint32 // merchant or account
	caller  uint32 // who waits for the outcome, and one; 0: nobody
	state   int16  // or toBegin
	flow    uint8
	market  uint8 // whose currency the amount is in
	times   uint8 // how often the flow went round
}

// toBegin is the state of a flow that has not begun.
const toBegin = -1

// crime is a step of a case, as bits: its number, typology, role and hop, and
// whether a stranger's device is used. 0 is none.
type crime uint64

func newCrime(number uint64, kind int, role, hop uint8, stranger bool) crime {
	c := crime(number+1)<<24 | crime(kind)<<16 | crime(role)<<12 | crime(hop)
	if stranger {
		c |= 1 << 11
	}
	return c
}

func (c crime) number() uint64 { return uint64(c>>24) - 1 }
func (c crime) kind() int      { return int(c >> 16 & 0xff) }
func (c crime) role() uint8    { return uint8(c >> 12 & 0xf) }
func (c crime) stranger() bool { return c&(1<<11) != 0 }
func (c crime) hop() uint8     { return uint8(c) }

// wheel holds what is pending, the earliest first: a monotone radix queue. Each
// level has a slot for each value of one byte of the tick number; an entry lies
// at the level of the highest byte in which its tick differs from the current
// one, and moves down when the clock gets there: a few moves for each entry,
// whatever the number of entries, and each of them to the end of a list.
//
// Entries of the same microsecond come out in the order in which they went in,
// so that the queue adds nothing of its own to what happens.
type wheel struct {
	shift uint  // microseconds in a tick, as a power of two
	now   int64 // the current tick; all entries before it are in head
	idle  int64 // no entry that is not in head is due before this tick
	count int

	head  []pending // entries up to and with the current tick, sorted; from next on
	next  int
	slots [levels][256]list
	used  [levels][4]uint64 // bitmap of the slots that hold something
	pages[pending]
}

const levels = 8

// newWheel returns an empty wheel that begins at a time. The shift makes ticks
// of about the time in which a handful of entries become due.
func newWheel(start int64, shift uint) *wheel {
	w := &wheel{shift: shift, now: start >> shift, pages: pages[pending]{free: -1}}
	for l := range w.slots {
		for s := range w.slots[l] {
			w.slots[l][s] = noList()
		}
	}
	return w
}

// push adds an entry. One that is due before the current tick is due in it.
func (w *wheel) push(p pending) {
	w.count++
	tick := p.due >> w.shift
	if tick <= w.now {
		at, _ := slices.BinarySearchFunc(w.head[w.next:], p.due, func(e pending, due int64) int {
			if e.due <= due {
				return -1
			}
			return 1
		})
		w.head = slices.Insert(w.head, w.next+at, p)
		return
	}
	w.idle = min(w.idle, tick)
	w.place(&p, tick)
}

// place appends an entry to the list of its slot.
func (w *wheel) place(p *pending, tick int64) {
	level := (bits.Len64(uint64(tick^w.now)) - 1) / 8
	slot := uint8(tick >> (8 * level))
	w.used[level][slot/64] |= 1 << (slot % 64)
	*w.add(&w.slots[level][slot]) = *p
}

// peek returns the earliest entry that is due at a time, or nil.
func (w *wheel) peek(t int64) *pending {
	if w.next == len(w.head) && t>>w.shift < w.idle { // mostly; short enough to need no call
		return nil
	}
	return w.find(t)
}

func (w *wheel) find(t int64) *pending {
	if w.next == len(w.head) && !w.advance(t>>w.shift) {
		return nil
	}
	if p := &w.head[w.next]; p.due <= t {
		return p
	}
	return nil
}

// begun returns the entries up to the current tick when peek returned the first of
// them.
func (w *wheel) begun() []pending {
	if w.next > 0 {
		return nil
	}
	return w.head
}

// pop takes the entry that peek returned.
func (w *wheel) pop() pending {
	p := w.head[w.next]
	w.next++
	w.count--
	if w.next == len(w.head) {
		w.head, w.next = w.head[:0], 0
	}
	return p
}

// advance goes to the next tick that holds something, but not beyond limit.
func (w *wheel) advance(limit int64) bool {
	for {
		level, slot, ok := w.earliest()
		if !ok {
			w.idle = math.MaxInt64
			return false
		}
		below := uint(8 * level)
		tick := w.now>>(below+8)<<(below+8) | int64(slot)<<below // of the slot's beginning
		if tick > limit {
			w.idle = tick
			return false
		}
		w.now = tick
		w.open(level, slot)
		if len(w.head) > 0 {
			slices.SortStableFunc(w.head, func(a, b pending) int { return cmp.Compare(a.due, b.due) })
			return true
		}
	}
}

// earliest finds the slot with the earliest entries: the lowest level that has
// any, and there the first one.
func (w *wheel) earliest() (level int, slot uint8, ok bool) {
	for level := range w.used {
		for i, word := range w.used[level] {
			if word != 0 {
				return level, uint8(i*64 + bits.TrailingZeros64(word)), true
			}
		}
	}
	return 0, 0, false
}

// open empties a slot whose time has come, into lower levels or the head.
func (w *wheel) open(level int, slot uint8) {
	l := w.slots[level][slot]
	w.slots[level][slot] = noList()
	w.used[level][slot/64] &^= 1 << (slot % 64)
	for i := l.first; i >= 0; i = w.drop(i) {
		entries := w.entries(&l, i)
		for n := range entries {
			p := &entries[n]
			if tick := p.due >> w.shift; tick <= w.now {
				w.head = append(w.head, *p)
			} else {
				w.place(p, tick)
			}
		}
	}
}

// clone returns a copy that shares nothing.
func (w *wheel) clone() *wheel {
	c := *w
	c.head, c.next = slices.Clone(w.head[w.next:]), 0
	c.pages = w.pages.clone()
	return &c
}
