package probe

import (
	"encoding/binary"
	"time"
)

// remembered bounds the records of a partition that are remembered.
const remembered = 1000

// fate is what is known of one record.
type fate int

const (
	sent  fate = iota // neither acknowledged nor seen
	acked             // acknowledged, not seen
	seen              // read back
	lost              // acknowledged, and not read back in time
	gone              // not acknowledged: nobody knows
)

// trace is one record on its way.
type trace struct {
	seq  uint64
	at   time.Time // sent; with the monotonic clock
	fate fate
	by   [2]*stats // of the broker that led the partition then, and of the partition
}

// track follows the records of one partition, in the order of their numbers. It
// knows no network.
type track struct {
	own     *stats // of the partition
	next    uint64
	traces  []trace // by number, ascending and without holes
	highest uint64  // number after the highest one that was read back
}

// send begins a record and returns its number.
func (t *track) send(now time.Time, by *stats) uint64 {
	seq := t.next
	t.next++
	r := trace{seq: seq, at: now, by: [2]*stats{by, t.own}}
	r.count(func(s *stats) { s.inFlight++ })
	t.traces = append(t.traces, r)
	if len(t.traces) > remembered {
		t.settle(&t.traces[0], gone)
		t.traces = append(t.traces[:0], t.traces[1:]...)
	}
	return seq
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
	if r.fate == sent {
		r.fate = acked
	}
}

// receive notes that a record was read back. One that had been given up, or that
// the broker had not acknowledged, counts as received all the same.
func (t *track) receive(seq uint64, now time.Time) {
	r := t.find(seq)
	switch {
	case r == nil:
		return
	case r.fate == seen:
		r.count(func(s *stats) { s.duplicate++ })
		return
	}
	t.settle(r, seen)
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
		case r.fate == acked && now.Sub(r.at) > patience:
			t.settle(r, lost)
			r.count(func(s *stats) { s.lost++ })
		case r.fate == sent && now.Sub(r.at) > 2*patience: // the client is not sure, and keeps it
			t.settle(r, gone)
			r.count(func(s *stats) { s.failed++ })
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
