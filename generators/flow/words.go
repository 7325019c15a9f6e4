package flow

import "strings"

// Stream is where the events of a flow go.
type Stream uint8

// The streams.
const (
	Payments Stream = iota
	Orders
	KYC
	Loans
	Trades
)

func streams() []string { return []string{"payments", "orders", "kyc", "loans", "trades"} }

// String is the name of the stream.
func (s Stream) String() string { return streams()[s] }

// With is who is on the other side of a flow.
type With uint8

// The other sides.
const (
	Nobody With = iota
	Shop
	OnlineShop
	Biller
	CashMachine
	EmployerOf
	AnAccount
)

func withs() []string {
	return []string{"nobody", "shop", "online_shop", "biller", "cash_machine", "employer", "account"}
}

// String is the word of the file.
func (w With) String() string { return withs()[w] }

// Channel is how the customer came.
type Channel uint8

// The channels.
const (
	Batch Channel = iota // nobody came: the bank works by itself
	POS
	Ecommerce
	ATM
	MobileApp
	WebBank
)

func channels() []string {
	return []string{"batch", "pos", "ecommerce", "atm", "mobile_app", "web_bank"}
}

// String is the word of the file.
func (c Channel) String() string { return channels()[c] }

// Card reports whether a card was used.
func (c Channel) Card() bool { return c == POS || c == Ecommerce || c == ATM }

// Terminal reports whether a terminal or a cash machine was used.
func (c Channel) Terminal() bool { return c == POS || c == ATM }

// Device reports whether a device of the customer's was used.
func (c Channel) Device() bool { return c == Ecommerce || c == MobileApp || c == WebBank }

// Role is whose account a posting touches.
type Role uint8

// The roles. Customer, Counterparty and Merchant have accounts of their own;
// the others are accounts of the bank, and Employer is the rest of the world.
const (
	Customer     Role = iota
	Counterparty      // with: account
	Merchant          // with: shop, online_shop, biller or cash_machine
	CardClearing      // taken from the customer, not yet with the merchant
	Interbank         // other banks and clearing houses
	Cash
	Fees
	FX // the bank's position in a currency
	LoanBook
	Employer
)

func roles() []string {
	return []string{
		"customer", "counterparty", "merchant", "card_clearing", "interbank", "cash", "fees", "fx", "loans", "employer",
	}
}

// String is the word of the file.
func (r Role) String() string { return roles()[r] }

// with says which other side a flow must have for the role to be somebody.
func (r Role) with() []With {
	switch r {
	case Counterparty:
		return []With{AnAccount}
	case Merchant:
		return []With{Shop, OnlineShop, Biller, CashMachine}
	case Employer:
		return []With{EmployerOf}
	default:
		return nil
	}
}

// Facts is a set of things that only the engine knows.
type Facts uint8

// The facts. They are asked when a state is left, before the delay.
const (
	InsufficientFunds  Facts = 1 << iota // the customer may not spend the amount
	AccountClosed                        // the customer's account
	CounterpartyClosed                   // the other account
	Abroad                               // it happens in another market
	Started                              // by another flow
	Succeeded                            // the flow that was started
	Failed                               // the flow that was started
	MerchantInTrouble                    // its customers dispute far more than others'
)

func facts() []string {
	return []string{
		"insufficient_funds", "account_closed", "counterparty_closed", "abroad", "started", "succeeded", "failed",
		"merchant_in_trouble",
	}
}

// String is the words of the file, joined with "and".
func (f Facts) String() string {
	var out []string
	for i, name := range facts() {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, " and ")
}

// Outcome is what a flow tells the one that started it.
type Outcome uint8

// The outcomes.
const (
	Nothing Outcome = iota
	Success
	Failure
)

// outcomes are the words of the file; the first cannot be written.
func outcomes() []string { return []string{"", "succeeded", "failed"} }

// Fact is how the outcome looks to the state that waits for it.
func (o Outcome) Fact() Facts {
	switch o {
	case Success:
		return Succeeded
	case Failure:
		return Failed
	default:
		return 0
	}
}

// Status is what an event says of how things stand.
type Status uint8

func statuses() []string {
	return []string{
		"", "pending", "approved", "declined", "settled", "returned", "refunded", "disputed", "cancelled", "closed",
		"late", "failed", "done",
	}
}

// String is the word of the event.
func (s Status) String() string { return statuses()[s] }
