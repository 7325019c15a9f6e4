package loadtest

import (
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Follower is a source whose records follow from those of the bank's paced
// streams: labels, the ledger, changes of customers. They have no rate of their
// own, and nobody knows beforehand how many they are.
type Follower interface {
	Source
	// Follow returns them for a run that begins at a time: what follows from all
	// slots up to one at so long after the beginning, and what of it comes to light
	// within the tail, a span of the bank's own time.
	Follow(start time.Time, last, tail time.Duration) (Followed, error)
}

// Followed is the records of a [Follower].
type Followed struct {
	*bank.Following
	clock calendar.Clock
}

// Due is when a record is due, since the beginning of the run, by its event time
// (microseconds since the Unix epoch).
func (f Followed) Due(at int64) time.Duration {
	return time.Duration(f.clock.WallAt(at)) * time.Microsecond
}

// followSource is a stream of a bank that follows from others.
type followSource struct{ bankSource }

// Follow implements [Follower]: it opens a bank of its own, which is the same.
func (s *followSource) Follow(start time.Time, last, tail time.Duration) (Followed, error) {
	c := s.of.opens(start)
	clock := calendar.Clock{Speed: s.of.speed, Event: c.Start}
	end := clock.EventAt(last.Microseconds()) + 1
	f, err := bank.Follow(c, s.name, end, end+tail.Microseconds())
	return Followed{f, clock}, err
}

// follows reports whether a stream follows from others.
func follows(s *StreamSpec) bool {
	name, ok := strings.CutPrefix(s.Source, bankPrefix)
	if !ok {
		return false
	}
	_, paced := bank.Paced(name)
	_, err := bank.Schema(name)
	return err == nil && !paced
}

// paced refuses a plan with streams that have no rate: what is followed to a
// table must be known record by record beforehand.
func (p *Plan) paced() error {
	for i := range p.Streams {
		if _, ok := p.Streams[i].Source.(Follower); ok {
			return fail.New(fail.Usage, "send it with `lakeproof generate`",
				"planning stream %q: %s follows from others and has no rate of its own",
				p.Streams[i].Name, p.Streams[i].Source.Name())
		}
	}
	return nil
}
