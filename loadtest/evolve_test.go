package loadtest

import (
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators/delivery"
)

// TestWhatSparkMakesOfVersions: the row that is expected of a record of a later
// version is as the library says: the same, with nulls, or another.
func TestWhatSparkMakesOfVersions(t *testing.T) {
	for change, want := range map[string][2]delivery.Outcome{ // in Spark, and in the strict engine of the lab
		`add: {wallet_id: string?}`:                                 {delivery.Intact, delivery.Intact},
		`remove: [card_token]`:                                      {delivery.Lost, delivery.Lost},
		`remove: [amount_minor], compatible: false`:                 {delivery.Lost, delivery.Refused},
		`rename: {amount_minor: cents}, compatible: false`:          {delivery.Lost, delivery.Refused},
		`retype: {currency_exponent: long}, compatible: false`:      {delivery.Intact, delivery.Intact},
		`retype: {event_time: string}, compatible: false`:           {delivery.Intact, delivery.Intact},
		`retype: {event_time: long}, compatible: false`:             {delivery.Altered, delivery.Refused},
		`retype: {channel: long}, compatible: false`:                {delivery.Altered, delivery.Refused},
		`retype: {amount_minor: string}, compatible: false`:         {delivery.Refused, delivery.Refused},
		`add: {wallet_id: string, score: long}, compatible: false`:  {delivery.Intact, delivery.Intact},
		`add: {a: int?, b: bool?, c: timestamp?}, compatible: true`: {delivery.Intact, delivery.Intact},
	} {
		text := strings.Replace(plain, "{table: bronze.payments}", "{key: account_id, table: bronze.payments, evolve: [{at: 10, "+change+"}]}", 1)
		s, err := Parse("evolve.yaml", []byte(text))
		if err != nil {
			t.Fatal(change, err)
		}
		p, err := NewSketch(s, Overrides{})
		if err != nil {
			t.Fatal(change, err)
		}
		st := &p.Streams[0]
		for i, embedded := range []bool{false, true} {
			st.faults.readBy(embedded)
			if got := st.faults.versions[0].outcome; got != want[i] {
				t.Errorf("%s: %s, want %s (embedded: %v)", change, got, want[i], embedded)
			}
		}
		m, err := newMaker(st, "evolve", time.UnixMicro(1_800_000_000_000_000))
		if err != nil {
			t.Fatal(err)
		}
		got := delivery.Intact
		for n := range uint64(200) {
			row := m.Event(n)
			if n < 10 && row != m.ev {
				t.Fatal("an early record is read as another version")
			}
			for i := 1; i < len(row.Values)-1; i++ {
				switch first := m.ev.Values[i]; {
				case row.Values[i] == first:
				case row.Values[i].Null:
					got = max(got, delivery.Lost)
				default:
					got = delivery.Altered
				}
			}
		}
		if want[0] != delivery.Refused && got != want[0] {
			t.Errorf("%s: rows are %s, want %s", change, got, want[0])
		}
	}
}
