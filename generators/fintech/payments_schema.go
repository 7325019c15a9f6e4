package fintech

import "github.com/lakeproof/lakeproof/generators"

// The places of the fields in a payment.
const (
	payEventID = iota
	payEventTime
	payEventType
	payStatus
	payAccountID
	payCustomerID
	payCardToken
	payCounterparty
	payAmount
	payCurrency
	payExponent
	payFee
	payMerchantID
	payMerchantName
	payMCC
	payCity
	payCountry
	payChannel
	payEntryMode
	payTerminal
	payAuthCode
	payResponse
	payDevice
	payIP
	payRisk
	payRecurring
	paySynthetic
	payChecksum
	payFields
)

func paymentSchema() *generators.Schema {
	const null = true
	text := func(name, doc string, nullable ...bool) generators.Field {
		return generators.Field{Name: name, Kind: generators.String, Nullable: len(nullable) > 0, Plain: true, Doc: doc}
	}
	open := func(name, doc string, nullable ...bool) generators.Field {
		return generators.Field{Name: name, Kind: generators.String, Nullable: len(nullable) > 0, Doc: doc}
	}
	of := func(kind generators.Kind, name, doc string) generators.Field {
		return generators.Field{Name: name, Kind: kind, Doc: doc}
	}
	return &generators.Schema{
		Name: "Payment",
		Doc:  "A payment of a customer of a bank that does not exist.",
		Fields: []generators.Field{
			payEventID:      of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			payEventTime:    of(generators.Timestamp, "event_time", "when it happened: the intended time, UTC, whole milliseconds"),
			payEventType:    text("event_type", "card_payment, refund, transfer, direct_debit or cash_withdrawal"),
			payStatus:       text("status", "approved or declined"),
			payAccountID:    text("account_id", "account that pays, or that a refund returns to"),
			payCustomerID:   text("customer_id", "owner of the account"),
			payCardToken:    text("card_token", "stands for the card; never a card number; null without a card", null),
			payCounterparty: text("counterparty_account_id", "account that receives a transfer, else null", null),
			payAmount:       of(generators.Long, "amount_minor", "amount in minor units of the currency, positive"),
			payCurrency:     text("currency", "ISO 4217 code"),
			payExponent:     of(generators.Int, "currency_exponent", "decimals of the currency by ISO 4217: 0 for JPY, 3 for KWD"),
			payFee:          of(generators.Long, "fee_minor", "fee that the customer pays, minor units of the currency"),
			payMerchantID:   text("merchant_id", "merchant, biller or owner of the cash machine; null for a transfer", null),
			payMerchantName: open("merchant_name", "its name", null),
			payMCC:          text("mcc", "its category, ISO 18245, four digits", null),
			payCity:         open("merchant_city", "its city", null),
			payCountry:      text("merchant_country", "its country, ISO 3166-1 alpha-2", null),
			payChannel:      text("channel", "pos, ecommerce, atm, mobile_app, web_bank or batch"),
			payEntryMode:    text("entry_mode", "chip, contactless, magstripe, manual, ecommerce or credential_on_file; null without a card", null),
			payTerminal:     text("terminal_id", "terminal or cash machine; null where there is none", null),
			payAuthCode:     text("auth_code", "code of an approved card authorisation, six characters", null),
			payResponse:     text("response_code", "of a card: ISO 8583 field 39; of an account: ISO 20022 external code"),
			payDevice:       text("device_id", "customer's device; null where none is involved", null),
			payIP:           text("ip_address", "its address, from the documentation ranges of RFC 5737", null),
			payRisk:         of(generators.Int, "risk_score", "0 (none) to 999"),
			payRecurring:    of(generators.Bool, "is_recurring", "whether it belongs to a series"),
			paySynthetic:    of(generators.Bool, "synthetic", "always true: nothing here is real"),
			payChecksum:     of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}
