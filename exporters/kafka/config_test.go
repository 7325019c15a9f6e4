package kafka

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
)

// configure sets a topic's configuration.
func (f *fake) configure(topic string, pairs ...string) {
	f.t.Helper()
	var list []kadm.AlterConfig
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, kadm.AlterConfig{Name: pairs[i], Value: &pairs[i+1]})
	}
	resp, err := f.adm.AlterTopicConfigs(f.t.Context(), list, topic)
	if err == nil {
		err = resp[0].Err
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestTopicConfigs(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(1, "orders", "state", "ever", "plain"))
	f.configure("orders", "retention.ms", "3600000", "retention.bytes", "5000", "min.insync.replicas", "2",
		"max.message.bytes", "4096", "segment.bytes", "1048576")
	f.configure("state", "cleanup.policy", "compact")
	f.configure("ever", "retention.ms", "-1")
	cache := &configCache{}
	var seen *snapshot
	p := newPage(t, only(f, func(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
		seen = s
		cache.collectTopics(ctx, w, s, out)
	}), exportersOptions())
	n := f.count()
	got := p.collect(t.Context())
	shows(t, got, map[string]float64{
		"kafka_topic_retention_seconds{topic=orders}":                 3600,
		"kafka_topic_retention_bytes{topic=orders}":                   5000,
		"kafka_topic_min_insync_replicas{topic=orders}":               2,
		"kafka_topic_max_message_bytes{topic=orders}":                 4096,
		"kafka_topic_segment_bytes{topic=orders}":                     1048576,
		"kafka_topic_cleanup_policy_info{policy=compact,topic=state}": 1,
		"kafka_topic_cleanup_policy_info{policy=delete,topic=orders}": 1,
		"kafka_topic_retention_seconds{topic=plain}":                  604800,
	})
	showsNone(t, got, "kafka_topic_retention_seconds{topic=ever", "kafka_topic_retention_bytes{topic=plain")
	if n.byKey[int16(kmsg.DescribeConfigs)] != 1 {
		t.Errorf("requests: %v", n.byKey)
	}
	for topic, want := range map[string]time.Duration{"orders": time.Hour, "plain": 7 * 24 * time.Hour} {
		if d, ok := cache.retention(topic); !ok || d != want {
			t.Errorf("the retention of %s is %v (%v)", topic, d, ok)
		}
	}
	for _, topic := range []string{"state", "ever", "nobody"} { // nothing is deleted by oldestAge, or not known
		if d, ok := cache.retention(topic); ok {
			t.Errorf("the retention of %s is %v", topic, d)
		}
	}
	if !cache.compacted("state") || cache.compacted("orders") || cache.compacted("nobody") {
		t.Error("it is not known which topics are compacted")
	}
	if v, ok := cache.minISR("orders"); !ok || v != 2 || seen.memory.getMinISR()["orders"] != 2 {
		t.Errorf("min ISR is %v (%v), remembered %v", v, ok, seen.memory.getMinISR())
	}
	if _, ok := cache.minISR("nobody"); ok {
		t.Error("the min ISR of a topic that is not there is known")
	}
}

// One topic is denied, one was deleted meanwhile, one answers with an error: the
// others are there.
func TestTopicConfigsOfBadTopics(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(1, "orders", "denied", "gone", "odd"))
	for name, err := range map[string]*kerr.Error{
		"denied": kerr.TopicAuthorizationFailed, "gone": kerr.UnknownTopicOrPartition, "odd": kerr.UnknownServerError,
	} {
		f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Resource: name, Count: -1, Err: err})
	}
	got := newPage(t, only(f, (&configCache{}).collectTopics), exportersOptions()).collect(t.Context())
	shows(t, got, map[string]float64{"kafka_topic_retention_seconds{topic=orders}": 604800})
	showsNone(t, got, "kafka_topic_retention_seconds{topic=denied", "kafka_topic_retention_seconds{topic=gone",
		"kafka_topic_retention_seconds{topic=odd")
	if authorized(got, apiTopicConfigs) != 0 || partOK(got, "configs") != 1 {
		t.Errorf("authorized %v, part %v", authorized(got, apiTopicConfigs), partOK(got, "configs"))
	}
}

