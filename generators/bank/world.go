package bank

import (
	"math/rand/v2"
	"unicode/utf8"

	"github.com/brianvoe/gofakeit/v7"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/fintech"
)

// world is who is there: customers with an account, a card and a device each,
// merchants, and where they are. It is a pure function of its seed and size,
// never changes, and is shared by all goroutines.
//
// What an event needs of a customer or a merchant as text lies in one cache line
// of one long string, so that rendering an event costs one miss for each.
type world struct {
	markets   []place
	homes     []uint8          // market of each account
	crowd     generators.Alias // the markets, by how many accounts they have
	accounts  string           // rows of rowSize
	merchants string           // rows of rowSize
	shops     []shop
	amounts   *generators.LogNormal
	busy      *busyness // of the customers of a market
	strangers string    // devices of nobody's, rows of tokenSize
}

// place is a market with who is in it.
type place struct {
	fintech.Market
	first, last uint32 // its accounts: first to last-1
	payers      *law   // of ranks
	payees      *law
	scatter     uint64 // of their ranks over accounts
	mingle      uint64 // of how busy its people are over accounts
	guilds      [guilds]guild
}

// guild is a group of merchants of a market; the first is the most popular.
type guild struct {
	first   uint32
	popular generators.Alias
}

// The guilds.
const (
	inShops = iota
	online
	billers
	machines
	employers
	guilds
)

// shop is what the simulation needs of a merchant.
type shop struct {
	median int64 // of an amount, minor units of the market's currency
	spread generators.Spread
	trade  uint8
	market uint8
}

// The parts of a row. Even if all characters of a token are digits by chance,
// it is too short for a card number (ISO 7812: 12 to 19).
const (
	rowSize    = 64
	numberSize = 12 // acc-, cus- or mrc- and eight digits
	tokenSize  = 15 // tok_ or dev- and eleven characters

	customerAt = numberSize
	cardAt     = customerAt + numberSize
	deviceAt   = cardAt + tokenSize

	mccAt      = numberSize
	countryAt  = mccAt + 4
	terminalAt = countryAt + 2
	nameAt     = terminalAt + 9 // a byte of length before it
	maxName    = rowSize - nameAt - 1
)

// strangers is how many devices there are that belong to no customer.
const strangers = 4096

func newWorld(seed generators.Seed, customers, merchants int) *world {
	w := &world{amounts: generators.NewLogNormal()}
	w.busy = newBusyness(w.amounts)
	texts := newTexts(seed)
	markets := fintech.Markets()
	texts.markets = markets
	w.homes = make([]uint8, 0, customers)
	accounts, rows := make([]byte, 0, customers*rowSize), make([]byte, 0, merchants*rowSize)
	var share uint64
	for i := range markets {
		m := &markets[i]
		share += m.Share
		p := place{Market: *m, first: uint32(len(w.homes)), last: uint32(uint64(customers) * share / 1000)}
		for id := p.first; id < p.last; id++ {
			w.homes = append(w.homes, uint8(i))
			accounts = texts.account(accounts, uint64(id))
		}
		n := uint64(p.last - p.first)
		p.mingle = coprime(n, seed.Rand("bank.mingle").At(uint64(i)))
		p.payers, p.payees = newLaw(n, payerSlope), newLaw(n, payeeSlope)
		p.scatter = coprime(n, seed.Rand("bank.scatter").At(uint64(i)))
		size := max(2*guilds, int(uint64(merchants)*m.Share/1000))
		for g, popular := range popularity(size) {
			p.guilds[g], rows = w.open(rows, texts, uint8(i), g, popular)
		}
		w.markets = append(w.markets, p)
	}
	sizes := make([]uint64, len(w.markets))
	for i := range w.markets {
		sizes[i] = uint64(w.markets[i].last - w.markets[i].first)
	}
	w.crowd = generators.NewAlias(sizes...)
	w.accounts, w.merchants = string(accounts), string(rows)
	var devices []byte
	for i := range uint64(strangers) {
		devices = letters(append(devices, "dev-"...), texts.device.Entity(1<<40+i), tokenSize-4)
	}
	w.strangers = string(devices)
	return w
}

// popularity is how popular the merchants of each guild are, in a market of so
// many merchants. Shops in the street and shops on the web share one law: an
// online shop is among the most popular where as many purchases are online.
func popularity(size int) (out [guilds][]uint64) {
	of := func(perMille int) int { return max(2, size*perMille/1000) }
	var sum [2]uint64
	for _, w := range generators.Zipf(of(shopsShare)) {
		to := inShops
		if sum[online]*uint64(1000-onlineShare) < sum[inShops]*onlineShare {
			to = online
		}
		out[to], sum[to] = append(out[to], w), sum[to]+w
	}
	out[billers] = generators.Zipf(of(60))
	out[machines] = generators.Zipf(of(60))
	out[employers] = generators.Zipf(of(50))
	return out
}

const (
	shopsShare  = 830 // per mille of the merchants
	onlineShare = 196 // per mille of the purchases, by the shares of the shipped flows
)

