package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// copies is the delivery of a test: the slots of each record.
type copies map[uint64][]uint64

func (c copies) Slots(record uint64) (first, second uint64, count int) {
	at := c[record]
	switch len(at) {
	case 0:
		return 0, 0, 0
	case 1:
		return at[0], 0, 1
	default:
		return at[0], at[1], 2
	}
}

// delivered is a run in which records were late, doubled, dropped and poisoned
// on purpose, and its dead letters.
type delivered struct {
	*run
	sends   copies
	letters []row
	dropped uint64 // a record that was never sent
}

func newDelivered(rng *rand.Rand, slots uint64) *delivered {
	d := &delivered{run: newRun(rng, slots), sends: copies{}}
	d.exp.truth = make([]uint64, slots)
	next, old := uint64(0), []uint64(nil)
	d.acc.Poison = NewSet(slots)
	for slot := range slots {
		switch n := rng.IntN(100); {
		case n < 3 && len(old) > 0: // a second copy, often of a neighbour in the same batch
			i := len(old) - 1 - rng.IntN(min(len(old), 5))
			d.exp.truth[slot] = old[i]
			old = slices.Delete(old, i, i+1)
		default:
			if n < 6 { // one that is never sent
				d.dropped = next
				next++
			}
			d.exp.truth[slot] = next
			if n < 10 {
				d.acc.Poison.Add(slot)
			} else {
				old = append(old, next)
			}
			next++
		}
		n := d.exp.truth[slot]
		d.sends[n] = append(d.sends[n], slot)
		id := d.exp.id(n)
		d.rows[slot].id, d.rows[slot].amount = id[:], 1000+int64(n)
	}
	d.acc.Sends = d.sends
	d.acc.Bury(d.exp)
	d.acc.Poison.Ranges(func(r Range) bool {
		for slot := r.First; slot <= r.Last; slot++ {
			d.letters = append(d.letters, d.rows[slot])
		}
		return true
	})
	return d
}

// alive are the slots that belong in the table.
func (d *delivered) alive() []uint64 {
	var out []uint64
	for slot := range d.acc.Sent {
		if d.acc.Owed(slot) {
			out = append(out, slot)
		}
	}
	return out
}

func (d *delivered) tableOf(slots []uint64, more ...row) (*memory, []File) {
	parts := make([][]row, d.files)
	for _, slot := range slots {
		i := int(slot) * d.files / len(d.rows)
		parts[i] = append(parts[i], d.rows[slot])
	}
	parts[0] = append(parts[0], more...)
	return d.table(parts)
}

// TestDeliberateFaultsAreNoHarm: with and without offsets, whole and sampled, a
// table as the faults make it is clean, and one that was harmed shows the harm
// and nothing else.
func TestDeliberateFaultsAreNoHarm(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 11))
		d := newDelivered(rng, 2000+rng.Uint64N(1000))
		alive := d.alive()
		for _, offsets := range []bool{true, false} {
			for _, sampled := range []bool{false, true} {
				o := options(offsets)
				if sampled {
					o.ContentRows = 1
				}
				name := fmt.Sprintf("seed %d, offsets %v, sampled %v", seed, offsets, sampled)
				m, files := d.tableOf(alive)
				got, err := Reconcile(t.Context(), d.acc, d.exp, Table{m, files}, o)
				if err != nil {
					t.Fatal(err)
				}
				if got.Missing.Count+got.Duplicate.Count+got.Corrupt.Count+got.Unexpected.Count != 0 ||
					got.Seen != uint64(len(alive)) || got.Keys.State != Clean || got.Contents.State == Dirty {
					t.Fatalf("%s: %+v", name, got)
				}
				d.harmed(t, rng, name, alive, o)
			}
		}
	}
}

