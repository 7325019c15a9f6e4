package cli

import (
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
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
	return fail.New(fail.Internal, "", "running scenario %q: not joined yet", c.Scenario)
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
	return fail.New(fail.Internal, "", "reporting run %q: not joined yet", c.Dir)
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
	return fail.New(fail.Internal, "", "verifying run %q: not joined yet", c.Dir)
}
