//go:build !exporter

package cli

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// retention is that of a topic which generate has to make: seven days, in
// milliseconds.
const retention = "604800000"

// generateCmd makes records, or says something of them.
type generateCmd struct {
	Run     generateRunCmd     `cmd:"" default:"withargs" help:"Make the records of a stream or a scenario (the default)."`
	Plan    generatePlanCmd    `cmd:"" help:"Say what a scenario would make, before anything runs."`
	Digest  generateDigestCmd  `cmd:"" help:"Print the digests of a scenario's records."`
	Explain generateExplainCmd `cmd:"" help:"Say why an event of a bank exists."`
	Verify  generateVerifyCmd  `cmd:"" help:"Measure how real payments look: of a scenario, a stream, or anybody's files."`
}

// Help implements kong.HelpProvider.
func (*generateCmd) Help() string { return (*generateRunCmd)(nil).Help() }

type generateRunCmd struct {
	What          string    `arg:"" optional:"" default:"payments" help:"A stream (${streams}), or a scenario: a file, or the name of a shipped one (default: ${default})."`
	Sink          string    `enum:"kafka,file,stdout,discard" default:"stdout" placeholder:"NAME" help:"Where records go: kafka, file, stdout or discard (default: ${default})."`
	Count         *uint64   `placeholder:"N" help:"How many of each stream; 0 goes on until interrupted (default: 1000, or the scenario's)."`
	From          uint64    `placeholder:"N" help:"Number of the first record (default: 0)."`
	Seed          *uint64   `placeholder:"N" help:"The same seed gives the same bytes (default: 42, or the scenario's)."`
	Format        string    `placeholder:"NAME" help:"json, avro, avro-registry, protobuf, protobuf-registry or csv; parquet in files; debezium of bank.customers; pacs008, pain001 or iso8583 of bank.payments; camt053 of bank.ledger (default: json, or the scenario's)."`
	SchemaID      *uint32   `name:"schema-id" placeholder:"N" help:"Schema id in the frame of avro-registry and protobuf-registry (default: what the registry says, or the scenario, else 1)."`
	Registry      string    `placeholder:"URL" help:"Register the schema there under TOPIC-value; with the user of lakeproof.yaml if that names the same (default: to kafka, the registry of lakeproof.yaml)."`
	Rate          string    `placeholder:"N/s" help:"Records per second, or max (default: the scenario's; of a stream 100/s to kafka, else max)."`
	File          string    `placeholder:"FILE" help:"The file of --sink file."`
	Dir           string    `placeholder:"DIR" help:"The folder of --sink file where there are several streams."`
	Compress      string    `enum:",none,gzip,zstd" default:"" placeholder:"NAME" help:"Compression of --sink file: none, gzip or zstd (default: none; of Parquet zstd)."`
	RotateSize    string    `name:"rotate-size" placeholder:"SIZE" help:"Begin another file in --dir when one has so many bytes: 128MB."`
	RotateRecords uint64    `name:"rotate-records" placeholder:"N" help:"Begin another file when one has so many records."`
	RotateHourly  bool      `name:"rotate-hourly" help:"Begin another file with each hour of event time."`
	Resume        bool      `help:"Go on in --dir where the last whole file of another run ended."`
	Shards        string    `placeholder:"A-B/N" help:"Make only records whose key falls into shards A to B of N, for several machines: each simulates everything and makes its part (default: all)."`
	Topic         string    `placeholder:"NAME" help:"The topic of --sink kafka (default: the scenario's, or the stream's name)."`
	Tail          string    `placeholder:"TIME" help:"How long after the end of the payments labels and changes of customers still come to light, in their own time (default: not)."`
	Partitions    int32     `default:"3" placeholder:"N" help:"Partitions of the topic where it has to be made (default: ${default})."`
	Key           string    `placeholder:"FIELD" help:"Field that is the record's key (default: account_id, else event_id)."`
	Workers       int       `placeholder:"N" help:"Goroutines that make records; the bytes are the same (default: one for each processor)."`
	Start         time.Time `default:"2026-01-01T00:00:00Z" placeholder:"TIME" help:"Event time of the first record; of a stream each next one is 10 ms later (default: ${default})."`
	RunNumber     *uint64   `name:"run" placeholder:"N" help:"Number of the run in the identities (default: from the seed)."`
}

// Help implements kong.HelpProvider.
func (*generateRunCmd) Help() string {
	return `Records of text end in a line feed; before each Avro or Protobuf record stands its length, 4 bytes, big endian. How many were made, and how fast, is on stderr. A file has its name only when it is whole; a folder has a manifest.json, and a run that was killed goes on there with --resume. Labels, the ledger and the customers of a bank follow from its payments, up to the last of them.

Examples:

    lakeproof generate --count 3
    lakeproof generate bank.payments --count 1000000 --sink file --file payments.jsonl
    lakeproof generate fraud-day --sink file --dir day --rate max --rotate-size 128MB --compress zstd
    lakeproof generate fraud-day --sink file --dir part --rate max --shards 0-3/16
    lakeproof generate --sink kafka --count 0 --rate 5000/s`
}

// Run implements the command.
func (c *generateRunCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	w, err := c.work()
	if err != nil {
		return err
	}
	jobs := w.jobs
	if err := c.register(ctx, a, jobs); err != nil {
		return err
	}
	if err := c.open(ctx, a, &w); err != nil {
		return errors.Join(err, closeSinks(ctx, jobs))
	}
	before, begin := env.ReadUsage().CPU, time.Now()
	group, making := errgroup.WithContext(ctx)
	for _, j := range jobs {
		group.Go(func() error { return j.run(making, begin) })
	}
	stop := watchJobs(making, a, jobs, begin)
	err = group.Wait()
	stop()
	if closed := closeSinks(ctx, jobs); err == nil { // else it says the same again
		err = closed
	}
	interrupted := ctx.Err() != nil
	took, cpu := time.Since(begin).Seconds(), (env.ReadUsage().CPU - before).Seconds()
	for _, j := range jobs {
		of := ""
		if len(jobs) > 1 {
			of = " of " + j.name
		}
		a.say("%d records%s, %d bytes in %.2f s: %.0f records/s, %.2f CPU seconds",
			j.made.records, of, j.made.bytes, took, float64(j.made.records)/took, cpu)
		if j.made.others > 0 {
			a.say("%d events%s belong to other shards than %s", j.made.others, of, j.shards)
		}
		if j.made.leftOut > 0 {
			a.say("%d events%s were left out: they have no record in %s", j.made.leftOut, of, j.format)
		}
	}
	if err != nil {
		return err
	}
	if interrupted {
		if c.Dir != "" {
			a.say("interrupted: every file is whole; go on with --resume")
		} else {
			a.say("interrupted: every record that was begun is whole")
		}
		return exit(fail.Interrupted)
	}
	return nil
}
