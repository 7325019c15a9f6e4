package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters/kafka/lagtime"
)

// What the search for times may cost, in requests beside those of the offsets.
const (
	// coldRounds is for a collection that knows nothing yet: so many requests to
	// each leader, fewer when all is found before.
	coldRounds = 22
	// warmRequests is for all others: so many in all, but one to each leader that
	// has something to say.
	warmRequests = 5
	// coldShare: a collection is cold when one in so many of the partitions with
	// open questions was never asked about.
	coldShare = 4
	// maxQuestions bounds one request: a broker looks an index and a batch up for
	// each question.
	maxQuestions = 4000
	// searchTime is after how long no further round begins.
	searchTime = 1500 * time.Millisecond
)

// timeSearch is the search of one leader's partitions.
type timeSearch struct {
	leader int32
	logs   []*lagtime.Log
	places []logPlace // of the logs, by topic and number
	open   int        // offsets whose time is not known well enough
	rounds int
	used   int
	err    error
}

// logPlace says which partition a log is of.
type logPlace struct {
	topic  string
	number int32
}

// search asks for the times of what is wanted. Leaders are asked side by side,
// so that one that hangs costs its own times only.
func (l *lagTracker) search(ctx context.Context, w *wire, s *snapshot) {
	searches := l.searches(s)
	l.allow(searches)
	began := time.Now()
	var wait sync.WaitGroup
	for _, q := range searches {
		wait.Go(func() { q.run(ctx, w, began) })
	}
	wait.Wait()
	most, more := 0, false
	for _, q := range searches {
		most = max(most, q.used)
		more = more || q.used == q.rounds || errors.Is(q.err, errLate)
	}
	l.cold = max(0, l.cold-most)
	if !more { // all is known that can be
		l.cold = 0
	}
}

// searches divides what is open by leader.
func (l *lagTracker) searches(s *snapshot) []*timeSearch {
	byLeader := map[int32]*timeSearch{}
	var out []*timeSearch
	fresh, open := 0, 0
	for _, from := range s.topics {
		t := l.topics[from.name]
		if t == nil || t.seen != l.cycle {
			continue
		}
		for i := range from.partitions {
			p := &from.partitions[i]
			n := t.open(p)
			if n == 0 {
				continue
			}
			q := byLeader[p.leader]
			if q == nil {
				q = &timeSearch{leader: p.leader}
				byLeader[p.leader] = q
				out = append(out, q)
			}
			log := &t.logs[p.number]
			q.logs = append(q.logs, log)
			q.places = append(q.places, logPlace{from.name, p.number})
			q.open += n
			open++
			if !log.Known() {
				fresh++
			}
		}
	}
	if l.cold == 0 && fresh*coldShare > open {
		l.cold = coldRounds
	}
	return out
}

// open counts what is to be asked about a partition.
func (t *lagTopic) open(p *partition) int {
	if p.leader < 0 || p.start == unknown || p.end == unknown || !t.has(p.number) {
		return 0
	}
	return t.logs[p.number].Open()
}

// allow gives each leader its rounds. When there are more requests than leaders,
// those with the most open questions get a second round; equals take turns.
func (l *lagTracker) allow(searches []*timeSearch) {
	n := len(searches)
	if n == 0 {
		return
	}
	turn := int(l.cycle) % n
	searches = append(slices.Clone(searches[turn:]), searches[:turn]...)
	slices.SortStableFunc(searches, func(a, b *timeSearch) int { return cmp.Compare(b.open, a.open) })
	for i, q := range searches {
		q.rounds = max(1, (warmRequests-i+n-1)/n)
		if l.cold > 0 {
			q.rounds = l.cold
		}
	}
}

var errLate = errors.New("there was no time for another round")

func (q *timeSearch) run(ctx context.Context, w *wire, began time.Time) {
	limit := lagtime.Limit{Rounds: q.rounds, Questions: maxQuestions}
	q.used, q.err = lagtime.Search(q.logs, limit, func(questions []lagtime.Question) error {
		if time.Since(began) > searchTime {
			return errLate
		}
		return q.ask(ctx, w, questions)
	})
	for _, log := range q.logs {
		log.Prune()
	}
}

// ask sends one round, which is one request, and takes the answers.
func (q *timeSearch) ask(ctx context.Context, w *wire, questions []lagtime.Question) error {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	first := map[string]int{} // question of each topic
	for i := range questions {
		at := q.places[questions[i].Index]
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != at.topic {
			rt := kmsg.NewListOffsetsRequestTopic()
			rt.Topic = at.topic
			req.Topics = append(req.Topics, rt)
			first[at.topic] = i
		}
		rt := &req.Topics[len(req.Topics)-1]
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition, rp.Timestamp, rp.MaxNumOffsets = at.number, questions[i].Time, 1
		rt.Partitions = append(rt.Partitions, rp)
	}
	resp, err := question[*kmsg.ListOffsetsResponse](ctx, w, q.leader, req)
	if err != nil {
		return err
	}
	for i := range resp.Topics {
		rt := &resp.Topics[i]
		from, ok := first[rt.Topic]
		if !ok {
			continue
		}
		for j := range rt.Partitions {
			if k := q.find(questions, from, logPlace{rt.Topic, rt.Partitions[j].Partition}); k >= 0 {
				answer(&questions[k], &rt.Partitions[j], resp.Version)
			}
		}
	}
	return nil
}

// find is the index of the question about a partition, among those of its topic
// that begin at from, or -1.
func (q *timeSearch) find(questions []lagtime.Question, from int, at logPlace) int {
	i, ok := slices.BinarySearchFunc(questions[from:], at, func(have lagtime.Question, want logPlace) int {
		p := q.places[have.Index]
		if p.topic != want.topic {
			return 1 // of a later topic
		}
		return cmp.Compare(p.number, want.number)
	})
	if !ok {
		return -1
	}
	return from + i
}

// newestSince is the version of ListOffsets that knows the newest timestamp.
const newestSince = 7

func answer(q *lagtime.Question, rp *kmsg.ListOffsetsResponseTopicPartition, version int16) {
	switch {
	case q.Time == lagtime.Newest && (version < newestSince || rp.ErrorCode != 0):
		q.Answered, q.Offset = true, -1 // that is not known; other questions may be
	case rp.ErrorCode == 0 && version > 0:
		q.Answered, q.Offset, q.Stamp = true, rp.Offset, rp.Timestamp
	}
}
