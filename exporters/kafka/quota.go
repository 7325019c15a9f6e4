package kafka

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

const (
	apiQuotas = "DescribeClientQuotas"
	// maxQuotas bounds the quotas that are shown with their values. All are
	// counted.
	maxQuotas = 500
	// everyOther is Kafka's own name for the entity that stands for all others.
	everyOther = "<default>"
)

// quota is one value that is set for one entity.
type quota struct {
	user, client, ip, key string
	value                 float64
}

// collectQuotas shows what clients are limited to.
func collectQuotas(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
	p := out.Part("quotas")
	q := inquiry{w, out, apiQuotas}
	resp, err := anyAnswer[*kmsg.DescribeClientQuotasResponse](ctx, w, s, func() kmsg.Request {
		return kmsg.NewPtrDescribeClientQuotasRequest() // no components: all
	})
	if err == nil {
		err = q.code(resp.ErrorCode)
	}
	if !q.good(p, err) {
		return
	}
	counts := map[string]int{"user": 0, "client-id": 0, "ip": 0, "user,client-id": 0}
	var list []quota
	for i := range resp.Entries {
		e := &resp.Entries[i]
		kind, of := entity(e.Entity)
		if _, known := counts[kind]; !known {
			continue
		}
		counts[kind]++
		for _, v := range e.Values {
			one := of
			one.key, one.value = v.Key, v.Value
			list = append(list, one)
		}
	}
	for kind, n := range counts {
		p.Add(metrics.KafkaClientQuotas(), float64(n), kind)
	}
	emitQuotas(p, out, list)
}

// emitQuotas writes the values, each entity and key once.
func emitQuotas(p *exporters.Part, out *exporters.Batch, list []quota) {
	slices.SortStableFunc(list, func(a, b quota) int {
		return cmp.Or(strings.Compare(a.user, b.user), strings.Compare(a.client, b.client),
			strings.Compare(a.ip, b.ip), strings.Compare(a.key, b.key))
	})
	list = slices.CompactFunc(list, func(a, b quota) bool {
		return a.user == b.user && a.client == b.client && a.ip == b.ip && a.key == b.key
	})
	if len(list) > maxQuotas {
		out.Coarsened("quotas", len(list)-maxQuotas)
		list = list[:maxQuotas]
	}
	for _, one := range list {
		p.Add(metrics.KafkaClientQuota(), one.value, one.user, one.client, one.ip, one.key)
	}
}

// entity reads whom a quota is for.
func entity(parts []kmsg.DescribeClientQuotasResponseEntryEntity) (kind string, of quota) {
	for i := range parts {
		name := everyOther
		if parts[i].Name != nil {
			name = *parts[i].Name
		}
		switch parts[i].Type {
		case "user":
			of.user = name
		case "client-id":
			of.client = name
		case "ip":
			of.ip = name
		}
	}
	switch {
	case of.user != "" && of.client != "":
		return "user,client-id", of
	case of.user != "":
		return "user", of
	case of.client != "":
		return "client-id", of
	case of.ip != "":
		return "ip", of
	default:
		return "", of
	}
}
