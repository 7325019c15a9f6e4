package kafka

import (
	"context"
	"math"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// brokerConfigNames are the settings of brokers that are shown: those that say
// how much a broker can do and what is safe.
func brokerConfigNames() []string {
	return []string{
		"auto.create.topics.enable", "default.replication.factor", "log.retention.bytes", "log.retention.ms",
		"message.max.bytes", "min.insync.replicas", "num.io.threads", "num.network.threads", "num.partitions",
		"num.replica.fetchers", "offsets.retention.minutes", "replica.lag.time.max.ms",
		"transaction.max.timeout.ms", "unclean.leader.election.enable",
	}
}

// collectBrokerConfigs asks each broker for its own configuration.
func collectBrokerConfigs(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	var wait sync.WaitGroup
	for _, b := range s.brokers {
		p := out.Part(partOf("configs", b.label))
		wait.Go(func() {
			q := inquiry{w, out, apiBrokerConfigs}
			req := kmsg.NewPtrDescribeConfigsRequest()
			rr := kmsg.NewDescribeConfigsRequestResource()
			rr.ResourceType, rr.ResourceName, rr.ConfigNames = kmsg.ConfigResourceTypeBroker, b.label, brokerConfigNames()
			req.Resources = append(req.Resources, rr)
			resp, err := question[*kmsg.DescribeConfigsResponse](ctx, w, b.id, req)
			if !q.good(p, err) {
				return
			}
			for i := range resp.Resources {
				rr := &resp.Resources[i]
				if rr.ResourceName == b.label && q.good(p, q.code(rr.ErrorCode)) {
					emitBrokerConfig(p, b, rr)
					return
				}
			}
		})
	}
	wait.Wait()
}

func emitBrokerConfig(p *exporters.Part, b broker, rr *kmsg.DescribeConfigsResponseResource) {
	wanted := map[string]bool{}
	for _, name := range brokerConfigNames() {
		wanted[name] = true
	}
	for i := range rr.Configs {
		rc := &rr.Configs[i]
		if rc.Value == nil || !wanted[rc.Name] {
			continue
		}
		if v, ok := numberOf(*rc.Value); ok {
			wanted[rc.Name] = false // each once
			p.Add(metrics.KafkaBrokerConfig(), v, b.label, rc.Name)
		}
	}
}

// numberOf reads a number or a truth value.
func numberOf(text string) (float64, bool) {
	switch text {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}
