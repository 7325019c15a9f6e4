//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/generators/bank/messages"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// belong refuses a flag of another sink: it would have no effect.
func (c *generateRunCmd) belong() error {
	for _, f := range []struct {
		flag  string
		given bool
		sink  string
	}{
		{"--file", c.File != "", "file"},
		{"--dir", c.Dir != "", "file"},
		{"--compress", c.Compress != "", "file"},
		{"--rotate-size", c.RotateSize != "", "file"},
		{"--rotate-records", c.RotateRecords != 0, "file"},
		{"--rotate-hourly", c.RotateHourly, "file"},
		{"--resume", c.Resume, "file"},
		{"--topic", c.Topic != "", "kafka"},
		{"--key", c.Key != "" && c.Shards == "", "kafka"},
	} {
		if f.given && c.Sink != f.sink {
			return fail.New(fail.Usage, fmt.Sprintf("add --sink %s, or leave %s away", f.sink, f.flag),
				"reading %s: the sink is %s", f.flag, c.Sink)
		}
	}
	return c.inFolder()
}

// open makes the sinks of the jobs.
func (c *generateRunCmd) open(ctx context.Context, a *app, w *work) (err error) {
	if c.Sink == "file" && c.Dir != "" {
		return c.openFolder(a, w)
	}
	if n := len(w.jobs); n > 1 && (c.Sink == "stdout" || c.Sink == "file") {
		return fail.New(fail.Usage, "write --sink file --dir DIR, or name one stream",
			"opening the sink: %d streams and one %s", n, c.Sink)
	}
	for _, j := range w.jobs {
		switch c.Sink {
		case "discard":
			j.out = sink.Discard{}
		case "stdout":
			j.out = sink.NewWriter(a.Stdout, isBinary(j.format))
		case "file":
			j.out, err = c.openFile(j)
		default:
			j.out, err = c.openKafka(ctx, a, j)
		}
		if err != nil {
			j.out = nil
			return err
		}
	}
	return nil
}

// isBinary reports whether records of a format need their lengths before them:
// they may have line feeds in them.
func isBinary(format string) bool {
	return encode.LineBreak(format) == "" && format != messages.Camt053 && !slices.Contains(messages.Formats(), format)
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
		Name: c.topic(g), Partitions: c.Partitions, Replication: -1, Config: map[string]string{"retention.ms": retention},
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
