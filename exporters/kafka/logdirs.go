package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	apiLogDirs = "DescribeLogDirs"
	// maxDirs bounds the log directories of one broker.
	maxDirs = 100
)

// logDirs asks brokers what is in their log directories, and remembers how
// much was left of each. Its collections follow one another.
type logDirs struct {
	left map[string]map[string]*trend // by broker and directory
}

// dirState is what one broker told of one directory.
type dirState struct {
	name          string
	offline       bool
	used          int64
	total, usable int64 // -1: not told
	future        int
}

// collect asks all brokers at once. What differs by broker is in a part of its
// own for each; sums by topic are there when all replicas are known.
func (l *logDirs) collect(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	answers := make([]*kmsg.DescribeLogDirsResponse, len(s.brokers))
	var wait sync.WaitGroup
	for i, b := range s.brokers {
		p := out.Part(partOf("logdirs", b.label))
		wait.Go(func() {
			q := inquiry{w, out, apiLogDirs}
			resp, err := question[*kmsg.DescribeLogDirsResponse](ctx, w, b.id, kmsg.NewPtrDescribeLogDirsRequest())
			if err == nil {
				err = q.code(logDirsCode(resp))
			}
			if q.good(p, err) {
				answers[i] = resp
			}
		})
	}
	wait.Wait()
	sizes := newSizes(s)
	told := make(map[string]map[string]*trend, len(s.brokers))
	for i, b := range s.brokers {
		if answers[i] == nil {
			told[b.label] = l.left[b.label]
			continue
		}
		p := out.Part(partOf("logdirs", b.label))
		dirs := sizes.read(answers[i], b, p)
		told[b.label] = l.follow(s, b, dirs)
		emitDirs(p, b, dirs, told[b.label])
	}
	l.left = told
	sizes.emit(out.Part("logdirs"))
}

// logDirsCode is the error of an answer. Before version 3 a missing right was
// an answer without directories, and nothing else is.
func logDirsCode(resp *kmsg.DescribeLogDirsResponse) int16 {
	if resp.ErrorCode == 0 && len(resp.Dirs) == 0 && resp.Version < 3 {
		return kerr.ClusterAuthorizationFailed.Code
	}
	return resp.ErrorCode
}

// follow continues the trends of a broker's directories with what is left now.
func (l *logDirs) follow(s *snapshot, b broker, dirs []dirState) map[string]*trend {
	now := make(map[string]*trend, len(dirs))
	for _, d := range dirs {
		if d.usable < 0 || d.offline {
			continue
		}
		t := l.left[b.label][d.name]
		if t == nil {
			t = &trend{}
		}
		t.add(s.at, float64(d.usable), float64(d.total))
		now[d.name] = t
	}
	return now
}

func emitDirs(p *exporters.Part, b broker, dirs []dirState, left map[string]*trend) {
	for _, d := range dirs {
		p.Add(metrics.KafkaLogDirOffline(), one(d.offline), b.label, d.name)
		if d.offline {
			continue
		}
		p.Add(metrics.KafkaLogDirUsed(), float64(d.used), b.label, d.name)
		p.Add(metrics.KafkaLogDirFutureReplicas(), float64(d.future), b.label, d.name)
		if d.total >= 0 {
			p.Add(metrics.KafkaLogDirTotal(), float64(d.total), b.label, d.name)
		}
		if d.usable >= 0 {
			p.Add(metrics.KafkaLogDirUsable(), float64(d.usable), b.label, d.name)
		}
		if t := left[d.name]; t != nil {
			if until, ok := t.untilZero(); ok {
				p.Add(metrics.KafkaLogDirUntilFull(), until.Seconds(), b.label, d.name)
			}
		}
	}
}

// sizes adds up replicas by topic.
type sizes struct {
	snap   *snapshot
	topics map[*topic]*topicSize
}

type topicSize struct {
	all, leaders, largest int64
	replicas, led         int // how many were told
}

func newSizes(s *snapshot) *sizes {
	return &sizes{snap: s, topics: make(map[*topic]*topicSize, len(s.topics))}
}

// read adds up what one broker told, and returns its directories. Errors that
// are not of one directory fail the part.
func (z *sizes) read(resp *kmsg.DescribeLogDirsResponse, b broker, p *exporters.Part) []dirState {
	var dirs []dirState
	for i := range resp.Dirs {
		rd := &resp.Dirs[i]
		if len(dirs) == maxDirs || slices.ContainsFunc(dirs, func(d dirState) bool { return d.name == rd.Dir }) {
			continue
		}
		d := dirState{name: rd.Dir, total: rd.TotalBytes, usable: rd.UsableBytes}
		if resp.Version < 4 {
			d.total, d.usable = -1, -1
		}
		switch err := kerr.ErrorForCode(rd.ErrorCode); {
		case errors.Is(err, kerr.KafkaStorageError), errors.Is(err, kerr.LogDirNotFound):
			d.offline = true
		case err != nil:
			p.Fail(inquiry{api: apiLogDirs}.code(rd.ErrorCode))
		}
		for j := range rd.Topics {
			z.readTopic(&d, &rd.Topics[j], b, p)
		}
		dirs = append(dirs, d)
	}
	return dirs
}

func (z *sizes) readTopic(d *dirState, rt *kmsg.DescribeLogDirsResponseDirTopic, b broker, p *exporters.Part) {
	t := z.snap.byName[rt.Topic]
	var sum *topicSize
	if t != nil {
		if sum = z.topics[t]; sum == nil {
			sum = &topicSize{}
			z.topics[t] = sum
		}
	}
	for i := range rt.Partitions {
		rp := &rt.Partitions[i]
		size := max(0, rp.Size)
		d.used += size
		if rp.IsFuture {
			d.future++
			continue
		}
		if t == nil {
			continue
		}
		at := t.at(rp.Partition)
		if at < 0 || !slices.Contains(t.partitions[at].replicas, b.id) {
			continue // left behind, or reassigned meanwhile
		}
		sum.add(size, t.partitions[at].leader == b.id)
		if z.snap.detailAll && !t.coarse {
			p.Add(metrics.KafkaPartitionSize(), float64(size), t.name, t.partitions[at].label, b.label)
		}
	}
}

func (z *topicSize) add(size int64, leads bool) {
	z.all += size
	z.replicas++
	if leads {
		z.leaders += size
		z.largest = max(z.largest, size)
		z.led++
	}
}

// emit writes the sums that are complete.
func (z *sizes) emit(p *exporters.Part) {
	for _, t := range z.snap.topics {
		sum := z.topics[t]
		if sum == nil {
			continue
		}
		replicas := 0
		for i := range t.partitions {
			replicas += len(t.partitions[i].replicas)
		}
		if sum.replicas >= replicas {
			p.Add(metrics.KafkaTopicSize(), float64(sum.all), t.name)
		}
		if sum.led >= len(t.partitions) {
			p.Add(metrics.KafkaTopicLeaderSize(), float64(sum.leaders), t.name)
			p.Add(metrics.KafkaTopicLargestPartition(), float64(sum.largest), t.name)
		}
	}
}
