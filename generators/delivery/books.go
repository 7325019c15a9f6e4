package delivery

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Counts are what each stage must have seen, and why.
type Counts struct {
	Truth       uint64 // true records: what happened
	Sent        uint64 // records in Kafka, second copies and poison included
	Poisoned    uint64 // of them, poison
	Refused     uint64 // of them, of a version of the schema that the reader refuses
	Readable    uint64 // the others: rows in the table
	DeadLetters uint64 // poisoned and refused: rows in the dead-letter table
	Distinct    uint64 // different records among the rows
	Duplicates  uint64 // rows beyond the first of their record
	Lost        uint64 // rows of a version of which the reader loses a column
	Altered     uint64 // rows of a version of which the reader alters a column
	Late        uint64 // records sent late by the law of late ones
	Shuffled    uint64 // records held by the law of those out of order
	Disordered  uint64 // rows with an event time below the greatest before them
	Dropped     uint64 // true records that were never sent, on purpose
	Held        uint64 // true records that were still held at the end
	HeldCopies  uint64 // second copies that were
}

func (c *Counts) add(o *Counts) {
	c.Truth += o.Truth
	c.Sent += o.Sent
	c.Poisoned += o.Poisoned
	c.Refused += o.Refused
	c.Readable += o.Readable
	c.DeadLetters += o.DeadLetters
	c.Distinct += o.Distinct
	c.Duplicates += o.Duplicates
	c.Lost += o.Lost
	c.Altered += o.Altered
	c.Late += o.Late
	c.Shuffled += o.Shuffled
	c.Disordered += o.Disordered
	c.Dropped += o.Dropped
	c.Held += o.Held
	c.HeldCopies += o.HeldCopies
}

// Minute is what belongs to one minute.
type Minute struct {
	Start time.Time // whole minute, UTC
	Counts
}

// Bucket counts records that were sent at most so long after their event time,
// and longer than the bucket before.
type Bucket struct {
	Below time.Duration // the upper end, included; MaxInt64 in the last
	Rows  uint64
}

// Summary is what a walk through a plan must leave at each stage.
type Summary struct {
	Slots uint64 // walked
	Total Counts
	// Events has the minutes of the event time, without the empty ones at the
	// ends; Sends those of the time at which the slots were due. A truth record
	// counts in the minute it was drawn in, in both.
	Events, Sends []Minute
	Classes       [classes]uint64 // faults that came to pass, by class; [OnTime] is none
	Once, Twice   uint64          // truth records by how often they were sent, poison not among them
	Versions      []uint64        // records sent by version, [0] of version 1
	Crowded       uint64          // faults that did not come to pass because the queue was full
	// Lateness is the time from the event time to the slot, of all rows.
	Lateness    []Bucket
	LatenessSum time.Duration
	LatenessMax time.Duration
}

// Balance says whether the books close: truth drawn = once + twice + dropped +
// poisoned + held, and slots = once + 2 x twice + poisoned.
func (s *Summary) Balance() error {
	truth := s.Once + s.Twice + s.Total.Dropped + s.Total.Poisoned + s.Total.Held
	slots := s.Once + 2*s.Twice + s.Total.Poisoned
	if truth != s.Total.Truth || slots != s.Slots || s.Total.Sent != s.Slots {
		return fmt.Errorf("closing the books of a delivery: %d truth records, %d accounted for; %d slots, %d accounted for",
			s.Total.Truth, truth, s.Slots, slots)
	}
	return nil
}

// BooksOptions say how the books are kept.
type BooksOptions struct {
	Start time.Time // of the run
	// Outcomes is what the reader makes of each version, [0] of version 1; nil
	// is Intact for all.
	Outcomes []Outcome
	// Partition, if given, tells the partition of a record: disorder is then
	// counted in each for itself, and in the whole stream if not.
	Partition func(truth, truthSlot uint64) int32
	// Edges are the upper ends of the buckets of lateness, rising; nil is
	// DefaultEdges. A bucket without an end is added.
	Edges []time.Duration
}

// DefaultEdges returns the ends of the buckets of lateness: 0 is on time.
func DefaultEdges() []time.Duration {
	return []time.Duration{
		0, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 5 * time.Second, 10 * time.Second,
		30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
		6 * time.Hour, 24 * time.Hour,
	}
}

// Books add up a walk. The caller hands over each Send and its faults, and what
// Finish returns.
type Books struct {
	plan     *Plan
	opt      BooksOptions
	sum      Summary
	start    int64 // nanoseconds since the Unix epoch
	events   minutes
	sends    minutes
	greatest []int64 // event time sent so far, by partition, in milliseconds
}

// NewBooks returns empty books of a walk through the plan.
func (p *Plan) NewBooks(opt BooksOptions) *Books {
	if opt.Edges == nil {
		opt.Edges = DefaultEdges()
	}
	b := &Books{plan: p, opt: opt, start: opt.Start.UnixNano()}
	b.sum.Versions = make([]uint64, len(p.changes)+1)
	for _, e := range append(slices.Clone(opt.Edges), math.MaxInt64) {
		b.sum.Lateness = append(b.sum.Lateness, Bucket{Below: e})
	}
	return b
}

