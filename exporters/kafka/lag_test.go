package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// lagStage is a tracker with a cluster of its own and a clock that stands.
type lagStage struct {
	f       *fake
	w       *wire
	tracker *lagTracker
	now     time.Time
	groups  []readers
	page    *page
	asked   int // requests of the last collection beside metadata and offsets
}

// readers is a group in one topic: what it committed by partition, -1 for nothing.
type readers struct {
	group, topic string
	offsets      []int64
	members      int
}

func newLagStage(t testing.TB, s lagSettings, opts ...kfake.Opt) *lagStage {
	st := &lagStage{f: newFake(t, opts...), now: time.UnixMilli(1_750_000_000_000)}
	st.w = newWire(st.f.open(), st.f.ListenAddrs())
	s.now = func() time.Time { return st.now }
	st.tracker = newLagTracker(s)
	st.page = newPage(t, exporters.Collector{Name: "lag", Collect: st.collect}, exportersOptions())
	return st
}

func (st *lagStage) collect(ctx context.Context, out *exporters.Batch) error {
	meta, err := st.w.metadata(ctx)
	if err != nil {
		return err
	}
	s := newSnapshot(meta, &memory{}, func(string) bool { return true })
	s.at = st.now
	if err := st.w.know(s.brokers); err != nil {
		return err
	}
	var wait sync.WaitGroup
	for _, l := range leadersOf(s) {
		wait.Go(func() {
			l.aim(timestampEarliest)
			l.list(ctx, st.w, s, earliest)
			l.aim(timestampLatest)
			l.list(ctx, st.w, s, latest)
			l.settle(s)
		})
	}
	wait.Wait()
	before := st.w.sent.Load()
	st.tracker.collect(ctx, st.w, s, st.consumers(s), out)
	st.asked = int(st.w.sent.Load() - before)
	return nil
}

func (st *lagStage) consumers(s *snapshot) []*consumer {
	byName := map[string]*consumer{}
	var out []*consumer
	for _, r := range st.groups {
		c := byName[r.group]
		if c == nil {
			c = &consumer{group: r.group, source: sourceKafka, kind: kindClassic, counted: true}
			c.members = r.members
			byName[r.group], out = c, append(out, c)
		}
		e := c.of(s.byName[r.topic])
		for p, at := range r.offsets {
			if at >= 0 {
				e.commits = append(e.commits, commit{p, at})
			}
		}
	}
	return out
}

// run moves the clock and collects once.
func (st *lagStage) run(later time.Duration) map[string]float64 {
	st.now = st.now.Add(later)
	return st.page.collect(st.f.t.Context())
}

// fill writes records with the given ages, the oldest first, to partitions.
func (st *lagStage) fill(topic string, partition int, ages []time.Duration) {
	st.f.t.Helper()
	var records []*kgo.Record
	for _, age := range ages {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(partition), Timestamp: st.now.Add(-age)})
	}
	if err := st.f.client.ProduceSync(st.f.t.Context(), records...).FirstErr(); err != nil {
		st.f.t.Fatal(err)
	}
}

// lagSeries is the key of a family's series for a group in a topic, as [page] has it.
func lagSeries(m metrics.Metric, group, topic string, more ...string) string {
	labels := append([]string{"consumergroup=" + group}, more...)
	labels = append(labels, "topic="+topic)
	slices.Sort(labels)
	return m.Name + "{" + strings.Join(labels, ",") + "}"
}

func want(t *testing.T, page map[string]float64, key string, value float64) {
	t.Helper()
	if got, ok := page[key]; !ok || math.Abs(got-value) > .0011 {
		t.Errorf("%s is %v (%v), want %v", key, got, ok, value)
	}
}

func wantNone(t *testing.T, page map[string]float64, key string) {
	t.Helper()
	if got, ok := page[key]; ok {
		t.Errorf("%s is %v, want none", key, got)
	}
}

func seconds(n ...int) (out []time.Duration) {
	for _, s := range n {
		out = append(out, time.Duration(s)*time.Second)
	}
	return out
}

