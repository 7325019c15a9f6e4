package loadtest

import (
	"fmt"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// maker makes the records of one stream, for the sender and, again, for the
// verifier. It keeps buffers, so each goroutine has its own.
type maker struct {
	stream *Stream
	source generators.Stream
	key    generators.Key
	start  time.Time
	ev     *generators.Event
	value  []byte
	text   []byte // of a UUID key
}

func newMaker(s *Stream, runID string, start time.Time) (*maker, error) {
	source, err := s.Source.Begin(start)
	if err != nil {
		return nil, fmt.Errorf("beginning stream %q: %w", s.Name, err)
	}
	return &maker{
		stream: s, source: source, key: generators.NewKey(RunNumber(runID)), start: start,
		ev: generators.NewEvent(s.Source.Schema()),
	}, nil
}

// make fills the event and encodes it; both are valid until the next call.
func (m *maker) make(seq uint64) (key, value []byte) {
	m.ev.ID = m.key.Seal(m.stream.Number, seq)
	m.source.Fill(m.ev, seq, m.start.Add(m.At(seq)).UnixMicro())
	m.value = m.stream.Encoder.Append(m.value[:0], m.ev)
	return m.partitionKey(), m.value
}

func (m *maker) partitionKey() []byte {
	if m.stream.KeyField == 0 {
		m.text = m.ev.ID.Append(m.text[:0])
	} else {
		m.text = append(m.text[:0], m.ev.Values[m.stream.KeyField].Str...)
	}
	return m.text
}

// Open implements ledger.Expected.
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
	return m.ev
}

// Partition implements ledger.Expected.
func (m *maker) Partition(seq uint64) int32 {
	key, _ := m.make(seq)
	return sink.Partition(key, m.stream.Partitions)
}

// At implements ledger.Expected.
func (m *maker) At(seq uint64) time.Duration { return m.stream.Schedule.At(seq) }
