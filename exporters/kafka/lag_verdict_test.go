package kafka

import (
	"testing"

	"github.com/lakeproof/lakeproof/metrics"
)

// TestVerdicts plays the journeys of one consumer in one partition.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name   string
		alive  bool
		cycles func(cycle int) (offset, lag int64)
		want   []verdict // at cycles 5, 15, 40
	}{
		{"keeps up", true, func(n int) (int64, int64) { return int64(100 + n), 0 }, []verdict{0, 0, 0}},
		{"idle", false, func(int) (int64, int64) { return 100, 0 }, []verdict{0, 0, 0}},
		{"catches up", true, func(n int) (int64, int64) { return int64(100 + 10*n), int64(10_000 - n) }, []verdict{0, 0, 0}},
		{"falls back", true, func(n int) (int64, int64) { return int64(100 + n), int64(50 + n) }, []verdict{0, verdictWarn, verdictWarn}},
		{"same distance", true, func(n int) (int64, int64) { return int64(100 + n), 50 }, []verdict{0, verdictWarn, verdictWarn}},
		{"stops", false, func(n int) (int64, int64) { return 100, int64(n) }, []verdict{0, verdictStop, verdictStop}},
		{"stalls", true, func(n int) (int64, int64) { return 100, int64(n) }, []verdict{0, verdictStall, verdictStall}},
		{"goes on", false, func(n int) (int64, int64) {
			if n < 20 {
				return 100, int64(n)
			}
			return int64(80 + n), int64(60 - n)
		}, []verdict{0, verdictStop, 0}},
		{"rewinds", true, func(n int) (int64, int64) {
			if n < 12 {
				return int64(100 + n), 5
			}
			return int64(50 + n), int64(60 - n)
		}, []verdict{0, verdictRewind, 0}},
		{"commits every 20 cycles", false, func(n int) (int64, int64) {
			return int64(100 + 100*(n/20)), int64(5 * (n % 20))
		}, []verdict{0, verdictStop, 0}}, // the first pause is not known to be one
	} {
		t.Run(c.name, func(t *testing.T) {
			var p progress
			for n := 1; n <= 40; n++ {
				offset, lag := c.cycles(n)
				p.note(uint32(n), offset, lag)
				i := map[int]int{5: 0, 15: 1, 40: 2}
				if at, ok := i[n]; ok {
					if got := p.judge(uint32(n), c.alive); got != c.want[at] {
						t.Errorf("cycle %d: %v, want %v", n, got, c.want[at])
					}
				}
			}
		})
	}
}

// TestVerdictNames holds that a worse verdict is later in the catalogue.
func TestVerdictNames(t *testing.T) {
	for i, name := range metrics.Statuses() {
		if got := verdict(i).String(); got != name {
			t.Errorf("%d is %s, want %s", i, got, name)
		}
	}
}

func TestHistory(t *testing.T) {
	var h history
	if _, ok := h.speed(); ok {
		t.Error("a speed of nothing")
	}
	for i := range int64(30) {
		h.note(i*10_000, i*50, 3)
	}
	if v, ok := h.speed(); !ok || v != 5 {
		t.Errorf("%v, %v, want 5", v, ok)
	}
	h.note(300_000, 7, 2)
	if v, ok := h.speed(); ok {
		t.Errorf("%v between different partitions", v)
	}
}

func TestSlope(t *testing.T) {
	const minute = int64(60_000)
	var s slope
	for m := range int64(120) {
		s.note(1+m*minute, 10*m)
		left, ok := s.reaches(1+m*minute, 10*m, 10*m+100)
		switch {
		case ok != (m >= 5):
			t.Fatalf("minute %d: %v, %v", m, left, ok)
		case ok && (left < 599 || left > 601):
			t.Errorf("minute %d: %v s, want 600", m, left)
		}
	}
	if s.at < 60*minute {
		t.Errorf("it looks back to minute %d", s.at/minute)
	}
	s.note(120*minute, 3) // another log
	if _, ok := s.reaches(121*minute, 3, 50); ok {
		t.Error("a speed across two logs")
	}
}
