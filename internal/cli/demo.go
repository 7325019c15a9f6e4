package cli

import "github.com/lakeproof/lakeproof/internal/fail"

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

// Run implements the command.
func (c *demoCmd) Run(a *app) error {
	return fail.New(fail.Internal, "", "running the demo: not joined yet")
}
