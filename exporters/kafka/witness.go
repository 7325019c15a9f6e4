package kafka

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	lakekafka "github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
)

// witness looks on while the brokers answer, and keeps what somebody else than
// the one who asked needs: what only kminion shows. It is safe for concurrent
// use.
type witness struct {
	dirsToo bool // keep sizes as well

	sentRequests, sentBytes        atomic.Int64
	receivedAnswers, receivedBytes atomic.Int64

	mu      sync.Mutex
	version string // of a broker, guessed from what it offers
	dirs    map[int32]dirSizes
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
		guess := lakekafka.VersionOf(resp)
		n.mu.Lock()
		n.version = guess
		n.mu.Unlock()
	case *kmsg.DescribeLogDirsResponse:
		if n.dirsToo {
			n.seeDirs(broker, resp)
		}
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

// guess returns the version of a broker, "" while it is not known.
func (n *witness) guess() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.version
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
