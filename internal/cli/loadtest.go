//go:build !exporter

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/internal/ui"
	"github.com/lakeproof/lakeproof/internal/version"
	"github.com/lakeproof/lakeproof/loadtest"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

type loadtestCmd struct {
	Run    loadtestRunCmd    `cmd:"" help:"Run a scenario against the lab."`
	Report loadtestReportCmd `cmd:"" help:"Write and print the report of a run again."`
	Verify loadtestVerifyCmd `cmd:"" help:"Reconcile a run with the table again."`
}

type loadtestRunCmd struct {
	runFlags
	Scenario string        `arg:"" help:"A scenario: a file, or the name of a shipped one."`
	Seed     *uint64       `placeholder:"N" help:"Seed of the records (default: the scenario's)."`
	Rate     string        `placeholder:"N/s" help:"Records per second (default: the scenario's)."`
	Duration time.Duration `placeholder:"TIME" help:"How long to send (default: the scenario's)."`
	RunID    string        `name:"run-id" placeholder:"ID" help:"Name of the run and its folder (default: from the time and the scenario)."`
	Output   string        `enum:"text,json" default:"text" placeholder:"FORMAT" help:"What is printed at the end: text or json (default: ${default})."`
}

// Help implements kong.HelpProvider.
func (*loadtestRunCmd) Help() string {
	return `Sends the scenario's records to the lab of lakeproof.yaml, watches every system on the way, reconciles the table with what was sent, and ends with the verdict as its exit code: 0 pass, 10 a threshold missed, 11 records lost, doubled or altered, 12 inconclusive.

Examples:

    lakeproof loadtest run smoke
    lakeproof loadtest run ./payday.yaml --rate 20000/s --duration 2m --output json`
}

// Run implements the command.
func (c *loadtestRunCmd) Run(a *app) error {
	scenario, err := loadtest.Load(c.Scenario)
	if err != nil {
		return err
	}
	o := loadtest.Overrides{Seed: c.Seed, Duration: c.Duration, RunID: c.RunID}
	if o.Rate, err = parseRate(c.Rate); err != nil {
		return err
	}
	lab, err := a.lab()
	if err != nil {
		return err
	}
	plan, err := loadtest.NewPlan(scenario, lab, o)
	if err != nil {
		return err
	}
	ctx, release := a.Signals(context.Background())
	defer release()
	_, err = newRunner(a, c.runFlags, c.Output).run(ctx, plan)
	return err
}

func parseRate(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	rate, err := loadtest.ParseRate(text)
	if err == nil && rate == 0 {
		err = fmt.Errorf("rate %q is not positive", text)
	}
	return rate, fail.Wrap(err, fail.Usage, "write --rate 5000/s")
}

// runner makes a run on behalf of a command: live view, metrics, traces and the
// last lines.
type runner struct {
	*app
	flags      runFlags
	output     string
	command    string
	registry   *prometheus.Registry // of the exposition and the process
	exposition *loadtest.Exposition
}

func newRunner(a *app, flags runFlags, output string) runner {
	r := runner{
		app: a, flags: flags, output: output, command: "lakeproof " + strings.Join(a.Args, " "),
		registry: telemetry.NewRegistry(), exposition: &loadtest.Exposition{},
	}
	r.registry.MustRegister(r.exposition)
	return r
}

// run runs the plan and returns the run's folder. A verdict other than pass is
// an exit: everything has been said by then.
func (r runner) run(ctx context.Context, plan *loadtest.Plan) (string, error) {
	about := version.Get()
	tel, err := telemetry.Setup(ctx, r.Env, about.Version, r.log)
	if err != nil {
		return "", err
	}
	defer tel.Shutdown()
	tel.Export(r.registry)
	stop, err := r.flags.serve(ctx, r.app, r.registry, nil)
	if err != nil {
		return "", err
	}
	defer stop()
	live := r.live(plan)
	rep, err := loadtest.Run(ctx, plan, loadtest.Options{
		RunsDir: r.flags.RunsDir, Logger: r.log, Observer: observer{live}, Exposition: r.exposition,
		Tracer: tracer(tel), About: loadtest.Environment{Version: about.Version, Command: r.command},
	})
	live.Close()
	if err != nil && ctx.Err() != nil {
		return "", fail.New(fail.Interrupted, "", "interrupted before the first record was sent: %v", err)
	}
	if err != nil {
		return "", err
	}
	dir := filepath.Join(r.flags.RunsDir, rep.RunID)
	return dir, r.conclude(rep, dir)
}

