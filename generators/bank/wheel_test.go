package bank

import (
	"slices"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// The wheel gives the same as sorting, for delays from nothing to months, with
// entries that come while others leave.
func TestWheelIsSorting(t *testing.T) {
	for seed := range generators.Seed(20) {
		r, w := seed.Rand("wheel"), newWheel(0, 10)
		var model []pending
		now, pushed, popped := int64(0), uint32(0), 0
		for n := range uint64(20_000) {
			now += int64(generators.Below(r.At(4*n), 3000))
			for p := w.peek(now); p != nil; p = w.peek(now) {
				got := w.pop()
				at := 0
				for i := range model {
					if model[i].due < model[at].due {
						at = i
					}
				}
				if got != model[at] {
					t.Fatalf("seed %d: got %+v, want %+v", seed, got, model[at])
				}
				model = slices.Delete(model, at, at+1)
				popped++
			}
			for _, p := range model {
				if p.due <= now {
					t.Fatalf("seed %d: at %d, %+v is still there", seed, now, p)
				}
			}
			if len(model) < 200 {
				delay := int64(r.At(4*n+1) >> (36 + generators.Below(r.At(4*n+2), 28)))
				p := pending{due: now + delay, account: pushed}
				pushed++
				w.push(p)
				model = append(model, p)
			}
			if n%5000 == 0 {
				w = w.clone()
			}
			if w.count != len(model) {
				t.Fatalf("seed %d: %d entries, want %d", seed, w.count, len(model))
			}
		}
		if popped < 1000 {
			t.Errorf("seed %d: only %d entries came out", seed, popped)
		}
	}
}

// An entry that is due in the past comes next, behind those that were due before
// it, and pages are used again.
func TestWheelInThePast(t *testing.T) {
	w := newWheel(1<<40, 8)
	for round := range int64(1000) {
		now := int64(1)<<40 + round<<20
		w.peek(now)
		for i, due := range []int64{now, now - 500, now - 500, 5, now + 1} {
			w.push(pending{due: due, account: uint32(i)})
		}
		var order []uint32
		for w.peek(now+1) != nil {
			order = append(order, w.pop().account)
		}
		if !slices.Equal(order, []uint32{3, 1, 2, 0, 4}) {
			t.Fatalf("round %d: order %v", round, order)
		}
	}
	if len(w.pool) > 4 {
		t.Errorf("%d pages for five entries", len(w.pool))
	}
}

func BenchmarkWheel(b *testing.B) {
	r, w := generators.Seed(1).Rand("bench"), newWheel(0, 16)
	now := int64(0)
	for i := range uint64(500_000) {
		w.push(pending{due: int64(r.At(i) >> 27)}) // up to 38 hours
	}
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		now += 274_000
		for w.peek(now) != nil {
			p := w.pop()
			p.due = now + int64(r.At(n)>>27)
			w.push(p)
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/entry")
}
