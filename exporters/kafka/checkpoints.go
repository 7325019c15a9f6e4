package kafka

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	// checkpointTimeout bounds the reading of one checkpoint.
	checkpointTimeout = 2500 * time.Millisecond
	// checkpointsAtOnce bounds how many are read at the same time.
	checkpointsAtOnce = 8
)

// checkpointReader reads how far a Spark query has come. It remembers the last
// batch that it read: while no other is committed, two listings are all that a
// collection asks of the store.
type checkpointReader struct {
	Checkpoint
	files *spark.Checkpoint

	batch   int64 // that offsets is of; noBatch: none yet
	offsets map[string]map[int32]int64

	// of the collection under way
	found *consumer
	err   error
}

const noBatch = -2 // -1 is what was there before the first batch

func newCheckpointReaders(opts Options) []*checkpointReader {
	out := make([]*checkpointReader, 0, len(opts.Checkpoints))
	for _, c := range opts.Checkpoints {
		out = append(out, &checkpointReader{Checkpoint: c, files: spark.Open(opts.Files, c.URI), batch: noBatch})
	}
	return out
}

// readCheckpoints reads all checkpoints.
func (y *cycle) readCheckpoints(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkpointTimeout)
	defer cancel()
	slots := make(chan struct{}, checkpointsAtOnce)
	var wait sync.WaitGroup
	for _, r := range y.checkpoints {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r.found = nil
			if r.err = r.read(ctx); r.err == nil {
				r.found = r.consumer(y.snap)
			}
		})
	}
	wait.Wait()
}

// read finds the offsets up to which the query has committed.
func (r *checkpointReader) read(ctx context.Context) error {
	notes, err := r.files.List(ctx)
	if err != nil {
		return err
	}
	if len(notes.Planned) == 0 && len(notes.Committed) == 0 {
		return fail.New(fail.Usage, "start the query once, or correct the checkpoint's location",
			"reading checkpoint %s: there is no batch in it", r.files.URI())
	}
	last := notes.Last()
	if last == r.batch {
		return nil
	}
	offsets, err := r.at(ctx, last, notes)
	if err != nil {
		return err
	}
	r.batch, r.offsets = last, offsets
	return nil
}

// at reads the offsets behind a batch; behind none is where the sources began.
func (r *checkpointReader) at(
	ctx context.Context, batch int64, notes spark.Listing,
) (map[string]map[int32]int64, error) {
	if batch >= 0 {
		planned, err := r.files.Offsets(ctx, batch)
		if err != nil {
			return nil, err
		}
		return planned.Ends(), nil
	}
	first, err := r.files.Offsets(ctx, notes.Planned[0].Batch)
	if err != nil {
		return nil, err
	}
	out := map[string]map[int32]int64{}
	for i, s := range first.Sources {
		if s.Topics == nil {
			continue
		}
		initial, err := r.files.Initial(ctx, i)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		spark.Merge(out, initial)
	}
	return out, nil
}

// consumer is the query as a consumer of the topics that the cluster has.
func (r *checkpointReader) consumer(s *snapshot) *consumer {
	c := &consumer{group: r.Name, source: sourceCheckpoint, coordinator: -1, complete: true}
	for name, partitions := range r.offsets {
		t := s.byName[name]
		if t == nil {
			continue
		}
		e := consumed{topic: t, commits: make([]commit, 0, len(partitions))}
		for i := range t.partitions {
			if offset, ok := partitions[t.partitions[i].number]; ok && offset >= 0 {
				e.commits = append(e.commits, commit{i, offset})
			}
		}
		c.topics = append(c.topics, e)
	}
	return c
}

// errSameName is what is wrong with a checkpoint that is called like a group.
var errSameName = errors.New("a group of Kafka has that name; give the checkpoint another")

// addCheckpoints adds the consumers that keep their offsets in checkpoints to
// those of Kafka. No two have the same name.
func (y *cycle) addCheckpoints() {
	names := make(map[string]bool, len(y.consumers))
	for _, c := range y.consumers {
		names[c.group] = true
	}
	for _, r := range y.checkpoints {
		switch {
		case r.err != nil:
		case names[r.Name]:
			r.err = fmt.Errorf("reading checkpoint %s: %w", r.Name, errSameName)
		default:
			y.consumers = append(y.consumers, r.found)
		}
	}
}

// emitCheckpoints writes the consumers that keep their offsets in checkpoints,
// one part each.
func (y *cycle) emitCheckpoints() {
	for _, r := range y.checkpoints {
		p := y.out.Part(partOf("checkpoint", r.Name))
		if r.err != nil {
			p.Fail(r.err)
			continue
		}
		y.emitAbout([]*consumer{r.found}, p)
		y.emitLag([]*consumer{r.found}, p)
	}
}
