package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

var _ = exportertest.Flag()

// fake is a cluster of three brokers in this process.
type fake struct {
	*kfake.Cluster
	t      testing.TB
	client *kgo.Client
	adm    *kadm.Client
}

func newFake(t testing.TB, opts ...kfake.Opt) *fake {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.ClusterID("fake")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	f := &fake{Cluster: c, t: t}
	f.client = f.open()
	f.adm = kadm.NewClient(f.client)
	return f
}

func (f *fake) open(opts ...kgo.Opt) *kgo.Client {
	f.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(f.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(cl.Close)
	return cl
}

// options are those of an exporter of this cluster.
func (f *fake) options() Options {
	return Options{Cluster: "fake", Kafka: config.Kafka{Brokers: f.ListenAddrs()}}
}

// collectors makes the collectors and returns the one of that name.
func (f *fake) collector(name string, opts Options) exporters.Collector {
	f.t.Helper()
	all, err := Collectors(opts, slog.New(slog.DiscardHandler))
	if err != nil {
		f.t.Fatal(err)
	}
	var found exporters.Collector
	for _, c := range all {
		if c.Name == name {
			found = c
		} else {
			f.t.Cleanup(c.Close)
		}
	}
	if found.Collect == nil {
		f.t.Fatalf("no collector is called %s", name)
	}
	return found
}

// produce sends n records to each of the first partitions of a topic.
func (f *fake) produce(topic string, partitions, n int) {
	f.t.Helper()
	var records []*kgo.Record
	for p := range partitions {
		for i := range n {
			records = append(records, &kgo.Record{Topic: topic, Partition: int32(p), Value: []byte(strconv.Itoa(i))})
		}
	}
	if err := f.client.ProduceSync(f.t.Context(), records...).FirstErr(); err != nil {
		f.t.Fatal(err)
	}
}

// commit commits offsets of a group without members, by partition.
func (f *fake) commit(group, topic string, offsets ...int64) {
	f.t.Helper()
	var list kadm.Offsets
	for p, at := range offsets {
		list.AddOffset(topic, int32(p), at, -1)
	}
	done, err := f.adm.CommitOffsets(f.t.Context(), group, list)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// groupOn returns the name of a group that a broker coordinates.
func (f *fake) groupOn(broker int32, prefix string) string {
	for i := range 1000 {
		if name := fmt.Sprintf("%s-%d", prefix, i); f.CoordinatorFor(name) == broker {
			return name
		}
	}
	f.t.Fatalf("broker %d coordinates no group %s", broker, prefix)
	return ""
}

// count counts the requests that all brokers get, without those that begin a
// connection.
func (f *fake) count() *counted {
	n := &counted{byKey: map[int16]int{}}
	f.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if req.Key() != int16(kmsg.ApiVersions) {
			n.byKey[req.Key()]++
			n.all++
		}
		return nil, nil, false
	})
	return n
}

type counted struct {
	byKey map[int16]int
	all   int
}

// page is what an exporter of one collector shows, by series.
type page struct {
	t testing.TB
	e *exporters.Exporter
}

func newPage(t testing.TB, c exporters.Collector, opts exporters.Options) *page {
	t.Helper()
	c.Interval = time.Second // collect whenever asked
	e := exporters.New(opts, c)
	t.Cleanup(e.Close)
	return &page{t, e}
}

// collect runs one collection and returns all series.
func (p *page) collect(ctx context.Context) map[string]float64 {
	p.t.Helper()
	p.e.Collect(ctx)
	return series(p.t, p.e)
}

// series are all series of an exporter, its own included.
func series(t testing.TB, e *exporters.Exporter) map[string]float64 {
	t.Helper()
	families, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := make([]string, 0, len(m.GetLabel()))
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(labels)
			key := f.GetName() + "{" + strings.Join(labels, ",") + "}"
			if _, twice := out[key]; twice {
				t.Errorf("%s is there twice", key)
			}
			out[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

func exportersOptions() exporters.Options { return exporters.Options{Budget: 10_000_000} }

func wantHint(t *testing.T, err error) {
	t.Helper()
	if err == nil || fail.HintOf(err) == "" {
		t.Errorf("error %v, hint %q", err, fail.HintOf(err))
	}
}

// hasLabels reports whether a series is of a family and has all of the labels.
func hasLabels(series, family string, labels ...string) bool {
	rest, ok := strings.CutPrefix(series, family+"{")
	have := strings.Split(strings.TrimSuffix(rest, "}"), ",")
	for _, l := range labels {
		ok = ok && slices.Contains(have, l)
	}
	return ok
}
