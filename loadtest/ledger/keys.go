package ledger

import (
	"context"
	"fmt"
	"time"
)

// keys is tier T1: the key columns of every new file. With offset columns it
// marks offsets, which cost two bytes a row to read; without them it marks the
// sequence numbers inside event_id.
type keys struct {
	acc    *Account
	exp    Expected
	layout Layout
	late   time.Duration
	fresh  func(intended, freshness time.Duration, records int64)

	file    File
	dirty   map[string]bool // files with something that needs a closer look
	rows    uint64
	result  *Result
	seqs    *Set     // by sequence number, without offset columns
	offsets []*Set   // by partition, less the window's first offset
	cursors []Cursor //
	twice   []*Set   // offsets seen again, by partition
	repeats []spot   // the first of them, at most maxExamples
	pending arrivals // told to fresh when another millisecond begins
	strange uint64   // offsets that no batch of ours holds, or whose record no reader takes
	again   uint64   // rows at an offset that was already seen
}

// arrivals are records of one file that were intended within a millisecond.
type arrivals struct {
	intended time.Duration
	records  int64
}

// spot is a row's place.
type spot struct {
	partition int32
	offset    int64
	file      File
}

func newKeys(acc *Account, exp Expected, o Options, result *Result) *keys {
	k := &keys{
		acc: acc, exp: exp, layout: o.Layout, late: o.LateAfter, fresh: o.Freshness,
		dirty: map[string]bool{}, result: result, seqs: NewSet(acc.Sent),
	}
	if o.Layout.Offsets() {
		for p, w := range acc.Window {
			k.offsets = append(k.offsets, NewSet(uint64(max(0, w.End-w.First))))
			k.twice = append(k.twice, NewSet(uint64(max(0, w.End-w.First))))
			k.cursors = append(k.cursors, acc.Index.Cursor(int32(p)))
		}
	}
	return k
}

// scan reads the files, which must be in commit order.
func (k *keys) scan(ctx context.Context, s Scanner, files []File) error {
	columns := []string{k.layout.EventID}
	visit := k.byID
	if k.layout.Offsets() {
		columns, visit = []string{k.layout.Partition, k.layout.Offset}, k.byOffset
		if k.layout.Topic != "" {
			columns = append(columns, k.layout.Topic)
		}
	}
	for _, f := range files {
		k.file = f
		if err := s.Scan(ctx, f, columns, visit); err != nil {
			return fmt.Errorf("reading the keys of %q: %w", f.Path, err)
		}
		k.tell()
	}
	return nil
}

func (k *keys) byID(c Columns) error {
	k.rows += uint64(c.Len())
	for row, id := range c.Bytes(0) {
		seq, ok := k.exp.Open(id)
		if ok && k.acc.Sends != nil {
			seq, ok = k.acc.claim(seq, k.seqs)
		}
		switch {
		case c.Null(0, row) || !ok || seq >= k.acc.Sent || k.acc.poisoned(seq):
			k.dirty[k.file.Path] = true
		case k.seqs.Add(seq):
			k.arrived(seq, k.exp.At(seq))
		default:
			k.again++
			k.dirty[k.file.Path] = true
		}
	}
	return nil
}

func (k *keys) byOffset(c Columns) error {
	k.rows += uint64(c.Len())
	partitions, offsets := c.Ints(0), c.Ints(1)
	var topics [][]byte
	if k.layout.Topic != "" {
		topics = c.Bytes(2)
	}
	for row, offset := range offsets {
		partition := partitions[row]
		if !k.acc.owns(partition, offset) || c.Null(0, row) || c.Null(1, row) ||
			topics != nil && string(topics[row]) != k.acc.Topic {
			continue
		}
		k.mark(int32(partition), offset)
	}
	return nil
}

// mark notes a row at one of the run's offsets.
func (k *keys) mark(partition int32, offset int64) {
	within := uint64(offset - k.acc.Window[partition].First)
	if !k.offsets[partition].Add(within) {
		k.again++
		k.twice[partition].Add(within)
		k.dirty[k.file.Path] = true
		if len(k.repeats) < maxExamples {
			k.repeats = append(k.repeats, spot{partition, offset, k.file})
		}
		return
	}
	place, ok := k.cursors[partition].Find(offset)
	if ok && k.acc.graves != nil {
		_, dead := k.acc.grave(partition, offset)
		ok = !dead
	}
	if !ok {
		k.strange++
		k.dirty[k.file.Path] = true
		return
	}
	first := k.exp.At(place.FirstSeq)
	intended := first
	if place.Count > 1 {
		span := k.exp.At(place.LastSeq) - first
		intended += span * time.Duration(place.Rank) / time.Duration(place.Count-1)
	}
	if k.late > 0 && k.file.Timed && k.file.Seen-intended > k.late {
		seq := seqAt(k.acc, k.exp, partition, place)
		k.lateRecord(seq, k.exp.At(seq), partition, offset)
		return
	}
	k.observe(intended)
}

