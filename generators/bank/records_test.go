package bank

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// digest hashes records of a stream.
func digest(t *testing.T, s generators.Stream, first uint64, count int) string {
	t.Helper()
	ev, h, buf := generators.NewEvent(s.Schema()), sha256.New(), make([]byte, 0, 1024)
	part := s.(generators.Ranger).Range(first, count)
	for n := first; n < first+uint64(count); n++ {
		part.Fill(ev, n, 0)
		buf = buf[:0]
		for _, v := range ev.Values {
			buf = binary.LittleEndian.AppendUint64(buf, uint64(v.Int))
			buf = append(append(buf, v.Str...), 0)
			if v.Null {
				buf = append(buf, 1)
			}
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// The records of seed 1, the same on every machine and for whoever asks in
// whatever order. Only a new AlgoVersion may change them.
func TestGolden(t *testing.T) {
	t.Parallel()
	counts := []int{60_000, 3000, 1500, 1000, 2000, 100, 40_000, 2050}
	var want strings.Builder
	b := everything(t, nil)
	for i, name := range Streams() {
		s, err := b.Stream(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, "%s %d %s\n", name, counts[i], digest(t, s, 0, counts[i]))
	}
	const file = "testdata/digests.txt"
	golden, err := os.ReadFile(file)
	if err != nil || string(golden) != want.String() {
		t.Errorf("%s: %v; the records of seed 1 are now\n%s", file, err, want.String())
	}
}

// Several workers that ask one bank for parts get what one gets, and so does
// whoever asks for the streams backwards.
func TestWorkersAgree(t *testing.T) {
	t.Parallel()
	const parts, size = 5, 1500
	counts := []int{parts * size, 1000, 600, 500, 800, 5, parts * size, 2010}
	want := map[string]string{}
	b := everything(t, nil)
	for i, name := range Streams() {
		s, _ := b.Stream(name)
		for first := 0; first < counts[i]; first += size {
			want[fmt.Sprint(name, first)] = digest(t, s, uint64(first), min(size, counts[i]-first))
		}
	}
	for _, workers := range []int{1, 4} {
		b, got := everything(t, nil), map[string]string{}
		var mu sync.Mutex
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				for i := range Streams() {
					name := Streams()[len(Streams())-1-i]
					s, _ := b.Stream(name)
					count := counts[len(Streams())-1-i]
					for first := w * size; first < count; first += workers * size {
						sum := digest(t, s, uint64(first), min(size, count-first))
						mu.Lock()
						got[fmt.Sprint(name, first)] = sum
						mu.Unlock()
					}
				}
			})
		}
		group.Wait()
		for key, sum := range want {
			if got[key] != sum {
				t.Errorf("%d workers: part %s differs", workers, key)
			}
		}
	}
	other := everything(t, func(c *Config) { c.Seed = 2 }) // the control
	if s, _ := other.Stream("orders"); digest(t, s, 0, size) == want["orders0"] {
		t.Error("another seed has the same orders")
	}
}

