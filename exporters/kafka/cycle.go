package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
)

// cycle is one collection.
type cycle struct {
	*cluster
	wire *wire
	snap *snapshot
	out  *exporters.Batch

	leaders   []*leader
	chains    []*chain // by coordinator
	consumers []*consumer
}

// collect is one collection of a cluster's offsets and groups.
//
// The order matters: what groups committed is read before the ends of the
// partitions, so that no lag is negative; each broker's groups go their way
// (list, describe, offsets) without waiting for another's.
func (c *cluster) collect(ctx context.Context, out *exporters.Batch) error {
	w, s, err := c.look(ctx)
	if err != nil {
		return err
	}
	y := &cycle{cluster: c, wire: w, snap: s, out: out, leaders: leadersOf(s)}
	var first sync.WaitGroup
	for _, l := range y.leaders {
		l.aim(timestampEarliest)
		first.Go(func() { l.list(ctx, w, s, earliest) })
	}
	for _, b := range s.brokers {
		ch := &chain{cycle: y, broker: b}
		y.chains = append(y.chains, ch)
		first.Go(func() { ch.run(ctx) })
	}
	if len(c.checkpoints) > 0 {
		first.Go(func() { y.readCheckpoints(ctx) })
	}
	first.Wait()
	y.ends(ctx)
	y.consumers = y.merge()
	y.addCheckpoints()
	y.coarsen()
	y.rest(ctx)
	return nil
}

// rest asks for what nothing else waits for, while what is known is written.
func (y *cycle) rest(ctx context.Context) {
	for _, ch := range y.chains {
		if err := errors.Join(ch.listErr, ch.commitErr); err != nil { // what the lag tracker cannot know
			y.out.Part(partOf("lagtime", ch.broker.label)).Fail(err)
		}
	}
	var wait sync.WaitGroup
	wait.Go(func() { y.lag.collect(ctx, y.wire, y.snap, y.consumers, y.out) })
	wait.Go(func() { y.logdirs.collect(ctx, y.wire, y.snap, y.out) })
	wait.Go(func() { collectReassignments(ctx, y.wire, y.snap, y.out) })
	if !y.NoQuorum {
		wait.Go(func() { collectQuorum(ctx, y.wire, y.snap, y.out) })
	}
	if !y.NoTransactions {
		wait.Go(func() { y.txns.collect(ctx, y.wire, y.snap, y.out) })
	}
	y.emit()
	wait.Wait()
	if y.compat(CompatKminion) {
		y.kminionDirs(y.out.Part("kminion"))
	}
	if y.compat(CompatKafkaLagExporter) {
		y.lagExporterSeconds()
	}
}

// ends asks for the ends of all partitions, and up to where they are stable.
func (y *cycle) ends(ctx context.Context) {
	var wait sync.WaitGroup
	for _, l := range y.leaders {
		l.aim(timestampLatest)
		wait.Go(func() { l.list(ctx, y.wire, y.snap, latest) })
		if !y.NoTransactions {
			wait.Go(func() { l.list(ctx, y.wire, y.snap, stable) })
		}
	}
	wait.Wait()
	for _, l := range y.leaders {
		l.settle(y.snap)
	}
}

// emit writes the families of what was found.
func (y *cycle) emit() {
	y.emitCluster(y.out.Part("cluster"))
	for _, l := range y.leaders {
		y.emitOffsets(l)
	}
	y.emitCheckpoints()
	y.emitSums(y.out.Part("topics"))
	for _, ch := range y.chains {
		y.emitGroups(ch)
	}
}

// configTimeout bounds the collection of what changes rarely, of which one
// answer may be large.
const configTimeout = 30 * time.Second

// collectConfig is one collection of what changes rarely: settings, quotas,
// access control, features.
func (c *cluster) collectConfig(ctx context.Context, out *exporters.Batch) error {
	w, s, err := c.look(ctx)
	if err != nil {
		return err
	}
	ctx = patient(ctx, configTimeout/2)
	var wait sync.WaitGroup
	for _, collect := range []func(context.Context, *wire, *snapshot, *exporters.Batch){
		c.configs.collectTopics, collectBrokerConfigs, collectACLs, collectScram, collectQuotas,
		collectFeatures, collectSubscriptions,
	} {
		wait.Go(func() { collect(ctx, w, s, out) })
	}
	wait.Wait()
	return nil
}

// partOf names the part of one broker.
func partOf(what string, broker string) string { return fmt.Sprintf("%s/%s", what, broker) }
