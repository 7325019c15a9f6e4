package delivery_test

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// ramp is an uneven schedule: the slots get denser, then rarer.
type ramp struct{ slots uint64 }

func (r ramp) Count() uint64 { return r.slots }

func (r ramp) At(slot uint64) time.Duration {
	slot = min(slot, r.slots)
	half := r.slots / 2
	if slot <= half { // the gap falls from about 2*half+1 to 1 milliseconds
		return time.Duration(slot*(2*half+1)-slot*slot) * time.Millisecond
	}
	s := slot - half
	return time.Duration(half*(half+1)+s*s+s/3) * time.Millisecond
}

// modelConfig has everything on.
func modelConfig() Config {
	return Config{
		Drop:       Often{Share: 2 * Percent},
		Poison:     Poisoning{Often: Often{Share: 3 * Percent}, Format: encode.JSON},
		Late:       Delayed{Often{Share: 10 * Percent}, Law{Kind: LogNormal, From: 5 * time.Second, Sigma: 1500, Cap: 10 * time.Minute}},
		Duplicate:  Delayed{Often{Share: 5 * Percent}, Law{Kind: Uniform, To: 30 * time.Second}},
		OutOfOrder: Shuffled{Often{Share: 4 * Percent}, 20},
		Evolve: []Evolve{
			{Event: 700, Compatible: true, Add: []generators.Field{{Name: "wallet_id", Kind: generators.String, Nullable: true}}},
			{Slot: 1000, Remove: []string{"status"}},
		},
	}
}

