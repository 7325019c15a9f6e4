package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// world is a stream of the simplest kind: record n carries n in its id and
// 1000+n as its amount, and goes to a partition drawn from n.
type world struct {
	partitions int32
	ev         *generators.Event
	truth      []uint64 // by slot; nil: each record has the slot of its number
}

func newWorld(partitions int32) *world {
	return &world{partitions: partitions, ev: &generators.Event{Values: make([]generators.Value, 2)}}
}

func (w *world) id(seq uint64) (id generators.ID128) {
	binary.BigEndian.PutUint64(id[:], 0x77)
	binary.BigEndian.PutUint64(id[8:], seq)
	return id
}

func (w *world) Open(id []byte) (uint64, bool) {
	if len(id) != 16 || binary.BigEndian.Uint64(id) != 0x77 {
		return 0, false
	}
	return binary.BigEndian.Uint64(id[8:]), true
}

func (w *world) Event(seq uint64) *generators.Event {
	if w.truth != nil {
		seq = w.truth[seq]
	}
	w.ev.ID, w.ev.Values[1] = w.id(seq), generators.Value{Int: 1000 + int64(seq)}
	return w.ev
}

func (w *world) Partition(seq uint64) int32 {
	return int32(seq * 2654435761 >> 7 % uint64(w.partitions))
}
func (w *world) At(seq uint64) time.Duration { return time.Duration(seq) * time.Millisecond }

// row is a row of the table.
type row struct {
	id                []byte
	partition, offset int64
	amount            int64
}

// memory is a Scanner over rows in memory.
type memory struct {
	files map[string][]row
	read  int64
}

func (m *memory) BytesRead() int64 { return m.read }

func (m *memory) Scan(_ context.Context, f File, columns []string, visit func(Columns) error) error {
	rows, ok := m.files[f.Path]
	if !ok {
		return fmt.Errorf("no file %q", f.Path)
	}
	for part := range slices.Chunk(rows, 1000) {
		m.read += int64(len(part) * len(columns))
		if err := visit(columnsOf{part, columns}); err != nil {
			return err
		}
	}
	return nil
}

type columnsOf struct {
	rows    []row
	columns []string
}

func (c columnsOf) Len() int             { return len(c.rows) }
func (c columnsOf) Null(col, i int) bool { return c.columns[col] == "id" && c.rows[i].id == nil }
func (c columnsOf) Bytes(col int) [][]byte {
	out := make([][]byte, len(c.rows))
	for i, r := range c.rows {
		out[i] = r.id
		if c.columns[col] == "topic" {
			out[i] = []byte("payments")
		}
	}
	return out
}

func (c columnsOf) Ints(col int) []int64 {
	out := make([]int64, len(c.rows))
	for i, r := range c.rows {
		switch c.columns[col] {
		case "partition":
			out[i] = r.partition
		case "offset":
			out[i] = r.offset
		case "amount":
			out[i] = r.amount
		}
	}
	return out
}

// run is a finished run: what was sent, and the table as a faultless pipeline
// would have filled it, in files of one second each.
type run struct {
	acc   *Account
	exp   *world
	rows  []row // by sequence number
	holes []row // offsets in between that somebody else's records hold
	files int
}

func newRun(rng *rand.Rand, sent uint64) *run {
	const partitions = 3
	r := &run{exp: newWorld(partitions), files: 10}
	acc := &Account{
		Topic: "payments", Sent: sent, Failed: NewSet(sent), Unknown: NewSet(sent), Index: &Index{},
	}
	var next [partitions]int64
	for p := range next {
		next[p] = int64(rng.IntN(1000)) // other runs came before
		acc.Window = append(acc.Window, OffsetWindow{First: next[p]})
	}
	var open [partitions]Batch
	for seq := range sent {
		p := r.exp.Partition(seq)
		if b := &open[p]; b.Count == 0 || rng.IntN(50) == 0 {
			if b.Count > 0 {
				_ = acc.Index.Add(*b)
			}
			*b = Batch{Partition: p, FirstOffset: next[p], FirstSeq: seq}
		}
		if rng.IntN(200) == 0 { // somebody else's record comes between
			if b := &open[p]; b.Count > 0 {
				_ = acc.Index.Add(*b)
			}
			r.holes = append(r.holes, row{[]byte("somebody else's!"), int64(p), next[p], 5})
			next[p]++
			open[p] = Batch{Partition: p, FirstOffset: next[p], FirstSeq: seq}
		}
		id := r.exp.id(seq)
		r.rows = append(r.rows, row{id[:], int64(p), next[p], 1000 + int64(seq)})
		open[p].Count++
		open[p].LastSeq = seq
		next[p]++
	}
	for p, b := range open {
		if b.Count > 0 {
			_ = acc.Index.Add(b)
		}
		acc.Window[p].End = next[p]
	}
	if err := acc.Index.Sort(); err != nil {
		panic(err)
	}
	r.acc = acc
	return r
}

