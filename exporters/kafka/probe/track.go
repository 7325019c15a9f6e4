package probe

import (
	"encoding/binary"
	"time"
)

// remembered bounds the records of a partition that are remembered: all that are
// sent within twice the patience.
const remembered = 2*maxUnderWay + 24

// fate is what is known of one record.
type fate int

const (
	sent  fate = iota // neither acknowledged nor seen
	acked             // acknowledged, not seen
	seen              // read back
	lost              // acknowledged, and not read back in time
	gone              // given up, or not to be read
)

// trace is one record on its way.
type trace struct {
	seq    uint64
	at     time.Time // sent; with the monotonic clock
	acked  time.Time // by the broker, perhaps after an election
	fate   fate
	read   bool      // whether its partition is read, so that it can be lost
	offset int64     // where it was seen
	by     [2]*stats // of the broker that led the partition then, and of the partition
}

// track follows the records of one partition, in the order of their numbers. It
// knows no network.
type track struct {
	own     *stats // of the partition
	next    uint64
	traces  []trace // by number, ascending and without holes
	highest uint64  // number after the highest one that was read back
	waiting int     // records that the client has not answered for
}

// send begins a record and returns its number. Where the client has not answered
// for many, the record has failed before it is sent.
func (t *track) send(now time.Time, by *stats, read bool) (seq uint64, ok bool) {
	r := trace{seq: t.next, at: now, read: read, by: [2]*stats{by, t.own}}
	if t.waiting >= remembered {
		r.count(func(s *stats) { s.failed++ })
		return 0, false
	}
	t.next++
	t.waiting++
	r.count(func(s *stats) { s.inFlight++ })
	t.traces = append(t.traces, r)
	if len(t.traces) > remembered {
		t.settle(&t.traces[0], gone)
		t.traces = append(t.traces[:0], t.traces[1:]...)
	}
	return r.seq, true
}

// count changes what is counted of the broker and of the partition.
func (r *trace) count(change func(*stats)) {
	for _, s := range r.by {
		change(s)
	}
}

// find returns the trace of a number, or nil when it is not remembered.
func (t *track) find(seq uint64) *trace {
	if len(t.traces) == 0 || seq < t.traces[0].seq || seq >= t.next {
		return nil
	}
	return &t.traces[seq-t.traces[0].seq]
}

// settle ends a record that is under way.
func (t *track) settle(r *trace, to fate) {
	if r.fate == sent || r.fate == acked {
		r.count(func(s *stats) { s.inFlight-- })
	}
	r.fate = to
}

// drop ends a record of which nothing will be known, and counts nothing.
func (t *track) drop(seq uint64) {
	if r := t.find(seq); r != nil && r.fate == sent {
		t.settle(r, gone)
	}
}

// unread says that what is under way will not be read, so that it cannot be lost.
func (t *track) unread() {
	for i := range t.traces {
		r := &t.traces[i]
		if r.fate == sent || r.fate == acked {
			r.read = false
		}
		if r.fate == acked {
			t.settle(r, gone)
		}
	}
}

// acknowledge notes the broker's answer.
func (t *track) acknowledge(seq uint64, now time.Time, err error) {
	r := t.find(seq)
	if r == nil || r.fate == gone {
		return
	}
	if err != nil {
		r.count(func(s *stats) { s.failed++ })
		if r.fate == sent {
			t.settle(r, gone)
		}
		return
	}
	r.count(func(s *stats) {
		s.produced++
		s.produce.Observe(now.Sub(r.at).Seconds())
	})
	switch {
	case r.fate == sent && r.read:
		r.fate, r.acked = acked, now
	case r.fate == sent:
		t.settle(r, gone)
	}
}

// receive notes that a record was read back, at an offset. One that had been
// given up, or that the broker had not acknowledged, counts as received all the
// same; one that is read again where it was seen does not count as doubled.
func (t *track) receive(seq uint64, offset int64, now time.Time) {
	r := t.find(seq)
	switch {
	case r == nil || !r.read:
		return
	case r.fate == seen && r.offset == offset:
		return
	case r.fate == seen:
		r.count(func(s *stats) { s.duplicate++ })
		return
	}
	t.settle(r, seen)
	r.offset = offset
	late := seq < t.highest
	t.highest = max(t.highest, seq+1)
	r.count(func(s *stats) {
		s.received++
		s.endToEnd.Observe(now.Sub(r.at).Seconds())
		if late {
			s.reordered++
		}
	})
}

// expire gives up what was acknowledged and not read back in time, and forgets
// what is long past.
func (t *track) expire(now time.Time, patience time.Duration) {
	for i := range t.traces {
		switch r := &t.traces[i]; {
		case r.fate == acked && now.Sub(r.acked) > patience:
			t.settle(r, lost)
			r.count(func(s *stats) { s.lost++ })
		case r.fate == sent && now.Sub(r.at) > 2*patience: // the client is not sure, and keeps it
			r.count(func(s *stats) { s.failed++ })
			t.settle(r, gone)
		}
	}
	n := 0
	for n < len(t.traces) && t.traces[n].fate >= seen && now.Sub(t.traces[n].at) > 2*patience {
		n++
	}
	t.traces = append(t.traces[:0], t.traces[n:]...)
}

// size is the length of a record's value: the run and the number.
const size = 16

func encode(run, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, size), run), seq)
}

// decode returns the number of a record of this run.
func decode(value []byte, run uint64) (seq uint64, ours bool) {
	if len(value) != size || binary.BigEndian.Uint64(value) != run {
		return 0, false
	}
	return binary.BigEndian.Uint64(value[8:]), true
}
