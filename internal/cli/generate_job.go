//go:build !exporter

package cli

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
	"github.com/lakeproof/lakeproof/loadtest/sink"
	"github.com/lakeproof/lakeproof/loadtest/sink/fileset"
)

// What a stream gets that no scenario describes.
const (
	streamCount     = 1000
	streamSeed      = 42
	streamRate      = 100 // events in a second of their own time, and into Kafka
	streamCustomers = 10_000
	streamPayments  = 1                    // in a second, of a bank of which only what follows is asked for
	streamCrimes    = "aml-hi"             // so that there is something to find out
	onlyFollowed    = " the payments"      // stream of such a bank that is not made
	streamFollowed  = 180 * 24 * time.Hour // of its time; more crime would need more customers
	endless         = 10 * 365 * 24 * time.Hour
)

// job makes one stream.
type job struct {
	generation
	name, topic string
	schedule    pacer.Schedule
	from        loadtest.Follower // nil of a paced stream
	pace        timeline          // nil: as fast as possible, or by event time
	byEvent     bool              // each record is due by its event time
	out         sink.Sink
	schemaID    uint32        // that a registry gave
	done        bool          // another run has made it
	sent        atomic.Uint64 // so far
	made        total
}

// streamNames are the streams that can be named without a scenario. Their places
// are the streams' numbers in the identities.
func streamNames() []string {
	var names []string
	for _, k := range fintech.All() {
		names = append(names, k.Name)
	}
	for _, name := range bank.Streams() {
		names = append(names, "bank."+name)
	}
	return names
}

// work is all that a run makes.
type work struct {
	jobs     []*job
	scenario loadtest.Scenario
	run      uint64
}

// jobs plans a job for each stream.
func (c *generateRunCmd) jobs() ([]*job, error) {
	w, err := c.work()
	return w.jobs, err
}

// work plans a job for each stream.
func (c *generateRunCmd) work() (w work, err error) {
	if err := c.check(); err != nil {
		return w, err
	}
	number := slices.Index(streamNames(), c.What)
	plan, err := c.sketch(number >= 0)
	if err != nil {
		return w, err
	}
	run := generators.Seed(plan.Scenario.Seed).Rand("generate.run").At(0) & generators.MaxRun
	if c.RunNumber != nil {
		run = *c.RunNumber
	}
	key := generators.NewKey(run)
	w = work{scenario: plan.Scenario, run: run}
	for i := range plan.Streams {
		j, err := c.job(&plan.Streams[i], key)
		if err != nil {
			return w, err
		}
		if number >= 0 {
			j.number = uint16(number)
		}
		if err := c.setPace(j, &plan.Streams[i], number >= 0); err != nil {
			return w, err
		}
		w.jobs = append(w.jobs, j)
	}
	w.jobs, err = c.followAll(w.jobs)
	return w, err
}

// followAll opens the streams that follow from others: from all of those up to
// the last of their records. Of what is only followed from, there is no job.
func (c *generateRunCmd) followAll(jobs []*job) ([]*job, error) {
	tail, err := c.tail()
	if err != nil {
		return nil, err
	}
	var last time.Duration
	for _, j := range jobs {
		if j.from == nil {
			last = max(last, j.last())
		}
	}
	follows := false
	for _, j := range jobs {
		if j.from == nil {
			continue
		}
		follows = true
		f, err := j.from.Follow(c.Start, last, tail)
		if err != nil {
			return nil, err
		}
		j.source, j.follow = followed{&f}, &f
	}
	if tail != 0 && !follows {
		return nil, fail.New(fail.Usage, "leave it away", "reading --tail: no stream of %s follows from others", c.What)
	}
	return slices.DeleteFunc(jobs, func(j *job) bool { return j.name == onlyFollowed }), nil
}

func (c *generateRunCmd) tail() (time.Duration, error) {
	if c.Tail == "" {
		return 0, nil
	}
	d, err := loadtest.ParseDuration(c.Tail)
	if err != nil || d < 0 || d > endless {
		return 0, fail.New(fail.Usage, "write --tail 30d", "reading --tail: %q is no span of up to ten years", c.Tail)
	}
	return d, nil
}

