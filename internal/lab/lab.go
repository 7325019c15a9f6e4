//go:build !nolab

package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Built reports whether the embedded lab is part of this program.
const Built = true

// Lab is a running embedded lab.
type Lab struct {
	opts     Options
	log      *slog.Logger
	broker   *kfake.Cluster
	store    *store
	files    *fileIO
	catalog  *catalog
	rest     *restServer
	saboteur *saboteur
	streams  []*stream
	failed   chan error
	stop     context.CancelFunc // of the engine and the watchers
	parts    sync.WaitGroup
}

// Start brings up all systems and the engine. The context bounds the start
// only; [Lab.Close] ends the lab. In one process, the first two calls must not
// overlap.
func Start(ctx context.Context, opts Options) (*Lab, error) {
	opts, err := withDefaults(opts)
	if err != nil {
		return nil, err
	}
	l := &Lab{
		opts:     opts,
		log:      opts.Logger,
		saboteur: newSaboteur(opts.Sabotage, opts.ExpectedRecords, opts.SabotageSeed),
		failed:   make(chan error, len(opts.Streams)+2),
		stop:     func() {},
	}
	if err := l.start(ctx); err != nil {
		err = errors.Join(fmt.Errorf("starting the embedded lab: %w", err), l.Close(context.WithoutCancel(ctx)))
		return nil, fail.Wrap(err, fail.Internal, "it needs free ports on 127.0.0.1 and a folder it can write, now "+opts.Dir)
	}
	return l, nil
}

func withDefaults(opts Options) (Options, error) {
	dir, err := filepath.Abs(opts.Dir) // the store changes its working folder
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return opts, fmt.Errorf("making the folder of the embedded lab: %w", err)
	}
	opts.Dir = dir
	if opts.Trigger <= 0 {
		opts.Trigger = defaultTrigger
	}
	if opts.DelayFor <= 0 {
		opts.DelayFor = defaultDelay
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return opts, nil
}

func (l *Lab) start(ctx context.Context) error {
	var err error
	if l.store, err = startStore(ctx, l.opts); err != nil {
		return err
	}
	storage := l.store.storage()
	if l.files, err = openFileIO(ctx, storage); err != nil {
		return err
	}
	if l.catalog, err = openCatalog(l.opts.Dir, storage); err != nil {
		return err
	}
	if l.rest, err = startREST(ctx, l.catalog, l.files, storage, l.log); err != nil {
		return err
	}
	// Records are kept on disk: in memory each would cost some 500 bytes.
	l.broker, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(filepath.Join(l.opts.Dir, "kafka")))
	if err != nil {
		return fmt.Errorf("starting the broker: %w", err)
	}
	return l.startEngine(ctx)
}

// startEngine starts the streams where their checkpoints stand, and the watch
// over the parts that run by themselves.
func (l *Lab) startEngine(ctx context.Context) error {
	for _, s := range l.opts.Streams {
		query, err := l.newStream(s)
		if err != nil {
			return err
		}
		l.streams = append(l.streams, query)
		if err := query.prepare(ctx); err != nil {
			return err
		}
	}
	l.runParts()
	return nil
}

// stopEngine ends what startEngine began. Rows held back by the sabotage are
// lost.
func (l *Lab) stopEngine() {
	l.stop()
	l.parts.Wait()
	for _, s := range l.streams {
		s.source.close()
	}
	l.streams = nil
}

func (l *Lab) newStream(s Stream) (*stream, error) {
	if s.Format == "" {
		s.Format = encode.JSON
	}
	decoder, err := encode.NewDecoder(s.Format, s.Schema)
	if err != nil {
		return nil, err
	}
	source, err := newSource(l.broker.ListenAddrs(), s.Topic)
	if err != nil {
		return nil, err
	}
	return &stream{
		Stream:     s,
		trigger:    l.opts.Trigger,
		delay:      l.opts.DelayFor,
		log:        l.log,
		source:     source,
		catalog:    l.catalog,
		checkpoint: &checkpoint{files: l.files, root: checkpointRoot + app(s), topic: s.Topic},
		decoder:    decoder,
		saboteur:   l.saboteur,
	}, nil
}

