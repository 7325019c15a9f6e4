// Package bank simulates a bank: customers with accounts, cards and devices,
// merchants, billers and employers, whose money is conserved to the minor unit.
//
// A value flows like this: a [Config] becomes a [Bank]. Its engine fills slots:
// event n of a stream happens at the n-th time of the stream's [Clock], and is
// something that a customer does (the next of what is under way, a step of a
// crime, or something new) or, by a chance that is the same at all times of a week,
// something that follows from that (a clearing, a refund, a salary). What may
// happen is declared in generators/flow; who commits a crime is planned in
// generators/fraud. The engine makes small [Event]s, millions a second in one
// goroutine; [Stream] turns them into records, in as many goroutines as there
// are. [Bank.Event] gives any event again: the bank remembers how it stood every
// so often and works again from there.
//
// Everything is a function of the configuration: no wall clock, no order of
// goroutines or maps. So the bytes are the same on any number of workers, and
// several machines can share a run by rendering different accounts each.
//
// It does not pace, send, delay or spoil: that is truth; delivery comes later.
package bank

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// AlgoVersion changes whenever the same configuration would give other events.
const AlgoVersion = 4

// Config is what a bank is made of.
type Config struct {
	Seed      generators.Seed
	Customers int
	Merchants int
	Flows     *flow.Set
	Start     int64 // when it opens, microseconds since the Unix epoch
	// Clocks say when the events of each stream happen; those without one have no
	// events, and their flows do not begin. Payments must have one.
	Clocks map[flow.Stream]Clock
	// Zones choose in which market somebody does something new; see [Zones]. Nil: in
	// all alike, whatever the hour there.
	Zones *calendar.Zones
	// Crimes are how many of a million payments belong to a typology, by
	// fraud.All; nil: none do.
	Crimes []float64
	// Trouble is how many of a million merchants are in trouble: their customers
	// dispute far more.
	Trouble int
	// Ledger and Changes say whether there are the streams ledger and customers,
	// which cost something.
	Ledger, Changes bool
}

// Bank is a bank. Its methods may be called from many goroutines.
type Bank struct {
	*renderer
	tape *tape
	has  [lanes]bool // which streams
}

// New opens a bank.
func New(c Config) (*Bank, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("opening the bank: %w", err)
	}
	w := newWorld(c.Seed, c.Customers, c.Merchants)
	m, err := newMachine(c.Flows)
	if err != nil {
		return nil, fmt.Errorf("opening the bank: %w", err)
	}
	e := &engine{
		world: w, m: m, books: newBooks(w),
		limit: max(minPending, pendingEach*c.Customers), zones: c.Zones,
		closed: c.Seed.Rand("bank.closed"), employer: c.Seed.Rand("bank.employer"),
		habits: c.Seed.Rand("bank.habits"),
		start:  c.Start, deposits: c.Seed.Rand("bank.deposit"),
		trouble: newTrouble(&c),
	}
	if e.calendars, err = calendars(w, c.Start); err != nil {
		return nil, fmt.Errorf("opening the bank: %w", err)
	}
	e.endings = make([]endings, len(e.calendars))
	for s := range flow.Trades + 1 {
		e.lanes = append(e.lanes, newLane(c, s))
		if e.lanes[s].clock != nil {
			e.paced = append(e.paced, uint8(s))
		}
	}
	kinds := fraud.All()
	for i := labels; i < lanes; i++ {
		l := lane{name: Streams()[i], index: i}
		l.open(&c)
		e.lanes = append(e.lanes, l)
	}
	e.deposit()
	e.hire(c)
	e.crimes = newCrimes(&c, e, kinds)
	e.also(&c)
	b := &Bank{renderer: newRenderer(&c, w, m, kinds), tape: newTape(e)}
	for i := range b.has {
		b.has[i] = e.has(i)
	}
	return b, nil
}

// labels is the lane of the labels: the one after those of the flows' streams.
const labels = int(flow.Trades) + 1

// What may be pending at a time; above it, what is due later happens now.
const (
	minPending  = 1 << 19
	pendingEach = 8 // for each customer
)

