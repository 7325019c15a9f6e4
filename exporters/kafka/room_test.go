package kafka

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/lakeproof/lakeproof/exporters"
)

// TestRoom: with little room the largest groups are shown as sums first, then
// the largest topics; nothing is cut off.
func TestRoom(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(40, "wide"), kfake.SeedTopics(2, "narrow"))
	f.produce("wide", 40, 1)
	f.commit("large", "wide", make([]int64, 40)...)
	f.commit("small", "narrow", 0, 0)
	full := newPage(t, f.collector("kafka", f.options()), exportersOptions()).collect(t.Context())
	have(t, full, map[string]float64{
		lagOf("large", "wide", 7): 1, "lakeproof_collector_coarsened{collector=kafka,subject=group,target=fake}": 0,
	})
	need := 0
	for series := range full {
		if !strings.HasPrefix(series, "lakeproof_") && !strings.HasPrefix(series, "go_") && !strings.HasPrefix(series, "process_") {
			need++
		}
	}
	for _, test := range []struct {
		budget        int
		groups, topic float64
		want          map[string]float64
	}{
		{900, 1, 0, map[string]float64{
			lagOf("large", "wide", 7): absent, lagSum("large", "wide"): 40, lagOf("small", "narrow", 0): 0, offsetOf("wide", 7): 1,
		}},
		{550, 2, 1, map[string]float64{
			lagOf("large", "wide", 7): absent, lagSum("large", "wide"): 40, lagSum("small", "narrow"): 0,
			offsetOf("wide", 7): absent, "kafka_topic_current_offset{topic=wide}": 40, offsetOf("narrow", 0): 0,
		}},
	} {
		t.Run(fmt.Sprint(test.budget), func(t *testing.T) {
			got := newPage(t, f.collector("kafka", f.options()), exporters.Options{Budget: test.budget}).collect(t.Context())
			have(t, got, test.want)
			have(t, got, map[string]float64{
				"lakeproof_collector_coarsened{collector=kafka,subject=group,target=fake}":      test.groups,
				"lakeproof_collector_coarsened{collector=kafka,subject=topic,target=fake}":      test.topic,
				"lakeproof_collector_dropped_series{collector=kafka,reason=budget,target=fake}": 0,
			})
		})
	}
	t.Logf("%d series in full", need)
}
