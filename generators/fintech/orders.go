package fintech

import "github.com/lakeproof/lakeproof/generators"

// The places of the fields in an order.
const (
	ordEventID = iota
	ordEventTime
	ordNumber
	ordStatus
	ordAccountID
	ordCustomerID
	ordMerchantID
	ordMerchantName
	ordSalesChannel
	ordSKU
	ordQuantity
	ordUnitPrice
	ordSubtotal
	ordDiscount
	ordShipping
	ordTax
	ordTotal
	ordCurrency
	ordExponent
	ordMethod
	ordPromo
	ordShipCity
	ordShipCountry
	ordGift
	ordSynthetic
	ordChecksum
	ordFields
)

func orderSchema() *generators.Schema {
	text := func(name, doc string) generators.Field {
		return generators.Field{Name: name, Kind: generators.String, Plain: true, Doc: doc}
	}
	of := func(kind generators.Kind, name, doc string) generators.Field {
		return generators.Field{Name: name, Kind: kind, Doc: doc}
	}
	return &generators.Schema{
		Name: "Order",
		Doc:  "An order of a customer of a bank that does not exist.",
		Fields: []generators.Field{
			ordEventID: of(generators.UUID, "event_id", "identity of the record, a UUID of version 8"),
			ordEventTime: of(generators.Timestamp, "event_time",
				"when it happened: the intended time, UTC, whole milliseconds"),
			ordNumber:       of(generators.Long, "order_number", "number of the order, counted up"),
			ordStatus:       text("order_status", "placed, paid, shipped or cancelled"),
			ordAccountID:    text("account_id", "account that pays"),
			ordCustomerID:   text("customer_id", "customer who orders"),
			ordMerchantID:   text("merchant_id", "merchant who sells"),
			ordMerchantName: {Name: "merchant_name", Kind: generators.String, Doc: "its name"},
			ordSalesChannel: text("sales_channel", "web, app, store or phone"),
			ordSKU:          text("sku", "article"),
			ordQuantity:     of(generators.Int, "quantity", "how many of it"),
			ordUnitPrice:    of(generators.Long, "unit_price_minor", "price of one, minor units of the currency"),
			ordSubtotal:     of(generators.Long, "subtotal_minor", "unit price times quantity"),
			ordDiscount:     of(generators.Long, "discount_minor", "taken off the subtotal"),
			ordShipping:     of(generators.Long, "shipping_minor", "for the delivery"),
			ordTax:          of(generators.Long, "tax_minor", "on subtotal less discount"),
			ordTotal:        of(generators.Long, "total_minor", "subtotal - discount + shipping + tax"),
			ordCurrency:     text("currency", "ISO 4217 code"),
			ordExponent:     of(generators.Int, "currency_exponent", "decimals of the currency by ISO 4217"),
			ordMethod:       text("payment_method", "card, transfer, wallet or invoice"),
			ordPromo: {
				Name: "promo_code", Kind: generators.String, Nullable: true, Plain: true,
				Doc: "code of the discount, null without one",
			},
			ordShipCity:    {Name: "ship_city", Kind: generators.String, Doc: "where it goes"},
			ordShipCountry: text("ship_country", "where it goes, ISO 3166-1 alpha-2"),
			ordGift:        of(generators.Bool, "is_gift", "whether it is wrapped"),
			ordSynthetic:   of(generators.Bool, "synthetic", "always true: nothing here is real"),
			ordChecksum:    of(generators.Checksum, "checksum", "CRC-32C of the encoded fields before it"),
		},
	}
}

// orders is the stream "orders".
type orders struct {
	*world
	schema *generators.Schema
	skus   []string // articles of all trades, trade by trade

	statuses, channels, methods, quantities generators.Alias

	account, shop, price, article, amount, status, channel, method, promo, ship, gift generators.Rand
}

// articles is how many articles a trade sells.
const articles = 1000