func (d *delivered) harmed(t *testing.T, rng *rand.Rand, name string, alive []uint64, o Options) {
	t.Helper()
	alive = slices.Clone(alive)
	rng.Shuffle(len(alive), func(i, j int) { alive[i], alive[j] = alive[j], alive[i] })
	lost, doubled, rest := alive[:3], alive[3:6], alive[3:]
	more := []row{d.rows[doubled[0]], d.rows[doubled[1]], d.rows[doubled[2]]}
	risen := d.letters[0]
	never := row{d.idOf(d.dropped), d.letters[1].partition, d.letters[1].offset, 1}
	more = append(more, risen, never)
	m, files := d.tableOf(rest, more...)
	got, err := Reconcile(t.Context(), d.acc, d.exp, Table{m, files}, o)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lost)
	slices.Sort(doubled)
	// Without offsets the rows of a record's two copies are the same, so it is the
	// record that is missing or doubled.
	same := func(found Findings, slots []uint64) bool {
		if o.Layout.Offsets() {
			return slices.Equal(seqs(found), slots)
		}
		return slices.Equal(d.records(seqs(found)), d.records(slots))
	}
	if o.Layout.Offsets() || d.apart(lost, doubled) {
		if !same(got.Missing, lost) || got.Duplicate.Count != 3 || o.ContentRows > 1 && !same(got.Duplicate, doubled) {
			t.Fatalf("%s: missing %v, want %v; duplicate %v (%d), want %v", name,
				seqs(got.Missing), lost, seqs(got.Duplicate), got.Duplicate.Count, doubled)
		}
	}
	if got.Corrupt.Count != 0 || got.Unexpected.Count != 2 || got.Keys.State != Dirty {
		t.Fatalf("%s: corrupt %v, unexpected %+v, %s", name, got.Corrupt, got.Unexpected, got.Keys.State)
	}
}

// apart reports whether no record lost one copy and doubled the other: without
// offsets such rows cancel out.
func (d *delivered) apart(a, b []uint64) bool {
	for _, n := range d.records(a) {
		if slices.Contains(d.records(b), n) {
			return false
		}
	}
	return true
}

func (d *delivered) records(slots []uint64) []uint64 {
	var out []uint64
	for _, slot := range slots {
		out = append(out, d.exp.truth[slot])
	}
	slices.Sort(out)
	return out
}

func (d *delivered) idOf(record uint64) []byte {
	id := d.exp.id(record)
	return id[:]
}

// TestBuried: dead letters as they should be, and with every kind of harm.
func TestBuried(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 13))
		d := newDelivered(rng, 2000+rng.Uint64N(1000))
		look := func(letters []row, shared bool) Buried {
			m, files := d.table([][]row{letters})
			b, err := d.acc.Buried(t.Context(), d.exp, Table{m, files}, options(true).Layout, shared)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		elsewhere := row{nil, 0, d.acc.Window[0].End, 0} // another run's
		if b := look(append(slices.Clone(d.letters), elsewhere), false); b.Harm() != 0 || b.Slots.Len() != uint64(len(d.letters)) {
			t.Fatalf("seed %d: %+v", seed, b)
		}
		living := d.alive()[rng.IntN(100)]
		spoilt := append(slices.Clone(d.letters[2:]), d.letters[5], d.rows[living], d.hole())
		b := look(spoilt, false)
		if b.Missing.Count != 2 || b.Again.Count != 1 || b.Alive.Count != 1 || b.Foreign.Count != 1 ||
			b.Alive.Examples[0].Seq != living || b.Harm() != 5 {
			t.Fatalf("seed %d: %+v", seed, b)
		}
		if b := look(spoilt, true); b.Foreign.Count != 0 {
			t.Fatalf("seed %d: foreign letters on a shared topic", seed)
		}
		if got := d.acc.Graves(0, 0, 1<<40) + d.acc.Graves(1, 0, 1<<40) + d.acc.Graves(2, 0, 1<<40); got != int64(len(d.letters)) {
			t.Fatalf("seed %d: %d graves, %d letters", seed, got, len(d.letters))
		}
	}
}

// hole is a row of somebody else.
func (d *delivered) hole() row {
	var found row
	for p := range d.acc.Window {
		d.acc.Index.Holes(int32(p), func(first, _ int64) bool {
			found = row{nil, int64(p), first, 0}
			return false
		})
	}
	return found
}

func TestFindingsAreSorted(t *testing.T) {
	f := Findings{Examples: []Example{{Seq: 5}, {Seq: 1}, {Seq: 3}}}
	f.sort()
	if got := strings.Trim(fmt.Sprint(seqs(f), f.Examples[0].Seq), "[]"); got != "1 3 5] 1" {
		t.Error(got)
	}
}