// table lays rows out in files; file n is seen n seconds after the last record
// in it was due.
func (r *run) table(rows [][]row) (*memory, []File) {
	m := &memory{files: map[string][]row{}}
	var files []File
	for i, part := range rows {
		name := fmt.Sprintf("file-%d", i)
		m.files[name] = part
		files = append(files, File{
			Path: name, Rows: uint64(len(part)), Snapshot: int64(100 + i), Sequence: int64(i),
			Seen: r.exp.At(uint64((i+1)*len(r.rows)/r.files)) + time.Second, Timed: true,
		})
	}
	slices.Reverse(files) // the order must not matter
	return m, files
}

func (r *run) clean() [][]row {
	out := make([][]row, r.files)
	for seq, row := range r.rows {
		i := seq * r.files / len(r.rows)
		out[i] = append(out[i], row)
	}
	return out
}

func options(offsets bool) Options {
	o := Options{
		Layout:    Layout{EventID: "id", Content: []Content{{"amount", 1, generators.Long}}},
		LateAfter: 15 * time.Second, ContentRows: 1 << 40, SampleRows: 1,
	}
	if offsets {
		o.Layout.Topic, o.Layout.Partition, o.Layout.Offset = "topic", "partition", "offset"
	}
	return o
}

func seqs(f Findings) []uint64 {
	var out []uint64
	for _, e := range f.Examples {
		out = append(out, e.Seq)
	}
	slices.Sort(out)
	return out
}

