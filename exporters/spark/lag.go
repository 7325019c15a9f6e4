package spark

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"
)

// Offsets asks Kafka where its topics begin and end. An answer holds what could
// be had; the error says what could not. Nothing is asked for a topic's records.
type Offsets interface {
	// Ends returns the offset after the last record of every partition.
	Ends(ctx context.Context, topics []string) (map[string]map[int32]int64, error)
	// Starts returns the offset of the oldest record that is kept.
	Starts(ctx context.Context, topics []string) (map[string]map[int32]int64, error)
	// TimesOf returns the time of the first record at or after an offset, by
	// topic and partition.
	TimesOf(ctx context.Context, at map[string]map[int32]int64) (map[string]map[int32]time.Time, error)
	// Retention returns the time for which topics keep their records; a topic
	// that keeps them for ever, or by size only, is left out.
	Retention(ctx context.Context, topics []string) (map[string]time.Duration, error)
}

// cluster is what Kafka answered in one collection; nil where it was not asked.
type cluster struct {
	ends, starts topics
	retention    map[string]time.Duration
}

// start returns where a partition begins, 0 where it is not known.
func (c *cluster) start(topic string, partition int32) int64 {
	if c == nil {
		return 0
	}
	return c.starts[topic][partition]
}

// ask asks Kafka about the topics of all queries of an application.
func (s *streams) ask(ctx context.Context, st *application, queries []*query, now time.Time) *cluster {
	names := map[string]bool{}
	for _, q := range queries {
		if q.fresh(now) {
			for topic := range q.view.ends {
				names[topic] = true
			}
		}
	}
	if s.o.Offsets == nil || len(names) == 0 {
		return nil
	}
	ctx, cancel := share(ctx)
	defer cancel()
	all := slices.Sorted(maps.Keys(names))
	c := &cluster{}
	var errs [3]error
	c.ends, errs[0] = s.o.Offsets.Ends(ctx, all)
	c.starts, errs[1] = s.o.Offsets.Starts(ctx, all)
	c.retention, errs[2] = s.o.Offsets.Retention(ctx, all)
	st.complain(s.logger, errors.Join(errs[:]...))
	return c
}

// complain logs what Kafka could not answer when it is other than before.
func (st *application) complain(logger *slog.Logger, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == st.said {
		return
	}
	st.said = text
	if err != nil {
		logger.Warn("Kafka does not answer for all topics of streaming queries", "err", err)
		return
	}
	logger.Info("Kafka answers for all topics of streaming queries again")
}

// lag is a query's distance to one topic's end.
type lag struct {
	records, worst, lost float64
	seconds, headroom    float64 // NaN where they are not known
	oldest               time.Time
}

// backlog is whether records wait for a query, over all topics.
type backlog struct {
	known  bool // false: some end was not to be had, and where it was nothing waits
	any    bool
	oldest time.Time // of the records that wait; zero where it is not known
	byName map[string]lag
}

// lags compares a query's committed offsets with the ends of its topics. A
// topic is whole or missing.
func (s *streams) lags(ctx context.Context, q *query, c *cluster, st *application, now time.Time) backlog {
	b := backlog{byName: map[string]lag{}}
	if c == nil || !q.fresh(now) || len(q.view.ends) == 0 {
		return b
	}
	times := s.times(ctx, q, c)
	b.known, q.kafka = true, served
	for topic, committed := range q.view.ends {
		ends, ok := c.ends[topic]
		l, whole := lagOf(committed, ends, c.starts[topic])
		b.any = b.any || l.records > 0
		if !ok || !whole {
			b.known, q.kafka = false, failed
			continue
		}
		e := st.edge(topic)
		e.note(c.starts[topic], now)
		l.age(committed, ends, times[topic], now)
		l.headroom = e.headroom(committed, ends, timing{times[topic], c.retention[topic], now})
		if !l.oldest.IsZero() && (b.oldest.IsZero() || l.oldest.Before(b.oldest)) {
			b.oldest = l.oldest
		}
		if len(b.byName) < maxTopics {
			b.byName[topic] = l
		}
	}
	b.known = b.known || b.any
	return b
}

// lagOf adds up the partitions of a topic. One that the query does not know yet
// is read from its beginning. It is not whole when the end of one is missing.
func lagOf(committed, ends, starts map[int32]int64) (l lag, whole bool) {
	l.seconds, l.headroom = math.NaN(), math.NaN()
	for p, end := range ends {
		at, known := committed[p]
		if !known {
			at = starts[p]
		}
		behind := float64(max(0, end-at))
		l.records += behind
		l.worst = max(l.worst, behind)
		if start, ok := starts[p]; ok {
			l.lost += float64(max(0, min(start, end)-at))
		}
	}
	for p := range committed {
		if _, ok := ends[p]; !ok {
			return l, false
		}
	}
	return l, true
}

// times asks for the time of the first record that waits in every partition.
func (s *streams) times(ctx context.Context, q *query, c *cluster) map[string]map[int32]time.Time {
	at := topics{}
	for topic, ends := range c.ends {
		committed, ok := q.view.ends[topic]
		if !ok {
			continue
		}
		for p, end := range ends {
			next := max(committed[p], c.start(topic, p))
			if next >= end {
				continue
			}
			if at[topic] == nil {
				at[topic] = map[int32]int64{}
			}
			at[topic][p] = next
		}
	}
	if len(at) == 0 {
		return nil
	}
	ctx, cancel := share(ctx)
	defer cancel()
	times, err := s.o.Offsets.TimesOf(ctx, at)
	if err != nil {
		s.logger.Debug("the times of waiting records are not all known", "query", q.name, "err", err)
	}
	return times
}

// age says how old the oldest record is that waits, when that is known for every
// partition where one does.
func (l *lag) age(committed, ends map[int32]int64, times map[int32]time.Time, now time.Time) {
	for p, end := range ends {
		if committed[p] >= end {
			continue
		}
		at, ok := times[p]
		if !ok {
			l.oldest = time.Time{}
			return
		}
		if l.oldest.IsZero() || at.Before(l.oldest) {
			l.oldest = at
		}
	}
	l.seconds = 0
	if !l.oldest.IsZero() {
		l.seconds = max(0, now.Sub(l.oldest).Seconds())
	}
}
