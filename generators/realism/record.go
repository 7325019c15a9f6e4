package realism

// Record is one payment as anybody's data may hold it. Empty texts are missing
// values; nothing is kept of a record after [Meter.Observe] returned.
type Record struct {
	ID     string // of the event; must be there once
	Parent string // the event that this one belongs to, such as the payment of a refund
	Time   int64  // microseconds since the Unix epoch, UTC
	Zone   int32  // what to add for the customer's local time, in seconds

	Type, Status                            string
	Account, Counterparty, Merchant, MCC    string
	Country, Channel, Card, Device          string // Country is the merchant's
	Amount                                  int64  // minor units of Currency
	Currency                                string
	Exponent                                int8   // decimals of Currency: 2 for EUR, 0 for JPY
	AccountCurrency, CounterpartyCurrency   string // where they differ from Currency
	Known                                   Known
	Change, Balance                         int64 // of Account: what the event did to it, and what it left there
	CounterpartyChange, CounterpartyBalance int64 // of Counterparty
	Transit                                 int64 // what left (+) or reached (-) its account with the other end to come

	Label Label
	Case  string // what a fraud belongs to

	Texts   []string // further columns, named by Options.Texts
	Numbers []int64  // further columns, named by Options.Numbers
}

// Known says which figures of a record mean something.
type Known uint8

// The parts of a record that data may lack.
const (
	KnownBalance             Known = 1 << iota // Change and Balance
	KnownCounterpartyBalance                   // CounterpartyChange and CounterpartyBalance
	// KnownLegs promises that Change, CounterpartyChange and Transit are all that
	// the event did to any money, so that their sum over the stream must be zero.
	KnownLegs
)

// Label says what is known of a record's honesty.
type Label uint8

// The labels.
const (
	Unlabelled Label = iota
	Genuine
	Fraud
)

// Role is what a type of record does, whatever it is called.
type Role uint8

// The roles.
const (
	Other Role = iota
	Purchase
	Cash // notes: the amount is chosen by a person or a machine
	Transfer
	Debit // collected by a biller
	Income
	Refund
	Chargeback
)

// DefaultRoles are the roles of names of types that are in use; a stream with
// other names brings roles of its own.
func DefaultRoles() map[string]Role {
	return map[string]Role{
		"card_payment": Purchase, "purchase": Purchase, "payment": Purchase, "PAYMENT": Purchase,
		"card_auth": Purchase, "authorisation": Purchase, "authorization": Purchase, "pos": Purchase,
		"cash_withdrawal": Cash, "cash": Cash, "atm": Cash, "CASH_OUT": Cash, "CASH_IN": Cash, "cash_deposit": Cash,
		"transfer": Transfer, "TRANSFER": Transfer, "credit_transfer": Transfer, "p2p": Transfer, "wire": Transfer,
		"direct_debit": Debit, "DEBIT": Debit, "bill": Debit,
		"salary": Income, "income": Income, "payroll": Income,
		"refund": Refund, "reversal": Refund, "chargeback": Chargeback, "dispute": Chargeback,
	}
}