// runParts runs the streams and watches the store and the catalog.
func (l *Lab) runParts() {
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	for _, s := range l.streams {
		l.parts.Go(func() {
			if err := s.run(ctx); err != nil {
				l.failed <- err
			}
		})
	}
	l.parts.Go(func() {
		select {
		case <-l.store.exited:
			l.failed <- l.store.err
		case <-ctx.Done():
		}
	})
	l.parts.Go(func() {
		select {
		case <-l.rest.done:
			l.failed <- l.rest.err
		case <-ctx.Done():
		}
	})
}

// Failed gives the error of each part that dies before [Lab.Close]. The lab is
// of no use after the first.
func (l *Lab) Failed() <-chan error { return l.failed }

// Sabotaged returns the truth: the records treated wrongly in the batches
// committed so far.
func (l *Lab) Sabotaged() []Act { return l.saboteur.acts() }

// Config says where the systems are, in the form of a lab's configuration.
func (l *Lab) Config() config.Lab {
	c := config.Lab{
		Name:     "embedded",
		Embedded: true,
		Kafka:    config.Kafka{Brokers: l.broker.ListenAddrs()},
		Catalog:  config.Catalog{URI: "http://" + l.rest.address, Warehouse: Warehouse},
		Storage:  l.store.storage(),
	}
	for _, s := range l.streams {
		c.Spark = append(c.Spark, config.Spark{App: app(s.Stream), Checkpoint: s.checkpoint.root})
	}
	return c
}

// flushPoll is how often Flush looks.
const flushPoll = 20 * time.Millisecond

// Flush waits until everything that is on the topics now is in the tables, the
// rows that the sabotage holds back included.
func (l *Lab) Flush(ctx context.Context) error {
	tick := time.NewTicker(flushPoll)
	defer tick.Stop()
	for _, s := range l.streams {
		ends, err := l.endsNow(ctx, s)
		if err != nil {
			return err
		}
		for !s.flushed(ends) {
			select {
			case <-tick.C:
			case err := <-l.failed:
				l.failed <- err // for the caller's own watch; there is room for each part
				return fmt.Errorf("flushing the embedded lab: %w", err)
			case <-ctx.Done():
				return fmt.Errorf("flushing the embedded lab: %w", ctx.Err())
			}
		}
	}
	return nil
}

// endsNow asks with a client of its own: that of the stream may not know yet of
// a topic that was just made.
func (l *Lab) endsNow(ctx context.Context, s *stream) (offsets, error) {
	fresh, err := newSource(l.broker.ListenAddrs(), s.Topic)
	if err != nil {
		return nil, err
	}
	defer fresh.close()
	return fresh.ends(ctx)
}

func (s *stream) flushed(ends offsets) bool {
	p := s.progressNow()
	for part, at := range ends {
		if p.committed[part] < at {
			return false
		}
	}
	return p.held == 0
}

// Close stops the engine at once, between or within batches, and then all
// systems, and waits for their end. Files stay. A second call does nothing.
func (l *Lab) Close(ctx context.Context) error {
	l.stopEngine()
	var errs []error
	if l.broker != nil {
		l.broker.Close()
	}
	if l.rest != nil {
		errs = append(errs, l.rest.close(ctx))
	}
	if l.catalog != nil {
		errs = append(errs, l.catalog.close())
	}
	if l.files != nil {
		l.files.close()
	}
	if l.store != nil {
		errs = append(errs, l.store.close())
	}
	l.broker, l.rest, l.catalog, l.files, l.store = nil, nil, nil, nil, nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the embedded lab: %w", err)
	}
	return nil
}