// Summarize walks through the plan up to a slot and returns the closed books.
func (p *Plan) Summarize(slots uint64, opt BooksOptions) *Summary {
	b, w := p.NewBooks(opt), p.NewWalker()
	for w.Slot() < slots {
		s, ok := w.Next()
		if !ok {
			break
		}
		b.Add(s, w.Faults())
	}
	return b.Close(w)
}

// Add enters what was sent in a slot and the faults that were settled then.
func (b *Books) Add(s Send, faults []Fault) {
	for i := range faults {
		b.fault(&faults[i])
	}
	sent, event := b.plan.At(s.Slot), b.plan.At(s.TruthSlot)
	var c Counts
	c.Sent = 1
	b.sum.Versions[s.Version-1]++
	switch {
	case s.Class.Poison():
		c.Truth, c.Poisoned, c.DeadLetters = 1, 1, 1
	default:
		b.record(&c, s, event, sent-event)
	}
	b.enter(&c, event, sent)
}

// record enters a record that is none of the poisons.
func (b *Books) record(c *Counts, s Send, event, late time.Duration) {
	switch s.Class {
	case OnTime:
		c.Truth = 1
	case Late:
		c.Truth, c.Late = 1, 1
	case OutOfOrder:
		c.Truth, c.Shuffled = 1, 1
	default: // the second copy
		b.sum.Twice++
		b.sum.Once--
	}
	if s.Copy == 0 {
		b.sum.Once++
	}
	outcome := Intact
	if b.opt.Outcomes != nil {
		outcome = b.opt.Outcomes[s.Version-1]
	}
	switch outcome {
	case Refused:
		c.Refused, c.DeadLetters = 1, 1
		return
	case Lost:
		c.Lost = 1
	case Altered:
		c.Altered = 1
	default:
	}
	c.Readable = 1
	if s.Copy == 0 {
		c.Distinct = 1
	} else {
		c.Duplicates = 1
	}
	b.order(c, s, event)
	b.lateness(late)
}

// order compares the event time, as the record carries it, with those before.
func (b *Books) order(c *Counts, s Send, event time.Duration) {
	partition := int32(0)
	if b.opt.Partition != nil {
		partition = b.opt.Partition(s.Truth, s.TruthSlot)
	}
	for int(partition) >= len(b.greatest) {
		b.greatest = append(b.greatest, math.MinInt64)
	}
	ms := floor(b.micros(event), 1000)
	if ms < b.greatest[partition] {
		c.Disordered = 1
		return
	}
	b.greatest[partition] = ms
}

func (b *Books) lateness(late time.Duration) {
	b.sum.LatenessSum += late
	b.sum.LatenessMax = max(b.sum.LatenessMax, late)
	for i := range b.sum.Lateness {
		if late <= b.sum.Lateness[i].Below {
			b.sum.Lateness[i].Rows++
			return
		}
	}
}

// fault enters a fault; those that were sent are counted where they are.
func (b *Books) fault(f *Fault) {
	if f.Held {
		b.held(f)
		return
	}
	b.sum.Classes[f.Class]++
	if f.Class == Dropped {
		b.enter(&Counts{Truth: 1, Dropped: 1}, f.EventTime, f.EventTime)
	}
}

// held enters a copy that was never sent.
func (b *Books) held(f *Fault) {
	c := Counts{Truth: 1, Held: 1}
	if f.Class == Duplicate {
		c = Counts{HeldCopies: 1}
	}
	b.enter(&c, f.EventTime, f.EventTime)
}

// enter adds to the totals and to both minutes. What happened, and whether it
// was sent at all, belongs to the minute of the event in both.
func (b *Books) enter(c *Counts, event, sent time.Duration) {
	b.sum.Total.add(c)
	at, on := floor(b.micros(event), 60e6), floor(b.micros(sent), 60e6)
	b.events.of(at).add(c)
	if at == on {
		b.sends.of(on).add(c)
		return
	}
	b.sends.of(at).Truth += c.Truth
	rest := *c
	rest.Truth = 0
	b.sends.of(on).add(&rest)
}

// micros is the event time in a record: microseconds since the Unix epoch.
func (b *Books) micros(at time.Duration) int64 { return floor(b.start+int64(at), 1000) }

// Close finishes the walk and returns the closed books.
func (b *Books) Close(w *Walker) *Summary {
	s := &b.sum
	s.Slots, s.Crowded = w.Slot(), w.Crowded()
	for _, f := range w.Finish() {
		b.fault(&f)
	}
	s.Events, s.Sends = b.events.list(), b.sends.list()
	return s
}

// minutes are counts by minute since the Unix epoch.
type minutes struct {
	first  int64
	counts []Counts
}

// of returns the counts of a minute, at or after the first that was asked for
// but for one: events come in slots that do not fall.
func (m *minutes) of(minute int64) *Counts {
	if len(m.counts) == 0 {
		m.first = minute
	}
	for ; minute < m.first; m.first-- {
		m.counts = slices.Insert(m.counts, 0, Counts{})
	}
	for int64(len(m.counts)) <= minute-m.first {
		m.counts = append(m.counts, Counts{})
	}
	return &m.counts[minute-m.first]
}

func (m *minutes) list() []Minute {
	out := make([]Minute, len(m.counts))
	for i, c := range m.counts {
		out[i] = Minute{time.Unix((m.first+int64(i))*60, 0).UTC(), c}
	}
	return out
}

func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}
