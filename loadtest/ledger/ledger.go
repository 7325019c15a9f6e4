// Package ledger keeps what a run intended, sent, had acknowledged and saw, and
// reconciles it: which records are missing, duplicate, corrupt, late or
// unexpected at the end of the journey.
//
// A value flows like this: while the run goes on, each acknowledged produce
// batch becomes a line of the [Journal] (batches.csv); outcomes other than
// "acknowledged" become ranges in a [Set]. When the run stands at its barrier,
// [Reconcile] reads the table's new data files column by column, finds for
// every row the record it claims to be, and for every record its rows. Contents
// are compared with the expected record, made again by the generator; nothing
// that was sent is stored.
//
// Where records are sent late, twice, not at all or spoilt on purpose, the
// numbers of sets, batches and examples are those of the slots in which
// something was sent, and an identity holds the number of the true record;
// [Account.Sends] leads from one to the other, [Account.Poison] has the slots
// whose record no reader takes. Those belong among the dead letters, which
// [Account.Buried] looks through.
//
// It does not send, poll or print, and it knows no system: rows come through a
// [Scanner], expected records through an [Expected].
package ledger

import (
	"context"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// Expected makes the records of one stream again.
type Expected interface {
	// Open returns the sequence number that an event_id of this run and stream
	// carries; id is the 36-character text or the 16 bytes.
	Open(id []byte) (seq uint64, ok bool)
	// Event makes record seq; it is valid until the next call.
	Event(seq uint64) *generators.Event
	// Partition is where record seq was sent.
	Partition(seq uint64) int32
	// At is the intended time of record seq, since the start of the run.
	At(seq uint64) time.Duration
}

// Account is what is known of one stream's sending.
type Account struct {
	Number  uint16 // of the stream in the run
	Topic   string
	Sent    uint64         // records 0 to Sent-1 were handed to the client
	Failed  *Set           // surely not written
	Unknown *Set           // perhaps written
	Index   *Index         // where the acknowledged records lie
	Window  []OffsetWindow // by partition: the run's own offsets

	Sends  Sends // nil where each record was sent once, in the slot of its number
	Poison *Set  // slots whose record no reader takes; nil without
	graves []map[int64]uint64
}

// Sends tells where true records were sent.
type Sends interface {
	// Slots returns the slots of a record's copies: none, one or two.
	Slots(record uint64) (first, second uint64, count int)
}

// OffsetWindow is the offsets of one partition that belong to the run: from the
// end offset before the first record was sent to the end offset at the barrier.
type OffsetWindow struct{ First, End int64 }

// Acked reports whether record seq was acknowledged.
func (a *Account) Acked(seq uint64) bool {
	return seq < a.Sent && !a.Failed.Has(seq) && !a.Unknown.Has(seq)
}

// AckedCount is how many records were acknowledged.
func (a *Account) AckedCount() uint64 { return a.Sent - a.Failed.Len() - a.Unknown.Len() }

// poisoned reports whether the record of a slot belongs among the dead letters.
func (a *Account) poisoned(slot uint64) bool { return a.Poison != nil && a.Poison.Has(slot) }

// Owed reports whether the record of a slot was acknowledged and belongs in the
// table.
func (a *Account) Owed(slot uint64) bool { return a.Acked(slot) && !a.poisoned(slot) }

// OwedCount is how many records were acknowledged and belong in the table.
func (a *Account) OwedCount() uint64 {
	n := a.AckedCount()
	if a.Poison == nil {
		return n
	}
	a.Poison.Ranges(func(r Range) bool {
		for slot := r.First; slot <= r.Last; slot++ {
			if a.Acked(slot) {
				n--
			}
		}
		return true
	})
	return n
}

// owns reports whether an offset lies in the run's window.
func (a *Account) owns(partition, offset int64) bool {
	if partition < 0 || partition >= int64(len(a.Window)) {
		return false
	}
	w := a.Window[partition]
	return offset >= w.First && offset < w.End
}

// File is one data file that was added to the table during the run.
type File struct {
	Path     string
	Rows     uint64
	Bytes    int64
	Snapshot int64         // that added it
	Sequence int64         // of that snapshot, in commit order
	Seen     time.Duration // when that snapshot was first seen, since the start of the run
	Timed    bool          // whether Seen is known: not so for files of a compaction
}

// Columns is a batch of rows, column by column, in the order that was asked
// for. The slices are valid until the next batch.
type Columns interface {
	Len() int
	Ints(column int) []int64   // integers, booleans (0, 1) and timestamps (microseconds)
	Bytes(column int) [][]byte // strings, binaries and UUIDs
	Null(column, row int) bool //
}

// Scanner reads columns of data files.
type Scanner interface {
	Scan(ctx context.Context, f File, columns []string, visit func(Columns) error) error
	// BytesRead is how many bytes all scans together fetched.
	BytesRead() int64
}

// Layout says in which columns the table keeps what reconciliation needs.
// Partition and Offset are both set or both empty; Topic may be empty.
type Layout struct {
	EventID   string
	Topic     string
	Partition string
	Offset    string
	Content   []Content
}

// Content is one column that is compared with the expected value.
type Content struct {
	Column string
	Field  int // index in the stream's schema
	Kind   generators.Kind
}

// Offsets reports whether offset checks are possible.
func (l Layout) Offsets() bool { return l.Offset != "" }

// Example is one record or row that is not as it should be.
type Example struct {
	EventID   string
	Seq       uint64
	HasSeq    bool // false for a row that no record of ours explains
	Partition int32
	Offset    int64 // -1 where unknown
	Snapshot  int64 // 0 where unknown
	File      string
	Intended  time.Duration
	Detail    string
}

// Findings is one class of what was found.
type Findings struct {
	Count    uint64
	Ranges   []Range   // of sequence numbers; at most maxRanges
	Examples []Example // at most maxExamples
}

const (
	maxExamples = 100
	maxRanges   = 1000
)

// note counts one finding and keeps it as an example while there is room.
func (f *Findings) note(e Example) {
	f.Count++
	if len(f.Examples) < maxExamples {
		f.Examples = append(f.Examples, e)
	}
}

// Result is the reconciliation of one stream.
type Result struct {
	Seen         uint64 // different records that arrived
	Missing      Findings
	Duplicate    Findings
	Corrupt      Findings
	Late         Findings
	Unexpected   Findings
	Arrived      *Set   // the slots that have a row
	Unattributed uint64 // rows of nobody, where no offset column says whether they are in the run's window
	Keys         Tier   // T1
	Contents     Tier   // T2
}

// State is how a tier ended.
type State string

// The states of a tier.
const (
	Clean       State = "clean"
	Dirty       State = "dirty"
	Sampled     State = "sampled" // clean, as far as it looked
	NotPossible State = "not possible"
)

// Tier is one stage of the reconciliation.
type Tier struct {
	Name   string // T0, T1 or T2
	State  State
	Detail string
	Rows   uint64
	Bytes  int64 // fetched
	Took   time.Duration
}
