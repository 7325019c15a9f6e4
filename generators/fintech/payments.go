package fintech

import "github.com/lakeproof/lakeproof/generators"

// payments is the stream "payments".
type payments struct {
	*world
	schema *generators.Schema

	types, posModes, cardDeclines, accountDeclines, debitDeclines generators.Alias

	// One purpose for each thing that is drawn.
	account, kind, travel, market, shop, amount, online, mode, stored, terminal,
	declined, reason, code, device, ip, risk, payee generators.Rand
}

// The kinds of payment, in the order of the weights in NewPayments.
const (
	cardPayment = iota
	transfer
	directDebit
	cashWithdrawal
	refund
)

// NewPayments returns the stream "payments": card payments 71 %, transfers
// 12 %, direct debits 9 %, cash 6.5 %, refunds 1.5 %; 3 % of what can be
// declined is.
func NewPayments(seed generators.Seed) generators.Stream {
	draw := func(purpose string) generators.Rand { return seed.Rand("payments." + purpose) }
	return &payments{
		world:           newWorld(seed),
		schema:          paymentSchema(),
		types:           generators.NewAlias(710, 120, 90, 65, 15),
		posModes:        generators.NewAlias(72, 25, 1, 2),
		cardDeclines:    generators.NewAlias(48, 22, 10, 8, 5, 4, 3),
		accountDeclines: generators.NewAlias(75, 15, 10),
		debitDeclines:   generators.NewAlias(60, 25, 15),
		account:         draw("account"), kind: draw("event_type"), travel: draw("travel"), market: draw("market"),
		shop: draw("merchant"), amount: draw("amount"), online: draw("online"), mode: draw("entry_mode"),
		stored: draw("stored_card"), terminal: draw("terminal"), declined: draw("declined"), reason: draw("reason"),
		code: draw("auth_code"), device: draw("device"), ip: draw("ip"), risk: draw("risk"), payee: draw("payee"),
	}
}

func (p *payments) Name() string               { return "payments" }
func (p *payments) Schema() *generators.Schema { return p.schema }

// row is a payment under construction: a view of the event's values.
type row = [payFields]generators.Value

func str(s string) generators.Value { return generators.Value{Str: s} }
func num(n int64) generators.Value  { return generators.Value{Int: n} }

func flag(b bool) generators.Value {
	if b {
		return generators.Value{Int: 1}
	}
	return generators.Value{}
}

// none is the null value.
func none() generators.Value { return generators.Value{Null: true} }

// Fill implements [generators.Stream].
func (p *payments) Fill(ev *generators.Event, seq uint64, at int64) {
	v := (*row)(ev.Values)
	a := &p.accounts[p.busy.Pick(p.account.At(seq))]
	home := &p.markets[a.market]

	v[payEventTime] = num(wholeMilliseconds(at))
	v[payAccountID], v[payCustomerID] = str(a.id), str(a.customer)
	v[payCounterparty] = none()
	v[paySynthetic] = flag(true)

	switch p.types.Pick(p.kind.At(seq)) {
	case transfer:
		p.fillTransfer(v, a, home, seq)
	case directDebit:
		p.fillDirectDebit(v, home, seq)
	case cashWithdrawal:
		p.fillCash(v, a, home, seq)
	case refund:
		p.fillCard(v, a, home, seq)
		p.makeRefund(v)
	default:
		p.fillCard(v, a, home, seq)
	}
}

func wholeMilliseconds(micros int64) int64 {
	rest := micros % 1000
	if rest < 0 {
		rest += 1000
	}
	return micros - rest
}

