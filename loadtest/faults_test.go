package loadtest

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

const faulty = `
scenario: test
seed: 3
duration: 10s
rate: 2000/s
world: {customers: 500, start: 2026-01-06T00:00:00Z, speed: x720}
streams:
  payments:
    source: payments
    key: account_id
    table: bronze.payments
    faults: {late: {p: 3%, delay: "lognormal(300ms, 2)"}, duplicate: {p: 2%, delay: 1s}, drop: 1%, out_of_order: {p: 2%}, poison: {p: 300/minute, classes: [empty, tombstone, truncated]}}
`

func faultyPlan(t testing.TB, changes ...string) *Plan {
	t.Helper()
	s, err := Parse("faulty.yaml", []byte(strings.NewReplacer(changes...).Replace(faulty)))
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	p, err := NewPlan(s, config.Lab{Kafka: config.Kafka{Brokers: []string{"nowhere"}}, Catalog: config.Catalog{URI: "nowhere"}},
		Overrides{RunID: "faulty"})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	return p
}

func TestFaultsAreRead(t *testing.T) {
	st := faultyPlan(t).Streams[0]
	want := "drop=1% poison=300/minute format=json class=empty class=tombstone class=truncated late=3% delay=lognormal(300ms,2) " +
		"duplicate=2% delay=fixed(1s) out_of_order=2% within=50 max_held=1048576"
	if got := st.Faults.String(); got != want || st.DeadLetters != "bronze.payments_dead_letter" {
		t.Errorf("got  %s, %s\nwant %s", got, st.DeadLetters, want)
	}
}

func TestBadFaults(t *testing.T) {
	for change, want := range map[string]string{
		"late:=>lat:":     `unknown key "lat"|late`,
		"p: 3%=>p: often": `faulty.yaml:12: reading "often": not a share: write a share such as`,
		"p: 3%=>p: 130%":  "at most 100%",
		"p: 3%, =>":       "faults.late never happens|p: 0.1%",
		"{p: 2%, delay: 1s}=>{p: 2%, delay: long}":                          `reading delay "long"`,
		"lognormal(300ms=>lognormal(300s":                                   "most of them would never be sent|longer",
		"drop: 1%=>drop: 95%":                                               "more than 90%",
		"drop: 1%=>drop: {p: 1%}":                                           "unknown key",
		"out_of_order: {p: 2%}=>out_of_order: {p: 2%, within: 1}":           "within 1 slots",
		"empty, tomb=>emty, tomb":                                           `no class of poison is called "emty"|did you mean "empty"?`,
		"[empty=>[late, empty":                                              `no class of poison is called "late"`,
		"[empty=>[unknown_schema_id":                                        "unknown_schema_id is not surely rejected",
		"300/minute=>300/fortnight":                                         "not a rate",
		"300/minute=>99999999/minute":                                       "which has 20000 records",
		"table: bronze.payments\n=>dead_letters: a.b\n":                     "dead_letters",
		"table: bronze.payments\n=>table: a.b\n    dead_letters: letters\n": "write namespace.table",
		"bronze.payments\n=>bronze.payments\n    format: protobuf\n":        "not surely rejected",
	} {
		from, to, _ := strings.Cut(change, "=>")
		text := strings.Replace(faulty, from, to, 1)
		if text == faulty {
			t.Fatalf("%s changes nothing", change)
		}
		s, err := Parse("faulty.yaml", []byte(text))
		if err == nil {
			_, err = NewSketch(s, Overrides{})
		}
		want, hint, _ := strings.Cut(want, "|")
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error()+fail.HintOf(err), want) || !strings.Contains(fail.HintOf(err), hint) {
			t.Errorf("%s: got %v, hint %q, want %s", change, err, fail.HintOf(err), want)
		}
	}
}

