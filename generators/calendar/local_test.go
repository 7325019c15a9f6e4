package calendar

import (
	"testing"
	"time"
)

func at(t *testing.T, text string) int64 {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when.UnixMicro()
}

// Days as a person in Berlin counts them: the clock goes forward on 29 March
// 2026, Good Friday is 3 April, Labour Day a Friday.
func TestLocalDays(t *testing.T) {
	l, err := NewLocal("Europe/Berlin", at(t, "2026-01-01T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	three := int64(3 * 3600 * second)
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"the same day", l.NextWorkday(at(t, "2026-01-05T01:59:59Z"), three), at(t, "2026-01-05T02:00:00Z")},
		{"over a weekend", l.NextWorkday(at(t, "2026-01-09T02:00:00Z"), three), at(t, "2026-01-12T02:00:00Z")},
		{"over Easter, in summer time", l.NextWorkday(at(t, "2026-04-02T12:00:00Z"), three), at(t, "2026-04-07T01:00:00Z")},
		{"payday", l.NextMonthday(at(t, "2026-01-05T00:00:00Z"), 25, three, true), at(t, "2026-01-23T02:00:00Z")},
		{"payday, the one after", l.NextMonthday(at(t, "2026-01-23T02:00:00Z"), 25, three, true), at(t, "2026-02-25T02:00:00Z")},
		{"the 31st of a short month", l.NextMonthday(at(t, "2026-02-01T00:00:00Z"), 31, three, false), at(t, "2026-02-28T02:00:00Z")},
		{"over the year", l.NextMonthday(at(t, "2026-12-30T00:00:00Z"), 1, 0, false), at(t, "2026-12-31T23:00:00Z")},
		{"a month later, in summer time", l.NextMonth(at(t, "2026-03-10T10:30:00Z")), at(t, "2026-04-10T09:30:00Z")},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, time.UnixMicro(c.got).UTC(), time.UnixMicro(c.want).UTC())
		}
	}
	if _, err := NewLocal("Europe/Berln", 0); err == nil {
		t.Error("there is a zone Europe/Berln")
	}
}
