//go:build !nolab

package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/generators"
)

// maxReason bounds the reason of a dead letter, in bytes.
const maxReason = 500

// deadLetter is a record that could not be decoded.
type deadLetter struct {
	record *kgo.Record
	reason string
}

// heldRow is a row that the sabotage keeps for a later batch.
type heldRow struct {
	event *generators.Event
	place place
	until time.Time
}

// batch is one micro-batch: the records between two sets of offsets and the
// rows that it leads to.
type batch struct {
	*stream
	epoch     int64
	from, end offsets
	due       []heldRow // rows of earlier batches to write now
	at        time.Time // start; the ingest time of its rows

	written int
	dead    []deadLetter
	acts    []Act
	hold    []heldRow
}

// run reads, decodes and writes; decoding and writing overlap. A batch whose
// epoch the table already has is read again, but not written.
func (b *batch) run(ctx context.Context) error {
	ident := identifier(b.Table)
	t, err := b.catalog.load(ctx, ident)
	if err != nil {
		return err
	}
	last, err := lastEpoch(t, b.queryID)
	if err != nil {
		return err
	}
	if err := b.write(ctx, t, last < b.epoch); err != nil {
		return fmt.Errorf("writing table %s: %w", b.Table, err)
	}
	return b.writeDead(ctx)
}

// write appends the rows, or only goes through the records for their dead
// letters.
func (b *batch) write(ctx context.Context, t *table.Table, missing bool) error {
	ctx, cancel := context.WithCancel(ctx)
	records := newRecordStream(ctx, b.columns)
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		records.finish(b.fill(ctx, records, missing))
	}()
	var err error
	if missing {
		_, err = t.Append(ctx, records, b.summary(b.epoch))
	} else {
		records.discard()
	}
	cancel() // a writer that gave up leaves the other side waiting
	<-filled
	// The reason for a broken stream says more than what the writer made of it.
	if records.err != nil && !errors.Is(records.err, context.Canceled) {
		return records.err
	}
	return err
}

// fill sends the rows of the batch: those that are due, then one for each
// record that can be decoded, but for what the sabotage does. Without write,
// only the dead letters are collected.
func (b *batch) fill(ctx context.Context, out *recordStream, write bool) error {
	rows := newRowBuilder(b.columns, b.Schema.Fields, b.at.UnixMicro())
	ev := generators.NewEvent(b.Schema)
	if write {
		for _, h := range b.due {
			rows.add(h.event, h.place)
		}
	}
	err := b.source.read(ctx, b.from, b.end, func(r *kgo.Record) error {
		if err := b.decoder.Decode(ev, r.Value); err != nil {
			b.dead = append(b.dead, deadLetter{r, reason(err)})
			return nil
		}
		if !write {
			return nil
		}
		if kind := b.treat(); kind == "" {
			rows.add(ev, placeOf(r))
		} else {
			b.mistreat(kind, rows, ev, placeOf(r))
		}
		if rows.rows < rowsPerRecord {
			return nil
		}
		b.written += rows.rows
		return out.send(rows.take())
	})
	if err != nil || rows.rows == 0 {
		return err
	}
	b.written += rows.rows
	return out.send(rows.take())
}

func reason(err error) string {
	text := err.Error()
	return text[:min(len(text), maxReason)]
}

// treat asks the sabotage about the next record.
func (b *batch) treat() Kind {
	if b.saboteur.idle() {
		return ""
	}
	return b.saboteur.take()
}

// mistreat does to a record what the sabotage wants.
func (b *batch) mistreat(kind Kind, rows *rowBuilder, ev *generators.Event, p place) {
	act := Act{kind, p.topic, p.partition, p.offset, ev.ID}
	switch kind {
	case Drop:
	case Duplicate:
		rows.add(ev, p)
		rows.add(ev, p)
	case Corrupt:
		corrupt(b.Schema, ev, target(b.Schema))
		rows.add(ev, p)
	case Delay:
		b.hold = append(b.hold, heldRow{cloneEvent(ev), p, b.at.Add(b.delay)})
	case Foreign:
		rows.add(ev, p)
		ev.ID = b.saboteur.foreignID()
		act.EventID = ev.ID
		rows.add(ev, p)
	}
	b.acts = append(b.acts, act)
}

// writeDead appends the dead letters to their table, unless it has them
// already.
func (b *batch) writeDead(ctx context.Context) error {
	if len(b.dead) == 0 {
		return nil
	}
	name := b.Table + DeadLetterSuffix
	ident := identifier(name)
	if err := b.catalog.ensure(ctx, ident, deadLetterSchema()); err != nil {
		return err
	}
	t, err := b.catalog.load(ctx, ident)
	if err != nil {
		return err
	}
	last, err := lastEpoch(t, b.queryID)
	if err != nil || last >= b.epoch {
		return err
	}
	if err := b.appendDead(ctx, t); err != nil {
		return fmt.Errorf("writing table %s: %w", name, err)
	}
	return nil
}

func (b *batch) appendDead(ctx context.Context, t *table.Table) error {
	rows := newRowBuilder(b.deadSchema, nil, b.at.UnixMicro())
	records := newRecordStream(ctx, b.deadSchema)
	for _, l := range b.dead {
		rows.addDeadLetter(l)
	}
	go func() { records.finish(records.send(rows.take())) }()
	_, err := t.Append(ctx, records, b.summary(b.epoch))
	return err
}
