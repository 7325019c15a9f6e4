// Package local is the local stack: Apache Kafka, an S3 store, an Iceberg REST
// catalog and Apache Spark with the shipped streaming job, as child processes
// of this machine, without Docker.
//
// A stack is one folder. [New] reads its state, [Stack.Install] brings the
// programs into it from the recipes of deploy/local (once: a stamp holds the
// recipe's hash), [Stack.Up] starts what does not run yet and waits until each
// system answers, [Stack.Config] says where they are, [Stack.Down] ends them.
// Every process has a pid file and a log file in the folder, so another
// invocation finds them again; a pid is only ever signalled after its start
// time was compared with the one written down.
//
// It does not print, it listens on 127.0.0.1 only, and it is a laboratory: one
// node of each, secrets in files of the folder.
package local

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// The names of the systems, as Options.Components and Status use them. A
// Spark driver is named after its application: see [DriverName]. Where Kafka has
// three nodes they are kafka-1 to kafka-3, and Kafka means all of them.
const (
	Kafka    = "kafka"
	Store    = "store"
	Catalog  = "catalog"
	Registry = "registry" // a Schema Registry, where it is asked for
	Spark    = "spark"
)

// The programs that can be the S3 store.
const (
	MinIO     = "minio"
	VersityGW = "versitygw"
)

// Region, Bucket and Warehouse are the same in store, catalog and Spark.
const (
	Region    = "ap-northeast-2"
	Bucket    = "datalake"
	Warehouse = "s3://" + Bucket + "/warehouse"
)

// Options say where a stack lives and what belongs to it.
type Options struct {
	Dir        string       // data, logs, pids, secrets; default ".lab"
	Install    string       // the installed programs, which several stacks can share; default Dir
	Ports      Ports        // a zero port: the one of the state file, else the usual one
	FreePorts  bool         // choose free ports instead of the usual ones; default false
	Store      string       // minio or versitygw; default minio
	Components []string     // what Install and Up care for; default all but the Schema Registry
	KafkaNodes int          // 1, or 3 with replication; default the one of the state file, else 1
	KafkaACLs  bool         // whoever logs in may do what an ACL says, see AddACLs; kept in the state file
	Spark      SparkOptions // the job that Up starts; default the shipped one
	Progress   func(Event)  // called for every step, from several goroutines at once; default none
	Logger     *slog.Logger // default discards
}

// Event is one step of an installation or a start.
type Event struct {
	Component string        // kafka, store, catalog, registry, spark
	Step      string        // "install maven jars", "start", ...
	Done      bool          // false when the step begins, true when it ended
	Elapsed   time.Duration // when Done
	Err       error         // when Done and it went wrong
}

// Stack is one folder of systems. Its methods may be called from several
// goroutines; Install, Up and Down of several processes exclude each other.
type Stack struct {
	opts    Options
	dir     string // absolute
	install string // absolute
	ports   Ports
	keys    secrets

	mu   sync.Mutex
	kids map[string]*child // what this process started, for reaping
}

