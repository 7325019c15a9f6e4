package encode

import (
	"math"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

const layout = "2006-01-02T15:04:05.000Z"

func timeText(micros int64) string {
	var out [timeLen]byte
	putTime(&out, micros)
	return string(out[:])
}

func intText(n int64) string {
	var out [intLen]byte
	return string(out[:putInt(&out, n)])
}

func TestTimesAgreeWithPackageTime(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, micros int64) {
		want := time.UnixMicro(micros).UTC().Format(layout)
		if got := timeText(micros); got != want {
			t.Fatalf("%d is %s, want %s", micros, got, want)
		}
		back, ok := parseUTC(want)
		if ms := time.UnixMicro(micros).UnixMilli(); !ok || back != ms*1000 {
			t.Fatalf("%s is %d, %t, want %d", want, back, ok, ms*1000)
		}
	}
	first := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := first; day.Year() < 10_000; day = day.AddDate(0, 0, 1) {
		check(t, day.UnixMicro()+86_399_999_999)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.Int64Range(first.UnixMicro(), 253_402_300_799_999_999).Draw(t, "micros"))
	})
	for micros, want := range map[int64]string{
		math.MinInt64: "0000-01-01T00:00:00.000Z",
		math.MaxInt64: "9999-12-31T23:59:59.999Z",
	} {
		if got := timeText(micros); got != want {
			t.Errorf("%d is %s, want %s", micros, got, want)
		}
	}
}

// parseUTC takes nothing that package time refuses.
func FuzzParseUTC(f *testing.F) {
	f.Add("2024-02-29T23:59:59.999Z")
	f.Add("2023-02-29T23:59:60.999Z")
	f.Fuzz(func(t *testing.T, text string) {
		micros, ok := parseUTC(text)
		want, err := time.Parse(layout, text)
		if ok && (err != nil || want.UnixMicro() != micros) {
			t.Errorf("%q is %d, package time says %v, %v", text, micros, want, err)
		}
	})
}

func TestPutInt(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, n int64) {
		if got, want := intText(n), strconv.FormatInt(n, 10); got != want {
			t.Fatalf("%d is %s", n, got)
		}
	}
	for p, n := int64(1), 0; n < 19; p, n = p*10, n+1 {
		for _, x := range []int64{p - 1, p, p + 1, -p, 7 * p} {
			check(t, x)
		}
	}
	check(t, math.MaxInt64)
	check(t, math.MinInt64)
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.Int64().Draw(t, "n")) })
}

// Each byte at each place of short and long strings: what is called unescaped
// stands in JSON as it is, and nothing else does; and it is copied.
func TestUnescaped(t *testing.T) {
	for size := 1; size <= 20; size++ {
		for at := range size {
			for c := range 256 {
				b := []byte("abcdefghijklmnopqrst")[:size]
				b[at] = byte(c)
				s := string(b)
				out := make([]byte, size)
				if got, want := copyUnescaped(out, s), string(appendEscaped(nil, s)) == s; got != want && c < utf8.RuneSelf {
					t.Fatalf("%q: %t, want %t", s, got, want)
				} else if got && !want {
					t.Fatalf("%q is not as it stands", s)
				} else if got && string(out) != s {
					t.Fatalf("%q is copied as %q", s, out)
				}
			}
		}
	}
	for s, want := range map[string]bool{"": true, "São Paulo": true, "Zürich, Zürich": true, "São Paul\xe3": false, "São \"Paulo\"": false, "twelve bytes\n": false} {
		if got := copyUnescaped(make([]byte, 64), s); got != want {
			t.Errorf("%q: %t, want %t", s, got, want)
		}
	}
}
