package kafka

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
)

// dirsOf is what a broker of [withDirs] tells.
type dirsOf func(node int32) (*kmsg.DescribeLogDirsResponse, error)

// withDirs lets the fake tell of other directories than its memory.
func (f *fake) withDirs(of dirsOf) {
	f.ControlKey(int16(kmsg.DescribeLogDirs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		resp, err := of(f.CurrentNode())
		if err != nil {
			return nil, err, true
		}
		if resp == nil {
			return nil, nil, true // no answer, for ever
		}
		resp.Version = req.GetVersion()
		return resp, nil, true
	})
}

// dir is one directory with one replica of 100 bytes times the node's number
// plus one, for each of the three partitions of orders.
func dir(node int32, name string) kmsg.DescribeLogDirsResponseDir {
	d := kmsg.NewDescribeLogDirsResponseDir()
	d.Dir, d.TotalBytes, d.UsableBytes = name, 10_000, 5000
	t := kmsg.NewDescribeLogDirsResponseDirTopic()
	t.Topic = "orders"
	for p := range int32(3) {
		rp := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		rp.Partition, rp.Size = p, int64(100*(node+1))
		t.Partitions = append(t.Partitions, rp)
	}
	d.Topics = append(d.Topics, t)
	return d
}

func twoDirs(node int32) (*kmsg.DescribeLogDirsResponse, error) {
	resp := kmsg.NewPtrDescribeLogDirsResponse()
	broken := kmsg.NewDescribeLogDirsResponseDir()
	broken.Dir, broken.ErrorCode = "/broken", kerr.KafkaStorageError.Code
	full := dir(node, "/data")
	future := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
	future.Size, future.IsFuture = 7, true
	full.Topics[0].Partitions = append(full.Topics[0].Partitions, future)
	other := kmsg.NewDescribeLogDirsResponseDirTopic() // filtered, or unknown: it takes its bytes all the same
	other.Topic, other.Partitions = "gone", append(other.Partitions, full.Topics[0].Partitions[0])
	full.Topics = append(full.Topics, other)
	resp.Dirs = append(resp.Dirs, full, broken, full) // twice: the second does not count
	return resp, nil
}

func TestLogDirs(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"))
	f.withDirs(twoDirs)
	got := newPage(t, only(f, (&logDirs{}).collect), exportersOptions()).collect(t.Context())
	shows(t, got, map[string]float64{
		"kafka_broker_log_dir_used_bytes{broker=1,dir=/data}":      3*200 + 7 + 200,
		"kafka_broker_log_dir_total_bytes{broker=2,dir=/data}":     10_000,
		"kafka_broker_log_dir_usable_bytes{broker=0,dir=/data}":    5000,
		"kafka_broker_log_dir_offline{broker=0,dir=/data}":         0,
		"kafka_broker_log_dir_offline{broker=0,dir=/broken}":       1,
		"kafka_broker_log_dir_future_replicas{broker=0,dir=/data}": 1,
		"kafka_topic_size_bytes{topic=orders}":                     3*100 + 3*200 + 3*300,
		"kafka_topic_leader_size_bytes{topic=orders}":              f.leaderBytes(),
	})
	showsNone(t, got, "kafka_broker_log_dir_used_bytes{broker=0,dir=/broken", "kafka_topic_partition_size_bytes",
		"kafka_broker_log_dir_until_full", "kafka_topic_size_bytes{topic=gone")
	details := newPage(t, only(f, (&logDirs{}).collect, allDetails), exportersOptions()).collect(t.Context())
	shows(t, details, map[string]float64{"kafka_topic_partition_size_bytes{broker=2,partition=1,topic=orders}": 300})
}

func (f *fake) leaderBytes() (sum float64) {
	for p := range int32(3) {
		sum += 100 * float64(f.LeaderFor("orders", p)+1)
	}
	return sum
}