func mustPlan(t testing.TB, seed generators.Seed, s Schedule, c Config) *Plan {
	t.Helper()
	p, err := New(seed, 3, s, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// modelled is a copy in the model, which keeps everything in plain lists and
// looks through all of them in each slot.
type modelled struct {
	truth, drawn, first uint64
	due                 time.Duration
	kind                string
	twice               bool
}

type modelSend struct {
	slot uint64
	modelled
	version int
}

// model is written from the rules of the package comment alone, without the
// walker: numbers from the purposes, a list instead of a queue.
type model struct {
	seed     generators.Seed
	schedule Schedule
	config   Config
	waiting  []modelled
	sends    []modelSend
	dropped  []modelled
	truths   uint64
}

func (m *model) random(purpose string, n uint64) uint64 {
	return m.seed.Rand("delivery." + purpose).Entity(3).At(n)
}

func (m *model) hit(purpose string, share Share, n uint64) bool {
	hi := m.random(purpose, n) / 1_000_000 // coarse: 18446744073709.55 of these are the whole
	return float64(hi)*1_000_000 < float64(share)/float64(Whole)*18446744073709551616
}

func (m *model) version(n, slot uint64) int {
	switch {
	case n >= 700 && slot >= 1000:
		return 3
	case n >= 700:
		return 2
	}
	return 1
}

func (m *model) run() {
	late := generators.NewLogNormal()
	for slot := range m.schedule.Count() {
		now := m.schedule.At(slot)
		sort.SliceStable(m.waiting, func(i, j int) bool {
			a, b := m.waiting[i], m.waiting[j]
			return a.due < b.due || a.due == b.due && a.truth < b.truth
		})
		if len(m.waiting) > 0 && m.waiting[0].due <= now {
			c := m.waiting[0]
			m.waiting = slices.Clone(m.waiting[1:])
			m.send(slot, c)
			continue
		}
		for sent := false; !sent; {
			n := m.truths
			m.truths++
			c := modelled{truth: n, drawn: slot, first: slot, kind: "on_time"}
			c.twice = m.hit("duplicate", m.config.Duplicate.Share, n)
			switch {
			case m.hit("drop", m.config.Drop.Share, n):
				m.dropped = append(m.dropped, c)
			case m.hit("poison", m.config.Poison.Share, n):
				list := RejectedClasses(encode.JSON)
				c.kind, c.twice = list[generators.Below(m.random("poison.class", n), uint64(len(list)))].String(), false
				m.send(slot, c)
				sent = true
			case m.hit("late", m.config.Late.Share, n):
				c.kind = "late"
				us := late.Draw(m.random("late.delay", n), 5_000_000, generators.Sigma(1500))
				c.due = now + time.Duration(min(us, 600_000_000))*time.Microsecond
				m.waiting = append(m.waiting, c)
			case m.hit("out_of_order", m.config.OutOfOrder.Share, n):
				c.kind = "out_of_order"
				c.due = time.Duration(1<<63 - 1)
				if to := slot + 2 + generators.Below(m.random("out_of_order.slots", n), 19); to < m.schedule.Count() {
					c.due = m.schedule.At(to)
				}
				m.waiting = append(m.waiting, c)
			default:
				m.send(slot, c)
				sent = true
			}
		}
	}
}

func (m *model) send(slot uint64, c modelled) {
	m.sends = append(m.sends, modelSend{slot, c, m.version(c.truth, c.drawn)})
	if !c.twice || c.kind == "duplicate" {
		return
	}
	second := c
	second.kind, second.twice, second.first = "duplicate", false, slot
	second.due = m.schedule.At(slot) + time.Duration(generators.Below(m.random("duplicate.delay", c.truth), 30_000_000_001))
	m.waiting = append(m.waiting, second)
}

// books adds the model's lists up, one question after the other.
type books struct {
	counts             map[string]uint64
	events, sends      map[time.Time]map[string]uint64
	once, twice        uint64
	lateness           map[time.Duration]uint64
	distinct, readable map[uint64]bool
}

func (m *model) books(start time.Time, refused int, partitions int) books {
	b := books{
		counts: map[string]uint64{}, events: map[time.Time]map[string]uint64{}, sends: map[time.Time]map[string]uint64{},
		lateness: map[time.Duration]uint64{}, distinct: map[uint64]bool{}, readable: map[uint64]bool{},
	}
	add := func(what string, drawn, slot uint64) {
		b.counts[what]++
		for i, in := range []map[time.Time]map[string]uint64{b.events, b.sends} {
			at := start.Add(m.schedule.At([]uint64{drawn, slot}[i])).Truncate(time.Minute)
			if in[at] == nil {
				in[at] = map[string]uint64{}
			}
			in[at][what]++
		}
	}
	times := map[uint64]int{}
	greatest := map[uint64]int64{}
	for _, s := range m.sends {
		add("sent", s.drawn, s.slot)
		if s.kind != "duplicate" {
			add("truth", s.drawn, s.drawn)
		}
		poison := !slices.Contains([]string{"on_time", "late", "out_of_order", "duplicate"}, s.kind)
		if poison {
			add("poisoned", s.drawn, s.slot)
			add("dead", s.drawn, s.slot)
			continue
		}
		times[s.truth]++
		if s.version == refused {
			add("dead", s.drawn, s.slot)
			continue
		}
		add("readable", s.drawn, s.slot)
		if !b.distinct[s.truth] {
			add("distinct", s.drawn, s.slot)
		}
		b.distinct[s.truth] = true
		b.lateness[m.schedule.At(s.slot)-m.schedule.At(s.drawn)]++
		ms := start.Add(m.schedule.At(s.drawn)).UnixMilli()
		part := s.truth % uint64(partitions)
		if top, seen := greatest[part]; seen && ms < top {
			add("disordered", s.drawn, s.slot)
		}
		greatest[part] = max(greatest[part], ms)
	}
	for _, n := range times {
		if n == 1 {
			b.once++
		} else {
			b.twice++
		}
	}
	for _, c := range m.dropped {
		add("truth", c.drawn, c.drawn)
		add("dropped", c.drawn, c.drawn)
	}
	for _, c := range m.waiting {
		if c.kind == "duplicate" {
			add("held copies", c.drawn, c.drawn)
			continue
		}
		add("truth", c.drawn, c.drawn)
		add("held", c.drawn, c.drawn)
	}
	return b
}

func named(c Counts) map[string]uint64 {
	return map[string]uint64{
		"truth": c.Truth, "sent": c.Sent, "poisoned": c.Poisoned, "dead": c.DeadLetters, "readable": c.Readable,
		"distinct": c.Distinct, "disordered": c.Disordered, "dropped": c.Dropped, "held": c.Held, "held copies": c.HeldCopies,
	}
}

func diff(t *testing.T, where string, got, want map[string]uint64) {
	t.Helper()
	for what, n := range got {
		if n != want[what] {
			t.Errorf("%s: %s is %d, the model has %d", where, what, n, want[what])
		}
	}
}

// TestBooksAgreeWithTheModel compares the walk slot by slot and the books
// number by number with the model, over many seeds and three schedules.
func TestBooksAgreeWithTheModel(t *testing.T) {
	start := time.Date(2026, 3, 1, 23, 59, 13, 123_456_789, time.UTC)
	for seed := range generators.Seed(24) {
		var schedule Schedule = Even{PerSecond: 7, Slots: 2500}
		config := modelConfig()
		switch seed % 3 {
		case 1:
			schedule = ramp{1500}
		case 2: // several slots in a millisecond, which event times do not tell apart
			schedule, config.Late = Even{PerSecond: 2500, Slots: 3000}, Delayed{}
		}
		m := model{seed: seed, schedule: schedule, config: config}
		m.run()
		p := mustPlan(t, seed, schedule, config)
		w, b := p.NewWalker(), p.NewBooks(BooksOptions{
			Start: start, Outcomes: []Outcome{Intact, Intact, Refused},
			Partition: func(truth, _ uint64) int32 { return int32(truth % 3) },
			Edges:     []time.Duration{0, 3 * time.Second, time.Minute},
		})
		faults := map[Class]int{}
		for _, want := range m.sends {
			s, ok := w.Next()
			if !ok || s.Slot != want.slot || s.Truth != want.truth || s.TruthSlot != want.drawn ||
				s.Class.String() != want.kind || int(s.Version) != want.version || (s.Copy == 1) != (want.kind == "duplicate") {
				t.Fatalf("seed %d: sent %+v, the model %+v", seed, s, want)
			}
			b.Add(s, w.Faults())
			for _, f := range w.Faults() {
				faults[f.Class]++
			}
		}
		if _, ok := w.Next(); ok {
			t.Fatalf("seed %d: more slots than the schedule has", seed)
		}
		if w.Truth() != m.truths || w.Held() != len(m.waiting) {
			t.Fatalf("seed %d: %d drawn, %d held; the model %d and %d", seed, w.Truth(), w.Held(), m.truths, len(m.waiting))
		}
		sum, want := b.Close(w), m.books(start, 3, 3)
		if err := sum.Balance(); err != nil {
			t.Error(err)
		}
		where := fmt.Sprintf("seed %d", seed)
		diff(t, where, named(sum.Total), want.counts)
		minutes(t, where+" by event", sum.Events, want.events)
		minutes(t, where+" by send", sum.Sends, want.sends)
		if sum.Once != want.once || sum.Twice != want.twice {
			t.Errorf("%s: once %d twice %d, the model %d and %d", where, sum.Once, sum.Twice, want.once, want.twice)
		}
		lateness(t, where, sum, want)
		for class, n := range sum.Classes {
			if uint64(faults[Class(class)]) != n {
				t.Errorf("%s: %s counted %d, %d faults", where, Class(class), n, faults[Class(class)])
			}
		}
	}
}

func minutes(t *testing.T, where string, got []Minute, want map[time.Time]map[string]uint64) {
	t.Helper()
	seen := 0
	for _, m := range got {
		diff(t, where+" "+m.Start.Format(time.RFC3339), named(m.Counts), want[m.Start])
		if want[m.Start] != nil {
			seen++
		}
	}
	if seen != len(want) {
		t.Errorf("%s: %d minutes of %d", where, seen, len(want))
	}
}

func lateness(t *testing.T, where string, sum *Summary, want books) {
	t.Helper()
	var buckets [4]uint64
	var total, most time.Duration
	for late, n := range want.lateness {
		total, most = total+late*time.Duration(n), max(most, late)
		switch {
		case late == 0:
			buckets[0] += n
		case late <= 3*time.Second:
			buckets[1] += n
		case late <= time.Minute:
			buckets[2] += n
		default:
			buckets[3] += n
		}
	}
	for i, bucket := range sum.Lateness {
		if bucket.Rows != buckets[i] {
			t.Errorf("%s: %d rows up to %v, the model %d", where, bucket.Rows, bucket.Below, buckets[i])
		}
	}
	if sum.LatenessSum != total || sum.LatenessMax != most {
		t.Errorf("%s: lateness %v at most %v, the model %v and %v", where, sum.LatenessSum, sum.LatenessMax, total, most)
	}
}

// TestFaultsTellWhatTheModelDid compares the ledger's content with the model.
func TestFaultsTellWhatTheModelDid(t *testing.T) {
	schedule := Even{PerSecond: 7, Slots: 3000}
	m := model{seed: 5, schedule: schedule, config: modelConfig()}
	m.run()
	type key struct {
		kind                string
		truth, slot, second uint64
	}
	var want, got []key
	for _, s := range m.sends {
		k := key{s.kind, s.truth, s.first, s.slot}
		switch s.kind {
		case "on_time":
			continue
		case "late", "out_of_order", "duplicate":
		default:
			k.second = NoSlot
		}
		want = append(want, k)
	}
	for _, c := range m.dropped {
		want = append(want, key{"dropped", c.truth, c.drawn, NoSlot})
	}
	for _, c := range m.waiting {
		want = append(want, key{c.kind, c.truth, c.first, NoSlot})
	}
	p := mustPlan(t, 5, schedule, modelConfig())
	note := func(faults []Fault) {
		for _, f := range faults {
			if f.Class != Evolved {
				got = append(got, key{f.Class.String(), f.Truth, f.Slot, f.Second})
			}
			if f.EventTime != schedule.At(f.TruthSlot) || int(f.Version) != m.version(f.Truth, f.TruthSlot) {
				t.Errorf("%+v", f)
			}
		}
	}
	w := p.NewWalker()
	for {
		if _, ok := w.Next(); !ok {
			break
		}
		note(w.Faults())
	}
	note(w.Finish())
	order := func(a, b key) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.truth, b.truth), cmp.Compare(a.slot, b.slot))
	}
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	if !slices.Equal(got, want) {
		t.Errorf("%d faults, the model has %d, and they differ", len(got), len(want))
	}
}
