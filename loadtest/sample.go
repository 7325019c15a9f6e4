package loadtest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/loadtest/hop"
)

// Progress is a run at one moment.
type Progress struct {
	Phase          string // of the schedule, then flush, drain, grace, reconcile
	Elapsed, Total time.Duration
	Target         float64 // records per second that the schedule asks for
	Achieved       float64 // acknowledged in the last second
	Intended       uint64
	Sent           uint64
	Acked          uint64
	Landed         uint64
	Followed       bool // whether a table is followed
	LagRecords     uint64
	AckP50, AckP99 float64 // seconds, in the last second
	FreshP50       float64 // seconds, of the newest snapshot; 0 before the first
	FreshP99       float64 // as if the snapshot's rows were spread evenly
	FreshMax       float64
	Batch          string // the last Spark batch, in words
	Snapshot       string // the last snapshot, in words
	Problems       []string
}

// sample is a Progress as the charts need it.
type sample struct {
	At time.Duration
	Progress
	CPU float64 // cores that this process used
	RSS float64 // bytes
}

// sampler looks at the run once a second.
type sampler struct {
	run  *run
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	label   string
	samples []sample
	last    sample
	usage   env.Usage
}

// maxSamples bounds the memory of a long run: a day at one sample a second.
const maxSamples = 86_400

func newSampler(r *run) *sampler {
	return &sampler{run: r, quit: make(chan struct{}), done: make(chan struct{}), usage: env.ReadUsage()}
}

func (s *sampler) start() {
	go func() {
		defer close(s.done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-s.quit:
				return
			case <-tick.C:
				s.look()
			}
		}
	}()
}

func (s *sampler) stop() {
	close(s.quit)
	<-s.done
	s.look()
}

// phase says what the run does after its schedule is over.
func (s *sampler) phase(label string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.label = label
}

// collected returns the samples so far.
func (s *sampler) collected() []sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.samples
}

// look takes one sample and tells the observer. It also hands the journal to
// the operating system, so that a killed run loses a second at most.
func (s *sampler) look() {
	r := s.run
	now := sample{At: time.Since(r.start)}
	s.mu.Lock()
	now.Phase = s.label
	s.mu.Unlock()
	for _, st := range r.streams {
		now.add(st)
	}
	span := (now.At - s.last.At).Seconds()
	if span > 0 {
		now.Achieved = float64(now.Acked-s.last.Acked) / span
	}
	now.Elapsed = max(now.At, 0)
	r.describeProgress(&now.Progress)
	usage := env.ReadUsage()
	if span > 0 {
		now.CPU = (usage.CPU - s.usage.CPU).Seconds() / span
	}
	now.RSS = float64(usage.RSS)
	s.usage, s.last = usage, now
	s.mu.Lock()
	if len(s.samples) < maxSamples {
		s.samples = append(s.samples, now)
	}
	s.mu.Unlock()
	if r.opt.Observer != nil {
		r.opt.Observer.Progress(now.Progress)
	}
	r.flushJournal()
}

// describeProgress adds what is not a sum over streams.
func (r *run) describeProgress(p *Progress) {
	for _, s := range r.streams {
		if n := s.news.Load(); n != nil {
			p.FreshP50 = n.FirstSeen.Sub(n.newest.Add(n.oldest.Sub(n.newest) / 2)).Seconds()
			p.FreshP99 = n.FirstSeen.Sub(n.oldest.Add(n.newest.Sub(n.oldest) / 100)).Seconds()
			p.FreshMax = n.FirstSeen.Sub(n.oldest).Seconds()
			rows, _ := n.AddedRecords()
			p.Snapshot = fmt.Sprintf("%d rows, %.1f s ago", rows, time.Since(n.FirstSeen).Seconds())
		}
		s.mu.Lock()
		if n := s.failed.Len() + s.unknown.Len(); n > 0 {
			p.Problems = append(p.Problems, fmt.Sprintf("%d records of %s not acknowledged", n, s.Name))
		}
		s.mu.Unlock()
		if s.table != nil {
			p.Problems = append(p.Problems, lasting("table "+s.Table, s.table.Outages())...)
		}
	}
	for i, s := range r.sparks {
		app := r.plan.Lab.Spark[i].App
		p.Problems = append(p.Problems, lasting("spark "+app, s.Outages())...)
		if id := s.Last(); id >= 0 {
			p.Batch = fmt.Sprintf("%s batch %d", app, id)
		}
	}
	if r.store != nil {
		p.Problems = append(p.Problems, lasting("store", r.store.Outages())...)
	}
	if r.consumer != nil {
		p.Problems = append(p.Problems, lasting("consume", r.consumer.Outages())...)
		if n := r.consumer.Result().Foreign.Count; n > 0 {
			p.Problems = append(p.Problems, fmt.Sprintf("%d records of others on the topic", n))
		}
	}
}

// lasting says which outage lasts now.
func lasting(name string, outages []hop.Outage) []string {
	if n := len(outages); n > 0 && outages[n-1].To.IsZero() {
		return []string{fmt.Sprintf("%s does not answer since %.0f s", name, time.Since(outages[n-1].From).Seconds())}
	}
	return nil
}

// add counts one stream into the sample.
func (now *sample) add(st *streamRun) {
	now.Intended += st.due()
	now.Target += st.Schedule.RateAt(now.At)
	now.Total = max(now.Total, st.Schedule.Duration())
	acked, landed := st.acked.Load(), st.landed.Load()
	now.Sent += st.sent.Load()
	now.Acked += acked
	if st.table != nil {
		now.Followed = true
		now.Landed += landed
		owed := st.owed()
		now.LagRecords += owed - min(owed, landed)
	}
	if lately := st.corrected.lately(); lately.Count > 0 {
		now.AckP50, now.AckP99 = max(now.AckP50, lately.P50), max(now.AckP99, lately.P99)
	}
	if now.Phase == "" {
		for _, p := range st.Schedule.Phases() {
			if now.At >= p.From && now.At < p.To {
				now.Phase = p.Name
			}
		}
	}
	if now.At < st.scheduler.warmup {
		now.Phase = "warm-up"
	}
}

// sightingLog keeps what the hops saw, in memory and in the run's folder.
type sightingLog struct {
	mu   sync.Mutex
	out  *sightings
	list []sighting
	err  error
}

func (l *sightingLog) add(s sighting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, s)
	if err := l.out.add(s); err != nil && l.err == nil {
		l.err = err
	}
}

func (l *sightingLog) all() []sighting {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clip(l.list)
}

func (l *sightingLog) any(match func(sighting) bool) bool {
	return slices.ContainsFunc(l.all(), match)
}

func (l *sightingLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.err
	if cerr := l.out.close(); err == nil {
		err = cerr
	}
	return err
}

// flushJournal makes the ledger's trouble the run's.
func (r *run) flushJournal() {
	r.books.Lock()
	defer r.books.Unlock()
	if err := r.journal.Flush(); err != nil {
		r.fail(err)
	}
}

// latencies are a stream's distributions, for run.json.
func (r *streamRun) latencies() map[string]map[string]spread {
	out := map[string]map[string]spread{}
	for kind, l := range map[string]*latency{
		"ack": r.corrected, "ack.service": r.service, "ack.scheduler": r.scheduler, "consume": r.consume,
	} {
		out[kind] = l.byName()
	}
	return out
}
