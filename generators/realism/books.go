package realism

// person is what is kept of an account.
type person struct {
	last         int64 // when the owner acted last
	gaps         uint32
	active       bool
	mean, m2     float64
	purse        purse  // in the first currency that was seen
	in           uint64 // its hash
	day, payday  int32  // the last local days with spending and with income
	today        uint32
	spent        uint32 // purchases and cash
	paidSpent    uint32 // of these on days with income
	paydays      [daysOfWeek]uint16
	hasDay, paid bool
}

// purse is what is known of an account's money in one currency.
type purse struct {
	balance int64
	open    bool
}

// books follow the money.
type books struct {
	others        table[purse] // of accounts with several currencies
	steps, breaks uint64       // balances that follow from the one before, and those that do not
	firstBreak    string
	legs          uint64
	byCurrency    map[string]*money
	lastName      string // of the currency that was looked up last
	lastMoney     *money
}

// money is one currency's account.
type money struct {
	sum, transit wide
}

func (b *books) observe(s *seen, people *table[person]) {
	r := s.Record
	p := people.at(s.account)
	if p != nil && s.acts {
		p.act(s)
	}
	if p != nil {
		p.spend(s)
	}
	own, other := r.AccountCurrency, r.CounterpartyCurrency
	if own == "" {
		own = r.Currency
	}
	if other == "" {
		other = r.Currency
	}
	if r.Known&KnownBalance != 0 && b.chain(b.purse(p, s.account, own), r.Change, r.Balance) && b.breaks == 1 {
		b.firstBreak = keep(r.ID) + " on " + keep(r.Account)
	}
	if r.Known&KnownCounterpartyBalance != 0 {
		to := b.purse(people.at(s.counterparty), s.counterparty, other)
		if b.chain(to, r.CounterpartyChange, r.CounterpartyBalance) && b.breaks == 1 {
			b.firstBreak = keep(r.ID) + " on " + keep(r.Counterparty)
		}
	}
	if r.Known&KnownLegs != 0 {
		b.post(r, own, other)
	}
}

// purse finds an account's money in a currency.
func (b *books) purse(p *person, account uint64, currency string) *purse {
	if p == nil {
		return nil
	}
	h := hash(currency)
	if !p.purse.open {
		p.in = h
	}
	if p.in == h {
		return &p.purse
	}
	return b.others.at(pair(account, h))
}

// post adds up what a record did to the money.
func (b *books) post(r *Record, own, other string) {
	b.legs++
	a := b.currency(own)
	a.sum.add(r.Change)
	a.sum.add(r.Transit)
	a.transit.add(r.Transit)
	if r.CounterpartyChange != 0 {
		b.currency(other).sum.add(r.CounterpartyChange)
	}
}

// currency returns the account of a currency.
func (b *books) currency(name string) *money {
	if b.lastMoney != nil && b.lastName == name {
		return b.lastMoney
	}
	m := b.byCurrency[name]
	if m == nil {
		const most = 1024 // there are 180 currencies
		if len(b.byCurrency) >= most {
			name = "(others)"
		}
		if m = b.byCurrency[name]; m == nil {
			name = keep(name)
			m = new(money)
			b.byCurrency[name] = m
		}
	}
	b.lastName, b.lastMoney = keep(name), m
	return m
}

// chain holds a balance against the one before and reports a break.
func (b *books) chain(p *purse, change, balance int64) (broken bool) {
	if p == nil {
		return false
	}
	if p.open {
		b.steps++
		if broken = p.balance+change != balance; broken {
			b.breaks++
		}
	}
	p.open, p.balance = true, balance
	return broken
}

// conservation sums up what every record did to the money.
func (m *Meter) conservation() Measure {
	out := Measure{
		Name: "conservation", Title: "Money is conserved", Group: groupBooks, High: new(0.0),
		Published: "double entry: 0 minor units; PaySim and AMLSim make money at event 1", Source: "read in their sources",
		Samples: m.books.legs,
	}
	if m.books.legs == 0 {
		return out.unmeasured("no record shows all legs of its money")
	}
	off, worst := 0, 0.0
	for _, name := range sortedKeys(m.books.byCurrency) {
		c := m.books.byCurrency[name]
		sum := c.sum.float()
		if !c.sum.zero() {
			off++
			worst = max(worst, sum, -sum)
		}
		out.detail(name, "sum %s minor units; %s in transit at the end", number(sum), number(c.transit.float()))
	}
	if off == 0 {
		return out.judge(0, "the changes of all balances and the money in transit sum up to 0 minor units in %s",
			plural(len(m.books.byCurrency), "currency", "currencies"))
	}
	return out.judge(worst, "%s out of balance, the worst by %s minor units: money was made or lost",
		plural(off, "currency is", "currencies are"), number(worst))
}

// balances checks that each balance follows from the one before.
func (m *Meter) balances() Measure {
	out := Measure{
		Name: "balance_chain", Title: "Balances follow from each other", Group: groupBooks, High: new(0.0),
		Published: "every account statement: balance before + change = balance after", Source: "double entry",
		Samples: m.books.steps,
	}
	b := &m.books
	if b.steps == 0 {
		return out.unmeasured("no account shows its balance twice")
	}
	if b.breaks == 0 {
		return out.judge(0, "each of %s balances is the one before plus the change", count(b.steps))
	}
	if b.firstBreak != "" {
		out.detail("first", "%s", b.firstBreak)
	}
	return out.judge(float64(b.breaks), "%s of %s balances do not follow from the one before (%s)",
		count(b.breaks), count(b.steps), percent(ratio(b.breaks, b.steps)))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}
