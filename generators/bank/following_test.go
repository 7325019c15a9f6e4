package bank

import (
	"slices"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// followed are the events of a stream that follows, in pieces of odd sizes.
func followed(tb testing.TB, c *Config, name string, end, until int64) (events []Event) {
	tb.Helper()
	f, err := Follow(*c, name, end, until)
	if err != nil {
		tb.Fatal(err)
	}
	for size := 1; ; size = size*5%4999 + 1 {
		got, first, n := f.Next(size)
		if n == 0 && f.Ended() {
			return events
		}
		if first != uint64(len(events)) || n > size {
			tb.Fatalf("%s: %d records from %d on, after %d", name, n, first, len(events))
		}
		records, ok := got.(*part)
		if changes, is := got.(*Changes); is {
			records, ok = changes.part, true
		}
		for seq := first; ok && seq < first+uint64(n); seq++ {
			events = append(events, *records.event(seq))
		}
	}
}

func before(events []Event, end int64) []Event {
	n, _ := slices.BinarySearchFunc(events, end, func(e Event, end int64) int {
		if e.At < end {
			return -1
		}
		return 1
	})
	return events[:n]
}

// What follows is what a bank with all streams has, all of it up to the time.
func TestFollowingIsTheStream(t *testing.T) {
	t.Parallel()
	var c Config
	all := run(everything(t, func(of *Config) { c = *of }), 200_000)
	end := all[0][180_000].At
	for lane := labels; lane < lanes; lane++ {
		name := Streams()[lane]
		want := before(all[lane], end)
		if got := followed(t, &c, name, end, end); len(want) < 100 || !slices.Equal(got, want) {
			t.Errorf("%s: %d events, want %d", name, len(got), len(want))
		}
		if got := followed(t, &c, name, end-40_000_000_000, end-40_000_000_000); len(got) >= len(want) {
			t.Errorf("%s: an earlier end changes nothing", name)
		}
	}
}

// What is on its way comes to light after the end, and nothing else does.
func TestFollowingAfterTheEnd(t *testing.T) {
	t.Parallel()
	var c Config
	all := run(everything(t, func(of *Config) { c = *of }), 200_000)
	const number = 100_000
	end, until := all[0][number].At, all[0][len(all[0])-1].At
	got := followed(t, &c, "labels", end, until)
	var want []Event
	for _, e := range before(all[labels], until) {
		if all[0][e.Order-1].At < end {
			want = append(want, e)
		}
	}
	if n := len(before(want, end)); !slices.Equal(got, want) || n == len(want) {
		t.Errorf("%d labels, want %d, of them %d after the end", len(got), len(want), len(want)-n)
	}
}

func TestFollowingRefuses(t *testing.T) {
	var c Config
	b := open(t, func(of *Config) { c = *of })
	for _, name := range []string{"payments", "labels", "leger"} {
		if _, err := Follow(c, name, opening+1, opening+1); err == nil {
			t.Errorf("%s follows from others", name)
		}
	}
	if events := followed(t, &c, "ledger", opening, opening); len(events) != len(b.homes) {
		t.Errorf("%d entries before anything happened", len(events))
	}
}

// Records are filled as the bank's own stream fills them.
func TestFollowingFills(t *testing.T) {
	var c Config
	b := everything(t, func(of *Config) { c = *of })
	own, err := b.Stream("ledger")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Follow(c, "ledger", opening+3_600_000_000, opening+3_600_000_000)
	if err != nil {
		t.Fatal(err)
	}
	got, want := generators.NewEvent(f.Schema()), generators.NewEvent(f.Schema())
	for filled := 0; filled < 2200 && !f.Ended(); {
		part, first, n := f.Next(1000)
		filled += n
		for i := range uint64(n) {
			part.Fill(got, first+i, 0)
			own.Fill(want, first+i, 0)
			if !slices.Equal(got.Values, want.Values) {
				t.Fatalf("entry %d: %v, want %v", first+i, got.Values, want.Values)
			}
		}
	}
}
