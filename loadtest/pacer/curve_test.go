package pacer

import (
	"math"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/calendar"
)

const monday = 1_767_571_200_000_000 // 5 January 2026

// week is a week of shops in two zones, in as many minutes as it has hours.
func week() Curve {
	return Curve{
		Rate: calendar.Rate{
			Mean: 500, Start: monday, Curve: "retail",
			Zones:  []calendar.Zone{{Name: "Europe/Berlin", Weight: 3}, {Name: "America/New_York", Weight: 1}},
			Bursts: []calendar.Burst{{At: "Fri 18:00", Factor: 8, For: 10 * time.Minute}},
		},
		Speed: 60_000, For: 168 * time.Minute,
	}
}

func draws(purpose string) generators.Rand { return generators.Seed(42).Rand(purpose) }

func follow(t testing.TB, c Curve) Schedule {
	t.Helper()
	s, err := Follow(c, draws("test"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCurveIsItsArrivals: record n is due when the world has reached arrival n,
// which the calendar alone says as well.
func TestCurveIsItsArrivals(t *testing.T) {
	c := week()
	s := follow(t, c)
	rate := c.Rate
	rate.Mean, rate.End = 500.0/60, monday+7*86_400_000_000
	shape, err := rate.Shape()
	if err != nil {
		t.Fatal(err)
	}
	arrivals, err := calendar.NewArrivals(draws("test"), shape, rate.Mean)
	if err != nil {
		t.Fatal(err)
	}
	if s.Count() != arrivals.Total() || s.Duration() != 168*time.Minute {
		t.Fatalf("%d records in %v, %d arrivals", s.Count(), s.Duration(), arrivals.Total())
	}
	clock := calendar.Clock{Speed: c.Speed, Event: monday}
	for n := uint64(0); n < s.Count(); n += 9973 {
		if got, want := s.At(n).Microseconds(), clock.WallAt(arrivals.At(n)); got != want {
			t.Fatalf("At(%d) = %d µs, want %d", n, got, want)
		}
	}
	if got := s.At(s.Count()); got != s.Duration() {
		t.Errorf("beyond the end: %v", got)
	}
	// The burst is the busiest time: in Berlin 17:00 UTC of the fifth day.
	burst := (4*24 + 17) * time.Minute
	if before, in := s.RateAt(burst-time.Second), s.RateAt(burst+5*time.Second); in < 3*before {
		t.Errorf("%.0f/s before the burst, %.0f/s in it", before, in)
	}
	seen := s.Due(burst+10*time.Second) - s.Due(burst)
	if want := 10 * s.RateAt(burst+5*time.Second); math.Abs(float64(seen)-want) > 5*math.Sqrt(want) {
		t.Errorf("%d records in the burst, want %.0f", seen, want)
	}
}

// TestDueInvertsAtOfCurves is what [TestDueInvertsAt] is for segments.
func TestDueInvertsAtOfCurves(t *testing.T) {
	base := week()
	rapid.Check(t, func(t *rapid.T) {
		c := base
		c.Rate.Mean = rapid.Float64Range(1, 1e6).Draw(t, "mean")
		c.Speed = calendar.Speed(rapid.Int64Range(1, 1e8).Draw(t, "speed"))
		c.For = time.Duration(rapid.Int64Range(1, 60_000).Draw(t, "ms")) * time.Millisecond
		s, err := Follow(c, draws("test"))
		if err != nil {
			return // no record becomes due
		}
		seq := rapid.Uint64Range(0, s.Count()-1).Draw(t, "seq")
		at := s.At(seq)
		switch {
		case at < 0 || at > s.Duration():
			t.Fatalf("At(%d) = %v outside 0..%v", seq, at, s.Duration())
		case s.Due(at) <= seq:
			t.Fatalf("Due(At(%d)) = %d", seq, s.Due(at))
		case seq > 0 && s.At(seq-1) > at:
			t.Fatalf("At(%d) is after At(%d)", seq-1, seq)
		case at > 0 && s.Due(at-1) > seq:
			t.Fatalf("record %d is due before its time", seq)
		case s.Due(s.Duration()) != s.Count() || s.Due(-1) != 0:
			t.Fatal("the ends of Due")
		}
	})
}

// TestCurveFromManyGoroutines: whoever asks, in whatever order, hears the same.
func TestCurveFromManyGoroutines(t *testing.T) {
	s := follow(t, week())
	const n = 40_000
	want := make([]time.Duration, n)
	for i := range want {
		want[i] = s.At(uint64(i))
	}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range want {
				seq := (i*(2*g+1) + g*7919) % n
				if got := s.At(uint64(seq)); got != want[seq] {
					t.Errorf("At(%d) = %v, want %v", seq, got, want[seq])
					return
				}
			}
		})
	}
	group.Wait()
	var seq uint64
	if allocs := testing.AllocsPerRun(1000, func() { s.At(seq); seq += 97 }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestCurveScaledAndChanged(t *testing.T) {
	s := follow(t, week())
	half, err := s.Scaled(0.5, draws("other"))
	if err != nil {
		t.Fatal(err)
	}
	if r := float64(half.Count()) / float64(s.Count()); math.Abs(r-0.5) > 0.002 || half.RateAt(time.Minute)*2 != s.RateAt(time.Minute) {
		t.Errorf("half is %.4f", r)
	}
	short, ok, err := s.With(50, time.Minute)
	if err != nil || !ok || short.Duration() != time.Minute || short.RateAt(time.Second)*10 != s.RateAt(time.Second) {
		t.Errorf("changed: %v %v %v", short, ok, err)
	}
	if _, ok, _ := mustNew(t, Segment{From: 1, To: 2, For: time.Second}).With(5, 0); ok {
		t.Error("a ramp has no one rate")
	}
	if one, other := s.Zones(), s.Zones(); one == nil || one == other || mustNew(t, Segment{From: 1, To: 1, For: time.Second}).Zones() != nil {
		t.Error("zones")
	}
	if got := s.String(); got != "500/s in an ordinary week by the curve retail for 2h48m0s, which are 168h0m0s of its world" {
		t.Errorf("in words: %s", got)
	}
}

func TestBadCurves(t *testing.T) {
	for name, change := range map[string]func(*Curve){
		"no time":  func(c *Curve) { c.For = 0 },
		"no rate":  func(c *Curve) { c.Rate.Mean = 0 },
		"no curve": func(c *Curve) { c.Rate.Curve = "retial" },
		"nothing":  func(c *Curve) { c.Rate.Mean, c.For = 1, time.Millisecond },
	} {
		c := week()
		change(&c)
		if _, err := Follow(c, draws("test")); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkAtOfCurve(b *testing.B) {
	c := week()
	c.Rate.Mean = 40_000
	s := follow(b, c)
	var seq uint64
	for b.Loop() {
		_ = s.At(seq % s.Count())
		seq++
	}
}
