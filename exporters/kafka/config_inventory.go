package kafka

import (
	"context"
	"sync"

	"github.com/lakeproof/lakeproof/exporters"
)

// collectInventory asks for all that changes rarely: per broker its features and
// configuration, and once the configuration of topics, ACLs, SCRAM users, quotas
// and subscriptions to clients' metrics. That is 5 requests and 2 for each
// broker, one more where there are subscriptions.
func collectInventory(ctx context.Context, w *wire, s *snapshot, cache *configCache, out *exporters.Batch) {
	var wait sync.WaitGroup
	for _, ask := range []func(context.Context, *wire, *snapshot, *exporters.Batch){
		cache.collectTopics, collectBrokerConfigs, collectFeatures, collectACLs, collectScram, collectQuotas,
		collectSubscriptions,
	} {
		wait.Go(func() { ask(ctx, w, s, out) })
	}
	wait.Wait()
}
