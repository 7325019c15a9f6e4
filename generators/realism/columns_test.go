package realism

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	const n = 40_000
	column := func(name string, values int, of func(i int) int) coded {
		c := coded{name: name, n: values, codes: make([]uint8, n)}
		for i := range c.codes {
			c.codes[i] = uint8(of(i))
		}
		return c
	}
	d := newDice("links")
	a := column("a", 40, func(int) int { return d.below(40) })
	b := column("b", 60, func(int) int { return d.below(60) })
	same := column("same", 40, func(i int) int { return (int(a.codes[i]) + 7) % 40 })
	coarse := column("coarse", 4, func(i int) int { return int(a.codes[i]) / 10 })
	// A fair bit that is turned over in a tenth of all cases says 1 - H(0.1).
	bit := column("bit", 2, func(int) int { return d.below(2) })
	noisy := column("noisy", 2, func(i int) int {
		if d.one(0.1) {
			return 1 - int(bit.codes[i])
		}
		return int(bit.codes[i])
	})
	h := -(0.1*math.Log2(0.1) + 0.9*math.Log2(0.9))
	for _, c := range []struct {
		a, b   *coded
		want   float64
		within float64
	}{{&a, &b, 0, 0.001}, {&a, &same, 1, 0.001}, {&a, &coarse, 1, 0.001}, {&bit, &noisy, 1 - h, 0.01}, {&bit, &a, 0, 0.002}} {
		l := linkOf(c.a, c.b)
		if !l.known || math.Abs(l.share-c.want) > c.within {
			t.Errorf("%s and %s share %v, want %v", c.a.name, c.b.name, l.share, c.want)
		}
	}
	// What the correction takes away: 39*59/2n nats of chance.
	joint := 39.0 * 59 / (2 * n) / math.Log(40)
	if joint < 5*0.001 {
		t.Errorf("chance makes %v: nothing to correct", joint)
	}
	one := column("one", 1, func(int) int { return 0 })
	if linkOf(&one, &a).known {
		t.Error("a single value has no relation")
	}
}

// columnsOf measures a stream in which the category follows from a draw of its
// own, or from something else.
func columnsOf(t *testing.T, n int, category func(d *dice, r *Record) int) *Report {
	t.Helper()
	d := newDice("columns")
	return feed(t, Options{}, n, func(_ int, r *Record) {
		r.Time = start + int64(d.unit()*365*dayMicros)
		r.Type, r.Channel = "purchase", "pos"
		if d.one(0.2) {
			r.Type, r.Channel = "transfer", "app"
		}
		k := category(d, r)
		r.MCC = strconv.Itoa(5000 + k)
		r.Amount = int64(math.Exp(d.normal())*1000*float64(k+1)) + 1
	})
}

func TestIndependence(t *testing.T) {
	own := func(d *dice, _ *Record) int { return d.below(10) }
	r := columnsOf(t, 40_000, own)
	want(t, find(t, r, "independence"), Pass, 0, 0.004)
	want(t, find(t, r, "dependence"), Pass, 0.15, 0.1)

	// Sparkov: date and category come from one random number.
	shared := func(_ *dice, r *Record) int { return int((r.Time - start) / dayMicros * 10 / 365) }
	m := find(t, columnsOf(t, 40_000, shared), "independence")
	if m.Verdict != Fail || *m.Value < 0.9 || !strings.Contains(m.Sentence, "week and mcc") {
		t.Errorf("one number for two fields: %s", m.Sentence)
	}

	// One in ten records only.
	some := func(d *dice, r *Record) int {
		if d.one(0.1) {
			return shared(d, r)
		}
		return own(d, r)
	}
	if m := find(t, columnsOf(t, 40_000, some), "independence"); m.Verdict != Fail || len(m.Details) == 0 {
		t.Errorf("one number for two fields, at times: %s", m.Sentence)
	}
	want(t, find(t, columnsOf(t, 500, own), "independence"), NotMeasured, 0, 0)
}

