package bank

import "github.com/lakeproof/lakeproof/generators"

// The places of the fields in a payment.
const (
	payEventID = iota
	payEventTime
	payEventType
	payStatus
	payPaymentID
	payOrderID
	payAccountID
	payCustomerID
	payCardToken
	payCounterparty
	payMCC
	payCountry
	payAmount
	payCurrency
	payExponent
	payBalance
	payChannel
	payTerminal
	payDevice
	payCode
	paySynthetic
	payChecksum
	payFields
)

// text, of and null make the fields of the schemas.
func text(name, doc string) generators.Field {
	return generators.Field{Name: name, Kind: generators.String, Plain: true, Doc: doc}
}

func of(kind generators.Kind, name, doc string) generators.Field {
	return generators.Field{Name: name, Kind: kind, Doc: doc}
}

func null(f generators.Field) generators.Field {
	f.Nullable = true
	return f
}

func paymentSchema() *generators.Schema {
	return &generators.Schema{
		Name: "BankPayment",
		Doc:  "What happened to a payment of a customer of a bank that does not exist.",
		Fields: []generators.Field{
			payEventID:      of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			payEventTime:    of(generators.Timestamp, "event_time", "when it happened, UTC, whole milliseconds"),
			payEventType:    text("event_type", "what happened, for example card_authorisation, card_clearing or salary"),
			payStatus:       text("status", "approved, declined, settled, returned or disputed"),
			payPaymentID:    of(generators.Long, "payment_id", "number of the payment: all events of one payment have the same"),
			payOrderID:      null(of(generators.Long, "order_id", "number of the order that it pays")),
			payAccountID:    text("account_id", "the customer's account"),
			payCustomerID:   text("customer_id", "its owner"),
			payCardToken:    null(text("card_token", "stands for the card; never a card number")),
			payCounterparty: null(text("counterparty_id", "the other side: merchant, biller, employer or account")),
			payMCC:          null(text("mcc", "the merchant's category, ISO 18245, four digits")),
			payCountry:      text("country", "where it happened, ISO 3166-1 alpha-2"),
			payAmount:       of(generators.Long, "amount_minor", "amount in minor units of the currency, positive"),
			payCurrency:     text("currency", "ISO 4217 code"),
			payExponent:     of(generators.Int, "currency_exponent", "decimals of the currency, ISO 4217: 0 for JPY"),
			payBalance:      of(generators.Long, "available_minor", "what the account may spend then, in its own currency"),
			payChannel:      text("channel", "pos, ecommerce, atm, mobile_app or batch"),
			payTerminal:     null(text("terminal_id", "terminal or cash machine")),
			payDevice:       null(text("device_id", "the device that it was made from")),
			payCode:         text("response_code", "of a card: ISO 8583 field 39; of an account: ISO 20022 external code"),
			paySynthetic:    of(generators.Bool, "synthetic", "always true: nothing here is real"),
			payChecksum:     of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}