func TestInventory(t *testing.T) {
	f := newFakeAs(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(1, "orders"),
		kfake.Superuser("PLAIN", "root", "root"), kfake.Superuser("SCRAM-SHA-256", "scram", "x"),
		kfake.User("PLAIN", lowUser, lowPass, kfake.ACL{
			Resource: kmsg.ACLResourceTypeTopic, Name: "*", Pattern: kmsg.ACLResourcePatternTypeLiteral,
			Operation: kmsg.ACLOperationDescribe, Allow: true,
		}))
	f.quota("user", "alice", "producer_byte_rate", 1024)
	f.quota("user", "", "producer_byte_rate", 4096)
	f.subscribe("latency", "interval.ms", "30000")
	f.ControlKey(int16(kmsg.DescribeUserSCRAMCredentials), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		r := req.(*kmsg.DescribeUserSCRAMCredentialsRequest)
		if r.Users == nil {
			t.Error("no list of users: Kafka answers that only to those who have the right")
		}
		r.Users = nil // the fake takes no other as all
		return nil, nil, false
	})
	cache := &configCache{}
	p := newPage(t, only(f, func(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
		collectInventory(ctx, w, s, cache, out)
	}, asRoot), exportersOptions())
	got := p.collect(t.Context())
	shows(t, got, map[string]float64{
		"kafka_acls{resource_type=topic}": 1, "kafka_acls{resource_type=group}": 0,
		"kafka_scram_credentials{mechanism=SCRAM-SHA-256}": 1, "kafka_scram_credentials{mechanism=SCRAM-SHA-512}": 0,
		"kafka_client_quotas{entity=user}": 2, "kafka_client_quotas{entity=ip}": 0,
		"kafka_client_quota{client_id=,ip=,quota=producer_byte_rate,user=alice}":     1024,
		"kafka_client_quota{client_id=,ip=,quota=producer_byte_rate,user=<default>}": 4096,
		"kafka_client_metrics_subscriptions{}":                                       1,
		"kafka_client_metrics_subscription_interval_seconds{subscription=latency}":   30,
		"kafka_broker_config{broker=2,name=default.replication.factor}":              3,
	})
	versions := 0
	for k := range got {
		if strings.HasPrefix(k, "kafka_broker_version_info{broker=") {
			versions++
		}
	}
	if versions != 3 {
		t.Errorf("%d brokers have a version", versions)
	}
	if v := got["kafka_feature_level{feature=metadata.version}"]; v < 1 {
		t.Errorf("the level of metadata.version is %v", v)
	}
	if v := got["kafka_broker_feature_max_level{broker=1,feature=metadata.version}"]; v < 1 {
		t.Errorf("the highest level of metadata.version is %v", v)
	}
	n := f.count()
	p.collect(t.Context())
	asked := n.byKey[32] + n.byKey[29] + n.byKey[48] + n.byKey[50] + n.byKey[74]
	if asked != 5+3+1 { // and ApiVersions to each of 3, which are not counted here
		t.Errorf("%d requests: %v", asked, n.byKey)
	}
}

func asRoot(o *Options) {
	asWatcher(o)
	o.Kafka.SASL.Username = "root"
	o.Kafka.SASL.Password = rootPassword()
}

// A cluster without an authorizer has no ACLs to count, which is no failure.
func TestInventoryWithoutAuthorizer(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(1, "orders"))
	f.ControlKey(int16(kmsg.DescribeACLs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := kmsg.NewPtrDescribeACLsResponse()
		resp.Version, resp.ErrorCode = req.GetVersion(), kerr.SecurityDisabled.Code
		return resp, nil, true
	})
	got := newPage(t, only(f, collectACLs), exportersOptions()).collect(t.Context())
	showsNone(t, got, "kafka_acls")
	if partOK(got, "acls") != 1 {
		t.Error("the part fails")
	}
}

// A broker that answers with nonsense costs its own series.
func TestBrokerConfigsOfOneBadBroker(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(1, "orders"))
	f.ControlKey(int16(kmsg.DescribeConfigs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if f.CurrentNode() != 1 {
			return nil, nil, false
		}
		resp := kmsg.NewPtrDescribeConfigsResponse()
		resp.Version = req.GetVersion()
		r := kmsg.NewDescribeConfigsResponseResource()
		r.ResourceName, r.ErrorCode = "1", kerr.UnknownServerError.Code
		resp.Resources = append(resp.Resources, r)
		return resp, nil, true
	})
	got := newPage(t, only(f, collectBrokerConfigs), exportersOptions()).collect(t.Context())
	shows(t, got, map[string]float64{"kafka_broker_config{broker=2,name=default.replication.factor}": 3})
	showsNone(t, got, "kafka_broker_config{broker=1")
	if partOK(got, "configs/1") != 0 || partOK(got, "configs/2") != 1 {
		t.Errorf("the parts are %v and %v", partOK(got, "configs/1"), partOK(got, "configs/2"))
	}
}

