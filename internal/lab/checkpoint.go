//go:build !nolab

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// retainedBatches is spark.sql.streaming.minBatchesToRetain.
const retainedBatches = 100

// sparkConf are the settings that Spark 4.1.3 keeps with each batch, because a
// restart must not change them. They mean nothing here, but readers may look
// for them.
//
//nolint:lll // as Spark writes it
const sparkConf = `{"spark.sql.streaming.stateStore.providerClass":"org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider",` +
	`"spark.sql.streaming.stateStore.rocksdb.formatVersion":"5","spark.sql.streaming.stateStore.encodingFormat":"unsaferow",` +
	`"spark.sql.streaming.statefulOperator.useStrictDistribution":"true","spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion":"2",` +
	`"spark.sql.streaming.multipleWatermarkPolicy":"min","spark.sql.streaming.aggregation.stateFormatVersion":"2",` +
	`"spark.sql.shuffle.partitions":"4","spark.sql.streaming.join.stateFormatVersion":"2",` +
	`"spark.sql.streaming.stateStore.compression.codec":"lz4","spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan":"false"}`

// offsets are the next offsets to read, by partition. A nil map is "not known
// yet".
type offsets map[int32]int64

func (o offsets) clone() offsets {
	c := make(offsets, len(o))
	maps.Copy(c, o)
	return c
}

// partitions returns the partitions in ascending order.
func (o offsets) partitions() []int32 {
	parts := make([]int32, 0, len(o))
	for p := range o {
		parts = append(parts, p)
	}
	slices.Sort(parts)
	return parts
}

// json is {"topic":{"0":12,"1":7}}, partitions in ascending order.
func (o offsets) json(topic string) []byte {
	var b bytes.Buffer
	name, _ := json.Marshal(topic) // a string cannot fail
	fmt.Fprintf(&b, "{%s:{", name)
	for i, p := range o.partitions() {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%d":%d`, p, o[p])
	}
	b.WriteString("}}")
	return b.Bytes()
}

// parseOffsets reads what [offsets.json] writes.
func parseOffsets(topic string, line []byte) (offsets, error) {
	var topics map[string]offsets
	if err := json.Unmarshal(line, &topics); err != nil {
		return nil, err
	}
	o, ok := topics[topic]
	if !ok {
		return nil, fmt.Errorf("topic %q is not in it", topic)
	}
	return o, nil
}

// checkpoint keeps a query's progress in the files of Spark's offset log and
// commit log, version 1 (OffsetSeqLog, CommitLog): metadata, sources/0/0,
// offsets/N before batch N is run, commits/N after it.
type checkpoint struct {
	files *fileIO
	root  string
	topic string
}

// queryID returns the query's id, and makes it on the first call.
func (c *checkpoint) queryID() (string, error) {
	data, err := c.files.ReadFile(c.root + "/metadata")
	if errors.Is(err, fs.ErrNotExist) {
		id := uuid.NewString()
		return id, c.write("metadata", fmt.Appendf(nil, `{"id":%q}`, id))
	}
	if err != nil {
		return "", fmt.Errorf("reading the checkpoint's metadata: %w", err)
	}
	var meta struct{ ID string }
	if err := json.Unmarshal(data, &meta); err != nil || meta.ID == "" {
		return "", fmt.Errorf("reading the checkpoint's metadata: no id in %q", data)
	}
	return meta.ID, nil
}

// initial returns where the first batch starts, or nil when that is not
// written yet.
func (c *checkpoint) initial() (offsets, error) {
	data, err := c.files.ReadFile(c.root + "/sources/0/0")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint's first offsets: %w", err)
	}
	_, line, _ := bytes.Cut(data, []byte("\n"))
	o, err := parseOffsets(c.topic, line)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint's first offsets: %w", err)
	}
	return o, nil
}

// writeInitial keeps where the first batch starts. Spark writes a zero byte
// before the version, for readers older than 2.1.
func (c *checkpoint) writeInitial(o offsets) error {
	return c.write("sources/0/0", append([]byte("\x00v1\n"), o.json(c.topic)...))
}

// plan writes offsets/N: what batch N will have read when it is done.
func (c *checkpoint) plan(epoch int64, end offsets, atMillis int64) error {
	head := fmt.Sprintf(`{"batchWatermarkMs":0,"batchTimestampMs":%d,"conf":%s}`, atMillis, sparkConf)
	return c.write(fmt.Sprintf("offsets/%d", epoch), fmt.Appendf(nil, "v1\n%s\n%s", head, end.json(c.topic)))
}

// commit writes commits/N and forgets the batches that Spark would forget.
func (c *checkpoint) commit(epoch int64) error {
	if err := c.write(fmt.Sprintf("commits/%d", epoch), []byte("v1\n"+`{"nextBatchWatermarkMs":0}`)); err != nil {
		return err
	}
	old := epoch - retainedBatches
	if old < 0 {
		return nil
	}
	for _, dir := range []string{"offsets", "commits"} {
		if err := c.files.Remove(fmt.Sprintf("%s/%s/%d", c.root, dir, old)); err != nil {
			return fmt.Errorf("trimming the checkpoint: %w", err)
		}
	}
	return nil
}

// planned reads offsets/N; nil when there is no such batch.
func (c *checkpoint) planned(epoch int64) (offsets, error) {
	data, err := c.files.ReadFile(fmt.Sprintf("%s/offsets/%d", c.root, epoch))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading offsets of batch %d: %w", epoch, err)
	}
	lines := bytes.Split(data, []byte("\n"))
	if len(lines) != 3 || string(lines[0]) != "v1" {
		return nil, fmt.Errorf("reading offsets of batch %d: not version 1 with one source", epoch)
	}
	o, err := parseOffsets(c.topic, lines[2])
	if err != nil {
		return nil, fmt.Errorf("reading offsets of batch %d: %w", epoch, err)
	}
	return o, nil
}

// latest returns the highest N in a folder (offsets or commits), -1 for none.
func (c *checkpoint) latest(ctx context.Context, folder string) (int64, error) {
	names, err := c.files.list(ctx, c.root+"/"+folder)
	if err != nil {
		return 0, fmt.Errorf("listing the checkpoint: %w", err)
	}
	last := int64(-1)
	for _, name := range names {
		if n, err := strconv.ParseInt(name, 10, 64); err == nil && !strings.HasPrefix(name, "+") {
			last = max(last, n)
		}
	}
	return last, nil
}

func (c *checkpoint) write(name string, data []byte) error {
	if err := c.files.WriteFile(c.root+"/"+name, data); err != nil {
		return fmt.Errorf("writing the checkpoint: %w", err)
	}
	return nil
}