// arrived notes the first row of a record that is known by its number.
func (k *keys) arrived(seq uint64, intended time.Duration) {
	if k.late > 0 && k.file.Timed && k.file.Seen-intended > k.late {
		k.lateRecord(seq, intended, k.exp.Partition(seq), -1)
		return
	}
	k.observe(intended)
}

// observe notes the freshness of a record. Records that were intended within
// the same millisecond are told together: the figure's error is the catalog's
// poll period, hundreds of times that.
func (k *keys) observe(intended time.Duration) {
	if !k.file.Timed || k.fresh == nil {
		return
	}
	if after := intended - k.pending.intended; k.pending.records > 0 && after >= 0 && after < time.Millisecond {
		k.pending.records++
		return
	}
	k.tell()
	k.pending = arrivals{intended, 1}
}

func (k *keys) tell() {
	if n := k.pending.records; n > 0 {
		k.fresh(k.pending.intended, k.file.Seen-k.pending.intended, n)
	}
	k.pending.records = 0
}

func (k *keys) lateRecord(seq uint64, intended time.Duration, partition int32, offset int64) {
	k.observe(intended)
	k.result.Late.note(Example{
		EventID: eventID(k.exp, seq), Seq: seq, HasSeq: true, Partition: partition, Offset: offset,
		Snapshot: k.file.Snapshot, File: k.file.Path, Intended: intended,
		Detail: fmt.Sprintf("arrived after %.1f s, allowed %v", (k.file.Seen - intended).Seconds(), k.late),
	})
}

// seen returns the records found, by sequence number. With offset columns it is
// derived: every acknowledged record less those whose offset was not seen.
func (k *keys) seen() *Set {
	if !k.layout.Offsets() {
		return k.seqs
	}
	seen := NewSet(k.acc.Sent)
	missing := NewSet(k.acc.Sent)
	for p, set := range k.offsets {
		first := k.acc.Window[p].First
		cursor := k.acc.Index.Cursor(int32(p))
		set.Gaps(func(r Range) bool {
			for o := r.First; o <= r.Last; o++ {
				if place, ok := cursor.Find(first + int64(o)); ok {
					missing.Add(seqAt(k.acc, k.exp, int32(p), place))
				}
			}
			return true
		})
	}
	missing.Gaps(func(r Range) bool {
		for seq := r.First; seq <= r.Last; seq++ {
			if k.acc.Acked(seq) {
				seen.Add(seq)
			}
		}
		return true
	})
	return seen
}

// seqAt returns the number of the record at a place: the one with the place's
// rank among the batch's numbers that go to its partition.
func seqAt(acc *Account, exp Expected, partition int32, p Place) uint64 {
	if p.LastSeq-p.FirstSeq+1 == uint64(p.Count) {
		return p.FirstSeq + uint64(p.Rank)
	}
	rank := uint32(0)
	for seq := p.FirstSeq; seq <= p.LastSeq; seq++ {
		if exp.Partition(seq) != partition || !acc.Acked(seq) {
			continue
		}
		if rank == p.Rank {
			return seq
		}
		rank++
	}
	return p.LastSeq
}

// offsetOf returns the partition and offset of an acknowledged record; the
// offset is -1 where no batch holds it.
func offsetOf(acc *Account, exp Expected, seq uint64) (int32, int64) {
	partition := exp.Partition(seq)
	offset, ok := acc.Index.Locate(partition, seq, func(first uint64) uint64 {
		n := uint64(0)
		for s := first; s < seq; s++ {
			if acc.Acked(s) && exp.Partition(s) == partition {
				n++
			}
		}
		return n
	})
	if !ok {
		return partition, -1
	}
	return partition, offset
}

func eventID(exp Expected, seq uint64) string { return exp.Event(seq).ID.String() }
