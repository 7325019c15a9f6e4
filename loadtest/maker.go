package loadtest

import (
	"fmt"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// maker makes the records of one stream, for the sender and, again, for the
// verifier. It keeps buffers, so each goroutine has its own.
//
// Records are asked for by the number of the slot in which they are sent. That
// is the record's own number too, unless the stream has deliberate faults.
type maker struct {
	stream *Stream
	source generators.Stream
	key    generators.Key
	start  time.Time
	ev     *generators.Event
	value  []byte
	text   []byte // of a UUID key

	courier *courier // nil where every slot carries the record of its number
	spoilt  []byte   // a poisoned value
	evolved *evolvedMaker
	sent    delivery.Send // what was made last, with a courier
}

func newMaker(s *Stream, runID string, start time.Time) (*maker, error) {
	source, err := s.Source.Begin(start)
	if err != nil {
		return nil, fmt.Errorf("beginning stream %q: %w", s.Name, err)
	}
	m := &maker{
		stream: s, source: source, key: generators.NewKey(RunNumber(runID)), start: start,
		ev: generators.NewEvent(s.Source.Schema()),
	}
	if s.faults != nil {
		_, same := s.Source.(stateless)
		m.courier = newCourier(s.faults, !same)
		m.evolved = newEvolvedMaker(s.faults, s.Source.Schema())
	}
	return m, nil
}

// newVerifier returns a maker that gives any record of the first slots.
func newVerifier(s *Stream, runID string, start time.Time, slots uint64) (*maker, error) {
	m, err := newMaker(s, runID, start)
	if err == nil && m.courier != nil {
		m.courier.remember(slots)
	}
	return m, err
}

// make fills the event and encodes it; both are valid until the next call.
func (m *maker) make(seq uint64) (key, value []byte) {
	if m.courier != nil {
		return m.carry(seq)
	}
	m.key.SealTo(&m.ev.ID, m.stream.Number, seq)
	m.source.Fill(m.ev, seq, m.start.Add(m.At(seq)).UnixMicro())
	m.value = m.stream.Encoder.Append(m.value[:0], m.ev)
	return m.partitionKey(), m.value
}

// carry makes what a slot of a stream with faults carries.
func (m *maker) carry(slot uint64) (key, value []byte) {
	s, d := m.load(slot), m.stream.faults
	m.sent = s
	if s.Version > 1 && !s.Class.Poison() {
		m.value = m.evolved.append(m.value[:0], d, s, m.ev)
		return m.partitionKey(), m.value
	}
	m.value = m.stream.Encoder.Append(m.value[:0], m.ev)
	if !s.Class.Poison() {
		return m.partitionKey(), m.value
	}
	// Poison is made of the first version, of which it is known that no reader
	// takes it.
	value = d.poisoner.Append(m.spoilt[:0], s.Class, m.value, d.Random(s.Truth))
	if value != nil { // a tombstone has none
		m.spoilt = value
	}
	return m.partitionKey(), value
}

// load fills the event with the truth record that a slot carries.
func (m *maker) load(slot uint64) delivery.Send {
	s := m.courier.at(slot, m.draw)
	if m.courier.keeps {
		if ev := m.courier.recall(s); ev != nil {
			m.ev.ID = ev.ID
			copy(m.ev.Values, ev.Values)
			return s
		}
	}
	m.draw(s.Truth, s.TruthSlot)
	return s
}

// draw fills the event with a truth record.
func (m *maker) draw(truth, truthSlot uint64) *generators.Event {
	m.key.SealTo(&m.ev.ID, m.stream.Number, truth)
	m.source.Fill(m.ev, truth, m.start.Add(m.At(truthSlot)).UnixMicro())
	return m.ev
}

func (m *maker) partitionKey() []byte {
	if m.stream.KeyField == 0 {
		m.text = m.ev.ID.Append(m.text[:0])
	} else {
		m.text = append(m.text[:0], m.ev.Values[m.stream.KeyField].Str...)
	}
	return m.text
}

// Open implements ledger.Expected. Where the stream has faults it is the number
// of the truth record, and [ledger.Account.Sends] has the slots.
func (m *maker) Open(id []byte) (uint64, bool) {
	parsed, ok := generators.IDFromBytes(id)
	if len(id) == generators.IDTextLen {
		parsed, ok = generators.ParseID(id)
	}
	if !ok {
		return 0, false
	}
	stream, seq, ok := m.key.Open(parsed)
	return seq, ok && stream == m.stream.Number
}

// Event implements ledger.Expected.
func (m *maker) Event(seq uint64) *generators.Event {
	m.make(seq)
	if m.courier != nil && m.sent.Version > 1 && !m.sent.Class.Poison() {
		return m.evolved.seen(m.stream.faults, m.sent, m.ev)
	}
	return m.ev
}

// Partition implements ledger.Expected.
func (m *maker) Partition(seq uint64) int32 {
	if m.courier != nil { // what a poisoned slot is worth is its key
		m.load(seq)
		return sink.Partition(m.partitionKey(), m.stream.Partitions)
	}
	key, _ := m.make(seq)
	return sink.Partition(key, m.stream.Partitions)
}

// At implements ledger.Expected.
func (m *maker) At(seq uint64) time.Duration { return m.stream.Schedule.At(seq) }