// last is when the last record of a paced stream happens.
func (j *job) last() time.Duration {
	if j.count == 0 {
		return j.schedule.Duration()
	}
	return j.schedule.At(j.first + j.count - 1) // the end, where there are fewer
}

// check checks the flags that need no plan.
func (c *generateRunCmd) check() error {
	if c.RunNumber != nil && *c.RunNumber > generators.MaxRun {
		return fail.New(fail.Usage, "a run number has 48 bits", "reading --run: %d is too large", *c.RunNumber)
	}
	if c.Workers < 0 || c.Workers > 1024 {
		return fail.New(fail.Usage, "give a number from 1 to 1024", "reading --workers: %d is out of range", c.Workers)
	}
	if c.SchemaID != nil && c.Registry != "" {
		return fail.New(fail.Usage, "leave one of them away", "reading --schema-id and --registry: the registry gives the id")
	}
	return c.belong()
}

// sketch is the plan of the scenario, or of one stream without any.
func (c *generateRunCmd) sketch(single bool) (*loadtest.Plan, error) {
	if single {
		return c.sketchStream()
	}
	shipped := loadtest.Shipped()
	if !strings.ContainsAny(c.What, "./\\") && !slices.Contains(shipped, c.What) {
		return nil, fail.New(fail.Usage,
			"use one of "+strings.Join(append(streamNames(), shipped...), ", ")+", or the file of a scenario",
			"choosing %q: neither a stream nor a scenario", c.What)
	}
	s, err := loadtest.Load(c.What)
	if err != nil {
		return nil, err
	}
	o := loadtest.Overrides{Seed: c.Seed}
	if c.Rate != "" && c.Rate != "max" {
		if o.Rate, err = loadtest.ParseRate(c.Rate); err != nil || o.Rate <= 0 {
			return nil, c.badRate()
		}
	}
	if c.Format != "" {
		for i := range s.Streams {
			s.Streams[i].Format, s.Streams[i].SchemaID = c.sketched(), c.schemaID()
		}
	}
	return loadtest.NewSketch(s, o)
}

// key is the field that is the key of a stream without a scenario.
func (c *generateRunCmd) key() string {
	const usual = "account_id"
	if c.Key != "" {
		return c.Key
	}
	schema, err := bank.Schema(strings.TrimPrefix(c.What, "bank."))
	if !strings.HasPrefix(c.What, "bank.") {
		var s generators.Stream
		if s, err = fintech.ByName(c.What, 0); err == nil {
			schema = s.Schema()
		}
	}
	if err == nil && schema.Index(usual) >= 0 {
		return usual
	}
	return "" // the identity
}

// schemaID is the one in the frame, as far as no registry is asked.
func (c *generateRunCmd) schemaID() uint32 {
	if c.SchemaID == nil {
		return 1
	}
	return *c.SchemaID
}

func (c *generateRunCmd) sketchStream() (*loadtest.Plan, error) {
	_, paced := bank.Paced(strings.TrimPrefix(c.What, "bank."))
	follows := strings.HasPrefix(c.What, "bank.") && !paced
	span, rate := endless, float64(streamRate)
	switch {
	case follows:
		span, rate = streamFollowed, streamPayments
	case c.Count == nil:
		span = streamCount * time.Second / streamRate
	case *c.Count > 0:
		span = time.Duration(min(*c.Count+c.From, uint64(endless.Seconds())*streamRate)) * time.Second / streamRate
	}
	schedule, err := pacer.New(pacer.Segment{Name: "steady", From: rate, To: rate, For: span})
	if err != nil {
		return nil, err
	}
	s := loadtest.Scenario{
		Name: c.What, Seed: streamSeed, Schedule: schedule,
		World: loadtest.WorldSpec{
			Customers: streamCustomers, Merchants: streamCustomers / 10, Start: c.Start, Speed: calendar.Live,
		},
		Streams: []loadtest.StreamSpec{{
			Name: c.What, Source: c.What, Topic: c.What, Key: c.key(), Format: c.sketched(), SchemaID: c.schemaID(), Share: 1,
		}},
	}
	if follows {
		if s.World.Crimes, err = fraud.Preset(streamCrimes); err != nil {
			return nil, err
		}
		s.Streams = append(s.Streams, loadtest.StreamSpec{
			Name: onlyFollowed, Source: "bank.payments", Format: encode.JSON, Share: 1,
		})
	}
	return loadtest.NewSketch(s, loadtest.Overrides{Seed: c.Seed})
}

