package bank

import "github.com/lakeproof/lakeproof/generators"

// The places of the fields in an order.
const (
	ordEventID = iota
	ordEventTime
	ordEventType
	ordStatus
	ordOrderID
	ordAccountID
	ordCustomerID
	ordMerchant
	ordMCC
	ordCountry
	ordShipCountry
	ordChannel
	ordDevice
	ordItems
	ordDelivery
	ordAmount
	ordCurrency
	ordExponent
	ordSynthetic
	ordChecksum
	ordFields
)

func orderSchema() *generators.Schema {
	return &generators.Schema{
		Name: "BankOrder",
		Doc:  "What happened to an order that a customer of a bank that does not exist placed in a web shop.",
		Fields: []generators.Field{
			ordEventID:     of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			ordEventTime:   of(generators.Timestamp, "event_time", "when it happened, UTC, whole milliseconds"),
			ordEventType:   text("event_type", "what happened, for example order_placed or order_returned"),
			ordStatus:      text("status", "pending, approved, cancelled, done, returned, refunded or failed"),
			ordOrderID:     of(generators.Long, "order_id", "number of the order: its payments have the same in order_id"),
			ordAccountID:   text("account_id", "the account that pays"),
			ordCustomerID:  text("customer_id", "who ordered"),
			ordMerchant:    text("merchant_id", "who sells"),
			ordMCC:         text("mcc", "the merchant's category, ISO 18245, four digits"),
			ordCountry:     text("country", "where the shop is, ISO 3166-1 alpha-2"),
			ordShipCountry: text("ship_country", "where the parcel goes, ISO 3166-1 alpha-2"),
			ordChannel:     text("channel", "ecommerce, or batch where nobody came"),
			ordDevice:      null(text("device_id", "the device that it was made from")),
			ordItems:       of(generators.Int, "items", "how many articles were ordered"),
			ordDelivery:    text("delivery", "standard, express, pickup_point or collect"),
			ordAmount:      of(generators.Long, "amount_minor", "worth of the order; after a return of what came back"),
			ordCurrency:    text("currency", "ISO 4217 code"),
			ordExponent:    of(generators.Int, "currency_exponent", "decimals of the currency, ISO 4217: 0 for JPY"),
			ordSynthetic:   of(generators.Bool, "synthetic", "always true: nothing here is real"),
			ordChecksum:    of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// fillOrder writes an event of the orders into a record.
func (r *renderer) fillOrder(out *generators.Event, e *Event) {
	v := (*[ordFields]generators.Value)(out.Values)
	s, m := &r.m.looks[e.State], &r.markets[e.Market]
	random := r.detail.At(e.Flow) // the same for all events of an order
	v[ordEventTime] = num(e.At - e.At%1000)
	v[ordEventType], v[ordStatus], v[ordChannel] = str(s.kind), str(s.status), str(s.channel)
	v[ordOrderID] = num(int64(e.Flow))
	v[ordAccountID], v[ordCustomerID] = str(r.account(e.Account)), str(r.customer(e.Account))
	v[ordMerchant], v[ordMCC], v[ordCountry] = str(r.merchant(e.Other)), str(r.mcc(e.Other)), str(r.country(e.Other))
	v[ordShipCountry] = str(r.markets[r.homes[e.Account]].Country)
	v[ordDevice] = r.deviceOf(s, e)
	v[ordItems] = num(items(random))
	v[ordDelivery] = str(pick(r.words.deliveries, generators.Again(random)))
	v[ordAmount], v[ordCurrency], v[ordExponent] = num(e.Amount), str(m.Currency), num(m.Exponent)
	v[ordSynthetic] = num(1)
}

// items is how many articles an order has: one more for each of some even odds.
func items(random uint64) int64 {
	n := int64(1)
	for ; random&1 == 1 && n < 12; n++ {
		random >>= 1
	}
	return n
}
