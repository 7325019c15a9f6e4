package fintech

import (
	"fmt"
	"math/rand/v2"

	"github.com/brianvoe/gofakeit/v7"

	"github.com/lakeproof/lakeproof/generators"
)

// The size of the world.
const (
	accounts  = 10_000
	merchants = 2_000
)

// tokenLen is the length of what stands for a card or a device: even if it is
// all digits by chance, it is too short for a card number (ISO 7812: 12 to 19).
const tokenLen = 11

// world is the bank: made from a seed, never changed afterwards, and shared by
// all goroutines.
type world struct {
	accounts []account
	busy     generators.Alias // how active each account is
	markets  []place
	abroad   generators.Alias // where people go when they are not at home
	amounts  *generators.LogNormal
	ips      []string
	codes    string // random letters and digits; any six neighbours are a code
}

type account struct {
	id, customer, card string
	devices            [2]string
	market             int32
}

type merchant struct {
	id, name, city string
	terminals      [2]string
	trade          *Trade
	shelf          uint64 // place of its trade's first article in the orders' list
	median         int64  // of an amount, minor units of the market's currency
	spread         generators.Spread
}

// place is a market with the merchants in it.
type place struct {
	Market
	shops, billers, machines guild
	transfer                 int64 // median of a transfer, minor units
	shipping, freeShipping   int64 // price of a delivery, and the order from which it is free, minor units
}

// guild is a group of merchants of one market. Customers prefer them by Zipf's
// law: the second sees half as many as the first, the third a third.
type guild struct {
	merchants []merchant
	popular   generators.Alias
}

func (g *guild) pick(random uint64) *merchant { return &g.merchants[g.popular.Pick(random)] }

func newWorld(seed generators.Seed) *world {
	w := &world{amounts: generators.NewLogNormal()}
	shares := []uint64{}
	made := uint64(0) // merchants so far
	for _, m := range Markets() {
		p := place{Market: m, transfer: m.Price(15_000), shipping: m.Price(490), freeShipping: m.Price(5_000)}
		part := func(trades []Trade, perMille uint64) guild {
			n := max(2, merchants*m.Share*perMille/1_000_000)
			g := newGuild(seed, &p.Market, trades, made, n)
			made += n
			return g
		}
		p.shops, p.billers, p.machines = part(Shops(), 870), part(Billers(), 70), part(Machines(), 60)
		w.markets, shares = append(w.markets, p), append(shares, m.Share)
	}
	w.abroad = generators.NewAlias(shares...)
	w.addAccounts(seed)
	for _, net := range []string{"192.0.2.", "198.51.100.", "203.0.113."} { // RFC 5737
		for host := 1; host < 255; host++ {
			w.ips = append(w.ips, fmt.Sprint(net, host))
		}
	}
	w.codes = tape(seed.Rand("world.auth_code"), 1<<14)
	return w
}

// newGuild makes n merchants; first counts those made before.
func newGuild(seed generators.Seed, m *Market, trades []Trade, first, n uint64) guild {
	var shares []uint64
	for _, t := range trades {
		shares = append(shares, t.Share)
	}
	mix := generators.NewAlias(shares...)
	g := guild{popular: generators.NewAlias(generators.Zipf(int(n))...)}
	kind, city, name := seed.Rand("merchant.trade"), seed.Rand("merchant.city"), seed.Rand("merchant.name")
	for i := first; i < first+n; i++ {
		nth := mix.Pick(kind.At(i))
		t := &trades[nth]
		owner := gofakeit.NewFaker(rand.NewPCG(name.At(i), i), false).LastName()
		median := m.Price(t.Median)
		// Shops of one trade differ: half to one and a half times its median.
		median += median * (int64(generators.Below(seed.Rand("merchant.median").At(i), 1000)) - 500) / 1000
		g.merchants = append(g.merchants, merchant{
			id:        number("mrc-", seed, i),
			name:      owner + " " + t.Word,
			city:      m.Cities[generators.Below(city.At(i), uint64(len(m.Cities)))],
			terminals: [2]string{number("T", seed, 2*i), number("T", seed, 2*i+1)},
			trade:     t,
			shelf:     uint64(nth) * articles,
			median:    max(1, median),
			spread:    generators.Sigma(t.Sigma),
		})
	}
	return g
}

// addAccounts opens the accounts. Three of four customers have one, the others
// share the rest.
func (w *world) addAccounts(seed generators.Seed) {
	card, device := seed.Rand("account.card"), seed.Rand("account.device")
	home, busy := seed.Rand("account.market"), seed.Rand("account.activity")
	activity := make([]uint64, accounts)
	for i := range uint64(accounts) {
		owner := i
		if i%4 == 3 {
			owner = i - 1 // the second account of the one before
		}
		w.accounts = append(w.accounts, account{
			id:       number("acc-", seed, i),
			customer: number("cus-", seed, owner),
			card:     "tok_" + tape(card.Entity(i), tokenLen),
			devices:  [2]string{"dev-" + tape(device.Entity(2*i), tokenLen), "dev-" + tape(device.Entity(2*i+1), tokenLen)},
			market:   int32(w.abroad.Pick(home.At(owner))),
		})
		activity[i] = uint64(w.amounts.Draw(busy.At(i), 1000, generators.Sigma(900)))
	}
	w.busy = generators.NewAlias(activity...)
}

// number returns a prefix and eight digits. Different i below 10^8 give
// different numbers: a factor that ends in 7 has none in common with 10^8.
func number(prefix string, seed generators.Seed, i uint64) string {
	const size = 100_000_000
	r := seed.Rand("number." + prefix)
	factor := generators.Below(r.At(0), size/10)*10 + 7
	return fmt.Sprintf("%s%08d", prefix, (i*factor+r.At(1)%size)%size)
}

// tape returns n random letters and digits, without those that look alike.
func tape(r generators.Rand, n int) string {
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	out := make([]byte, n)
	for i := range out {
		out[i] = letters[r.At(uint64(i))%uint64(len(letters))]
	}
	return string(out)
}
