package kafka

import (
	"errors"
	"testing"
	"time"
)

// A broker that did not answer is left alone for a while, and for the whole of a
// collection that began meanwhile; the next one asks it again.
func TestStalledBrokerRests(t *testing.T) {
	now := time.Now()
	w := &wire{limit: 3 * time.Second, peers: map[int32]*peer{1: {stalled: now}, 2: {}}}
	w.begin()
	rests := func(broker int32, after time.Duration) bool {
		_, _, err := w.find(broker, now.Add(after))
		return errors.Is(err, errStalled)
	}
	if !rests(1, 3500*time.Millisecond) || !rests(1, 6500*time.Millisecond) {
		t.Error("it is asked again half-way through a collection")
	}
	if rests(2, 0) {
		t.Error("one that answers is not asked")
	}
	w.begin()
	if rests(1, 6500*time.Millisecond) {
		t.Error("the next collection does not ask it")
	}
	if _, limit, _ := w.find(1, now.Add(7*time.Second)); limit != w.limit/2 {
		t.Errorf("it has %v to answer", limit)
	}
}
