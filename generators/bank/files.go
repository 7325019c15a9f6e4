package bank

import (
	"math"
	"math/bits"
)

// files hold what is due on another day, as a bank's batch does: a file for each
// half hour, in which entries lie in the order in which they came. A file is
// worked off when its half hour is over. So each entry is written once and read
// once, one after the other; only what lies beyond all files is put back now and
// then.
type files struct {
	now    int64 // the half hour whose file is open; those before it are empty
	ready  int64 // nothing can be taken before this time, unless it is put there
	count  int
	open   []slip // what is left of a page that was taken out of the open file
	opened int    // how much there was of it
	page   int32  // that page, or -1
	slots  [fileSlots]list
	used   [fileSlots / 64]uint64 // bitmap of the files that hold something
	wide   waiting                // what no slip has room for
	pages[slip]
}

const (
	fileShift = 31   // microseconds in a file, as a power of two: 36 minutes
	fileSlots = 2048 // 51 days
)

// slip is something pending in a file, in half the bytes: there is much of it.
type slip struct {
	amount  int64
	number  uint64 // that of the pending one, and its flow in the upper byte; or the ticket of a wide one
	due     uint32 // after the beginning of its half hour, or wide
	account uint32
	other   uint32
	state   int16
	market  uint8
	times   uint8
}

// wide is the due of a slip that stands for something that does not fit: it has an
// order, a crime or a caller, or its half hour has no file of its own.
const wide = 1 << fileShift

const flowShift = 56

func newFiles(start int64) *files {
	f := &files{now: start >> fileShift, page: -1, pages: pages[slip]{free: -1}}
	for i := range f.slots {
		f.slots[i] = noList()
	}
	return f
}

// push adds an entry. One that is due before the open file is put into that.
func (f *files) push(p *pending) {
	f.count++
	f.put(p)
}

func (f *files) put(p *pending) {
	tick := min(max(p.due>>fileShift, f.now), f.now+fileSlots-1)
	slot := tick % fileSlots
	f.used[slot/64] |= 1 << (slot % 64)
	s := f.add(&f.slots[slot])
	s.amount, s.number, s.due = p.amount, p.number|uint64(p.flow)<<flowShift, uint32(p.due&(wide-1))
	s.account, s.other, s.state, s.market, s.times = p.account, p.other, p.state, p.market, p.times
	if p.order|uint64(p.crime)|uint64(p.caller) != 0 || tick != p.due>>fileShift {
		s.number, s.due = uint64(f.wide.put(p)), wide
	}
	if tick == f.now {
		f.ready = math.MinInt64
	} else {
		f.ready = min(f.ready, (tick+1)<<fileShift)
	}
}

// peek reports whether there is an entry of a file whose half hour is over at a time.
func (f *files) peek(at int64) bool { return len(f.open) > 0 || at >= f.ready && f.turn(at) }

// idle reports whether there is surely nothing to take before a time.
func (f *files) idle(at int64) bool { return len(f.open) == 0 && at < f.ready }

// due is when the entry is due that peek found.
func (f *files) due() int64 {
	s := &f.open[0]
	if s.due == wide {
		return f.wide.flows[s.number-1].due
	}
	return f.now<<fileShift + int64(s.due)
}

// begun returns the entries that lie together with the one that peek found, when
// that is the first of them.
func (f *files) begun() []slip {
	if len(f.open) < f.opened {
		return nil
	}
	return f.open
}

// take takes the entry that peek found.
func (f *files) take(p *pending) {
	s := &f.open[0]
	f.open = f.open[1:]
	f.count--
	if s.due == wide {
		*p = f.wide.take(uint32(s.number))
		return
	}
	p.due, p.amount, p.number = f.now<<fileShift+int64(s.due), s.amount, s.number&(1<<flowShift-1)
	p.order, p.crime, p.account, p.other, p.caller = 0, 0, s.account, s.other, 0
	p.state, p.flow, p.market, p.times = s.state, uint8(s.number>>flowShift), s.market, s.times
}

// turn goes on to the next page of what can be taken at a time.
func (f *files) turn(at int64) bool {
	for {
		if f.page >= 0 {
			f.drop(f.page)
			f.page = -1
		}
		slot := f.now % fileSlots
		l := &f.slots[slot]
		if l.first < 0 {
			f.used[slot/64] &^= 1 << (slot % 64)
			if !f.advance(at) {
				return false
			}
			continue
		}
		f.page = l.first
		page := f.entries(l, f.page)
		if l.first = f.after[f.page]; l.first < 0 {
			l.last = -1
		}
		f.open = f.keep(page)
		if f.opened = len(f.open); f.opened > 0 {
			return true
		}
	}
}

// keep leaves those entries on a page of the open file that belong there, and puts
// those back that lay beyond all files.
func (f *files) keep(page []slip) []slip {
	n := 0
	for i := range page {
		s := &page[i]
		if s.due == wide && f.wide.flows[s.number-1].due>>fileShift > f.now {
			p := f.wide.take(uint32(s.number))
			f.put(&p)
			continue
		}
		if n < i {
			page[n] = *s
		}
		n++
	}
	return page[:n]
}

// advance goes on to the next file that holds something and whose half hour is
// over at a time.
func (f *files) advance(at int64) bool {
	tick, ok := f.following()
	if !ok {
		f.ready, f.now = math.MaxInt64, max(f.now, at>>fileShift)
		return false
	}
	if end := (tick + 1) << fileShift; end > at {
		f.ready = end
		return false
	}
	f.now, f.ready = tick, math.MinInt64
	return true
}

// following finds the first file that holds something.
func (f *files) following() (tick int64, ok bool) {
	from := f.now % fileSlots
	for i := range int64(len(f.used) + 1) {
		at := (from/64 + i) % int64(len(f.used))
		word := f.used[at]
		if i == 0 {
			word &= math.MaxUint64 << (from % 64)
		}
		if word != 0 {
			slot := at*64 + int64(bits.TrailingZeros64(word))
			return f.now + (slot-from+fileSlots)%fileSlots, true
		}
	}
	return 0, false
}

func (f *files) clone() *files {
	c := *f
	c.pages, c.wide = f.pages.clone(), f.wide.clone()
	if c.page >= 0 {
		c.open = c.at(c.page)[f.opened-len(f.open) : f.opened]
	}
	return &c
}