// fillCard is a purchase in a shop or online.
func (p *payments) fillCard(v *row, a *account, home *place, seq uint64) {
	here := p.where(home, seq, 60_000)
	m := here.shops.pick(p.shop.At(seq))
	amount := p.amounts.Draw(p.amount.At(seq), m.median, m.spread)
	v[payEventType] = str("card_payment")
	v[payRecurring] = flag(false)
	p.setMerchant(v, here, m)
	p.setAmount(v, here, amount, foreignFee(home, here, amount))

	risk := p.risk.At(seq)
	if generators.Chance(p.online.At(seq), m.trade.Online) {
		v[payChannel], v[payEntryMode], v[payTerminal] = str("ecommerce"), str("ecommerce"), none()
		p.setDevice(v, a, seq)
		if generators.Chance(p.stored.At(seq), m.trade.Again) {
			v[payEntryMode], v[payRecurring] = str("credential_on_file"), flag(true)
			v[payDevice], v[payIP] = none(), none() // the merchant starts it
		}
		p.setRisk(v, risk, 120)
	} else {
		modes := [...]string{"contactless", "chip", "magstripe", "manual"}
		v[payChannel] = str("pos")
		v[payEntryMode] = str(modes[p.posModes.Pick(p.mode.At(seq))])
		v[payTerminal] = str(m.terminals[p.terminal.At(seq)&1])
		v[payDevice], v[payIP] = none(), none()
		p.setRisk(v, risk, 0)
	}
	p.authorise(v, a, seq, 33_000)
}

// makeRefund turns a purchase around. Refunds are not declined, and nobody
// pays a fee for one.
func (p *payments) makeRefund(v *row) {
	v[payEventType], v[payStatus], v[payResponse] = str("refund"), str("approved"), str("00")
	v[payFee], v[payAuthCode], v[payRecurring] = num(0), none(), flag(false)
}

// fillCash is a withdrawal at a cash machine: whole notes.
func (p *payments) fillCash(v *row, a *account, home *place, seq uint64) {
	here := p.where(home, seq, 40_000)
	m := here.machines.pick(p.shop.At(seq))
	amount := p.amounts.Draw(p.amount.At(seq), m.median, m.spread)
	amount = max(1, min((amount+here.Note/2)/here.Note, 40)) * here.Note
	v[payEventType] = str("cash_withdrawal")
	v[payRecurring] = flag(false)
	p.setMerchant(v, here, m)
	p.setAmount(v, here, amount, foreignFee(home, here, amount))
	v[payChannel], v[payEntryMode] = str("atm"), str("chip")
	v[payTerminal] = str(m.terminals[p.terminal.At(seq)&1])
	v[payDevice], v[payIP] = none(), none()
	p.setRisk(v, p.risk.At(seq), 40)
	p.authorise(v, a, seq, 33_000)
}

// fillDirectDebit is a bill that the biller collects.
func (p *payments) fillDirectDebit(v *row, home *place, seq uint64) {
	m := home.billers.pick(p.shop.At(seq))
	v[payEventType], v[payChannel] = str("direct_debit"), str("batch")
	v[payRecurring] = flag(true)
	p.setMerchant(v, home, m)
	p.setAmount(v, home, p.amounts.Draw(p.amount.At(seq), m.median, m.spread), 0)
	p.setRisk(v, p.risk.At(seq), 0)
	v[payDevice], v[payIP] = none(), none()
	reasons := [...]string{"AM04", "MD01", "AC04"} // insufficient funds, no mandate, closed account
	p.settle(v, reasons[p.debitDeclines.Pick(p.reason.At(seq))], seq)
}

