package delivery

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// LedgerName is the name of the ledger's file in a run folder.
const LedgerName = "faults.jsonl"

// Header is the first line of a ledger.
type Header struct {
	Ledger      string          `json:"ledger"` // "delivery"
	Algo        int             `json:"algo_version"`
	Stream      string          `json:"stream"`
	Number      uint16          `json:"stream_number"`
	Seed        generators.Seed `json:"seed"`
	Start       time.Time       `json:"start"`
	Slots       uint64          `json:"slots"`
	Laws        string          `json:"laws"`
	Fingerprint string          `json:"fingerprint"` // of the plan, in hexadecimal
}

// Header returns the header of the plan's ledger, for a stream with that name
// and a run that started then.
func (p *Plan) Header(stream string, start time.Time) Header {
	return Header{
		Ledger: "delivery", Algo: AlgoVersion, Stream: stream, Number: p.stream, Seed: p.seed, Start: start.UTC(),
		Slots: p.slots, Laws: p.config.String(), Fingerprint: fmt.Sprintf("%016x", p.Fingerprint()),
	}
}

// Trailer is the last line of a ledger. A ledger without it was not finished.
type Trailer struct {
	Faults  uint64 `json:"faults"` // lines between header and trailer
	Slots   uint64 `json:"slots"`  // that were sent
	Truth   uint64 `json:"truth"`  // records that were drawn
	Crowded uint64 `json:"crowded"`
}

// Writer writes a ledger: JSON lines, one for each fault, in the order in which
// they were settled. It keeps at most 64 KiB.
type Writer struct {
	out    *bufio.Writer
	line   []byte
	faults uint64
}

const ledgerBuffer = 64 << 10

// NewWriter writes the header.
func NewWriter(out io.Writer, h Header) (*Writer, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("writing the fault ledger: %w", err)
	}
	w := &Writer{out: bufio.NewWriterSize(out, ledgerBuffer)}
	if _, err := w.out.Write(append(text, '\n')); err != nil {
		return nil, fmt.Errorf("writing the fault ledger: %w", err)
	}
	return w, nil
}

// Resume goes on with a ledger of which a walker was restored: out stands
// behind that many faults.
func Resume(out io.Writer, faults uint64) *Writer {
	return &Writer{out: bufio.NewWriterSize(out, ledgerBuffer), faults: faults}
}

// Write writes faults.
func (w *Writer) Write(faults []Fault) error {
	for i := range faults {
		w.line = faults[i].appendJSON(w.line[:0])
		if _, err := w.out.Write(w.line); err != nil {
			return fmt.Errorf("writing the fault ledger: %w", err)
		}
		w.faults++
	}
	return nil
}

// Faults returns how many faults were written.
func (w *Writer) Faults() uint64 { return w.faults }

// Flush hands over what is kept.
func (w *Writer) Flush() error {
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("writing the fault ledger: %w", err)
	}
	return nil
}

// Close finishes the walk, writes what is still held and the trailer, and
// flushes. The writer below stays open.
func (w *Writer) Close(walk *Walker) error {
	t := Trailer{Slots: walk.Slot(), Truth: walk.Truth(), Crowded: walk.Crowded()}
	if err := w.Write(walk.Finish()); err != nil {
		return err
	}
	t.Faults = w.faults
	text, _ := json.Marshal(t) // numbers always marshal
	if _, err := w.out.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("writing the fault ledger: %w", err)
	}
	return w.Flush()
}

// faultJSON is a line: slots that there are not are left out.
type faultJSON struct {
	Class     string  `json:"class"`
	Truth     uint64  `json:"truth"`
	TruthSlot uint64  `json:"truth_slot"`
	Slot      uint64  `json:"slot"`
	Second    *uint64 `json:"second_slot,omitempty"`
	EventTime int64   `json:"event_time_ns"`
	Due       *int64  `json:"due_ns,omitempty"`
	Version   uint8   `json:"version"`
	Held      bool    `json:"held,omitempty"`
}

