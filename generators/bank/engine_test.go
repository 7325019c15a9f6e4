package bank

import (
	"syscall"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
)

// grid is a clock of a constant rate.
type grid struct{ start, step int64 }

func (g grid) At(n uint64) int64 { return g.start + int64(n)*g.step }

const opening = 1_767_268_800_000_000 // 2026-01-01T12:00:00Z

// open opens a bank with the shipped flows.
func open(tb testing.TB, change func(*Config)) *Bank {
	tb.Helper()
	set, err := flow.Load()
	if err != nil {
		tb.Fatal(err)
	}
	c := Config{
		Seed: 1, Customers: 2000, Merchants: 300, Flows: set, Start: opening,
		Clocks: map[flow.Stream]Clock{flow.Payments: grid{opening, 2_000_000}},
	}
	if change != nil {
		change(&c)
	}
	b, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// The sum of every currency is nothing after each event, whatever happens: cards
// abroad, transfers across currencies, top-ups.
func TestBooksBalance(t *testing.T) {
	e := open(t, nil).tape.live
	l := &e.lanes[0]
	for n := range 60_000 {
		e.slot(l, e.foresee(l))
		l.block = l.block[:0]
		if n > 2000 && n%997 != 0 {
			continue
		}
		for currency, sum := range e.books.sums(e.world) {
			if sum != 0 {
				t.Fatalf("event %d: %d minor units of %s came from nowhere", n, sum, currency)
			}
		}
	}
	if e.books.posted < 20_000 || e.stuck > 0 {
		t.Errorf("only %d postings, %d slots without an event", e.books.posted, e.stuck)
	}
	e.books.accounts[7].booked++ // the control: a cent from nowhere
	wrong := 0
	for _, sum := range e.books.sums(e.world) {
		if sum != 0 {
			wrong++
		}
	}
	if wrong != 1 {
		t.Errorf("a cent from nowhere is seen in %d currencies", wrong)
	}
}

// Whoever asks for an event gets the same, forwards, backwards and across what
// was forgotten.
func TestReplayIsTheSame(t *testing.T) {
	t.Parallel()
	const events = 500_000
	e, tape := open(t, nil).tape.live, open(t, nil).tape
	tape.gap = 4
	all := make([]Event, 0, events)
	for len(all) < events {
		all = append(all, e.block().Events...)
	}
	check := func(n uint64) {
		t.Helper()
		if got := *tape.event(0, n); got != all[n] {
			t.Fatalf("event %d is %+v, want %+v", n, got, all[n])
		}
	}
	for n := uint64(0); n < events; n += 501 {
		check(n)
	}
	r := generators.Seed(1).Rand("where")
	for i := range uint64(25) {
		n := generators.Below(r.At(i), events-3000)
		for j := range uint64(3000) {
			check(n + j)
		}
	}
	if len(tape.kept) > keptEngines || len(tape.cache) > keptBlocks {
		t.Errorf("%d engines and %d blocks are kept", len(tape.kept), len(tape.cache))
	}
}

// cpu is the processor time that this process has used: on a machine with other
// work a truer measure than the time of day.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// settled is a bank after some days with three payments for each customer, of which
// one in 900 is a crime with a label: as much is under way as ever will be.
func settled(b *testing.B, customers int) *Bank {
	const eachDay, days = 3, 6
	bank := open(b, func(c *Config) {
		c.Customers, c.Merchants = customers, customers/10
		c.Clocks[flow.Payments] = grid{opening, dayLong / int64(eachDay*customers)}
		var err error
		if c.Crimes, err = fraud.Preset("aml-hi"); err != nil {
			b.Fatal(err)
		}
	})
	for made := 0; made < days*eachDay*customers; made += blockSize {
		bank.tape.live.more()
	}
	return bank
}

// more makes the next payments, and what follows from them.
func (e *engine) more() []Event {
	for {
		l := e.advance()
		made := l.block
		l.block = l.block[:0] // of the next ones; these are done with by then
		if l.index == 0 {
			return made
		}
	}
}

func BenchmarkEngine(b *testing.B) {
	for _, size := range []int{1000, 100_000, 1_000_000} {
		b.Run(time.Duration(size).String(), func(b *testing.B) {
			e := settled(b, size).tape.live
			b.ReportAllocs()
			n, before := 0, cpu()
			for b.Loop() {
				n += len(e.more())
			}
			b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(n), "cpu-ns/event")
			b.ReportMetric(float64(e.lanes[0].pending())/float64(size), "pending/customer")
		})
	}
}

// The sum of every currency is nothing after each block of events, however many:
// -benchtime 100000000x looks at a hundred million.
func BenchmarkConservation(b *testing.B) {
	e := open(b, func(c *Config) {
		c.Customers, c.Merchants = 100_000, 10_000
		c.Clocks[flow.Payments] = grid{opening, dayLong / 300_000}
	}).tape.live
	l := &e.lanes[0]
	for n := 0; n < b.N; n += blockSize {
		l.block = l.block[:0]
		e.advance()
		for currency, sum := range e.books.sums(e.world) {
			if sum != 0 {
				b.Fatalf("event %d: %d minor units of %s came from nowhere", l.next, sum, currency)
			}
		}
	}
	b.ReportMetric(float64(e.books.posted)/float64(l.next), "postings/event")
}

func BenchmarkRender(b *testing.B) {
	for _, format := range []string{encode.JSON, encode.Avro, encode.Protobuf} {
		for _, size := range []int{1000, 100_000, 1_000_000} {
			b.Run(format+time.Duration(size).String(), func(b *testing.B) {
				bank := settled(b, size)
				e := bank.tape.live
				schema := paymentSchema()
				s := &stream{bank: bank, schema: schema, fill: bank.fillPayment}
				enc, err := encode.New(format, schema, encode.Options{})
				if err != nil {
					b.Fatal(err)
				}
				ev, key := generators.NewEvent(schema), generators.NewKey(1)
				buf := make([]byte, 0, blockSize*600)
				n, bytes, before := 0, 0, cpu()
				block := &Block{}
				made := &part{stream: s, blocks: []*Block{block}}
				b.ReportAllocs()
				for b.Loop() {
					block.Events = e.more()
					block.First = e.lanes[0].next - blockSize
					buf = buf[:0]
					for i := range block.Events {
						seq := block.First + uint64(i)
						key.SealTo(&ev.ID, 0, seq)
						made.Fill(ev, seq, 0)
						buf = enc.Append(buf, ev)
					}
					n += blockSize
					bytes += len(buf)
				}
				b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(n), "cpu-ns/event")
				b.ReportMetric(float64(bytes)/float64(n), "B/event")
			})
		}
	}
}
