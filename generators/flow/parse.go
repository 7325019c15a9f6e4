package flow

import (
	"fmt"
	"path"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Parse reads and checks one flow; the name of the file is only for messages.
// Whether the flow fits the others is checked by [Load].
func Parse(name string, text []byte) (*Flow, error) {
	p := &parser{source: path.Base(name), numbers: map[string]int{}}
	if err := strict.Decode(text, p.source, &p.file); err != nil {
		return nil, err
	}
	f := p.flow()
	if p.err == nil {
		p.check(f)
	}
	if p.err != nil {
		return nil, p.err
	}
	return f, nil
}

// parser makes a flow of a file. It keeps the first error and goes on with
// zeros.
type parser struct {
	source  string
	file    file
	states  []fileState
	numbers map[string]int // of the states
	err     error
}

// refuse keeps an error that is the first.
func (p *parser) refuse(line int, hint, format string, args ...any) {
	if p.err == nil {
		p.err = fail.New(fail.Usage, hint, "%s:%d: %s", p.source, max(1, line), fmt.Sprintf(format, args...))
	}
}

// one returns which of the known words is meant; no word is the first of them.
func (p *parser) one(what string, w word, known []string) int {
	for i, k := range known {
		if k == w.text() {
			return i
		}
	}
	if w.given() {
		p.refuse(w.line(), nearest(w.text(), known), "unknown %s %q", what, w.text())
	}
	return 0
}

func nearest(word string, known []string) string {
	if near := strict.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known here are " + strings.TrimPrefix(strings.Join(known, ", "), ", ")
}

// named returns a name, and refuses what is not one.
func (p *parser) named(what string, w word) string {
	text := w.text()
	if text == "" || len(text) > 40 || text[0] < 'a' || text[0] > 'z' ||
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		p.refuse(w.line(), "write up to 40 small letters, digits and _, beginning with a letter",
			"%q is not a name for a %s", text, what)
	}
	return text
}

// needed refuses a word that is not there.
func (p *parser) needed(key string, w word, hint string) {
	if w.text() == "" {
		p.refuse(w.line(), hint, "key %q is missing", key)
	}
}

// flow compiles everything that can be understood without looking at the
// machine as a whole.
func (p *parser) flow() *Flow {
	in := &p.file
	p.needed("flow", in.Flow, "give the flow a name: flow: card_payment")
	p.needed("doc", in.Doc, "say in a sentence what the flow is: doc: A card at a terminal.")
	p.needed("stream", in.Stream, "say where its events go: stream: payments, orders, kyc, loans or trades")
	f := &Flow{
		Name: p.named("flow", in.Flow), Doc: in.Doc.text(), StartedBy: -1, source: p.source, line: in.Flow.line(),
		Stream:  Stream(p.one("stream", in.Stream, streams())),
		With:    With(p.one("other side", in.With, withs())),
		Channel: Channel(p.one("channel", in.Channel, channels())),
	}
	if w := in.Abroad; w.given() {
		n, ok := percent(w.text())
		if !ok || n > milliard || n%1000 != 0 {
			p.refuse(w.line(), "write how often it happens in another market: abroad: 5%", "%q is not a share", w.text())
		}
		f.Abroad = uint32(n / 1000)
	}
	p.begin(f)
	p.money(f)
	p.states = in.States.sorted()
	switch {
	case len(p.states) == 0:
		p.refuse(in.Flow.line(), "add states: {done: {doc: ..., emit: ..., end: true}}", "the flow has no states")
	case len(p.states) > MaxStates:
		p.refuse(p.states[MaxStates].name.line(), "split the flow: a state may start another flow",
			"%d states are more than %d", len(p.states), MaxStates)
	}
	if p.err != nil {
		return nil
	}
	for i, s := range p.states {
		p.numbers[p.named("state", s.name)] = i
	}
	f.States = make([]State, len(p.states))
	for i := range p.states {
		f.States[i] = p.state(&p.states[i], f)
	}
	return f
}

// begin reads how the flow begins by itself.
func (p *parser) begin(f *Flow) {
	w, every := p.file.Start.Share, p.file.Start.Every
	if when := p.file.Start.When; when.given() {
		p.one("reason to begin", when, []string{InsufficientFunds.String()})
		f.Start.When = InsufficientFunds
	}
	if every.given() {
		var ok bool
		text := every.text()
		if text == "payday" {
			text = "next payday"
		}
		if f.Start.Every, ok = parseDelay(text); !ok || f.Start.Every.Law != NextPayday && f.Start.Every.Law != MonthlyDay {
			p.refuse(every.line(), "write every: payday, monthly or monthly on day 5",
				"%q is not a day of the month", every.text())
		}
		if !w.given() {
			p.refuse(every.line(), "write the share of the customers: start: {share: 60%, every: payday}",
				"every needs a share")
		}
	}
	if !w.given() {
		return
	}
	n, ok := percent(w.text())
	if !ok || n == 0 || n%1000 != 0 || n > milliard {
		p.refuse(w.line(), "write start: {share: 40%}, above 0 % and at most 100 %", "%q is not a share", w.text())
	}
	f.Start.Share = uint32(n / 1000)
}

