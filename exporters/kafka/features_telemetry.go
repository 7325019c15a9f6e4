package kafka

import (
	"context"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	apiConfigResources = "ListConfigResources"
	// maxSubscriptions bounds the subscriptions that are shown by name. All are
	// counted.
	maxSubscriptions = 100
)

// collectSubscriptions shows which metrics the brokers ask of clients
// (KIP-714): one request, and another one where there are any.
func collectSubscriptions(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	p := out.Part("client-metrics")
	q := inquiry{w, out, apiConfigResources}
	resp, err := anyAnswer[*kmsg.ListConfigResourcesResponse](ctx, w, s, func() kmsg.Request {
		req := kmsg.NewPtrListConfigResourcesRequest()
		req.ResourceTypes = []int8{int8(kmsg.ConfigResourceTypeClientMetrics)}
		return req
	})
	if err == nil {
		err = q.code(resp.ErrorCode)
	}
	if !q.good(p, err) {
		return
	}
	var names []string
	for i := range resp.ConfigResources {
		if r := &resp.ConfigResources[i]; resp.Version == 0 || r.Type == int8(kmsg.ConfigResourceTypeClientMetrics) {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	p.Add(metrics.KafkaClientMetricsSubscriptions(), float64(len(names)))
	if len(names) > 0 {
		q.intervals(ctx, s, p, names[:min(len(names), maxSubscriptions)])
	}
}

func (q inquiry) intervals(ctx context.Context, s *snapshot, p *exporters.Part, names []string) {
	resp, err := anyAnswer[*kmsg.DescribeConfigsResponse](ctx, q.w, s, func() kmsg.Request {
		req := kmsg.NewPtrDescribeConfigsRequest()
		for _, name := range names {
			rr := kmsg.NewDescribeConfigsRequestResource()
			rr.ResourceType, rr.ResourceName = kmsg.ConfigResourceTypeClientMetrics, name
			rr.ConfigNames = []string{"interval.ms"}
			req.Resources = append(req.Resources, rr)
		}
		return req
	})
	if !q.good(p, err) {
		return
	}
	for i := range resp.Resources {
		rr := &resp.Resources[i]
		at, asked := slices.BinarySearch(names, rr.ResourceName)
		if !asked || !q.item(rr.ResourceName, rr.ErrorCode) {
			continue
		}
		for j := range rr.Configs {
			rc := &rr.Configs[j]
			if rc.Name != "interval.ms" || rc.Value == nil {
				continue
			}
			if ms, err := strconv.ParseInt(*rc.Value, 10, 64); err == nil {
				p.Add(metrics.KafkaClientMetricsInterval(), float64(ms)/1000, rr.ResourceName)
			}
		}
		names = slices.Delete(names, at, at+1) // each once
		if len(names) == 0 {
			return
		}
	}
}
