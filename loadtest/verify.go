package loadtest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/table"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// Verify reconciles a run again from its folder and the table as it is now, and
// writes its reports anew. Sending figures are those of the run.
func Verify(ctx context.Context, dir string, lab config.Lab, opt Options) (*report.Report, error) {
	plan, file, err := reopen(dir, lab)
	if err != nil {
		return nil, err
	}
	sys := &systems{}
	if err := sys.lakehouse(plan); err != nil {
		return nil, err
	}
	defer sys.close()
	if sys.catalog != nil {
		contact, cancel := context.WithTimeout(ctx, contactTimeout)
		defer cancel()
		if err := sys.greetTables(contact, plan); err != nil {
			return nil, err
		}
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	v := &verification{plan: plan, file: file, dir: dir, systems: sys, log: opt.Logger, about: opt.About}
	rep, err := v.report(ctx, nil)
	if err != nil {
		return nil, err
	}
	if old, err := report.Read(dir); err == nil {
		rep.KeepFrom(old)
	}
	return rep, report.Write(dir, rep)
}

// reopen makes the plan of a run again from its folder.
func reopen(dir string, lab config.Lab) (*Plan, *runFile, error) {
	file, err := readRun(dir)
	if err != nil {
		return nil, nil, err
	}
	s, err := loadFolder(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("reading run folder %q: %w", dir, err)
	}
	o := Overrides{
		Seed: &file.Seed, RunID: file.RunID, Rate: file.Overrides.Rate,
		Duration: time.Duration(file.Overrides.Duration * float64(time.Second)),
	}
	lab.Embedded = file.Embedded
	plan, err := NewPlan(s, lab, o)
	if err != nil {
		return nil, nil, err
	}
	if len(plan.Streams) != len(file.Streams) {
		return nil, nil, bad("the scenario in the folder is not the one that was run",
			"reading run folder %q: %d streams in %s, %d in %s", dir,
			len(plan.Streams), scenarioFileName, len(file.Streams), runFileName)
	}
	for i := range plan.Streams {
		plan.Streams[i].Partitions = file.Streams[i].Partitions
	}
	return plan, file, nil
}

// verification finds the verdict of a run whose sending is over.
type verification struct {
	plan    *Plan
	file    *runFile
	dir     string
	systems *systems
	log     *slog.Logger
	about   Environment

	seen    []sighting
	streams []*verified
	torn    bool // the journal's last line was cut off
}

// verified is one stream after its reconciliation.
type verified struct {
	*Stream
	file      *runStream
	account   *ledger.Account
	result    ledger.Result
	tiers     []ledger.Tier
	possible  []string
	used      report.Columns // of the table
	freshness *latency
	bins      *freshBins
	lastSeen  time.Duration // when the last record was seen
	deletes   int           // delete files, which reconciliation does not apply
	buried    ledger.Buried // among the dead letters
	noLetters bool          // the table of dead letters is not there
}

// reconcile reads the folder and the tables.
func (v *verification) reconcile(ctx context.Context) error {
	v.plan.meetReaders()
	var err error
	if v.seen, err = readSightings(v.dir); err != nil {
		return err
	}
	indexes := make([]*ledger.Index, len(v.plan.Streams))
	last := make([]uint64, len(indexes)) // one more than the highest acknowledged number
	for i := range indexes {
		indexes[i] = &ledger.Index{}
	}
	n, torn, err := ledger.ReadBatches(v.dir, func(b ledger.Batch) error {
		if int(b.Stream) >= len(indexes) {
			return fail.New(fail.Usage, "the journal is of another run", "reading %s: stream %d", ledger.BatchesFile, b.Stream)
		}
		last[b.Stream] = max(last[b.Stream], b.LastSeq+1)
		return indexes[b.Stream].Add(b)
	})
	if err != nil {
		return err
	}
	if v.file.State == stateComplete && (torn || n != v.file.Batches) {
		return fail.New(fail.Usage, "the folder is not whole: copy all of it",
			"reading run folder %q: %s holds %d of %d batches", v.dir, ledger.BatchesFile, n, v.file.Batches)
	}
	v.torn = torn
	for i := range v.plan.Streams {
		s, err := v.open(i, indexes[i], last[i])
		if err != nil {
			return err
		}
		if s.Table != "" {
			if err := v.reconcileTable(ctx, s); err != nil {
				return fmt.Errorf("reconciling stream %q: %w", s.Name, err)
			}
		}
		v.streams = append(v.streams, s)
	}
	return nil
}

// open makes a stream's account from the folder.
func (v *verification) open(i int, index *ledger.Index, last uint64) (*verified, error) {
	s, f := &v.plan.Streams[i], &v.file.Streams[i]
	if err := index.Sort(); err != nil {
		return nil, err
	}
	sent := f.Sent
	if v.file.State != stateComplete {
		sent = last
		f.Sent, f.Intended = last, last
	}
	count := s.Schedule.Count()
	if sent > count {
		return nil, bad("the scenario in the folder is not the one that was run",
			"reading run folder %q: stream %q sent %d records of %d", v.dir, s.Name, sent, count)
	}
	acc := &ledger.Account{
		Number: s.Number, Topic: s.Topic, Sent: sent, Index: index,
		Failed: ledger.NewSet(sent), Unknown: ledger.NewSet(sent),
	}
	for _, r := range f.Failed {
		acc.Failed.AddRange(r)
	}
	for _, r := range f.Unknown {
		acc.Unknown.AddRange(r)
	}
	for p := range f.First {
		// A run that was killed, or whose broker was gone at the barrier, does not
		// know its end offsets; its own records then tell.
		end := f.End[p]
		if _, e, ok := index.Bounds(int32(p)); ok {
			end = max(end, e)
		}
		acc.Window = append(acc.Window, ledger.OffsetWindow{First: f.First[p], End: end})
	}
	phases := s.Schedule.Phases()
	return &verified{
		Stream: s, file: f, account: acc,
		freshness: newLatency(phases, v.plan.Scenario.Warmup), bins: newFreshBins(s.Schedule.Duration()),
	}, nil
}

// reconcileTable reads the data files that the table has now and had not before
// the run.
func (v *verification) reconcileTable(ctx context.Context, s *verified) error {
	t, _, err := v.systems.catalog.LoadTable(ctx, s.Table, catalog.LoadOptions{})
	if err != nil {
		return err
	}
	layout, possible, err := s.layout(t)
	if err != nil {
		return err
	}
	s.possible = possible
	s.used = report.Columns{
		EventID: layout.EventID, Topic: layout.Topic, Partition: layout.Partition, Offset: layout.Offset,
	}
	files, doubled, err := v.newFiles(ctx, s, t)
	if err != nil {
		return err
	}
	spec := v.plan.Scenario.Verify
	exp, err := newVerifier(s.Stream, v.plan.RunID, v.file.Start, s.account.Sent)
	if err != nil {
		return err
	}
	if exp.courier != nil {
		exp.courier.tell(s.account, exp)
		if err := v.exhume(ctx, s, exp); err != nil {
			return err
		}
	}
	s.result, err = ledger.Reconcile(ctx, s.account, exp, ledger.Table{
		Scanner: &scanner{v.systems.store, t},
		Files:   files,
	}, ledger.Options{
		Shared: s.Shared, Layout: layout, LateAfter: v.plan.Scenario.LateAfter,
		ContentRows: spec.ContentRows, SampleRows: spec.SampleRows,
		Freshness: func(intended, took time.Duration, n int64) {
			s.freshness.recordN(intended, took, n)
			s.bins.record(intended, took, n)
			s.lastSeen = max(s.lastSeen, intended+took)
		},
	})
	if err != nil {
		return err
	}
	snaps := snapshots{topic: s.Topic, table: s.Table}
	if s.faults != nil {
		snaps.dead = s.account
	}
	t0 := snaps.tier(v.seen, doubled)
	s.tiers = []ledger.Tier{t0, s.result.Keys, s.result.Contents}
	return nil
}

// old reports whether a data file was in the table before the run. Tables of
// format version 1 have no sequence numbers; there the order of the snapshots
// tells.
func (s *verified) old(t *catalog.Table, f table.File) bool {
	if s.file.Baseline == nil {
		return false
	}
	if f.Sequence > 0 {
		return f.Sequence <= s.file.Sequence
	}
	place := func(id int64) int {
		return slices.IndexFunc(t.SnapshotLog, func(e catalog.LogEntry) bool { return e.SnapshotID == id })
	}
	added, before := place(f.SnapshotID), place(*s.file.Baseline)
	return added <= before // one that the log has forgotten is older than all it knows
}

// newFiles returns the live data files that came after the baseline snapshot,
// each as often as it is live, with the moment their snapshot was seen.
func (v *verification) newFiles(ctx context.Context, s *verified, t *catalog.Table) ([]ledger.File, []string, error) {
	snap, ok := t.Current()
	if !ok {
		return nil, nil, nil
	}
	live, err := v.systems.files.LiveFiles(ctx, snap)
	if err != nil {
		return nil, nil, err
	}
	s.deletes = live.DeleteFiles
	when := map[int64]sighting{}
	for _, g := range v.seen {
		if g.Kind == "snapshot" && g.Hop == s.Table {
			when[g.SnapshotID] = g
		}
	}
	var files []ledger.File
	for _, f := range live.Data {
		if s.old(t, f) {
			continue
		}
		g, seen := when[f.SnapshotID]
		seen = seen && g.Summary["operation"] != "replace"
		for range f.Live {
			files = append(files, ledger.File{
				Path: f.Path, Rows: uint64(f.Records), Bytes: f.Size, Snapshot: f.SnapshotID, Sequence: f.Sequence,
				Seen: time.Duration(g.Seen * float64(time.Second)), Timed: seen,
			})
		}
	}
	var doubled []string
	for _, f := range live.Doubled() {
		doubled = append(doubled, fmt.Sprintf("data file %s is live %d times", f.Path, f.Live))
	}
	return files, doubled, nil
}
