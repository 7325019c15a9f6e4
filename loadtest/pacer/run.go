package pacer

import (
	"context"
	"time"
)

// tick is how long the pacer sleeps when nothing is due. A record waits at
// most this long and the scheduler's own jitter for its turn.
const tick = time.Millisecond

// SendFunc sends the records from up to, but not including, to; all are due.
// It may block when the system pushes back: the schedule does not wait, the
// records that became due meanwhile come with the next call.
type SendFunc func(ctx context.Context, from, to uint64) error

// Run walks the schedule in real time from start on and returns when every
// record was handed to send, when send returns an error, or when ctx ends.
// It returns the number of records handed over, which are always the first
// ones: nothing is ever skipped.
func Run(ctx context.Context, s Schedule, start time.Time, send SendFunc) (uint64, error) {
	timer := time.NewTimer(max(0, time.Until(start)))
	defer timer.Stop()
	var next uint64
	for {
		select {
		case <-ctx.Done():
			return next, ctx.Err()
		case <-timer.C:
		}
		due := s.Due(time.Since(start))
		if due > next {
			if err := send(ctx, next, due); err != nil {
				return next, err
			}
			next = due
		}
		if next >= s.Count() {
			return next, nil
		}
		timer.Reset(max(0, min(wait(s, next, start), 20*tick)))
	}
}

// wait is the time until record next is due, but at least one tick, so that at
// a high rate the records of a millisecond leave together.
func wait(s Schedule, next uint64, start time.Time) time.Duration {
	until := time.Until(start.Add(s.At(next)))
	return max(until, tick)
}