// money reads the laws of amount and fee.
func (p *parser) money(f *Flow) {
	var ok bool
	w := p.file.Amount
	if w.given() {
		if f.Amount, ok = parseAmount(w.text()); !ok {
			p.refuse(w.line(), amountHint, "%q is not a law of an amount", w.text())
		}
	}
	p.notMore(w, f.Amount.High)
	switch {
	case f.Amount.Law == OfMerchant && f.With != Shop && f.With != OnlineShop && f.With != Biller && f.With != CashMachine:
		p.refuse(w.line(), "say with which: with: shop", "there is no merchant whose amounts are meant")
	case f.Amount.Law == OfParent && (f.Start.Share > 0 || f.Start.When != 0):
		p.refuse(w.line(), "take the start away, or give an amount of its own: "+amountHint,
			"a flow that begins by itself has no parent whose amount is meant")
	case f.Amount.Law == NoAmount && f.Abroad > 0:
		p.refuse(p.file.Abroad.line(), amountHint, "there is no amount that could be in another currency")
	}
	if w := p.file.Fee; w.given() {
		if f.Fee, ok = parseFee(w.text()); !ok {
			p.refuse(w.line(), "write fee: 1.2%, 0.30 EUR or 1.2% + 0.30 EUR; at most 50% and 100 EUR",
				"%q is not a fee", w.text())
		}
	}
}

// notMore refuses a part that is more than the whole.
func (p *parser) notMore(w word, high uint32) {
	if high > 1_000_000 {
		p.refuse(w.line(), "nobody gets back more than was paid: write at most 100%",
			"%q is more than the amount that it is a part of", w.text())
	}
}

// state compiles one state.
func (p *parser) state(in *fileState, f *Flow) State {
	s := State{
		Name: in.name.text(), Doc: in.Doc.text(), Channel: f.Channel, Release: in.Release, Hold: in.Hold, End: in.End,
		Tell: Outcome(p.one("outcome", in.Tells, outcomes())), Starts: -1, starts: in.Starts.text(), line: in.name.line(),
	}
	if s.Doc == "" {
		p.refuse(s.line, "say in a sentence what it means: doc: The bank of the customer says yes.",
			"state %q has no doc", s.Name)
	}
	if in.Channel.given() {
		s.Channel = Channel(p.one("channel", in.Channel, channels()))
	}
	if in.Starts.given() {
		p.named("flow", in.Starts)
	}
	if w := in.Amount; w.given() {
		var ok bool
		if s.Low, s.High, ok = parsePart(w.text()); !ok {
			p.refuse(w.line(), "write a part of the amount so far: amount: 20%..100%",
				"%q is not a part of the amount", w.text())
		}
		p.notMore(w, s.High)
	}
	p.event(in, &s, f)
	for _, pair := range in.Post.sorted() {
		s.Posts = append(s.Posts, p.posting(pair[0].key, pair[0].value, f))
	}
	if len(s.Posts) > MaxPosts {
		p.refuse(s.line, "spread them over several states", "%d postings are more than %d", len(s.Posts), MaxPosts)
	}
	if f.Amount.Law == NoAmount && (len(s.Posts) > 0 || s.Hold || s.Release || s.High > 0) {
		p.refuse(s.line, amountHint, "state %q moves money, but the flow has no amount", s.Name)
	}
	p.ways(in, &s)
	return s
}

// event compiles what a state emits.
func (p *parser) event(in *fileState, s *State, f *Flow) {
	kinds := Kinds(f.Stream)
	names := make([]string, len(kinds)+1)
	for i, k := range kinds {
		names[i+1] = k.String()
	}
	if n := p.one("event of the stream "+f.Stream.String(), in.Emit, names); n > 0 {
		s.Emit = kinds[n-1]
	}
	s.Status = Status(p.one("status", in.Status, statuses()))
	switch {
	case s.Emit == NoEvent && (in.Status.given() || in.Channel.given() || len(in.Codes) > 0):
		p.refuse(s.line, "add emit: and an event, or take the status, channel and codes away",
			"state %q says how its event looks, but emits none", s.Name)
	case s.Emit != NoEvent && s.Status == 0:
		p.refuse(in.Emit.line(), "write status: approved, declined, settled, ...", "state %q has no status", s.Name)
	}
	p.codes(in.Codes, s)
}

