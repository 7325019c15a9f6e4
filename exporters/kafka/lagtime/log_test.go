package lagtime

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCompacted has one record in ten left: an offset that is gone stands for
// the next record.
func TestCompacted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var offsets, stamps []int64
	for o := range int64(5000) {
		if r.IntN(10) == 0 && (o < 2000 || o > 3000) || o > 4990 {
			offsets, stamps = append(offsets, o), append(stamps, t0+o*700)
		}
	}
	tp := newTape(offsets, stamps, stamps)
	l := &Log{Compacted: true}
	wants := []int64{0, 1, 700, 1999, 2001, 2500, 2999, 3002, 4000, 4989, 4995}
	got, asked := find(t, l, tp, t0+hour, wants...)
	exact := 0
	for i, c := range wants {
		truth := tp.truth(c)
		if e := got[i]; !e.Known || truth < e.Low || truth > e.High || e.Time != truth && e.Uncertainty() > 1000 {
			t.Errorf("%d: %+v, want %d", c, e, truth)
		}
		if got[i].Time == truth {
			exact++
		}
	}
	t.Logf("%d of %d exact after %d questions", exact, len(wants), asked)
	if asked > 10*len(wants) {
		t.Errorf("%d questions", asked)
	}
	// The negative control: what is not known to be compacted is taken for dense.
	got, _ = find(t, &Log{}, tp, t0+hour, 2500)
	if e := got[0]; tp.truth(2500) <= e.High {
		t.Errorf("%+v has room for a gap that nobody told of", e)
	}
}

// TestStartMoves follows a group whose records are deleted before it reads them.
func TestStartMoves(t *testing.T) {
	tp, l := plain(evenly(4000)), &Log{}
	for cycle := range int64(50) {
		tp.start = cycle * 60
		at := max(1000, tp.start)
		got, asked := find(t, l, tp, t0+hour+cycle*15_000, at)
		if e := got[0]; e.Time != tp.truth(at) || e.Uncertainty() > 1000 || cycle > 0 && asked > 3 {
			t.Errorf("cycle %d: %+v, want %d, %d questions", cycle, e, tp.truth(at), asked)
		}
	}
}

// TestMadeAnew has a topic that was deleted and filled again with other times.
func TestMadeAnew(t *testing.T) {
	l := &Log{}
	find(t, l, plain(evenly(4000)), t0+hour, 500, 2000)
	stamps := evenly(1000)
	for i := range stamps {
		stamps[i] += 10 * hour
	}
	got, _ := find(t, l, plain(stamps), t0+11*hour, 500)
	if e := got[0]; e.Time != stamps[500] {
		t.Errorf("%+v, want %d", e, stamps[500])
	}
}

// jitter is traffic of an hour whose records arrive up to so many milliseconds
// after their timestamps.
func jitter(r *rand.Rand, n int, most int64) *tape {
	type record struct{ stamp, written int64 }
	all := make([]record, n)
	for i := range all {
		at := t0 + r.Int64N(hour)
		all[i] = record{at - r.Int64N(most+1), at}
	}
	slices.SortFunc(all, func(a, b record) int { return int(a.written - b.written) })
	var offsets, stamps, written []int64
	for i, a := range all {
		offsets, stamps, written = append(offsets, int64(i)), append(stamps, a.stamp), append(written, a.written)
	}
	return newTape(offsets, stamps, written)
}

// TestDisorder holds what can be said where timestamps do not ascend: the newest
// one up to an offset, and room for what the polls show.
func TestDisorder(t *testing.T) {
	for _, c := range []struct {
		most   int64
		inside float64 // share of truths within the uncertainty
	}{{0, 1}, {500, .9}, {10 * 60_000, .5}} {
		r := rand.New(rand.NewPCG(1, uint64(c.most)))
		tp := jitter(r, 5000, c.most)
		var n, inside, room int
		l := &Log{}
		for cycle := range int64(100) {
			now := t0 + hour/2 + cycle*15_000
			at := tp.end(now - 20_000 - r.Int64N(60_000))
			got, _ := find(t, l, tp, now, at)
			e, i := got[0], tp.at(at)
			if e.Low > e.Time || e.Time > e.High {
				t.Fatalf("%+v is no bracket", e)
			}
			if newest := tp.newest[i]; newest > e.High || tp.truth(at) > e.High {
				t.Errorf("%+v: the newest is %d, the truth %d", e, newest, tp.truth(at))
			}
			n++
			if tp.truth(at) >= e.Low {
				inside++
			}
			if e.Uncertainty() > 2000 {
				room++
			}
		}
		t.Logf("jitter of %d ms: %d of %d inside, %d with more than 2 s of room", c.most, inside, n, room)
		if float64(inside) < c.inside*float64(n) || c.most == 0 && room > 0 {
			t.Errorf("want %.2f inside, and no room where there is no disorder", c.inside)
		}
	}
}

