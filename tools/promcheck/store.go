package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// store keeps what was scraped, in memory. It is a storage.Queryable.
type store struct {
	target labels.Labels
	series map[string]*promql.Series // by their labels
	live   map[string]bool           // those of the last scrape
}

func newStore(target labels.Labels) *store {
	return &store{target: target, series: map[string]*promql.Series{}}
}

// scrape takes one page, as Prometheus does: a label that the target has too is
// called exported_ and its name, and a series that is no longer there ends.
func (s *store) scrape(page []byte, at time.Time) error {
	p, err := textparse.New(page, contentType(page), labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return fmt.Errorf("choosing the format: %w", err)
	}
	seen := map[string]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the page: %w", err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var own labels.Labels
		p.Labels(&own)
		l := s.withTarget(own)
		key := l.String()
		if seen[key] {
			return fmt.Errorf("reading the page: %s is there twice", key)
		}
		seen[key] = true
		_, stamp, v := p.Series()
		t := at.UnixMilli()
		if stamp != nil {
			t = *stamp
		}
		s.add(key, l, t, v)
	}
	for key := range s.live {
		if !seen[key] {
			s.add(key, labels.EmptyLabels(), at.UnixMilli(), math.Float64frombits(value.StaleNaN))
		}
	}
	s.live = seen
	return nil
}

func (s *store) add(key string, l labels.Labels, at int64, v float64) {
	series, ok := s.series[key]
	if !ok {
		series = &promql.Series{Metric: l}
		s.series[key] = series
	}
	series.Floats = append(series.Floats, promql.FPoint{T: at, F: v})
}

func (s *store) withTarget(own labels.Labels) labels.Labels {
	b := labels.NewBuilder(own)
	s.target.Range(func(l labels.Label) {
		if v := own.Get(l.Name); v != "" {
			b.Set("exported_"+l.Name, v)
		}
		b.Set(l.Name, l.Value)
	})
	return b.Labels()
}

// contentType tells OpenMetrics by its last line from the text format.
func contentType(page []byte) string {
	if bytes.HasSuffix(bytes.TrimSpace(page), []byte("# EOF")) {
		return "application/openmetrics-text; version=1.0.0"
	}
	return "text/plain; version=0.0.4"
}

// Querier implements storage.Queryable.
func (s *store) Querier(int64, int64) (storage.Querier, error) {
	return querier{storage.NoopQuerier(), s}, nil
}

// querier knows Select only; the engine asks for nothing else.
type querier struct {
	storage.Querier
	store *store
}

// Select implements storage.Querier.
func (q querier) Select(
	_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher,
) storage.SeriesSet {
	set := &seriesSet{}
	for _, s := range q.store.series {
		if matches(s.Metric, matchers) {
			set.list = append(set.list, s)
		}
	}
	slices.SortFunc(set.list, func(a, b *promql.Series) int { return labels.Compare(a.Metric, b.Metric) })
	return set
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(l.Get(m.Name)) })
}

// seriesSet implements storage.SeriesSet over a list.
type seriesSet struct {
	list []*promql.Series
	next int
}

func (s *seriesSet) Next() bool                        { s.next++; return s.next <= len(s.list) }
func (s *seriesSet) At() storage.Series                { return promql.NewStorageSeries(*s.list[s.next-1]) }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
