package kafka

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	lakekafka "github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	apiVersions = "ApiVersions"
	// maxFeatures bounds the features of one answer. Kafka has seven.
	maxFeatures = 50
)

// collectFeatures asks each broker what it can do: its version and the levels of
// features, and up to which level the cluster has agreed on.
func collectFeatures(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	answers := make([]*kmsg.ApiVersionsResponse, len(s.brokers))
	var wait sync.WaitGroup
	for i, b := range s.brokers {
		p := out.Part(partOf("features", b.label))
		wait.Go(func() {
			q := inquiry{w, out, apiVersions}
			resp, err := question[*kmsg.ApiVersionsResponse](ctx, w, b.id, versionsRequest())
			if err == nil {
				err = q.code(resp.ErrorCode)
			}
			if !q.good(p, err) {
				return
			}
			answers[i] = resp
			emitBrokerFeatures(p, b, resp)
		})
	}
	wait.Wait()
	emitFinalized(out.Part("features"), answers)
}

// versionsRequest names who asks: Kafka wants to know.
func versionsRequest() *kmsg.ApiVersionsRequest {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "lakeproof", "1"
	return req
}

func emitBrokerFeatures(p *exporters.Part, b broker, resp *kmsg.ApiVersionsResponse) {
	p.Add(metrics.KafkaBrokerVersionInfo(), 1, b.label, lakekafka.VersionOf(resp))
	seen := map[string]bool{}
	for i := range resp.SupportedFeatures {
		f := &resp.SupportedFeatures[i]
		if !seen[f.Name] && len(seen) < maxFeatures {
			seen[f.Name] = true
			p.Add(metrics.KafkaBrokerFeatureMaxLevel(), float64(f.MaxVersion), b.label, f.Name)
		}
	}
}

// emitFinalized writes what the broker with the newest metadata knows.
func emitFinalized(p *exporters.Part, answers []*kmsg.ApiVersionsResponse) {
	var newest *kmsg.ApiVersionsResponse
	for _, resp := range answers {
		if resp != nil && (newest == nil || resp.FinalizedFeaturesEpoch > newest.FinalizedFeaturesEpoch) {
			newest = resp
		}
	}
	if newest == nil || newest.FinalizedFeaturesEpoch < 0 {
		return // too old for features
	}
	seen := map[string]bool{}
	for i := range newest.FinalizedFeatures {
		f := &newest.FinalizedFeatures[i]
		if !seen[f.Name] && len(seen) < maxFeatures {
			seen[f.Name] = true
			p.Add(metrics.KafkaFeatureLevel(), float64(f.MaxVersionLevel), f.Name)
		}
	}
}
