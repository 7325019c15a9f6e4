//go:build e2e

package kafka_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A broker that halts, with its connections open: each collection ends in
// time, and what the others lead and coordinate is there and fresh. The one
// that leads the quorum is a case of its own: the others have to ask it.
func brokerStalls(ctx context.Context, t *testing.T, st *stage, e *eye) {
	for name, next := range map[string]int32{"controller": 0, "broker": 1} {
		t.Run(name, func(t *testing.T) {
			leader, _ := st.quorum(ctx, t)
			halt(ctx, t, st, e, (int32(leader)-1+next)%3+1)
		})
	}
}

func halt(ctx context.Context, t *testing.T, st *stage, e *eye, halted int32) {
	t.Helper()
	other := halted % 3 // index, and partition of solo, of the broker after it
	offset := func(p page) float64 {
		return p.one("kafka_topic_partition_current_offset", "topic", "solo", "partition", strconv.Itoa(int(other)))
	}
	before := offset(e.page(t))
	name := fmt.Sprintf("kafka-%d", halted)
	if err := st.Pause(name); err != nil {
		t.Fatal(err)
	}
	resume := func() {
		if err := st.Resume(name); err != nil {
			t.Error(err)
		}
	}
	defer resume() // a second one does nothing
	if err := st.client.ProduceSync(ctx, &kgo.Record{Topic: "solo", Partition: other, Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	said := false
	for range 4 { // longer than it takes until the cluster counts the broker out
		text := e.debug(t)
		if took := duration(t, text); took > 5500*time.Millisecond {
			t.Errorf("a collection took %s", took)
		}
		for _, m := range regexp.MustCompile(`(?m)^\S+/(\d): error: .*$`).FindAllStringSubmatch(text, -1) {
			// A partition that has just moved is no fault of the exporter.
			stalled := strings.Contains(m[0], "did not answer") || strings.Contains(m[0], "deadline")
			if stalled && m[1] != strconv.Itoa(int(halted)) {
				t.Errorf("broker %d halts, and: %s", halted, m[0])
				if !said {
					t.Log(text)
				}
				said = true
			}
		}
	}
	if got := offset(e.page(t)); got != before+1 {
		t.Errorf("the offset of another broker's partition is %v, want %v", got, before+1)
	}
	resume()
	e.within(ctx, t, 8, "the broker's return", func(p page) (bool, string) {
		under, _ := p.sum("kafka_topic_under_replicated_partitions")
		ok, bad := p.all()
		return under == 0 && ok && p.one("kafka_brokers") == 3, bad
	})
}

// debug runs one collection of the main collector and returns what is said of
// it, up to its series.
func (e *eye) debug(t *testing.T) string {
	t.Helper()
	h, err := e.Handler()
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/collect?collector=kafka&target=lab", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("debug/collect: %d %s", answer.Code, answer.Body)
	}
	text, _, _ := strings.Cut(answer.Body.String(), "## Series")
	return text
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	m := regexp.MustCompile(`took ([0-9.]+) ?(ms|s|µs)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no duration in\n%s", text)
	}
	d, err := time.ParseDuration(m[1] + m[2])
	if err != nil {
		t.Fatal(err)
	}
	return d
}
