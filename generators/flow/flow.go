// Package flow holds the business of a simulated bank as declared state
// machines: what a card payment, a transfer or a loan may do next, how likely
// and how late, and which money moves when it does.
//
// A flow is a YAML file that a person can read. [Parse] reads one strictly: a
// key, word or number that it does not know is refused with its line and what
// was probably meant. Then the machine is checked as a whole: every state can
// be reached, every way leads somewhere, every run ends, what is held is
// released, nobody gets back more than was paid. [Load] joins the flows that
// are shipped with those of the user into one [Set]: flat tables in which all
// names are small numbers, that an engine interprets without allocating.
//
// The package only decides. It knows no balances, no streams, no customers, no
// calendar and no clock: the engine says what is true ([Facts]) and brings the
// random numbers; [State.Leave] says where to go, and [Delay] how long it takes.
package flow

import "github.com/lakeproof/lakeproof/generators"

// Flow is one state machine.
type Flow struct {
	Name    string
	Doc     string
	Stream  Stream // where its events go
	With    With   // who is on the other side
	Channel Channel
	Abroad  uint32 // how often it happens in another market, ppm
	Start   Start
	Amount  Amount
	Fee     Fee
	States  []State // it begins in the first
	First   int     // number of the first state in the set; 0 outside of one
	// StartedBy is the number of the first state in the set that starts this flow
	// and waits for its outcome, or -1.
	StartedBy int

	source string // file
	line   int
}

// Start says how a flow begins by itself.
type Start struct {
	Share uint32 // ppm; 0: not by itself
	// Every says when it begins for each customer concerned: the next payday or a
	// day of the month; then the share is of the customers. Otherwise the share
	// is a weight among the flows of the stream.
	Every Delay
	// When says what must happen to a customer so that it begins besides: the
	// money does not suffice for something. 0: nothing.
	When Facts
}

// Monthly reports whether the flow begins on a day of the month.
func (s Start) Monthly() bool { return s.Every.Calendar() }

// Amount is the law of the amount with which a flow begins by itself. A flow
// that is started by another begins with a part of that flow's amount, from
// Low to High.
type Amount struct {
	Law       AmountLaw
	Median    int64 // euro cents
	Spread    generators.Spread
	Low, High uint32 // ppm of the parent's amount
}

// AmountLaw is the kind of law of an amount.
type AmountLaw uint8

// The laws of amounts.
const (
	NoAmount     AmountLaw = iota
	OfMerchant             // what is usual at the merchant
	OfParent               // only what the starting flow says
	AnyAmount              // log-normal
	NotesOfMoney           // log-normal, in notes of a cash machine
)

// Fee is a part of the amount and a fixed sum.
type Fee struct {
	Part  uint32 // ppm
	Cents int64  // euro
}

// State is one state of a flow. What happens on entering it happens in this
// order: release, change of the amount, hold, postings, event, telling, start
// of another flow.
type State struct {
	Name    string
	Doc     string
	Flow    int  // number of its flow in the set
	Emit    Kind // the event; NoEvent: none
	Status  Status
	Channel Channel
	Codes   []string // why, one of them
	Why     generators.Alias
	Posts   []Posting
	Release bool // what was held of the customer's money
	Hold    bool // the amount, until it is released
	// Low and High are between which parts of the amount so far the new amount
	// is drawn, in ppm; both 0: it stays.
	Low, High uint32
	Tell      Outcome // what the flow that started this one learns
	Starts    int     // number of the flow in the set that is started, or -1; then the state waits for its outcome
	End       bool    // the flow ends here if no way out is drawn
	Asks      Facts   // what must be known to leave
	Next      []Transition

	starts string // name of the flow
	line   int
}

// Posting takes from one account what it gives to another.
type Posting struct {
	From, To Role
	Fee      bool // the fee, else the amount
}

// Transition is a way out of a state.
type Transition struct {
	To    int    // number of a state, in the set
	When  Facts  // all of them must hold
	Share uint64 // of All, of those who are in the state
	Times uint8  // at most so often in a run; 0: always
	After Delay

	line int
}

// Sure reports whether everybody who comes as far takes this way.
func (t *Transition) Sure() bool { return t.Share == All && t.When == 0 && t.Times == 0 }

// All is the share of everybody.
const All = 1 << 32

// Bounds, so that an engine can keep its numbers small.
const (
	MaxStates = 64  // of a flow
	MaxNext   = 16  // of a state
	MaxPosts  = 8   // of a state
	MaxCodes  = 32  // of a state
	MaxTimes  = 255 // of a transition
	MaxAtOnce = 8   // states that are passed without a delay
	MaxLength = 500 // states that a run passes, on average
	MaxFlows  = 128 // of a set
)

// Machine is the states of a set, or of one flow.
type Machine struct{ States []State }

// Next is [State.Leave] of a state by its number.
func (m *Machine) Next(state int, facts Facts, times uint8, random uint64) *Transition {
	return m.States[state].Leave(facts, times, random)
}

// Leave chooses the way out of a state; nil is the end. Times is how often this
// run already took a transition that has a limit; whoever takes one counts it.
//
// The ways are looked at in their order. One whose facts do not hold is passed
// over; of the others each takes its share, until nothing is left.
func (s *State) Leave(facts Facts, times uint8, random uint64) *Transition {
	draw, sum := random>>32, uint64(0)
	for i := range s.Next {
		t := &s.Next[i]
		if t.When&^facts != 0 || t.Times > 0 && times >= t.Times {
			continue
		}
		if sum += t.Share; draw < sum {
			return t
		}
	}
	return nil
}

// leaves returns which share each way out gets under some facts, and what is
// left. Spent means that the limited transition was taken as often as it may be.
func (s *State) leaves(facts Facts, spent bool) (shares [MaxNext]uint64, left uint64) {
	left = All
	for i := range s.Next {
		t := &s.Next[i]
		if t.When&^facts == 0 && (t.Times == 0 || !spent) {
			shares[i] = min(t.Share, left)
			left -= shares[i]
		}
	}
	return shares, left
}

// times is the limit of the flow's limited transition, or 0.
func (f *Flow) times() int {
	for i := range f.States {
		for j := range f.States[i].Next {
			if n := f.States[i].Next[j].Times; n > 0 {
				return int(n)
			}
		}
	}
	return 0
}

// asks is everything that any of its states asks.
func (f *Flow) asks() Facts {
	var all Facts
	for i := range f.States {
		all |= f.States[i].Asks
	}
	return all
}

// given completes assumed facts: a state that waits learns one of two outcomes.
func (s *State) given(facts Facts) Facts {
	if s.starts != "" && facts&(Succeeded|Failed) == 0 {
		return facts | Succeeded
	}
	return facts
}
