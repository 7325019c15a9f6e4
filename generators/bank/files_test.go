package bank

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// The files give each entry once, when its half hour is over and not before, those
// of earlier half hours first and those of one in the order in which they came (but
// for those that lay beyond all files), for delays from nothing to months, with
// entries that come while others leave.
func TestFilesGiveWhatIsDue(t *testing.T) {
	const half = 1 << fileShift
	for seed := range generators.Seed(20) {
		r, f := seed.Rand("files"), newFiles(opening)
		var near, far []pending // in the order in which they are to come; amount is that in which they came
		now, tick, pushed, popped := int64(opening), int64(0), int64(0), 0
		over := func(all []pending) bool { return len(all) > 0 && (all[0].due>>fileShift+1)<<fileShift <= now }
		for n := range uint64(20_000) {
			now += int64(generators.Below(r.At(4*n), half/2))
			for f.peek(now) {
				var got pending
				due := f.due()
				if f.take(&got); due != got.due {
					t.Fatalf("seed %d: due at %d, then %+v", seed, due, got)
				}
				model := &near
				if got.other > 0 {
					model = &far
				}
				if got.due>>fileShift < tick || (*model)[0] != got {
					t.Fatalf("seed %d: after half hour %d got %+v, want %+v", seed, tick, got, (*model)[0])
				}
				*model, tick = (*model)[1:], got.due>>fileShift
				popped++
			}
			if over(near) || over(far) {
				t.Fatalf("seed %d: at %d something is still there", seed, now)
			}
			for range generators.Below(r.At(4*n+3), 4) {
				p := pending{due: now + int64(r.At(4*n+1)>>(23+generators.Below(r.At(4*n+2), 20))), amount: pushed} // up to 26 days
				p.number, p.flow, p.state = r.At(4*n+2)>>8, uint8(n), int16(n%100)-1
				p.account, p.market, p.times = uint32(n), uint8(pushed), uint8(n>>4)
				switch pushed % 11 { // these fit into no slip
				case 1:
					p.order = 7
				case 2:
					p.crime = 8
				case 3:
					p.caller = 9
				}
				model := &near
				if n%100 == 0 {
					p.due, p.other, model = p.due+2*fileSlots*half, 1, &far
				}
				p.due += pushed
				pushed++
				f.push(&p)
				at, _ := slices.BinarySearchFunc(*model, p, func(a, b pending) int {
					return cmp.Or(cmp.Compare(a.due>>fileShift, b.due>>fileShift), cmp.Compare(a.amount, b.amount))
				})
				*model = slices.Insert(*model, at, p)
			}
			if n%5000 == 0 {
				f = f.clone()
			}
			if want := len(near) + len(far); f.count != want {
				t.Fatalf("seed %d: %d entries, want %d", seed, f.count, want)
			}
		}
		if popped < 10_000 {
			t.Errorf("seed %d: only %d entries came out", seed, popped)
		}
		if bound := (int64(f.count)+fileSlots*pageSize)/(pageSize*chunk) + 1; int64(len(f.pool)) > bound {
			t.Errorf("seed %d: %d times %d pages", seed, len(f.pool), chunk)
		}
	}
}

// What is due before the open file comes with the rest of it, and nothing is lost by
// clocks that jump.
func TestFilesInThePast(t *testing.T) {
	f := newFiles(opening)
	at := int64(opening)
	for _, jump := range []int64{dayLong, 400 * dayLong, math.MaxInt64 - opening - 401*dayLong} {
		at += jump
		if f.peek(at) {
			t.Fatal("something is there before anything came")
		}
		for i, due := range []int64{at - dayLong, at - 3*dayLong, 0} {
			f.push(&pending{due: due, account: uint32(i)})
		}
		var came []uint32
		for f.peek(at) {
			var p pending
			f.take(&p)
			if came = append(came, p.account); len(came) == 2 {
				f = f.clone()
			}
		}
		if slices.Sort(came); !slices.Equal(came, []uint32{0, 1, 2}) || f.count != 0 {
			t.Fatalf("at %d: %v came, %d are left", at, came, f.count)
		}
	}
}
