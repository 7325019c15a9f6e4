package bank

import (
	"slices"
	"sync"
)

// tape gives every event of a bank at random: those of late from memory, others
// by letting the bank work again from the nearest point that was kept. It may be
// used from many goroutines.
type tape struct {
	mu    sync.Mutex
	kept  []*engine // as they were, in the order of their age; the first is the opening
	gap   int       // blocks of the first lane between two of them
	live  *engine   // at the end of what was asked for
	back  *engine   // where somebody looks back
	last  *Block    // the answer to most questions
	cache []*Block  // the last ones, of all lanes
}

// Block is events of one stream that follow each other.
type Block struct {
	Lane   int
	First  uint64
	Events []Event
}

const (
	keptEngines = 6 // at most; each is as big as what changes in a bank
	keptBlocks  = 256
	firstGap    = 256 // blocks
)

func newTape(e *engine) *tape {
	return &tape{kept: []*engine{e.clone()}, gap: firstGap, live: e}
}

// event returns event n of a lane. The pointer stays valid.
func (t *tape) event(lane int, n uint64) *Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.last; b == nil || !b.has(lane, n) {
		t.last = t.block(lane, n)
	}
	return &t.last.Events[n-t.last.First]
}

// blockOf returns the block that holds an event.
func (t *tape) blockOf(lane int, n uint64) *Block {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.block(lane, n)
}

func (b *Block) has(lane int, n uint64) bool {
	return b.Lane == lane && n >= b.First && n-b.First < uint64(len(b.Events))
}

// block finds or makes the block that holds an event.
func (t *tape) block(lane int, n uint64) *Block {
	for _, b := range t.cache {
		if b.has(lane, n) {
			return b
		}
	}
	if n >= t.live.lanes[lane].next-uint64(len(t.live.lanes[lane].block)) {
		return t.forward(t.live, lane, n, true)
	}
	if b := t.back; b == nil || n < b.lanes[lane].next-uint64(len(b.lanes[lane].block)) || t.nearer(b, lane, n) {
		t.back = t.before(lane, n).clone()
	}
	return t.forward(t.back, lane, n, false)
}

// before is the last engine kept that has yet to make an event.
func (t *tape) before(lane int, n uint64) *engine {
	i, _ := slices.BinarySearchFunc(t.kept, n, func(e *engine, n uint64) int {
		if l := &e.lanes[lane]; l.next-uint64(len(l.block)) <= n {
			return -1
		}
		return 1
	})
	return t.kept[max(0, i-1)]
}

// nearer reports whether an engine that was kept is nearer to an event than b is.
func (t *tape) nearer(b *engine, lane int, n uint64) bool {
	return t.before(lane, n).lanes[lane].next > b.lanes[lane].next
}

// forward lets an engine work until it has made an event.
func (t *tape) forward(e *engine, lane int, n uint64, keep bool) *Block {
	for {
		b := e.block()
		if len(t.cache) == keptBlocks {
			t.cache = slices.Delete(t.cache, 0, 1)
		}
		t.cache = append(t.cache, b)
		if keep {
			t.keep(e, b)
		}
		if b.has(lane, n) {
			return b
		}
	}
}

// block makes the next block of any stream.
func (e *engine) block() *Block {
	l := e.advance()
	b := &Block{Lane: l.index, First: l.next - uint64(len(l.block)), Events: l.block}
	l.block = make([]Event, 0, blockSize)
	return b
}

// keep remembers the engine every so many blocks; when there are too many, every
// second one is forgotten.
func (t *tape) keep(e *engine, b *Block) {
	if b.Lane != 0 || int(b.First/blockSize+1)%t.gap != 0 {
		return
	}
	t.kept = append(t.kept, e.clone())
	if len(t.kept) <= keptEngines {
		return
	}
	t.gap *= 2
	half := (len(t.kept) + 1) / 2
	for i := range half {
		t.kept[i] = t.kept[2*i]
	}
	t.kept = slices.Delete(t.kept, half, len(t.kept))
}
