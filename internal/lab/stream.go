//go:build !nolab

package lab

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/lakeproof/lakeproof/generators/encode"
)

// The keys of a snapshot's summary that Spark's Iceberg sink writes
// (SparkWrite.BaseStreamingWrite), and the name of this engine.
const (
	summaryQuery  = "spark.sql.streaming.queryId"
	summaryEpoch  = "spark.sql.streaming.epochId"
	summaryEngine = "engine-name"
	engineName    = "lakeproof-embedded"
)

// maxRowsPerBatch bounds what a batch reads: iceberg-go's memory grows with it.
const maxRowsPerBatch = 200_000

// stream is one streaming query: a topic, a table and a checkpoint. It is run
// by one goroutine.
type stream struct {
	Stream
	trigger time.Duration
	delay   time.Duration
	log     *slog.Logger

	source     *source
	catalog    *catalog
	checkpoint *checkpoint
	decoder    encode.Decoder
	saboteur   *saboteur
	columns    *arrow.Schema // of the table
	deadSchema *arrow.Schema

	queryID string
	epoch   int64   // of the next batch
	from    offsets // where it starts; nil before the topic exists
	replan  offsets // where it ends, if a run before this one has planned it
	held    []heldRow

	mu       sync.Mutex
	progress progress
}

// progress is what others may know of a stream.
type progress struct {
	committed offsets // of the last batch that was committed; never changed
	held      int     // rows that wait for a later batch
}

// app is the name of a stream's query: the table's name with underscores.
func app(s Stream) string { return strings.ReplaceAll(s.Table, ".", "_") }

// prepare makes the table and finds the place where the query stands.
func (s *stream) prepare(ctx context.Context) error {
	if err := s.catalog.ensure(ctx, identifier(s.Table), landingSchema(s.Schema)); err != nil {
		return err
	}
	t, err := s.catalog.load(ctx, identifier(s.Table))
	if err != nil {
		return err
	}
	if s.columns, err = arrowSchema(t.Schema()); err != nil {
		return err
	}
	if s.deadSchema, err = arrowSchema(deadLetterSchema()); err != nil {
		return err
	}
	if s.queryID, err = s.checkpoint.queryID(); err != nil {
		return err
	}
	return s.locate(ctx)
}

// locate reads the checkpoint: the next batch is the first that is not
// committed.
func (s *stream) locate(ctx context.Context) error {
	committed, err := s.checkpoint.latest(ctx, "commits")
	if err != nil {
		return err
	}
	s.epoch = committed + 1
	if committed < 0 {
		s.from, err = s.checkpoint.initial()
	} else {
		s.from, err = s.checkpoint.planned(committed)
	}
	if err == nil {
		s.replan, err = s.checkpoint.planned(s.epoch)
	}
	if err != nil {
		return err
	}
	s.publish(progress{committed: s.from})
	return nil
}

// run runs batches until ctx is done.
func (s *stream) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		began := time.Now()
		if err := s.step(ctx, began); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("running batch %d of %s: %w", s.epoch, app(s.Stream), err)
		}
		timer.Reset(max(0, s.trigger-time.Since(began)))
	}
}

// step runs one batch if there is anything to do.
func (s *stream) step(ctx context.Context, now time.Time) error {
	b, err := s.next(ctx, now)
	if b == nil || err != nil {
		return err
	}
	if err := s.checkpoint.plan(b.epoch, b.end, now.UnixMilli()); err != nil {
		return err
	}
	if err := b.run(ctx); err != nil {
		return err
	}
	if err := s.checkpoint.commit(b.epoch); err != nil {
		return err
	}
	s.epoch, s.from, s.replan = b.epoch+1, b.end, nil
	s.saboteur.confirm(b.acts)
	s.held = append(s.held, b.hold...)
	s.publish(progress{committed: b.end, held: len(s.held)})
	s.log.Debug("batch committed", "query", app(s.Stream), "batch", b.epoch, "rows", b.written,
		"dead_letters", len(b.dead), "duration", time.Since(now))
	return nil
}

// next returns the next batch, nil when there is nothing to do.
func (s *stream) next(ctx context.Context, now time.Time) (*batch, error) {
	if s.from == nil {
		if err := s.begin(ctx); err != nil || s.from == nil {
			return nil, err
		}
	}
	end, err := s.end(ctx)
	if err != nil {
		return nil, err
	}
	due := s.takeDue(now)
	if end == nil && len(due) == 0 {
		return nil, nil
	}
	if end == nil {
		end = s.from // only rows that were held back
	}
	return &batch{stream: s, epoch: s.epoch, from: s.from, end: end, due: due, at: now}, nil
}

// begin fixes where the first batch starts, once the topic is there.
func (s *stream) begin(ctx context.Context) error {
	start, err := s.source.starts(ctx)
	if err != nil || len(start) == 0 {
		return err
	}
	if err := s.checkpoint.writeInitial(start); err != nil {
		return err
	}
	s.from = start
	return nil
}

// end plans the end of the next batch: the one that was planned before a crash,
// or what is in the topic now, at most maxRowsPerBatch records, shared out by
// backlog. It is nil when there is nothing new.
func (s *stream) end(ctx context.Context) (offsets, error) {
	if s.replan != nil {
		return s.replan, nil
	}
	ends, err := s.source.ends(ctx)
	if err != nil {
		return nil, err
	}
	var backlog int64
	for p, at := range ends {
		backlog += max(0, at-s.from[p])
	}
	if backlog == 0 {
		return nil, nil
	}
	end := s.from.clone()
	for p, at := range ends {
		n := max(0, at-s.from[p])
		if backlog > maxRowsPerBatch {
			n = (n*maxRowsPerBatch + backlog - 1) / backlog
		}
		end[p] = s.from[p] + n
	}
	return end, nil
}

func (s *stream) publish(p progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress = p
}

func (s *stream) progressNow() progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.progress
}

// takeDue returns the held rows whose time has come.
func (s *stream) takeDue(now time.Time) []heldRow {
	var due, rest []heldRow
	for _, h := range s.held {
		if now.Before(h.until) {
			rest = append(rest, h)
		} else {
			due = append(due, h)
		}
	}
	s.held = rest
	return due
}

// lastEpoch returns the epoch of the query's newest snapshot among the
// ancestors of the current one, -1 for none: Iceberg's guard against writing a
// batch twice (SparkWrite.findLastCommittedEpochId).
func lastEpoch(t *table.Table, queryID string) (int64, error) {
	for snap := t.CurrentSnapshot(); snap != nil; {
		if snap.Summary != nil && snap.Summary.Properties[summaryQuery] == queryID {
			epoch, err := strconv.ParseInt(snap.Summary.Properties[summaryEpoch], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the epoch of snapshot %d: %w", snap.SnapshotID, err)
			}
			return epoch, nil
		}
		if snap.ParentSnapshotID == nil {
			break
		}
		snap = t.SnapshotByID(*snap.ParentSnapshotID)
	}
	return -1, nil
}

// summary is what a batch's snapshot says about itself.
func (s *stream) summary(epoch int64) iceberg.Properties {
	return iceberg.Properties{
		summaryQuery:  s.queryID,
		summaryEpoch:  strconv.FormatInt(epoch, 10),
		summaryEngine: engineName,
	}
}
