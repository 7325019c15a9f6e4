package bank

import (
	"slices"

	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// machine is all flows as tables of the numbers and texts that events need.
type machine struct {
	flows  []*flow.Flow
	states []flow.State
	looks  []look // of each state
	means  [5]int // flows that cases use, by fraud.Means
	topUp  int    // flow that begins where the money does not suffice, or -1
}

// look is how a state's event is shown.
type look struct {
	kind, status, channel string
	shows                 show
	lane                  int8  // the stream of its flow
	kyc                   uint8 // what is known of the customer afterwards
}

// show says which of the optional fields an event of a state has.
type show uint8

const (
	showCard show = 1 << iota
	showTerminal
	showDevice
	showMerchant // the other is a merchant, else an account
	showOther    // there is another
	showTimes    // how often it went round
)

func newMachine(set *flow.Set) (*machine, error) {
	m := &machine{flows: set.Flows, states: set.States, looks: make([]look, len(set.States)), topUp: -1}
	for i, name := range [...]string{"transfer", "card_payment", "ecommerce_payment", "cash_withdrawal", "cash_deposit"} {
		m.means[i] = slices.IndexFunc(set.Flows, func(f *flow.Flow) bool { return f.Name == name })
		if m.means[i] < 0 {
			return nil, fail.New(fail.Usage, "crimes use it: give it its name back", "no flow is named %s", name)
		}
	}
	m.topUp = slices.IndexFunc(set.Flows, func(f *flow.Flow) bool { return f.Start.When&flow.InsufficientFunds != 0 })
	states := set.States
	for i := range states {
		s := &states[i]
		f := set.Flows[s.Flow]
		l := look{
			kind: s.Emit.String(), status: s.Status.String(), channel: s.Channel.String(),
			lane: int8(f.Stream), kyc: kycAfter(s.Emit.String()),
		}
		if s.Channel.Card() {
			l.shows |= showCard
		}
		if s.Channel.Terminal() {
			l.shows |= showTerminal
		}
		if s.Channel.Device() {
			l.shows |= showDevice
		}
		switch f.With {
		case flow.Nobody:
		case flow.AnAccount:
			l.shows |= showOther
		default:
			l.shows |= showOther | showMerchant
		}
		switch l.kind {
		case "loan_instalment", "loan_arrears", "loan_default":
			l.shows |= showTimes
		}
		m.looks[i] = l
	}
	return m, nil
}

// guild is where the merchants of a flow are.
func guildWith(w flow.With) int {
	switch w {
	case flow.OnlineShop:
		return online
	case flow.Biller:
		return billers
	case flow.CashMachine:
		return machines
	case flow.EmployerOf:
		return employers
	default:
		return inShops
	}
}