// More quotas than there is room for are counted, not shown.
func TestQuotasAreBounded(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(1, "orders"))
	f.ControlKey(int16(kmsg.DescribeClientQuotas), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := kmsg.NewPtrDescribeClientQuotasResponse()
		resp.Version = req.GetVersion()
		for i := range maxQuotas + 100 {
			e := kmsg.NewDescribeClientQuotasResponseEntry()
			entity := kmsg.NewDescribeClientQuotasResponseEntryEntity()
			entity.Type, entity.Name = "user", new("u"+strconv.Itoa(i/2)) // each twice
			v := kmsg.NewDescribeClientQuotasResponseEntryValue()
			v.Key, v.Value = "k"+strconv.Itoa(i%2), math.Inf(i%2)
			e.Entity, e.Values = append(e.Entity, entity), append(e.Values, v, v)
			resp.Entries = append(resp.Entries, e)
		}
		return resp, nil, true
	})
	got := newPage(t, only(f, collectQuotas), exportersOptions()).collect(t.Context())
	shows(t, got, map[string]float64{"kafka_client_quotas{entity=user}": maxQuotas + 100})
	showsNone(t, got, "kafka_client_quota{") // none is finite
	for k, v := range got {
		if strings.HasPrefix(k, "lakeproof_collector_coarsened{") && strings.Contains(k, "subject=quotas") && v == 100 {
			return
		}
	}
	t.Error("it is not said that quotas are left out")
}

// FuzzTopicConfig reads what a broker may say of a topic, and writes nothing
// that cannot be a limit.
func FuzzTopicConfig(f *testing.F) {
	for _, v := range []string{"", "-1", "0", "9223372036854775807", "delete", "compact,delete", " compact , x", "1e9", "NaN", "\xff"} {
		for i := range topicConfigNames() {
			f.Add(i, v)
		}
	}
	f.Fuzz(func(t *testing.T, which int, value string) {
		names := topicConfigNames()
		name := names[((which%len(names))+len(names))%len(names)]
		rc := kmsg.NewDescribeConfigsResponseResourceConfig()
		rc.Name, rc.Value = name, &value
		rr := kmsg.NewDescribeConfigsResponseResource()
		rr.ResourceName, rr.Configs = "orders", append(rr.Configs, rc)
		var got topicConfig
		exportedSeries(t, func(_ context.Context, _ *wire, _ *snapshot, out *exporters.Batch) {
			got = readTopicConfig(out.Part("x"), &rr)
		})
		if got.knows.retention && got.retention > 0 && got.retention%time.Millisecond != 0 {
			t.Errorf("%q is a retention of %v", value, got.retention)
		}
		if _, err := strconv.ParseInt(value, 10, 64); err != nil && (got.knows.retention || got.knows.minISR) {
			t.Errorf("%q is taken as a number", value)
		}
		switch policyOf(value) {
		case "delete", "compact", "compact,delete", "none":
		default:
			t.Errorf("%q is the policy %q", value, policyOf(value))
		}
		if v, ok := numberOf(value); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			t.Errorf("%q is the number %v", value, v)
		}
	})
}

// exportedSeries runs an asker that asks nobody.
func exportedSeries(t *testing.T, ask asker) map[string]float64 {
	t.Helper()
	c := exporters.Collector{Name: "part", Collect: func(ctx context.Context, out *exporters.Batch) error {
		ask(ctx, nil, nil, out)
		return nil
	}}
	return newPage(t, c, exportersOptions()).collect(t.Context())
}

func rootPassword() config.Secret { return config.NewSecret("root") }

// quota sets one quota; an empty name is the default entity.
func (f *fake) quota(kind, name, key string, value float64) {
	f.t.Helper()
	req := kmsg.NewPtrAlterClientQuotasRequest()
	e := kmsg.NewAlterClientQuotasRequestEntry()
	entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
	entity.Type = kind
	if name != "" {
		entity.Name = &name
	}
	op := kmsg.NewAlterClientQuotasRequestEntryOp()
	op.Key, op.Value = key, value
	e.Entity, e.Ops = append(e.Entity, entity), append(e.Ops, op)
	req.Entries = append(req.Entries, e)
	resp, err := req.RequestWith(f.t.Context(), f.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Entries[0].ErrorCode)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// subscribe makes a subscription to clients' metrics.
func (f *fake) subscribe(name, key, value string) {
	f.t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeClientMetrics, name
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = key, &value
	r.Configs = append(r.Configs, c)
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(f.t.Context(), f.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}