// TestSenderAndVerifierAgree: what a verifier makes of any slot, in any order, is
// what the sender sent, for a source without a memory and for the bank.
func TestSenderAndVerifierAgree(t *testing.T) {
	for _, source := range []string{"payments", "bank.payments"} {
		p := faultyPlan(t, "source: payments", "source: "+source)
		st := &p.Streams[0]
		start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		sender, err := newMaker(st, p.RunID, start)
		if err != nil {
			t.Fatal(err)
		}
		const slots = 6000
		var values [slots][]byte
		var keys [slots]string
		classes := map[delivery.Class]int{}
		truth := map[string]uint64{} // by event_id
		for slot := range uint64(slots) {
			key, value := sender.make(slot)
			keys[slot] = string(key)
			if values[slot] = value; value != nil {
				values[slot] = bytes.Clone(append(make([]byte, 0, len(value)+1), value...))
			}
			s := sender.courier.now
			classes[s.Class]++
			if n, again := truth[sender.ev.ID.String()]; again && n != s.Truth || s.Slot != slot {
				t.Fatalf("%s: slot %d carries record %d as %d", source, slot, s.Truth, n)
			}
			truth[sender.ev.ID.String()] = s.Truth
		}
		if len(classes) < 7 || classes[delivery.Late] < 50 {
			t.Fatalf("%s: only %v", source, classes)
		}
		if n := len(sender.courier.kept); n > sender.courier.walk.Held() {
			t.Errorf("%s: the sender keeps %d records, %d are held", source, n, sender.courier.walk.Held())
		}
		verifier, err := newVerifier(st, p.RunID, start, slots)
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(slots) {
			slot := i * 4001 % slots
			key, value := verifier.make(slot)
			if string(key) != keys[slot] || !bytes.Equal(value, values[slot]) || (value == nil) != (values[slot] == nil) {
				t.Fatalf("%s: slot %d: %q, sent %q", source, slot, value, values[slot])
			}
			n, ok := verifier.Open(verifier.Event(slot).ID[:])
			if at, second, count := verifier.courier.tape.Slots(n); !ok || count == 0 || at != slot && second != slot {
				t.Fatalf("%s: slot %d carries record %d, which was sent in %d and %d", source, slot, n, at, second)
			}
			if !bytes.Equal(key, verifier.partitionKey()) || verifier.Partition(slot) != sinkPartition(keys[slot], st) {
				t.Fatalf("%s: slot %d: another partition", source, slot)
			}
		}
	}
}

// TestDrawn: a record of the bank happens in the slot in which it is drawn.
func TestDrawn(t *testing.T) {
	d := faultyPlan(t).Streams[0].faults
	clock := newDrawn(d.Plan)
	w := d.NewWalker()
	for w.Slot() < d.Slots() {
		s, _ := w.Next()
		if got := newOrOld(clock, s.Truth); got != d.At(s.TruthSlot) {
			t.Fatalf("record %d happens at %v, drawn at %v", s.Truth, got, d.At(s.TruthSlot))
		}
		for _, f := range w.Faults() {
			if got := clock.At(f.Truth); got != f.EventTime {
				t.Fatalf("record %d happens at %v, drawn at %v", f.Truth, got, f.EventTime)
			}
		}
	}
	if got := clock.At(w.Truth() + 100); got != d.At(d.Slots()) {
		t.Errorf("a record beyond the end happens at %v", got)
	}
	last := time.Duration(0)
	for n := range w.Truth() {
		if at := clock.At(n); at < last {
			t.Fatalf("record %d happens before record %d", n, n-1)
		} else {
			last = at
		}
	}
}

// newOrOld asks for an earlier record first, so that the order does not matter.
func newOrOld(d *drawn, truth uint64) time.Duration {
	d.At(truth / 2)
	return d.At(truth)
}

// TestFaultyRecordAllocatesNothing: faults cost no garbage either.
func TestFaultyRecordAllocatesNothing(t *testing.T) {
	p := faultyPlan(t, "rate: 2000/s", "rate: 200000/s")
	sr, err := newStreamRun(&p.Streams[0], p, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	r := &run{plan: p, start: sr.start, streams: []*streamRun{sr}}
	d, next := &silent{r}, uint64(0)
	send := func() {
		if err := sr.sendRange(context.Background(), d, &tracer{}, next, next+1000); err != nil {
			t.Fatal(err)
		}
		next += 1000
	}
	for range 300 {
		send()
	}
	if n := testing.AllocsPerRun(50, send); n > 4 {
		t.Errorf("%v allocations for 1,000 records", n)
	}
}

// silent acknowledges every record at once.
type silent struct{ r *run }

func (d *silent) Send(_ context.Context, rec *sink.Record) error {
	now := time.Now()
	(*bookkeeper)(d.r).Acked(rec.Stream, rec.Seq, sink.Times{Intended: rec.Intended, Sent: now, Acked: now})
	return nil
}

func (d *silent) Flush(context.Context) error { return nil }
func (d *silent) Close(context.Context) error { return nil }

func sinkPartition(key string, st *Stream) int32 { return sink.Partition([]byte(key), st.Partitions) }