// The streams that cost something change nothing of those that do not know them.
func TestExtraStreamsChangeNothing(t *testing.T) {
	t.Parallel()
	with, without := everything(t, nil), everything(t, func(c *Config) { c.Ledger, c.Changes = false, false })
	for i, name := range Streams()[:labels+1] {
		a, err := with.Stream(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := without.Stream(name)
		if err != nil {
			t.Fatal(err)
		}
		count := []int{20_000, 500, 300, 300, 500, 10}[i]
		if digest(t, a, 0, count) != digest(t, b, 0, count) {
			t.Errorf("%s differs", name)
		}
	}
	for _, name := range []string{"ledger", "customers", "lunch"} {
		if _, err := without.Stream(name); err == nil {
			t.Errorf("a bank without it has the stream %s", name)
		}
	}
}

// Records fit their schemas: plain texts are plain, nothing is null that must
// not be, and the texts are not empty.
func TestRecordsFitTheirSchemas(t *testing.T) {
	t.Parallel()
	b := everything(t, nil)
	all := run(b, 450_000) // until the first instalments
	for i, name := range Streams() {
		s, err := Schema(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		if n := len(s.Fields); n < 14 || n > 22 {
			t.Errorf("%s has %d fields", name, n)
		}
		ev, fill, nulls := generators.NewEvent(s), b.fills()[i], make([]int, len(s.Fields))
		for n := range all[i] {
			fill(ev, &all[i][n])
			if what := unfit(s, ev, nulls); what != "" {
				t.Fatalf("%s %d: %s in %+v", name, n, what, ev.Values)
			}
		}
		for at, f := range s.Fields {
			if f.Nullable && i != labels && (nulls[at] == 0 || nulls[at] == len(all[i])) && len(all[i]) > 1000 {
				t.Errorf("%s: %s is null in %d of %d", name, f.Name, nulls[at], len(all[i]))
			}
		}
		ev.Values[3] = generators.Value{Str: `"`, Null: true} // the control
		if unfit(s, ev, nulls) == "" {
			t.Errorf("%s: a quote or a null is not seen", name)
		}
	}
}

func unfit(s *generators.Schema, ev *generators.Event, nulls []int) string {
	for at, f := range s.Fields[:len(s.Fields)-1] {
		v := ev.Values[at]
		if v.Null {
			nulls[at]++
			if !f.Nullable {
				return f.Name + " is null"
			}
			if v.Str != "" || v.Int != 0 {
				return f.Name + " is null and something"
			}
			continue
		}
		switch f.Kind {
		case generators.String:
			if v.Str == "" || f.Plain && strings.ContainsFunc(v.Str, func(c rune) bool {
				return c < ' ' || c > '~' || c == '"' || c == '\\'
			}) {
				return f.Name + " is not plain"
			}
		case generators.Timestamp:
			if v.Int%1000 != 0 || v.Int < opening-1000 {
				return f.Name + " is no time"
			}
		case generators.Int:
			if v.Int != int64(int32(v.Int)) {
				return f.Name + " is too large"
			}
		case generators.Bool:
			if v.Int != 0 && v.Int != 1 {
				return f.Name + " is neither"
			}
		}
	}
	return ""
}

// Records are made of texts that are there: nothing is allocated but the names
// of customers.
func TestFillAllocatesNothing(t *testing.T) {
	b := everything(t, nil)
	all := run(b, 150_000)
	for i, name := range Streams()[:customers] {
		s, _ := Schema(name)
		ev, fill := generators.NewEvent(s), b.fills()[i]
		if len(all[i]) == 0 {
			t.Fatalf("%s: no events", name)
		}
		n := 0
		if allocs := testing.AllocsPerRun(500, func() {
			fill(ev, &all[i][n%len(all[i])])
			n++
		}); allocs != 0 {
			t.Errorf("%s: %v allocations for a record", name, allocs)
		}
	}
}

// A trade is worth its quantity at its price, and its price is the market's when
// it was ordered, whatever happens to it later.
func TestTradesHaveTheMarketsPrice(t *testing.T) {
	t.Parallel()
	b := everything(t, nil)
	all := run(b, 100_000)
	ev := generators.NewEvent(tradeSchema())
	limits, moved := map[int64]int64{}, 0
	for n := range all[4] {
		e := &all[4][n]
		b.fillTrade(ev, e)
		v := ev.Values
		limit, trade := v[traLimit].Int, v[traTrade].Int
		if trade == int64(n) {
			limits[trade] = limit
			if limit != v[traMarket].Int {
				t.Fatalf("trade %d is ordered at %d when the market has %d", trade, limit, v[traMarket].Int)
			}
		}
		if limits[trade] != limit {
			t.Fatalf("trade %d: limit %d was %d", trade, limit, limits[trade])
		}
		if v[traMarket].Int != limit {
			moved++
		}
		worth := v[traQuantity].Int * limit / 1_000_000
		if off := v[traAmount].Int - worth; off < 0 || off > 1+limit/1_000_000 {
			t.Fatalf("trade %d: %d is not %d millionths at %d", trade, v[traAmount].Int, v[traQuantity].Int, limit)
		}
	}
	if moved < len(all[4])/4 {
		t.Errorf("the market moved for %d of %d events", moved, len(all[4]))
	}
}
