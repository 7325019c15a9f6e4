package loadtest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/scenarios"
)

// shipped is the plan of a shipped scenario with changes of its text, and the
// maker of its first stream.
func shipped(t *testing.T, name string, changes ...string) (*Plan, *maker) {
	t.Helper()
	text, err := scenarios.Files.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(changes...).Replace(string(text))
	if len(changes) > 0 && changed == string(text) {
		t.Fatalf("%s: %v change nothing", name, changes)
	}
	s, err := Parse(name+".yaml", []byte(changed))
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	p, err := NewSketch(s, Overrides{})
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	m, err := newMaker(&p.Streams[0], "shipped", time.UnixMicro(0))
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

// during counts the records of a stream that happen in a stretch of its world:
// the times are those in the records.
func during(t *testing.T, p *Plan, m *maker, from string, length time.Duration) int {
	t.Helper()
	begin, err := time.Parse("2006-01-02 15:04", from)
	if err != nil {
		t.Fatal(err)
	}
	st := &p.Streams[0]
	clock := calendar.Clock{Speed: p.Scenario.World.Speed, Event: p.Scenario.World.Start.UnixMicro()}
	wall := func(at time.Time) time.Duration {
		return time.Duration(clock.WallAt(at.UnixMicro())) * time.Microsecond
	}
	first, end := st.Schedule.Due(wall(begin)), st.Schedule.Due(wall(begin.Add(length)))
	at := st.Source.Schema().Index("event_time")
	for _, n := range []uint64{first, (first + end) / 2, end - 1} {
		m.make(n)
		happened := time.UnixMicro(m.ev.Values[at].Int)
		if happened.Before(begin.Add(-time.Second)) || happened.After(begin.Add(length+time.Second)) {
			t.Errorf("record %d happens at %v, not within %v of %v", n, happened, length, begin)
		}
	}
	return int(end - first)
}

// TestPaydayIsOne: the Wednesday on which people are paid has more events than
// the Tuesday, and an ordinary Wednesday has not.
func TestPaydayIsOne(t *testing.T) {
	const day = 24 * time.Hour
	ratio := func(changes ...string) float64 {
		p, m := shipped(t, "payday", changes...)
		return float64(during(t, p, m, "2026-03-25 00:00", day)) / float64(during(t, p, m, "2026-03-24 00:00", day))
	}
	if paid := ratio(); paid < 1.3 || paid > 1.6 { // 1.4 times what Wednesdays are to Tuesdays
		t.Errorf("the payday has %.2f times the events of the day before", paid)
	}
	if ordinary := ratio("payday: 1.4", "payday: 1"); ordinary < 0.95 || ordinary > 1.1 {
		t.Errorf("without a payday it is %.2f times", ordinary)
	}
}

// TestBlackFridayIsOne: the Friday is twice a Friday, and the rush of the
// evening eight times one.
func TestBlackFridayIsOne(t *testing.T) {
	rush := func(changes ...string) (friday, evening int) {
		p, m := shipped(t, "black-friday", changes...)
		// Seven in the evening in the middle of Europe, where most customers are.
		return during(t, p, m, "2026-11-27 00:00", 24*time.Hour), during(t, p, m, "2026-11-27 17:30", time.Hour)
	}
	friday, evening := rush()
	plainly, quiet := rush("x: 2,", "x: 1,", "x: 4,", "x: 1,")
	if f := float64(friday) / float64(plainly); f < 2 || f > 4 {
		t.Errorf("the Friday has %.2f times the events of one", f)
	}
	if f := float64(evening) / float64(quiet); f < 4 || f > 8.5 {
		t.Errorf("the evening has %.2f times the events of one", f)
	}
}

// TestSchemaChangeIsOne: the new field is in each record from the one that was
// named on, and in none before; readers of the old schema take all of them.
func TestSchemaChangeIsOne(t *testing.T) {
	p, m := shipped(t, "schema-change")
	st := &p.Streams[0]
	old, err := encode.NewDecoder(st.Format, st.Source.Schema())
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := newVerifier(st, "shipped", time.UnixMicro(0), st.Schedule.Count())
	if err != nil {
		t.Fatal(err)
	}
	row, given := generators.NewEvent(st.Source.Schema()), 0
	for n := range st.Schedule.Count() {
		key, value := m.make(n)
		has := bytes.Contains(value, []byte(`"wallet_id":`))
		if bytes.Contains(value, []byte(`"wallet_id":"`)) {
			given++
		}
		if has != (n >= 60_000) {
			t.Fatalf("record %d: the new field is there: %v", n, has)
		}
		if n%97 != 0 {
			continue
		}
		if err := old.Decode(row, value); err != nil || !old.Intact(value) {
			t.Fatalf("record %d: %v", n, err)
		}
		want := verifier.Event(n)
		if want.ID != row.ID || string(key) != row.Values[st.KeyField].Str {
			t.Fatalf("record %d is another", n)
		}
		for i := range row.Values[1:] {
			if row.Values[i+1] != want.Values[i+1] {
				t.Fatalf("record %d: %s is %+v, expected %+v", n, st.Source.Schema().Fields[i+1].Name, row.Values[i+1], want.Values[i+1])
			}
		}
	}
	if given < 40_000 || given > 50_000 {
		t.Errorf("%d records have a wallet", given)
	}
}

// TestCardsWeekIsOne: nights and days, the rush of Friday evening, a weekend,
// crime, faults of each class, and the new field in the second half.
func TestCardsWeekIsOne(t *testing.T) {
	p, m := shipped(t, "cards-week")
	if night, noon := during(t, p, m, "2026-01-20 02:00", time.Hour), during(t, p, m, "2026-01-20 11:00", time.Hour); noon < 5*night {
		t.Errorf("%d at night, %d at noon", night, noon)
	}
	before, rush := during(t, p, m, "2026-01-23 16:45", 10*time.Minute), during(t, p, m, "2026-01-23 17:00", 10*time.Minute)
	if rush < 3*before {
		t.Errorf("%d before the rush of Friday, %d in it", before, rush)
	}
	if got := p.Warnings(); len(got) > 0 {
		t.Errorf("warnings: %v", got)
	}
	st := &p.Streams[0]
	classes := map[delivery.Class]int{}
	for w := st.faults.NewWalker(); ; {
		s, ok := w.Next()
		if !ok {
			break
		}
		classes[st.faults.class(s)]++
		if at := st.Schedule.At(s.TruthSlot); (s.Version > 1) != (at >= 7*time.Minute) {
			t.Fatalf("version %d at %v", s.Version, at)
		}
	}
	for _, c := range []delivery.Class{delivery.OnTime, delivery.Late, delivery.Duplicate, delivery.Evolved, delivery.Truncated} {
		if classes[c] == 0 {
			t.Errorf("no record is %s", c)
		}
	}
}

// TestMerchantInTrouble: some merchants have chargebacks above 1.5 % of what is
// settled, and without the preset none has.
func TestMerchantInTrouble(t *testing.T) {
	const scenario = `
scenario: trouble
duration: 2m
rate: 3000/s
world: {customers: 1000, merchants: 250, start: 2026-01-05T00:00:00Z, speed: x86400, fraud: {preset: merchant-in-trouble}}
streams: {payments: {source: bank.payments, key: account_id}}
`
	above := func(text string) (merchants, bad int) {
		s, err := Parse("trouble.yaml", []byte(text))
		if err != nil {
			t.Fatal(err, fail.HintOf(err))
		}
		p, err := NewSketch(s, Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := newMaker(&p.Streams[0], "trouble", time.UnixMicro(0))
		if err != nil {
			t.Fatal(err)
		}
		schema := p.Streams[0].Source.Schema()
		kind, merchant := schema.Index("event_type"), schema.Index("counterparty_id")
		settled, disputed := map[string]int{}, map[string]int{}
		for n := range p.Streams[0].Schedule.Count() {
			m.make(n)
			switch v := m.ev.Values; v[kind].Str {
			case "card_settlement":
				settled[v[merchant].Str]++
			case "chargeback":
				disputed[v[merchant].Str]++
			}
		}
		for who, n := range settled {
			if n < 400 {
				continue
			}
			merchants++
			if disputed[who]*1000 > n*15 {
				bad++
			}
		}
		return merchants, bad
	}
	merchants, bad := above(scenario)
	if merchants < 50 || bad == 0 || bad > merchants/10 {
		t.Errorf("%d of %d merchants are above 1.5 %%", bad, merchants)
	}
	if merchants, bad := above(strings.Replace(scenario, "merchant-in-trouble", "eea-2023", 1)); bad > 0 {
		t.Errorf("without the preset %d of %d", bad, merchants)
	}
}
