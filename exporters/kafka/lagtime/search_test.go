package lagtime

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// base is the size of the goals: 2,000 partitions, 5,000 wants.
func base(seed uint64, shape func(*rand.Rand, int) []int64) *world {
	r := rand.New(rand.NewPCG(seed, 2))
	w := newWorld(2000, func(int) *tape { return plain(shape(r, 500+r.IntN(5000))) })
	w.spread(r, 5000)
	return w
}

func even(_ *rand.Rand, n int) []int64 { return evenly(n) }

// TestCold holds the numbers of the first collection: how much is asked of three
// brokers, and that every time is within a second of the truth.
func TestCold(t *testing.T) {
	for _, c := range []struct {
		name          string
		shape         func(*rand.Rand, int) []int64
		idle          int64 // after the hour
		requests, far int
	}{
		{"even", even, 0, 21, 0},
		{"even then idle", even, hour, 21, 0},
		{"bursty", bursty, 0, 66, 0},
		{"bursty then idle for long", bursty, 20 * hour, 66, 0},
		{"minutely", minutely, 0, 66, 150},
		{"random", random, 0, 66, 10},
		{"burst first", burstFirst, 0, 66, 100},
		{"burst amid", burstAmid, 0, 66, 100},
		{"many bursts", manyBursts, 0, 66, 200}, // the rest is found in the next collections
	} {
		t.Run(c.name, func(t *testing.T) {
			w := base(1, c.shape)
			n := w.poll(t0+hour+c.idle, same(22))
			got := w.result()
			t.Logf("%d requests: %+v", n, got)
			if n > c.requests || got.far > c.far || got.wrong+got.unknown > 0 {
				t.Errorf("want at most %d requests, %d far off, none wrong or unknown", c.requests, c.far)
			}
			extra := 0
			for cycle := 1; cycle <= 40; cycle++ {
				extra = max(extra, w.poll(w.now+15_000, allowance(cycle)))
			}
			if got := w.result(); got.far+got.wide+got.wrong+got.unknown > 0 {
				t.Errorf("40 collections later: %+v", got)
			}
			if n := w.poll(w.now+15_000, same(22)); extra > 5 || n > 0 {
				t.Errorf("up to %d, and at the end %d requests in a warm collection", extra, n)
			}
		})
	}
}

// TestInterpolationMisses is the negative control: the line between the ends of
// the log is right where traffic is even, and only there.
func TestInterpolationMisses(t *testing.T) {
	for name, c := range map[string]struct {
		shape    func(*rand.Rand, int) []int64
		from, to int
	}{"even": {even, 0, 0}, "bursty": {bursty, 2000, 5000}} {
		w := base(1, c.shape)
		w.poll(t0+hour, same(2)) // the oldest record and the newest timestamp
		got := w.result()
		t.Logf("%s: %+v", name, got)
		if got.far < c.from || got.far > c.to {
			t.Errorf("%s: %d of %d are far off, want %d to %d", name, got.far, got.n, c.from, c.to)
		}
	}
}

// allowance is what a warm cycle may ask: five requests to three brokers.
func allowance(cycle int) func(int) int {
	return func(broker int) int {
		if (cycle+broker)%brokers < 2 {
			return 2
		}
		return 1
	}
}

// TestWarm follows groups that read on, half a second to twenty minutes behind,
// with 2.5 groups to a partition and five requests for all of them.
func TestWarm(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape func(*rand.Rand, int) []int64
		far   float64 // share
	}{
		{"even", even, .001}, {"bursty", bursty, .05}, {"minutely", minutely, .02}, {"random", random, .1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			w := newWorld(200, func(int) *tape { return plain(c.shape(r, 2000+r.IntN(50_000))) })
			lags := make([][]int64, len(w.tapes))
			for i := range 500 {
				p := i % len(w.tapes)
				lags[p] = append(lags[p], []int64{500, 3000, 20_000, 300_000, 1_200_000}[r.IntN(5)])
			}
			var n, far int
			for cycle := range 60 {
				now := t0 + hour/2 + int64(cycle)*15_000
				for p := range w.wants {
					w.wants[p] = w.wants[p][:0]
					for _, lag := range lags[p] {
						w.wants[p] = append(w.wants[p], w.tapes[p].end(now-lag-r.Int64N(5000)))
					}
				}
				if cycle == 0 {
					w.poll(now, same(22))
					continue
				}
				requests := w.poll(now, allowance(cycle))
				got := w.result()
				n, far = n+got.n, far+got.far
				if requests > 5 || got.wrong+got.unknown > 0 {
					t.Fatalf("cycle %d: %d requests, %+v", cycle, requests, got)
				}
			}
			t.Logf("%d of %d are more than a second off", far, n)
			if float64(far) > c.far*float64(n) {
				t.Errorf("want %.1f %% at most", 100*c.far)
			}
		})
	}
}

// ask lets a tape answer all questions about one log.
func ask(l *Log, tp *tape, now int64, asked *int) func([]Question) error {
	return func(qs []Question) error {
		for i := range qs {
			*asked++
			tp.answer(&qs[i], now)
		}
		return nil
	}
}

// find polls a tape once and says what is known of the offsets, in their order.
func find(t *testing.T, l *Log, tp *tape, now int64, offsets ...int64) (out []Estimate, asked int) {
	t.Helper()
	l.Observe(now, now, tp.start, tp.end(now))
	for _, c := range offsets {
		l.Want(c)
	}
	if _, err := Search([]*Log{l}, Limit{Rounds: 100}, ask(l, tp, now, &asked)); err != nil {
		t.Fatal(err)
	}
	if l.Open() != 0 {
		t.Errorf("%d are open after %d questions", l.Open(), asked)
	}
	l.Prune()
	for _, c := range offsets {
		out = append(out, l.At(c))
	}
	return out, asked
}

