package kafka

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/exporters"
)

// BenchmarkLagTracker measures the tracker alone, beside what the rest of a
// collection costs: a first collection (cold), one in which nothing moved (rest),
// and ones in which every group moved on (move).
//
//	go test ./exporters/kafka -run '^$' -bench LagTracker -benchtime 10x
func BenchmarkLagTracker(b *testing.B) {
	for _, s := range scales() {
		b.Run(s.name, func(b *testing.B) {
			st := newLagStage(b, lagSettings{}, kfake.SeedTopics(int32(s.partitions), s.topicNames()...))
			s.fillTimed(b, st)
			st.page = nil
			for _, mode := range []string{"cold", "rest", "move"} {
				b.Run(mode, func(b *testing.B) { benchLag(b, st, mode) })
			}
		})
	}
}

const benchRecords = 40

// fillTimed writes records of the last ten minutes, and lets groups lag behind.
func (s scale) fillTimed(b *testing.B, st *lagStage) {
	for _, name := range s.topicNames() {
		var records []*kgo.Record
		for p := range s.partitions {
			for i := range benchRecords {
				age := time.Duration(benchRecords-i)*15*time.Second + time.Duration(i*i*p%9000)*time.Millisecond
				records = append(records, &kgo.Record{Topic: name, Partition: int32(p), Timestamp: st.now.Add(-age)})
			}
		}
		if err := st.f.client.ProduceSync(b.Context(), records...).FirstErr(); err != nil {
			b.Fatal(err)
		}
	}
	for g := range s.groups {
		for i := range s.topicsOfGroup {
			r := readers{group: fmt.Sprintf("group-%03d", g), topic: s.topicNames()[(g*s.topicsOfGroup+i)%s.topics]}
			for p := range s.partitions {
				r.offsets = append(r.offsets, int64((g*7+p*3)%(benchRecords/2)))
			}
			st.groups = append(st.groups, r)
		}
	}
}

func benchLag(b *testing.B, st *lagStage, mode string) {
	_, s := st.snap()
	consumers := st.consumers(s)
	var spent time.Duration
	requests := 0
	e := exporters.New(exportersOptions(), exporters.Collector{
		Name: "bench", Interval: time.Second, Timeout: time.Second,
		Collect: func(ctx context.Context, out *exporters.Batch) error {
			before, began := st.w.sent.Load(), time.Now()
			st.tracker.collect(context.WithoutCancel(ctx), st.w, s, consumers, out)
			spent += time.Since(began)
			requests += int(st.w.sent.Load() - before)
			return nil
		},
	})
	defer e.Close()
	e.Collect(b.Context())
	spent, requests = 0, 0
	n := 0
	for b.Loop() {
		n++
		if mode == "cold" {
			st.tracker = newLagTracker(st.tracker.lagSettings)
		}
		if mode == "move" {
			for _, c := range consumers {
				for i := range c.topics {
					for j := range c.topics[i].commits {
						at := &c.topics[i].commits[j]
						at.offset = (at.offset + 1) % benchRecords
					}
				}
			}
		}
		e.Collect(b.Context())
	}
	b.ReportMetric(spent.Seconds()*1000/float64(n), "ms/collect")
	b.ReportMetric(float64(requests)/float64(n), "requests/collect")
}
