package kafka

import (
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/metrics"
)

// TestCompat holds the names and labels of other exporters against files.
func TestCompat(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(3, "orders"), kfake.SeedTopics(1, "idle"))
	for p := range int32(3) {
		if err := f.MoveTopicPartition("orders", p, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.MoveTopicPartition("idle", 0, 0); err != nil {
		t.Fatal(err)
	}
	f.produce("orders", 3, 10)
	f.commit("shop", "orders", 4, 10)
	f.commitAll(f.live(30, kgo.ConsumerGroup("live"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit()))
	for mode, origin := range map[string]string{
		CompatKafkaExporter:    metrics.OriginKafkaExporter,
		CompatKminion:          metrics.OriginKminion,
		CompatKafkaLagExporter: metrics.OriginKafkaLagExporter,
	} {
		t.Run(mode, func(t *testing.T) {
			f.t = t
			opts := f.options()
			opts.Compat = []string{mode}
			text := exportertest.Collect(t, f.collector("kafka", opts))
			exportertest.GoldenText(t, steady(ofOrigin(text, origin)), "testdata/compat/"+mode+".prom")
		})
	}
	text := exportertest.Collect(t, f.collector("kafka", f.options()))
	if ofOrigin(text, metrics.OriginKminion) != "" || ofOrigin(text, metrics.OriginKafkaLagExporter) != "" {
		t.Error("names of other exporters that nobody asked for")
	}
}

// ofOrigin are the lines of the families whose names are another tool's.
func ofOrigin(text, origin string) string {
	names := map[string]bool{}
	for _, m := range metrics.All() {
		if m.Origin == origin {
			names[m.Name] = true
		}
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		name := strings.FieldsFunc(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), func(r rune) bool {
			return r == ' ' || r == '{'
		})
		if len(name) > 0 && names[name[0]] {
			out.WriteString(line)
		}
	}
	return out.String()
}

// steady replaces what differs from run to run.
func steady(text string) string {
	for _, r := range []struct{ pattern, by string }{
		{`127\.0\.0\.1:\d+`, "127.0.0.1:9092"},
		{`port="\d+"`, `port="9092"`},
		{`(goarch|goos|goversion|revision|version|cluster_version)="[^"]*"`, `$1="X"`},
		{`(consumer_id|member_host)="[^"]+"`, `$1="X"`},
		{`(coordinator_id|controller_id)="\d"`, `$1="0"`},
		{`is_controller="\w+"`, `is_controller="X"`},
		{`(?m)^(\w+(_bytes|requests_(sent|received)_total|poll_time_ms|lag_seconds)(\{[^}]*\})?) [0-9.e+-]+$`, "$1 0"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	return text
}
