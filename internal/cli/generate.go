//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// Between the event times of two records that follow each other.
const eventStep = 10 * time.Millisecond

// retention is that of a topic which generate has to make: seven days, in
// milliseconds.
const retention = "604800000"

type generateCmd struct {
	Stream     string    `arg:"" optional:"" default:"payments" help:"The stream: payments or orders (default: ${default})."`
	Sink       string    `enum:"kafka,file,stdout,discard" default:"stdout" placeholder:"NAME" help:"Where records go: kafka, file, stdout or discard (default: ${default})."`
	Count      uint64    `default:"1000" placeholder:"N" help:"How many; 0 goes on until interrupted (default: ${default})."`
	Seed       uint64    `default:"42" placeholder:"N" help:"The same seed gives the same bytes (default: ${default})."`
	Format     string    `enum:"json,avro,avro-registry" default:"json" placeholder:"NAME" help:"json, avro or avro-registry (default: ${default})."`
	SchemaID   uint32    `name:"schema-id" default:"1" placeholder:"N" help:"Schema id in the frame of avro-registry (default: ${default})."`
	Rate       string    `default:"max" placeholder:"N/s" help:"Records per second, or max (default: ${default})."`
	File       string    `placeholder:"FILE" help:"The file of --sink file."`
	Topic      string    `placeholder:"NAME" help:"The topic of --sink kafka (default: the stream's name)."`
	Partitions int32     `default:"3" placeholder:"N" help:"Partitions of the topic where it has to be made (default: ${default})."`
	Key        string    `placeholder:"FIELD" help:"Field that is the record's key (default: account_id, else event_id)."`
	Workers    int       `placeholder:"N" help:"Goroutines that make records; the bytes are the same (default: one for each processor)."`
	Start      time.Time `default:"2026-01-01T00:00:00Z" placeholder:"TIME" help:"Event time of the first record; each next one is 10 ms later (default: ${default})."`
	RunNumber  *uint64   `name:"run" placeholder:"N" help:"Number of the run in the identities (default: from the seed)."`
}

// Help implements kong.HelpProvider.
func (*generateCmd) Help() string {
	return `JSON records end in a line feed; before each Avro record stands its length, 4 bytes, big endian. How many were made, and how fast, is on stderr.

Examples:

    lakeproof generate --count 3
    lakeproof generate payments --count 1000000 --sink file --file payments.jsonl
    lakeproof generate --sink kafka --count 0 --rate 5000/s`
}

// Run implements the command.
func (c *generateCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	job, rate, err := c.job()
	if err != nil {
		return err
	}
	out, err := c.open(ctx, a, job)
	if err != nil {
		return err
	}
	before, begin := env.ReadUsage().CPU, time.Now()
	made, err := job.run(ctx, &counting{pace: pace{rate: rate, begin: begin}, Sink: out})
	interrupted := ctx.Err() != nil
	err = c.finish(ctx, out, err)
	took, cpu := time.Since(begin).Seconds(), (env.ReadUsage().CPU - before).Seconds()
	a.say("%d records, %d bytes in %.2f s: %.0f records/s, %.2f CPU seconds",
		made.records, made.bytes, took, float64(made.records)/took, cpu)
	if err != nil {
		return err
	}
	if interrupted {
		a.say("interrupted: every record that was begun is whole")
		return exit(fail.Interrupted)
	}
	return nil
}

// finish flushes and closes, also after an interrupt, within a bound.
func (c *generateCmd) finish(ctx context.Context, out sink.Sink, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err == nil {
		err = out.Flush(ctx)
	}
	if closed := out.Close(ctx); err == nil {
		err = closed
	}
	if k, ok := out.(*kafkaSink); ok && err == nil {
		err = k.lost.err()
	}
	return err
}

// job checks the flags.
func (c *generateCmd) job() (*generation, float64, error) {
	if err := c.belong(); err != nil {
		return nil, 0, err
	}
	source, err := fintech.ByName(c.Stream, generators.Seed(c.Seed))
	if err != nil {
		return nil, 0, fail.Wrap(err, fail.Usage, "")
	}
	encoder, err := encode.New(c.Format, source.Schema(), encode.Options{SchemaID: c.SchemaID})
	if err != nil {
		return nil, 0, err
	}
	g := &generation{
		source: source, encoder: encoder, count: c.Count, start: c.Start, step: eventStep,
		number: number(c.Stream), workers: c.Workers, size: maxChunk, keyField: -1,
	}
	run := generators.Seed(c.Seed).Rand("generate.run").At(0) & generators.MaxRun
	if c.RunNumber != nil {
		run = *c.RunNumber
	}
	if run > generators.MaxRun {
		return nil, 0, fail.New(fail.Usage, "a run number has 48 bits", "reading --run: %d is too large", run)
	}
	g.key = generators.NewKey(run)
	if c.Workers < 0 || c.Workers > 1024 {
		return nil, 0, fail.New(fail.Usage, "give a number from 1 to 1024",
			"reading --workers: %d is out of range", c.Workers)
	}
	if c.Workers == 0 {
		g.workers = runtime.GOMAXPROCS(0)
	}
	var rate float64
	if c.Rate != "max" {
		if rate, err = loadtest.ParseRate(c.Rate); err != nil || rate <= 0 {
			return nil, 0, fail.New(fail.Usage, "write --rate 5000/s, or --rate max",
				"reading --rate: %q is not a rate above 0", c.Rate)
		}
		g.size = min(maxChunk, max(1, int(rate/50)))
	}
	return g, rate, nil
}