func TestLagOfOneGroup(t *testing.T) {
	st := newLagStage(t, lagSettings{
		retention: func(topic string) (time.Duration, bool) { return time.Hour, topic == "orders" },
	}, kfake.SeedTopics(3, "orders"), kfake.SeedTopics(1, "kept"))
	st.fill("orders", 0, seconds(100, 80, 60, 40, 20))
	st.fill("orders", 1, seconds(30, 29))
	st.fill("kept", 0, seconds(5000, 4000))
	st.groups = []readers{
		{group: "shop", topic: "orders", offsets: []int64{2, 2, 0}},
		{group: "shop", topic: "kept", offsets: []int64{0}},
	}
	p := st.run(0)
	for partition, age := range []float64{60, 0, 0} {
		label := "partition=" + strconv.Itoa(partition)
		want(t, p, lagSeries(metrics.KafkaGroupLagSeconds(), "shop", "orders", label), age)
		want(t, p, lagSeries(metrics.KafkaGroupLagUncertainty(), "shop", "orders", label), 0)
	}
	want(t, p, lagSeries(metrics.KafkaGroupMaxLagSeconds(), "shop", "orders"), 60)
	want(t, p, lagSeries(metrics.KafkaGroupMaxLagSeconds(), "shop", "kept"), 5000)
	want(t, p, lagSeries(metrics.KafkaGroupRetentionMargin(), "shop", "orders", "limit=time"), 3540)
	wantNone(t, p, lagSeries(metrics.KafkaGroupRetentionMargin(), "shop", "kept", "limit=time"))
	want(t, p, lagSeries(metrics.KafkaGroupLostRecords(), "shop", "orders"), 0)
	want(t, p, lagSeries(metrics.KafkaGroupStatus(), "shop", "orders", "status=OK"), 1)
	want(t, p, lagSeries(metrics.KafkaGroupStatus(), "shop", "orders", "status=STOP"), 0)
	wantNone(t, p, lagSeries(metrics.KafkaGroupLagVelocity(), "shop", "orders")) // of one look
	p = st.run(15 * time.Second)
	want(t, p, lagSeries(metrics.KafkaGroupMaxLagSeconds(), "shop", "orders"), 75)
	want(t, p, lagSeries(metrics.KafkaGroupLagVelocity(), "shop", "orders"), 0)
	if st.asked != 0 {
		t.Errorf("%d requests for what is known", st.asked)
	}
}

// TestLagLost has records deleted before they were read.
func TestLagLost(t *testing.T) {
	st := newLagStage(t, lagSettings{}, kfake.SeedTopics(1, "orders"))
	var ages []int
	for age := 1000; age > 0; age-- {
		ages = append(ages, age)
	}
	st.fill("orders", 0, seconds(ages...))
	st.groups = []readers{{group: "shop", topic: "orders", offsets: []int64{100}}}
	want(t, st.run(0), lagSeries(metrics.KafkaGroupLagSeconds(), "shop", "orders", "partition=0"), 900)
	margin := lagSeries(metrics.KafkaGroupRetentionMargin(), "shop", "orders", "limit=start")
	var p map[string]float64
	for cut := int64(10); cut <= 60; cut += 10 { // 10 records a minute
		st.cut("orders", cut)
		p = st.run(time.Minute)
	}
	want(t, p, margin, (100-60)*6)
	want(t, p, lagSeries(metrics.KafkaGroupLostRecords(), "shop", "orders"), 0)
	st.cut("orders", 300)
	p = st.run(time.Minute)
	want(t, p, lagSeries(metrics.KafkaGroupLostRecords(), "shop", "orders"), 200)
	want(t, p, lagSeries(metrics.KafkaGroupLagSeconds(), "shop", "orders", "partition=0"), 700+7*60)
	want(t, p, margin, 0)
}

// cut deletes the records below an offset.
func (st *lagStage) cut(topic string, offset int64) {
	st.f.t.Helper()
	if err := st.f.DeleteRecords(topic, 0, offset); err != nil {
		st.f.t.Fatal(err)
	}
}

