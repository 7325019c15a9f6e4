//go:build !exporter

package cli

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/ui"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// whatFlags choose what is made, for commands that only say something of it.
type whatFlags struct {
	What    string    `arg:"" help:"A stream (${streams}), or a scenario: a file, or the name of a shipped one."`
	Count   *uint64   `placeholder:"N" help:"How many of each stream (default: 1000, or the scenario's)."`
	Seed    *uint64   `placeholder:"N" help:"Seed of the records (default: 42, or the scenario's)."`
	Format  string    `placeholder:"NAME" help:"Format of the records (default: json, or the scenario's)."`
	Workers int       `placeholder:"N" help:"Goroutines that make records (default: one for each processor)."`
	Start   time.Time `default:"2026-01-01T00:00:00Z" placeholder:"TIME" help:"Event time of the first record, where the scenario does not say (default: ${default})."`
	Run     *uint64   `name:"run" placeholder:"N" help:"Number of the run in the identities (default: from the seed)."`
}

// command is generate with these flags, into nothing.
func (w *whatFlags) command() *generateRunCmd {
	return &generateRunCmd{
		What: w.What, Sink: "discard", Count: w.Count, Seed: w.Seed, Format: w.Format, Rate: "",
		Workers: w.Workers, Start: w.Start, RunNumber: w.Run,
	}
}

// jobs plans the jobs that generate would do.
func (w *whatFlags) jobs() ([]*job, error) { return w.command().jobs() }

type generatePlanCmd struct{ whatFlags }

// sampled is how many records are made to know how long one is.
const sampled = 5000

// Run implements the command.
func (c *generatePlanCmd) Run(a *app) error {
	jobs, err := c.jobs()
	if err != nil {
		return err
	}
	rows := [][]string{{"stream", "topic", "format", "records", "over", "rate", "bytes", "a record"}}
	for _, j := range jobs {
		if j.from != nil {
			rows = append(rows, []string{j.name, j.topic, j.format, "what follows", "", "", "", ""})
			continue
		}
		if j.count == 0 {
			return fail.New(fail.Usage, "give --count", "planning stream %s: it does not end", j.name)
		}
		length := j.times.At(j.first+j.count) - j.times.At(j.first)
		few := j.generation
		few.count, few.workers = min(j.count, sampled), 1
		made, err := few.run(context.Background(), &counting{Sink: sink.Discard{}, sent: &j.sent})
		if err != nil {
			return err
		}
		each := float64(made.bytes) / float64(made.records)
		rows = append(rows, []string{
			j.name, j.topic, j.format, ui.Count(j.count), ui.Clock(length),
			ui.Rate(float64(j.count) / length.Seconds()), ui.Bytes(int64(each * float64(j.count))),
			fmt.Sprintf("%.0f B", each),
		})
	}
	if err := ui.Table(a.Stdout, "", rows); err != nil {
		return err
	}
	plan, err := c.command().sketch(slices.Contains(streamNames(), c.What))
	if err != nil {
		return err
	}
	for _, w := range plan.Warnings() {
		a.say("warning: %s", w)
	}
	return nil
}

type generateDigestCmd struct{ whatFlags }

// Help implements kong.HelpProvider.
func (*generateDigestCmd) Help() string {
	return `A digest is the SHA-256 of all records of a stream in their order, each after its length (8 bytes, big endian). It is the same on any number of workers and on every machine, as long as algo_version is.

Examples:

    lakeproof generate digest fraud-day
    lakeproof generate digest bank.payments --count 1000000 --workers 4`
}

// Run implements the command.
func (c *generateDigestCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	jobs, err := c.jobs()
	if err != nil {
		return err
	}
	group, making := errgroup.WithContext(ctx)
	digests := make([]*digest, len(jobs))
	for i, j := range jobs {
		digests[i] = &digest{hash: sha256.New()}
		j.out, j.pace = digests[i], nil
		group.Go(func() error { return j.run(making, time.Now()) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return exit(fail.Interrupted)
	}
	for i, j := range jobs {
		fmt.Fprintf(a.Stdout, "%x  %s  %d records\n", digests[i].hash.Sum(nil), j.name, j.made.records)
	}
	fmt.Fprintf(a.Stdout, "algo_version %d, of the bank %d\n", generators.AlgoVersion, bank.AlgoVersion)
	return nil
}

// digest is a sink that only hashes.
type digest struct {
	sink.Discard
	hash hash.Hash
}

// Send implements sink.Sink.
func (d *digest) Send(_ context.Context, r *sink.Record) error {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(r.Value)))
	d.hash.Write(length[:])
	d.hash.Write(r.Value)
	return nil
}

type generateExplainCmd struct {
	whatFlags
	Event string `arg:"" help:"The event_id, or the number of an event of the first stream."`
}

// Help implements kong.HelpProvider.
func (*generateExplainCmd) Help() string {
	return `Says why an event of a simulated bank exists: which flow it belongs to, in which state that was and how it came there, who took part, and which case of crime it is a step of.

Examples:

    lakeproof generate explain fraud-day 4711
    lakeproof generate explain fraud-day 0f3c62a1-8f5c-8d0e-9b1a-2f1f4c3d2e1b --run 7`
}

// Run implements the command.
func (c *generateExplainCmd) Run(a *app) error {
	jobs, err := c.jobs()
	if err != nil {
		return err
	}
	j, seq, err := c.find(jobs)
	if err != nil {
		return err
	}
	known, ok := j.source.(generators.Explainer)
	if !ok {
		return fail.New(fail.Usage, "name a scenario with a bank, such as fraud-day",
			"explaining event %d of %s: its records have no history", seq, j.name)
	}
	for _, line := range known.Explain(seq) {
		fmt.Fprintln(a.Stdout, line)
	}
	return nil
}

// find finds the event that is meant.
func (c *generateExplainCmd) find(jobs []*job) (*job, uint64, error) {
	var seq uint64
	j := jobs[0]
	if id, ok := generators.ParseID(c.Event); ok {
		number, of, ok := j.key.Open(id)
		if !ok {
			return nil, 0, fail.New(fail.Usage, "give the run's number with --run, or another seed",
				"opening event %s: it is of another run", c.Event)
		}
		seq = of
		for _, other := range jobs {
			if other.number == number {
				j = other
			}
		}
	} else if n, err := strconv.ParseUint(c.Event, 10, 64); err == nil {
		seq = n
	} else {
		return nil, 0, fail.New(fail.Usage, "give an event_id, or a number", "reading event %q: it is neither", c.Event)
	}
	if j.count > 0 && seq >= j.first+j.count {
		return nil, 0, fail.New(fail.Usage, "give a number below that, or a longer run with --count",
			"finding event %d of %s: there are %d", seq, j.name, j.count)
	}
	return j, seq, nil
}
