package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// hedgeAfter is how long one broker has for the metadata before the next is
	// asked as well.
	hedgeAfter = 700 * time.Millisecond
	// maxCandidates bounds how many are asked in one collection.
	maxCandidates = 6
)

// candidate is somebody who can tell of the cluster.
type candidate struct {
	node *kgo.Broker
	name string
	id   int32 // or unknownBroker
	at   time.Time
}

const unknownBroker = -1

// candidates lists whom to ask for metadata, the most promising first: those
// that answered last, then the addresses of the configuration.
func (w *wire) candidates() []candidate {
	w.mu.Lock()
	defer w.mu.Unlock()
	seeds := w.cl.SeedBrokers()
	taken := map[int]bool{}
	var out []candidate
	for id, p := range w.peers {
		if p.stalled.IsZero() {
			out = append(out, candidate{p.node, fmt.Sprintf("broker %d", id), id, p.answered})
			taken[p.slot] = true
		}
	}
	slices.SortFunc(out, func(a, b candidate) int { return b.at.Compare(a.at) })
	for slot := range min(w.boot, len(seeds)) {
		if !taken[slot] {
			out = append(out, candidate{seeds[slot], w.addrs[slot], unknownBroker, time.Time{}})
		}
	}
	return out[:min(len(out), maxCandidates)]
}

// metadata asks for all topics. The first answer counts; a broker that hangs
// costs as long as [hedgeAfter].
func (w *wire) metadata(ctx context.Context) (*kmsg.MetadataResponse, error) {
	type outcome struct {
		meta *kmsg.MetadataResponse
		err  error
	}
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	w.begin()
	list := w.candidates()
	outcomes := make(chan outcome, len(list))
	next, waiting := 0, 0
	start := func() {
		c := list[next]
		next++
		waiting++
		go func() {
			meta, err := w.metadataOf(ctx, c)
			outcomes <- outcome{meta, err}
		}()
	}
	var first error
	for next < len(list) || waiting > 0 {
		if waiting == 0 {
			start()
		}
		timer := time.NewTimer(hedgeAfter)
		select {
		case o := <-outcomes:
			waiting--
			if o.err == nil {
				timer.Stop()
				return o.meta, nil
			}
			if first == nil {
				first = o.err
			}
		case <-timer.C:
			if next < len(list) {
				start()
			}
		}
		timer.Stop()
	}
	if first == nil {
		first = fmt.Errorf("asking for Metadata: %w", context.Cause(ctx))
	}
	return nil, first
}

func (w *wire) metadataOf(ctx context.Context, c candidate) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest() // Topics nil: all
	req.AllowAutoTopicCreation = false
	began := time.Now()
	resp, err := w.send(ctx, c.node, c.name, req)
	if c.id != unknownBroker {
		w.note(c.id, began, false, err)
	}
	if err != nil {
		return nil, err
	}
	meta, ok := resp.(*kmsg.MetadataResponse)
	if !ok {
		return nil, fmt.Errorf("asking %s for Metadata: %w", c.name, errType)
	}
	if err := kerr.ErrorForCode(meta.ErrorCode); err != nil {
		return nil, fmt.Errorf("asking %s for Metadata: %w", c.name, err)
	}
	return meta, nil
}