// TestLagSpeed has a group that falls back, then catches up.
func TestLagSpeed(t *testing.T) {
	st := newLagStage(t, lagSettings{}, kfake.SeedTopics(1, "orders"))
	st.fill("orders", 0, seconds(make([]int, 10_000)...))
	st.groups = []readers{{group: "shop", topic: "orders", offsets: []int64{0}}}
	at := st.groups[0].offsets
	velocity := lagSeries(metrics.KafkaGroupLagVelocity(), "shop", "orders")
	catchUp := lagSeries(metrics.KafkaGroupCatchUp(), "shop", "orders")
	st.run(0)
	st.fill("orders", 0, seconds(make([]int, 1000)...))
	p := st.run(10 * time.Second)
	want(t, p, velocity, 100)
	wantNone(t, p, catchUp)
	for range historyLength {
		at[0] += 500
		p = st.run(10 * time.Second)
	}
	want(t, p, velocity, -50)
	want(t, p, catchUp, float64(11_000-at[0])/50)
	at[0] = 11_000
	p = st.run(10 * time.Second)
	want(t, p, catchUp, 0)
	want(t, p, lagSeries(metrics.KafkaGroupMaxLagSeconds(), "shop", "orders"), 0)
	at = append(at, -1)
	st.groups[0].offsets = at
	want(t, st.run(10*time.Second), catchUp, 0)
}

// TestLagCoarse shows groups without their partitions where room is short.
func TestLagCoarse(t *testing.T) {
	st := newLagStage(t, lagSettings{}, kfake.SeedTopics(1, "orders"))
	st.fill("orders", 0, seconds(100, 80))
	e := &consumed{topic: &topic{name: "orders", partitions: []partition{{label: "0", start: 0, end: 2}}}, commits: []commit{{0, 0}}}
	for _, coarse := range []bool{false, true} {
		e.topic.coarse = coarse
		work := &lagWork{c: &consumer{group: "shop"}, e: e}
		if work.detail() == coarse {
			t.Errorf("coarse %v: detail %v", coarse, work.detail())
		}
	}
	st.groups = []readers{{group: "shop", topic: "orders", offsets: []int64{0}}}
	st.run(0)
	_, s := st.snap()
	consumers := st.consumers(s)
	consumers[0].coarse = true
	p := newPage(t, exporters.Collector{Name: "coarse", Collect: func(ctx context.Context, out *exporters.Batch) error {
		st.tracker.collect(ctx, st.w, s, consumers, out)
		return nil
	}}, exportersOptions()).collect(t.Context())
	want(t, p, lagSeries(metrics.KafkaGroupMaxLagSeconds(), "shop", "orders"), 100)
	want(t, p, lagSeries(metrics.KafkaGroupStatus(), "shop", "orders", "status=OK"), 1)
	wantNone(t, p, lagSeries(metrics.KafkaGroupStatus(), "shop", "orders", "status=STOP"))
	wantNone(t, p, lagSeries(metrics.KafkaGroupLagSeconds(), "shop", "orders", "partition=0"))
}

// snap reads a snapshot outside of a collection.
func (st *lagStage) snap() (context.Context, *snapshot) {
	st.f.t.Helper()
	ctx := st.f.t.Context()
	meta, err := st.w.metadata(ctx)
	if err != nil {
		st.f.t.Fatal(err)
	}
	s := newSnapshot(meta, &memory{}, func(string) bool { return true })
	s.at = st.now
	for _, l := range leadersOf(s) {
		l.aim(timestampEarliest)
		l.list(ctx, st.w, s, earliest)
		l.aim(timestampLatest)
		l.list(ctx, st.w, s, latest)
	}
	return ctx, s
}

