package delivery

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"sort"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// Plan is the law of one stream's delivery. It never changes and may be shared.
type Plan struct {
	seed     generators.Seed
	stream   uint16
	config   Config
	schedule Schedule
	slots    uint64
	maxHeld  int

	drop, poison, late, twice, shuffle       chance
	poisonKind, lateDelay, twiceDelay, apart generators.Rand
	spoil                                    generators.Rand
	lateLaw, twiceLaw                        sampler
	poisons                                  []Class
	changes                                  []change
	any                                      bool // something may happen
}

// chance decides by a purpose of its own.
type chance struct {
	random generators.Rand
	cut    uint64 // 0: never, and nothing is drawn
}

func (c *chance) hits(n uint64) bool { return c.cut > 0 && c.random.At(n) < c.cut }

// change is when a version begins.
type change struct {
	event, slot uint64 // whichever is not 0
}

// New makes the plan of a stream's delivery. The stream's number keeps streams
// of the same seed apart.
func New(seed generators.Seed, stream uint16, s Schedule, c Config) (*Plan, error) {
	if err := c.Check(s); err != nil {
		return nil, err
	}
	slots, run := s.Count(), s.At(s.Count())
	random := func(purpose string) generators.Rand {
		return seed.Rand("delivery." + purpose).Entity(uint64(stream))
	}
	of := func(purpose string, o Often) chance {
		return chance{random(purpose), o.cut(slots, run)}
	}
	normal := generators.NewLogNormal()
	p := &Plan{
		seed: seed, stream: stream, config: c, schedule: s, slots: slots, maxHeld: c.maxHeld(),
		drop: of("drop", c.Drop), poison: of("poison", c.Poison.Often), late: of("late", c.Late.Often),
		twice: of("duplicate", c.Duplicate.Often), shuffle: of("out_of_order", c.OutOfOrder.Often),
		poisonKind: random("poison.class"), lateDelay: random("late.delay"), twiceDelay: random("duplicate.delay"),
		apart: random("out_of_order.slots"), spoil: random("poison.bytes"),
		lateLaw: newSampler(c.Late.Delay, normal), twiceLaw: newSampler(c.Duplicate.Delay, normal),
		poisons: c.Poison.Classes,
	}
	if p.poison.cut > 0 && len(p.poisons) == 0 {
		p.poisons = RejectedClasses(c.Poison.Format)
	}
	for _, o := range []chance{p.drop, p.poison, p.late, p.twice, p.shuffle} {
		p.any = p.any || o.cut > 0
	}
	for _, e := range c.Evolve {
		at := change{event: e.Event, slot: e.Slot}
		if e.After > 0 {
			at.slot = uint64(sort.Search(int(slots), func(i int) bool { return s.At(uint64(i)) >= e.After }))
		}
		p.changes = append(p.changes, at)
	}
	return p, nil
}

// Config returns the configuration the plan was made of.
func (p *Plan) Config() Config { return p.config }

// Slots returns how many slots the schedule has.
func (p *Plan) Slots() uint64 { return p.slots }

// At returns when a slot is due.
func (p *Plan) At(slot uint64) time.Duration { return p.schedule.At(slot) }

// Version returns the version of the schema of a truth record. A version never
// begins before the one before it.
func (p *Plan) Version(truth, truthSlot uint64) uint8 {
	v := uint8(1)
	for _, c := range p.changes {
		if c.event > 0 && truth < c.event || c.slot > 0 && truthSlot < c.slot {
			break
		}
		v++
	}
	return v
}

// Random returns the 64 random bits that spoil the bytes of a poisoned record.
func (p *Plan) Random(truth uint64) uint64 { return p.spoil.At(truth) }

// fate says what becomes of a truth record: its class, and whether it is sent
// twice.
func (p *Plan) fate(n uint64) (class Class, twice bool) {
	switch {
	case p.drop.hits(n):
		return Dropped, false
	case p.poison.hits(n):
		return p.poisons[generators.Below(p.poisonKind.At(n), uint64(len(p.poisons)))], false
	case p.late.hits(n):
		class = Late
	case p.shuffle.hits(n):
		class = OutOfOrder
	}
	return class, p.twice.hits(n)
}

// due returns when a held record is due that was drawn in a slot.
func (p *Plan) due(n, slot uint64, class Class) int64 {
	if class == OutOfOrder {
		after := 2 + generators.Below(p.apart.At(n), p.config.OutOfOrder.Within-1)
		if p.slots-slot <= after {
			return math.MaxInt64 // no such slot: held for good
		}
		return int64(p.schedule.At(slot + after))
	}
	return int64(p.schedule.At(slot)) + p.lateLaw.draw(p.lateDelay.At(n))
}

// Fingerprint tells plans apart: it follows from the seed, the stream, the
// laws, the version of the algorithm and the schedule.
func (p *Plan) Fingerprint() uint64 {
	h := fnv.New64a()
	number := func(n uint64) { h.Write(binary.BigEndian.AppendUint64(nil, n)) }
	for _, n := range []uint64{AlgoVersion, generators.AlgoVersion, uint64(p.seed), uint64(p.stream), p.slots} {
		number(n)
	}
	h.Write([]byte(p.config.String()))
	const looks = 256
	for i := range uint64(looks + 1) {
		slot := p.slots/looks*i + p.slots%looks*i/looks
		number(uint64(p.schedule.At(slot)))
	}
	return h.Sum64()
}
