package kafka

import (
	"context"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	// Topics and brokers need two rights, so they are two APIs.
	apiTopicConfigs  = "DescribeConfigs(Topic)"
	apiBrokerConfigs = "DescribeConfigs(Broker)"
)

// configCache keeps the configuration of topics for those who need it more
// often than it is asked for. It is safe for concurrent use.
type configCache struct {
	mu     sync.Mutex
	topics map[string]topicConfig // not altered once it is here
}

// topicConfig is what is kept of one topic.
type topicConfig struct {
	retention time.Duration // negative: without limit
	keeps     bool          // old records go by compaction alone, or not at all
	compacts  bool          // offsets may be missing
	cleanup   string        // cleanup.policy as it is written
	minISR    int
	knows     configKeys
}

// configKeys says which of the fields a broker told.
type configKeys struct{ retention, minISR bool }

// retention is how long a topic keeps its records; false when it is not known
// or nothing is deleted by age.
func (c *configCache) retention(topic string) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.topics[topic]
	return t.retention, t.knows.retention && t.retention >= 0 && !t.keeps
}

// minISR is min.insync.replicas of a topic; false when it is not known.
func (c *configCache) minISR(topic string) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.topics[topic]
	return t.minISR, t.knows.minISR
}

// compacted reports whether records of a topic are known to be taken out of its
// middle.
func (c *configCache) compacted(topic string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.topics[topic].compacts
}

// cleanup is cleanup.policy of a topic, "" when it is not known.
func (c *configCache) cleanup(topic string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.topics[topic].cleanup
}

// replace takes over what is known now. Topics that are gone are forgotten.
func (c *configCache) replace(topics map[string]topicConfig) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.topics = topics
}

// topicConfigNames are the settings that are asked for.
func topicConfigNames() []string {
	return []string{
		"retention.ms", "retention.bytes", "min.insync.replicas", "cleanup.policy", "max.message.bytes",
		"segment.bytes", "segment.ms",
	}
}

// collectTopics asks one broker for the configuration of all topics, in one
// request.
func (c *configCache) collectTopics(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	p := out.Part("configs")
	if len(s.topics) == 0 {
		return
	}
	q := inquiry{w, out, apiTopicConfigs}
	resp, err := anyAnswer[*kmsg.DescribeConfigsResponse](ctx, w, s, func() kmsg.Request {
		req := kmsg.NewPtrDescribeConfigsRequest()
		names := topicConfigNames()
		for _, t := range s.topics {
			rr := kmsg.NewDescribeConfigsRequestResource()
			rr.ResourceType, rr.ResourceName, rr.ConfigNames = kmsg.ConfigResourceTypeTopic, t.name, names
			req.Resources = append(req.Resources, rr)
		}
		return req
	})
	if !q.good(p, err) {
		return
	}
	found := make(map[string]topicConfig, len(resp.Resources))
	minISR := make(map[string]int, len(resp.Resources))
	for i := range resp.Resources {
		rr := &resp.Resources[i]
		name := rr.ResourceName
		if _, twice := found[name]; twice || s.byName[name] == nil || !q.item(name, rr.ErrorCode) {
			continue
		}
		t := readTopicConfig(p, rr)
		found[name] = t
		if t.knows.minISR {
			minISR[name] = t.minISR
		}
	}
	c.replace(found)
	if s.memory != nil {
		s.memory.setMinISR(minISR)
	}
}

// item reports whether there is something to read of one item of an answer.
func (q inquiry) item(name string, code int16) bool {
	switch {
	case code == 0:
		return true
	case isGone(code):
	case isDenied(kerr.ErrorForCode(code)):
		q.deny(q.code(code))
	default:
		q.odd(name, code)
	}
	return false
}

// readTopicConfig writes the families of one topic. A setting without a limit
// has no series.
func readTopicConfig(p *exporters.Part, rr *kmsg.DescribeConfigsResponseResource) topicConfig {
	var t topicConfig
	name := rr.ResourceName
	for i := range rr.Configs {
		rc := &rr.Configs[i]
		if rc.Value == nil {
			continue
		}
		if rc.Name == "cleanup.policy" {
			policy := policyOf(*rc.Value)
			t.cleanup = policy
			t.keeps, t.compacts = !strings.Contains(policy, "delete"), strings.Contains(policy, "compact")
			p.Add(metrics.KafkaTopicCleanupPolicyInfo(), 1, name, policy)
			continue
		}
		v, err := strconv.ParseInt(*rc.Value, 10, 64)
		if err != nil {
			continue
		}
		switch rc.Name {
		case "retention.ms":
			t.retention, t.knows.retention = milliseconds(v), true
			addLimit(p, metrics.KafkaTopicRetention(), float64(v)/1000, name)
		case "retention.bytes":
			addLimit(p, metrics.KafkaTopicRetentionBytes(), float64(v), name)
		case "min.insync.replicas":
			t.minISR, t.knows.minISR = int(v), true
			p.Add(metrics.KafkaTopicMinISR(), float64(v), name)
		case "max.message.bytes":
			p.Add(metrics.KafkaTopicMaxMessage(), float64(v), name)
		case "segment.bytes":
			p.Add(metrics.KafkaTopicSegmentBytes(), float64(v), name)
		case "segment.ms":
			addLimit(p, metrics.KafkaTopicSegmentAge(), float64(v)/1000, name)
		}
	}
	return t
}

// addLimit writes a limit; a negative one, or the largest number that there is,
// is none.
func addLimit(p *exporters.Part, m metrics.Metric, v float64, labels ...string) {
	if v >= 0 && v < math.MaxInt64/1000 {
		p.Add(m, v, labels...)
	}
}

// milliseconds makes a time of a number that may be too large for one.
func milliseconds(v int64) time.Duration {
	if v > math.MaxInt64/int64(time.Millisecond) {
		return -1 // as good as without limit
	}
	return time.Duration(v) * time.Millisecond
}

// policyOf writes the cleanup policies in one order.
func policyOf(value string) string {
	compacts, deletes := false, false
	for v := range strings.SplitSeq(value, ",") {
		compacts = compacts || strings.TrimSpace(v) == "compact"
		deletes = deletes || strings.TrimSpace(v) == "delete"
	}
	switch {
	case compacts && deletes:
		return "compact,delete"
	case compacts:
		return "compact"
	case deletes:
		return "delete"
	default:
		return "none"
	}
}