// TestLagOnThreeBrokers holds the goal against a broker: bursty traffic, 600
// group-partitions, everything within a second, few requests.
func TestLagOnThreeBrokers(t *testing.T) {
	const partitions, records, groups = 60, 300, 5
	st := newLagStage(t, lagSettings{}, kfake.SeedTopics(partitions, "a", "b", "c", "d"))
	r := rand.New(rand.NewPCG(1, 2))
	truth := map[string]float64{}
	ages := map[string][][]time.Duration{}
	var all []*kgo.Record
	for _, topic := range []string{"a", "b", "c", "d"} {
		for p := range partitions {
			list := burst(r, records)
			ages[topic] = append(ages[topic], list)
			for _, age := range list {
				all = append(all, &kgo.Record{Topic: topic, Partition: int32(p), Timestamp: st.now.Add(-age)})
			}
		}
	}
	if err := st.f.client.ProduceSync(t.Context(), all...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for g := range groups {
		for _, topic := range []string{"a", "b", "c", "d"} {
			if (g+int(topic[0]))%2 == 0 {
				continue
			}
			read := readers{group: fmt.Sprint("g", g), topic: topic}
			for p := range partitions {
				at := r.IntN(records)
				read.offsets = append(read.offsets, int64(at))
				truth[lagSeries(metrics.KafkaGroupLagSeconds(), read.group, topic, "partition="+strconv.Itoa(p))] = ages[topic][p][at].Seconds()
			}
			st.groups = append(st.groups, read)
		}
	}
	page := st.run(0)
	off, worst := 0, 0.
	for key, age := range truth {
		got, ok := page[key]
		worst = max(worst, math.Abs(got-age))
		if !ok || math.Abs(got-age) > 1 {
			off++
		}
	}
	t.Logf("%d group-partitions: %d are off, %.3f s at most, %d requests", len(truth), off, worst, st.asked)
	if off > 0 || st.asked > 66 {
		t.Error("want none, and 66 requests at most")
	}
	for range 10 {
		if st.run(15 * time.Second); st.asked > warmRequests {
			t.Errorf("%d requests when all is known", st.asked)
		}
	}
	if st.asked > 0 {
		t.Errorf("%d requests are left", st.asked)
	}
}

// burst is the ages of records, the oldest first: half of them evenly over some
// of an hour, the others in one hundredth of it; then nothing.
func burst(r *rand.Rand, n int) []time.Duration {
	before := 6*time.Minute + time.Duration(r.Int64N(int64(30*time.Minute)))
	out := make([]time.Duration, n)
	for i := range out {
		at := time.Duration(i) * before / time.Duration(n/2)
		if i >= n/2 {
			at = before + time.Duration(i-n/2)*36*time.Second/time.Duration(n/2)
		}
		out[i] = (time.Hour - at).Truncate(time.Millisecond)
	}
	return out
}

// TestLagWhenABrokerIsAway loses the times of that broker's partitions only.
func TestLagWhenABrokerIsAway(t *testing.T) {
	st := newLagStage(t, lagSettings{}, kfake.SeedTopics(6, "orders"))
	read := readers{group: "shop", topic: "orders"}
	for p := range 6 {
		st.fill("orders", p, seconds(100, 80, 60))
		read.offsets = append(read.offsets, 1)
	}
	st.groups = []readers{read}
	_, s := st.snap()
	away := s.byName["orders"].partitions[0].leader
	st.f.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		st.f.KeepControl()
		if st.f.CurrentNode() == away {
			return nil, errors.New("gone"), true
		}
		return nil, nil, false
	})
	p := newPage(t, exporters.Collector{Name: "away", Collect: func(ctx context.Context, out *exporters.Batch) error {
		st.tracker.collect(ctx, st.w, s, st.consumers(s), out)
		return nil
	}}, exportersOptions()).collect(t.Context())
	for i := range s.byName["orders"].partitions {
		q := &s.byName["orders"].partitions[i]
		key := lagSeries(metrics.KafkaGroupLagSeconds(), "shop", "orders", "partition="+q.label)
		if q.leader == away {
			wantNone(t, p, key)
		} else {
			want(t, p, key, 80)
		}
	}
	wantNone(t, p, lagSeries(metrics.KafkaGroupMaxLagSeconds(), "shop", "orders"))
}