// codes compiles the reasons of an event, and how often each is the one.
func (p *parser) codes(in fileWords, s *State) {
	var weights []uint64
	for _, pair := range in.sorted() {
		code, w := pair[0].key, pair[0].value
		n, ok := decimal(w.text(), 6, 0)
		if !ok || n == 0 {
			p.refuse(code.line(), `write codes: {"51": 60, "05": 40}`, "%q is not the weight of a code", w.text())
		}
		if t := code.text(); t == "" || len(t) > 8 || strings.Trim(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") != "" {
			p.refuse(code.line(), "write up to 8 capital letters, digits and points", "%q is not a code", t)
		}
		s.Codes = append(s.Codes, code.text())
		weights = append(weights, uint64(n))
	}
	if len(s.Codes) > MaxCodes {
		p.refuse(s.line, "keep the most frequent ones", "%d codes are more than %d", len(s.Codes), MaxCodes)
	}
	if len(weights) > 0 && p.err == nil {
		s.Why = generators.NewAlias(weights...)
	}
}

// posting compiles "customer -> merchant: amount".
func (p *parser) posting(move, what word, f *Flow) Posting {
	from, to, ok := strings.Cut(move.text(), " -> ")
	if !ok {
		p.refuse(move.line(), "write post: {customer -> merchant: amount}", "%q is not a posting", move.text())
	}
	role := func(text string) Role {
		w := word{{strings.TrimSpace(text), move.line(), 0}}
		r := Role(p.one("role", w, roles()))
		p.somebody(w, r, f)
		return r
	}
	out := Posting{From: role(from), To: role(to), Fee: what.text() == "fee"}
	switch {
	case out.From == out.To:
		p.refuse(move.line(), "name two different roles", "a posting from %s to %s moves nothing", out.From, out.To)
	case what.text() != "fee" && what.text() != "amount":
		p.refuse(move.line(), "write amount or fee", "%q cannot be posted", what.text())
	case out.Fee && f.Fee == Fee{}:
		p.refuse(move.line(), "say how much: fee: 1.2% + 0.30 EUR", "the flow has no fee")
	}
	return out
}

// somebody refuses a role that nobody plays.
func (p *parser) somebody(w word, r Role, f *Flow) {
	needs := r.with()
	names := make([]string, len(needs))
	for i, with := range needs {
		if with == f.With {
			return
		}
		names[i] = with.String()
	}
	if needs != nil {
		p.refuse(w.line(), "write with: "+strings.Join(names, ", or with: "), "nobody is the %s in a flow with %s", r, f.With)
	}
}

// ways compiles the ways out of a state.
func (p *parser) ways(in *fileState, s *State) {
	if len(in.Next) > MaxNext {
		p.refuse(s.line, "put a state between", "%d ways out are more than %d", len(in.Next), MaxNext)
		return
	}
	sum := int64(0) // of the shares that are given
	for i := range in.Next {
		t := p.way(&in.Next[i], s)
		if w := in.Next[i].P; w.given() {
			n, ok := percent(w.text())
			if !ok || n == 0 {
				p.refuse(w.line(), "write p: 2.5%, above 0 %; leave it out for all the rest", "%q is not a probability", w.text())
			}
			if sum+n > milliard {
				p.refuse(w.line(), "make them 100 % together, or leave the last one out: it takes the rest",
					"the probabilities of state %q are above 100 %%", s.Name)
				return
			}
			// The difference of sums, so that what is 100 % together is All.
			t.Share = shareOf(sum+n) - shareOf(sum)
			sum += n
		}
		s.Asks |= t.When
		s.Next = append(s.Next, t)
	}
}

// way compiles one way out, but for its share.
func (p *parser) way(in *fileNext, s *State) Transition {
	t := Transition{Share: All, line: in.To.line()}
	if !in.To.given() {
		p.refuse(s.line, "write next: [{to: settled}]",
			"a way out of state %q leads nowhere: key %q is missing", s.Name, "to")
	}
	to, ok := p.numbers[in.To.text()]
	if !ok {
		names := make([]string, len(p.states))
		for i := range p.states {
			names[i] = p.states[i].name.text()
		}
		p.refuse(t.line, nearest(in.To.text(), names), "state %q leads to %q, which is no state", s.Name, in.To.text())
	}
	t.To = to
	if in.When.given() {
		t.When = 1 << p.one("fact", in.When, facts())
	}
	if w := in.After; w.given() {
		if t.After, ok = parseDelay(w.text()); !ok {
			p.refuse(w.line(), delayHint, "%q is not a delay", w.text())
		}
	}
	if in.Times < 0 || in.Times > MaxTimes {
		p.refuse(t.line, "write times: 1 to 255", "%d times is out of range", in.Times)
	}
	t.Times = uint8(in.Times)
	return t
}
