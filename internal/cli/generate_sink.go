//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// belong refuses a flag of another sink: it would have no effect.
func (c *generateRunCmd) belong() error {
	for _, f := range []struct{ flag, value, sink string }{
		{"--file", c.File, "file"}, {"--dir", c.Dir, "file"}, {"--topic", c.Topic, "kafka"}, {"--key", c.Key, "kafka"},
	} {
		if f.value != "" && c.Sink != f.sink {
			return fail.New(fail.Usage, fmt.Sprintf("add --sink %s, or leave %s away", f.sink, f.flag),
				"reading %s: the sink is %s", f.flag, c.Sink)
		}
	}
	return nil
}

// open makes the sink of one of several jobs.
func (c *generateRunCmd) open(ctx context.Context, a *app, j *job, jobs int) (sink.Sink, error) {
	binary := j.encoder.Format() != encode.JSON && j.encoder.Format() != encode.CSV
	switch c.Sink {
	case "discard":
		return sink.Discard{}, nil
	case "stdout":
		if jobs > 1 {
			return nil, fail.New(fail.Usage, "write --sink file --dir DIR, or name one stream",
				"opening the sink: %d streams and one stdout", jobs)
		}
		return sink.NewWriter(a.Stdout, binary), nil
	case "file":
		if c.Dir == "" {
			return openFile(c.File, binary)
		}
		if err := os.MkdirAll(c.Dir, 0o755); err != nil {
			return nil, fail.Wrap(fmt.Errorf("making the folder of records: %w", err), fail.Usage,
				"choose a folder that is writable")
		}
		return openFile(filepath.Join(c.Dir, j.name+"."+extension(j.encoder.Format())), binary)
	default:
		return c.openKafka(ctx, a, j)
	}
}

// extension is how the name of a file of records ends.
func extension(format string) string {
	switch format {
	case encode.JSON:
		return "jsonl"
	case encode.CSV:
		return "csv"
	default:
		return "bin"
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
		whole, err := sink.NewFile(name, binary)
		if err != nil {
			return nil, err
		}
		return whole, nil
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

func (c *generateRunCmd) openKafka(ctx context.Context, a *app, g *job) (sink.Sink, error) {
	lab, err := a.lab()
	if err != nil {
		return nil, err
	}
	if len(lab.Kafka.Brokers) == 0 {
		return nil, fail.New(fail.Usage, "set kafka.brokers in lakeproof.yaml", "opening the sink: the lab has no Kafka")
	}
	admin, err := kafka.Open(ctx, lab.Kafka, a.log)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	spec := kafka.TopicSpec{
		Name: g.topic, Partitions: c.Partitions, Replication: -1, Config: map[string]string{"retention.ms": retention},
	}
	if c.Topic != "" {
		spec.Name = c.Topic
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