// job plans the job of a stream.
func (c *generateRunCmd) job(s *loadtest.Stream, key generators.Key) (*job, error) {
	j := &job{name: s.Name, topic: s.Topic, schedule: s.Schedule, generation: generation{
		encoder: s.Encoder, key: key, number: s.Number, first: c.From,
		start: c.Start, workers: c.Workers, size: maxChunk, keyField: -1, shardField: s.KeyField,
	}}
	var err error
	if j.shards, err = parseShards(c.Shards); err != nil {
		return nil, err
	}
	if from, ok := s.Source.(loadtest.Follower); ok {
		j.from = from
		if s.Name == c.What {
			j.count = streamCount
		}
	} else {
		if j.source, err = s.Source.Begin(c.Start); err != nil {
			return nil, err
		}
		j.times, j.count = s.Schedule, s.Schedule.Count()
	}
	if c.Count != nil && s.Name != onlyFollowed {
		j.count = *c.Count
	}
	if j.workers == 0 {
		j.workers = runtime.GOMAXPROCS(0)
	}
	if c.Sink == "kafka" {
		j.keyField = s.KeyField
	}
	if s.Name == onlyFollowed {
		return j, nil
	}
	return j, c.setFormat(j, s)
}

// setPace says when records are due: those of a scenario when it says, those of
// a stream at the rate that was asked for, and into Kafka at a rate that no
// laptop minds.
func (c *generateRunCmd) setPace(j *job, s *loadtest.Stream, single bool) error {
	rate := float64(s.Schedule.Count()) / s.Schedule.Duration().Seconds()
	switch {
	case c.Rate == "max", single && c.Rate == "" && c.Sink != "kafka":
		return nil
	case single && c.Rate != "":
		var err error
		if rate, err = loadtest.ParseRate(c.Rate); err != nil || rate <= 0 {
			return c.badRate()
		}
		j.pace = constant(rate)
	case single && j.from != nil:
		rate = streamRate
		j.pace = constant(rate)
	case j.from != nil:
		j.byEvent = true
		return nil
	default:
		j.pace = s.Schedule
	}
	j.size = min(maxChunk, max(1, int(rate/50)))
	return nil
}

func (c *generateRunCmd) badRate() error {
	return fail.New(fail.Usage, "write --rate 5000/s, or --rate max", "reading --rate: %q is not a rate above 0", c.Rate)
}

// run makes the records.
func (j *job) run(ctx context.Context, begin time.Time) (err error) {
	out, isFiles := j.out.(*fileset.Stream)
	if !j.done {
		if err := j.make(ctx, begin, !isFiles); err != nil {
			return err
		}
	}
	if isFiles && ctx.Err() == nil {
		return out.Finish()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return j.out.Flush(ctx)
}

// make sends the records, and before them what stands on top of a file, where
// that is wanted.
func (j *job) make(ctx context.Context, begin time.Time, head bool) (err error) {
	when := pace{times: j.pace, begin: begin}
	if j.pace != nil {
		when.begin = begin.Add(-j.pace.At(j.first))
	}
	if j.byEvent {
		when.due, when.late = j.follow.Due, j.first > 0
	}
	if header := j.header(); header != "" && head && j.first == 0 && j.keyField < 0 { // not on a topic
		if err := j.out.Send(ctx, &sink.Record{Value: []byte(header)}); err != nil {
			return err
		}
	}
	j.made, err = j.generation.run(ctx, &counting{pace: when, Sink: j.out, sent: &j.sent})
	return err
}

// header is the line on top of a file, or "".
func (j *job) header() string {
	if j.format == encode.CSV {
		return encode.CSVHeader(j.source.Schema())
	}
	return ""
}

// closeSinks closes the sinks, also after an interrupt, within a bound.
func closeSinks(ctx context.Context, jobs []*job) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var errs []error
	for _, j := range jobs {
		if j.out == nil {
			continue
		}
		errs = append(errs, j.out.Close(ctx))
		if k, ok := j.out.(*kafkaSink); ok {
			errs = append(errs, k.lost.err())
		}
	}
	return errors.Join(errs...)
}
