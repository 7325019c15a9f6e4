package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Bounds of one evaluation.
const (
	maxSamples = 10_000_000
	maxTime    = 30 * time.Second
)

// expression is one line of a file.
type expression struct{ name, query string }

// readExpressions reads a file of expressions, one a line. The comment right
// above an expression is its name, after that of the file.
func readExpressions(file string) ([]expression, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading expressions: %w", err)
	}
	var out []expression
	name, base := "", strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	for i, line := range strings.Split(string(raw), "\n") {
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "#"); ok || line == "" {
			name = strings.TrimSpace(comment)
			if !ok {
				name = ""
			}
			continue
		}
		if name == "" {
			name = fmt.Sprintf("line %d", i+1)
		}
		out = append(out, expression{base + ": " + name, line})
		name = ""
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("reading expressions: %s has none", file)
	}
	return out, nil
}

// result is what became of an expression; err says why it does not work.
type result struct {
	expression
	series int
	err    error
}

// checker evaluates expressions at one moment.
type checker struct {
	engine *promql.Engine
	parser parser.Parser
	store  *store
	now    time.Time
}

func newChecker(s *store, now time.Time) *checker {
	p := parser.NewParser(parser.Options{})
	return &checker{
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: maxSamples, Timeout: maxTime, Parser: p,
			EnableAtModifier: true, EnableNegativeOffset: true,
		}),
		parser: p, store: s, now: now,
	}
}

// expression wants a result. Which of its selectors have nothing is said only
// when there is none: alternatives (a or b) may have one side empty.
func (c *checker) expression(ctx context.Context, e expression) result {
	r, parsed := c.evaluate(ctx, e)
	switch {
	case r.err != nil:
	case r.series == 0:
		r.err = errors.Join(errors.New("it has no result"), c.selects(ctx, parsed))
	default:
		r.err = c.labelled(ctx, parsed)
	}
	return r
}

// rule wants every metric that is selected to be there.
func (c *checker) rule(ctx context.Context, e expression) result {
	r, parsed := c.evaluate(ctx, e)
	if r.err == nil {
		r.err = errors.Join(c.selects(ctx, parsed), c.labelled(ctx, parsed))
	}
	return r
}

func (c *checker) evaluate(ctx context.Context, e expression) (result, parser.Expr) {
	parsed, err := c.parser.ParseExpr(e.query)
	if err != nil {
		return result{expression: e, err: fmt.Errorf("parsing it: %w", err)}, nil
	}
	found, err := c.query(ctx, e.query)
	return result{expression: e, series: len(found), err: err}, parsed
}

// query returns the labels of all series of a result.
func (c *checker) query(ctx context.Context, query string) ([]labels.Labels, error) {
	q, err := c.engine.NewInstantQuery(ctx, c.store, nil, query, c.now)
	if err != nil {
		return nil, fmt.Errorf("preparing it: %w", err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, fmt.Errorf("evaluating it: %w", res.Err)
	}
	var out []labels.Labels
	switch v := res.Value.(type) {
	case promql.Vector:
		for _, s := range v {
			out = append(out, s.Metric)
		}
	case promql.Matrix:
		for _, s := range v {
			out = append(out, s.Metric)
		}
	default: // a number
		out = append(out, labels.EmptyLabels())
	}
	return out, nil
}

// selects returns an error that names the selectors without series.
func (c *checker) selects(ctx context.Context, e parser.Expr) error {
	var errs []error
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		// Without offsets: what matters is that the series exist.
		bare := &parser.VectorSelector{Name: v.Name, LabelMatchers: v.LabelMatchers}
		found, err := c.query(ctx, bare.String())
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("no series match %s", bare)
		}
		errs = append(errs, err)
		return nil
	})
	return errors.Join(errs...)
}

// labelled returns an error that names the labels that the expression groups or
// matches by and that no series has: there the sum over nothing looks like a
// result.
func (c *checker) labelled(ctx context.Context, e parser.Expr) error {
	var errs []error
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			if !n.Without {
				errs = append(errs, c.carries(ctx, n, n.Grouping))
			}
		case *parser.BinaryExpr:
			if n.VectorMatching != nil && n.VectorMatching.On {
				errs = append(errs,
					c.carries(ctx, n.LHS, n.VectorMatching.MatchingLabels),
					c.carries(ctx, n.RHS, n.VectorMatching.MatchingLabels))
			}
		}
		return nil
	})
	return errors.Join(errs...)
}

// carries wants each of the names to be a label of one of the series at least,
// if there are any.
func (c *checker) carries(ctx context.Context, e parser.Expr, names []string) error {
	found, err := c.query(ctx, e.String())
	if err != nil || len(found) == 0 {
		return err
	}
	var errs []error
	for _, name := range names {
		has := false
		for _, l := range found {
			has = has || l.Has(name)
		}
		if !has {
			errs = append(errs, fmt.Errorf("no series has the label %s in %s", name, e))
		}
	}
	return errors.Join(errs...)
}
