//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/generators/realism"
	"github.com/lakeproof/lakeproof/generators/realism/input"
	"github.com/lakeproof/lakeproof/generators/realism/streams"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest"
)

type generateVerifyCmd struct {
	What []string `arg:"" help:"A scenario, a stream (${streams}), or files: JSON lines, CSV or Parquet; - is standard input."`

	Stream string  `placeholder:"NAME" help:"Which stream of the scenario (default: the first that holds payments)."`
	Count  uint64  `default:"1000000" placeholder:"N" help:"How many records to make, at most (default: ${default})."`
	Seed   *uint64 `placeholder:"N" help:"Seed of the records (default: 42, or the scenario's)."`
	Days   int     `placeholder:"N" help:"Spread them over so many days, by the hours, weekdays and paydays of shops (default: 91 for bank.payments; else as the scenario says)."`

	Expect string `enum:",eea-2023,aml-hi,aml-li,none" default:"" placeholder:"PRESET" help:"Hold fraud against published rates: eea-2023, aml-hi, aml-li or none (default: what the scenario configures, else none)."`
	Curve  string `placeholder:"NAME" help:"Hold the hours against a curve: retail, bank-transfer, mobile-money or flat (default: the one that is configured)."`

	Map       map[string]string `placeholder:"FIELD=COLUMN" help:"Which column of the files is what: --map amount=price --map time=booked_at."`
	Columns   string            `placeholder:"NAMES" help:"The columns of CSV files without a line of names: a,b,c, or the name of a stream."`
	TimeUnit  string            `name:"time-unit" placeholder:"UNIT" help:"Unit of times that are whole numbers: d, h, m, s, ms, us or ns (default: by their size)."`
	Labels    string            `placeholder:"FILE" help:"What is known of fraud, joined by the payment's or the event's id."`
	LabelsMap map[string]string `name:"labels-map" placeholder:"FIELD=COLUMN" help:"Which column of the labels is what: id or payment, case, label."`

	Output string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"What is printed: text or json (default: ${default})."`
	HTML   string `name:"html" placeholder:"FILE" help:"Write the report there as a page with plots, too."`
}

// Help implements kong.HelpProvider.
func (*generateVerifyCmd) Help() string {
	return `Measures payments against published figures of real ones, and against what they were configured to be, and ends with 0 when every measure that could be taken lies in its band, 10 when one does not, 12 when there is too little to say anything of how real they look.

Nothing is sent. Files may come from anywhere: known columns are found, others are mapped.

Examples:

    lakeproof generate verify bank.payments --html realism.html
    lakeproof generate verify fraud-day --count 2000000 --output json
    lakeproof generate verify payments.jsonl --labels labels.jsonl
    lakeproof generate verify paysim.csv --map time=step --time-unit h --expect aml-hi`
}

// Run implements the command.
func (c *generateVerifyCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	if err := c.check(); err != nil {
		return err
	}
	from, err := c.open(ctx, a)
	if err != nil {
		return err
	}
	o, err := from.options()
	if err != nil {
		return err
	}
	c.published(&o.Expect)
	if err := c.week(&o.Expect); err != nil {
		return err
	}
	meter, err := realism.New(o)
	if err != nil {
		return err
	}
	if err := from.each(ctx, meter.Observe); err != nil {
		if ctx.Err() != nil {
			return exit(fail.Interrupted)
		}
		return err
	}
	return c.conclude(a, meter.Report())
}

// measured is what is measured: records, and what they were meant to be.
type measured interface {
	options() (realism.Options, error)
	each(ctx context.Context, use func(*realism.Record)) error
}

// check refuses flags that would have no effect.
func (c *generateVerifyCmd) check() error {
	files, _, err := c.what()
	if err != nil {
		return err
	}
	if c.Count == 0 || c.Count > math.MaxInt32 {
		return fail.New(fail.Usage, "a million gives solid figures",
			"reading --count: %d is not from 1 to %d", c.Count, math.MaxInt32)
	}
	if c.Days < 0 || c.Days > maxDays {
		return fail.New(fail.Usage, "three months hold what there is to see",
			"reading --days: %d is not from 1 to %d", c.Days, maxDays)
	}
	for _, f := range []struct {
		flag  string
		given bool
		file  bool
	}{
		{"--map", len(c.Map) > 0, true},
		{"--time-unit", c.TimeUnit != "", true},
		{"--columns", c.Columns != "", true},
		{"--labels", c.Labels != "", true},
		{"--days", c.Days > 0, false},
		{"--stream", c.Stream != "", false},
		{"--seed", c.Seed != nil, false},
	} {
		if f.given && f.file != files {
			hint := "leave it away: the file is as it is"
			if f.file {
				hint = "leave it away: it is for files"
			}
			return fail.New(fail.Usage, hint, "reading %s: it has no effect on %s", f.flag, strings.Join(c.What, ", "))
		}
	}
	if len(c.LabelsMap) > 0 && c.Labels == "" {
		return fail.New(fail.Usage, "add --labels FILE", "reading --labels-map: there are no labels")
	}
	return nil
}

const maxDays = 3650

// what says whether files are meant, or one stream without a scenario.
func (c *generateVerifyCmd) what() (files, stream bool, err error) {
	isFile := func(name string) bool {
		ext := filepath.Ext(name)
		return name == "-" || ext != ".yaml" && ext != ".yml" && !slices.Contains(streamNames(), name) &&
			(strings.ContainsAny(name, "./\\") || !slices.Contains(loadtest.Shipped(), name) && exists(name))
	}
	n := 0
	for _, name := range c.What {
		if isFile(name) {
			n++
		}
	}
	first := c.What[0]
	stream = slices.Contains(streamNames(), first)
	known := stream || strings.ContainsAny(first, "./\\") || slices.Contains(loadtest.Shipped(), first)
	switch {
	case n == len(c.What):
		return true, false, nil
	case len(c.What) > 1:
		return false, false, fail.New(fail.Usage, "give one scenario, one stream, or files",
			"choosing what to measure: %s are not files all of them", strings.Join(c.What, ", "))
	case !known:
		return false, false, fail.New(fail.Usage,
			"give a file, or one of "+strings.Join(append(streamNames(), loadtest.Shipped()...), ", "),
			"choosing what to measure: %q is no stream, no scenario and no file", first)
	}
	return false, stream, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// open finds what is measured.
func (c *generateVerifyCmd) open(ctx context.Context, a *app) (measured, error) {
	files, stream, err := c.what()
	switch {
	case err != nil:
		return nil, err
	case files:
		return c.openFiles(ctx, a)
	case stream:
		return c.openStream()
	default:
		return c.openScenario(a)
	}
}

// files are files of records.
type files struct {
	names  []string
	stdin  *app
	reader *input.Reader
}

func (c *generateVerifyCmd) openFiles(ctx context.Context, a *app) (measured, error) {
	o := input.Options{Map: c.Map, TimeUnit: c.TimeUnit, FollowUps: streams.FollowUps(), Columns: c.columns()}
	if c.Labels != "" {
		var err error
		if o.Labels, err = input.ReadLabels(ctx, c.Labels, c.LabelsMap); err != nil {
			return nil, err
		}
	}
	r, err := input.New(o)
	return &files{c.What, a, r}, err
}

// columns are the names of the columns of a CSV, or of a stream of ours.
func (c *generateVerifyCmd) columns() []string {
	if c.Columns == "" {
		return nil
	}
	schema, err := bank.Schema(strings.TrimPrefix(c.Columns, "bank."))
	if strings.HasPrefix(c.Columns, "bank.") && err == nil {
		return strings.Split(encode.CSVHeader(schema), ",")
	}
	if s, err := fintech.ByName(c.Columns, 0); err == nil {
		return strings.Split(encode.CSVHeader(s.Schema()), ",")
	}
	return strings.Split(c.Columns, ",")
}

func (f *files) options() (realism.Options, error) {
	return realism.Options{
		Source: strings.Join(f.names, ", "), Roles: streams.Roles(), Validators: streams.Validators(),
	}, nil
}

func (f *files) each(ctx context.Context, use func(*realism.Record)) error {
	for _, name := range f.names {
		var err error
		if name == "-" {
			err = f.reader.ReadFrom(ctx, "standard input", f.stdin.Stdin, use)
		} else {
			err = f.reader.Read(ctx, name, use)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// published replaces the rates of fraud by published ones.
func (c *generateVerifyCmd) published(e *realism.Expect) {
	if c.Expect != "" {
		e.FraudVolume, e.FraudValue, e.FraudTypes = 0, 0, nil
	}
	switch c.Expect {
	case "eea-2023": // EBA and ECB 2024: cards, first half of 2023
		e.FraudVolume, e.FraudValue, e.FraudTypes = 0.000_15, 0.000_31, streams.CardTypes()
	case "aml-hi": // AMLworld: 1 of 981 to 1 of 807
		e.FraudVolume = 1.0 / 900
	case "aml-li": // 1 of 1,950 to 1 of 1,750
		e.FraudVolume = 1.0 / 1850
	}
}

// conclude prints the report and turns its verdict into the exit code.
func (c *generateVerifyCmd) conclude(a *app, r *realism.Report) error {
	code := judge(r)
	if c.HTML != "" {
		page, err := realism.HTML(r)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.HTML, page, 0o600); err != nil {
			return fail.Wrap(fmt.Errorf("writing the report: %w", err), fail.Usage,
				"choose a folder that exists and is writable")
		}
	}
	if c.Output == "json" {
		data, err := realism.JSON(r)
		if err != nil {
			return err
		}
		if err := a.print(string(data)); err != nil {
			return err
		}
	} else if err := realism.Text(a.Stdout, r); err != nil {
		return lostOutput(err)
	}
	if code != fail.Pass {
		return exit(code)
	}
	return nil
}

// judge says how a report ends. That keys are unique and books balance is exact on
// any ten records, and says nothing of how real they look: without any other
// measure, nothing was measured.
func judge(r *realism.Report) fail.Code {
	if r.Verdict == realism.Fail {
		return fail.Threshold
	}
	exact := map[string]bool{
		"conservation": true, "balance_chain": true, "integrity_in_time": true, "key_uniqueness": true,
		"identifier_validity": true, "boundary_adherence": true,
	}
	for i := range r.Measures {
		if m := &r.Measures[i]; m.Verdict == realism.Pass && !exact[m.Name] {
			return fail.Pass
		}
	}
	r.Verdict = realism.NotMeasured
	r.Reason = fmt.Sprintf("%d records are too few to say how real they look", r.Records)
	return fail.Inconclusive
}
