package bank

import "github.com/lakeproof/lakeproof/generators"

// The places of the fields in an event of a trade.
const (
	traEventID = iota
	traEventTime
	traEventType
	traStatus
	traTrade
	traAccountID
	traCustomerID
	traChannel
	traDevice
	traSymbol
	traISIN
	traSide
	traReason
	traQuantity
	traLimit
	traMarket
	traAmount
	traCurrency
	traExponent
	traBalance
	traSynthetic
	traChecksum
	traFields
)

func tradeSchema() *generators.Schema {
	return &generators.Schema{
		Name: "BankTrade",
		Doc:  "What happened to an order of a customer of a bank that does not exist for securities that do not exist.",
		Fields: []generators.Field{
			traEventID:    of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			traEventTime:  of(generators.Timestamp, "event_time", "when it happened, UTC, whole milliseconds"),
			traEventType:  text("event_type", "what happened, for example trade_ordered or trade_settled"),
			traStatus:     text("status", "pending, approved, declined, cancelled, late or settled"),
			traTrade:      of(generators.Long, "trade_id", "number of the order: all its events have the same"),
			traAccountID:  text("account_id", "the customer's account"),
			traCustomerID: text("customer_id", "who trades"),
			traChannel:    text("channel", "mobile_app, or batch where nobody came"),
			traDevice:     null(text("device_id", "the device that it was made from")),
			traSymbol:     text("symbol", "the instrument, four letters"),
			traISIN:       text("isin", "the same, ISO 6166, in a country that does not exist"),
			traSide:       text("side", "BUY or SELL"),
			traReason:     null(text("reason_code", "why it was rejected, for example FUNDS")),
			traQuantity:   of(generators.Long, "quantity_micro", "how many, in millionths: amount over limit price"),
			traLimit:      of(generators.Long, "limit_price_minor", "the market's price when it was ordered, and its own"),
			traMarket:     of(generators.Long, "market_price_minor", "the market's price when it happened"),
			traAmount:     of(generators.Long, "amount_minor", "what it is about, minor units of the currency"),
			traCurrency:   text("currency", "of the customer's account, ISO 4217 code"),
			traExponent:   of(generators.Int, "currency_exponent", "decimals of the currency, ISO 4217: 0 for JPY"),
			traBalance:    of(generators.Long, "available_minor", "what the account may spend then"),
			traSynthetic:  of(generators.Bool, "synthetic", "always true: nothing here is real"),
			traChecksum:   of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// fillTrade writes an event of the trades into a record.
func (r *renderer) fillTrade(out *generators.Event, e *Event) {
	v := (*[traFields]generators.Value)(out.Values)
	s, m := &r.m.looks[e.State], &r.markets[e.Market]
	which := r.instrument(e.Flow)
	limit := r.costs(which, e.Market, int64(e.Order))
	now := limit
	if e.At != int64(e.Order) {
		now = r.costs(which, e.Market, e.At)
	}
	v[traEventTime] = num(e.At - e.At%1000)
	v[traEventType], v[traStatus], v[traChannel] = str(s.kind), str(s.status), str(s.channel)
	v[traTrade] = num(int64(e.Flow))
	v[traAccountID], v[traCustomerID] = str(r.account(e.Account)), str(r.customer(e.Account))
	v[traDevice] = r.deviceOf(s, e)
	v[traSymbol], v[traISIN] = str(r.words.instruments[which].Symbol), str(r.words.instruments[which].ISIN)
	v[traSide], v[traReason] = str(buy), r.why(e)
	if why := &v[traReason]; why.Str == buy || why.Str == sell {
		v[traSide], *why = *why, none()
	}
	v[traQuantity] = num(e.Amount * 1_000_000 / limit)
	v[traLimit], v[traMarket] = num(limit), num(now)
	v[traAmount], v[traCurrency], v[traExponent] = num(e.Amount), str(m.Currency), num(m.Exponent)
	v[traBalance] = num(e.Balance)
	v[traSynthetic] = num(1)
}

// The codes of the states of a trade that say which side it is.
const (
	buy  = "BUY"
	sell = "SELL"
)

// instrument is what a trade is about.
func (r *renderer) instrument(trade uint64) int { return r.words.popular.Pick(r.detail.At(trade)) }

// costs is the price of an instrument at a time in the currency of a market.
func (r *renderer) costs(instrument int, in uint8, at int64) int64 {
	return max(1, r.market.Price(instrument, at)*r.markets[in].PerEuro/100_000_000)
}
