// Package fintech makes the records of a small bank: card and account payments
// and the orders that customers place. The bank's accounts and merchants are
// made once, when a stream is made; nothing about them is real.
//
// A value flows like this: [ByName] builds the world of a seed (well under
// 100 ms), and Fill picks an account, a kind of event, a merchant and an amount
// for a sequence number, each with random numbers of a purpose of its own, and
// stores strings of the world in the event. Nothing but the event's time
// depends on when it is sent.
//
// It keeps no balances and no memory of earlier events, and it holds no card
// numbers, no e-mail addresses and no routable network addresses.
package fintech

import (
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Kind is a stream that the package can make.
type Kind struct {
	Name string
	Doc  string
	New  func(generators.Seed) generators.Stream
}

// All returns the streams of the package.
func All() []Kind {
	return []Kind{
		{"payments", "card and account payments of a bank's customers", NewPayments},
		{"orders", "orders that the bank's customers place with merchants", NewOrders},
	}
}

// ByName makes the stream with that name.
func ByName(name string, seed generators.Seed) (generators.Stream, error) {
	var known []string
	for _, k := range All() {
		if k.Name == name {
			return k.New(seed), nil
		}
		known = append(known, k.Name)
	}
	names := strings.Join(known, ", ")
	return nil, fail.New(fail.Usage, "use one of "+names, "choosing stream %q: not one of %s", name, names)
}
