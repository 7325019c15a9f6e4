package loadtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/internal/ui"
)

// maxRate is what no clock of ours reaches: a record each 100 ns.
const maxRate = 10_000_000

// possible says what makes a plan impossible, with the arithmetic.
func (p *Plan) possible() error {
	s := &p.Scenario
	if peak := s.Schedule.Peak(); peak > maxRate {
		return s.places.locate(on(bad("lower the rate; a core makes about 2,000,000 records a second",
			"the rate goes up to %.6g/s, a record each %.2g ns: no clock reaches more than %s/s",
			peak, 1e9/peak, ui.Count(maxRate)), "rate"))
	}
	return s.places.locate(on(p.enoughPeople(), "world", "fraud"))
}

// enoughPeople refuses more crime than the customers of the world can commit.
func (p *Plan) enoughPeople() error {
	payments, w := p.payments(), &p.Scenario.World
	if payments == nil || w.Crimes == nil {
		return nil
	}
	var parts []string
	var sum uint64
	kinds := fraud.All()
	for i, ppm := range w.Crimes {
		steps, members := caseOf(&kinds[i])
		cases := float64(payments.Schedule.Count()) * ppm / 1e6 / (steps * eventsOfStep)
		if n := uint64(cases * members); n > 0 {
			sum += n
			parts = append(parts, fmt.Sprintf("%s %s cases of %.0f", kinds[i].Name, ui.Count(uint64(cases)), members))
		}
	}
	if sum <= uint64(w.Customers) {
		return nil
	}
	return bad(fmt.Sprintf("lower the shares, or raise world.customers to %d", sum),
		"fraud: in %s payments are at least %s: %s members, and there are %s customers",
		ui.Count(payments.Schedule.Count()), strings.Join(parts, ", "), ui.Count(sum), ui.Count(uint64(w.Customers)))
}

// payments is the stream of the bank's payments, or nil.
func (p *Plan) payments() *Stream {
	i := slices.IndexFunc(p.Streams, func(s Stream) bool { return s.StreamSpec.Source == bankPrefix+"payments" })
	if i < 0 {
		return nil
	}
	return &p.Streams[i]
}

// eventsOfStep is more than a step of a case has events on average: a card
// payment is authorised, cleared and settled, a transfer has fewer.
const eventsOfStep = 3

// caseOf is how many steps a case of a typology has, and how many members.
func caseOf(k *fraud.Kind) (steps, members float64) {
	const cases = 200
	draws, amounts := generators.Seed(1).Rand("loadtest.cases"), generators.NewLogNormal()
	var plan []fraud.Step
	for n := range uint64(cases) {
		plan = k.Plan(plan[:0], draws.Entity(n), anybody{}, amounts)
		who := map[uint32]bool{}
		for _, s := range plan {
			who[s.From] = true
			if s.Means == fraud.Transfer {
				who[s.To] = true
			}
		}
		steps, members = steps+float64(len(plan)), members+float64(len(who))
	}
	return steps / cases, members / cases
}

// anybody is a cast of a bank without end.
type anybody struct{}

// Account implements [fraud.Cast].
func (anybody) Account(random uint64) uint32 { return uint32(random >> 32) }

// Merchant implements [fraud.Cast].
func (anybody) Merchant(_ uint32, _ fraud.Means, _ bool, random uint64) uint32 {
	return uint32(random >> 32)
}

// What an ordinary customer does in a day, and how long a card payment takes.
const (
	fewEvents  = 1
	manyEvents = 50
	clearing   = 18 * time.Hour
)

// Warnings are what is possible and probably not meant, a sentence each.
func (p *Plan) Warnings() []string {
	payments, w := p.payments(), &p.Scenario.World
	if payments == nil {
		return nil
	}
	var out []string
	length := payments.Schedule.Duration().Seconds() * float64(w.Speed) / 1000 // of the world, seconds
	of := (time.Duration(length) * time.Second).String()
	each := float64(payments.Schedule.Count()) / float64(w.Customers) / (length / 86_400)
	if each < fewEvents || each > manyEvents {
		out = append(out, fmt.Sprintf(
			"%s payments of %s customers in %s of the world are %.3g events a day for each; %d to %d is usual",
			ui.Count(payments.Schedule.Count()), ui.Count(uint64(w.Customers)), of, each, fewEvents, manyEvents))
	}
	if length < clearing.Seconds() {
		out = append(out, fmt.Sprintf("the world lasts %s, and a card payment is cleared after some 18 hours: "+
			"there will be authorisations and little else (world.speed makes time go faster)", of))
	}
	return out
}