// fillTransfer sends money to another account of the bank.
func (p *payments) fillTransfer(v *row, a *account, home *place, seq uint64) {
	payee := &p.accounts[generators.Below(p.payee.At(seq), accounts)]
	if payee == a {
		payee = &p.accounts[0]
		if a == payee {
			payee = &p.accounts[1]
		}
	}
	v[payEventType], v[payCounterparty] = str("transfer"), str(payee.id)
	v[payRecurring] = flag(generators.Chance(p.stored.At(seq), 150_000)) // a standing order
	v[payMerchantID], v[payMerchantName], v[payMCC] = none(), none(), none()
	v[payCity], v[payCountry] = none(), none()
	p.setAmount(v, home, p.amounts.Draw(p.amount.At(seq), home.transfer, generators.Sigma(1300)), 0)
	p.setRisk(v, p.risk.At(seq), 60)
	if v[payRecurring].Int == 1 {
		v[payChannel], v[payDevice], v[payIP] = str("batch"), none(), none()
	} else {
		v[payChannel] = str("mobile_app")
		if generators.Chance(p.online.At(seq), 350_000) {
			v[payChannel] = str("web_bank")
		}
		p.setDevice(v, a, seq)
	}
	reasons := [...]string{"AM04", "AC04", "MS03"} // insufficient funds, closed account, not specified
	p.settle(v, reasons[p.accountDeclines.Pick(p.reason.At(seq))], seq)
}

// where returns the customer's own market, or another one for the given share
// (ppm) of events.
func (p *payments) where(home *place, seq, abroad uint64) *place {
	if generators.Chance(p.travel.At(seq), abroad) {
		return &p.markets[p.abroad.Pick(p.market.At(seq))]
	}
	return home
}

// foreignFee is 1.75 % where the currency is not the account's.
func foreignFee(home, here *place, amount int64) int64 {
	if home.Currency == here.Currency {
		return 0
	}
	return amount * 175 / 10_000
}

func (p *payments) setMerchant(v *row, here *place, m *merchant) {
	v[payMerchantID], v[payMerchantName], v[payMCC] = str(m.id), str(m.name), str(m.trade.MCC)
	v[payCity], v[payCountry] = str(m.city), str(here.Country)
}

func (p *payments) setAmount(v *row, here *place, amount, fee int64) {
	v[payAmount], v[payFee] = num(amount), num(fee)
	v[payCurrency], v[payExponent] = str(here.Currency), num(here.Exponent)
}

func (p *payments) setDevice(v *row, a *account, seq uint64) {
	v[payDevice] = str(a.devices[p.device.At(seq)>>63])
	v[payIP] = str(p.ips[generators.Below(p.ip.At(seq), uint64(len(p.ips)))])
}

// setRisk makes low scores frequent and high ones rare: the cube of a uniform
// number, on top of what the channel brings.
func (p *payments) setRisk(v *row, random uint64, base int64) {
	u := int64(random >> 44) // 20 bits
	v[payRisk] = num(base + (u*u>>20)*u*800>>40)
}

// authorise answers a card: approved with a code, or declined for a reason of
// ISO 8583 field 39.
func (p *payments) authorise(v *row, a *account, seq, declinedPPM uint64) {
	v[payCardToken] = str(a.card)
	if generators.Chance(p.declined.At(seq), declinedPPM) {
		reasons := [...]string{"51", "05", "61", "54", "91", "59", "14"}
		reason := reasons[p.cardDeclines.Pick(p.reason.At(seq))]
		v[payStatus], v[payResponse], v[payAuthCode] = str("declined"), str(reason), none()
		if reason == "59" { // suspected fraud
			v[payRisk].Int = max(v[payRisk].Int, 850)
		}
		return
	}
	const authLen = 6
	at := generators.Below(p.code.At(seq), uint64(len(p.codes)-authLen))
	v[payStatus], v[payResponse], v[payAuthCode] = str("approved"), str("00"), str(p.codes[at:at+authLen])
}

// settle answers an account: settled (ACSC) or rejected for a reason, both
// from the external code sets of ISO 20022. There is no card.
func (p *payments) settle(v *row, reason string, seq uint64) {
	v[payCardToken], v[payEntryMode], v[payTerminal], v[payAuthCode] = none(), none(), none(), none()
	if generators.Chance(p.declined.At(seq), 20_000) {
		v[payStatus], v[payResponse] = str("declined"), str(reason)
		return
	}
	v[payStatus], v[payResponse] = str("approved"), str("ACSC")
}