// conclude prints the report and turns the verdict into the exit code.
func (r runner) conclude(rep *report.Report, dir string) error {
	if err := r.printReport(rep, dir, r.output); err != nil {
		return err
	}
	if rep.ExitCode != int(fail.Pass) {
		return exit(rep.ExitCode)
	}
	return nil
}

func (a *app) printReport(rep *report.Report, dir, output string) error {
	if output == "json" {
		data, err := json.MarshalIndent(rep, "", "  ")
		if err != nil {
			return fmt.Errorf("encoding the report: %w", err)
		}
		return a.print(string(data) + "\n")
	}
	return report.Text(a.Stdout, rep, dir)
}

func tracer(t telemetry.Telemetry) trace.Tracer {
	if !t.Enabled {
		return nil
	}
	return t.Tracer
}

func (r runner) live(plan *loadtest.Plan) *ui.Live {
	lab := plan.Lab.Name
	if plan.Lab.Embedded {
		lab = "embedded lab"
	}
	_, plain := r.Lookup("NO_COLOR")
	w := r.Stderr
	return ui.NewLive(w, ui.LiveOptions{
		Title: plan.Scenario.Name + " on " + lab, Quiet: r.flags.Quiet, TTY: r.TTY, Color: r.TTY && !plain, Width: r.Width,
	})
}

// observer shows progress in the live view.
type observer struct{ live *ui.Live }

// Progress implements loadtest.Observer.
func (o observer) Progress(p loadtest.Progress) {
	o.live.Update(ui.Frame{
		Phase: p.Phase, Elapsed: p.Elapsed, Total: p.Total, RateIntended: p.Target, RateAchieved: p.Achieved,
		Intended: p.Intended, Sent: p.Sent, Acked: p.Acked, Followed: p.Followed, Landed: p.Landed, LagRecords: p.LagRecords,
		AckP50: p.AckP50, AckP99: p.AckP99, FreshP50: p.FreshP50, FreshP99: p.FreshP99, FreshMax: p.FreshMax,
		Batch: p.Batch, Snapshot: p.Snapshot, Problems: p.Problems,
	})
}

type loadtestReportCmd struct {
	Dir    string `arg:"" name:"run" help:"Folder of the run."`
	Output string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"What is printed: text or json (default: ${default})."`
}

// Help implements kong.HelpProvider.
func (*loadtestReportCmd) Help() string {
	return `Makes the report of a finished run again from what its folder holds. No system is asked.

Example:

    lakeproof loadtest report runs/20260101-120000-smoke-a1b2`
}

// Run implements the command.
func (c *loadtestReportCmd) Run(a *app) error {
	rep, err := loadtest.Report(c.Dir)
	if err != nil {
		return err
	}
	if err := report.Write(c.Dir, rep); err != nil {
		return err
	}
	return runner{app: a, output: c.Output}.conclude(rep, c.Dir)
}

type loadtestVerifyCmd struct {
	Dir    string `arg:"" name:"run" help:"Folder of the run."`
	Output string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"What is printed: text or json (default: ${default})."`
}

// Help implements kong.HelpProvider.
func (*loadtestVerifyCmd) Help() string {
	return `Reads the table as it is now and reconciles it with what the run sent.

Example:

    lakeproof loadtest verify runs/20260101-120000-smoke-a1b2`
}

// Run implements the command.
func (c *loadtestVerifyCmd) Run(a *app) error {
	lab, err := a.lab()
	if err != nil {
		return err
	}
	return a.verify(c.Dir, c.Output, lab)
}

func (a *app) verify(dir, output string, lab config.Lab) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	rep, err := loadtest.Verify(ctx, dir, lab, loadtest.Options{
		Logger: a.log, About: loadtest.Environment{Version: version.Get().Version},
	})
	if err != nil {
		return err
	}
	return runner{app: a, output: output}.conclude(rep, dir)
}
