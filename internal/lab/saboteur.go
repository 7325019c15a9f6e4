//go:build !nolab

package lab

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/lakeproof/lakeproof/generators"
)

// saboteur chooses the records that are treated wrongly and keeps the truth
// about them. All streams of a lab share one.
//
// It counts the records in the order in which the engine takes them and has
// chosen the counts beforehand, so exactly as many are hit as were asked for
// once that many records have passed, whatever the sizes of the batches.
type saboteur struct {
	mu   sync.Mutex
	next uint64          // records passed
	plan map[uint64]Kind // by the number of the record
	rng  *rand.Rand
	done []Act
}

// newSaboteur draws distinct records among the first 90 % of those expected:
// the run may end a little early. Delayed ones come from the first half, so
// that they can still arrive within it.
func newSaboteur(s Sabotage, expected, seed uint64) *saboteur {
	if expected == 0 {
		expected = defaultExpected
	}
	span := max(expected-expected/10, 2*uint64(s.Total()), 1)
	b := &saboteur{plan: make(map[uint64]Kind), rng: rand.New(rand.NewPCG(seed, 0x5ab07a6e))}
	kinds := Kinds()
	slices.Reverse(kinds) // delays have the smaller span: before the kinds that could fill it
	slices.SortStableFunc(kinds, func(x, y Kind) int { return delayFirst(x) - delayFirst(y) })
	for _, kind := range kinds {
		within := span
		if kind == Delay {
			within = max(span/2, 1)
		}
		for range *s.counts()[kind] {
			at := b.rng.Uint64N(within)
			for _, taken := b.plan[at]; taken; _, taken = b.plan[at] {
				at = (at + 1) % span
			}
			b.plan[at] = kind
		}
	}
	return b
}

func delayFirst(k Kind) int {
	if k == Delay {
		return 0
	}
	return 1
}

// take says how to treat the next record; "" is to treat it well.
func (b *saboteur) take() Kind {
	b.mu.Lock()
	defer b.mu.Unlock()
	kind := b.plan[b.next]
	b.next++
	return kind
}

// confirm keeps what a batch did, once the batch is committed.
func (b *saboteur) confirm(acts []Act) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(b.done, acts...)
}

func (b *saboteur) acts() []Act {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.done)
}

// idle reports that nothing is to be done, so that streams need not ask.
func (b *saboteur) idle() bool { return len(b.plan) == 0 }

// foreignID makes an identifier that none of our runs sealed: a random UUID of
// version 4 or 8 (RFC 9562 sections 5.4 and 5.8).
func (b *saboteur) foreignID() (id generators.ID128) {
	b.mu.Lock()
	defer b.mu.Unlock()
	binary.BigEndian.PutUint64(id[:8], b.rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], b.rng.Uint64())
	version := byte(0x40)
	if id[6]&1 == 1 {
		version = 0x80
	}
	id[6] = id[6]&0x0f | version
	id[8] = id[8]&0x3f | 0x80
	return id
}

// target returns the field that a corruption changes: an amount where there is
// one, else the first number, else the first text.
func target(s *generators.Schema) int {
	best, rank := -1, 0
	for i, f := range s.Fields {
		r := 0
		switch {
		case f.Kind == generators.Long && strings.Contains(f.Name, "amount"):
			r = 3
		case f.Kind == generators.Long || f.Kind == generators.Int:
			r = 2
		case f.Kind == generators.String || f.Kind == generators.Bool:
			r = 1
		}
		if r > rank {
			best, rank = i, r
		}
	}
	return best
}

// corrupt changes field at of the event to another value of its type.
func corrupt(s *generators.Schema, ev *generators.Event, at int) {
	if at < 0 {
		return
	}
	v := &ev.Values[at]
	switch {
	case v.Null:
		v.Null = false
	case s.Fields[at].Kind == generators.String:
		v.Str += "?"
	default:
		v.Int ^= 1
	}
}

// cloneEvent copies an event that is kept beyond its record.
func cloneEvent(ev *generators.Event) *generators.Event {
	return &generators.Event{ID: ev.ID, Values: slices.Clone(ev.Values)}
}
