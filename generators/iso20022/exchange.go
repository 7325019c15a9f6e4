package iso20022

import "github.com/lakeproof/lakeproof/generators/identifier"

// exchange writes what a payment began as, in another currency, and the rate.
func (w *writer) exchange(p *Payment) {
	c, ok := identifier.FindCurrency(p.InstructedIn)
	if !ok {
		w.fail("InstdAmt", identifier.ErrUnknown)
	}
	if p.Instructed <= 0 || p.InstructedIn == w.currency {
		w.fail("InstdAmt", ErrAmount)
	}
	w.money("InstdAmt", p.Instructed, p.InstructedIn, c.Exponent)
	const digits = 100_000_000_000 // eleven of them in a BaseOneRate
	if p.Rate <= 0 || p.Rate >= digits {
		w.fail("XchgRate", ErrAmount)
	}
	w.open("XchgRate")
	w.buf = identifier.AppendAmount(w.buf, p.Rate, 6)
	w.close("XchgRate")
}