// New reads the state of the stack in opts.Dir. It writes nothing.
func New(opts Options) (*Stack, error) {
	if opts.Dir == "" {
		opts.Dir = ".lab"
	}
	if opts.Install == "" {
		opts.Install = opts.Dir
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Progress == nil {
		opts.Progress = func(Event) {}
	}
	if len(opts.Components) == 0 {
		opts.Components = []string{Kafka, Store, Catalog, Spark}
	}
	s := &Stack{opts: opts, kids: map[string]*child{}}
	var err error
	if s.dir, err = filepath.Abs(opts.Dir); err != nil {
		return nil, fmt.Errorf("resolving the stack's folder %s: %w", opts.Dir, err)
	}
	if s.install, err = filepath.Abs(opts.Install); err != nil {
		return nil, fmt.Errorf("resolving the installation folder %s: %w", opts.Install, err)
	}
	if err := s.loadState(); err != nil {
		return nil, err
	}
	switch s.opts.Store {
	case MinIO, VersityGW:
	default:
		return nil, fail.New(fail.Usage, "use minio or versitygw", "choosing the S3 store: unknown program %q", s.opts.Store)
	}
	for _, c := range opts.Components {
		if !slices.Contains([]string{Kafka, Store, Catalog, Registry, Spark}, c) {
			return nil, fail.New(fail.Usage, "use kafka, store, catalog, registry or spark",
				"choosing components: unknown component %q", c)
		}
	}
	return s, nil
}

// Dir is the stack's folder, absolute.
func (s *Stack) Dir() string { return s.dir }

// Ports are the ports in use.
func (s *Stack) Ports() Ports { return s.ports }

func (s *Stack) wants(component string) bool { return slices.Contains(s.opts.Components, component) }

// Up installs what is missing, starts what does not run and waits until every
// system answers: Kafka, store and registry first, then the catalog, then Spark. It
// makes the bucket, the login and the topic, and writes lakeproof.yaml into
// the stack's folder. What already runs is kept.
func (s *Stack) Up(ctx context.Context) error {
	if err := s.Install(ctx); err != nil {
		return err
	}
	unlock, err := lock(ctx, s.path("lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.saveState(); err != nil {
		return err
	}
	wave := []task{}
	for _, name := range []string{Kafka, Store, Registry} {
		if s.wants(name) {
			wave = append(wave, func(ctx context.Context) error { return s.startNamed(ctx, name) })
		}
	}
	if err := parallel(ctx, wave...); err != nil {
		return err
	}
	if s.wants(Catalog) {
		if err := s.startNamed(ctx, Catalog); err != nil {
			return err
		}
	}
	if err := s.WriteConfig(s.path("lakeproof.yaml")); err != nil {
		return err
	}
	if s.wants(Spark) {
		return s.startNamed(ctx, s.Driver().Name())
	}
	return nil
}

// startNamed starts one system unless it runs, and waits until it answers.
func (s *Stack) startNamed(ctx context.Context, name string) error {
	switch name {
	case Kafka:
		return s.startKafka(ctx)
	case Store:
		return s.startStore(ctx)
	case Catalog:
		return s.startCatalog(ctx)
	case Registry:
		return s.startRegistry(ctx)
	}
	if i := slices.Index(s.kafkaNames(), name); i >= 0 {
		return s.startNode(ctx, s.nodes()[i])
	}
	if d := s.Driver(); name == d.Name() {
		return d.Start(ctx)
	}
	return fail.New(fail.Usage, "use kafka, store, catalog, registry or "+s.Driver().Name(),
		"starting %s: no such component", name)
}

// Start starts one system of a stack that was up before and waits until it
// answers; a running one is kept.
func (s *Stack) Start(ctx context.Context, name string) error { return s.startNamed(ctx, name) }

// Stop ends one system the gentle way (SIGTERM), and the hard way after its
// grace period. One that does not run is no error.
func (s *Stack) Stop(ctx context.Context, name string) error {
	if name == Kafka {
		return s.endNodes(ctx)
	}
	return s.end(ctx, name)
}

// Kill ends one system at once (SIGKILL). One that does not run is an error:
// whoever kills means to hit.
func (s *Stack) Kill(name string) error { return s.kill(name) }

// Pause halts one system where it stands (SIGSTOP), with all that it started:
// its connections stay open and nobody answers. [Stack.Resume] lets it go on.
func (s *Stack) Pause(name string) error { return s.signal(name, syscall.SIGSTOP) }

// Resume lets a system go on that was paused (SIGCONT).
func (s *Stack) Resume(name string) error { return s.signal(name, syscall.SIGCONT) }

// Down ends every process of the stack, drivers first, Kafka last.
func (s *Stack) Down(ctx context.Context) error {
	unlock, err := lock(ctx, s.path("lock"))
	if err != nil {
		return err
	}
	defer unlock()
	names := slices.DeleteFunc(s.recorded(), isKafka)
	slices.SortStableFunc(names, func(a, b string) int { return stopOrder(a) - stopOrder(b) })
	var first error
	for _, name := range names {
		if err := s.end(ctx, name); err != nil && first == nil {
			first = err
		}
	}
	if err := s.endNodes(ctx); err != nil && first == nil {
		first = err
	}
	return first
}

// stopOrder puts whoever depends on others before them.
func stopOrder(name string) int {
	switch name {
	case Catalog:
		return 1
	case Store:
		return 2
	}
	return 0
}

// Component is the state of one system.
type Component struct {
	Name  string    // kafka (or kafka-1 ...), store, catalog, registry, spark-<app>
	PID   int       // 0 when it does not run
	Addr  string    // host:port that it serves
	State string    // "running", "stopped", or "dead": it ended without being asked to
	Since time.Time // when it was started; zero when it does not run
	Log   string    // path of its log file
}

// Status tells the state of every system of the stack, and of every other
// driver that was started in it.
func (s *Stack) Status(context.Context) []Component {
	names := []string{}
	if s.wants(Kafka) {
		names = append(names, s.kafkaNames()...)
	}
	for _, name := range []string{Store, Catalog, Registry} {
		if s.wants(name) {
			names = append(names, name)
		}
	}
	if s.wants(Spark) {
		names = append(names, s.Driver().Name())
	}
	for _, name := range s.recorded() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	out := make([]Component, 0, len(names))
	for _, name := range names {
		out = append(out, s.status(name))
	}
	return out
}

func (s *Stack) status(name string) Component {
	c := Component{Name: name, Addr: s.addr(name), State: "stopped", Log: s.logPath(name)}
	rec, ok := s.record(name)
	if !ok {
		return c
	}
	if rec.addr != "" {
		c.Addr = rec.addr
	}
	if !rec.alive() {
		c.State = "dead"
		return c
	}
	c.State, c.PID, c.Since = "running", rec.pid, rec.since
	return c
}

// step reports the beginning and the end of fn as events.
func (s *Stack) step(component, step string, fn func() error) error {
	s.opts.Progress(Event{Component: component, Step: step})
	begin := time.Now()
	err := fn()
	elapsed := time.Since(begin)
	s.opts.Progress(Event{Component: component, Step: step, Done: true, Elapsed: elapsed, Err: err})
	s.opts.Logger.Debug("lab step ended", "component", component, "step", step, "elapsed", elapsed, "err", err)
	return err
}

// path joins a name to the stack's folder.
func (s *Stack) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// tool joins a name to the installation folder.
func (s *Stack) tool(elem ...string) string {
	return filepath.Join(append([]string{s.install}, elem...)...)
}
