package kafka

import (
	"strconv"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// timeFamilies are the families of one part.
type timeFamilies struct {
	seconds, uncertainty                      *exporters.Family
	most, velocity, catchUp, lost, margin, is *exporters.Family
	room                                      int
}

// emit writes what is known of all consumers, in parts by coordinator.
func (l *lagTracker) emit(now time.Time, out *exporters.Batch) {
	parts := map[int32]*timeFamilies{}
	for i := range l.work {
		work := &l.work[i]
		f := parts[work.c.coordinator]
		if f == nil {
			f = newTimeFamilies(out.Part(partOf("lagtime", coordinatorLabel(work.c))))
			parts[work.c.coordinator] = f
		}
		if work.detail() {
			f.room += len(work.e.commits)
		}
	}
	for _, f := range parts {
		f.seconds.Grow(f.room)
		f.uncertainty.Grow(f.room)
	}
	for i := range l.work {
		l.emitPair(&l.work[i], now.UnixMilli(), parts[l.work[i].c.coordinator])
	}
}

// coordinatorLabel is empty for consumers that no broker coordinates.
func coordinatorLabel(c *consumer) string {
	if c.coordinator < 0 || c.source != sourceKafka {
		return ""
	}
	return strconv.Itoa(int(c.coordinator))
}

func newTimeFamilies(p *exporters.Part) *timeFamilies {
	return &timeFamilies{
		seconds: p.Family(metrics.KafkaGroupLagSeconds()), uncertainty: p.Family(metrics.KafkaGroupLagUncertainty()),
		most: p.Family(metrics.KafkaGroupMaxLagSeconds()), velocity: p.Family(metrics.KafkaGroupLagVelocity()),
		catchUp: p.Family(metrics.KafkaGroupCatchUp()), lost: p.Family(metrics.KafkaGroupLostRecords()),
		margin: p.Family(metrics.KafkaGroupRetentionMargin()), is: p.Family(metrics.KafkaGroupStatus()),
	}
}

// detail says whether families by partition are shown.
func (w *lagWork) detail() bool { return !w.c.coarse && !w.e.topic.coarse }

// pairSums is what a consumer's partitions of one topic come to.
type pairSums struct {
	lag, lost             total
	most                  float64
	untimed               bool // the age of some partition is not known
	byTime, byStart       float64
	hasByTime, hasByStart bool
	worst                 verdict
}

func (l *lagTracker) emitPair(work *lagWork, now int64, f *timeFamilies) {
	partial := work.e.partial
	sums := pairSums{lag: total{unknown: partial}, lost: total{unknown: partial}, untimed: partial}
	alive := work.c.counted && work.c.members > 0 || l.cycle-work.group.moved < verdictWindow
	keep, limited := time.Duration(0), false
	if l.retention != nil {
		keep, limited = l.retention(work.topic.name)
	}
	detail := work.detail()
	for i := range work.e.commits {
		at := work.e.commits[i]
		q := &work.e.topic.partitions[at.partition]
		lag := work.e.lag(i)
		sums.lag.add(lag)
		if lag == unknown || q.start == unknown || !work.topic.has(q.number) {
			sums.lost.unknown, sums.untimed = true, true
			continue
		}
		sums.lost.add(max(0, q.start-at.offset))
		sums.worst = max(sums.worst, work.pair.at(q.number).judge(l.cycle, alive))
		age, off, ok := work.age(i, now)
		if !ok {
			sums.untimed = true
			continue
		}
		sums.most = max(sums.most, age)
		if detail {
			f.seconds.Add(age, work.c.group, work.topic.name, q.label)
			f.uncertainty.Add(off, work.c.group, work.topic.name, q.label)
		}
		if lag == 0 {
			continue
		}
		if limited && keep > 0 {
			sums.byTime, sums.hasByTime = least(sums.byTime, max(0, keep.Seconds()-age), sums.hasByTime), true
		}
		if left, ok := work.topic.starts[q.number].reaches(now, q.start, at.offset); ok {
			sums.byStart, sums.hasByStart = least(sums.byStart, left, sums.hasByStart), true
		}
	}
	work.pair.emit(work, &sums, now, f)
}

func least(a, b float64, has bool) float64 {
	if !has {
		return b
	}
	return min(a, b)
}

// age is how old the first unread record of the i-th commit is, and how far that
// may be from the truth, in seconds.
func (w *lagWork) age(i int, now int64) (age, off float64, ok bool) {
	at := w.e.commits[i]
	q := &w.e.topic.partitions[at.partition]
	from := max(at.offset, q.start)
	if w.e.lag(i) == 0 || from >= q.end {
		return 0, 0, true
	}
	e := w.topic.logs[q.number].At(from)
	if !e.Known {
		return 0, 0, false
	}
	future := max(0, e.Time-now) // the producer's clock is ahead of ours
	return float64(max(0, now-e.Time)) / 1000, float64(e.Uncertainty()+future) / 1000, true
}

// emit writes the families by group and topic. Sums are shown when all is known
// that goes into them.
func (p *lagPair) emit(work *lagWork, s *pairSums, now int64, f *timeFamilies) {
	group, topic := work.c.group, work.topic.name
	s.lost.emit(f.lost, group, topic)
	if !s.untimed {
		f.most.Add(s.most, group, topic)
		if s.hasByTime {
			f.margin.Add(s.byTime, group, topic, metrics.LimitTime)
		}
		if s.hasByStart {
			f.margin.Add(s.byStart, group, topic, metrics.LimitStart)
		}
	}
	if s.lag.unknown {
		return
	}
	emitStatus(f.is, work, s.worst)
	p.sums.note(now, s.lag.sum, len(work.e.commits))
	speed, ok := p.sums.speed()
	if ok {
		f.velocity.Add(speed, group, topic)
	}
	switch {
	case s.lag.sum == 0:
		f.catchUp.Add(0, group, topic)
	case ok && speed < 0:
		f.catchUp.Add(float64(s.lag.sum)/-speed, group, topic)
	}
}

// emitStatus writes one series of each status, and where room is short that of
// the current one only.
func emitStatus(f *exporters.Family, work *lagWork, is verdict) {
	if !work.detail() {
		f.Add(1, work.c.group, work.topic.name, is.String())
		return
	}
	for v := verdictOK; v <= verdictRewind; v++ {
		value := 0.
		if v == is {
			value = 1
		}
		f.Add(value, work.c.group, work.topic.name, v.String())
	}
}

func (v verdict) String() string {
	switch v {
	case verdictWarn:
		return metrics.StatusWarn
	case verdictStall:
		return metrics.StatusStall
	case verdictStop:
		return metrics.StatusStop
	case verdictRewind:
		return metrics.StatusRewind
	default:
		return metrics.StatusOK
	}
}
