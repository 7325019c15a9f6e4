package bank

import (
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// What the streams cost that are there only when asked for: all clocks, with and
// without the ledger and the customers.
func BenchmarkEverything(b *testing.B) {
	for name, extra := range map[string]bool{"plain": false, "ledger": true} {
		b.Run(name, func(b *testing.B) {
			e := everything(b, func(c *Config) {
				c.Customers, c.Merchants = 100_000, 10_000
				c.Ledger, c.Changes = extra, extra
			}).tape.live
			advance := func() int {
				l := e.advance()
				n := 0
				if l.index == 0 {
					n = len(l.block)
				}
				l.block = l.block[:0]
				return n
			}
			for range 300 {
				advance()
			}
			b.ReportAllocs()
			n, before := 0, cpu()
			for b.Loop() {
				n += advance()
			}
			b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(n), "cpu-ns/payment")
		})
	}
}

func BenchmarkFill(b *testing.B) {
	bank := everything(b, nil)
	all := run(bank, 150_000)
	for i, name := range Streams() {
		b.Run(name, func(b *testing.B) {
			s, _ := Schema(name)
			ev, fill, n := generators.NewEvent(s), bank.fills()[i], 0
			b.ReportAllocs()
			for b.Loop() {
				fill(ev, &all[i][n%len(all[i])])
				n++
			}
		})
	}
}
