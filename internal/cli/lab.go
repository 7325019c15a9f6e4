//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

type labCmd struct {
	Up     labUpCmd     `cmd:"" help:"Install and start Kafka, MinIO, an Iceberg REST catalog and Spark."`
	Status labStatusCmd `cmd:"" help:"Say which of them run, and where."`
	Down   labDownCmd   `cmd:"" help:"Stop them."`
}

// stackFlags say which stack is meant.
type stackFlags struct {
	Dir string `default:".lab" placeholder:"DIR" help:"Folder of the stack: programs, data, logs (default: ./${default})."`
}

func (f stackFlags) stack(a *app, o local.Options) (*local.Stack, error) {
	o.Dir, o.Logger = f.Dir, a.log
	return local.New(o)
}

type labUpCmd struct {
	stackFlags
	Store     string   `enum:"minio,versitygw" default:"minio" placeholder:"NAME" help:"The S3 store: minio or versitygw (default: ${default})."`
	Only      []string `placeholder:"NAME,..." help:"Only these: kafka, store, catalog, registry, spark (default: all but the Schema Registry)."`
	Format    string   `enum:"json,avro-registry" default:"json" placeholder:"NAME" help:"What the streaming job reads: json, or avro-registry with schema id 1 (default: ${default})."`
	FreePorts bool     `name:"free-ports" help:"Choose free ports instead of the usual ones."`
}

// Help implements kong.HelpProvider.
func (*labUpCmd) Help() string {
	return `The first time it downloads and installs the programs, which takes some minutes; Java, Maven, Python and Go must be there. What already runs is kept. The stack's own lakeproof.yaml is in its folder.

Example:

    lakeproof lab up
    lakeproof --config .lab/lakeproof.yaml loadtest run smoke`
}

// Run implements the command.
func (c *labUpCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	var mu sync.Mutex
	progress := func(e local.Event) {
		mu.Lock()
		defer mu.Unlock()
		a.say("%s", describe(e))
	}
	s, err := c.stack(a, local.Options{
		Store: c.Store, Components: c.Only, FreePorts: c.FreePorts, Progress: progress,
		Spark: local.SparkOptions{Format: c.Format, SchemaID: 1},
	})
	if err != nil {
		return err
	}
	if err := s.Up(ctx); err != nil {
		if ctx.Err() != nil {
			return fail.Wrap(fmt.Errorf("starting the stack: interrupted: %w", err), fail.Interrupted,
				"lakeproof lab down stops what was started")
		}
		return err
	}
	if err := a.table(s.Status(ctx)); err != nil {
		return err
	}
	a.say("next: lakeproof --config %s loadtest run smoke", filepath.Join(c.Dir, "lakeproof.yaml"))
	return nil
}

// describe is one line of progress.
func describe(e local.Event) string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("✗ %-8s %s: %v", e.Component, e.Step, e.Err)
	case e.Done:
		return fmt.Sprintf("✓ %-8s %s (%s)", e.Component, e.Step, e.Elapsed.Round(100*time.Millisecond))
	default:
		return fmt.Sprintf("· %-8s %s ...", e.Component, e.Step)
	}
}

type labStatusCmd struct{ stackFlags }

// Help implements kong.HelpProvider.
func (*labStatusCmd) Help() string {
	return `The exit code is 20 when a system is not running.

Example:

    lakeproof lab status`
}

// Run implements the command.
func (c *labStatusCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	s, err := c.stack(a, local.Options{})
	if err != nil {
		return err
	}
	components := s.Status(ctx)
	if err := a.table(components); err != nil {
		return err
	}
	for _, component := range components {
		if component.State != "running" {
			return exit(fail.Unreachable)
		}
	}
	return nil
}

// table prints the state of the systems.
func (a *app) table(components []local.Component) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SYSTEM\tSTATE\tADDRESS\tPID\tSINCE\tLOG")
	for _, c := range components {
		pid, since := "-", "-"
		if c.PID != 0 {
			pid, since = strconv.Itoa(c.PID), c.Since.Local().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Name, c.State, c.Addr, pid, since, c.Log)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return a.print(text.String())
}

type labDownCmd struct{ stackFlags }

// Help implements kong.HelpProvider.
func (*labDownCmd) Help() string {
	return `The data stays in the folder; remove the folder to forget it.

Example:

    lakeproof lab down`
}

// Run implements the command.
func (c *labDownCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	s, err := c.stack(a, local.Options{})
	if err != nil {
		return err
	}
	if err := s.Down(ctx); err != nil {
		return err
	}
	return a.table(s.Status(ctx))
}
