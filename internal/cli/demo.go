//go:build !exporter

package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab"
	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

type demoCmd struct {
	runFlags
	Serve    bool    `help:"Keep the lab and its pages up after the run, until interrupted."`
	Sabotage string  `placeholder:"KIND=N,..." help:"Records that the lab shall lose, double, alter, hold back or invent: drop, duplicate, corrupt, delay, foreign."`
	Records  uint64  `placeholder:"N" help:"Records to send (default: the scenario's)."`
	Rate     string  `placeholder:"N/s" help:"Records per second (default: the scenario's)."`
	Seed     *uint64 `placeholder:"N" help:"Seed of the records (default: the scenario's)."`
}

// Help implements kong.HelpProvider.
func (*demoCmd) Help() string {
	return `Starts a broker, an S3 store, an Iceberg catalog and a micro-batch engine inside this process, sends payments through them and follows each to the table. Nothing is written but a temporary folder and the folder of the runs.

Examples:

    lakeproof demo
    lakeproof demo --sabotage drop=3,duplicate=5,corrupt=2
    lakeproof demo --serve --web.listen-address 127.0.0.1:9877`
}

// holdBack is how long sabotaged records are delayed: longer than the demo
// scenario's late_after, shorter than its grace.
const holdBack = 15 * time.Second

// Run implements the command.
func (c *demoCmd) Run(a *app) error {
	plan, harm, err := c.plan()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lakeproof-demo-")
	if err != nil {
		return fail.Wrap(fmt.Errorf("making a temporary folder: %w", err), fail.Internal, "set TMPDIR to a folder with space")
	}
	defer os.RemoveAll(dir) // nothing of value is in it
	ctx, release := a.Signals(context.Background())
	defer release()
	running, err := c.start(ctx, a, dir, plan, harm)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if err := running.Close(closing); err != nil {
			a.log.Warn("the embedded lab did not end well", "err", err)
		}
	}()
	plan.Lab = running.Config()
	r := newRunner(a, c.runFlags, "text")
	folder, err := r.run(ctx, plan)
	if c.Serve && folder != "" && ctx.Err() == nil {
		return errors.Join(c.serve(ctx, r, folder, running), err)
	}
	return err
}

// plan makes the demo scenario's plan with the flags' changes.
func (c *demoCmd) plan() (*loadtest.Plan, lab.Sabotage, error) {
	var harm lab.Sabotage
	scenario, err := loadtest.Load("demo")
	if err != nil {
		return nil, harm, err
	}
	if c.Sabotage != "" {
		if harm, err = lab.ParseSabotage(c.Sabotage); err != nil {
			return nil, harm, err
		}
	}
	o := loadtest.Overrides{Seed: c.Seed}
	if o.Rate, err = parseRate(c.Rate); err != nil {
		return nil, harm, err
	}
	if c.Records > 0 {
		rate := o.Rate
		if rate == 0 {
			rate = scenario.Schedule.RateAt(0)
		}
		if o.Duration, err = duration(c.Records, rate); err != nil {
			return nil, harm, err
		}
	}
	// The lab's addresses are known when it runs.
	soon := config.Lab{Kafka: config.Kafka{Brokers: []string{"embedded"}}, Catalog: config.Catalog{URI: "embedded"}}
	plan, err := loadtest.NewPlan(scenario, soon, o)
	return plan, harm, err
}

// longest is how long a demo may send.
const longest = 24 * time.Hour

// duration is how long it takes to send the records: rounded up, so that none
// is left out.
func duration(records uint64, rate float64) (time.Duration, error) {
	seconds := float64(records) / rate
	if seconds > longest.Seconds() {
		return 0, fail.New(fail.Usage, "ask for fewer records, or for more per second with --rate",
			"planning %d records at %g/s: they take longer than a day", records, rate)
	}
	return time.Duration(math.Ceil(seconds * float64(time.Second))), nil
}

func (c *demoCmd) start(ctx context.Context, a *app, dir string, plan *loadtest.Plan,
	harm lab.Sabotage,
) (*lab.Lab, error) {
	o := lab.Options{
		Dir: dir, Self: a.Self, ChildArgs: []string{"store"}, Logger: a.log, DelayFor: holdBack,
		Sabotage: harm, SabotageSeed: plan.Scenario.Seed, ExpectedRecords: plan.Count(),
	}
	for _, s := range plan.Streams {
		if s.Table != "" {
			o.Streams = append(o.Streams, lab.Stream{
				Topic: s.Topic, Partitions: int(s.Partitions), Table: s.Table, Schema: s.Source.Schema(), Format: s.Format,
			})
		}
	}
	if !c.Quiet {
		a.say("starting the embedded lab: broker, S3 store, Iceberg catalog, micro-batch engine")
	}
	return lab.Start(ctx, o)
}

// serve keeps the lab up and shows the report and the run's metrics until ctx
// ends.
func (c *demoCmd) serve(ctx context.Context, r runner, folder string, running *lab.Lab) error {
	listen := c.Listen
	if listen == "" {
		listen = "127.0.0.1:9877"
	}
	where := running.Config()
	watch := exportCmd{unused: unused{ShowAll: true}}
	collectors, _, err := watch.of(r.app, where)
	if err != nil {
		return err
	}
	e := exporters.New(exporters.Options{Logger: r.log, Registry: r.registry}, collectors...)
	defer e.Close()
	pages, err := demoPages(e, filepath.Join(folder, report.HTMLFile))
	if err != nil {
		return err
	}
	server, err := telemetry.Serve(ctx, telemetry.Web{Address: listen, ConfigFile: c.Web}, pages, r.log)
	if err != nil {
		return err
	}
	r.say("report: http://%s/  exporter: http://%s/exporter/  kafka: %s  catalog: %s  s3: %s  (end with Ctrl-C)",
		server.Addr, server.Addr, strings.Join(where.Kafka.Brokers, ","), where.Catalog.URI, where.Storage.Endpoint)
	watching, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { e.Run(watching) })
	defer func() {
		stop()
		done.Wait()
	}()
	select {
	case <-ctx.Done():
	case err = <-running.Failed():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	return errors.Join(err, server.Close(closing))
}

// demoPages are the report and, beside it, the exporter's pages.
func demoPages(e *exporters.Exporter, file string) (http.Handler, error) {
	watched, err := e.Handler()
	if err != nil {
		return nil, err
	}
	pages := http.NewServeMux()
	pages.Handle("/exporter/", http.StripPrefix("/exporter", watched))
	pages.Handle("/metrics", watched)
	pages.Handle("/-/", watched)
	pages.HandleFunc("GET /{$}", func(w http.ResponseWriter, request *http.Request) {
		http.ServeFile(w, request, file)
	})
	return pages, nil
}
