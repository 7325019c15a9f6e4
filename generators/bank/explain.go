package bank

import (
	"fmt"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
)

// Explain implements [generators.Explainer].
func (s *stream) Explain(seq uint64) []string {
	e := s.bank.tape.event(s.lane, seq)
	return s.bank.explain(s.name, seq, e)
}

func (b *Bank) explain(stream string, seq uint64, e *Event) []string {
	out := []string{fmt.Sprintf("event %d of %s, %s", seq, stream, time.UnixMicro(e.At).UTC().Format(time.RFC3339Nano))}
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if stream == ledgerName || stream == customersName {
		return append(out, b.explainRow(stream, e)...)
	}
	if e.State == noState {
		say("nothing could happen in this slot")
		return out
	}
	state, look, here := &b.m.states[e.State], &b.m.looks[e.State], &b.markets[e.Market]
	f := b.m.flows[state.Flow]
	say("what      %s %s: %s", look.kind, look.status, state.Doc)
	say("flow      %s, state %s: %s", f.Name, state.Name, f.Doc)
	if e.Flow == seq {
		say("began     with this event")
	} else {
		say("began     with event %d", e.Flow)
	}
	switch {
	case e.Order > 0 && stream == flow.Payments.String():
		say("pays      order %d", e.Order-1)
	case e.Order > 0 && stream == flow.Trades.String():
		say("ordered   %s", time.UnixMicro(int64(e.Order)).UTC().Format(time.RFC3339Nano))
	}
	say("who       account %s of customer %s, at home in %s", b.account(e.Account), b.customer(e.Account),
		b.markets[b.homes[e.Account]].Country)
	switch {
	case look.shows&showMerchant != 0:
		say("with      merchant %s (mcc %s) in %s", b.merchant(e.Other), b.mcc(e.Other), b.country(e.Other))
	case look.shows&showOther != 0:
		say("with      account %s in %s", b.account(e.Other), b.markets[b.homes[e.Other]].Country)
	}
	say("amount    %d minor units of %s; %d to spend afterwards", e.Amount, here.Currency, e.Balance)
	if len(state.Codes) > 0 {
		say("code      %s", state.Codes[e.Code])
	}
	for _, t := range state.Next {
		say("may go to %s", b.way(&t))
	}
	if e.Crime != 0 {
		kind := b.kinds[e.Crime.kind()]
		say("crime     case %d, %s (%s): %s, hop %d", e.Crime.number(), kind.Name, kind.Doc,
			fraud.Role(e.Crime.role()), e.Crime.hop())
	}
	return out
}

// way is a way out of a state in words.
func (b *Bank) way(t *flow.Transition) string {
	when := "always"
	if t.When != 0 {
		when = "when " + t.When.String()
	} else if t.Share < flow.All {
		when = fmt.Sprintf("%.4g %%", float64(t.Share)/flow.All*100)
	}
	return strings.TrimSuffix(fmt.Sprintf("%s, %s, %s", b.m.states[t.To].Name, when, t.After), ", ")
}

// explainRow explains an entry of the ledger or a change of a customer's row.
func (b *Bank) explainRow(stream string, e *Event) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	here := &b.markets[e.Market]
	if stream == customersName {
		c := change(e.Balance)
		was, is := c.before(), c.after()
		say("what      operation %q on the row of customer %s, version %d", string(c.op()), b.customer(e.Account), is.version)
		say("kyc       %s, before that %s", kycWords()[is.kyc], kycWords()[was.kyc])
		say("status    %s, before that %s", statusWords()[is.status], statusWords()[was.status])
		return out
	}
	n := entry(e.Balance)
	say("what      %d minor units of %s", e.Amount, here.Currency)
	say("from      %s (%s)", b.holder(n.from(), e.Account), n.from())
	say("to        %s (%s)", b.holder(n.to(), e.Other), n.to())
	if e.State == noState {
		say("why       the account had it when the bank opened")
		return out
	}
	state := &b.m.states[e.State]
	say("why       flow %s, state %s: %s", b.m.flows[state.Flow].Name, state.Name, state.Doc)
	return out
}
