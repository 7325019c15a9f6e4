package flow

// Kind is the type of an event.
type Kind uint8

// NoEvent is the kind of a state that emits nothing.
const NoEvent Kind = 0

// kind is an event type and the stream that knows it.
type kind struct {
	stream Stream
	name   string
}

// kinds are all types of events, by their numbers. New ones go to the end.
func kinds() []kind {
	return []kind{
		{Payments, ""},
		{Payments, "card_authorisation"},
		{Payments, "card_reversal"},
		{Payments, "card_clearing"},
		{Payments, "card_settlement"},
		{Payments, "card_refund"},
		{Payments, "chargeback"},
		{Payments, "representment"},
		{Payments, "chargeback_closed"},
		{Payments, "transfer"},
		{Payments, "standing_order"},
		{Payments, "direct_debit"},
		{Payments, "direct_debit_return"},
		{Payments, "salary"},
		{Payments, "cash_withdrawal"},
		{Payments, "cash_deposit"},
		{Payments, "fx_exchange"},
		{Orders, "order_placed"},
		{Orders, "order_paid"},
		{Orders, "order_shipped"},
		{Orders, "order_delivered"},
		{Orders, "order_cancelled"},
		{Orders, "order_returned"},
		{Orders, "order_refunded"},
		{KYC, "kyc_started"},
		{KYC, "kyc_documents"},
		{KYC, "kyc_screening"},
		{KYC, "kyc_review"},
		{KYC, "kyc_verified"},
		{KYC, "kyc_rejected"},
		{KYC, "kyc_abandoned"},
		{Loans, "loan_applied"},
		{Loans, "loan_scored"},
		{Loans, "loan_approved"},
		{Loans, "loan_rejected"},
		{Loans, "loan_withdrawn"},
		{Loans, "loan_disbursed"},
		{Loans, "loan_instalment"},
		{Loans, "loan_arrears"},
		{Loans, "loan_repaid"},
		{Loans, "loan_default"},
		{Trades, "trade_ordered"},
		{Trades, "trade_rejected"},
		{Trades, "trade_filled"},
		{Trades, "trade_partially_filled"},
		{Trades, "trade_cancelled"},
		{Trades, "trade_settled"},
		{Trades, "trade_settlement_failed"},
		{Payments, "top_up"},
	}
}

// String is the event type, for example card_authorisation.
func (k Kind) String() string { return kinds()[k].name }

// Kinds returns the types of events of a stream, in the order of their numbers.
func Kinds(s Stream) []Kind {
	var out []Kind
	for i, k := range kinds() {
		if i > 0 && k.stream == s {
			out = append(out, Kind(i))
		}
	}
	return out
}
