package pacer

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lakeproof/lakeproof/generators"
)

func mustNew(t testing.TB, segs ...Segment) Schedule {
	t.Helper()
	s, err := New(segs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConstantIsExact(t *testing.T) {
	s := mustNew(t, Segment{From: 5000, To: 5000, For: 30 * time.Second})
	if got := s.Count(); got != 150_000 {
		t.Errorf("count = %d, want 150000", got)
	}
	for _, seq := range []uint64{0, 1, 4999, 5000, 149_999} {
		if got, want := s.At(seq), time.Duration(seq)*200*time.Microsecond; got != want {
			t.Errorf("At(%d) = %v, want %v", seq, got, want)
		}
	}
}

func TestRampFollowsTheIntegral(t *testing.T) {
	// 0 to 100/s in 10 s: 500 records; after t seconds 5*t*t are due.
	s := mustNew(t, Segment{From: 0, To: 100, For: 10 * time.Second})
	if got := s.Count(); got != 500 {
		t.Fatalf("count = %d, want 500", got)
	}
	for _, seq := range []uint64{5, 20, 80, 320, 499} {
		want := math.Sqrt(float64(seq) / 5)
		if got := s.At(seq).Seconds(); math.Abs(got-want) > 1e-6 {
			t.Errorf("At(%d) = %vs, want %vs", seq, got, want)
		}
	}
}

// TestDueInvertsAt: whatever the shape, a record is due exactly from its
// intended time on, and intended times never go back.
func TestDueInvertsAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "segments")
		segs := make([]Segment, n)
		for i := range segs {
			segs[i] = Segment{
				From: rapid.Float64Range(0, 50_000).Draw(t, "from"),
				To:   rapid.Float64Range(0, 50_000).Draw(t, "to"),
				For:  time.Duration(rapid.IntRange(1, 20_000).Draw(t, "ms")) * time.Millisecond,
			}
		}
		s, err := New(segs...)
		if err != nil {
			return // no record becomes due
		}
		seq := rapid.Uint64Range(0, s.Count()-1).Draw(t, "seq")
		at := s.At(seq)
		if at < 0 || at > s.Duration() {
			t.Fatalf("At(%d) = %v outside 0..%v", seq, at, s.Duration())
		}
		if due := s.Due(at); due <= seq {
			t.Fatalf("Due(At(%d)) = %d", seq, due)
		}
		if seq > 0 {
			before := s.At(seq - 1)
			if before > at {
				t.Fatalf("At(%d) = %v after At(%d) = %v", seq-1, before, seq, at)
			}
			if before < at && s.Due(at-1) > seq {
				t.Fatalf("record %d due before its time", seq)
			}
		}
		if s.Due(s.Duration()) != s.Count() || s.Due(-1) != 0 {
			t.Fatal("the ends of Due")
		}
	})
}

func TestScaledKeepsTheShape(t *testing.T) {
	s := mustNew(t, Segment{From: 100, To: 300, For: 10 * time.Second}, Segment{From: 300, To: 300, For: time.Second})
	half, err := s.Scaled(0.5, generators.Rand{})
	if err != nil {
		t.Fatal(err)
	}
	if half.Count() != s.Count()/2 || half.Duration() != s.Duration() {
		t.Errorf("scaled: %d in %v, whole: %d in %v", half.Count(), half.Duration(), s.Count(), s.Duration())
	}
	if got := half.RateAt(5 * time.Second); got != 100 {
		t.Errorf("rate at half time = %v, want 100", got)
	}
}

func TestBadSegments(t *testing.T) {
	for name, seg := range map[string]Segment{
		"no time":       {From: 1, To: 1},
		"negative rate": {From: -1, To: 1, For: time.Second},
		"infinite":      {From: 1, To: math.Inf(1), For: time.Second},
		"not a number":  {From: math.NaN(), To: 1, For: time.Second},
		"nothing due":   {From: 0.1, To: 0.1, For: time.Second},
	} {
		if _, err := New(seg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(); err == nil {
		t.Error("no segment: accepted")
	}
}

// TestRunSkipsNothing: a sender that stalls for a second gets every record
// afterwards, in order, and the run does not end earlier than the schedule.
func TestRunSkipsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustNew(t, Segment{From: 1000, To: 1000, For: 3 * time.Second})
		start := time.Now().Add(100 * time.Millisecond)
		var next uint64
		stalled := false
		sent, err := Run(t.Context(), s, start, func(_ context.Context, from, to uint64) error {
			if from != next || to <= from {
				t.Fatalf("sent [%d,%d) after %d", from, to, next)
			}
			if early := time.Until(start.Add(s.At(to - 1))); early > 0 {
				t.Fatalf("record %d sent %v early", to-1, early)
			}
			next = to
			if to > 1000 && !stalled {
				stalled = true
				time.Sleep(time.Second)
			}
			return nil
		})
		if err != nil || sent != 3000 || next != 3000 {
			t.Fatalf("sent %d, %v; want all 3000", sent, err)
		}
	})
}

func TestRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustNew(t, Segment{From: 1000, To: 1000, For: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		sent, err := Run(ctx, s, time.Now(), func(context.Context, uint64, uint64) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) || sent < 1900 || sent > 2001 {
			t.Errorf("stopped after %d records: %v", sent, err)
		}
		full := errors.New("disk full")
		if _, err := Run(t.Context(), s, time.Now(), func(context.Context, uint64, uint64) error { return full }); !errors.Is(err, full) {
			t.Errorf("sender's error became %v", err)
		}
	})
}

func BenchmarkAt(b *testing.B) {
	s := mustNew(b, Segment{From: 40_000, To: 40_000, For: time.Hour})
	var seq uint64
	for b.Loop() {
		_ = s.At(seq % s.Count())
		seq++
	}
}
