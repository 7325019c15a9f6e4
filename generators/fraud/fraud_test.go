package fraud

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// town is a cast of 10,000 accounts and 100 merchants.
type town struct{}

func (town) Account(random uint64) uint32 { return uint32(generators.Below(random, 10_000)) }
func (town) Merchant(_ uint32, _ Means, abroad bool, random uint64) uint32 {
	if abroad {
		return 50 + uint32(generators.Below(random, 50))
	}
	return uint32(generators.Below(random, 50))
}

func plan(k *Kind, seed generators.Seed, amounts *generators.LogNormal) []Step {
	return k.Plan(nil, seed.Rand("case"), town{}, amounts)
}

// shape is what a case looks like as a graph of accounts.
type shape struct {
	steps          []Step
	payers, payees map[uint32]int // transfers only
	cards          map[uint32]int
}

func shapeOf(steps []Step) shape {
	s := shape{steps, map[uint32]int{}, map[uint32]int{}, map[uint32]int{}}
	for _, step := range steps {
		if step.Means == Transfer {
			s.payers[step.From]++
			s.payees[step.To]++
		} else {
			s.cards[step.From]++
		}
	}
	return s
}

// hubs are how many pay (or are paid) n times or more.
func hubs(of map[uint32]int, n int) (count int) {
	for _, times := range of {
		if times >= n {
			count++
		}
	}
	return count
}

func (s shape) any(match func(Step) bool) bool { return slices.ContainsFunc(s.steps, match) }

func (s shape) span() time.Duration {
	last := time.Duration(0)
	for _, step := range s.steps {
		last = max(last, step.After)
	}
	return last
}

// shapes says what makes each typology what it is. A case of any other must not
// satisfy all that a typology is known by; see TestShapesTellApart.
func shapes() map[string]func(shape) bool {
	out := func(s Step) bool { return s.Means == CashOut }
	strange := func(s Step) bool { return s.Stranger }
	return map[string]func(shape) bool{
		"fan_in":                  func(s shape) bool { return len(s.payees) == 1 && len(s.payers) >= 3 && len(s.cards) == 0 },
		"fan_out":                 func(s shape) bool { return len(s.payers) == 1 && len(s.payees) >= 3 && len(s.cards) == 0 },
		"cycle":                   isCycle,
		"bipartite":               func(s shape) bool { return disjoint(s) && len(s.payers) >= 2 && len(s.payees) >= 2 },
		"stack":                   func(s shape) bool { return payersAt(s, 0) >= 2 && payersAt(s, 1) >= 2 && len(s.cards) == 0 },
		"gather_scatter":          func(s shape) bool { return hubs(s.payees, 3) == 1 && hubs(s.payers, 3) == 1 && sameHub(s) },
		"scatter_gather":          func(s shape) bool { return hubs(s.payees, 3) == 1 && hubs(s.payers, 3) == 1 && !sameHub(s) },
		"random":                  func(s shape) bool { return len(s.steps) >= 5 && len(s.cards) == 0 && connected(s.steps) },
		"card_testing":            func(s shape) bool { return len(s.cards) >= 4 && s.any(strange) && !s.any(out) },
		"account_takeover":        func(s shape) bool { return s.any(strange) && s.any(out) },
		"authorised_push_payment": func(s shape) bool { return len(s.payers) == 2 && !s.any(strange) && !s.any(out) },
		"mule_chain":              func(s shape) bool { return s.any(out) && !s.any(strange) && len(s.payers) >= 2 && connected(s.steps) },
		"structuring":             isStructuring,
		"velocity":                func(s shape) bool { return len(s.cards) == 1 && len(s.steps) >= 5 && s.span() < 3*time.Hour },
		"impossible_travel":       func(s shape) bool { return s.any(func(s Step) bool { return s.Abroad }) && s.span() < 5*time.Hour },
		"bust_out":                func(s shape) bool { return len(s.cards) == 1 && s.span() > 45*day && len(s.steps) >= 12 },
	}
}

func isCycle(s shape) bool {
	n := len(s.steps)
	return connected(s.steps) && s.steps[n-1].To == s.steps[0].From && len(s.payers) == n
}