// NewOrders returns the stream "orders".
func NewOrders(seed generators.Seed) generators.Stream {
	draw := func(purpose string) generators.Rand { return seed.Rand("orders." + purpose) }
	o := &orders{
		world:      newWorld(seed),
		schema:     orderSchema(),
		statuses:   generators.NewAlias(55, 25, 16, 4),
		channels:   generators.NewAlias(45, 35, 17, 3),
		methods:    generators.NewAlias(62, 9, 23, 6),
		quantities: generators.NewAlias(generators.Zipf(12)...),
		account:    draw("account"), shop: draw("merchant"), price: draw("price"), article: draw("article"),
		amount: draw("quantity"), status: draw("status"), channel: draw("channel"), method: draw("method"),
		promo: draw("promo"), ship: draw("ship"), gift: draw("gift"),
	}
	for _, t := range Shops() {
		for i := range articles {
			o.skus = append(o.skus, article(t.SKU, i))
		}
	}
	return o
}

// article returns the number of article i of a trade: prefix, dash, four digits.
func article(prefix string, i int) string {
	return prefix + "-" + string([]byte{
		byte('0' + i/1000%10), byte('0' + i/100%10), byte('0' + i/10%10),
		byte('0' + i%10),
	})
}

func (o *orders) Name() string               { return "orders" }
func (o *orders) Schema() *generators.Schema { return o.schema }

// Fill implements [generators.Stream].
func (o *orders) Fill(ev *generators.Event, seq uint64, at int64) {
	v := (*[ordFields]generators.Value)(ev.Values)
	a := &o.accounts[o.busy.Pick(o.account.At(seq))]
	home := &o.markets[a.market]
	m := home.shops.pick(o.shop.At(seq))

	const firstNumber = 100_000_000
	v[ordEventTime] = num(wholeMilliseconds(at))
	v[ordNumber] = num(firstNumber + int64(seq))
	v[ordStatus] = str([...]string{"placed", "paid", "shipped", "cancelled"}[o.statuses.Pick(o.status.At(seq))])
	v[ordAccountID], v[ordCustomerID] = str(a.id), str(a.customer)
	v[ordMerchantID], v[ordMerchantName] = str(m.id), str(m.name)
	v[ordSalesChannel] = str([...]string{"web", "app", "store", "phone"}[o.channels.Pick(o.channel.At(seq))])
	v[ordMethod] = str([...]string{"card", "transfer", "wallet", "invoice"}[o.methods.Pick(o.method.At(seq))])
	v[ordShipCity] = str(home.Cities[generators.Below(o.ship.At(seq), uint64(len(home.Cities)))])
	v[ordShipCountry] = str(home.Country)
	v[ordGift] = flag(generators.Chance(o.gift.At(seq), 40_000))
	v[ordSynthetic] = flag(true)

	v[ordSKU] = str(o.skus[m.shelf+generators.Below(o.article.At(seq), articles)])
	o.setPrice(v, home, m, seq)
}

// setPrice fills the sums, which add up.
func (o *orders) setPrice(v *[ordFields]generators.Value, home *place, m *merchant, seq uint64) {
	price := o.amounts.Draw(o.price.At(seq), m.median, m.spread)
	quantity := int64(o.quantities.Pick(o.amount.At(seq))) + 1
	subtotal, discount := price*quantity, int64(0)
	v[ordPromo] = none()
	if generators.Chance(o.promo.At(seq), 120_000) {
		v[ordPromo], discount = str("SAVE10"), subtotal/10
	}
	shipping := int64(0)
	if channel := v[ordSalesChannel].Str; channel != "store" && subtotal < home.freeShipping {
		shipping = home.shipping
	}
	tax := (subtotal - discount) / 5
	v[ordQuantity], v[ordUnitPrice], v[ordSubtotal] = num(quantity), num(price), num(subtotal)
	v[ordDiscount], v[ordShipping], v[ordTax] = num(discount), num(shipping), num(tax)
	v[ordTotal] = num(subtotal - discount + shipping + tax)
	v[ordCurrency], v[ordExponent] = str(home.Currency), num(home.Exponent)
}
