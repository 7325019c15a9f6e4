//go:build e2e

package probe

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

// TestThreeRealBrokers: the probe goes through every broker and coordinator of a
// real cluster; when one dies its records fail and the others' go on; when it is
// back it is covered again; nothing is lost, doubled or left behind.
func TestThreeRealBrokers(t *testing.T) {
	install := os.Getenv("LAKEPROOF_LAB_DIR")
	if install == "" {
		install = filepath.Join("..", "..", "..", ".lab")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	stack, err := local.New(local.Options{
		Dir: t.TempDir(), Install: install, FreePorts: true, Components: []string{local.Kafka}, KafkaNodes: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stack.Down(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	if err := stack.Up(ctx); err != nil {
		t.Fatal(err)
	}
	c, err := Collector(Options{
		Cluster: "lab", Kafka: stack.Config().Kafka, Every: 100 * time.Millisecond, DeleteTopic: true,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	page := await(t, c, func(v func(string) float64) bool {
		for b := 1; b <= 3; b++ {
			if v(fmt.Sprintf(`kafka_probe_end_to_end_duration_seconds_count{broker="%d"}`, b)) < 20 ||
				v(fmt.Sprintf(`kafka_probe_commits_total{broker="%d",result="success"}`, b)) < 10 {
				return false
			}
		}
		return true
	})
	t.Logf("with three brokers: %s", lines(page, "kafka_probe_records_total"))

	if err := stack.Kill("kafka-2"); err != nil {
		t.Fatal(err)
	}
	before := value(page, `kafka_probe_records_total{broker="1",result="received"}`)
	await(t, c, func(v func(string) float64) bool {
		return v(`kafka_probe_partitions{broker="2"}`) == 0 &&
			v(`kafka_probe_records_total{broker="1",result="received"}`) > before+20
	})
	if err := stack.Start(ctx, "kafka-2"); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(stack.Config().Kafka.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	adm := kadm.NewClient(client)
	page = await(t, c, func(v func(string) float64) bool {
		// The broker leads again after an election of the preferred leaders.
		_, _ = adm.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil)
		return v(`kafka_probe_partitions{broker="2"}`) > 0 && v(`kafka_probe_records_total{broker="2",result="received"}`) >
			value(page, `kafka_probe_records_total{broker="2",result="received"}`)+20
	})
	t.Logf("after a broker was killed and came back: %s", lines(page, "kafka_probe_records_total"))
	for b := 1; b <= 3; b++ {
		for _, result := range []string{"lost", "duplicate"} {
			if n := value(page, fmt.Sprintf(`kafka_probe_records_total{broker="%d",result="%s"}`, b, result)); n > 0 {
				t.Errorf("broker %d: %v records %s", b, n, result)
			}
		}
	}
	c.Close()
	groups, err := adm.ListGroups(ctx)
	if err != nil || len(groups) > 0 {
		t.Errorf("groups left behind: %v, %v", groups.Groups(), err)
	}
	topics, err := adm.ListTopics(ctx)
	if err != nil || topics.Has(DefaultTopic) {
		t.Errorf("the topic is left behind: %v", err)
	}
}

// await collects until the page is as wanted.
func await(t *testing.T, c exporters.Collector, ok func(value func(string) float64) bool) string {
	t.Helper()
	c.Close = nil
	deadline := time.Now().Add(90 * time.Second)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		page := exportertest.Collect(t, c)
		if ok(func(series string) float64 { return value(page, series) }) {
			return page
		}
		if time.Now().After(deadline) {
			t.Fatalf("it did not come in 90 s:\n%s", page)
		}
		<-tick.C
	}
}

// value is the value of a series, 0 where there is none.
func value(page, series string) float64 {
	var n float64
	_, rest, ok := strings.Cut(page, "\n"+series+" ")
	if ok {
		_, _ = fmt.Sscan(rest, &n)
	}
	return n
}

func lines(page, name string) string {
	var out []string
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return strings.Join(out, " ")
}