// One broker goes wrong: its series go, sums that need it are not there, and the
// other brokers' are.
func TestLogDirsOfOneBadBroker(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  dirsOf
		part float64
	}{
		{"garbage", func(int32) (*kmsg.DescribeLogDirsResponse, error) { return nil, errors.New("closed") }, 0},
		{"error", func(int32) (*kmsg.DescribeLogDirsResponse, error) {
			return &kmsg.DescribeLogDirsResponse{ErrorCode: kerr.UnknownServerError.Code}, nil
		}, 0},
		{"denied", func(int32) (*kmsg.DescribeLogDirsResponse, error) {
			return &kmsg.DescribeLogDirsResponse{ErrorCode: kerr.ClusterAuthorizationFailed.Code}, nil
		}, 1},
		{"stalled", func(int32) (*kmsg.DescribeLogDirsResponse, error) { return nil, nil }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "stalled" && testing.Short() {
				t.Skip("waits for a deadline")
			}
			f := newFake(t, kfake.SeedTopics(3, "orders"))
			f.withDirs(func(node int32) (*kmsg.DescribeLogDirsResponse, error) {
				if node == 1 {
					return c.bad(node)
				}
				return twoDirs(node)
			})
			got := newPage(t, only(f, (&logDirs{}).collect), exportersOptions()).collect(t.Context())
			shows(t, got, map[string]float64{
				"kafka_broker_log_dir_used_bytes{broker=2,dir=/data}": 3*300 + 7 + 300,
			})
			showsNone(t, got, "kafka_broker_log_dir_used_bytes{broker=1", "kafka_topic_size_bytes")
			if v := partOK(got, "logdirs/1"); v != c.part {
				t.Errorf("the part of the bad broker is %v, want %v", v, c.part)
			}
			if v := partOK(got, "logdirs/2"); v != 1 {
				t.Errorf("the part of a good broker is %v", v)
			}
		})
	}
}

// A replica on an offline directory is not known, so neither is the sum.
func TestLogDirsSumNeedsAllReplicas(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"))
	f.withDirs(func(node int32) (*kmsg.DescribeLogDirsResponse, error) {
		resp, err := twoDirs(node)
		if node == 0 {
			resp.Dirs[0].Topics[0].Partitions = resp.Dirs[0].Topics[0].Partitions[1:]
		}
		return resp, err
	})
	got := newPage(t, only(f, (&logDirs{}).collect), exportersOptions()).collect(t.Context())
	showsNone(t, got, "kafka_topic_size_bytes")
}

// What is left shrinks by 1,000 bytes a minute: the time until it is gone is
// told after ten minutes and not before, and nothing is told while it grows.
func TestLogDirsUntilFull(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"))
	var left int64
	f.withDirs(func(node int32) (*kmsg.DescribeLogDirsResponse, error) {
		resp, err := twoDirs(node)
		resp.Dirs[0].TotalBytes, resp.Dirs[0].UsableBytes = 1_000_000, left
		return resp, err
	})
	dirs, at := &logDirs{}, time.Unix(1_700_000_000, 0)
	p := newPage(t, only(f, func(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
		s.at = at
		dirs.collect(ctx, w, s, out)
	}), exportersOptions())
	const name = "kafka_broker_log_dir_until_full_seconds{broker=0,dir=/data}"
	for minute := range 16 {
		left = 100_000 - int64(minute)*1000
		got := p.collect(t.Context())
		at = at.Add(time.Minute)
		v, ok := got[name]
		if ok != (minute >= 10) {
			t.Errorf("after %d minutes it is told: %v", minute, ok)
		}
		if want := float64(left) / 1000 * 60; ok && math.Abs(v-want) > 1 {
			t.Errorf("after %d minutes %v s, want %v", minute, v, want)
		}
	}
	for range 40 { // the negative control
		left += 5000
		at = at.Add(time.Minute)
		p.collect(t.Context())
	}
	if v, ok := p.collect(t.Context())[name]; ok {
		t.Errorf("while there is more and more left, %v s are told", v)
	}
}

// The memory of a trend is bounded, in points and in time, and right over days.
func TestTrendIsBounded(t *testing.T) {
	var tr trend
	at := time.Unix(1_700_000_000, 0)
	left := 1e12
	for range 3 * 24 * 60 * 4 { // three days, every 15 s
		at, left = at.Add(15*time.Second), left-1e6
		tr.add(at, left, 2e12)
		if len(tr.points) > trendPoints || at.Sub(tr.points[0].at) > trendWindow {
			t.Fatalf("%d points, the oldest %s old", len(tr.points), at.Sub(tr.points[0].at))
		}
	}
	if len(tr.points) < trendPoints/4 {
		t.Errorf("only %d points are left", len(tr.points))
	}
	until, ok := tr.untilZero()
	if want := left / 1e6 * 15; !ok || math.Abs(until.Seconds()-want) > want/1e6 {
		t.Errorf("until zero: %v (%v), want %v s", until.Seconds(), ok, want)
	}
	tr.add(at.Add(time.Minute), left, 3e12) // a larger volume
	if _, ok := tr.untilZero(); ok || len(tr.points) != 1 {
		t.Error("a volume of another size goes on with the old slope")
	}
	tr.add(at.Add(-time.Hour), left, 3e12) // the clock was put back
	if len(tr.points) != 1 {
		t.Error("a clock that was put back goes on with the old slope")
	}
}
