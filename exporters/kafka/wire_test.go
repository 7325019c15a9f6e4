package kafka

import (
	"context"
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

// A broker that left a question open for which it needs others, or that answered
// something else meanwhile, may have halted: until it answers again, it has less time
// for what is asked next in the same collection.
func TestDoubtedBrokerIsAskedBriefly(t *testing.T) {
	const patience = 3 * time.Second
	w := &wire{limit: patience, peers: map[int32]*peer{1: {}}}
	limit := func() time.Duration {
		_, limit, err := w.find(1, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return limit
	}
	w.begin()
	w.note(1, time.Now(), true, errors.New("the group is gone"))
	if limit() != patience {
		t.Errorf("%v for a broker that answered with an error", limit())
	}
	w.note(1, time.Now(), true, context.DeadlineExceeded)
	if limit() != patience/3 {
		t.Errorf("%v in the same collection", limit())
	}
	w.note(1, time.Now(), false, nil)
	if limit() != patience {
		t.Errorf("%v for one that answered meanwhile", limit())
	}
	w.note(1, time.Now().Add(-time.Hour), false, context.DeadlineExceeded)
	if limit() != patience/3 {
		t.Errorf("%v for one that answered something else meanwhile", limit())
	}
	w.begin()
	if limit() != patience {
		t.Errorf("%v in the next collection", limit())
	}
	w.note(1, time.Now(), false, context.DeadlineExceeded) // the control: a question for it alone
	if _, _, err := w.find(1, time.Now()); !errors.Is(err, errStalled) {
		t.Errorf("one that stalls: %v", err)
	}
}