func (f *Fault) appendJSON(dst []byte) []byte {
	dst = append(append(dst, `{"class":"`...), f.Class.String()...)
	dst = strconv.AppendUint(append(dst, `","truth":`...), f.Truth, 10)
	dst = strconv.AppendUint(append(dst, `,"truth_slot":`...), f.TruthSlot, 10)
	dst = strconv.AppendUint(append(dst, `,"slot":`...), f.Slot, 10)
	if f.Second != NoSlot {
		dst = strconv.AppendUint(append(dst, `,"second_slot":`...), f.Second, 10)
	}
	dst = strconv.AppendInt(append(dst, `,"event_time_ns":`...), int64(f.EventTime), 10)
	if f.Due != NotDue {
		dst = strconv.AppendInt(append(dst, `,"due_ns":`...), int64(f.Due), 10)
	}
	dst = strconv.AppendUint(append(dst, `,"version":`...), uint64(f.Version), 10)
	if f.Held {
		dst = append(dst, `,"held":true`...)
	}
	return append(dst, '}', '\n')
}

// Reader reads a ledger line by line.
type Reader struct {
	lines   *bufio.Scanner
	header  Header
	trailer Trailer
	line    int
	read    uint64
	done    bool
}

// ErrUnfinished says that a ledger has no trailer: the run was broken off, or
// the end of the file is lost.
var ErrUnfinished = errors.New("reading the fault ledger: it ends without its last line")

// NewReader reads the header.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{lines: bufio.NewScanner(in)}
	r.lines.Buffer(make([]byte, 0, 4<<10), 1<<20)
	text, err := r.next()
	if err != nil {
		return nil, err
	}
	if err := strict(text, &r.header); err != nil || r.header.Ledger != "delivery" {
		return nil, r.bad("no header of a fault ledger", err)
	}
	if r.header.Algo != AlgoVersion {
		return nil, r.bad(fmt.Sprintf("written by version %d of the algorithm, this is %d", r.header.Algo, AlgoVersion), nil)
	}
	return r, nil
}

// Header returns the first line.
func (r *Reader) Header() Header { return r.header }

// Trailer returns the last line, once Next has returned io.EOF.
func (r *Reader) Trailer() Trailer { return r.trailer }

// Line returns the number of the line that Next returned.
func (r *Reader) Line() int { return r.line }

// Next returns the next fault, io.EOF after the last, and an error with the
// line's number when a line is none.
func (r *Reader) Next() (Fault, error) {
	if r.done {
		return Fault{}, io.EOF
	}
	text, err := r.next()
	if err != nil {
		return Fault{}, err
	}
	if isTrailer(text) {
		return Fault{}, r.end(text)
	}
	var line faultJSON
	if err := strict(text, &line); err != nil {
		return Fault{}, r.bad("no fault", err)
	}
	class, err := ParseClass(line.Class)
	if err != nil || class == OnTime || line.Version == 0 {
		return Fault{}, r.bad("no fault of a class and version that there are", err)
	}
	r.read++
	f := Fault{
		Class: class, Truth: line.Truth, TruthSlot: line.TruthSlot, Slot: line.Slot, Second: NoSlot,
		EventTime: time.Duration(line.EventTime), Due: NotDue, Version: line.Version, Held: line.Held,
	}
	if line.Second != nil {
		f.Second = *line.Second
	}
	if line.Due != nil {
		f.Due = time.Duration(*line.Due)
	}
	return f, nil
}

func isTrailer(text []byte) bool { return bytes.HasPrefix(text, []byte(`{"faults":`)) }

// end reads the trailer.
func (r *Reader) end(text []byte) error {
	if err := strict(text, &r.trailer); err != nil {
		return r.bad("no last line", err)
	}
	if _, err := r.next(); !errors.Is(err, ErrUnfinished) {
		return r.bad("want nothing after the last line", err)
	}
	if r.trailer.Faults != r.read {
		return r.bad(fmt.Sprintf("the last line counts %d faults, there are %d", r.trailer.Faults, r.read), nil)
	}
	r.done = true
	return io.EOF
}

func (r *Reader) next() ([]byte, error) {
	if !r.lines.Scan() {
		if err := r.lines.Err(); err != nil {
			return nil, fmt.Errorf("reading the fault ledger, line %d: %w", r.line+1, err)
		}
		return nil, ErrUnfinished
	}
	r.line++
	return r.lines.Bytes(), nil
}

func (r *Reader) bad(what string, err error) error {
	if err != nil {
		return fmt.Errorf("reading the fault ledger, line %d: %s: %w", r.line, what, err)
	}
	return fmt.Errorf("reading the fault ledger, line %d: %s", r.line, what)
}
