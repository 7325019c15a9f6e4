package kafka

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestChurn: topics and groups come and go; what is remembered goes with them,
// and no goroutine stays behind.
func TestChurn(t *testing.T) {
	const cycles, alive = 60, 5
	f := newFake(t, kfake.SeedTopics(3, "stays"))
	c := f.collector("kafka", f.options())
	p := newPage(t, c, exportersOptions())
	var goroutines, series int
	for i := range cycles {
		topic := fmt.Sprint("topic-", i)
		if err := f.CreateTopic(topic, 3, nil); err != nil {
			t.Fatal(err)
		}
		f.produce(topic, 3, 1)
		f.commit(fmt.Sprint("group-", i), topic, 0, 0, 0)
		if i >= alive {
			if err := f.DeleteTopic(fmt.Sprint("topic-", i-alive)); err != nil {
				t.Fatal(err)
			}
			if _, err := f.adm.DeleteGroup(t.Context(), fmt.Sprint("group-", i-alive)); err != nil {
				t.Fatal(err)
			}
		}
		got := p.collect(t.Context())
		have(t, got, map[string]float64{lagSum(fmt.Sprint("group-", i), topic): 3})
		if i == cycles/3 {
			goroutines, series = runtime.NumGoroutine(), len(got)
		}
		if i == cycles-1 {
			if n := runtime.NumGoroutine(); n > goroutines+10 {
				t.Errorf("%d goroutines, %d after a third of the time", n, goroutines)
			}
			if n := len(got); n > series+10 {
				t.Errorf("%d series, %d after a third of the time", n, series)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}
