package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// closing bounds the end of what a command started.
const closing = 5 * time.Second

// app is what every command has.
type app struct {
	env.Env
	globals globals
	log     *slog.Logger
}

func newApp(e env.Env, g globals) (*app, error) {
	logger, err := telemetry.NewLogger(e.Stderr, g.LogLevel, g.LogFormat)
	if err != nil {
		return nil, err
	}
	return &app{Env: e, globals: g, log: logger}, nil
}

// lab loads the configuration.
func (a *app) lab() (config.Lab, error) { return config.Load(a.globals.Config, a.Lookup) }

// print writes a result to stdout.
func (a *app) print(text string) error {
	if _, err := fmt.Fprint(a.Stdout, text); err != nil {
		return lostOutput(err)
	}
	return nil
}

func lostOutput(err error) error {
	return fail.Wrap(fmt.Errorf("writing to stdout: %w", err), fail.Internal,
		"see whether the disk is full and the reader still there")
}

// say writes a line to stderr, which is only for people: an error changes nothing.
func (a *app) say(format string, args ...any) { fmt.Fprintf(a.Stderr, format+"\n", args...) }

// runFlags are the flags of the commands that make a run.
type runFlags struct {
	RunsDir string `name:"runs-dir" default:"runs" placeholder:"DIR" help:"Folder of the runs (default: ./${default})."`
	Quiet   bool   `help:"No progress on stderr."`
	Listen  string `name:"web.listen-address" placeholder:"HOST:PORT" help:"Serve /metrics and /-/healthy there while it runs (default: not)."`
	Web     string `name:"web.config.file" placeholder:"FILE" help:"TLS and basic auth of that server, in the format of the Prometheus exporter toolkit."`
}

// serve serves the metrics where the flags ask for it, and next beside them
// (nil for nothing). The function ends the server.
func (f runFlags) serve(ctx context.Context, a *app, g prometheus.Gatherer, next http.Handler) (func(), error) {
	if f.Listen == "" {
		return func() {}, nil
	}
	where := telemetry.Web{Address: f.Listen, ConfigFile: f.Web}
	server, err := telemetry.Serve(ctx, where, telemetry.Handler(g, next), a.log)
	if err != nil {
		return nil, err
	}
	a.say("metrics: http://%s/metrics", server.Addr)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			a.log.Warn("the HTTP server did not end well", "err", err)
		}
	}, nil
}
