// Command promcheck says whether dashboards and alerts work with a page of
// metrics: it reads pages as Prometheus would scrape them, evaluates every
// expression with Prometheus' own engine, and fails when one selects nothing.
//
//	go run -C tools/promcheck . --expressions FILE PAGE...
//	go run -C tools/promcheck . --rules FILE PAGE...
//
// Several pages are successive scrapes of one target, 15 s apart, the last one
// now; functions over a range need two. A file has one expression a line; the
// comment right above it is its name. An expression must have a result. A rule
// need not (an alert that does not fire has none): it must be valid, and what it
// selects must be there. In both, labels that are grouped or matched by must be
// on the series.
//
// It is a module of its own, so that the engine of Prometheus is no dependency
// of lakeproof.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// interval is between two scrapes.
const interval = 15 * time.Second

// Exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) //nolint:forbidigo // the process is handled here only
}

// arguments of the command line.
type arguments struct {
	expressions, rules, pages []string
	target                    labels.Labels // of the scrape
}

// run is the whole program.
func run(args []string, stdout, stderr io.Writer) int {
	a, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	var results []result
	if err == nil {
		results, err = a.check(context.Background())
	}
	if err != nil {
		fmt.Fprintf(stderr, "promcheck: %v\n", err)
		return exitUsage
	}
	if n := report(results, stdout, stderr); n > 0 {
		fmt.Fprintf(stderr, "promcheck: %d of %d expressions do not work with this page\n", n, len(results))
		return exitFailed
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (*arguments, error) {
	a := &arguments{}
	target := map[string]string{"instance": "localhost:9308", "job": "kafka"}
	flags := flag.NewFlagSet("promcheck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Func("expressions", "`file` of expressions that must have a result; may be repeated", appendTo(&a.expressions))
	flags.Func("rules", "`file` of alert expressions whose metrics must be there; may be repeated", appendTo(&a.rules))
	flags.Func("label", "`name=value` that the target has beside job and instance; may be repeated", addTo(target))
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	a.pages, a.target = flags.Args(), labels.FromMap(target)
	if len(a.pages) == 0 || len(a.expressions)+len(a.rules) == 0 {
		return nil, errors.New("reading the arguments: give a page, and --expressions or --rules")
	}
	return a, nil
}

func appendTo(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(*list, s)
		return nil
	}
}

func addTo(target map[string]string) func(string) error {
	return func(s string) error {
		name, v, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("write it as name=value")
		}
		target[name] = v
		return nil
	}
}

// check loads the pages and evaluates all expressions.
func (a *arguments) check(ctx context.Context) ([]result, error) {
	now := time.Now()
	s := newStore(a.target)
	for i, name := range a.pages {
		page, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading a page: %w", err)
		}
		at := now.Add(-time.Duration(len(a.pages)-1-i) * interval)
		if err := s.scrape(page, at); err != nil {
			return nil, fmt.Errorf("scraping %s: %w", name, err)
		}
	}
	c := newChecker(s, now)
	var out []result
	for _, kind := range []struct {
		files []string
		check func(context.Context, expression) result
	}{{a.expressions, c.expression}, {a.rules, c.rule}} {
		for _, name := range kind.files {
			list, err := readExpressions(name)
			if err != nil {
				return nil, err
			}
			for _, e := range list {
				out = append(out, kind.check(ctx, e))
			}
		}
	}
	return out, nil
}

// report prints the table and returns how many expressions failed.
func report(results []result, stdout, stderr io.Writer) int {
	failed := 0
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSERIES\tEXPRESSION")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%d\t%s\n", r.name, r.series, r.query)
	}
	if err := table.Flush(); err != nil {
		fmt.Fprintf(stderr, "promcheck: printing the table: %v\n", err)
	}
	for _, r := range results {
		if r.err != nil {
			failed++
			fmt.Fprintf(stderr, "promcheck: %s: %v\n    %s\n", r.name, r.err, r.query)
		}
	}
	return failed
}
