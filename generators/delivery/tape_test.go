package delivery_test

import (
	"testing"
	"time"
	"unsafe"

	. "github.com/lakeproof/lakeproof/generators/delivery"
)

func TestTapeRemembersTheWalk(t *testing.T) {
	for _, c := range []Config{{}, modelConfig(), {Drop: Often{Share: 50 * Percent}}} {
		schedule := Even{PerSecond: 20, Slots: 5000}
		p := mustPlan(t, 3, schedule, c)
		sends, _ := walk(p.NewWalker())
		tape := p.Record(p.Slots())
		slots := map[uint64][]uint64{}
		for _, want := range sends {
			if got, ok := tape.At(want.Slot); !ok || got != want {
				t.Fatalf("slot %d: %+v, sent %+v", want.Slot, got, want)
			}
			slots[want.Truth] = append(slots[want.Truth], want.Slot)
		}
		if _, ok := tape.At(5000); ok || tape.Len() != 5000 {
			t.Error("there is a slot beyond the end")
		}
		for n := range tape.Truths() + 10 {
			first, second, count := tape.Slots(n)
			want := append(slots[n], NoSlot, NoSlot)
			if count != len(slots[n]) || first != want[0] || second != want[1] {
				t.Fatalf("truth %d: %d %d %d, sent in %v", n, first, second, count, slots[n])
			}
		}
		if w := p.NewWalker(); tape.Truths() == 0 || w.Truth() != 0 {
			t.Error("nothing was drawn")
		}
	}
}

func TestEmptyTape(t *testing.T) {
	tape := mustPlan(t, 3, Even{PerSecond: 20, Slots: 5}, Config{}).Record(0)
	if _, ok := tape.At(0); ok {
		t.Error("an empty tape has a slot")
	}
	if first, second, count := tape.Slots(0); first != NoSlot || second != NoSlot || count != 0 {
		t.Error("an empty tape has a record")
	}
}

// TestTapeMemory checks what its comment promises.
func TestTapeMemory(t *testing.T) {
	if unsafe.Sizeof(TapeRun{}) != TapeEntry || unsafe.Sizeof(TapeSpecial{}) != TapeEntry {
		t.Error("an entry has another size than Bytes reckons with")
	}
	const slots = 400_000
	for _, test := range []struct {
		config Config
		most   float64 // bytes a slot
	}{
		{Config{}, 0.001},
		{Config{Late: Delayed{Often{Share: Percent}, Law{Kind: LogNormal, From: 30 * time.Second, Sigma: 2000}}}, 0.8},
		{Config{Duplicate: Delayed{Often: Often{Share: 10 * Percent}}}, 5.5},
	} {
		tape := mustPlan(t, 3, Even{PerSecond: 1000, Slots: slots}, test.config).Record(slots)
		if got := float64(tape.Bytes()) / slots; got > test.most {
			t.Errorf("%s: %.3f bytes a slot, promised %.3f", test.config, got, test.most)
		}
	}
}
