package spark

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// maxNotes bounds what is kept of one listing: the newest. Spark keeps 100.
const maxNotes = 1000

// Note is one file of the offset log or the commit log.
type Note struct {
	Batch int64
	At    time.Time // when it was written, by the store's clock
}

// Listing is what the two logs of a checkpoint hold, in ascending order.
type Listing struct {
	Planned   []Note // offsets/N
	Committed []Note // commits/N
}

// List lists both logs; a checkpoint that does not exist has empty ones. It is
// two requests to the store.
func (c *Checkpoint) List(ctx context.Context) (Listing, error) {
	planned, err := c.list(ctx, "offsets")
	if err != nil {
		return Listing{}, err
	}
	committed, err := c.list(ctx, "commits")
	if err != nil {
		return Listing{}, err
	}
	return Listing{Planned: planned, Committed: committed}, nil
}

// Last returns the last committed batch, -1 for none. A plan says that the
// batch before it is committed, whether that was noted or not.
func (l Listing) Last() int64 {
	last := int64(-1)
	if n := len(l.Committed); n > 0 {
		last = l.Committed[n-1].Batch
	}
	if n := len(l.Planned); n > 1 {
		last = max(last, l.Planned[n-2].Batch)
	}
	return last
}

// Plan returns when a batch was planned.
func (l Listing) Plan(batch int64) (time.Time, bool) { return find(l.Planned, batch) }

// Commit returns when the commit of a batch was noted. Where Spark tracks its
// progress asynchronously, notes are left out.
func (l Listing) Commit(batch int64) (time.Time, bool) { return find(l.Committed, batch) }

func find(notes []Note, batch int64) (time.Time, bool) {
	i, ok := slices.BinarySearchFunc(notes, batch, func(n Note, id int64) int { return cmp.Compare(n.Batch, id) })
	if !ok {
		return time.Time{}, false
	}
	return notes[i].At, true
}

// list returns the files that are named by a number. Others (.crc, temporary
// and delta files) are not batches.
func (c *Checkpoint) list(ctx context.Context, folder string) ([]Note, error) {
	entries, err := c.files.List(ctx, c.root+"/"+folder)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint: %w", err)
	}
	var notes []Note
	for _, e := range entries {
		if id, err := strconv.ParseInt(e.Name, 10, 64); err == nil && id >= 0 && strconv.FormatInt(id, 10) == e.Name {
			notes = append(notes, Note{Batch: id, At: e.ModTime})
		}
	}
	slices.SortFunc(notes, func(a, b Note) int { return cmp.Compare(a.Batch, b.Batch) })
	return slices.Clip(notes[max(0, len(notes)-maxNotes):]), nil
}

func ids(notes []Note) []int64 {
	var out []int64
	for _, n := range notes {
		out = append(out, n.Batch)
	}
	return out
}
