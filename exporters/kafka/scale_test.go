package kafka

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
)

var (
	scaleBrokers = flag.String("scale.brokers", "", "addresses; set for the child of BenchmarkScale")
	scaleCycles  = flag.Int("scale.cycles", 20, "collections that BenchmarkScale measures")
)

// mostRequests is what one collection may ask of three brokers, whatever there is.
const mostRequests = 27

// scale is the size of a cluster.
type scale struct {
	name                  string
	topics, partitions    int // partitions of each
	groups, topicsOfGroup int
	cpu                   float64 // goal of one collection with its page, s
	rss                   float64 // goal, MiB
}

func scales() []scale {
	return []scale{
		{"base", 100, 20, 50, 5, 0.05, 40},
		{"big", 200, 50, 200, 4, 0.35, 130},
	}
}

// BenchmarkScale measures one collection by requests, CPU time and memory. The
// cluster is in this process and the exporter in a child, so that its costs are
// its own:
//
//	go test ./exporters/kafka -run '^$' -bench Scale -benchtime 1x
func BenchmarkScale(b *testing.B) {
	for _, s := range scales() {
		b.Run(s.name, func(b *testing.B) {
			f := s.start(b)
			for b.Loop() {
				m := s.measure(b, f)
				for name, value := range m {
					b.ReportMetric(value, name)
				}
				s.check(b, m)
			}
		})
	}
}

// check holds what does not depend on the machine, and that with room for a busy
// one which does: the child is a test with a fake cluster linked into it.
func (s scale) check(b *testing.B, m map[string]float64) {
	b.Helper()
	if m["requests/cycle"] > mostRequests || int(m["lags"]) != s.groups*s.topicsOfGroup*s.partitions {
		b.Errorf("%v requests, %v lags", m["requests/cycle"], m["lags"])
	}
	if used := m["cpu-s/cycle-with-page"]; used > s.cpu {
		b.Errorf("%.3f s of CPU time for a collection and its page, the goal is %v", used, s.cpu)
	}
	if used := m["MiB-rss"]; used > 1.25*s.rss {
		b.Errorf("%.0f MiB, the goal is %v", used, s.rss)
	}
}

// start makes the cluster with records in every partition.
func (s scale) start(b *testing.B) *fake {
	f := newFake(b, kfake.SeedTopics(int32(s.partitions), s.topicNames()...))
	records := make([]*kgo.Record, 0, s.topics*s.partitions)
	for _, t := range s.topicNames() {
		for p := range s.partitions {
			for range 3 {
				records = append(records, &kgo.Record{Topic: t, Partition: int32(p), Value: []byte("x")})
			}
		}
	}
	if err := f.client.ProduceSync(b.Context(), records...).FirstErr(); err != nil {
		b.Fatal(err)
	}
	for g := range s.groups {
		var offsets kadm.Offsets
		for i := range s.topicsOfGroup {
			t := s.topicNames()[(g*s.topicsOfGroup+i)%s.topics]
			for p := range s.partitions {
				offsets.AddOffset(t, int32(p), int64((g+p)%4), -1)
			}
		}
		if done, err := f.adm.CommitOffsets(b.Context(), fmt.Sprintf("group-%03d", g), offsets); err != nil || done.Error() != nil {
			b.Fatal(err, done.Error())
		}
	}
	return f
}

func (s scale) topicNames() []string {
	out := make([]string, s.topics)
	for i := range out {
		out[i] = fmt.Sprintf("warehouse.orders.topic-%04d", i)
	}
	return out
}

// measure runs the child and returns what it printed.
func (s scale) measure(b *testing.B, f *fake) map[string]float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestScaleChild$", "-test.v", "-test.count=1",
		"-scale.brokers="+strings.Join(f.ListenAddrs(), ","), "-scale.cycles="+strconv.Itoa(*scaleCycles))
	text, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, text)
	}
	out := map[string]float64{}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for lines.Scan() {
		if line, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "MEASURED "); ok {
			var name string
			var value float64
			if _, err := fmt.Sscan(line, &value, &name); err != nil {
				b.Fatalf("%s: %v", line, err)
			}
			out[name] = value
		}
	}
	if len(out) == 0 {
		b.Fatalf("the child measured nothing:\n%s", text)
	}
	return out
}

// TestScaleChild is the exporter of BenchmarkScale.
func TestScaleChild(t *testing.T) {
	if *scaleBrokers == "" {
		t.Skip("it runs as a child of BenchmarkScale")
	}
	all, err := Collectors(Options{
		Cluster: "fake", Kafka: config.Kafka{Brokers: strings.Split(*scaleBrokers, ",")},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c := all[0]
	c.Interval = time.Second
	e := exporters.New(exporters.Options{Budget: 1_000_000, Mode: exporters.OnScrape}, c)
	defer e.Close()
	h, err := e.Handler()
	if err != nil {
		t.Fatal(err)
	}
	e.Collect(t.Context()) // connections, and what is found out once
	e.Collect(t.Context())
	before, began := cpu(t), time.Now()
	for range *scaleCycles {
		e.Collect(t.Context())
	}
	n := float64(*scaleCycles)
	fmt.Println("MEASURED", (cpu(t)-before).Seconds()/n, "cpu-s/cycle")
	fmt.Println("MEASURED", time.Since(began).Seconds()/n, "s/cycle")
	fmt.Println("MEASURED", status(t, "VmRSS:"), "MiB-rss-collecting")
	before = cpu(t)
	for range *scaleCycles { // as in production: a page for each collection, and somebody who reads it
		scrape(t, h)
	}
	fmt.Println("MEASURED", (cpu(t)-before).Seconds()/n, "cpu-s/cycle-with-page")
	fmt.Println("MEASURED", status(t, "VmRSS:"), "MiB-rss")
	fmt.Println("MEASURED", status(t, "VmHWM:"), "MiB-peak")
	families, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		m := f.GetMetric()[0].GetGauge().GetValue()
		switch f.GetName() {
		case "lakeproof_collector_requests":
			fmt.Println("MEASURED", m, "requests/cycle")
		case "lakeproof_collector_success":
			if m != 1 {
				t.Error("the last collection went wrong")
			}
		case "lakeproof_collector_series":
			fmt.Println("MEASURED", m, "series")
		case "kafka_consumergroup_lag":
			fmt.Println("MEASURED", len(f.GetMetric()), "lags")
		}
	}
}

func scrape(t *testing.T, h http.Handler) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.Len() == 0 {
		t.Fatalf("scraping: %d, %d bytes", w.Code, w.Body.Len())
	}
}

func cpu(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// status is one line of /proc/self/status in MiB; 0 where there is no such file.
func status(t *testing.T, name string) float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Log(err)
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
