package delivery_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"slices"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

func walk(w *Walker) (sends []Send, faults []Fault) {
	for {
		s, ok := w.Next()
		if !ok {
			return sends, append(faults, w.Finish()...)
		}
		sends, faults = append(sends, s), append(faults, w.Faults()...)
	}
}

func digest(sends []Send, faults []Fault) uint64 {
	h := fnv.New64a()
	number := func(numbers ...uint64) {
		for _, n := range numbers {
			h.Write(binary.BigEndian.AppendUint64(nil, n))
		}
	}
	for _, s := range sends {
		number(s.Slot, s.Truth, s.TruthSlot, uint64(s.Class), uint64(s.Copy), uint64(s.Version))
	}
	for _, f := range faults {
		number(uint64(f.Class), f.Truth, f.Slot, f.Second, uint64(f.EventTime), uint64(f.Due))
	}
	return h.Sum64()
}

// TestGolden holds the delivery of this version of the algorithm: a change of
// one of these numbers is a new AlgoVersion.
func TestGolden(t *testing.T) {
	for _, test := range []struct {
		seed generators.Seed
		want uint64
	}{{0, 0x3b1da5dd74bcb0c3}, {42, 0x506edd666c48677e}} {
		p := mustPlan(t, test.seed, Even{PerSecond: 50, Slots: 20_000}, modelConfig())
		if got := digest(walk(p.NewWalker())); got != test.want {
			t.Errorf("seed %d: %#x, want %#x", test.seed, got, test.want)
		}
	}
}

func TestTheSameWalkAgain(t *testing.T) {
	schedule := ramp{3000}
	one := digest(walk(mustPlan(t, 8, schedule, modelConfig()).NewWalker()))
	if again := digest(walk(mustPlan(t, 8, schedule, modelConfig()).NewWalker())); again != one {
		t.Error("the same plan gives another walk")
	}
	if other := digest(walk(mustPlan(t, 9, schedule, modelConfig()).NewWalker())); other == one {
		t.Error("another seed gives the same walk")
	}
	p, err := New(8, 4, schedule, modelConfig())
	if err != nil {
		t.Fatal(err)
	}
	if other := digest(walk(p.NewWalker())); other == one {
		t.Error("another stream of the same seed gives the same walk")
	}
}

