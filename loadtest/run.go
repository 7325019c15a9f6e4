package loadtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/loadtest/hop"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
	"github.com/lakeproof/lakeproof/loadtest/report"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// Options is what a run needs beside its plan. Every zero value has a default.
type Options struct {
	RunsDir    string        // default "runs"
	Logger     *slog.Logger  // default: discards
	Observer   Observer      // default: none
	Exposition *Exposition   // shows the run as metrics; default: none
	Tracer     trace.Tracer  // nil: no trace context in records
	About      Environment   // for the report
	Poll       time.Duration // of the catalog; default 250ms

	openJournal func(dir string) (*ledger.Journal, error) // default ledger.CreateJournal
}

// Environment is what the report says of the place the run was made in.
type Environment struct {
	Version string // of lakeproof
	Command string // that repeats the run
}

// Observer is told of a run's progress once a second, from one goroutine.
type Observer interface {
	Progress(Progress)
}

// leadTime is how long after its preparation a run begins, so that the hops
// are watching when the first record leaves.
const leadTime = 300 * time.Millisecond

// run is one run while it goes on.
type run struct {
	plan  *Plan
	opt   Options
	log   *slog.Logger
	dir   string
	file  *runFile
	start time.Time

	systems  *systems
	streams  []*streamRun
	sink     sink.Sink
	consumer *hop.Consumer
	sparks   []*hop.Spark
	store    *hop.Store // nil where no table is followed
	journal  *ledger.Journal
	seen     *sightingLog
	samples  *sampler
	traces   *tracer

	interrupted bool
	stopSending context.CancelFunc // when the ledger cannot be written any more

	books   sync.Mutex // guards the journal and what follows
	failure error      // of the ledger: the run ends early and says so
}

// Run runs a plan and returns its report, which it has also written into the
// run's folder. When ctx ends the run stops sending, reconciles what was sent
// and returns a report that is marked interrupted.
func Run(ctx context.Context, plan *Plan, opt Options) (*report.Report, error) {
	if opt.RunsDir == "" {
		opt.RunsDir = "runs"
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.openJournal == nil {
		opt.openJournal = ledger.CreateJournal
	}
	r := &run{plan: plan, opt: opt, log: opt.Logger}
	sys, err := connect(ctx, plan, opt.Logger)
	if err != nil {
		return nil, err
	}
	r.systems = sys
	defer sys.close()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	return r.travel(ctx)
}

// prepare makes topics, looks at the tables, and opens the run's folder.
func (r *run) prepare(ctx context.Context) error {
	r.plan.meetReaders()
	r.start = time.Now().Add(r.plan.lead()).Truncate(time.Millisecond)
	if r.plan.RunID == "" {
		r.plan.RunID = NewRunID(r.plan.Scenario.Name, r.start)
	}
	for i := range r.plan.Streams {
		if err := r.prepareStream(ctx, &r.plan.Streams[i]); err != nil {
			return err
		}
	}
	var err error
	if r.dir, err = createFolder(r.opt.RunsDir, r.plan.RunID); err != nil {
		return err
	}
	if err := r.writeScenario(); err != nil {
		return err
	}
	if r.journal, err = r.opt.openJournal(r.dir); err != nil {
		return err
	}
	log, err := createSightings(r.dir)
	if err != nil {
		return err
	}
	r.seen = &sightingLog{out: log}
	r.traces = newTracer(r.opt.Tracer, r.plan.Scenario.Producer.TraceShare)
	r.samples = newSampler(r)
	r.file = r.describe()
	return writeRun(r.dir, r.file)
}

// travel is the journey itself: send, wait at the barrier, reconcile, judge.
func (r *run) travel(ctx context.Context) (*report.Report, error) {
	// What watches outlives an interrupt: records that were sent are still
	// followed to the table.
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	hops, err := r.watch(watching)
	if err != nil {
		return nil, errors.Join(err, r.abandon())
	}
	sendErr := r.send(ctx)
	r.interrupted = ctx.Err() != nil
	stop := time.Now()
	barrierErr := r.barrier(watching)
	stopWatching()
	hopErr := hops.Wait()
	r.samples.stop()
	r.gather()
	r.file.Stop, r.file.Barrier, r.file.Interrupted = stop, time.Now(), r.interrupted
	if err := r.close(); err != nil {
		return nil, err
	}
	if err := errors.Join(sendErr, hopErr, barrierErr); err != nil {
		return nil, err
	}
	return r.conclude(context.WithoutCancel(ctx))
}

// send sends every stream and returns when all records have an outcome.
func (r *run) send(ctx context.Context) error {
	sendable, cancelSending := context.WithCancel(ctx)
	defer cancelSending()
	r.books.Lock()
	r.stopSending = cancelSending
	r.books.Unlock()
	group, sending := errgroup.WithContext(sendable)
	for _, s := range r.streams {
		group.Go(func() error {
			err := s.send(sending, r.sink, r.traces)
			if sendable.Err() != nil && errors.Is(err, sendable.Err()) {
				return nil // an interrupt is not an error, and the ledger has its own
			}
			return err
		})
	}
	err := group.Wait()
	for _, s := range r.streams {
		s.intended.Store(s.Schedule.Due(time.Since(s.start)))
	}
	r.samples.phase("flush")
	limit := r.plan.Scenario.Producer.DeliveryTimeout + 10*time.Second
	flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	flushed, counted := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(counted)
		r.inTime(flushed)
	}()
	if ferr := r.sink.Flush(flushing); ferr != nil {
		r.log.Warn("flushing took too long; records without an answer count as unknown", "err", ferr)
	}
	close(flushed)
	<-counted
	r.books.Lock()
	defer r.books.Unlock()
	return errors.Join(err, r.failure)
}

