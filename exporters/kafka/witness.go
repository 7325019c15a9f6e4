package kafka

import (
	"maps"
	"math"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// witness looks on while the brokers answer, and keeps what somebody else than
// the one who asked needs: settings of topics, and what only kminion shows. It
// is safe for concurrent use.
type witness struct {
	dirsToo bool // keep sizes as well

	sentRequests, sentBytes        atomic.Int64
	receivedAnswers, receivedBytes atomic.Int64

	mu      sync.Mutex
	version string // of a broker, guessed from what it offers
	topics  map[string]topicSettings
	dirs    map[int32]dirSizes
}

// topicSettings are the settings of a topic that its lag is judged by.
type topicSettings struct {
	cleanup   string        // cleanup.policy
	retention time.Duration // 0: without a limit, or not known
}

// dirSizes is what one broker holds.
type dirSizes struct {
	all     int64
	byTopic map[string]int64
}

// see takes from an answer what is of interest.
func (n *witness) see(broker int32, resp kmsg.Response) {
	switch resp := resp.(type) {
	case *kmsg.ApiVersionsResponse:
		guess := kversion.FromApiVersionsResponse(resp).VersionGuess()
		n.mu.Lock()
		n.version = guess
		n.mu.Unlock()
	case *kmsg.DescribeConfigsResponse:
		n.seeConfigs(resp)
	case *kmsg.DescribeLogDirsResponse:
		if n.dirsToo {
			n.seeDirs(broker, resp)
		}
	}
}

func (n *witness) seeConfigs(resp *kmsg.DescribeConfigsResponse) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.topics == nil {
		n.topics = map[string]topicSettings{}
	}
	for i := range resp.Resources {
		r := &resp.Resources[i]
		if r.ResourceType != kmsg.ConfigResourceTypeTopic || r.ErrorCode != 0 {
			continue
		}
		t := n.topics[r.ResourceName]
		for j := range r.Configs {
			c := &r.Configs[j]
			switch {
			case c.Value == nil:
			case c.Name == "cleanup.policy":
				t.cleanup = *c.Value
			case c.Name == "retention.ms":
				ms, err := strconv.ParseInt(*c.Value, 10, 64)
				if err != nil || ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
					ms = 0 // for ever
				}
				t.retention = time.Duration(ms) * time.Millisecond
			}
		}
		n.topics[r.ResourceName] = t
	}
}

func (n *witness) seeDirs(broker int32, resp *kmsg.DescribeLogDirsResponse) {
	d := dirSizes{byTopic: map[string]int64{}}
	for i := range resp.Dirs {
		for j := range resp.Dirs[i].Topics {
			t := &resp.Dirs[i].Topics[j]
			for k := range t.Partitions {
				d.all += t.Partitions[k].Size
				d.byTopic[t.Topic] += t.Partitions[k].Size
			}
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dirs == nil {
		n.dirs = map[int32]dirSizes{}
	}
	n.dirs[broker] = d
}

// takeDirs returns what the brokers said of their log directories since the
// last call.
func (n *witness) takeDirs() map[int32]dirSizes {
	n.mu.Lock()
	defer n.mu.Unlock()
	dirs := n.dirs
	n.dirs = nil
	return dirs
}

// forget drops the topics that are not there any more.
func (n *witness) forget(s *snapshot) {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.topics, func(name string, _ topicSettings) bool { return s.byName[name] == nil })
}

// settings returns what is known of a topic.
func (n *witness) settings(topic string) topicSettings {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.topics[topic]
}

// guess returns the version of a broker, "" while it is not known.
func (n *witness) guess() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.version
}

// lagSettings are what the lag tracker asks of topics.
func (n *witness) lagSettings() lagSettings {
	return lagSettings{
		retention: func(topic string) (time.Duration, bool) {
			t := n.settings(topic)
			return t.retention, t.retention > 0 && t.cleanup != "compact"
		},
		compacted: func(topic string) bool { return strings.Contains(n.settings(topic).cleanup, "compact") },
	}
}

// OnBrokerE2E implements kgo.HookBrokerE2E: it counts for kminion.
func (n *witness) OnBrokerE2E(_ kgo.BrokerMetadata, _ int16, e kgo.BrokerE2E) {
	n.sentRequests.Add(1)
	n.sentBytes.Add(int64(e.BytesWritten))
	if e.ReadErr == nil {
		n.receivedAnswers.Add(1)
	}
	n.receivedBytes.Add(int64(e.BytesRead))
}

func (b broker) address() string { return net.JoinHostPort(b.host, strconv.Itoa(int(b.port))) }