func TestNothingWantedNothingAsked(t *testing.T) {
	tp := plain(evenly(100))
	if _, asked := find(t, &Log{}, tp, t0+hour); asked != 0 {
		t.Errorf("%d questions", asked)
	}
}

// TestTies has many records of one timestamp, as LogAppendTime gives a batch.
func TestTies(t *testing.T) {
	var stamps []int64
	for i := range 50 {
		for range 40 {
			stamps = append(stamps, t0+int64(i)*7000)
		}
	}
	got, _ := find(t, &Log{}, plain(stamps), t0+hour, 0, 39, 40, 1010, 1999)
	for i, c := range []int64{0, 0, 1, 25, 49} {
		if e := got[i]; !e.Known || e.Time+e.Uncertainty() < t0+c*7000 || e.Low > t0+c*7000 || e.Uncertainty() > 1000 {
			t.Errorf("%+v, want %d", e, t0+c*7000)
		}
	}
}

// TestIdle has a log whose end is far behind: later times have no record.
func TestIdle(t *testing.T) {
	got, asked := find(t, &Log{}, plain(evenly(1000)), t0+100*24*hour, 999)
	if e := got[0]; e.Uncertainty() > 1000 || asked > 6 {
		t.Errorf("%+v after %d questions", e, asked)
	}
}

// TestWithoutNewest is a broker that does not know the newest timestamp.
func TestWithoutNewest(t *testing.T) {
	tp, l, now := plain(evenly(1000)), &Log{}, t0+100*24*hour
	l.Observe(now, now, 0, 1000)
	l.Want(999)
	n, err := Search([]*Log{l}, Limit{Rounds: 100}, func(qs []Question) error {
		if tp.answer(&qs[0], now); qs[0].Time == Newest {
			qs[0].Offset = -1
		}
		return nil
	})
	if e := l.At(999); err != nil || e.Uncertainty() > 1000 || n > 40 {
		t.Errorf("%+v after %d rounds: %v", e, n, err)
	}
}

// TestDecades has a first record that claims to be of 1970.
func TestDecades(t *testing.T) {
	stamps := evenly(1000)
	stamps[0] = 1
	got, asked := find(t, &Log{}, plain(stamps), t0+hour, 1, 500)
	for i, c := range []int64{1, 500} {
		if e := got[i]; e.Time-stamps[c] > 1000 || e.Uncertainty() > 1000 {
			t.Errorf("%d: %+v", c, e)
		}
	}
	if asked > 40 {
		t.Errorf("%d questions", asked)
	}
}

// TestFutile ends the questions that lead nowhere.
func TestFutile(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*Question)
		most   int
	}{
		"no record has a timestamp":            {func(q *Question) { q.Answered, q.Offset, q.Stamp = true, -1, -1 }, 2},
		"the answer is of another time":        {func(q *Question) { q.Answered, q.Offset, q.Stamp = true, 3, -1 }, 2},
		"no answer":                            {func(*Question) {}, 1},
		"older records are looked for in vain": {func(q *Question) { q.Answered, q.Offset, q.Stamp = true, 50, t0 }, 2},
	} {
		l := &Log{}
		l.Observe(t0, t0, 0, 100)
		l.Want(10)
		n, err := Search([]*Log{l}, Limit{Rounds: 100}, func(qs []Question) error {
			c.answer(&qs[0])
			return nil
		})
		if n > c.most || err != nil || l.At(10).Known {
			t.Errorf("%s: %d rounds, %v, %+v", name, n, err, l.At(10))
		}
	}
}

func TestSearchStops(t *testing.T) {
	wrong := errors.New("wrong")
	l := &Log{}
	l.Observe(t0, t0, 0, 100)
	l.Want(10)
	if n, err := Search([]*Log{l}, Limit{Rounds: 9}, func([]Question) error { return wrong }); n != 1 || !errors.Is(err, wrong) {
		t.Errorf("%d rounds, %v", n, err)
	}
}

// TestQuestionsOfOneRequest prefers what is known worst, in the order of logs.
func TestQuestionsOfOneRequest(t *testing.T) {
	qs := make([]Question, 6)
	for i := range qs {
		qs[i].Index = i
	}
	kept := widest(qs, []int64{5, 9, 5, 5, 1, 7}, 4)
	var got []int
	for _, q := range kept {
		got = append(got, q.Index)
	}
	if !slices.Equal(got, []int{0, 1, 2, 5}) {
		t.Errorf("kept %v", got)
	}
	logs := make([]*Log, 10)
	for i := range logs {
		logs[i] = &Log{}
		logs[i].Observe(t0, t0, 0, 100)
		logs[i].Want(10)
	}
	_, err := Search(logs, Limit{Rounds: math.MaxInt, Questions: 4}, func(qs []Question) error {
		if len(qs) > 4 {
			t.Errorf("%d questions", len(qs))
		}
		for i := range qs {
			plain(evenly(100)).answer(&qs[i], t0+hour)
		}
		return nil
	})
	for _, l := range logs {
		if l.Open() > 0 || err != nil {
			t.Errorf("%d are open, %v", l.Open(), err)
		}
	}
}