func isStructuring(s shape) bool {
	return len(s.steps) >= 4 && !s.any(func(s Step) bool { return s.Means != CashIn || s.Cents >= 1_000_000 })
}

func disjoint(s shape) bool {
	for a := range s.payers {
		if s.payees[a] > 0 {
			return false
		}
	}
	return len(s.cards) == 0
}

func sameHub(s shape) bool {
	for a, n := range s.payers {
		if n >= 3 && s.payees[a] >= 3 {
			return true
		}
	}
	return false
}

// payersAt is how many pay at a hop.
func payersAt(s shape, hop uint8) int {
	who := map[uint32]bool{}
	for _, step := range s.steps {
		if step.Hop == hop {
			who[step.From] = true
		}
	}
	return len(who)
}

// connected reports whether each payment begins where the last one ended.
func connected(steps []Step) bool {
	for i := 1; i < len(steps); i++ {
		if steps[i].From != steps[i-1].To {
			return false
		}
	}
	return true
}

func TestEachTypologyHasItsShape(t *testing.T) {
	amounts, known := generators.NewLogNormal(), shapes()
	for i, k := range All() {
		if at, err := ByName(k.Name); err != nil || at != i || k.Doc == "" {
			t.Errorf("%s: %d, %v", k.Name, at, err)
		}
		for seed := range generators.Seed(300) {
			steps := plan(&k, seed, amounts)
			if !known[k.Name](shapeOf(steps)) {
				t.Fatalf("%s, seed %d has not its shape: %+v", k.Name, seed, steps)
			}
			if !reflect.DeepEqual(steps, plan(&k, seed, amounts)) {
				t.Fatalf("%s, seed %d: two plans differ", k.Name, seed)
			}
			for _, s := range steps {
				if s.Cents <= 0 || s.After < 0 || s.After > 100*day || s.Means >= numMeans ||
					s.Means == Transfer && s.From == s.To || s.Role.String() == "" {
					t.Fatalf("%s: step %+v", k.Name, s)
				}
			}
		}
	}
	if len(All()) != 16 || len(known) != 16 {
		t.Errorf("%d typologies, %d shapes", len(All()), len(known))
	}
}

// The shapes are a check that can fail: most cases of other typologies do not
// have them. Some are special cases of others, as a cycle is of a walk.
func TestShapesTellApart(t *testing.T) {
	amounts := generators.NewLogNormal()
	for name, is := range shapes() {
		for _, k := range All() {
			same := 0
			for seed := range generators.Seed(50) {
				if is(shapeOf(plan(&k, seed, amounts))) {
					same++
				}
			}
			special := map[string]string{"random": "cycle", "velocity": "impossible_travel"}[name] == k.Name
			if k.Name != name && same > 10 && !special {
				t.Errorf("%d of 50 cases of %s have the shape of %s", same, k.Name, name)
			}
		}
	}
}

// Amounts do not give a typology of transfers away: most lie where most of the
// ordinary transfers lie.
func TestAmountsHideAmongTransfers(t *testing.T) {
	amounts, r := generators.NewLogNormal(), generators.Seed(1).Rand("transfer")
	var usual []int64
	for n := range uint64(10_000) {
		usual = append(usual, amounts.Draw(r.At(n), transferMedian, generators.Sigma(transferSigma)))
	}
	slices.Sort(usual)
	low, high := usual[len(usual)/100], usual[len(usual)*99/100]
	for _, k := range All()[:8] {
		inside, all := 0, 0
		for seed := range generators.Seed(200) {
			for _, s := range plan(&k, seed, amounts) {
				all++
				if s.Cents >= low && s.Cents <= high {
					inside++
				}
			}
		}
		if inside*100 < all*90 {
			t.Errorf("%s: only %d of %d amounts lie where 98 %% of all transfers lie", k.Name, inside, all)
		}
	}
}

func TestUnknownTypology(t *testing.T) {
	if _, err := ByName("fan_inn"); err == nil {
		t.Error("fan_inn is known")
	}
}
