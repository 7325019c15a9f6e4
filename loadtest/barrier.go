package loadtest

import (
	"context"
	"fmt"
	"time"

	"github.com/lakeproof/lakeproof/loadtest/ledger"
)

// barrier waits for the end of the journey: the topics' end offsets, then for
// each table a snapshot that covers them. Records still absent then get the
// grace to arrive late. A deadline that passes is not an error: what is not
// there is missing.
func (r *run) barrier(ctx context.Context) error {
	r.samples.phase("drain")
	b := r.plan.Scenario.Barrier
	ctx, cancel := context.WithTimeout(ctx, b.Deadline)
	defer cancel()
	if err := r.endOffsets(ctx); err != nil {
		return fmt.Errorf("reading the end offsets at the barrier: %w", err)
	}
	r.await(ctx, r.consumerDone)
	for _, s := range r.streams {
		if s.table == nil {
			continue
		}
		if err := r.findPoison(s); err != nil {
			return err
		}
		r.await(ctx, func() bool { return r.covered(s) })
		if !r.settled(s) && ctx.Err() == nil {
			r.samples.phase("grace")
			grace, stop := context.WithTimeout(ctx, b.Grace)
			r.await(grace, func() bool { return r.settled(s) })
			stop()
		}
		r.awaitLetters(ctx, s)
	}
	return nil
}

// await asks ten times a second until the answer is yes or ctx ends.
func (r *run) await(ctx context.Context, done func() bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// endOffsets notes where each topic ends now that nothing more is sent. A
// broker that is just coming back is asked again until ctx ends.
func (r *run) endOffsets(ctx context.Context) error {
	var topics []string
	for _, s := range r.streams {
		topics = append(topics, s.Topic)
	}
	for {
		ends, err := r.systems.kafka.EndOffsets(ctx, topics)
		if err == nil {
			for _, s := range r.streams {
				s.end = byPartition(ends[s.Topic], s.Partitions)
			}
			return nil
		}
		r.log.Warn("end offsets at the barrier", "err", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

func byPartition(offsets map[int32]int64, n int32) []int64 {
	out := make([]int64, n)
	for p := range out {
		out[p] = offsets[int32(p)]
	}
	return out
}

// consumerDone reports whether the consumer has read up to the end offsets.
func (r *run) consumerDone() bool {
	at := r.consumer.Position()
	for _, s := range r.streams {
		for p, end := range s.end {
			if at[s.Topic][int32(p)] < end {
				return false
			}
		}
	}
	return true
}

// covered reports whether the table has had its chance to hold everything that
// was sent: a Spark batch up to the end offsets is committed, and its snapshot,
// which was committed before, must have been seen by now. Without a checkpoint
// to read, it is the number of rows that tells.
func (r *run) covered(s *streamRun) bool {
	if len(r.sparks) == 0 {
		return r.complete(s)
	}
	return r.seen.any(func(g sighting) bool {
		return g.Kind == "batch" && covers(g, s.Topic, s.end) &&
			time.Since(s.start).Seconds()-g.Seen > 4*r.poll().Seconds()
	})
}

// complete reports whether the snapshots added as many rows as were acknowledged.
func (r *run) complete(s *streamRun) bool { return s.landed.Load() >= s.owed() }

// settled reports whether every snapshot holds what its batch should and all
// together as many rows as were acknowledged: nothing more is to come. A table
// with rows too many or too few somewhere never settles, so late records get
// the whole grace.
func (r *run) settled(s *streamRun) bool {
	t := snapshots{topic: s.Topic, table: s.Table, dead: s.dead}
	return s.landed.Load() == s.owed() && t.tier(r.seen.all(), nil).State != ledger.Dirty
}

func (r *run) poll() time.Duration {
	if r.opt.Poll > 0 {
		return r.opt.Poll
	}
	return 250 * time.Millisecond
}
