package bank

import (
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/flow"
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
			for range 1200 {
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

// What comes after the simulation: identity, rendering and encoding of payments
// that are made already, in blocks of which each is rendered when others have passed.
func BenchmarkAfter(b *testing.B) {
	for _, size := range []int{1000, 100_000, 1_000_000} {
		bank := open(b, func(c *Config) {
			c.Customers, c.Merchants = size, size/10
			c.Clocks[flow.Payments] = grid{opening, 2000}
		})
		var blocks []*Block
		for range 100 {
			blocks = append(blocks, bank.tape.live.block())
		}
		blocks = blocks[50:]
		s := &stream{bank: bank, schema: paymentSchema(), fill: bank.fillPayment}
		for _, format := range []string{encode.JSON, encode.Avro, encode.Protobuf} {
			b.Run(format+time.Duration(size).String(), func(b *testing.B) {
				enc, err := encode.New(format, s.schema, encode.Options{})
				if err != nil {
					b.Fatal(err)
				}
				ev, key := generators.NewEvent(s.schema), generators.NewKey(1)
				buf := make([]byte, 0, blockSize*600)
				n, before := 0, cpu()
				b.ReportAllocs()
				for b.Loop() {
					block := blocks[n/blockSize%len(blocks)]
					made := part{stream: s, blocks: []*Block{block}}
					buf = buf[:0]
					for i := range block.Events {
						seq := block.First + uint64(i)
						key.SealTo(&ev.ID, 0, seq)
						made.Fill(ev, seq, 0)
						buf = enc.Append(buf, ev)
					}
					n += blockSize
				}
				b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(n), "cpu-ns/event")
			})
		}
	}
}
