package lagtime

import (
	"math/rand/v2"
	"slices"
	"sort"
)

// tape is a log as a broker has it: records with offsets and timestamps, and
// when each was written.
type tape struct {
	offsets, stamps, written []int64
	newest                   []int64 // running maximum of stamps
	start                    int64
	rounds                   int
}

func newTape(offsets, stamps, written []int64) *tape {
	t := &tape{offsets: offsets, stamps: stamps, written: written, newest: slices.Clone(stamps)}
	for i := 1; i < len(t.newest); i++ {
		t.newest[i] = max(t.newest[i], t.newest[i-1])
	}
	return t
}

// plain is a tape of records with the given timestamps, written at once.
func plain(stamps []int64) *tape {
	offsets := make([]int64, len(stamps))
	for i := range offsets {
		offsets[i] = int64(i)
	}
	return newTape(offsets, stamps, slices.Sorted(slices.Values(stamps)))
}

// at is the index of the first record at or after an offset.
func (t *tape) at(offset int64) int {
	return sort.Search(len(t.offsets), func(i int) bool { return t.offsets[i] >= offset })
}

// end is the end offset at a time.
func (t *tape) end(now int64) int64 {
	n := sort.Search(len(t.written), func(i int) bool { return t.written[i] > now })
	if n == 0 {
		return 0
	}
	return t.offsets[n-1] + 1
}

// answer does as a broker does at a time.
func (t *tape) answer(q *Question, now int64) {
	q.Answered, q.Offset, q.Stamp = true, -1, -1
	first, last := t.at(t.start), t.at(t.end(now))
	if q.Time == Newest {
		for i := first; i < last; i++ {
			if t.stamps[i] > q.Stamp {
				q.Offset, q.Stamp = t.offsets[i], t.stamps[i]
			}
		}
		return
	}
	if first == 0 { // the running maximum holds
		i := sort.Search(last, func(i int) bool { return t.newest[i] >= q.Time })
		if i < last {
			q.Offset, q.Stamp = t.offsets[i], t.stamps[i]
		}
		return
	}
	for i := first; i < last; i++ {
		if t.stamps[i] >= q.Time {
			q.Offset, q.Stamp = t.offsets[i], t.stamps[i]
			return
		}
	}
}

// truth is the timestamp of the first record at or after an offset.
func (t *tape) truth(offset int64) int64 { return t.stamps[t.at(offset)] }

// world is many partitions on some brokers, and groups that read them.
type world struct {
	tapes []*tape
	logs  []*Log
	wants [][]int64
	now   int64
}

func newWorld(n int, tape func(i int) *tape) *world {
	w := &world{wants: make([][]int64, n)}
	for i := range n {
		w.tapes = append(w.tapes, tape(i))
		w.logs = append(w.logs, &Log{})
	}
	return w
}

const brokers = 3

// poll does one cycle with so many rounds for each broker, and returns the
// requests that it took.
func (w *world) poll(now int64, rounds func(broker int) int) int {
	w.now = now
	requests := 0
	for b := range brokers {
		var logs []*Log
		var tapes []*tape
		for i := b; i < len(w.logs); i += brokers {
			l, t := w.logs[i], w.tapes[i]
			l.Observe(now, now, t.start, t.end(now))
			for _, c := range w.wants[i] {
				if c = max(c, t.start); c < t.end(now) {
					l.Want(c)
				}
			}
			logs, tapes = append(logs, l), append(tapes, t)
		}
		n, _ := Search(logs, Limit{Rounds: rounds(b)}, func(qs []Question) error {
			for i := range qs {
				tapes[qs[i].Index].rounds++
				tapes[qs[i].Index].answer(&qs[i], now)
			}
			return nil
		})
		requests += n
		for _, l := range logs {
			l.Prune()
		}
	}
	return requests
}

func same(n int) func(int) int { return func(int) int { return n } }

// result is how good the estimates are.
type result struct {
	n, unknown, wrong, far, wide int // far: more than 1 s off; wide: bracket above 1 s; wrong: truth outside
	worst                        int64
	mean                         float64
}

func (w *world) result() result {
	var r result
	for i, l := range w.logs {
		t := w.tapes[i]
		for _, c := range w.wants[i] {
			if c = max(c, t.start); c >= t.end(w.now) {
				continue
			}
			r.n++
			e := l.At(c)
			if !e.Known {
				r.unknown++
				continue
			}
			truth := t.truth(c)
			off := max(truth-e.Time, e.Time-truth)
			r.mean += float64(off)
			r.worst = max(r.worst, off)
			if off > 1000 {
				r.far++
			}
			if e.Uncertainty() > 1000 {
				r.wide++
			}
			if off > e.Uncertainty() {
				r.wrong++
			}
		}
	}
	r.mean /= float64(max(r.n, 1))
	return r
}

// An hour of timestamps, and a base to count from.
const (
	hour = int64(3_600_000)
	t0   = int64(1_750_000_000_000)
)

// Shapes of traffic: n ascending timestamps within an hour.

func evenly(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = t0 + hour*int64(i)/int64(n)
	}
	return out
}

// bursty is half of the records in one hundredth of the hour, the others evenly
// before it; then idle.
func bursty(r *rand.Rand, n int) []int64 {
	burst, begin := hour/100, hour/10+r.Int64N(hour/2)
	out := make([]int64, n)
	for i := range out {
		if i < n/2 {
			out[i] = t0 + begin*int64(i)/int64(n/2)
		} else {
			out[i] = t0 + begin + burst*int64(i-n/2)/int64(n-n/2)
		}
	}
	return out
}

// burstFirst is half of the records in the first hundredth of the hour, the
// others at random.
func burstFirst(r *rand.Rand, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = t0 + r.Int64N(hour)
		if i < n/2 {
			out[i] = t0 + r.Int64N(hour/100)
		}
	}
	slices.Sort(out)
	return out
}

// burstAmid is half of the records in one hundredth of the hour, somewhere, the
// others at random; few enough to lie seconds apart.
func burstAmid(r *rand.Rand, n int) []int64 {
	n /= 5
	begin := r.Int64N(hour - hour/100)
	out := make([]int64, n)
	for i := range out {
		out[i] = t0 + r.Int64N(hour)
		if i < n/2 {
			out[i] = t0 + begin + r.Int64N(hour/100)
		}
	}
	slices.Sort(out)
	return out
}

func random(r *rand.Rand, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = t0 + r.Int64N(hour)
	}
	slices.Sort(out)
	return out
}

// minutely is a batch job of three seconds every minute.
func minutely(r *rand.Rand, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = t0 + int64(i*60/n)*60_000 + r.Int64N(3000)
	}
	slices.Sort(out)
	return out
}

// manyBursts is ten times a tenth of the records in 18 s.
func manyBursts(r *rand.Rand, n int) []int64 {
	var out []int64
	for range 10 {
		begin := r.Int64N(hour - hour/200)
		for range n / 10 {
			out = append(out, t0+begin+r.Int64N(hour/200))
		}
	}
	slices.Sort(out)
	return out
}

// spread gives n wants to the partitions, the same number each.
func (w *world) spread(r *rand.Rand, n int) {
	for i := range n {
		p := i % len(w.tapes)
		w.wants[p] = append(w.wants[p], r.Int64N(w.tapes[p].end(t0+2*hour)))
	}
}
