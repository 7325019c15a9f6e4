// Package fraud plans crimes: sixteen typologies, each a small graph of payments
// among customers of the bank with laws for amounts and times.
//
// A value flows like this: the bank decides that a case begins, [Kind.Plan] asks
// a [Cast] for customers and merchants and returns the case's [Step]s, and the
// bank carries each out at its time, with the same flows, accounts, merchants
// and devices that everybody uses. What a step was is told to nobody but the
// labels. So nothing gives a case away but what it is: who pays whom, when, and
// how much in all.
//
// It knows no balances, no streams and no clock.
package fraud

import (
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Means is how a step pays.
type Means uint8

// The means.
const (
	Transfer Means = iota // to another account
	Card                  // in a shop
	Online                // in an online shop
	CashOut               // at a machine
	CashIn                // a deposit
	numMeans
)

// Step is one payment of a case.
type Step struct {
	After    time.Duration // the case's beginning
	From     uint32        // account that pays; of CashIn the one that receives
	To       uint32        // account or merchant
	Cents    int64         // in euro, before conversion
	Means    Means
	Stranger bool // from a device that is not the customer's
	Abroad   bool // in another market
	Role     Role // of the paying account
	Hop      uint8
}

// Role is what an account does in a case.
type Role uint8

// The roles.
const (
	Victim Role = iota
	Mule
	Source
	Collector
	Offender
)

// String returns the role's name in the labels.
func (r Role) String() string {
	return [...]string{"victim", "mule", "source", "collector", "offender"}[r]
}

// Cast is whom a case is played by: ordinary customers and merchants.
type Cast interface {
	// Account picks a customer's account.
	Account(random uint64) uint32
	// Merchant picks a merchant for an account and a means, in another market
	// than the account's where abroad is set.
	Merchant(account uint32, m Means, abroad bool, random uint64) uint32
}

// Kind is a typology.
type Kind struct {
	Name  string
	Doc   string
	Delay Delay // until somebody notices
	plan  func(*plot)
}

// Delay is how long it takes until a payment has its label: a median, log-normal.
type Delay struct {
	Median time.Duration
	Spread generators.Spread
}

// Plan appends the steps of a case. The same random numbers give the same case.
func (k *Kind) Plan(dst []Step, r generators.Rand, cast Cast, amounts *generators.LogNormal) []Step {
	p := plot{steps: dst, rand: r, cast: cast, amounts: amounts}
	k.plan(&p)
	return p.steps
}

// ByName returns the typologies with these names, in the order of All.
func ByName(name string) (int, error) {
	kinds := All()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.Name
		}
		hint := "use one of " + strings.Join(names, ", ")
		return 0, fail.New(fail.Usage, hint, "choosing typology %q: there is none of that name", name)
	}
	return i, nil
}

// All returns the typologies; their order is fixed.
func All() []Kind {
	weeks := Delay{21 * 24 * time.Hour, generators.Sigma(600)} // an investigation
	days := Delay{60 * time.Hour, generators.Sigma(800)}       // a statement is read
	hours := Delay{9 * time.Hour, generators.Sigma(900)}       // somebody calls
	return []Kind{
		{"fan_in", "many accounts pay one", weeks, fanIn},
		{"fan_out", "one account pays many", weeks, fanOut},
		{"cycle", "money goes round and comes back, less the fees", weeks, cycle},
		{"bipartite", "several accounts pay several others", weeks, bipartite},
		{"stack", "layers of accounts, each pays the next", weeks, stack},
		{"gather_scatter", "many pay one, who pays many", weeks, gatherScatter},
		{"scatter_gather", "one pays many, who pay one", weeks, scatterGather},
		{"random", "money wanders among accounts", weeks, wander},
		{"card_testing", "small online purchases with many cards, then large ones", days, cardTesting},
		{"account_takeover", "a stranger's device empties an account", hours, takeover},
		{"authorised_push_payment", "a customer is talked into paying a mule", days, pushPayment},
		{"mule_chain", "money goes from hand to hand and out as cash", weeks, muleChain},
		{"structuring", "cash comes in below the threshold, again and again", weeks, structuring},
		{"velocity", "a stolen card is used as fast as it goes", hours, velocity},
		{"impossible_travel", "a card is used in two countries within the hour", hours, travel},
		{"bust_out", "credit is built up, then all is spent at once", weeks, bustOut},
	}
}
