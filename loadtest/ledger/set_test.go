package ledger

import (
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func collect(seq func(func(Range) bool)) []Range {
	var out []Range
	seq(func(r Range) bool { out = append(out, r); return true })
	return out
}

// TestSetAgainstMap: whatever is added, the set is what a plain map would be.
func TestSetAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Uint64Range(1, 3*chunkBits+17).Draw(t, "limit")
		set, model := NewSet(limit), map[uint64]bool{}
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			first := rapid.Uint64Range(0, limit+10).Draw(t, "first")
			last := first + rapid.Uint64Range(0, chunkBits+100).Draw(t, "length")
			if rapid.Bool().Draw(t, "single") {
				if got, want := set.Add(first), first < limit && !model[first]; got != want {
					t.Fatalf("Add(%d) = %v, want %v", first, got, want)
				}
				last = first
			} else {
				set.AddRange(Range{first, last})
			}
			for n := first; n <= last && n < limit; n++ {
				model[n] = true
			}
		}
		var ranges, gaps []Range
		for n := range limit {
			if set.Has(n) != model[n] {
				t.Fatalf("Has(%d) = %v", n, set.Has(n))
			}
			if model[n] {
				ranges = grow(ranges, n)
			} else {
				gaps = grow(gaps, n)
			}
		}
		if got := collect(set.Ranges); !slices.Equal(got, ranges) {
			t.Fatalf("ranges %v, want %v", got, ranges)
		}
		if got := collect(set.Gaps); !slices.Equal(got, gaps) {
			t.Fatalf("gaps %v, want %v", got, gaps)
		}
		if set.Len() != uint64(len(model)) || set.Has(limit) {
			t.Fatalf("len %d, want %d", set.Len(), len(model))
		}
	})
}

func grow(ranges []Range, n uint64) []Range {
	if k := len(ranges); k > 0 && ranges[k-1].Last+1 == n {
		ranges[k-1].Last = n
		return ranges
	}
	return append(ranges, Range{n, n})
}

func TestRangesStopEarly(t *testing.T) {
	s := NewSet(10)
	s.Add(1)
	s.Add(5)
	s.Add(9)
	n := 0
	s.Ranges(func(Range) bool { n++; return false })
	if n != 1 {
		t.Errorf("yielded %d ranges after false", n)
	}
}

// TestSetStaysSmall: 100 million numbers that arrive nearly in order, as acks
// of several partitions do, leave less than a megabyte behind.
func TestSetStaysSmall(t *testing.T) {
	const n = 100_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := NewSet(n)
	const skew = 5000 // partitions are this far apart
	for i := range uint64(n / 4) {
		s.Add(i * 4)
		if i >= skew {
			s.AddRange(Range{(i-skew)*4 + 1, (i-skew)*4 + 3})
		}
	}
	s.AddRange(Range{n - skew*4, n - 1})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := collect(s.Gaps); len(got) != 0 {
		t.Fatalf("gaps %v", got[:min(3, len(got))])
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("100M numbers hold %d bytes", grown)
	}
	runtime.KeepAlive(s)
}

func BenchmarkSetAdd(b *testing.B) {
	s := NewSet(1 << 32)
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		s.Add(n)
		n++
	}
}
