// Package realism measures a stream of synthetic payments against published
// figures of real ones, and against what the stream was configured to be.
//
// A value flows like this: the caller turns each payment of its data, whatever
// the format, into a [Record] and gives it to [Meter.Observe] in the order of
// the stream; [Meter.Report] computes each measure with its band, its source
// and a sentence; [Text], [JSON] and [HTML] render the report.
//
// It reads no files and knows nothing of the generator. A measure without
// enough data is never a pass. Memory is bounded (see [DefaultKeys]): sums and
// counts are exact, distributions that need every record at once are computed
// on reservoirs of 131,072 records and 32,768 frauds, and keys and accounts
// beyond the limits are sampled by their hash. The same stream gives the same
// report on every machine.
package realism

import (
	"math"
	"slices"
	"strings"
)

// Meter takes a stream in. It is for one goroutine.
type Meter struct {
	opt Options

	records     uint64
	first, last int64 // the least and the highest time

	columns  [columns]dict
	texts    []dict
	roles    []Role   // by code of the type
	typeN    []uint64 // by code of the type
	declined []bool   // by code of the status
	absent   []bool   // by code of the channel: the card was not there

	amounts amounts
	days    calendar
	pace    pace
	keys    keys
	books   books
	people  table[person]
	graph   graph
	rates   rates
	bounds  bounds
	sample  sample
	valid   []validity
}

// The columns that have dictionaries.
const (
	colType = iota
	colStatus
	colChannel
	colMCC
	colCurrency
	colCountry
	columns
)

// seen is a record with what several measures need of it.
type seen struct {
	*Record
	code                            [columns]uint16
	account, counterparty, merchant uint64 // hashes
	role                            Role
	declined, absent                bool
	acts                            bool  // something that a customer begins
	day                             int32 // local, since the epoch
	minute                          int16 // of the local day
}

// New returns a meter.
func New(o Options) (*Meter, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	m := &Meter{
		opt: o, first: math.MaxInt64, last: math.MinInt64,
		roles: []Role{Other}, typeN: []uint64{0}, declined: []bool{false}, absent: []bool{false},
		amounts: newAmounts(), days: newCalendar(), pace: newPace(), keys: newKeys(o.MaxKeys),
		books:  books{others: newTable[purse](o.MaxAccounts), byCurrency: map[string]*money{}},
		people: newTable[person](o.MaxAccounts), graph: newGraph(o.MaxMerchants, o.MaxEdges),
		rates: newRates(), sample: newSample(), valid: make([]validity, len(o.Validators)),
		texts: make([]dict, len(o.Texts)),
	}
	for i := range m.columns {
		m.columns[i] = newDict()
	}
	for i := range m.texts {
		m.texts[i] = newDict()
	}
	return m, nil
}

// Observe takes the next record of the stream in. It keeps nothing of r.
func (m *Meter) Observe(r *Record) {
	s := seen{Record: r}
	m.learn(&s)
	m.records++
	m.first, m.last = min(m.first, r.Time), max(m.last, r.Time)

	m.keys.observe(r)
	m.amounts.observe(&s)
	m.days.observe(&s)
	if s.acts {
		m.pace.observe(r.Time)
	}
	m.books.observe(&s, &m.people)
	m.graph.observe(&s)
	m.rates.observe(&s, m)
	m.bounds.observe(r, &m.opt.Expect)
	m.sample.observe(&s, m)
	for i, v := range m.opt.Validators {
		m.valid[i].observe(v, r)
	}
}

// learn fills what is derived from the record.
func (m *Meter) learn(s *seen) {
	r := s.Record
	for i, text := range [columns]string{r.Type, r.Status, r.Channel, r.MCC, r.Currency, r.Country} {
		s.code[i] = m.columns[i].code(text)
	}
	if int(s.code[colType]) == len(m.roles) {
		m.roles, m.typeN = append(m.roles, m.opt.Roles[r.Type]), append(m.typeN, 0)
	}
	m.typeN[s.code[colType]]++
	if int(s.code[colStatus]) == len(m.declined) {
		m.declined = append(m.declined, slices.Contains(m.opt.Declined, strings.ToLower(r.Status)))
	}
	if int(s.code[colChannel]) == len(m.absent) {
		m.absent = append(m.absent, slices.Contains(m.opt.NotPresent, strings.ToLower(r.Channel)))
	}
	s.role = m.roles[s.code[colType]]
	s.declined = m.declined[s.code[colStatus]]
	s.absent = m.absent[s.code[colChannel]]
	s.account, s.counterparty, s.merchant = hash(r.Account), hash(r.Counterparty), hash(r.Merchant)
	s.acts = r.Parent == "" && s.role <= Transfer

	const minute = 60_000_000
	local := r.Time + int64(r.Zone)*1_000_000
	minutes := local / minute
	if local < 0 && local%minute != 0 {
		minutes--
	}
	const perDay = 1440
	day := minutes / perDay
	if minutes < 0 && minutes%perDay != 0 {
		day--
	}
	s.day, s.minute = int32(day), int16(minutes-day*perDay)
}
