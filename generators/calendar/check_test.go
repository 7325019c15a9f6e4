package calendar

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestCheck(t *testing.T) {
	good := everything(t, "2026-01-01 00:00", "2027-01-01 00:00")
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spoil      func(*Rate)
		want, hint string
	}{
		{func(r *Rate) { r.Mean = 0 }, "a mean of 0 events", "for example 500"},
		{func(r *Rate) { r.Mean = math.NaN() }, "a mean of NaN", "500"},
		{func(r *Rate) { r.Mean = 1e8 }, "a mean of 1e+08", "10,000,000"},
		{func(r *Rate) { r.Start++ }, "within a second", "fraction"},
		{func(r *Rate) { r.Start = 0 }, "1970-01-01T00:00:00Z to", "2000 to 2149"},
		{func(r *Rate) { r.End = math.MaxInt64 / second * second }, "out of range", "2149"},
		{func(r *Rate) { r.End = r.Start }, "there is no time", "end later"},
		{func(r *Rate) { r.Growth = -0.6 }, "a growth of -0.6", "0.01 is"},
		{func(r *Rate) { r.Growth = math.NaN() }, "a growth of NaN", "0.01 is"},
		{func(r *Rate) { r.Curve = "retial" }, `no curve "retial"`, `did you mean "retail"?`},
		{func(r *Rate) { r.Curve = "xyzzy" }, `no curve "xyzzy"`, "known are bank-transfer, flat, mobile-money, retail"},
		{func(r *Rate) { r.Hours = make([]float64, 24) }, `both the curve "retail" and hours`, "keep one"},
		{func(r *Rate) { r.Curve, r.Hours = "", make([]float64, 25) }, "a curve of 25 hours", "168 from Monday"},
		{func(r *Rate) { r.Curve, r.Hours = "", make([]float64, 24) }, "all weights are 0", "at least one"},
		{func(r *Rate) {
			r.Curve, r.Hours = "", append(make([]float64, 23), -1)
		}, "weight 23 is -1", "from 0 up"},
		{func(r *Rate) {
			r.Curve, r.Hours = "", append(make([]float64, 23), math.Inf(1))
		}, "weight 23 is +Inf", "from 0 up"},
		{func(r *Rate) { r.Zones[0].Name = "Europe/Berln" }, `time zone "Europe/Berln": there is none`, `did you mean "Europe/Berlin"?`},
		{func(r *Rate) { r.Zones[0].Name = "new york" }, `time zone "new york": there is none`, `did you mean "America/New_York"?`},
		{func(r *Rate) { r.Zones[0].Name = "" }, `time zone "": there is none`, "IANA name"},
		{func(r *Rate) { r.Zones[0].Name = "../../etc/passwd" }, `time zone "../../etc/passwd": there is none`, ""},
		{func(r *Rate) { r.Zones[0].Country = "GER" }, `country "GER"`, "DE, ES"},
		{func(r *Rate) { r.Zones[1] = r.Zones[0] }, `zone "Europe/Berlin" is there twice`, "add their weights"},
		{func(r *Rate) { r.Zones[1].Weight = -3 }, "zones: weight 1 is -3", "from 0 up"},
		{func(r *Rate) { r.Zones = []Zone{{Name: "UTC"}} }, "all weights are 0", "at least one"},
		{func(r *Rate) { r.Zones = make([]Zone, 601) }, "601 zones", "once"},
		{func(r *Rate) { r.Holidays.Factor = -1 }, "holidays: a factor of -1", "0.5 is half"},
		{func(r *Rate) { r.Paydays[0].Day = 0 }, "payday on day 0", "1 to 31"},
		{func(r *Rate) { r.Paydays[0].Days = 40 }, "lasts 40 days", "1 to 31 days"},
		{func(r *Rate) { r.Paydays[0].Factor = math.NaN() }, "payday: a factor of NaN", "1.4 is"},
		{func(r *Rate) { r.Paydays = make([]Payday, 32) }, "32 paydays", "once"},
		{func(r *Rate) { r.Bursts[0].At = "Fri 25:00" }, `"Fri 25:00": the time of day is not HH:MM`, `"Fri 18:00"`},
		{func(r *Rate) { r.Bursts[0].At = "Fir 18:00" }, `"Fir 18:00": the date is not YYYY-MM-DD`, `"Fri 18:00"`},
		{func(r *Rate) { r.Bursts[0].At = "2026-02-29" }, `"2026-02-29": the date`, `"Fri 18:00"`},
		{func(r *Rate) { r.Bursts[0].At = "" }, `"": the date`, `"Fri 18:00"`},
		{func(r *Rate) { r.Bursts[0].For = 0 }, "lasts 0s", "whole seconds up to 168h"},
		{func(r *Rate) { r.Bursts[0].For = 1500 * time.Millisecond }, "lasts 1.5s", "whole seconds"},
		{func(r *Rate) { r.Bursts[2].For = 25 * time.Hour }, "lasts 25h", "up to 24h"},
		{func(r *Rate) { r.Bursts[0].Factor = -8 }, `burst at "Fri 18:05": a factor of -8`, "1.4 is"},
		{func(r *Rate) { r.Bursts[1].Zone = "Berlin" }, `time zone "Berlin": there is none`, `did you mean "Europe/Berlin"?`},
		{func(r *Rate) { r.Bursts = make([]Burst, 101) }, "101 bursts", "day of the week"},
	} {
		r := everything(t, "2026-01-01 00:00", "2027-01-01 00:00")
		c.spoil(&r)
		err := r.Check()
		switch {
		case err == nil:
			t.Errorf("%q is accepted", c.want)
		case !strings.Contains(err.Error(), c.want) || fail.CodeOf(err) != fail.Usage:
			t.Errorf("got %q (code %d), want %q", err, fail.CodeOf(err), c.want)
		case fail.HintOf(err) == "" || !strings.Contains(fail.HintOf(err), c.hint):
			t.Errorf("%q has the hint %q, want %q", err, fail.HintOf(err), c.hint)
		}
		if _, err := r.Shape(); err == nil {
			t.Errorf("%q compiles", c.want)
		}
	}
}