// TestLagCompacted has a broker compact most records away: the first unread one
// is much younger than the offset that was committed.
func TestLagCompacted(t *testing.T) {
	for _, told := range []bool{true, false} {
		st := newLagStage(t, lagSettings{compacted: func(string) bool { return told }})
		if err := st.f.CreateTopic("state", 1, map[string]string{"cleanup.policy": "compact", "retention.ms": "-1"}); err != nil {
			t.Fatal(err)
		}
		var records []*kgo.Record
		for i := range 500 {
			key := "often"
			if i%50 == 0 {
				key = strconv.Itoa(i)
			}
			records = append(records, &kgo.Record{
				Topic: "state", Key: []byte(key), Value: []byte("v"), Timestamp: st.now.Add(time.Duration(i-1000) * time.Second),
			})
		}
		if err := st.f.client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		st.fill("state", 0, seconds(400, 300)) // what is written last is not compacted
		st.f.Compact()
		st.groups = []readers{{group: "shop", topic: "state", offsets: []int64{101}}}
		p := st.run(0)
		age, off := 850., 50. // the record at 150; that at 100 is 50 s older
		if !told {
			age, off = 900, 1 // the last one before the gap
		}
		want(t, p, lagSeries(metrics.KafkaGroupMaxLagSeconds(), "shop", "state"), age)
		if got := p[lagSeries(metrics.KafkaGroupLagUncertainty(), "shop", "state", "partition=0")]; got > off {
			t.Errorf("told %v: off by up to %v, want %v", told, got, off)
		}
	}
}

// TestLagForgets holds what is kept through many collections in which groups and
// topics come and go.
func TestLagForgets(t *testing.T) {
	l := newLagTracker(lagSettings{})
	w := newWire(nil, nil)
	batch := exporters.Collector{Name: "churn", Interval: time.Second}
	cycle := 0
	var heap []uint64
	batch.Collect = func(ctx context.Context, out *exporters.Batch) error {
		for range 100 {
			cycle++
			s, consumers := churn(cycle)
			l.collect(ctx, w, s, consumers, out)
		}
		return nil
	}
	e := exporters.New(exportersOptions(), batch)
	defer e.Close()
	for range 10 {
		e.Collect(t.Context())
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		heap = append(heap, m.HeapAlloc>>10)
	}
	t.Logf("heap in KiB: %v", heap)
	if len(l.topics) > 10+2*forgetAfter || len(l.groups) > 10+2*forgetAfter {
		t.Errorf("%d topics and %d groups after %d collections", len(l.topics), len(l.groups), cycle)
	}
	if heap[9] > heap[2]+heap[2]/5 {
		t.Errorf("it grows: %v", heap)
	}
}

// churn is a snapshot in which one topic and one group are there once only. All
// is read, so that nobody is asked.
func churn(cycle int) (*snapshot, []*consumer) {
	s := &snapshot{at: time.Now(), byName: map[string]*topic{}}
	var out []*consumer
	for i := range 5 {
		name := fmt.Sprint("topic-", i)
		if i == 4 {
			name = fmt.Sprint("once-", cycle)
		}
		tp := &topic{name: name}
		for p := range 10 {
			end := int64(cycle * 10)
			tp.partitions = append(tp.partitions, partition{number: int32(p), label: strconv.Itoa(p), start: 0, end: end})
		}
		s.topics = append(s.topics, tp)
		s.byName[name] = tp
	}
	for i := range 5 {
		c := &consumer{group: fmt.Sprint("group-", i), source: sourceKafka}
		if i == 4 {
			c.group = fmt.Sprint("once-", cycle)
		}
		for _, tp := range s.topics {
			e := c.of(tp)
			for p := range tp.partitions {
				e.commits = append(e.commits, commit{p, int64(cycle * 10)})
			}
		}
		out = append(out, c)
	}
	return s, out
}
