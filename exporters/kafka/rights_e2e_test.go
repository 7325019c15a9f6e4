//go:build e2e

package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/kafka"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

const watcher = "watcher"

// A user behind SASL_SSL with the rights that the exporter asks for and no
// other sees what the super user sees; and each right that is taken away costs
// what it says it serves, to the family.
func leastPrivilege(ctx context.Context, t *testing.T, st *stage, _ *eye) {
	defer st.inventory(ctx, t)()
	password := config.NewSecret("a-password")
	if err := st.SetKafkaUser(ctx, watcher, password); err != nil {
		t.Fatal(err)
	}
	for _, n := range kafka.ACLs() {
		if !n.Optional {
			if err := st.AddACLs(ctx, acl(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	free := collectNow(t, st.Config().Kafka)
	bound := collectNow(t, st.SecureKafkaAs(watcher, password))
	want := settled(ctx, t, free)
	t.Logf("%d families", len(want))
	bound.until(ctx, t, "all that the super user sees", func(p page) (bool, string) {
		missing := absent(want, families(p))
		return len(missing) == 0, strings.Join(missing, " ")
	})
	want = settled(ctx, t, bound)
	unproven := map[string]bool{}
	for _, n := range kafka.ACLs() {
		if n.Optional {
			continue
		}
		for _, f := range absent(set(n.Families), want) {
			unproven[f] = true
		}
		t.Run(n.Operation+n.Resource, func(t *testing.T) { costsExactly(ctx, t, st, bound, n, want) })
	}
	t.Logf("not on the page to begin with: %v", slices.Sorted(maps.Keys(unproven)))
}

// costsExactly takes one right away, looks at what is lost, and gives it back.
func costsExactly(ctx context.Context, t *testing.T, st *stage, e *eye, n kafka.Needed, all map[string]bool) {
	t.Helper()
	name := fmt.Sprintf("%s on %s", n.Operation, n.Resource)
	before := singles(e.page(t))
	if err := st.RemoveACLs(ctx, acl(n)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.AddACLs(ctx, acl(n)); err != nil {
			t.Fatal(err)
		}
		e.until(ctx, t, "the return of "+name, func(p page) (bool, string) {
			missing := absent(all, families(p))
			return len(missing) == 0, strings.Join(missing, " ")
		})
	}()
	began := time.Now()
	e.until(ctx, t, "the loss of "+name, func(p page) (bool, string) {
		have := families(p)
		var kept, more []string
		for f := range all {
			switch promised := slices.Contains(n.Families, f); {
			case promised && have[f]:
				kept = append(kept, f)
			case !promised && !have[f]:
				more = append(more, f)
			}
		}
		slices.Sort(kept)
		slices.Sort(more)
		return len(kept)+len(more) == 0, fmt.Sprintf("still there %v, lost as well %v", kept, more)
	})
	var denied []string
	for _, s := range e.page(t)["lakeproof_collector_authorized"] {
		if s.value == 0 {
			denied = append(denied, s.labels["api"])
		}
	}
	have, gone := singles(e.page(t)), []string{}
	for name, family := range before {
		if _, there := have[name]; !there && !slices.Contains(n.Families, family) && !knownCost(n, name) {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	if len(gone) > 0 {
		t.Errorf("without %s, single series of other families are lost:\n%s", name, strings.Join(gone, "\n"))
	}
	t.Logf("without %s: lost %d families after %.1f s; not authorized: %v", name, len(all)-len(families(e.page(t))),
		time.Since(began).Seconds(), denied)
}

// singles are the series of a page by name, with their families. The protocol
// of a group comes with its description, and is no series of its own.
func singles(p page) map[string]string {
	out := map[string]string{}
	for family, all := range p {
		if !strings.HasPrefix(family, "kafka_") {
			continue
		}
		for _, s := range all {
			labels := maps.Clone(s.labels)
			if family == "kafka_consumergroup_info" {
				delete(labels, "protocol")
			}
			out[family+fmt.Sprint(labels)] = family
		}
	}
	return out
}

// knownCost is the one thing that a right costs of a family which is otherwise
// there: Kafka does not describe a KIP-848 group to those who may not describe
// the topics that it reads.
func knownCost(n kafka.Needed, name string) bool {
	return n.Resource == "Topic" && n.Operation == "Describe" && name == "kafka_consumergroup_membersmap[consumergroup:next]"
}

func acl(n kafka.Needed) local.ACL {
	return local.ACL{User: watcher, Operation: n.Operation, Resource: n.Resource, Name: n.Name}
}

// collectNow is an exporter that collects when it is told to.
func collectNow(t *testing.T, where config.Kafka) *eye {
	t.Helper()
	collectors, err := kafka.Collectors(kafka.Options{
		Cluster: "lab", Kafka: where, Interval: time.Second, ConfigInterval: time.Second,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	e := exporters.New(exporters.Options{}, collectors...)
	t.Cleanup(e.Close)
	return &eye{e}
}

// until collects until the page is right.
func (e *eye) until(ctx context.Context, t *testing.T, what string, right func(page) (bool, string)) {
	t.Helper()
	eventually(ctx, t, 30*time.Second, what, func() (bool, string) {
		e.Collect(ctx)
		return right(e.page(t))
	})
}

// settled collects until all went well and the last three pages had the same
// families, and returns those.
func settled(ctx context.Context, t *testing.T, e *eye) map[string]bool {
	t.Helper()
	var last map[string]bool
	same := 0
	e.until(ctx, t, "a page that does not change", func(p page) (bool, string) {
		now := families(p)
		if maps.Equal(now, last) {
			same++
		} else {
			same = 0
		}
		last = now
		ok, bad := p.all()
		return ok && same >= 3, bad
	})
	return last
}

func families(p page) map[string]bool {
	out := map[string]bool{}
	for f, all := range p {
		if strings.HasPrefix(f, "kafka_") && len(all) > 0 {
			out[f] = true
		}
	}
	return out
}

func set(names []string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// absent lists what want has and have has not.
func absent(want, have map[string]bool) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !have[name] {
			out = append(out, name)
		}
	}
	return out
}

// inventory makes one of each thing that is rare: an open transaction, a quota,
// a subscription to clients' metrics. The function that it returns ends them.
func (st *stage) inventory(ctx context.Context, t *testing.T) (undo func()) {
	t.Helper()
	quota := []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: new("batch")}},
		Ops:    []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: 1e9}},
	}}
	if _, err := st.adm.AlterClientQuotas(ctx, quota); err != nil {
		t.Fatal(err)
	}
	st.alter(ctx, t, kmsg.ConfigResourceTypeClientMetrics, "lab", "interval.ms", "60000")
	cl := st.open(t, kgo.TransactionalID("left-open"), kgo.DefaultProduceTopic("payments"),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(ctx, &kgo.Record{Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := cl.EndTransaction(ctx, kgo.TryAbort); err != nil {
			t.Error(err)
		}
	}
}

// alter sets one configuration of a resource.
func (st *stage) alter(ctx context.Context, t *testing.T, kind kmsg.ConfigResourceType, name, key, value string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kind, name
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = key, new(value)
	r.Configs = append(r.Configs, c)
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, st.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("altering %s of %s: %v", key, name, err)
	}
}
