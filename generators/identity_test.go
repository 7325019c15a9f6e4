package generators

import (
	"math"
	mrand "math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run := rapid.Uint64Range(0, MaxRun).Draw(t, "run")
		stream := rapid.Uint16().Draw(t, "stream")
		seq := rapid.Uint64Range(0, MaxSeq).Draw(t, "seq")
		key := NewKey(run)
		id := key.Seal(stream, seq)
		if id[6]>>4 != 8 || id[8]>>6 != 0b10 {
			t.Fatalf("%s is not version 8, variant 10", id)
		}
		parsed, ok := ParseID(id.String())
		if !ok || parsed != id {
			t.Fatalf("parsing %s gave %s, %t", id, parsed, ok)
		}
		gotStream, gotSeq, ok := key.Open(parsed)
		if !ok || gotStream != stream || gotSeq != seq {
			t.Fatalf("opening gave %d, %d, %t, want %d, %d", gotStream, gotSeq, ok, stream, seq)
		}
	})
}

// The text of an identity is on disk and in other people's tables: it must
// never change.
func TestKeyGolden(t *testing.T) {
	for _, c := range []struct {
		run    uint64
		stream uint16
		seq    uint64
		want   string
	}{
		{0, 0, 0, "692c2197-7efe-8233-907c-1f020e07712e"},
		{0, 0, 1, "8748e738-2e95-8c78-bae4-7be573fdd2a4"},
		{1, 0, 0, "30c30b51-cfd0-8b26-9795-475207a56707"},
		{42, 7, 1_000_000, "aaaed517-dc00-8b93-94fc-00bf710b1fc8"},
		{MaxRun, math.MaxUint16, MaxSeq, "044186b8-e95c-8fa7-a790-29a5f158d235"},
	} {
		key := NewKey(c.run)
		if got := key.Seal(c.stream, c.seq).String(); got != c.want {
			t.Errorf("run %d, stream %d, seq %d: got %s, want %s", c.run, c.stream, c.seq, got, c.want)
		}
	}
}

func TestKeyDoesNotCollide(t *testing.T) {
	const events = 200_000
	seen := make(map[ID128]bool, 2*events)
	key := NewKey(7)
	for stream := range uint16(2) {
		for seq := range uint64(events) {
			seen[key.Seal(stream, seq)] = true
		}
	}
	if len(seen) != 2*events {
		t.Errorf("%d identities share a UUID with another", 2*events-len(seen))
	}
}

// Every output bit is balanced over consecutive sequence numbers, and flips
// with probability 1/2 when any one bit of the identity flips.
func TestKeyLooksRandom(t *testing.T) {
	const events = 40_000
	var ones [128]int
	var flips [64][128]int // flipped input bit (seq 0-47, stream 48-63), output bit
	key := NewKey(123)
	for seq := range uint64(events) {
		base := key.Seal(3, seq)
		count(&ones, base)
		in := seq % 64
		for range 2 { // two of the 64 input bits for each event
			other := key.Seal(3, seq^1<<in)
			if in >= 48 {
				other = key.Seal(3^1<<(in-48), seq)
			}
			for i := range other {
				other[i] ^= base[i]
			}
			count(&flips[in], other)
			in = (in + 31) % 64
		}
	}
	checkHalf(t, "balance", ones[:], events)
	for in := range flips {
		checkHalf(t, "avalanche", flips[in][:], events/32)
	}
}

func count(into *[128]int, id ID128) {
	for i := range into {
		into[i] += int(id[i/8] >> (7 - i%8) & 1)
	}
}

// checkHalf wants each count within six standard deviations of n/2; one of
// 8,000 counts fails by chance once in 60,000 runs, and the input is fixed.
func checkHalf(t *testing.T, what string, counts []int, n int) {
	t.Helper()
	band := 6 * math.Sqrt(float64(n)) / 2
	for i, c := range counts {
		if i >= 48 && i < 52 || i == 64 || i == 65 {
			continue // version and variant
		}
		if math.Abs(float64(c)-float64(n)/2) > band {
			t.Errorf("%s of bit %d: %d of %d", what, i, c, n)
		}
	}
}

