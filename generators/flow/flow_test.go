package flow

import (
	"math"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

func load(t testing.TB, user ...File) *Set {
	t.Helper()
	set, err := Load(user...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// walk runs a flow to its end and returns the state. Every draw has a number of
// its own.
func walk(f *Flow, given Facts, r generators.Rand, n *uint64) int {
	state, times := 0, uint8(0)
	for {
		s := &f.States[state]
		t := s.Leave(s.given(given), times, r.At(*n))
		*n++
		if t == nil {
			return state
		}
		if t.Times > 0 {
			times++
		}
		state = t.To - f.First
	}
}

// fit is chi-square of runs against expected shares, and its degrees of
// freedom. Ends that are expected less than ten times are taken together; ends
// that are not expected at all make it infinite.
func fit(counts []int, shares []float64, runs int) (chi float64, free int) {
	rareSeen, rareExpected := 0.0, 0.0
	for i, share := range shares {
		expected := share * float64(runs)
		switch {
		case expected == 0 && counts[i] > 0:
			return math.Inf(1), 1
		case expected < 10:
			rareSeen, rareExpected = rareSeen+float64(counts[i]), rareExpected+expected
		default:
			chi += (float64(counts[i]) - expected) * (float64(counts[i]) - expected) / expected
			free++
		}
	}
	if rareExpected > 0 {
		chi += (rareSeen - rareExpected) * (rareSeen - rareExpected) / rareExpected
		free++
	}
	return chi, free - 1
}

// fits is six standard deviations of chi-square: once in millions of tests.
func fits(chi float64, free int) bool {
	return chi <= float64(free)+6*math.Sqrt(2*float64(max(1, free)))+6
}

// Every shipped flow ends, and in the shares that elimination finds, whatever
// always holds: a million runs without facts, fewer with each of its facts.
func TestWalksEndAsComputed(t *testing.T) {
	set := load(t)
	for _, f := range set.Flows {
		for fact := Facts(0); ; {
			runs, n := 1_000_000, uint64(0)
			if fact != 0 || testing.Short() {
				runs = 50_000
			}
			r := generators.Seed(5).Rand("walk." + f.Name + fact.String())
			counts := make([]int, len(f.States))
			for range runs {
				counts[walk(f, fact, r, &n)]++
			}
			shares := f.Ends(fact)
			if chi, free := fit(counts, shares, runs); !fits(chi, free) {
				t.Errorf("%s, %v: chi-square %.1f of %d\n%v\n%v", f.Name, fact, chi, free, counts, shares)
			}
			sum, visits := 0.0, 0.0
			for i, v := range f.Visits(fact) {
				sum, visits = sum+shares[i], visits+v
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Errorf("%s, %v: the shares of the ends sum up to %v", f.Name, fact, sum)
			}
			if seen := float64(n) / float64(runs); math.Abs(seen/visits-1) > 0.03 {
				t.Errorf("%s, %v: %.3f states passed on average, computed %.3f", f.Name, fact, seen, visits)
			}
			if fact = nextFact(f, fact); fact == 0 {
				break
			}
		}
	}
}

// nextFact is the fact that a flow asks after another; 0 after the last.
func nextFact(f *Flow, fact Facts) Facts {
	rest := f.asks() &^ (fact | (fact - 1))
	if fact == 0 {
		rest = f.asks()
	}
	return rest & -rest
}

// The measure sees a share that is off by a twentieth.
func TestWalksSeeAWrongShare(t *testing.T) {
	set := load(t)
	f := set.ByName("card_payment")
	shares := f.Ends(0)
	for i := range f.States {
		if f.States[i].Name == "presented" {
			f.States[i].Next[2].Share += f.States[i].Next[2].Share / 20
		}
	}
	counts, n := make([]int, len(f.States)), uint64(0)
	for range 1_000_000 {
		counts[walk(f, 0, generators.Seed(5).Rand("wrong"), &n)]++
	}
	if chi, free := fit(counts, shares, 1_000_000); fits(chi, free) {
		t.Errorf("chi-square %.1f of %d", chi, free)
	}
}

// What can be computed by hand is what elimination finds.
func TestChainByHand(t *testing.T) {
	const head = "flow: hand\ndoc: By hand.\nstream: payments\nstart: {share: 1%}\nstates:\n"
	const event = "doc: A., emit: transfer, status: done"
	for name, c := range map[string]struct {
		states string
		visits []float64
		ends   []float64
	}{
		"straight": {
			"  a: {" + event + ", next: [{to: b, p: 25%}], end: true}\n  b: {doc: B., end: true}\n",
			[]float64{1, 0.25},
			[]float64{0.75, 0.25},
		},
		"geometric": {
			"  a: {" + event + ", next: [{to: a, p: 90%, after: 1h}, {to: b}]}\n  b: {doc: B., end: true}\n",
			[]float64{10, 1},
			[]float64{0, 1},
		},
		"limited": { // the first two of ten go round, then a third time, then no more
			"  a: {" + event + ", next: [{to: a, p: 20%, after: 1h, times: 2}], end: true}\n",
			[]float64{1 + 0.2 + 0.04},
			[]float64{1},
		},
		"instalments": {
			"  a: {" + event + ", next: [{to: a, after: monthly, times: 23}, {to: b}]}\n  b: {doc: B., end: true}\n",
			[]float64{24, 1},
			[]float64{0, 1},
		},
		"ruin": { // from the middle of five steps, up with 60 %: (1-(2/3)^2)/(1-(2/3)^4) = 9/13 get to the top
			"  two: {" + event + ", next: [{to: three, p: 60%, after: 1s}, {to: one, after: 1s}]}\n" +
				"  one: {doc: O., next: [{to: two, p: 60%, after: 1s}, {to: none, after: 1s}]}\n" +
				"  three: {doc: T., next: [{to: four, p: 60%, after: 1s}, {to: two, after: 1s}]}\n" +
				"  none: {doc: N., end: true}\n  four: {doc: F., end: true}\n",
			[]float64{1 / 0.52, 0.4 / 0.52, 0.6 / 0.52, 4. / 13, 9. / 13},
			[]float64{0, 0, 0, 4. / 13, 9. / 13},
		},
	} {
		f, err := Parse("hand.yaml", []byte(head+c.states))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		visits, ends := f.Visits(0), f.Ends(0)
		for i := range f.States {
			// Probabilities are kept in 32 bits.
			if math.Abs(visits[i]-c.visits[i]) > 1e-7 || math.Abs(ends[i]-c.ends[i]) > 1e-7 {
				t.Errorf("%s: %v and %v, want %v and %v", name, visits, ends, c.visits, c.ends)
				break
			}
		}
	}
}

// The decisions are the same for ever.
func TestWalksGolden(t *testing.T) {
	set := load(t)
	amounts, sum := generators.NewLogNormal(), uint64(14695981039346656037)
	add := func(n uint64) { sum = (sum ^ n) * 1099511628211 }
	for _, f := range set.Flows {
		r := generators.Seed(42).Rand("golden." + f.Name)
		state, times := f.First, uint8(0)
		for n := range uint64(10_000) {
			random := r.At(n)
			next := set.Next(state, set.States[state].given(Facts(random>>56)&^(Succeeded|Failed)), times, random)
			if next == nil {
				state, times = f.First, 0
				continue
			}
			if next.Times > 0 {
				times++
			}
			state = next.To
			add(uint64(state - f.First))
			add(uint64(next.After.Draw(random, amounts)))
		}
	}
	if want := uint64(0x69d165352b37d43); sum != want {
		t.Errorf("the sum is %#x, want %#x", sum, want)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	set := load(t)
	amounts, r, n, state := generators.NewLogNormal(), generators.Seed(1).Rand("allocs"), uint64(0), 0
	if got := testing.AllocsPerRun(1000, func() {
		n++
		next := set.Next(state, InsufficientFunds, 0, r.At(n))
		state = int(n) % len(set.States)
		if next != nil {
			state = next.To
			n += uint64(next.After.Draw(r.At(n), amounts)) & 1
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestLoad(t *testing.T) {
	set := load(t)
	if len(set.Flows) != len(Shipped()) || len(set.Flows) < 13 {
		t.Fatalf("%d flows", len(set.Flows))
	}
	for i, f := range set.Flows {
		if set.ByName(f.Name) != f {
			t.Errorf("%s is not found", f.Name)
		}
		for j := range f.States {
			s := &f.States[j]
			if s != &set.States[f.First+j] || s.Flow != i {
				t.Errorf("%s.%s is not where it should be", f.Name, s.Name)
			}
			for _, next := range s.Next {
				if next.To < f.First || next.To >= f.First+len(f.States) {
					t.Errorf("%s.%s leads out of the flow", f.Name, s.Name)
				}
			}
		}
	}
	order, payment := set.ByName("order"), set.ByName("ecommerce_payment")
	placed := &set.States[payment.StartedBy]
	if placed.Name != "placed" || placed.Flow != set.States[order.First].Flow || set.Flows[placed.Starts] != payment {
		t.Errorf("the order starts %d, the payment is started by %s", placed.Starts, placed.Name)
	}
	if set.ByName("nothing") != nil || Text("nothing") != nil {
		t.Error("nothing is something")
	}
}

// A flow of the user's is one more, or stands for the shipped one.
func TestLoadUser(t *testing.T) {
	own := strings.Replace(plain, "flow: plain", "flow: cash_deposit", 1)
	set := load(t, File{"own.yaml", []byte(own)}, File{"plain.yaml", []byte(plain)})
	if len(set.Flows) != len(Shipped())+1 || set.ByName("plain") == nil || set.ByName("cash_deposit").Doc != "A payment." {
		t.Errorf("%d flows, %v", len(set.Flows), set.ByName("cash_deposit"))
	}
}

func TestLoadRefuses(t *testing.T) {
	starter := "flow: starter\ndoc: Starts.\nstream: orders\nwith: shop\nstart: {share: 1%}\namount: merchant\nstates:\n" +
		"  a: {doc: A., emit: order_placed, status: pending, starts: child, next: [{to: b, when: succeeded}], end: true}\n" +
		"  b: {doc: B., end: true}\n"
	child := "flow: child\ndoc: Started.\nstream: payments\nwith: shop\namount: parent\nstates:\n" +
		"  a: {doc: A., emit: transfer, status: done, tells: succeeded, end: true}\n"
	fourth := "flow: fourth\ndoc: Starts the one that starts it.\nstream: payments\nwith: biller\nstart: {share: 1%}\namount: merchant\nstates:\n" +
		"  a: {doc: A., emit: transfer, status: done, tells: failed, starts: child, next: [{to: b, when: failed}], end: true}\n" +
		"  b: {doc: B., end: true}\n"
	set := load(t, File{"starter.yaml", []byte(starter)}, File{"child.yaml", []byte(child)}, File{"fourth.yaml", []byte(fourth)})
	if f := set.ByName("child"); set.States[f.StartedBy].Flow != set.number("fourth") || set.States[set.ByName("starter").First].Starts != set.number("child") {
		t.Fatalf("%+v", f)
	}
	for name, c := range map[string]struct{ from, to, text, hint string }{
		"twice":         {"flow: starter", "flow: child", `child.yaml:1: flow "child" is there already, in starter.yaml`, "another name"},
		"no such flow":  {"starts: child", "starts: chield", `starter.yaml:8: state "a" starts "chield", which is no flow`, `"child"`},
		"silent":        {", tells: succeeded", "", `starter.yaml:8: state "a" waits for flow "child", which never tells its outcome`, "tells: succeeded"},
		"no amount":     {"with: shop\namount: parent\n", "with: shop\n", `flow "starter" has no amount that flow "child" could have`, "both"},
		"started by no": {"starts: child, next: [{to: b, when: succeeded}]", "next: [{to: b, p: 5%}]", `child.yaml:1: nothing starts flow "child"`, "start: {share: 5%}"},
		"circle":        {"{doc: A., emit: transfer, status: done, tells: succeeded, end: true}", "{doc: A., emit: transfer, status: done, tells: succeeded, starts: fourth, next: [{to: b, when: failed}], end: true}\n  b: {doc: B., end: true}", `child.yaml:1: flow "child" starts itself`, "one flow after the other"},
		"wrong":         {"amount: parent", "amount: 200% of parent", "reading a flow: child.yaml:5:", "nobody gets back more"},
	} {
		both := strings.Replace(starter+"---\n"+child, c.from, c.to, 1)
		one, two, _ := strings.Cut(both, "---\n")
		files := []File{{"starter.yaml", []byte(one)}, {"child.yaml", []byte(two)}}
		if strings.Contains(two, "starts: fourth") {
			files = append(files, File{"fourth.yaml", []byte(fourth)})
		}
		refused(t, name, files, c.text, c.hint)
	}
	var many []File
	for i := range MaxFlows {
		many = append(many, File{"many.yaml", []byte(strings.Replace(plain, "flow: plain", "flow: plain"+string(rune('a'+i%26))+string(rune('a'+i/26)), 1))})
	}
	refused(t, "too many", many, "are more than 128", "take flows out")
}

func BenchmarkStep(b *testing.B) {
	set := load(b)
	f := set.ByName("card_payment")
	amounts, r, n, state, sum := generators.NewLogNormal(), generators.Seed(1).Rand("bench"), uint64(0), f.First, int64(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		random := r.At(n)
		if next := set.Next(state, 0, 0, random); next != nil {
			state = next.To
			sum += next.After.Draw(random, amounts)
		} else {
			state = f.First
		}
	}
}
