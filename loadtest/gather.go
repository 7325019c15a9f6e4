package loadtest

import (
	"fmt"
	"time"

	"github.com/lakeproof/lakeproof/loadtest/hop"
)

// gather takes over what the hops found, when they have stopped.
func (r *run) gather() {
	found := r.consumer.Result()
	corrupt, foreign := r.byTopic(found.Corrupt), r.byTopic(found.Foreign)
	for i, s := range r.streams {
		f := &r.file.Streams[i]
		s.mu.Lock()
		f.Consumed, f.ConsumedAgain, f.ConsumedFaults = s.ontopic.Len(), s.again, s.consumedFaults()
		s.mu.Unlock()
		f.ConsumedCorrupt, f.ConsumedForeign = corrupt[s.Topic], foreign[s.Topic]
	}
	for _, o := range []struct {
		what string
		odd  hop.Oddities
	}{
		{"records that others produced", found.Foreign},
		{"records whose value differs from its checksum", found.Corrupt},
		{"records out of order", found.Disordered},
		{"offsets skipped", found.Gaps},
	} {
		if o.odd.Count > 0 {
			e := o.odd.Examples[0]
			r.file.ConsumerNotes = append(r.file.ConsumerNotes, fmt.Sprintf("%s: %d, the first at %s partition %d offset %d",
				o.what, o.odd.Count, e.Topic, e.Partition, e.Offset))
		}
	}
	r.addOutages("consume", r.consumer.Outages())
	if r.store != nil {
		r.addOutages("store", r.store.Outages())
	}
	for i, s := range r.sparks {
		r.addOutages("spark "+r.plan.Lab.Spark[i].App, s.Outages())
	}
	for _, s := range r.streams {
		if s.table != nil {
			r.addOutages("table "+s.Table, s.table.Outages())
		}
	}
}

// byTopic counts oddities by their topic. Beyond the examples that were kept,
// the rest counts for the topic of the last one.
func (r *run) byTopic(o hop.Oddities) map[string]uint64 {
	out := map[string]uint64{}
	for _, e := range o.Examples {
		out[e.Topic]++
	}
	if n := uint64(len(o.Examples)); n > 0 {
		out[o.Examples[n-1].Topic] += o.Count - n
	}
	return out
}

func (r *run) addOutages(hop string, outages []hop.Outage) {
	for _, o := range outages {
		g := sighting{Kind: "outage", Hop: hop, Seen: r.since(o.From), Error: o.Error}
		if !o.To.IsZero() {
			g.Until = r.since(o.To)
		}
		r.seen.add(g)
	}
}

// inTime notes how many records were acknowledged when the schedule was over:
// at most a second later, because the last ones were only just sent.
func (r *run) inTime(flushed <-chan struct{}) {
	select {
	case <-flushed:
	case <-time.After(time.Second):
	}
	for i, s := range r.streams {
		r.file.Streams[i].AckedInTime = s.acked.Load()
	}
}