// TestDetectsExactly: over many runs with faults at random places, with and
// without offset columns, whole and sampled, the result names exactly the
// records that were harmed, and nothing in a clean run.
func TestDetectsExactly(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 7))
		for _, mode := range []struct {
			name             string
			offsets, sampled bool
		}{{"offsets", true, false}, {"ids", false, false}, {"offsets sampled", true, true}, {"ids sampled", false, true}} {
			r := newRun(rng, 2000+rng.Uint64N(1500))
			harm := harm(rng, r, seed%5 == 0)
			m, files := r.table(harm.files)
			o := options(mode.offsets)
			if mode.sampled {
				o.ContentRows = 1
			}
			fresh := 0
			o.Freshness = func(_, f time.Duration, n int64) {
				if fresh += int(n); f <= 0 {
					t.Fatalf("seed %d: freshness %v", seed, f)
				}
			}
			got, err := Reconcile(t.Context(), r.acc, r.exp, Table{m, files}, o)
			if err != nil {
				t.Fatal(err)
			}
			harm.check(t, fmt.Sprintf("seed %d, %s", seed, mode.name), got, mode.offsets, mode.sampled)
			if want := int(r.acc.Sent) - len(harm.dropped); fresh != want {
				t.Errorf("seed %d, %s: freshness of %d records, want %d", seed, mode.name, fresh, want)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// harmed is a table with faults and the truth about them.
type harmed struct {
	files                           [][]row
	dropped, doubled, altered, held []uint64
	invented                        int
}

func harm(rng *rand.Rand, r *run, clean bool) harmed {
	h := harmed{files: r.clean()}
	if clean {
		return h
	}
	pick := rng.Perm(len(r.rows))
	take := func() (out []uint64) {
		for range rng.IntN(6) {
			out = append(out, uint64(pick[0]))
			pick = pick[1:]
		}
		slices.Sort(out)
		return out
	}
	h.dropped, h.doubled, h.altered, h.held, h.invented = take(), take(), take(), take(), rng.IntN(4)
	return h.settle(rng, r)
}

// settle does the harm: held, doubled and invented rows come in a last file, a
// long while later.
func (h harmed) settle(rng *rand.Rand, r *run) harmed {
	last, invented := []row{}, h.invented
	for i, part := range h.files {
		var kept []row
		for _, rw := range part {
			seq, _ := r.exp.Open(rw.id)
			if slices.Contains(h.altered, seq) {
				rw.amount++
			}
			if !slices.Contains(h.dropped, seq) && !slices.Contains(h.held, seq) {
				kept = append(kept, rw)
			}
			if slices.Contains(h.held, seq) || slices.Contains(h.doubled, seq) {
				last = append(last, rw)
			}
		}
		h.files[i] = kept
	}
	for range min(rng.IntN(4), len(r.holes)) { // somebody else's record landed too
		last = append(last, r.holes[0])
		r.holes = r.holes[1:]
		h.invented++
	}
	for range min(rng.IntN(3), len(r.holes)) { // somebody copied a record of ours
		seq := uint64(rng.IntN(len(r.rows)))
		if slices.Contains(h.dropped, seq) || slices.Contains(h.held, seq) || slices.Contains(h.doubled, seq) || slices.Contains(h.altered, seq) {
			continue
		}
		copied := r.rows[seq]
		copied.partition, copied.offset = r.holes[0].partition, r.holes[0].offset
		r.holes = r.holes[1:]
		last = append(last, copied)
		h.doubled = append(h.doubled, seq)
		slices.Sort(h.doubled)
	}
	for range invented { // a stranger at an offset whose own record arrived
		for {
			rw := r.rows[rng.IntN(len(r.rows))]
			if seq, _ := r.exp.Open(rw.id); !slices.Contains(h.dropped, seq) && !slices.Contains(h.held, seq) {
				rw.id = []byte("0123456789abcdef")
				last = append(last, rw)
				break
			}
		}
	}
	h.files = append(h.files, make([][]row, 100)...) // a long while later
	h.files[len(h.files)-1] = last
	return h
}

func (h harmed) check(t *testing.T, where string, got Result, offsets, sampled bool) {
	t.Helper()
	for _, c := range []struct {
		class string
		got   Findings
		want  []uint64
	}{
		{"missing", got.Missing, h.dropped},
		{"duplicate", got.Duplicate, h.doubled},
		{"corrupt", got.Corrupt, h.altered},
		{"late", got.Late, h.held},
	} {
		if sampled && (c.class == "corrupt" || c.class == "duplicate") {
			continue // counted below: a sample sees some of them
		}
		if c.got.Count != uint64(len(c.want)) || !slices.Equal(seqs(c.got), c.want) {
			t.Errorf("%s: %d %s %v, want %v", where, c.got.Count, c.class, seqs(c.got), c.want)
		}
	}
	unexpected := uint64(h.invented)
	if !offsets {
		if got.Unattributed < unexpected && !sampled {
			t.Errorf("%s: %d unattributed, want %d", where, got.Unattributed, unexpected)
		}
		unexpected = 0
	}
	if got.Unexpected.Count != unexpected {
		t.Errorf("%s: %d unexpected, want %d", where, got.Unexpected.Count, unexpected)
	}
	if sampled && got.Duplicate.Count != uint64(len(h.doubled)) && offsets {
		t.Errorf("%s: %d duplicate, want %d", where, got.Duplicate.Count, len(h.doubled))
	}
	for _, e := range got.Missing.Examples {
		if e.Offset < 0 && offsets {
			t.Errorf("%s: missing record %d without its offset", where, e.Seq)
		}
	}
}

// TestOtherRunsDisturbNothing: rows of others outside the window, before and
// after, leave the result clean.
func TestOtherRunsDisturbNothing(t *testing.T) {
	r := newRun(rand.New(rand.NewPCG(1, 2)), 1000)
	files := r.clean()
	for p, w := range r.acc.Window {
		for _, o := range []int64{w.First - 1, w.End, w.End + 100} {
			files[3] = append(files[3], row{[]byte("another run's id"), int64(p), o, 5})
		}
	}
	files[0] = append(files[0], row{[]byte("another run's id"), 17, 3, 5})
	m, list := r.table(files)
	got, err := Reconcile(t.Context(), r.acc, r.exp, Table{m, list}, options(true))
	if err != nil || got.Seen != 1000 || got.Keys.State != Clean || got.Contents.State != Clean {
		t.Errorf("result %+v, %v", got, err)
	}
}

// TestAlteredIdentity: a row whose event_id was changed is a corrupt record, not
// a missing and an unexpected one.
func TestAlteredIdentity(t *testing.T) {
	r := newRun(rand.New(rand.NewPCG(1, 2)), 1000)
	r.rows[500].id = []byte("scrambled id....")
	r.rows[501].id = nil
	m, list := r.table(r.clean())
	got, err := Reconcile(t.Context(), r.acc, r.exp, Table{m, list}, options(true))
	if err != nil || !slices.Equal(seqs(got.Corrupt), []uint64{500, 501}) ||
		got.Missing.Count+got.Unexpected.Count+got.Duplicate.Count != 0 {
		t.Errorf("corrupt %v, missing %d, unexpected %d, %v", seqs(got.Corrupt), got.Missing.Count, got.Unexpected.Count, err)
	}
}

// TestUncertainRecords: a record without an answer may be there or not; one that
// surely failed must not be.
func TestUncertainRecords(t *testing.T) {
	r := newRun(rand.New(rand.NewPCG(1, 2)), 1000)
	r.acc.Unknown.Add(10) // there
	r.acc.Unknown.Add(11) // not there
	r.acc.Failed.Add(12)  // there all the same
	files := r.clean()
	files[0] = slices.DeleteFunc(files[0], func(rw row) bool { return rw.amount == 1011 })
	m, list := r.table(files)
	got, err := Reconcile(t.Context(), r.acc, r.exp, Table{m, list}, options(true))
	if err != nil || got.Missing.Count != 0 || got.Unexpected.Count != 1 || got.Seen != 998 {
		t.Errorf("missing %d, unexpected %d, seen %d, %v", got.Missing.Count, got.Unexpected.Count, got.Seen, err)
	}
}

// TestFileLiveTwice: a file that the table holds twice doubles its rows.
func TestFileLiveTwice(t *testing.T) {
	r := newRun(rand.New(rand.NewPCG(1, 2)), 1000)
	m, list := r.table(r.clean())
	list = append(list, list[4])
	got, err := Reconcile(t.Context(), r.acc, r.exp, Table{m, list}, options(true))
	if err != nil || got.Duplicate.Count != 100 || got.Keys.State != Dirty {
		t.Errorf("duplicate %d, %v", got.Duplicate.Count, err)
	}
}
