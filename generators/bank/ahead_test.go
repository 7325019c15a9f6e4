package bank

import (
	"slices"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators/flow"
)

// Two of five things that customers begin are begun by somebody who began something
// a minute or so before; where time runs so fast that nobody is remembered, by
// others.
func TestPeopleGoOn(t *testing.T) {
	t.Parallel()
	const customers = 20_000
	gaps := func(step int64) (share float64, median time.Duration) {
		b := open(t, func(c *Config) {
			c.Customers, c.Merchants, c.Clocks[flow.Payments] = customers, 2000, grid{opening, step}
		})
		last, began := make([]int64, customers), 0
		var soon []int64 // within the time in which a twentieth of the customers act
		for n, e := range run(b, 100_000)[0] {
			if e.Flow != uint64(n) {
				continue
			}
			began++
			if before := last[e.Account]; before > 0 && e.At-before < step*customers/20 {
				soon = append(soon, e.At-before)
			}
			last[e.Account] = e.At
		}
		slices.Sort(soon)
		return float64(len(soon)) / float64(began), time.Duration(soon[len(soon)/2]) * time.Microsecond
	}
	share, median := gaps(dayLong / 3 / customers)
	t.Logf("%.3f of what is begun is begun by somebody who goes on, %v later", share, median)
	if share < 0.35 || share > 0.55 || median < time.Minute || median > 90*time.Second {
		t.Errorf("%.3f of what is begun is begun by somebody who goes on, %v later", share, median)
	}
	if share, _ := gaps(10); share > 0.2 { // the control
		t.Errorf("where nobody is remembered, %.3f is begun by somebody who goes on", share)
	}
}

// What somebody would have begun in a slot that is taken by something else begins
// later: but for one of a hundred, whom an account pays is chosen for payments that
// there are. Else a tenth would be lost, and with them an account's habits.
func TestWhatIsBegunBegins(t *testing.T) {
	t.Parallel()
	b := open(t, func(c *Config) { c.Clocks[flow.Payments] = grid{opening, 10_000_000} })
	began := 0
	for n, e := range run(b, 200_000)[flow.Payments] {
		f := b.m.flows[b.m.states[e.State].Flow]
		if e.Flow == uint64(n) && f.With == flow.AnAccount && !f.Start.Monthly() {
			began++
		}
	}
	chosen := 0
	for _, a := range b.tape.live.books.accounts {
		chosen += int(a.paid)
	}
	if chosen < began || chosen-began > began/100 || began < 10_000 {
		t.Errorf("%d payees were chosen for %d payments to accounts", chosen, began)
	}
}
