package loadtest

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
	"github.com/lakeproof/lakeproof/loadtest/hop"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// prepareStream makes the topic, notes where it ends and looks at the table.
func (r *run) prepareStream(ctx context.Context, s *Stream) error {
	spec := kafka.TopicSpec{Name: s.Topic, Partitions: s.Partitions, Replication: s.Replication}
	if s.Retention > 0 {
		spec.Config = map[string]string{"retention.ms": fmt.Sprint(s.Retention.Milliseconds())}
	}
	topic, err := r.systems.kafka.EnsureTopic(ctx, spec)
	if err != nil {
		return err
	}
	for _, d := range topic.Differs {
		r.log.Warn("the topic differs from the scenario and is left as it is",
			"topic", s.Topic, "setting", d.Key, "want", d.Want, "have", d.Have)
	}
	s.Partitions = topic.Partitions
	sr, err := newStreamRun(s, r.plan, r.start)
	if err != nil {
		return err
	}
	ends, err := r.systems.kafka.EndOffsets(ctx, []string{s.Topic})
	if err != nil {
		return err
	}
	sr.first = byPartition(ends[s.Topic], s.Partitions)
	sr.end = sr.first
	if s.Table != "" {
		sr.table = hop.NewTable(r.systems.catalog, s.Table, r.poll(), r.log)
		if sr.baseline, err = sr.table.Baseline(ctx); err != nil {
			return err
		}
		if sr.buried, err = r.lettersNow(ctx, s); err != nil {
			return err
		}
	}
	r.streams = append(r.streams, sr)
	return nil
}

// describe makes run.json as it is known before the first record.
func (r *run) describe() *runFile {
	f := &runFile{
		Format: runFormat, Version: runVersion, State: stateRunning, RunID: r.plan.RunID,
		Seed: r.plan.Scenario.Seed, Embedded: r.plan.Lab.Embedded, Start: r.start, Overrides: r.plan.overrides,
	}
	for _, s := range r.streams {
		rs := runStream{
			Name: s.Name, Topic: s.Topic, Partitions: s.Partitions, Table: s.Table,
			Intended: s.Schedule.Count(), First: s.first, End: s.end,
		}
		if s.baseline != nil {
			rs.Baseline = s.baseline.CurrentSnapshotID
			if snap, ok := s.baseline.Current(); ok {
				rs.Sequence = snap.SequenceNumber
			}
		}
		f.Streams = append(f.Streams, rs)
	}
	return f
}

// watch starts the sink and every hop. The group ends when ctx does.
func (r *run) watch(ctx context.Context) (*errgroup.Group, error) {
	if err := r.openSink(); err != nil {
		return nil, err
	}
	if err := r.openConsumer(); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.consumer.Run(ctx) })
	for _, cfg := range r.plan.Lab.Spark {
		if cfg.Checkpoint == "" {
			continue
		}
		s := hop.NewSpark(r.systems.store, cfg.App, cfg.Checkpoint, 0, r.log)
		if err := s.Baseline(ctx); err != nil {
			return nil, fmt.Errorf("reading the checkpoint of %s: %w", cfg.App, err)
		}
		r.sparks = append(r.sparks, s)
		group.Go(func() error { return s.Run(ctx, func(b hop.Batch) { r.sawBatch(cfg.App, b) }) })
	}
	for _, s := range r.streams {
		if s.table == nil {
			continue
		}
		group.Go(func() error { return s.table.Run(ctx, func(snap hop.Snapshot) { r.sawSnapshot(s, snap) }) })
		if r.store == nil && s.baseline != nil {
			r.store = hop.NewStore(r.systems.store, s.baseline.MetadataLocation, 0, r.log)
			group.Go(func() error { return r.store.Run(ctx) })
		}
	}
	r.samples.start()
	if r.opt.Exposition != nil {
		r.opt.Exposition.run.Store(r)
	}
	return group, nil
}

func (r *run) openSink() error {
	p := r.plan.Scenario.Producer
	cfg := sink.KafkaConfig{
		Run: RunNumber(r.plan.RunID), Linger: p.Linger, Compression: p.Compression, DeliveryTimeout: p.DeliveryTimeout,
	}
	for _, s := range r.streams {
		cfg.Topics = append(cfg.Topics, s.Topic)
	}
	out, err := sink.NewKafka(r.plan.Lab.Kafka, cfg, (*bookkeeper)(r), r.log)
	r.sink = out
	return err
}

