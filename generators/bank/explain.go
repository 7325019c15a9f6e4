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
	if e.Order > 0 {
		say("pays      order %d", e.Order-1)
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
		next := &b.m.states[t.To]
		when := "always"
		if t.When != 0 {
			when = "when " + t.When.String()
		} else if t.Share < flow.All {
			when = fmt.Sprintf("%.4g %%", float64(t.Share)/flow.All*100)
		}
		say("may go to %s", strings.TrimSuffix(fmt.Sprintf("%s, %s, %s", next.Name, when, t.After), ", "))
	}
	if e.Crime != 0 {
		kind := b.kinds[e.Crime.kind()]
		say("crime     case %d, %s (%s): %s, hop %d", e.Crime.number(), kind.Name, kind.Doc,
			fraud.Role(e.Crime.role()), e.Crime.hop())
	}
	return out
}