// TestDecisionsAreIndependent turns one fault off: the others stay at their
// records.
func TestDecisionsAreIndependent(t *testing.T) {
	hit := func(c Config, class Class) []uint64 {
		_, faults := walk(mustPlan(t, 4, Even{PerSecond: 10, Slots: 5000}, c).NewWalker())
		var out []uint64
		for _, f := range faults {
			if f.Class == class && f.Truth < 4000 {
				out = append(out, f.Truth)
			}
		}
		slices.Sort(out)
		return out
	}
	all := modelConfig()
	without := all
	without.OutOfOrder, without.Duplicate = Shuffled{}, Delayed{}
	for _, class := range []Class{Late, Dropped, Truncated, NotFormat} {
		if a, b := hit(all, class), hit(without, class); !slices.Equal(a, b) || len(a) == 0 {
			t.Errorf("%s: %d records, without the others %d", class, len(a), len(b))
		}
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	p := mustPlan(t, 11, Even{PerSecond: 20, Slots: 4000}, modelConfig())
	sends, faults := walk(p.NewWalker())
	w := p.NewWalker()
	var again []Send
	var noted []Fault
	for slot := range p.Slots() {
		if slot%97 == 0 { // go on from a copy, again and again
			state := w.Snapshot()
			restored, err := p.Restore(state)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(restored.Snapshot(), state) {
				t.Fatalf("slot %d: the restored walker is in another state", slot)
			}
			w = restored
		}
		s, _ := w.Next()
		again, noted = append(again, s), append(noted, w.Faults()...)
	}
	noted = append(noted, w.Finish()...)
	if !slices.Equal(sends, again) || !slices.Equal(faults, noted) {
		t.Error("a restored walk goes elsewhere")
	}
}

func TestRestoreRefuses(t *testing.T) {
	p := mustPlan(t, 11, Even{PerSecond: 20, Slots: 4000}, modelConfig())
	w := p.NewWalker()
	for range 500 {
		w.Next()
	}
	good := w.Snapshot()
	if _, err := p.Restore(good); err != nil || w.Held() == 0 {
		t.Fatal(err)
	}
	sum := func(b []byte) []byte {
		body := b[:len(b)-4]
		return binary.BigEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	}
	set := func(at int, n uint64) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint64(b[at:], n)
		return sum(b)
	}
	other := mustPlan(t, 12, Even{PerSecond: 20, Slots: 4000}, modelConfig())
	for name, bad := range map[string][]byte{
		"nothing":         nil,
		"cut":             good[:len(good)-1],
		"a bit":           append(append(bytes.Clone(good[:40]), good[40]^1), good[41:]...),
		"another magic":   sum(append([]byte("LPDW0002"), good[8:]...)),
		"another plan":    other.NewWalker().Snapshot(),
		"slot beyond":     set(16, 4001),
		"too many held":   set(48, 1<<20+1),
		"count":           set(48, 3),
		"held the future": set(56+8, 1<<40),
		"held class":      set(56+32, 99),
		"held slots":      set(56+16, 1<<40),
	} {
		if _, err := p.Restore(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzRestore(f *testing.F) {
	p := mustPlan(f, 11, Even{PerSecond: 20, Slots: 1200}, modelConfig())
	w := p.NewWalker()
	for range 1100 {
		w.Next()
	}
	f.Add(w.Snapshot())
	f.Fuzz(func(t *testing.T, state []byte) {
		if len(state) >= 4 { // the checksum would hide everything else
			body := state[:len(state)-4]
			state = binary.BigEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
		}
		w, err := p.Restore(state)
		if err != nil {
			return
		}
		walk(w)
	})
}

// TestTheQueueIsBounded gives more to hold than there is room for: the bound
// holds, the faults that do not fit do not happen, and the books close.
func TestTheQueueIsBounded(t *testing.T) {
	c := modelConfig()
	schedule := Even{PerSecond: 1000, Slots: 60_000}
	c.MaxHeld = 1 << 20
	need := 0
	p := mustPlan(t, 1, schedule, c)
	w := p.NewWalker()
	for {
		if _, ok := w.Next(); !ok {
			break
		}
		need = max(need, w.Held())
	}
	if w.Crowded() != 0 {
		t.Fatalf("%d crowded with room for all", w.Crowded())
	}
	var sum float64
	for _, q := range c.Queues(schedule) {
		sum += q.Held
	}
	if float64(need) > sum*1.1 || float64(need) < sum/2 {
		t.Errorf("%d held, expected %.0f", need, sum)
	}

	// A schedule of lumps, whose rate Check takes for low.
	small := Config{
		Late:      Delayed{Often{Share: 50 * Percent}, Law{Kind: Fixed, From: 15 * time.Second}},
		Duplicate: Delayed{Often{Share: 50 * Percent}, Law{}}, MaxHeld: 16,
	}
	p = mustPlan(t, 1, lumps{}, small)
	w = p.NewWalker()
	b := p.NewBooks(BooksOptions{})
	for {
		s, ok := w.Next()
		if !ok {
			break
		}
		b.Add(s, w.Faults())
		if w.Held() > 16 {
			t.Fatalf("%d held", w.Held())
		}
	}
	if w.Crowded() == 0 {
		t.Error("the queue was never full: this test tests nothing")
	}
	s := b.Close(w)
	if err := s.Balance(); err != nil || s.Crowded == 0 {
		t.Error(err)
	}
}

// lumps are 50 slots every ten seconds.
type lumps struct{}

func (lumps) Count() uint64                { return 1000 }
func (lumps) At(slot uint64) time.Duration { return time.Duration(slot/50) * 10 * time.Second }

func TestNextAllocatesNothing(t *testing.T) {
	p := mustPlan(t, 1, Even{PerSecond: 1000, Slots: 1 << 22}, modelConfig())
	w := p.NewWalker()
	b := p.NewBooks(BooksOptions{Start: time.Unix(1e9, 0)})
	for range 100_000 {
		s, _ := w.Next()
		b.Add(s, w.Faults())
	}
	// The queue may still grow to a new record, and an hour has new minutes.
	n := testing.AllocsPerRun(20, func() {
		for range 1000 {
			s, _ := w.Next()
			b.Add(s, w.Faults())
		}
	})
	if n > 0 {
		t.Errorf("%v allocations in 1000 slots", n)
	}
}

func TestZeroConfigSendsTheTruth(t *testing.T) {
	p := mustPlan(t, 1, Even{PerSecond: 3, Slots: 100}, Config{})
	sends, faults := walk(p.NewWalker())
	for i, s := range sends {
		if n := uint64(i); s != (Send{Slot: n, Truth: n, TruthSlot: n, Version: 1}) {
			t.Fatalf("%+v", s)
		}
	}
	if len(sends) != 100 || len(faults) != 0 {
		t.Errorf("%d sent, %d faults", len(sends), len(faults))
	}
}

// TestTheLoadTestsSchedule walks along a schedule of the load test's pacer.
func TestTheLoadTestsSchedule(t *testing.T) {
	schedule, err := pacer.New(
		pacer.Segment{Name: "ramp", To: 400, For: 20 * time.Second},
		pacer.Segment{Name: "burst", From: 900, To: 900, For: 5 * time.Second},
		pacer.Segment{Name: "calm", From: 10, To: 10, For: 100 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	p := mustPlan(t, 6, schedule, modelConfig())
	s := p.Summarize(p.Slots(), BooksOptions{Start: start})
	if err := s.Balance(); err != nil || s.Slots != schedule.Count() || s.Total.Late == 0 || s.Total.Disordered == 0 {
		t.Errorf("%v %+v", err, s.Total)
	}
}

// TestSharesAreMet counts a long walk against the configuration: five standard
// deviations.
func TestSharesAreMet(t *testing.T) {
	c := modelConfig()
	c.Poison.Often = Often{Times: 1800, Per: time.Hour}
	p := mustPlan(t, 6, Even{PerSecond: 100, Slots: 720_000}, c) // two hours
	s := p.Summarize(p.Slots(), BooksOptions{})
	n := float64(s.Total.Truth)
	poison := 3600.0 / 720_000
	pass := (1 - 0.02) * (1 - poison)
	for _, test := range []struct {
		what string
		got  uint64
		want float64
	}{
		{"dropped", s.Total.Dropped, 0.02 * n},
		{"poisoned", s.Total.Poisoned, 0.98 * poison * n},
		{"late", s.Total.Late + s.Total.Held, pass * 0.1 * n},
		{"shuffled", s.Total.Shuffled, pass * 0.9 * 0.04 * n},
		{"twice", s.Twice, pass * 0.05 * n},
	} {
		off := float64(test.got) - test.want
		if off*off > 25*test.want+test.want*test.want*1e-6 {
			t.Errorf("%s: %d, expected %.0f", test.what, test.got, test.want)
		}
	}
	var least, most uint64 = 1 << 60, 0
	for _, class := range RejectedClasses(encode.JSON) {
		least, most = min(least, s.Classes[class]), max(most, s.Classes[class])
	}
	if least < 200 || most > 450 { // 3528 over eleven classes
		t.Errorf("a class of poison was drawn %d times, another %d times", least, most)
	}
}