func (r *run) openConsumer() (err error) {
	cfg := hop.ConsumerConfig{Run: RunNumber(r.plan.RunID), Topics: map[string]hop.ConsumerTopic{}, OnRecord: r.consumed}
	for _, s := range r.streams {
		start := map[int32]int64{}
		for p, o := range s.first {
			start[int32(p)] = o
		}
		cfg.Topics[s.Topic] = hop.ConsumerTopic{Streams: []uint16{s.Number}, Start: start}
	}
	r.consumer, err = hop.NewConsumer(r.plan.Lab.Kafka, cfg, r.log)
	return err
}

// since is a moment as seconds since the start of the run.
func (r *run) since(t time.Time) float64 { return t.Sub(r.start).Seconds() }

// consumed notes a record that the consumer found on the topic.
func (r *run) consumed(stream uint16, seq uint64, intended, seen time.Time) {
	if int(stream) >= len(r.streams) {
		return
	}
	s := r.streams[stream]
	s.consumed.Add(1)
	s.mu.Lock()
	fresh := s.ontopic.Add(seq)
	if !fresh {
		s.again++
	}
	s.mu.Unlock()
	if fresh {
		s.consume.record(intended.Sub(r.start), seen.Sub(intended))
	}
}

func (r *run) sawBatch(app string, b hop.Batch) {
	r.seen.add(sighting{
		Kind: "batch", Hop: app, Batch: b.ID, QueryID: b.QueryID, Planned: b.Planned,
		OffsetsAt: r.since(b.OffsetsSeen), Seen: r.since(b.CommitSeen), Starts: b.Starts, Ends: b.Ends,
	})
}

func (r *run) sawSnapshot(s *streamRun, snap hop.Snapshot) {
	g := sighting{
		Kind: "snapshot", Hop: s.Table, Seen: r.since(snap.FirstSeen), SnapshotID: snap.ID,
		Sequence: snap.SequenceNumber, Committed: snap.Timestamp, Summary: snap.Summary,
		Bound: snap.PollBound.Seconds(),
	}
	if snap.ParentID != nil {
		g.ParentID = *snap.ParentID
	}
	r.seen.add(g)
	if added, ok := snap.AddedRecords(); ok && added > 0 && snap.Operation() != "replace" {
		rows := uint64(added)
		before := s.landed.Add(rows) - rows
		n := &news{snap, s.start.Add(s.Schedule.At(before)), s.start.Add(s.Schedule.At(before + rows - min(1, rows)))}
		s.news.Store(n)
		s.estimate(*n, before, rows)
	}
}

// news is the newest snapshot and the intended times of about its first and
// last record, for the live view: the exact figures come from reconciliation.
type news struct {
	hop.Snapshot
	oldest, newest time.Time
}

// bookkeeper takes what the sink says into the ledger.
type bookkeeper run

// Acked implements sink.Books.
func (k *bookkeeper) Acked(stream uint16, seq uint64, t sink.Times) {
	s := k.streams[stream]
	s.acked.Add(1)
	s.mu.Lock()
	s.ackedSet.Add(seq)
	if s.poison != nil && s.poison.Has(seq) {
		s.letters.Add(1)
	}
	s.mu.Unlock()
	intended := t.Intended.Sub(k.start)
	s.service.record(intended, t.Acked.Sub(t.Sent))
	s.corrected.record(intended, t.Acked.Sub(t.Intended))
	s.scheduler.record(intended, t.Sent.Sub(t.Intended))
}

// Batch implements sink.Books.
func (k *bookkeeper) Batch(b sink.Batch) {
	r := (*run)(k)
	r.books.Lock()
	defer r.books.Unlock()
	err := r.journal.Add(ledgerBatch(b, r.start))
	if x := r.streams[b.Stream].index; x != nil && err == nil {
		err = x.Add(ledgerBatch(b, r.start))
	}
	if err != nil {
		r.fail(err)
	}
}

// Lost implements sink.Books.
func (k *bookkeeper) Lost(stream uint16, seq uint64, certain bool, err error) {
	s := k.streams[stream]
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.unknown
	if certain {
		set = s.failed
	}
	if set.Add(seq) && set.Len() <= 10 {
		k.log.Warn("a record was not acknowledged", "stream", s.Name, "seq", seq, "written",
			map[bool]string{true: "no", false: "unknown"}[certain], "err", err)
	}
}
