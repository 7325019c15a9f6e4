package bank

import (
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
)

// everything opens a bank with all streams.
func everything(tb testing.TB, change func(*Config)) *Bank {
	tb.Helper()
	return open(tb, func(c *Config) {
		c.Clocks = map[flow.Stream]Clock{
			flow.Payments: grid{opening, 8_640_000}, // five a day for each customer
			flow.Orders:   grid{opening, 97_000_000},
			flow.KYC:      grid{opening, 211_000_000},
			flow.Loans:    grid{opening, 307_000_000},
			flow.Trades:   grid{opening, 151_000_000},
		}
		rates, err := fraud.Preset("aml-hi")
		if err != nil {
			tb.Fatal(err)
		}
		for i := range rates { // so that there are some within weeks
			rates[i] *= 20
		}
		c.Crimes, c.Ledger, c.Changes = rates, true, true
		if change != nil {
			change(c)
		}
	})
}

// run lets a bank work until it made so many payments, and returns all events of
// all streams as far as they were handed out.
func run(b *Bank, payments int) (all [lanes][]Event) {
	for len(all[0]) < payments {
		block := b.tape.live.block()
		all[block.Lane] = append(all[block.Lane], block.Events...)
	}
	for i := range b.tape.live.lanes { // and what is not handed out yet
		all[i] = append(all[i], b.tape.live.lanes[i].block...)
	}
	return all
}

// wrong counts what is wrong with events that name others, by what is wrong.
func wrong(b *Bank, all *[lanes][]Event) map[string]int {
	out := map[string]int{}
	for i := range labels {
		for n := range all[i] {
			e := &all[i][n]
			if e.Flow > uint64(n) {
				out["the first event of a flow comes after another"]++
				continue
			}
			first := &all[i][e.Flow]
			if first.At > e.At || first.Account != e.Account || b.m.states[first.State].Flow != b.m.states[e.State].Flow {
				out["the first event of a flow belongs to another"]++
			}
			if n > 0 && all[i][n-1].At > e.At {
				out["an event is earlier than the one before"]++
			}
			if i == int(flow.Payments) && e.Order > 0 {
				if e.Order > uint64(len(all[flow.Orders])) {
					out["no such order"]++
				} else if o := &all[flow.Orders][e.Order-1]; o.At > e.At || o.Account != e.Account || o.Other != e.Other ||
					o.Flow != e.Order-1 {
					out["the order is later, or another's"]++
				}
			}
		}
	}
	for n := range all[labels] {
		l := &all[labels][n]
		if l.Order > uint64(len(all[0])) {
			out["a label of no event"]++
		} else if e := &all[0][l.Order-1]; e.At >= l.At || e.Crime != l.Crime || e.Flow != l.Flow {
			out["a label of another event, or before it"]++
		}
	}
	for n := range all[ledger] {
		e := &all[ledger][n]
		if e.State == noState {
			continue
		}
		of := all[b.m.looks[e.State].lane]
		if e.Order > uint64(len(of)) {
			out["an entry of no event"]++
		} else if o := &of[e.Order-1]; o.At != e.At || o.State != e.State || o.Flow != e.Flow {
			out["an entry of another event"]++
		}
	}
	return out
}

// No event names one that was not there before it, in whatever stream.
func TestParentsComeFirst(t *testing.T) {
	t.Parallel()
	b := everything(t, nil)
	all := run(b, 300_000)
	for i, events := range all {
		t.Logf("%s: %d events", Streams()[i], len(events))
		if len(events) < 100 {
			t.Errorf("%s: only %d events", Streams()[i], len(events))
		}
	}
	if b.tape.live.stuck > 0 {
		t.Errorf("%d slots without an event", b.tape.live.stuck)
	}
	paid := 0
	for i := range all[0] {
		if all[0][i].Order > 0 {
			paid++
		}
	}
	if paid < 1000 {
		t.Errorf("only %d payments of orders", paid)
	}
	for what, n := range wrong(b, &all) {
		t.Errorf("%s: %d times", what, n)
	}
	for what, spoil := range map[string]func(){ // the controls
		"the first event of a flow comes after another": func() { all[1][10].Flow = 11 },
		"no such order":                           func() { all[0][500].Order = 1 << 40 },
		"the order is later, or another's":        func() { all[0][501].Order = uint64(len(all[1])) },
		"a label of another event, or before it":  func() { all[labels][3].At = 0 },
		"an entry of another event":               func() { all[ledger][5000].Order++ },
		"an event is earlier than the one before": func() { all[4][20].At = 0 },
	} {
		before := wrong(b, &all)[what]
		spoil()
		if after := wrong(b, &all)[what]; after <= before {
			t.Errorf("%q is not seen", what)
		}
	}
}

