// Package spark reads what a Spark Structured Streaming query writes to its
// checkpoint: which batches it planned, which it committed, and up to which
// Kafka offsets. The files are there whether or not the driver lives.
//
// A value flows like this: [Open] names a checkpoint on a store,
// [Checkpoint.QueryID], [Checkpoint.Offsets] and [Checkpoint.Committed] each
// read one small file of a known name, [Checkpoint.Batches] lists which there
// are. The formats are those of Spark's HDFSMetadataLog: OffsetSeqLog in
// versions 1 and 2, CommitLog, StreamMetadata, and the initial offsets of the
// Kafka source. A file that is not there is fs.ErrNotExist; one that is not as
// it should be is an error that names it.
//
// It does not write to a checkpoint, talk to a driver or poll.
package spark

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// maxFile bounds one file of a checkpoint: 10,000 partitions need a tenth.
const maxFile = 8 << 20

// Files reads the store that holds a checkpoint; [objectstore.Store] does.
type Files interface {
	// ReadFile returns a whole file of at most limit bytes. A file that does not
	// exist is fs.ErrNotExist.
	ReadFile(ctx context.Context, uri string, limit int64) ([]byte, error)
	// List returns the files below a folder; none where it does not exist.
	List(ctx context.Context, folder string) ([]objectstore.Entry, error)
}

// Checkpoint is the checkpoint of one query. It is safe for concurrent use.
type Checkpoint struct {
	files Files
	root  string
}

// Open names a checkpoint, such as s3://bucket/checkpoints/query or
// file:///checkpoints/query. It reads nothing.
func Open(files Files, uri string) *Checkpoint {
	return &Checkpoint{files: files, root: strings.TrimRight(uri, "/")}
}

// URI is where the checkpoint is.
func (c *Checkpoint) URI() string { return c.root }

// QueryID returns the id of the query, which is also in the summaries of the
// snapshots that it commits. It changes when the checkpoint is wiped.
func (c *Checkpoint) QueryID(ctx context.Context) (string, error) {
	data, err := c.read(ctx, "metadata")
	if err != nil {
		return "", err
	}
	id, err := parseMetadata(data)
	return id, c.bad("metadata", err)
}

// Offsets returns what a batch was planned to read.
func (c *Checkpoint) Offsets(ctx context.Context, batch int64) (*Offsets, error) {
	name := "offsets/" + strconv.FormatInt(batch, 10)
	data, err := c.read(ctx, name)
	if err != nil {
		return nil, err
	}
	o, err := ParseOffsets(data)
	return o, c.bad(name, err)
}

// Committed reports whether the commit of a batch is noted. Where Spark tracks
// its progress asynchronously it leaves notes out: a batch is committed when
// it, or a later one, is noted.
func (c *Checkpoint) Committed(ctx context.Context, batch int64) (bool, error) {
	name := "commits/" + strconv.FormatInt(batch, 10)
	data, err := c.read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, c.bad(name, parseCommit(data))
}

// Initial returns where the Kafka source with the given number (0 is the first
// one of the query) began, by topic and partition.
func (c *Checkpoint) Initial(ctx context.Context, source int) (map[string]map[int32]int64, error) {
	name := fmt.Sprintf("sources/%d/0", source)
	data, err := c.read(ctx, name)
	if err != nil {
		return nil, err
	}
	topics, err := parseInitial(data)
	return topics, c.bad(name, err)
}

// Batches lists the batches that are planned and those whose commit is noted,
// both in ascending order. Spark keeps the newest 100 of each
// (spark.sql.streaming.minBatchesToRetain).
func (c *Checkpoint) Batches(ctx context.Context) (planned, committed []int64, err error) {
	l, err := c.List(ctx)
	return ids(l.Planned), ids(l.Committed), err
}

func (c *Checkpoint) read(ctx context.Context, name string) ([]byte, error) {
	data, err := c.files.ReadFile(ctx, c.root+"/"+name, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint: %w", err)
	}
	return data, nil
}

// bad names the file that an error is about.
func (c *Checkpoint) bad(name string, err error) error {
	if err == nil {
		return nil
	}
	return fail.Wrap(fmt.Errorf("reading %s/%s: %w", c.root, name, err), fail.Usage,
		"point spark.checkpoint at the checkpointLocation of a Structured Streaming query (Spark 3 or 4)")
}
