package probe

import (
	"errors"
	"testing"
	"time"
)

// TestTrack is what becomes of records, and what is counted.
func TestTrack(t *testing.T) {
	begin := time.Now()
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	const patience = 10 * time.Second
	tests := map[string]struct {
		act  func(*track)
		want stats
	}{
		"read back": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.receive(0, 0, at(2)) },
			stats{produced: 1, received: 1, inFlight: 3},
		},
		"read back before the acknowledgement": {
			func(t *track) { t.receive(0, 0, at(1)); t.acknowledge(0, at(2), nil) },
			stats{produced: 1, received: 1, inFlight: 3},
		},
		"never answered": {
			func(t *track) { t.expire(at(21), patience); t.acknowledge(0, at(22), nil) },
			stats{failed: 4},
		},
		"lost": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.expire(at(12), patience) },
			stats{produced: 1, lost: 1, inFlight: 3},
		},
		"lost, and there after all": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.expire(at(12), patience); t.receive(0, 0, at(13)) },
			stats{produced: 1, lost: 1, received: 1, inFlight: 3},
		},
		"acknowledged late is not lost yet": { // the leader was killed, and another one elected
			func(t *track) { t.acknowledge(0, at(9), nil); t.expire(at(11), patience); t.receive(0, 0, at(12)) },
			stats{produced: 1, received: 1, inFlight: 3},
		},
		"not lost yet": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.expire(at(10), patience) },
			stats{produced: 1, inFlight: 4},
		},
		"not read is not lost": {
			func(t *track) {
				t.acknowledge(0, at(1), nil)
				t.unread()
				t.acknowledge(1, at(1), nil)
				t.expire(at(11), patience)
			},
			stats{produced: 2, inFlight: 2},
		},
		"not acknowledged is not lost": {
			func(t *track) { t.acknowledge(0, at(1), errors.New("no")); t.expire(at(11), patience) },
			stats{failed: 1, inFlight: 3},
		},
		"the session ended": {
			func(t *track) { t.drop(0); t.expire(at(11), patience) },
			stats{inFlight: 3},
		},
		"twice": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.receive(0, 0, at(2)); t.receive(0, 1, at(3)) },
			stats{produced: 1, received: 1, duplicate: 1, inFlight: 3},
		},
		"one record read twice": {
			func(t *track) { t.acknowledge(0, at(1), nil); t.receive(0, 7, at(2)); t.receive(0, 7, at(3)) },
			stats{produced: 1, received: 1, inFlight: 3},
		},
		"out of order": {
			func(t *track) { t.receive(1, 0, at(1)); t.receive(0, 1, at(1)); t.receive(2, 2, at(1)) },
			stats{received: 3, reordered: 1, inFlight: 1},
		},
		"in order": {
			func(t *track) { t.receive(0, 0, at(1)); t.receive(1, 1, at(1)); t.receive(2, 2, at(1)) },
			stats{received: 3, inFlight: 1},
		},
		"not ours": {
			func(t *track) { t.receive(99, 0, at(1)); t.acknowledge(99, at(1), nil) },
			stats{inFlight: 4},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			broker, own := newStats("1"), newStats("0")
			tr := &track{own: own}
			for range 4 {
				tr.send(begin, broker, true)
			}
			test.act(tr)
			for _, s := range []*stats{broker, own} {
				got := stats{
					produced: s.produced, failed: s.failed, received: s.received, lost: s.lost,
					duplicate: s.duplicate, reordered: s.reordered, inFlight: s.inFlight,
				}
				if got != test.want {
					t.Errorf("counted %+v, want %+v", got, test.want)
				}
			}
		})
	}
}

// TestTrackIsBounded: records of which nothing is heard do not pile up, neither
// here nor in the client.
func TestTrackIsBounded(t *testing.T) {
	for _, answers := range []bool{true, false} {
		broker := newStats("1")
		tr := &track{own: newStats("0")}
		now := time.Now()
		handed := 0
		for i := range 10 * remembered {
			if _, ok := tr.send(now.Add(time.Duration(i)*time.Millisecond), broker, true); ok {
				handed++
				if answers {
					tr.waiting--
				}
			}
		}
		if len(tr.traces) > remembered || broker.inFlight > remembered {
			t.Errorf("%d traces, %d in flight", len(tr.traces), broker.inFlight)
		}
		if !answers && (handed != remembered || broker.failed != 9*remembered) {
			t.Errorf("%d records for a client that does not answer, %v failed", handed, broker.failed)
		}
		tr.expire(now.Add(time.Hour), time.Second)
		if len(tr.traces) != 0 || broker.inFlight != 0 {
			t.Errorf("after an hour: %d traces, %d in flight", len(tr.traces), broker.inFlight)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(1, 2))
	f.Add([]byte("somebody else's"))
	f.Fuzz(func(t *testing.T, value []byte) {
		if seq, ours := decode(value, 1); ours && string(encode(1, seq)) != string(value) {
			t.Errorf("%x is ours", value)
		}
	})
}