// belong refuses a flag of another sink: it would have no effect.
func (c *generateCmd) belong() error {
	for _, f := range []struct{ flag, value, sink string }{
		{"--file", c.File, "file"}, {"--topic", c.Topic, "kafka"}, {"--key", c.Key, "kafka"},
	} {
		if f.value != "" && c.Sink != f.sink {
			return fail.New(fail.Usage, fmt.Sprintf("add --sink %s, or leave %s away", f.sink, f.flag),
				"reading %s: the sink is %s", f.flag, c.Sink)
		}
	}
	return nil
}

// number is the stream's number in the identities: its place among the streams.
func number(stream string) uint16 {
	return uint16(slices.IndexFunc(fintech.All(), func(k fintech.Kind) bool { return k.Name == stream }))
}

// open makes the sink.
func (c *generateCmd) open(ctx context.Context, a *app, g *generation) (sink.Sink, error) {
	binary := c.Format != encode.JSON
	switch c.Sink {
	case "discard":
		return sink.Discard{}, nil
	case "stdout":
		return sink.NewWriter(a.Stdout, binary), nil
	case "file":
		return openFile(c.File, binary)
	default:
		return c.openKafka(ctx, a, g)
	}
}

// openFile makes a file that has its name only when it is whole. What is there
// and no file (a pipe, a device) is written to as it is.
func openFile(name string, binary bool) (sink.Sink, error) {
	if name == "" {
		return nil, fail.New(fail.Usage, "add --file FILE", "opening the sink: --sink file needs a file")
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().IsRegular() {
		return sink.NewFile(name, binary)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("opening the sink: %w", err), fail.Usage, "choose a file that is writable")
	}
	return device{sink.NewWriter(f, binary), f}, nil
}

// device is a sink into something that is no regular file.
type device struct {
	*sink.Writer
	file *os.File
}

// Close implements sink.Sink.
func (d device) Close(ctx context.Context) error {
	err := d.Writer.Close(ctx)
	if closed := d.file.Close(); err == nil {
		err = closed
	}
	return err
}

func (c *generateCmd) openKafka(ctx context.Context, a *app, g *generation) (sink.Sink, error) {
	lab, err := a.lab()
	if err != nil {
		return nil, err
	}
	if len(lab.Kafka.Brokers) == 0 {
		return nil, fail.New(fail.Usage, "set kafka.brokers in lakeproof.yaml", "opening the sink: the lab has no Kafka")
	}
	if g.keyField, err = c.keyField(g.source.Schema()); err != nil {
		return nil, err
	}
	admin, err := kafka.Open(ctx, lab.Kafka, a.log)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	spec := kafka.TopicSpec{
		Name: c.Topic, Partitions: c.Partitions, Replication: -1, Config: map[string]string{"retention.ms": retention},
	}
	if spec.Name == "" {
		spec.Name = c.Stream
	}
	topic, err := admin.EnsureTopic(ctx, spec)
	if err != nil {
		return nil, err
	}
	g.partitions = topic.Partitions
	topics := make([]string, g.number+1)
	topics[g.number] = spec.Name
	k := &kafkaSink{lost: &losses{}}
	k.Kafka, err = sink.NewKafka(lab.Kafka, sink.KafkaConfig{
		Run: g.key.Run(), Topics: topics, Linger: 5 * time.Millisecond, Compression: "lz4",
	}, k.lost, a.log)
	return k, err
}

// keyField is the index of the field that is the record's key.
func (c *generateCmd) keyField(s *generators.Schema) (int, error) {
	if c.Key == "" {
		return max(0, s.Index("account_id")), nil
	}
	i := s.Index(c.Key)
	if i < 0 || i > 0 && (s.Fields[i].Kind != generators.String || s.Fields[i].Nullable) {
		return 0, fail.New(fail.Usage, "a key is a text field that is never null, such as account_id",
			"reading --key: %q cannot be the key", c.Key)
	}
	return i, nil
}

// kafkaSink is the Kafka sink and what it lost.
type kafkaSink struct {
	*sink.Kafka
	lost *losses
}

// losses implements sink.Books: it counts what was not acknowledged.
type losses struct {
	count atomic.Uint64
	first atomic.Pointer[error]
}

// Acked implements sink.Books.
func (*losses) Acked(uint16, uint64, sink.Times) {}

// Batch implements sink.Books.
func (*losses) Batch(sink.Batch) {}

// Lost implements sink.Books.
func (l *losses) Lost(_ uint16, _ uint64, _ bool, err error) {
	l.count.Add(1)
	l.first.CompareAndSwap(nil, &err)
}

func (l *losses) err() error {
	first := l.first.Load()
	if first == nil {
		return nil
	}
	return fail.Wrap(fmt.Errorf("producing: %d records were not acknowledged: %w", l.count.Load(), *first),
		fail.Unreachable, "see whether the brokers are well, and whether the topic takes records of this size")
}
