// Package generators makes the records of a run. It holds what every stream
// has in common: the schema, the event, the seed and the identity.
//
// A value flows like this: the load test asks a [Stream] to fill an [Event]
// for a sequence number and an intended time, an encoder (generators/encode)
// turns the event into bytes, and later a verifier asks the same stream for
// the same event again and compares it with what arrived. So a stream is a
// pure function: the same seed, sequence number and time give the same event,
// on any worker, in any order.
//
// It does not send, pace or encode, and it keeps no state between events.
package generators

// Seed selects a world. The same seed is the same world for ever (within one
// AlgoVersion).
type Seed uint64

// AlgoVersion changes whenever the same seed would give other bytes.
const AlgoVersion = 1

// Kind is the type of a field. The same kinds exist in JSON, Avro and Iceberg.
type Kind uint8

// The kinds.
const (
	UUID   Kind = iota // Event.ID; JSON string, Avro string, Iceberg string
	String             // Value.Str
	Int                // Value.Int, 32 bit
	Long               // Value.Int, 64 bit
	Bool               // Value.Int, 0 or 1
	// Timestamp is Value.Int, microseconds since the Unix epoch, UTC, whole
	// milliseconds; JSON RFC 3339 with 3 decimals and Z, Avro timestamp-millis,
	// Iceberg timestamptz.
	Timestamp
	// Checksum is set by the encoder: CRC-32C of the encoded bytes of all fields
	// before it, as a long. It is always the last field.
	Checksum
)

// Field is one field of a schema.
type Field struct {
	Name     string
	Kind     Kind
	Nullable bool
	Plain    bool // a String that never needs escaping in JSON: printable ASCII without " and \
	Doc      string
}

// Schema describes the records of a stream: the one source of every encoder,
// of the Iceberg table and of the verification of contents.
type Schema struct {
	Name   string // Avro record name, for example "Payment"
	Doc    string
	Fields []Field // [0] is the event_id (UUID), the last is the checksum (Checksum)
}

// Value is the value of one field; Str is only read for a String.
type Value struct {
	Int  int64
	Str  string
	Null bool
}

// Event is one record before encoding. It is reused: Fill overwrites all of it.
type Event struct {
	ID     ID128
	Values []Value // one for each field of the schema
}

// NewEvent returns an event with room for the schema's fields.
func NewEvent(s *Schema) *Event { return &Event{Values: make([]Value, len(s.Fields))} }

// Stream makes the events of one stream. Its methods may be called from many
// goroutines at once, each with an event of its own.
type Stream interface {
	// Name is the stream's name, for example "payments".
	Name() string
	// Schema is the same value at each call.
	Schema() *Schema
	// Fill writes event seq, intended at the given time (microseconds since the
	// Unix epoch), into ev: every value but ev.ID and the checksum. The strings
	// it stores live as long as the stream.
	Fill(ev *Event, seq uint64, at int64)
}

// Ranger is a stream that fills records that follow each other more cheaply
// than single ones.
type Ranger interface {
	Stream
	// Range returns the stream for the given records only, which are filled in
	// their order, by one goroutine.
	Range(first uint64, count int) Stream
}

// Explainer is a stream that knows why its events exist.
type Explainer interface {
	// Explain says it of one event, in lines for a person.
	Explain(seq uint64) []string
}
