package delivery

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// A snapshot is, in big endian: the magic, the plan's fingerprint, the next
// slot, the next truth record, the version, the count of crowded faults, the
// number of held copies, then each of them in the order in which they are due,
// then the CRC-32C of all that.
const (
	snapshotMagic = "LPDW0001"
	snapshotHead  = len(snapshotMagic) + 6*8
	snapshotHeld  = 5 * 8
	snapshotTail  = 4
	heldTwice     = 1 << 8 // beside the class
)

// Snapshot returns the state of the walk between two calls of Next. The same
// state gives the same bytes. The faults of the last call are not in it: write
// them before.
func (w *Walker) Snapshot() []byte {
	out := make([]byte, 0, snapshotHead+len(w.queue)*snapshotHeld+snapshotTail)
	out = append(out, snapshotMagic...)
	for _, n := range []uint64{
		w.plan.Fingerprint(), w.slot, w.truth, uint64(w.version), w.crowded, uint64(len(w.queue)),
	} {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	sorted := slices.Clone(w.queue)
	slices.SortFunc(sorted, func(a, b held) int {
		if a.before(&b) {
			return -1
		}
		return 1
	})
	for _, h := range sorted {
		kind := uint64(h.class)
		if h.twice {
			kind |= heldTwice
		}
		for _, n := range []uint64{uint64(h.due), h.truth, h.truthSlot, h.sent, kind} {
			out = binary.BigEndian.AppendUint64(out, n)
		}
	}
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(out, crc32.MakeTable(crc32.Castagnoli)))
}

// Restore returns a walker that goes on where the snapshot was taken.
func (p *Plan) Restore(snapshot []byte) (*Walker, error) {
	bad := func(format string, args ...any) error {
		return fail.Wrap(fmt.Errorf("restoring a delivery: "+format, args...), fail.Usage,
			"start the run anew, or resume with the scenario, seed and program that it began with")
	}
	body := len(snapshot) - snapshotTail
	if body < snapshotHead || string(snapshot[:len(snapshotMagic)]) != snapshotMagic {
		return nil, bad("%d bytes are no snapshot of one", len(snapshot))
	}
	sum := binary.BigEndian.Uint32(snapshot[body:])
	if sum != crc32.Checksum(snapshot[:body], crc32.MakeTable(crc32.Castagnoli)) {
		return nil, bad("the snapshot is damaged: its checksum is wrong")
	}
	r := words{snapshot[len(snapshotMagic):body]}
	if of := r.next(); of != p.Fingerprint() {
		return nil, bad("the snapshot is of another plan: %016x, this one is %016x", of, p.Fingerprint())
	}
	w := p.NewWalker()
	w.slot, w.truth, w.version, w.crowded = r.next(), r.next(), uint8(r.next()), r.next()
	count := r.next()
	if w.slot > p.slots || count > uint64(p.maxHeld) || uint64(len(r.left)) != count*snapshotHeld {
		return nil, bad("slot %d of %d, %d held copies in %d bytes", w.slot, p.slots, count, len(r.left))
	}
	for range count {
		h := held{due: int64(r.next()), truth: r.next(), truthSlot: r.next(), sent: r.next()}
		kind := r.next()
		h.class, h.twice = Class(kind), kind&heldTwice != 0
		if kind&^heldTwice > uint64(Duplicate) || h.class == OnTime || h.truth >= w.truth ||
			h.truthSlot > h.sent || h.sent >= w.slot {
			return nil, bad("a held copy of record %d makes no sense", h.truth)
		}
		w.queue.push(h)
	}
	return w, nil
}

// words reads numbers one after the other.
type words struct{ left []byte }

func (w *words) next() uint64 {
	n := binary.BigEndian.Uint64(w.left)
	w.left = w.left[8:]
	return n
}