// Zones are the time zones of the bank's markets, for a rate of arrivals.
func Zones() []calendar.Zone {
	var out []calendar.Zone
	for _, m := range fintech.Markets() {
		out = append(out, calendar.Zone{Name: m.Zone, Weight: float64(m.Share)})
	}
	return out
}

func (c *Config) check() error {
	bad := func(hint, format string, args ...any) error { return fail.New(fail.Usage, hint, format, args...) }
	switch {
	case c.Customers < minCustomers || c.Customers > MaxEntities:
		return bad(fmt.Sprintf("take %d to %d", minCustomers, MaxEntities), "%d customers", c.Customers)
	case c.Merchants < 0 || c.Merchants > MaxEntities:
		return bad(fmt.Sprintf("take at most %d", MaxEntities), "%d merchants", c.Merchants)
	case c.Clocks[flow.Payments] == nil:
		return bad("add the stream payments", "a bank without payments")
	case c.Trouble < 0 || c.Trouble > 1_000_000:
		return bad("a million is all of them", "%d of a million merchants in trouble", c.Trouble)
	case c.Crimes != nil && len(c.Crimes) != len(fraud.All()):
		return bad("one number for each", "%d rates for %d typologies", len(c.Crimes), len(fraud.All()))
	}
	var sum float64
	for i, rate := range c.Crimes {
		if rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
			return bad("a rate is a share of all payments", "rate %v of typology %s", rate, fraud.All()[i].Name)
		}
		sum += rate
	}
	if sum > maxCrimes {
		return bad("lower the rates", "%.0f of a million payments are crimes: more than %d", sum, maxCrimes)
	}
	return nil
}

const (
	minCustomers = 200     // so that each market has two at least
	maxCrimes    = 200_000 // ppm
	leastCrime   = 1e-12   // cases in a slot; below it there is none in a life
)

func newLane(c Config, s flow.Stream) lane {
	l := lane{name: s.String(), index: int(s), clock: c.Clocks[s], draws: newDraws(c.Seed, s.String())}
	var weights []uint64
	for i, f := range c.Flows.Flows {
		if f.Stream == s && f.Start.Share > 0 && !f.Start.Monthly() {
			l.starts, weights = append(l.starts, uint8(i)), append(weights, uint64(f.Start.Share))
		}
	}
	if len(weights) > 0 {
		l.begin = generators.NewAlias(weights...)
	} else {
		l.clock = nil
	}
	l.open(&c)
	return l
}

// open makes the queues of a lane.
func (l *lane) open(c *Config) {
	shift := tickBits(l.clock)
	l.acts, l.wheel = newWheel(c.Start, shift), newWheel(c.Start, shift)
	l.batch = newBatch(c.Start)
	if l.clock != nil {
		l.lately = newLately(c.Customers)
	}
}

// tickBits makes ticks in which some few events happen.
func tickBits(c Clock) uint {
	if c == nil {
		return 30
	}
	span := c.At(1<<14) - c.At(0)
	return uint(min(36, max(4, bits.Len64(uint64(span>>11)))))
}

// deposit opens the accounts: every customer has money from outside to begin with.
func (e *engine) deposit() {
	for i, home := range e.homes {
		e.books.accounts[i].closes = e.closes(uint32(i))
		who := parties{account: uint32(i), home: home, there: home, here: home}
		e.books.post(e.world, flow.Employer, flow.Customer, &who, e.first(uint32(i)))
	}
}

// first is what an account has to begin with.
func (e *engine) first(account uint32) int64 {
	m := &e.markets[e.homes[account]]
	return e.amounts.Draw(e.deposits.At(uint64(account)), max(1, m.Price(depositMedian)), generators.Sigma(1000))
}

const depositMedian = 250_000 // euro cents

