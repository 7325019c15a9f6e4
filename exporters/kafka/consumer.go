package kafka

import "slices"

// consumer is how far one consumer has come, wherever it keeps its offsets.
type consumer struct {
	group  string
	kind   string // classic, consumer or share; "" where offsets are kept outside Kafka
	source string // kafka or spark-checkpoint
	topics []consumed

	about
	coordinator int32 // the broker that knows the group; -1 for none
	counted     bool  // whether members and what they are assigned is known
	complete    bool  // whether all commits that there are were told

	// coarse: shown as sums for want of room, without families by partition.
	coarse bool
}

// consumed is what a consumer has read of one topic.
type consumed struct {
	topic   *topic
	commits []commit // those that there are, each partition once
	// lags are what the broker says of a share group, beside commits: it knows
	// which of the records behind the offset are done. nil: nobody says.
	lags []int64

	partial bool // a commit that there is was not told

	members  int               // that have a partition of the topic
	assigned []int32           // partitions that members have, by number, each once
	owners   map[int32]*member // by partition number; only where a compat mode shows them
}

// commit is the next offset that a consumer will read in one partition.
type commit struct {
	partition int // index into topic.partitions
	offset    int64
}

// The values of label source.
const (
	sourceKafka      = "kafka"
	sourceCheckpoint = "spark-checkpoint"
)

// The values of label type.
const (
	kindClassic  = "classic"
	kindConsumer = "consumer" // KIP-848
	kindShare    = "share"    // KIP-932
)

// of returns what the consumer has read of a topic, a new entry if there is none.
func (c *consumer) of(t *topic) *consumed {
	for i := range c.topics {
		if c.topics[i].topic == t {
			return &c.topics[i]
		}
	}
	c.topics = append(c.topics, consumed{topic: t})
	return &c.topics[len(c.topics)-1]
}

// lag is how many records the consumer is behind at its i-th commit, or unknown.
func (e *consumed) lag(i int) int64 {
	if e.lags != nil && e.lags[i] >= 0 {
		return e.lags[i]
	}
	end := e.topic.partitions[e.commits[i].partition].end
	if end == unknown {
		return unknown
	}
	return max(0, end-e.commits[i].offset)
}

// committedLag is the same up to the last stable offset.
func (e *consumed) committedLag(i int) int64 {
	p := &e.topic.partitions[e.commits[i].partition]
	if p.stable == unknown {
		return unknown
	}
	return max(0, p.stable-e.commits[i].offset)
}

// onlyAssigned drops the commits in partitions that no member has, if members
// have any.
func (c *consumer) onlyAssigned() {
	some := false
	for i := range c.topics {
		some = some || len(c.topics[i].assigned) > 0
	}
	if !some {
		return
	}
	for i := range c.topics {
		e := &c.topics[i]
		slices.Sort(e.assigned)
		commits, lags := e.commits[:0], e.lags[:0]
		for j, at := range e.commits {
			if _, ok := slices.BinarySearch(e.assigned, e.topic.partitions[at.partition].number); ok {
				commits = append(commits, at)
				if e.lags != nil {
					lags = append(lags, e.lags[j])
				}
			}
		}
		e.commits, e.lags = commits, lags
	}
}