// TestShapeRefuses: what only the sum shows.
func TestShapeRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*Rate){
		"beyond 8192 times": func(r *Rate) {
			for range 5 {
				r.Bursts = append(r.Bursts, Burst{At: "12:00", Factor: 1000, For: time.Hour})
			}
		},
		"nothing happens": func(r *Rate) { r.Bursts = []Burst{{At: "00:00", Factor: 0, For: 24 * time.Hour}} },
	} {
		r := everything(t, "2026-01-01 00:00", "2027-01-01 00:00")
		spoil(&r)
		if _, err := r.Shape(); err == nil || !strings.Contains(err.Error(), want) || fail.HintOf(err) == "" {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for _, mean := range []float64{0, -1, math.NaN(), math.Inf(1), 2e7} {
		if _, err := NewArrivals(generators.Rand{}, flat(t), mean); err == nil {
			t.Errorf("a mean of %v is accepted", mean)
		}
	}
}

// FuzzCheck: what Check accepts compiles, or says why not, and its arrivals are
// in order.
func FuzzCheck(f *testing.F) {
	f.Add(500.0, int64(1_767_225_600), int64(30*day), "retail", "Europe/Berlin", 2.0, 0.01, "Fri 18:00", 8.0, int64(600), 25, 1.4)
	f.Add(1e-7, int64(946_684_800), int64(1), "", "Asia/Kolkata", 1e15, -0.49, "2000-01-01", 0.0, int64(86_400), 31, 0.0)
	f.Add(1e7, int64(5_680_281_000), int64(600), "mobile-money", "Pacific/Apia", 1e-15, 1.0, "23:59", 1000.0, int64(86_400), 1, 1000.0)
	f.Fuzz(func(t *testing.T, mean float64, start, length int64, curve, zone string, weight, growth float64,
		at string, factor float64, seconds int64, payday int, pay float64,
	) {
		if length > 400*day || length < -400*day || start > lastEnd || start < -lastEnd {
			return
		}
		r := Rate{
			Mean: mean, Start: start * second, End: (start + length) * second, Curve: curve, Growth: growth,
			Zones:    []Zone{{Name: zone, Weight: weight}, {Name: "Asia/Tokyo", Weight: 1}},
			Paydays:  []Payday{{Day: payday, Factor: pay, Days: payday % 7, Workday: payday%2 == 0}},
			Holidays: &Holidays{Sunday: payday%3 == 0, Factor: 0.5},
			Bursts:   []Burst{{At: at, Factor: factor, For: time.Duration(seconds) * time.Second, Zone: zone}},
		}
		checked := r.Check()
		s, err := r.Shape()
		if err != nil {
			if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
				t.Errorf("without code or hint: %v", err)
			}
			return
		}
		if checked != nil {
			t.Fatalf("refused, but it compiles: %v", checked)
		}
		a, err := NewArrivals(generators.Seed(1).Rand("fuzz"), s, mean)
		if err != nil {
			t.Fatal(err)
		}
		last, total := s.Start(), a.Total()
		cursor, zones := a.Cursor(), s.Zones()
		for n := uint64(0); n < min(total, 300); n++ {
			at := cursor.At(n)
			if at < last || at >= s.End() {
				t.Fatalf("arrival %d of %d at %d, after %d", n, total, at, last)
			}
			if z := zones.Pick(at, n*0x9e3779b97f4a7c15); s.rate(z, floorSecond(at)) <= 0 {
				t.Fatalf("arrival %d at %d is of zone %d, which is silent", n, at, z)
			}
			last = at
		}
		if cursor.At(total) != Never {
			t.Errorf("arrival %d happens, but %d are due", total, total)
		}
	})
}