func TestDependence(t *testing.T) {
	// A faker draws every column alone.
	d := newDice("faker")
	r := feed(t, Options{}, 30_000, func(_ int, r *Record) {
		r.Type = []string{"purchase", "transfer", "refund"}[d.below(3)]
		r.Channel = []string{"pos", "app", "web"}[d.below(3)]
		r.MCC = strconv.Itoa(5000 + d.below(10))
		r.Amount = int64(d.below(100_000))
	})
	want(t, find(t, r, "dependence"), Fail, 0, 0.002)
}

// scam makes a stream with frauds as a test wants them: n records of 400
// accounts of which a share is fraud.
func scam(t *testing.T, share float64, crime func(d *dice, r *Record)) Measure {
	t.Helper()
	d := newDice("scam")
	o := Options{Texts: []string{"entry"}, Numbers: []string{"score"}}
	return find(t, feed(t, o, 15_000, func(_ int, r *Record) {
		r.Type = []string{"purchase", "transfer"}[d.below(2)]
		r.Channel = []string{"pos", "app", "web", "atm"}[d.below(4)]
		r.Account, r.Merchant = "A"+strconv.Itoa(d.below(400)), "M"+strconv.Itoa(d.below(300))
		r.Counterparty = string("CM"[d.below(2)]) + strconv.Itoa(d.below(500))
		r.Amount = int64(math.Exp(d.normal()*1.2)*5000) + 1
		r.Known, r.Balance = KnownBalance, int64(d.below(1_000_000))
		r.Texts, r.Numbers = []string{"chip"}, []int64{int64(d.below(100))}
		r.Label = Genuine
		if d.one(share) {
			r.Label = Fraud
			crime(d, r)
		}
	}), "leakage")
}

func TestLeakage(t *testing.T) {
	for _, c := range []struct {
		name  string
		crime func(d *dice, r *Record)
		rule  []string // words of the rule
	}{
		{"SantanderAI: one amount", func(_ *dice, r *Record) { r.Amount = 999_900 }, []string{"999,900 ≤ amount < 999,901"}},
		{"high amounts", func(_ *dice, r *Record) { r.Amount += 2_000_000 }, []string{"amount ≥ 2,0"}},
		{"a range inside", func(d *dice, r *Record) { r.Amount = 7000 + int64(d.below(40)) }, []string{"7,0", " ≤ amount < 7,0"}},
		{"a channel of its own", func(_ *dice, r *Record) { r.Channel = "tor" }, []string{"channel is tor"}},
		{
			"PaySim: prefix and balance", func(_ *dice, r *Record) { r.Counterparty, r.Balance = "C9", 0 },
			[]string{"balance"},
		},
		{
			"two columns, neither alone", func(d *dice, r *Record) {
				r.Numbers[0], r.Balance = int64(d.below(8)), int64(d.below(80_000))
			},
			[]string{"score < ", "balance < "},
		},
		{
			"exclusive or", func(d *dice, r *Record) {
				r.Numbers[0], r.Texts[0] = 200, "chip"
				if d.one(0.5) {
					r.Numbers[0], r.Texts[0] = int64(d.below(100)), "manual"
				}
			},
			[]string{"score", "entry"},
		},
		{"a device", func(_ *dice, r *Record) { r.Device = "D1" }, []string{"device is one of"}},
		{"what is missing", func(_ *dice, r *Record) { r.Merchant = "" }, []string{"merchant is missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := scam(t, 0.02, c.crime)
			if m.Verdict != Fail || *m.Value < 0.5 {
				t.Fatalf("not found: %s: %s %v", m.Verdict, m.Sentence, m.Details)
			}
			for _, word := range c.rule {
				if !strings.Contains(m.Details[0].Text, word) {
					t.Errorf("rule %q does not say %q", m.Details[0].Text, word)
				}
			}
		})
	}
}