// fail ends the sending because of a ledger that cannot be written. The caller
// holds r.books.
func (r *run) fail(err error) {
	if r.failure == nil {
		r.failure = err
		if r.stopSending != nil {
			r.stopSending()
		}
	}
}

func ledgerBatch(b sink.Batch, start time.Time) ledger.Batch {
	return ledger.Batch{
		Stream: b.Stream, Partition: b.Partition, FirstOffset: b.FirstOffset, Count: b.Count,
		FirstSeq: b.FirstSeq, LastSeq: b.LastSeq, Sent: b.Sent.Sub(start), Acked: b.Acked.Sub(start),
	}
}

// abandon lets go of what a run holds that never began to send.
func (r *run) abandon() error {
	err := errors.Join(r.journal.Close(), r.seen.close())
	if r.sink != nil {
		err = errors.Join(err, r.sink.Close(context.Background()))
	}
	return err
}

// close writes what the run knows to its folder.
func (r *run) close() error {
	err := errors.Join(r.sink.Close(context.Background()), r.journal.Close(), r.seen.close(), r.writeFaults())
	r.file.Batches = r.journal.Count()
	for i, s := range r.streams {
		acc := s.account(nil)
		f := &r.file.Streams[i]
		f.Intended, f.Sent, f.End = s.intended.Load(), acc.Sent, s.end
		f.Failed, f.Unknown = ranges(acc.Failed), ranges(acc.Unknown)
		f.GeneratorLate = s.generatorLate.Load()
		f.Latency = s.latencies()
	}
	r.file.Poll = r.poll().Seconds()
	if err == nil { // a journal that is not whole is not complete
		r.file.State = stateComplete
	}
	return errors.Join(err, writeRun(r.dir, r.file))
}

func ranges(s *ledger.Set) []ledger.Range {
	out := []ledger.Range{}
	s.Ranges(func(r ledger.Range) bool { out = append(out, r); return true })
	return out
}

// conclude reconciles, judges and writes the reports.
func (r *run) conclude(ctx context.Context) (*report.Report, error) {
	r.samples.phase("reconcile")
	v := &verification{plan: r.plan, file: r.file, dir: r.dir, systems: r.systems, log: r.log, about: r.opt.About}
	rep, err := v.report(ctx, r.samples.collected())
	if err != nil {
		return nil, err
	}
	if r.opt.Exposition != nil {
		r.opt.Exposition.result.Store(rep)
	}
	if err := report.Write(r.dir, rep); err != nil {
		return nil, diskFull(fmt.Errorf("writing the reports: %w", err))
	}
	return rep, nil
}

// Report reads the report of a finished run again.
func Report(dir string) (*report.Report, error) {
	if _, err := readRun(dir); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "report.json")); err != nil {
		return nil, bad("reconcile it first: lakeproof loadtest verify "+dir, "reading run folder %q: no report.json", dir)
	}
	return report.Read(dir)
}
