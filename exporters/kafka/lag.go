package kafka

import (
	"context"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/kafka/lagtime"
)

// lagSettings are what the lag tracker asks others. Each may be nil: not known.
type lagSettings struct {
	retention func(topic string) (time.Duration, bool) // how long records are kept; false: for ever, or not known
	compacted func(topic string) bool                  // whether offsets of the topic may be missing
	now       func() time.Time                         // default time.Now
}

// lagTracker follows how far consumers are behind: in seconds, by speed, and
// whether they get on at all. It belongs to one goroutine.
//
// All that it keeps is by topic and by group and topic, in slices by partition
// number, and goes when the topic or the group has gone.
type lagTracker struct {
	lagSettings
	cycle  uint32
	cold   int // rounds of questions left for those that know nothing yet
	topics map[string]*lagTopic
	groups map[lagGroupKey]*lagGroup
	work   []lagWork // of this collection
}

func newLagTracker(s lagSettings) *lagTracker {
	if s.now == nil {
		s.now = time.Now
	}
	return &lagTracker{lagSettings: s, topics: map[string]*lagTopic{}, groups: map[lagGroupKey]*lagGroup{}}
}

// lagWork is one consumer's reading of one topic, with what is remembered of it.
type lagWork struct {
	c     *consumer
	e     *consumed
	topic *lagTopic
	group *lagGroup
	pair  *lagPair
}

// collect writes the families of lag in time of all consumers. It asks the
// leaders of what they consume at most so many questions as lag_ask.go says.
// The ends of the partitions were read between s.at and now.
func (l *lagTracker) collect(ctx context.Context, w *wire, s *snapshot, consumers []*consumer, out *exporters.Batch) {
	l.cycle++
	now := l.now()
	l.remember(s, consumers, now)
	l.search(ctx, w, s)
	l.emit(now, out)
	clear(l.work) // they hold the whole snapshot
	l.work = l.work[:0]
	l.forget()
}

// remember brings what is remembered up to date.
func (l *lagTracker) remember(s *snapshot, consumers []*consumer, now time.Time) {
	for _, c := range consumers {
		for i := range c.topics {
			e := &c.topics[i]
			if len(e.commits) == 0 {
				continue
			}
			t := l.topic(s, e.topic, now)
			g := l.group(c)
			work := lagWork{c: c, e: e, topic: t, group: g, pair: g.pair(t, l.cycle)}
			l.work = append(l.work, work)
			l.follow(&work)
		}
	}
}

// follow notes how far a consumer has come, and wants the times that say how
// far it is behind.
func (l *lagTracker) follow(work *lagWork) {
	for i := range work.e.commits {
		at := work.e.commits[i]
		q := &work.e.topic.partitions[at.partition]
		lag := work.e.lag(i)
		if lag == unknown || !work.topic.has(q.number) {
			continue
		}
		if work.pair.at(q.number).note(l.cycle, at.offset, lag) {
			work.group.moved = l.cycle
		}
		if from := max(at.offset, q.start); lag > 0 && q.start != unknown && from < q.end {
			work.topic.logs[q.number].Want(from)
		}
	}
}

// maxNumber bounds the numbers of partitions that are followed, which index
// slices.
const maxNumber = 1 << 16

// lagTopic is what is remembered of a topic.
type lagTopic struct {
	name   string
	id     [16]byte
	made   uint32 // cycle in which it was first seen: another topic of the name is another
	seen   uint32
	logs   []lagtime.Log // by partition number, like the others
	starts []slope
}

// topic returns what is remembered of a topic, with this collection's offsets.
func (l *lagTracker) topic(s *snapshot, from *topic, now time.Time) *lagTopic {
	t := l.topics[from.name]
	if t == nil || t.id != from.id {
		t = &lagTopic{name: from.name, id: from.id, made: l.cycle}
		l.topics[from.name] = t
	}
	if t.seen == l.cycle {
		return t
	}
	t.seen = l.cycle
	t.grow(from)
	compacted := l.compacted != nil && l.compacted(from.name)
	for i := range from.partitions {
		p := &from.partitions[i]
		if p.start == unknown || p.end == unknown || !t.has(p.number) {
			continue
		}
		log := &t.logs[p.number]
		log.Compacted = compacted
		log.Observe(s.at.UnixMilli(), now.UnixMilli(), p.start, p.end)
		t.starts[p.number].note(now.UnixMilli(), p.start)
	}
	return t
}

// grow makes room for all partitions, once: logs are pointed to later.
func (t *lagTopic) grow(from *topic) {
	if n := len(from.partitions); n > 0 {
		most := int(min(from.partitions[n-1].number+1, maxNumber))
		for len(t.logs) < most {
			t.logs = append(t.logs, lagtime.Log{})
			t.starts = append(t.starts, slope{})
		}
	}
}

func (t *lagTopic) has(number int32) bool { return number >= 0 && int(number) < len(t.logs) }

type lagGroupKey struct{ source, group string }

// lagGroup is what is remembered of a group.
type lagGroup struct {
	seen  uint32
	moved uint32 // cycle in which any of its offsets moved
	pairs map[string]*lagPair
}

// lagPair is what is remembered of a group in one topic.
type lagPair struct {
	made     uint32 // of the topic
	seen     uint32
	progress []progress // by partition number
	sums     history
}

func (l *lagTracker) group(c *consumer) *lagGroup {
	key := lagGroupKey{c.source, c.group}
	g := l.groups[key]
	if g == nil {
		g = &lagGroup{pairs: map[string]*lagPair{}}
		l.groups[key] = g
	}
	g.seen = l.cycle
	return g
}

func (g *lagGroup) pair(t *lagTopic, cycle uint32) *lagPair {
	p := g.pairs[t.name]
	if p == nil || p.made != t.made {
		p = &lagPair{made: t.made}
		g.pairs[t.name] = p
	}
	p.seen = cycle
	return p
}

func (p *lagPair) at(number int32) *progress {
	if n := int(number) + 1; n > len(p.progress) {
		p.progress = append(p.progress, make([]progress, n-len(p.progress))...)
	}
	return &p.progress[number]
}

// forgetAfter is how many collections a topic or a group may miss, as it does
// when its broker is away, before it is forgotten.
const forgetAfter = 20

func (l *lagTracker) forget() {
	if l.cycle%forgetAfter != 0 {
		return
	}
	for key, g := range l.groups {
		if l.cycle-g.seen >= forgetAfter {
			delete(l.groups, key)
			continue
		}
		for name, p := range g.pairs {
			if l.cycle-p.seen >= forgetAfter {
				delete(g.pairs, name)
			}
		}
	}
	for name, t := range l.topics {
		if l.cycle-t.seen >= forgetAfter {
			delete(l.topics, name)
		}
	}
}
