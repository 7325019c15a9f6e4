// Package cli is the command line: it reads arguments and configuration, joins
// the parts of the house for one command, and turns the outcome into text and
// an exit code.
//
// A value flows like this: [Main] parses the arguments into the structs of the
// commands (one file each), the chosen command runs with an app that has the
// environment, the logger and the configuration, and its error is printed once
// with its hint. Results go to stdout, everything else to stderr.
//
// It holds no logic of a capability: every command is three hops from its work.
package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// grammar is the command line as a whole.
type grammar struct {
	globals
	workload

	Export     exportCmd     `cmd:"" help:"Watch Kafka and Spark, and serve what is seen to Prometheus."`
	Config     configCmd     `cmd:"" help:"Write, print or check lakeproof.yaml."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print a script that completes commands and flags in a shell."`
}

// globals are the flags of every command.
type globals struct {
	Config    string `name:"config" placeholder:"FILE" help:"The lab's configuration (default: ./lakeproof.yaml)."`
	LogLevel  string `name:"log.level" default:"warn" placeholder:"LEVEL" help:"Least severe messages to log: debug, info, warn or error (default: ${default})."`
	LogFormat string `name:"log.format" default:"logfmt" placeholder:"FORMAT" help:"Format of the log: logfmt or json (default: ${default})."`
}

// exit ends a command with a code when all has been said already, such as a
// verdict. It is an error so that commands can return it.
type exit fail.Code

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Main runs one command line and returns the exit code of the process.
func Main(e env.Env) int {
	err := run(e)
	if code, ok := errors.AsType[exit](err); ok {
		return int(code)
	}
	if err != nil {
		tell(e.Stderr, err)
	}
	return int(fail.CodeOf(err))
}

// tell prints an error and its hint. There is nobody left to tell when that
// goes wrong.
func tell(w io.Writer, err error) {
	fmt.Fprintf(w, "lakeproof: %s\n", err)
	if hint := fail.HintOf(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}

func run(e env.Env) error {
	var g grammar
	ended := false
	parser, err := newParser(&g, e, func(int) { ended = true })
	if err != nil {
		return err
	}
	ctx, err := parser.Parse(arguments(e))
	if ended { // --help has printed all there is to say
		return nil
	}
	if written, ok := errors.AsType[*fs.PathError](err); ok { // --help
		return lostOutput(written)
	}
	if err != nil {
		return usage(err)
	}
	a, err := newApp(e, g.globals)
	if err != nil {
		return err
	}
	return ctx.Run(a, parser)
}

// arguments are those of the command line. Called by the name of kafka_exporter,
// as in an image that is made for it, this is `lakeproof export kafka`.
func arguments(e env.Env) []string {
	if e.Name == "kafka_exporter" {
		return append([]string{"export", "kafka"}, e.Args...)
	}
	return e.Args
}

func newParser(g *grammar, e env.Env, exit func(int)) (*kong.Kong, error) {
	parser, err := kong.New(g,
		kong.Name("lakeproof"),
		kong.Description("Proves that a Kafka, Spark and Iceberg lakehouse works: it makes payments, follows every record "+
			"to the table, and says pass or fail."),
		kong.Writers(e.Stdout, e.Stderr),
		kong.Exit(exit),
		workloadVars(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Resolvers(fromEnvironment(e)),
	)
	if err != nil {
		return nil, fmt.Errorf("building the command line: %w", err)
	}
	return parser, nil
}

// fromEnvironment gives every flag that is not on the command line the value of
// its variable: --log.level is LAKEPROOF_LOG_LEVEL.
func fromEnvironment(e env.Env) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if flag.Name == "help" {
			return nil, nil
		}
		name := "LAKEPROOF_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag.Name))
		if v := e.Getenv(name, ""); v != "" {
			return v, nil
		}
		return nil, nil
	})
}

// usage makes an error of the parser one that says where to read on.
func usage(err error) error {
	hint := "lakeproof --help lists the commands"
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		if node := parse.Context.Selected(); node != nil {
			hint = fmt.Sprintf("%s --help shows an example", node.FullPath())
		}
	}
	return fail.Wrap(err, fail.Usage, hint)
}