// open opens the merchants of a guild in a market.
func (w *world) open(rows []byte, texts *texts, market uint8, which int, popular []uint64) (guild, []byte) {
	m := &texts.markets[market]
	trades := tradesOf(which)
	g := guild{first: uint32(len(w.shops)), popular: generators.NewAlias(popular...)}
	weights := make([]uint64, len(trades))
	for i, t := range trades {
		weights[i] = t.Share
		if which == online {
			weights[i] = t.Share * t.Online / 1_000_000
		}
	}
	mix := generators.NewAlias(weights...)
	for range popular {
		id := uint64(len(w.shops))
		kind := mix.Pick(texts.trade.At(id))
		t := &trades[kind]
		// Shops of one trade differ: half to one and a half times its median.
		median := m.Price(t.Median)
		median += median * (int64(generators.Below(texts.median.At(id), 1000)) - 500) / 1000
		w.shops = append(w.shops, shop{max(1, median), generators.Sigma(t.Sigma), uint8(kind), market})
		rows = texts.merchant(rows, id, t, m.Country)
	}
	return g, rows
}

func tradesOf(which int) []fintech.Trade {
	switch which {
	case inShops, online:
		return fintech.Shops()
	case billers:
		return fintech.Billers()
	case machines:
		return fintech.Machines()
	default:
		return []fintech.Trade{{MCC: "7361", Word: "Works", SKU: "EMP", Median: 240_000, Sigma: 450, Share: 1}}
	}
}

// anywhere is a market, the likelier the more accounts it has.
func (w *world) anywhere(random uint64) uint8 { return uint8(w.crowd.Pick(random)) }

func (w *world) customers() int { return len(w.homes) }

func (w *world) account(i uint32) string  { return w.accounts[int(i)*rowSize:][:numberSize] }
func (w *world) customer(i uint32) string { return w.accounts[int(i)*rowSize+customerAt:][:numberSize] }
func (w *world) card(i uint32) string     { return w.accounts[int(i)*rowSize+cardAt:][:tokenSize] }
func (w *world) device(i uint32) string   { return w.accounts[int(i)*rowSize+deviceAt:][:tokenSize] }
func (w *world) merchant(i uint32) string { return w.merchants[int(i)*rowSize:][:numberSize] }
func (w *world) mcc(i uint32) string      { return w.merchants[int(i)*rowSize+mccAt:][:4] }
func (w *world) country(i uint32) string  { return w.merchants[int(i)*rowSize+countryAt:][:2] }
func (w *world) terminal(i uint32) string { return w.merchants[int(i)*rowSize+terminalAt:][:9] }

// stranger is a device that belongs to no customer.
func (w *world) stranger(random uint64) string {
	return w.strangers[generators.Below(random, strangers)*tokenSize:][:tokenSize]
}

// texts makes the texts of a world.
type texts struct {
	card, device, trade, median, name generators.Rand
	acc, cus, mrc, term               numbering
	markets                           []fintech.Market
}

func newTexts(seed generators.Seed) *texts {
	return &texts{
		card: seed.Rand("bank.card"), device: seed.Rand("bank.device"), trade: seed.Rand("bank.trade"),
		median: seed.Rand("bank.median"), name: seed.Rand("bank.name"),
		acc: newNumbering(seed, "acc-"), cus: newNumbering(seed, "cus-"),
		mrc: newNumbering(seed, "mrc-"), term: newNumbering(seed, "T"),
	}
}

// account appends the row of an account.
func (t *texts) account(row []byte, id uint64) []byte {
	end := len(row) + rowSize
	row = t.cus.append(t.acc.append(row, id), id)
	row = letters(append(row, "tok_"...), t.card.Entity(id), tokenSize-4)
	row = letters(append(row, "dev-"...), t.device.Entity(id), tokenSize-4)
	return row[:end]
}

// merchant appends the row of a merchant.
func (t *texts) merchant(row []byte, id uint64, trade *fintech.Trade, country string) []byte {
	end := len(row) + rowSize
	row = append(append(t.mrc.append(row, id), trade.MCC...), country...)
	row = t.term.append(row, id)
	name := gofakeit.NewFaker(rand.NewPCG(t.name.At(id), id), false).LastName() + " " + trade.Word
	for len(name) > maxName || !utf8.ValidString(name) {
		name = name[:len(name)-1]
	}
	row = append(append(row, byte(len(name))), name...)
	return append(row, make([]byte, end-len(row))...)
}

// numbering gives a prefix and eight digits. Different i below 10^8 give
// different numbers: a factor that ends in 7 has none in common with 10^8.
type numbering struct {
	prefix        string
	factor, shift uint64
}

// MaxEntities is how many customers, and how many merchants, a bank can have:
// their numbers have eight digits.
const MaxEntities = 100_000_000

func newNumbering(seed generators.Seed, prefix string) numbering {
	r := seed.Rand("bank.number." + prefix)
	return numbering{prefix, generators.Below(r.At(0), MaxEntities/10)*10 + 7, r.At(1) % MaxEntities}
}

func (n numbering) append(dst []byte, i uint64) []byte {
	dst = append(append(dst, n.prefix...), "00000000"...)
	for v, at := (i*n.factor+n.shift)%MaxEntities, len(dst)-1; v > 0; v, at = v/10, at-1 {
		dst[at] += byte(v % 10)
	}
	return dst
}

// letters appends n random letters and digits, without those that look alike.
func letters(dst []byte, r generators.Rand, n int) []byte {
	const known = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	var bits uint64
	for i := range n {
		if i%12 == 0 {
			bits = r.At(uint64(i))
		}
		dst, bits = append(dst, known[bits&31]), bits>>5
	}
	return dst
}
