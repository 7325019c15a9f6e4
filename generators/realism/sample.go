package realism

import "github.com/lakeproof/lakeproof/generators"

// The reservoirs: each record of the stream has the same chance to be in its
// one at the end.
const (
	restRows  = 1 << 17 // of records that are not known to be fraud
	fraudRows = 1 << 15
)

// row is a record of a reservoir.
type row struct {
	time, amount, balance int64
	numbers               [maxNumbers]int64
	ids                   [rowIDs]uint64
	prefix                [rowPrefixes]uint16
	codes                 [columns]uint16
	texts                 [maxTexts]uint16
	day                   int32
	minute                int16
	known                 Known
	acts                  bool
}

// The identifiers of a row, by hash; the first of them also by their first two
// characters.
const (
	idAccount = iota
	idCounterparty
	idMerchant
	rowPrefixes
	idCard   = rowPrefixes
	idDevice = rowPrefixes + 1
	rowIDs   = rowPrefixes + 2
)

func idNames() [rowIDs]string {
	return [rowIDs]string{"account", "counterparty", "merchant", "card", "device"}
}

type sample struct {
	rest, fraud       reservoir
	restRand, badRand generators.Rand
	labelled          bool
}

type reservoir struct {
	rows []row
	size int
	n    uint64 // records that were offered
}

func newSample() sample {
	return sample{
		rest: reservoir{size: restRows}, fraud: reservoir{size: fraudRows},
		restRand: seed.Rand("realism.rest"), badRand: seed.Rand("realism.fraud"),
	}
}

func (p *sample) observe(s *seen, m *Meter) {
	p.labelled = p.labelled || s.Label != Unlabelled
	to, draw := &p.rest, p.restRand
	if s.Label == Fraud {
		to, draw = &p.fraud, p.badRand
	}
	to.n++
	if len(to.rows) < to.size {
		to.rows = append(to.rows, row{})
		to.rows[len(to.rows)-1].fill(s, m)
	} else if at := generators.Below(draw.At(to.n), to.n); at < uint64(to.size) {
		to.rows[at].fill(s, m)
	}
}

func (w *row) fill(s *seen, m *Meter) {
	r := s.Record
	*w = row{
		time: r.Time, amount: r.Amount, balance: r.Balance, day: s.day, minute: s.minute, known: r.Known, acts: s.acts,
		ids:    [rowIDs]uint64{s.account, s.counterparty, s.merchant, hash(r.Card), hash(r.Device)},
		prefix: [rowPrefixes]uint16{prefix(r.Account), prefix(r.Counterparty), prefix(r.Merchant)},
		codes:  s.code,
	}
	for i := range min(len(m.texts), len(r.Texts)) {
		w.texts[i] = m.texts[i].code(r.Texts[i])
	}
	copy(w.numbers[:], r.Numbers)
}

// prefix is the first two bytes of a text.
func prefix(s string) uint16 {
	switch len(s) {
	case 0:
		return 0
	case 1:
		return uint16(s[0]) << 8
	}
	return uint16(s[0])<<8 | uint16(s[1])
}

func prefixText(p uint16) string {
	if p&0xff == 0 {
		return string([]byte{byte(p >> 8)})
	}
	return string([]byte{byte(p >> 8), byte(p)})
}