// TestDelay has timestamps that are an hour older than their arrival, in order:
// no reason to doubt them.
func TestDelay(t *testing.T) {
	stamps := evenly(4000)
	written := make([]int64, len(stamps))
	offsets := make([]int64, len(stamps))
	for i := range stamps {
		offsets[i], written[i] = int64(i), stamps[i]+hour
	}
	tp, l := newTape(offsets, stamps, written), &Log{}
	for cycle := range int64(100) {
		now := t0 + hour + hour/3 + cycle*15_000
		at := tp.end(now - 30_000)
		got, _ := find(t, l, tp, now, at)
		if e := got[0]; e.Time-tp.truth(at) > 1000 || tp.truth(at)-e.Time > 1000 || e.Uncertainty() > 1000 {
			t.Errorf("cycle %d: %+v, want %d", cycle, e, tp.truth(at))
		}
	}
}

// TestClockAhead has a producer whose clock is a minute ahead of ours.
func TestClockAhead(t *testing.T) {
	stamps := evenly(4000)
	written := make([]int64, len(stamps))
	offsets := make([]int64, len(stamps))
	for i := range stamps {
		offsets[i], written[i] = int64(i), stamps[i]-60_000
	}
	tp, l := newTape(offsets, stamps, written), &Log{}
	for cycle := range int64(100) {
		now := t0 + hour/3 + cycle*15_000
		at := tp.end(now - 5_000)
		got, _ := find(t, l, tp, now, at)
		if e := got[0]; e.Time-tp.truth(at) > 2000 || tp.truth(at)-e.Time > 2000 {
			t.Errorf("cycle %d: %+v, want %d", cycle, e, tp.truth(at))
		}
	}
}

// TestTiered has a broker that answers from its local disk only, while the log
// begins in remote storage: of what lies there nothing is said.
func TestTiered(t *testing.T) {
	tp := plain(evenly(4000))
	answer := func(q *Question, now int64) {
		tp.start = 3000
		tp.answer(q, now)
	}
	l := &Log{}
	now := t0 + hour
	for range 3 {
		l.Observe(now, now, 0, 4000)
		l.Want(1000)
		l.Want(3500)
		n, _ := Search([]*Log{l}, Limit{Rounds: 50}, func(qs []Question) error {
			answer(&qs[0], now)
			return nil
		})
		l.Prune()
		if n > 6 {
			t.Errorf("%d rounds", n)
		}
		if e := l.At(1000); e.Known {
			t.Errorf("in remote storage: %+v", e)
		}
		if e := l.At(3500); e.Time != tp.stamps[3500] {
			t.Errorf("on disk: %+v", e)
		}
		now += 15_000
	}
}

// TestBounded holds what one log keeps through many polls and many groups.
func TestBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	tp, l := plain(burstFirst(r, 20_000)), &Log{}
	for cycle := range int64(300) {
		now := t0 + hour/2 + cycle*5_000
		tp.start = max(0, tp.end(now)-8000)
		l.Observe(now, now, tp.start, tp.end(now))
		for range 60 {
			l.Want(tp.start + r.Int64N(tp.end(now)-tp.start))
		}
		n := 0
		if _, err := Search([]*Log{l}, Limit{Rounds: 22}, ask(l, tp, now, &n)); err != nil {
			t.Fatal(err)
		}
		l.Prune()
		if len(l.points) > maxPoints || cap(l.points) > 2*maxPoints || cap(l.polls) > maxPolls || len(l.polls) > maxPolls || len(l.wants) > 60 {
			t.Fatalf("%d points (%d), %d polls, %d wants", len(l.points), cap(l.points), len(l.polls), len(l.wants))
		}
	}
}

// FuzzLog gives a log any answers: whatever they are, it neither panics nor
// grows, and brackets stay brackets.
func FuzzLog(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 100, 50, 0, 255})
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = raw[:min(len(raw), 2000)]
		l := &Log{Compacted: len(raw)%2 == 0}
		now, at := t0, 0
		number := func() int64 {
			if at >= len(raw) {
				return 0
			}
			at++
			return int64(int8(raw[at-1]))
		}
		for at < len(raw) {
			now += number() * 1000
			start := number()
			end := start + max(0, number())
			l.Observe(now, now+number(), start, end)
			for range 3 {
				l.Want(start + max(0, number()))
			}
			_, _ = Search([]*Log{l}, Limit{Rounds: 22}, func(qs []Question) error {
				qs[0].Answered, qs[0].Offset, qs[0].Stamp = number() != 0, number(), max(0, qs[0].Time)+number()*number()
				return nil
			})
			l.Prune()
			for o := start; o < end; o++ {
				if e := l.At(o); e.Known && (e.Low > e.Time || e.Time > e.High || e.Uncertainty() < 0) {
					t.Fatalf("%d: %+v", o, e)
				}
			}
			if len(l.points) > maxPoints || len(l.polls) > maxPolls {
				t.Fatalf("%d points, %d polls", len(l.points), len(l.polls))
			}
		}
	})
}