// The sum of every currency is nothing after each of 200,000 events of all
// streams.
func TestBooksBalanceAtEveryEvent(t *testing.T) {
	t.Parallel()
	b := everything(t, func(c *Config) { c.Customers, c.Merchants = 300, 30 })
	e := b.tape.live
	sums := func() (out [64]int64) {
		for i, a := range e.books.accounts {
			out[e.books.currency[e.homes[i]]] += a.booked
		}
		for i, till := range e.books.tills {
			out[e.books.currency[e.shops[i].market]] += till
		}
		for i, house := range e.books.house {
			for _, n := range house {
				out[e.books.currency[i]] += n
			}
		}
		return out
	}
	slots := 0
	for ; slots < 200_000; slots++ {
		var first *lane
		for i := range e.lanes[:labels] {
			if l := &e.lanes[i]; first == nil || l.clock.At(l.next) < first.clock.At(first.next) {
				first = l
			}
		}
		e.slot(first, e.foresee(first))
		first.block, e.lanes[ledger].block = first.block[:0], e.lanes[ledger].block[:0]
		if got := sums(); got != [64]int64{} {
			t.Fatalf("after slot %d: %v", slots, got)
		}
	}
	e.books.tills[3]--
	if sums() == [64]int64{} {
		t.Error("a missing cent is not seen")
	}
}

// replay adds up the records of a ledger.
func replay(t *testing.T, b *Bank, entries []Event) map[string]int64 {
	t.Helper()
	balances, currency := map[string]int64{}, map[string]string{}
	out := generators.NewEvent(ledgerSchema())
	for i := range entries {
		b.fillEntry(out, &entries[i])
		v := out.Values
		debit, credit, amount := v[ledDebit].Str, v[ledCredit].Str, v[ledAmount].Int
		if debit == credit || amount < 0 {
			t.Fatalf("entry %d: %d from %s to %s", i, amount, debit, credit)
		}
		for _, account := range []string{debit, credit} {
			if known, ok := currency[account]; ok && known != v[ledCurrency].Str {
				t.Fatalf("entry %d: account %s in %s and %s", i, account, known, v[ledCurrency].Str)
			}
			currency[account] = v[ledCurrency].Str
		}
		balances[debit] -= amount
		balances[credit] += amount
	}
	return balances
}

// The ledger alone says what everybody has, to the minor unit.
func TestLedgerIsTheBooks(t *testing.T) {
	t.Parallel()
	b := everything(t, nil)
	all := run(b, 250_000)
	books, balances := b.tape.live.books, replay(t, b, all[ledger])
	differ := func() (n int) {
		check := func(account string, want int64) {
			if balances[account] != want {
				n++
			}
		}
		for i, a := range books.accounts {
			check(b.account(uint32(i)), a.booked)
		}
		for i, till := range books.tills {
			check(b.merchant(uint32(i)), till)
		}
		for i, house := range books.house {
			for role, sum := range house {
				if role <= int(flow.Merchant) { // whose accounts are their own
					continue
				}
				check(b.holder(flow.Role(role), uint32(i)), sum)
			}
		}
		return n
	}
	if n := differ(); n > 0 || len(all[ledger]) < 200_000 {
		t.Errorf("%d accounts differ after %d entries", n, len(all[ledger]))
	}
	crossed := 0
	for i := range all[ledger] {
		if n := entry(all[ledger][i].Balance); n.to() == flow.FX {
			crossed++
		}
	}
	if crossed < 1000 {
		t.Errorf("only %d entries into a position", crossed)
	}
	balances = replay(t, b, all[ledger][:len(all[ledger])-1])
	if differ() != 2 {
		t.Error("a missing entry is not seen at both accounts")
	}
}
