package calendar

import (
	"testing"
	"time"
)

// TestDates compares every day of 900 years with the time package.
func TestDates(t *testing.T) {
	from := NewDate(1599, 12, 31)
	for d := from; d < from+330_000; d++ {
		want := time.Unix(int64(d)*day, 0).UTC()
		y, m, dd := d.Civil()
		if y != want.Year() || m != int(want.Month()) || dd != want.Day() || NewDate(y, m, dd) != d {
			t.Fatalf("%s: day %d is %d-%d-%d", want, d, y, m, dd)
		}
		if d.Weekday() != (int(want.Weekday())+6)%7 {
			t.Fatalf("%s is weekday %d", d, d.Weekday())
		}
		if d.String() != want.Format(time.DateOnly) || DateOf(int64(d)*day+day-1) != d || DateOf(int64(d)*day) != d {
			t.Fatalf("%s is %s", want, d)
		}
		if dd == 1 && monthDays(y, m) != time.Date(y, time.Month(m+1), 0, 0, 0, 0, 0, time.UTC).Day() {
			t.Fatalf("%d-%d has %d days", y, m, monthDays(y, m))
		}
	}
}

func TestNth(t *testing.T) {
	for want, got := range map[string]Date{
		"2026-11-26": nth(2026, 11, thursday, 4),
		"2026-05-25": nth(2026, 5, monday0, lastOfMonth),
		"2026-12-31": nth(2026, 12, thursday, lastOfMonth),
		"2026-06-01": nth(2026, 6, monday0, 1),
		"2026-08-31": nth(2026, 8, monday0, lastOfMonth),
	} {
		if got.String() != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzParseBurst(f *testing.F) {
	for _, text := range []string{"Fri 18:00", "18:00", "2026-11-27", "2026-11-27 08:00", "2024-02-29", "sunday 23:59", " :", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := parseBurst(text)
		if err != nil {
			return
		}
		if b.period > 0 && (b.from < 0 || b.from >= b.period) || b.from%60 != 0 {
			t.Errorf("%q begins at %d of %d", text, b.from, b.period)
		}
		if d, err := ParseDate(text); err == nil && d.String() != text {
			t.Errorf("%q is %s", text, d)
		}
	})
}
