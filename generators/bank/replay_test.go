package bank

import (
	"testing"

	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
)

// short is a clock that stands still after its last event.
type short struct {
	grid
	count uint64
}

func (s short) At(n uint64) int64 { return s.grid.At(min(n, s.count)) }

// A stream of some few events beside one of many gets its events, though no
// block of its own is ever full before the clocks stand still.
func TestClocksThatEnd(t *testing.T) {
	b := open(t, func(c *Config) {
		c.Clocks = map[flow.Stream]Clock{
			flow.Payments: short{grid{opening, 2_000_000}, 10_000},
			flow.Orders:   short{grid{opening, 200_000_000}, 100},
		}
	})
	for n := range uint64(100) {
		if e := b.Event("orders", n); e.State == noState || e.At != opening+int64(n)*200_000_000 {
			t.Fatalf("order event %d: %+v", n, e)
		}
	}
}

// It does not matter where a clock ends: the events before are the same.
func TestEventsBeforeTheEnd(t *testing.T) {
	t.Parallel()
	crimes, err := fraud.Preset("aml-hi")
	if err != nil {
		t.Fatal(err)
	}
	all := run(open(t, func(c *Config) { c.Crimes = crimes }), 20_000)[flow.Payments]
	for _, count := range []uint64{1, 70, 1500, 4099, 12_345} {
		b := open(t, func(c *Config) {
			c.Clocks[flow.Payments], c.Crimes = short{grid{opening, 2_000_000}, count}, crimes
		})
		for n, e := range run(b, int(count))[flow.Payments][:count] {
			if e != all[n] {
				t.Fatalf("of %d events, %d is %+v, want %+v", count, n, e, all[n])
			}
		}
	}
}