func TestOpenRejectsForeign(t *testing.T) {
	const tries = 1_000_000
	key, other := NewKey(1), NewKey(2)
	source := mrand.NewChaCha8([32]byte{1})
	accepted := 0
	for i := range uint64(tries) {
		var v4 ID128
		_, _ = source.Read(v4[:])
		v4[6], v4[8] = v4[6]&0x0f|0x40, v4[8]&0x3f|0x80
		v8 := v4
		v8[6] = v8[6]&0x0f | 0x80
		for _, id := range [3]ID128{v4, v8, other.Seal(0, i)} {
			if _, _, ok := key.Open(id); ok {
				accepted++
			}
		}
	}
	if accepted != 0 {
		t.Errorf("opened %d of %d foreign UUIDs", accepted, 3*tries)
	}
}

// One flipped bit of an identity of ours is noticed, whichever bit it is.
func TestOpenRejectsDamage(t *testing.T) {
	key := NewKey(9)
	id := key.Seal(1, 5)
	for bit := range 128 {
		damaged := id
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, _, ok := key.Open(damaged); ok {
			t.Errorf("bit %d flipped and still ours", bit)
		}
	}
}

func TestParseID(t *testing.T) {
	const text = "0123abcd-4567-89ef-8765-fedcba987654"
	want := ID128{0x01, 0x23, 0xab, 0xcd, 0x45, 0x67, 0x89, 0xef, 0x87, 0x65, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54}
	for _, good := range []string{text, strings.ToUpper(text)} {
		if id, ok := ParseID(good); !ok || id != want {
			t.Errorf("parsing %s gave %v, %t", good, id, ok)
		}
	}
	for i := range len(text) {
		for _, c := range []byte("g/:@G`\x00\x10\xff -") {
			if c == text[i] {
				continue
			}
			bad := []byte(text)
			bad[i] = c
			if _, ok := ParseID(bad); ok {
				t.Errorf("parsed %q", bad)
			}
		}
	}
	for _, bad := range []string{"", text[1:], text + "0", "{" + text + "}", strings.ReplaceAll(text, "-", "")} {
		if _, ok := ParseID(bad); ok {
			t.Errorf("parsed %q", bad)
		}
	}
	if id, ok := IDFromBytes(want[:]); !ok || id != want {
		t.Errorf("reading 16 bytes gave %v, %t", id, ok)
	}
	if _, ok := IDFromBytes(want[1:]); ok {
		t.Error("read an identifier of 15 bytes")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("0123abcd-4567-89ef-8765-fedcba987654")
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := ParseID(text); ok && id.String() != strings.ToLower(text) {
			t.Errorf("parsed %q as %s", text, id)
		}
	})
}

func FuzzOpen(f *testing.F) {
	key := NewKey(77)
	own := key.Seal(2, 3)
	f.Add(own[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		id, ok := IDFromBytes(b)
		if !ok {
			return
		}
		if stream, seq, ok := key.Open(id); ok && key.Seal(stream, seq) != id {
			t.Errorf("%s opens to %d, %d, which seals to something else", id, stream, seq)
		}
	})
}

func TestIdentityAllocatesNothing(t *testing.T) {
	key, text := NewKey(5), make([]byte, 0, IDTextLen)
	var sum uint64
	if n := testing.AllocsPerRun(100, func() {
		text = key.Seal(1, sum).Append(text[:0])
		id, _ := ParseID(text)
		_, seq, _ := key.Open(id)
		sum += seq + 1
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSealAppend(b *testing.B) {
	key, text, seq := NewKey(5), make([]byte, 0, IDTextLen), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		text = key.Seal(1, seq).Append(text[:0])
		seq++
	}
}

func BenchmarkParseOpen(b *testing.B) {
	key := NewKey(5)
	text := key.Seal(1, 1).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		id, _ := ParseID(text)
		if _, _, ok := key.Open(id); !ok {
			b.Fatal("not ours")
		}
	}
}
