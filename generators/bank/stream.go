package bank

import (
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// schemas are the schemas of the streams, in the order of [Streams].
func schemas() [lanes]func() *generators.Schema {
	return [lanes]func() *generators.Schema{
		paymentSchema, orderSchema, kycSchema, loanSchema, tradeSchema, labelSchema, ledgerSchema, customerSchema,
	}
}

// fills are what writes the records of the streams, in the order of [Streams].
func (r *renderer) fills() [lanes]func(*generators.Event, *Event) {
	return [lanes]func(*generators.Event, *Event){
		r.fillPayment, r.fillOrder, r.fillKYC, r.fillLoan, r.fillTrade, r.fillLabel, r.fillEntry, r.fillCustomer,
	}
}

// Schema returns the schema of a stream of the bank.
func Schema(name string) (*generators.Schema, error) {
	i := slices.Index(Streams(), name)
	if i < 0 {
		return nil, fail.New(fail.Usage, "use one of "+strings.Join(Streams(), ", "),
			"choosing a stream of the bank: there is no %q", name)
	}
	return schemas()[i](), nil
}

// Paced returns the stream of flows of a name, and whether it is one: others
// follow from those.
func Paced(name string) (flow.Stream, bool) {
	i := slices.Index(Streams(), name)
	return flow.Stream(max(0, i)), i >= 0 && i < labels
}

// Stream returns a stream of the bank.
func (b *Bank) Stream(name string) (generators.Stream, error) {
	schema, err := Schema(name)
	if err != nil {
		return nil, err
	}
	i := slices.Index(Streams(), name)
	if !b.has[i] {
		return nil, fail.New(fail.Usage, "open the bank with it", "this bank has no stream %q", name)
	}
	return &stream{b, name, i, schema, b.fills()[i]}, nil
}

// stream is one stream of a bank as records.
type stream struct {
	bank   *Bank
	name   string
	lane   int
	schema *generators.Schema
	fill   func(*generators.Event, *Event)
}

// Name implements [generators.Stream].
func (s *stream) Name() string { return s.name }

// Schema implements [generators.Stream].
func (s *stream) Schema() *generators.Schema { return s.schema }

// Fill implements [generators.Stream]. When an event happens is the bank's
// business: the time that is given counts for nothing.
func (s *stream) Fill(ev *generators.Event, seq uint64, _ int64) {
	s.fill(ev, s.bank.tape.event(s.lane, seq))
}

// Range implements [generators.Ranger].
func (s *stream) Range(first uint64, count int) generators.Stream {
	part := &part{stream: s}
	for n, end := first, first+uint64(count); n < end; {
		b := s.bank.tape.blockOf(s.lane, n)
		part.blocks = append(part.blocks, b)
		n = b.First + uint64(len(b.Events))
	}
	return part
}

// part is a part of a stream, whose events are made.
type part struct {
	*stream
	blocks  []*Block
	events  []Event // of the block that is read
	first   uint64  // number of the first of them
	touched byte
}

// ahead is how many events' rows are fetched together; some tens of misses are
// under way at a time at most.
const ahead = 64

// Fill implements [generators.Stream].
func (p *part) Fill(ev *generators.Event, seq uint64, _ int64) { p.fill(ev, p.event(seq)) }

func (p *part) event(seq uint64) *Event {
	i := seq - p.first
	if i >= uint64(len(p.events)) {
		i = p.turn(seq)
	}
	if i%ahead == 0 && p.lane < labels {
		p.touched += p.bank.touch(p.events[i:min(i+ahead, uint64(len(p.events)))])
	}
	return &p.events[i]
}

// turn goes on to the block that holds an event, and returns its place there.
func (p *part) turn(seq uint64) uint64 {
	for len(p.blocks) > 1 && !p.blocks[0].has(p.lane, seq) {
		p.blocks = p.blocks[1:]
	}
	p.events, p.first = p.blocks[0].Events, p.blocks[0].First
	return seq - p.first
}