func TestNoLeakage(t *testing.T) {
	for name, crime := range map[string]func(d *dice, r *Record){
		"like all others": func(*dice, *Record) {},
		"somewhat larger": func(_ *dice, r *Record) { r.Amount *= 2 },
		"in few accounts": func(d *dice, r *Record) { r.Account = "A" + strconv.Itoa(d.below(100)) },
		"a third is alike": func(d *dice, r *Record) {
			if d.one(0.33) {
				r.Channel = "tor"
			}
		},
	} {
		m := scam(t, 0.02, crime)
		if m.Verdict != Pass || *m.Value >= 0.5 {
			t.Errorf("%s: %s: %s %v", name, m.Verdict, m.Sentence, m.Details)
		}
	}
	want(t, scam(t, 0.001, func(*dice, *Record) {}), NotMeasured, 0, 0)
	unlabelled := feed(t, Options{}, 1000, func(int, *Record) {})
	want(t, find(t, unlabelled, "leakage"), NotMeasured, 0, 0)
}

// TestRulesThatKnowAccountsByHeart: twelve accounts commit all fraud and do
// little else. A rule that lists them separates the half it was made from, and
// nothing else.
func TestRulesThatKnowAccountsByHeart(t *testing.T) {
	m := scam(t, 0.02, func(d *dice, r *Record) { r.Account = "crook" + strconv.Itoa(d.below(60)) })
	if m.Verdict != Fail { // but their names begin alike, and that is a leak
		t.Errorf("prefix: %s", m.Sentence)
	}
	m = scam(t, 0.02, func(d *dice, r *Record) { r.Account = "A" + strconv.Itoa(1000+d.below(60)) })
	if m.Verdict != Pass {
		t.Errorf("by heart: %s %v", m.Sentence, m.Details)
	}
}

// TestSearchIsExhaustive compares with all trees of depth 2, counted one by one.
func TestSearchIsExhaustive(t *testing.T) {
	const na, nb, each = 6, 7, 12
	d := newDice("trees")
	for round := range 40 {
		s := &search{leftHits: make([]float64, maxBins), leftMiss: make([]float64, maxBins), weight: 1.5}
		a := binned{name: "a", ordered: true, n: na}
		b := binned{name: "b", ordered: true, n: nb}
		for range 60 * each {
			x, y := uint8(d.below(na)), uint8(d.below(nb))
			if d.one(0.05 + 0.5*float64(int(x+y)%(2+round%3)/(1+round%3))) {
				a.fraud, b.fraud = append(a.fraud, x), append(b.fraud, y)
				s.fraudSet = append(s.fraudSet, true)
				s.trainAll++
			} else {
				a.rest, b.rest = append(a.rest, x), append(b.rest, y)
				s.restSet = append(s.restSet, true)
			}
		}
		s.columns = []binned{a, b}
		s.fill(&s.columns[0], &s.columns[1])
		marks := func(r *rule) float64 {
			hits, miss := 0.0, 0.0
			for x := range na {
				leaf := &r.leaf[0]
				if r.left[x] {
					leaf = &r.leaf[1]
				}
				for y := range nb {
					if leaf[y] {
						hits += s.train.hits[x*maxBins+y]
						miss += s.train.miss[x*maxBins+y]
					}
				}
			}
			return min(ratio(hits, hits+miss*s.weight), ratio(hits, s.trainAll))
		}
		want := 0.0
		leaves := [][maxBins]bool{}
		for cut := range nb + 1 {
			var low, high [maxBins]bool
			for y := range nb {
				low[y], high[y] = y < cut, y >= cut
			}
			leaves = append(leaves, low, high)
		}
		for cut := 1; cut < na; cut++ {
			var r rule
			for x := range cut {
				r.left[x] = true
			}
			for _, r.leaf[0] = range leaves {
				for _, r.leaf[1] = range leaves {
					want = max(want, marks(&r))
				}
			}
		}
		found := s.best(0, 1)
		if got := marks(&found); math.Abs(got-want) > 1e-12 {
			t.Fatalf("round %d: the best of all trees has %v, the search found %v", round, want, got)
		}
	}
}
