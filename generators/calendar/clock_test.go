package calendar

import (
	"math"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestClock(t *testing.T) {
	const start, wall = int64(1_767_225_600_000_000), int64(1_800_000_000_000_000)
	for _, c := range []struct {
		speed       string
		event, want int64 // since their beginnings
	}{
		{"live", 0, 0},
		{"live", 12_345_678, 12_345_678},
		{"live", -5, -5},
		{"x60", 60_000_000, 1_000_000},
		{"x60", 59, 1},
		{"x60", 61, 2},
		{"x60", -61, -1},
		{"x0.5", 1, 2},
		{"x0.001", 7, 7000},
		{"x1.5", 3_000_000, 2_000_000},
		{"x1.5", 1, 1},
		{"max", 12_345_678, 0},
		{"max", -1, 0},
	} {
		speed, err := ParseSpeed(c.speed)
		if err != nil {
			t.Fatal(err)
		}
		if speed.String() != c.speed {
			t.Errorf("%s is %s", c.speed, speed)
		}
		clock := Clock{Speed: speed, Event: start, Wall: wall}
		if got := clock.WallAt(start+c.event) - wall; got != c.want {
			t.Errorf("%s: event %d is due at %d, want %d", c.speed, c.event, got, c.want)
		}
	}
	full := Clock{Event: start, Wall: wall}
	if full.EventAt(wall) != math.MaxInt64 {
		t.Error("at full speed not all is due")
	}
}

func TestParseSpeedRefuses(t *testing.T) {
	for _, text := range []string{"", "x", "x0", "x-1", "x1e3", "60", "fast", "x1.", "x.5", "x0.0001", "x99999999999", "x+5", "x1_000", "X2"} {
		speed, err := ParseSpeed(text)
		if err == nil {
			t.Errorf("%q is %s", text, speed)
		} else if fail.HintOf(err) == "" || !strings.Contains(err.Error(), "reading clock") {
			t.Errorf("%q: %v, hint %q", text, err, fail.HintOf(err))
		}
	}
}

// FuzzClock: an event is due at the first microsecond at which the clock has
// reached it, wherever it does not hit the ends of what fits.
func FuzzClock(f *testing.F) {
	f.Add(int64(60_000), int64(1_767_225_600_000_000), int64(1_800_000_000_000_000), int64(61))
	f.Add(int64(1), int64(0), int64(0), int64(math.MinInt64))
	f.Add(int64(1500), int64(math.MaxInt64), int64(math.MinInt64), int64(-1))
	f.Fuzz(func(t *testing.T, speed, start, wall, event int64) {
		if speed < 0 {
			return
		}
		c := Clock{Speed: Speed(speed), Event: start, Wall: wall}
		due := c.WallAt(event)
		if speed == 0 {
			if due != wall {
				t.Errorf("at full speed due at %d", due)
			}
			return
		}
		const large = 1 << 50
		for _, x := range []int64{start, wall, event, due} {
			if x > large || x < -large {
				return
			}
		}
		if speed < 1<<32 && (c.EventAt(due) < event || c.EventAt(due-1) >= event) {
			t.Errorf("x%d/1000: event %d is due at %d, but the clock shows %d, and %d before",
				speed, event, due, c.EventAt(due), c.EventAt(due-1))
		}
		if text := c.Speed.String(); speed < 1<<32 {
			if again, err := ParseSpeed(text); err != nil || again != c.Speed {
				t.Errorf("%s is read as %s: %v", text, again, err)
			}
		}
	})
}