// hire plans what comes each month: salaries, standing orders, bills.
func (e *engine) hire(c Config) {
	for i, f := range e.m.flows {
		l := &e.lanes[f.Stream]
		if !f.Start.Monthly() || l.clock == nil {
			continue
		}
		draw := c.Seed.Rand("bank.monthly." + f.Name)
		for account, home := range e.homes {
			random := draw.At(uint64(account))
			if generators.Chance(random, uint64(f.Start.Share)) {
				due := e.day(&f.Start.Every, home, c.Start) + int64(generators.Again(random)>>31)
				l.batch.push(&pending{due: due, account: uint32(account), state: toBegin, flow: uint8(i)})
			}
		}
	}
}

// newCrimes plans how often cases begin: as rarely as the events that they are
// made of, and that follow from those, want it.
func newCrimes(c *Config, e *engine, kinds []fraud.Kind) *crimes {
	out := &crimes{kinds: kinds, rand: c.Seed.Rand("bank.case"), delay: c.Seed.Rand("bank.label")}
	if c.Crimes == nil {
		return nil
	}
	length := e.m.lengths()
	weights := make([]uint64, len(kinds))
	var perSlot float64
	for i := range kinds {
		mean := out.meanEvents(e, i, length)
		perSlot += c.Crimes[i] / mean / 1e6
		weights[i] = uint64(c.Crimes[i] / mean * (1 << 20))
	}
	if perSlot < leastCrime {
		return nil
	}
	out.which = generators.NewAlias(weights...)
	out.none = generators.Ln(1 - perSlot)
	l := &e.lanes[flow.Payments]
	e.nextCase = out.gap(l.crime.At(1 << 62))
	out.before(e, l, perSlot)
	return out
}

// meanEvents is how many events a case of a typology has.
func (c *crimes) meanEvents(e *engine, kind int, length []float64) float64 {
	const cases = 500
	var sum float64
	for n := range uint64(cases) {
		c.steps = c.kinds[kind].Plan(c.steps[:0], c.rand.Entity(1<<50+n), cast{e}, e.amounts)
		for _, s := range c.steps {
			sum += length[e.m.means[s.Means]]
			c.longest = max(c.longest, s.After.Microseconds())
		}
	}
	return max(1, sum/cases)
}

// lengths is how many events each flow has on average, if the money suffices,
// without those of other months.
func (m *machine) lengths() []float64 {
	const runs = 2000
	out := make([]float64, len(m.flows))
	draw := generators.Seed(1).Rand("bank.lengths")
	for i, f := range m.flows {
		events := 0
		for run := range uint64(runs) {
			events += m.length(f, draw.Entity(run))
		}
		out[i] = float64(events) / runs
	}
	return out
}

// length is how many events a run of a flow has.
func (m *machine) length(f *flow.Flow, draw generators.Rand) (events int) {
	state, times := f.First, uint8(0)
	for hop := range uint64(200) {
		s := &m.states[state]
		if s.Emit != flow.NoEvent {
			events++
		}
		t := s.Leave(0, times, draw.At(hop))
		if t == nil || t.After.Law == flow.MonthlyDay {
			break
		}
		state = t.To
		if t.Times > 0 {
			times++
		}
	}
	return events
}

// Streams returns the names of the streams that the bank can have.
func Streams() []string {
	out := make([]string, 0, lanes)
	for s := range flow.Trades + 1 {
		out = append(out, s.String())
	}
	return append(out, "labels", ledgerName, customersName)
}

// Event returns event n of a stream. The bank works up to it where it has not
// been yet; so it must be one that there will be.
func (b *Bank) Event(stream string, n uint64) *Event {
	return b.tape.event(slices.Index(Streams(), stream), n)
}

// Sums are the sums over all accounts by currency, as far as the bank has
// worked. Each is zero.
func (b *Bank) Sums() map[string]int64 {
	b.tape.mu.Lock()
	defer b.tape.mu.Unlock()
	return b.tape.live.books.sums(b.world)
}

// Late is how late the batch of the payments was at the end of each hour, as far
// as the bank has worked.
func (b *Bank) Late() []time.Duration {
	b.tape.mu.Lock()
	defer b.tape.mu.Unlock()
	late := b.tape.live.lanes[flow.Payments].batch.late
	out := make([]time.Duration, len(late))
	for i, minutes := range late {
		out[i] = time.Duration(minutes) * time.Minute
	}
	return out
}
