//go:build e2e

package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/kafka"
)

// Lag in seconds of records whose timestamps are known, one a second; and of
// records that were deleted before they were read.
func lagInSeconds(ctx context.Context, t *testing.T, st *stage, e *eye) {
	const topic, group, n, read = "timed", "slow", 1000, 400
	st.topic(ctx, t, topic, rotated(1))
	end := time.Now()
	at := func(offset int) time.Time { return end.Add(time.Duration(offset-n) * time.Second) }
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: topic, Timestamp: at(i), Value: []byte(strconv.Itoa(i))})
	}
	if err := st.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	st.commit(ctx, t, group, topic, read)
	e.within(ctx, t, 3, "lag in seconds", func(p page) (bool, string) {
		got := p.one("kafka_consumergroup_lag_seconds", "consumergroup", group, "topic", topic)
		off := p.one("kafka_consumergroup_lag_uncertainty_seconds", "consumergroup", group, "topic", topic)
		age := p.one("lakeproof_collector_data_age_seconds", "collector", "kafka")
		want := time.Since(at(read)).Seconds() - age
		return math.Abs(got-want) <= 1 && off >= 0 && off <= 1, fmt.Sprintf("%v (off by up to %v), want %.1f", got, off, want)
	})
	var gone kadm.Offsets
	gone.AddOffset(topic, 0, read+100, -1)
	if _, err := st.adm.DeleteRecords(ctx, gone); err != nil {
		t.Fatal(err)
	}
	e.within(ctx, t, 2, "lost records", func(p page) (bool, string) {
		lost := p.one("kafka_consumergroup_lost_records", "consumergroup", group, "topic", topic)
		return lost == 100, fmt.Sprint(lost)
	})
}

// soak collects many times over while topics and groups come and go: what the
// process holds does not grow.
func soak(ctx context.Context, t *testing.T, st *stage, _ *eye) {
	const cycles, churn = 1000, 25
	collectors, err := kafka.Collectors(kafka.Options{
		Cluster: "soak", Kafka: st.Config().Kafka, Details: kafka.DetailsAll, Compat: kafka.Compats(),
		Interval: time.Second, ConfigInterval: time.Second,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	e := exporters.New(exporters.Options{}, collectors...)
	defer e.Close()
	var first holds
	for i := range cycles {
		if i%churn == 0 {
			st.comeAndGo(ctx, t, i)
		}
		e.Collect(ctx)
		if i == cycles/3 {
			first = held(t)
		}
	}
	last := held(t)
	t.Logf("after %d cycles %+v, after %d %+v", cycles/3, first, cycles, last)
	(&eye{e}).check(t)
	if last.goroutines > first.goroutines+10 || last.files > first.files+10 || last.heap > first.heap*3/2+2<<20 {
		t.Errorf("after %d cycles %+v, after %d %+v", cycles/3, first, cycles, last)
	}
}

// comeAndGo makes a topic with a group and deletes those of the last time.
func (st *stage) comeAndGo(ctx context.Context, t *testing.T, i int) {
	t.Helper()
	name := func(i int) string { return fmt.Sprintf("churn-%d", i) }
	st.topic(ctx, t, name(i), rotated(3))
	st.commit(ctx, t, name(i), name(i), 0, 0, 0)
	if i == 0 {
		return
	}
	old := name(i - 25)
	if _, err := st.adm.DeleteGroups(ctx, old); err != nil {
		t.Fatal(err)
	}
	if _, err := st.adm.DeleteTopics(ctx, old); err != nil {
		t.Fatal(err)
	}
}

// holds is what the process holds.
type holds struct {
	heap       uint64
	goroutines int
	files      int // with sockets
}

func held(t *testing.T) holds {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h := holds{heap: m.HeapAlloc, goroutines: runtime.NumGoroutine()}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		h.files = len(files)
	}
	return h
}
