package probe

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/metrics"
)

// stall makes a broker answer nothing for as long as asleep says so.
func stall(cluster *kfake.Cluster, node int32, asleep *atomic.Bool, woken <-chan struct{}) {
	cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if asleep.Load() && cluster.CurrentNode() == node {
			cluster.SleepControl(func() { <-woken })
		}
		return nil, nil, false
	})
}

// TestStalledBroker: a broker that answers nothing costs its own records and
// commits; those of the others go on.
func TestStalledBroker(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, kfake.NumBrokers(3), kfake.SeedTopics(3, DefaultTopic))
	spread(t, cluster, 0, 1, 2)
	var asleep atomic.Bool
	woken := make(chan struct{})
	stall(cluster, 1, &asleep, woken)
	o := quick(cluster)
	o.answer = time.Second
	c := start(t, o)
	more(t, c, 5, 0, 1, 2)
	asleep.Store(true)
	before := until(t, c, "failures of the broker that stalls", func(v values) bool {
		return v.records(1, metrics.ProbeFailed) > 0 && v.commits(1, "failure") > 0
	})
	began := time.Now()
	v := more(t, c, 50, 0, 2) // a second's worth
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the others took %v for 50 records and 50 commits", took)
	}
	if v.records(1, metrics.ProbeReceived) != before.records(1, metrics.ProbeReceived) {
		t.Error("the broker does not stall")
	}
	if n := v.records(0, metrics.ProbeFailed) + v.records(2, metrics.ProbeFailed) + v.commits(0, "failure") + v.commits(2, "failure"); n > 0 {
		t.Errorf("%v failures of brokers that do not stall", n)
	}
	asleep.Store(false)
	close(woken)
	clean(t, more(t, c, 5, 0, 1, 2))
}

// TestStartsBesideStalledBroker: a probe that starts while a broker answers
// nothing covers the others, and that one when it is back.
func TestStartsBesideStalledBroker(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, kfake.NumBrokers(3), kfake.SeedTopics(3, DefaultTopic))
	spread(t, cluster, 0, 1, 2)
	var asleep atomic.Bool
	asleep.Store(true)
	woken := make(chan struct{})
	stall(cluster, 1, &asleep, woken)
	o := quick(cluster)
	o.answer = time.Second
	c := start(t, o)
	began := time.Now()
	more(t, c, 20, 0, 2)
	t.Logf("the others are covered after %v", time.Since(began))
	v := until(t, c, "failures of the broker that stalls", func(v values) bool { return v.records(1, metrics.ProbeFailed) > 0 })
	if v.partitions(1) != 1 {
		t.Errorf("%v partitions of the broker that stalls", v.partitions(1))
	}
	t.Logf("its failures are counted after %v", time.Since(began))
	asleep.Store(false)
	close(woken)
	clean(t, more(t, c, 5, 0, 1, 2))
	t.Logf("it is covered after %v", time.Since(began))
}

// TestBrokerRestarts: the partitions of a broker that goes move to others and
// back; nothing is lost, doubled or out of order.
func TestBrokerRestarts(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, kfake.NumBrokers(2), kfake.SeedTopics(2, DefaultTopic))
	spread(t, cluster, 0, 1)
	o := quick(cluster)
	o.Patience = 8 * time.Second // the client may take a while to see who leads now
	c := start(t, o)
	more(t, c, 10, 0, 1)
	if err := cluster.RemoveNode(1); err != nil {
		t.Fatal(err)
	}
	until(t, c, "a broker that is not covered", func(v values) bool { return v.partitions(1) == 0 && v.partitions(0) == 2 })
	more(t, c, 10, 0)
	if _, _, err := cluster.AddNode(1, 0); err != nil {
		t.Fatal(err)
	}
	spread(t, cluster, 0, 1)
	more(t, c, 10, 0, 1)
	clean(t, until(t, c, "all that was produced", func(v values) bool {
		return v.all(metrics.ProbeReceived) >= v.all(metrics.ProbeProduced)
	}))
}

// TestTopicDeleted: the topic is made again, and the probe goes on.
func TestTopicDeleted(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, kfake.NumBrokers(1))
	c := start(t, quick(cluster))
	more(t, c, 10, 0)
	if err := cluster.DeleteTopic(DefaultTopic); err != nil {
		t.Fatal(err)
	}
	until(t, c, "the topic, made again", func(values) bool { return cluster.TopicInfo(DefaultTopic) != nil })
	if v := more(t, c, 10, 0); v.all(metrics.ProbeDuplicate)+v.all(metrics.ProbeReordered) > 0 {
		t.Errorf("%v doubled, %v out of order", v.all(metrics.ProbeDuplicate), v.all(metrics.ProbeReordered))
	}
}

// TestTopicReplaced: somebody deletes the topic and makes it again at once.
func TestTopicReplaced(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, DefaultTopic))
	o := quick(cluster)
	o.lookEvery = time.Hour // it sees that in its records
	c := start(t, o)
	more(t, c, 10, 0)
	if err := cluster.DeleteTopic(DefaultTopic); err != nil {
		t.Fatal(err)
	}
	if err := cluster.CreateTopic(DefaultTopic, 1, nil); err != nil {
		t.Fatal(err)
	}
	more(t, c, 10, 0)
}

// TestCoordinatorsMove: the groups' coordinators change, and at the end all
// groups are deleted, those of before, too.
func TestCoordinatorsMove(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, kfake.NumBrokers(3))
	c := start(t, quick(cluster))
	for range 4 {
		var begin values
		until(t, c, "commits through all", func(v values) bool {
			if begin == nil {
				begin = v
			}
			for b := range 3 {
				if v.commits(b, "success") < begin.commits(b, "success")+5 {
					return false
				}
			}
			return true
		})
		cluster.RehashCoordinators()
	}
	c.Close()
	leftBehind(t, cluster)
}

// TestEndsWhileLost: the probe ends quickly when the cluster is not there, and
// deletes its groups when it is in between two sessions.
func TestEndsWhileLost(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t, kfake.NumBrokers(1))
	c := start(t, quick(cluster))
	more(t, c, 5, 0)
	cluster.Close()
	until(t, c, "failures", func(v values) bool { return v.records(0, metrics.ProbeFailed)+v.commits(0, "failure") > 0 })
	began := time.Now()
	c.Close()
	if took := time.Since(began); took > endTimeout+2*time.Second {
		t.Errorf("it took %v to end", took)
	}
}

// TestNobodyThere: the part of the cluster fails until there is one.
func TestNobodyThere(t *testing.T) {
	c := start(t, Options{Cluster: "lab", Kafka: config.Kafka{Brokers: []string{"127.0.0.1:1"}}})
	rights(t, c, "", false)
}

// rights collects until the right to an API is said to be there or missing, or
// (where api is "") until the part of the cluster has failed or not.
func rights(t *testing.T, c exporters.Collector, api string, yes bool) {
	t.Helper()
	c.Close = nil
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		e := exporters.New(exporters.Options{}, c)
		e.Collect(t.Context())
		families, err := e.Gather()
		e.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if about(f.GetName(), m, api) && m.GetGauge().GetValue() == map[bool]float64{true: 1}[yes] {
					return
				}
			}
		}
	}
	t.Fatalf("nobody says that the right to %q is there: %t", api, yes)
}

// about reports whether a series is about the right to an API, or about a part.
func about(family string, m *dto.Metric, api string) bool {
	if api == "" {
		return family == metrics.CollectorPartSuccess().Name
	}
	return slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == "api" && l.GetValue() == api })
}

// TestRights: each right that is missing is said, costs its own series only, and
// is used when it is given.
func TestRights(t *testing.T) {
	t.Parallel()
	topic := func(op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{
			Resource: kmsg.ACLResourceTypeTopic, Name: DefaultTopic, Pattern: kmsg.ACLResourcePatternTypeLiteral,
			Operation: op, Allow: true,
		}
	}
	write, read, create := topic(kmsg.ACLOperationWrite), topic(kmsg.ACLOperationRead), topic(kmsg.ACLOperationCreate)
	describe := topic(kmsg.ACLOperationDescribe)
	group := func(op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{
			Resource: kmsg.ACLResourceTypeGroup, Name: DefaultTopic, Pattern: kmsg.ACLResourcePatternTypePrefixed,
			Operation: op, Allow: true,
		}
	}
	commit, deletes := group(kmsg.ACLOperationRead), group(kmsg.ACLOperationDelete)
	for _, test := range []struct {
		name    string
		without kfake.ACL
		with    []kfake.ACL
		topic   bool // is there
		api     string
		goesOn  string // result that is counted all the same
	}{
		{"create", create, []kfake.ACL{describe, write, read, commit, deletes}, false, apiCreate, ""},
		{"describe", describe, []kfake.ACL{commit, deletes}, true, apiMetadata, ""},
		{"produce", write, []kfake.ACL{read, commit, deletes}, true, apiProduce, ""},
		{"fetch", read, []kfake.ACL{write, commit, deletes}, true, apiFetch, metrics.ProbeProduced},
		{"commit", commit, []kfake.ACL{write, read, deletes}, true, apiCommit, metrics.ProbeReceived},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts := []kfake.Opt{
				kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
				kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", "probe", "secret", test.with...),
			}
			if test.topic {
				opts = append(opts, kfake.SeedTopics(1, DefaultTopic))
			}
			cluster := newCluster(t, opts...)
			o := quick(cluster)
			o.Kafka.SASL = config.SASL{Mechanism: "PLAIN", Username: "probe", Password: config.NewSecret("secret")}
			c := start(t, o)
			rights(t, c, test.api, false)
			if test.goesOn != "" {
				until(t, c, test.goesOn, func(v values) bool { // for longer than its patience
					return v.records(0, test.goesOn) > 1.5*float64(o.Patience/o.Every)
				})
			}
			v := until(t, c, "a page", func(values) bool { return true })
			if n := v.all(metrics.ProbeLost) + v.all(metrics.ProbeFailed) + v.commits(0, "failure"); n > 0 {
				t.Errorf("a missing right counts %v records as lost or failed", n)
			}
			grant(t, cluster, test.without)
			rights(t, c, test.api, true)
			more(t, c, 5, 0)
		})
	}
}

// grant gives the probe's user a right, and what it brings with it.
func grant(t *testing.T, cluster *kfake.Cluster, right kfake.ACL) {
	t.Helper()
	adm := kadm.NewClient(newClient(t, cluster, kgo.SASL(plain.Auth{User: "admin", Pass: "admin"}.AsMechanism())))
	b := kadm.NewACLs().Allow("User:probe").AllowHosts("*").ResourcePatternType(right.Pattern)
	if right.Resource == kmsg.ACLResourceTypeGroup {
		b = b.Groups(right.Name)
	} else {
		b = b.Topics(right.Name)
	}
	ops := []kmsg.ACLOperation{right.Operation}
	if right.Operation == kmsg.ACLOperationDescribe {
		ops = append(ops, kmsg.ACLOperationWrite, kmsg.ACLOperationRead)
	}
	made, err := adm.CreateACLs(t.Context(), b.Operations(ops...))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range made {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// TestExistingTopic: without the right to create, a topic that is there is used,
// and nothing is said of that right.
func TestExistingTopic(t *testing.T) {
	cluster := newCluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, DefaultTopic))
	c := start(t, quick(cluster))
	more(t, c, 5, 0)
	c.Close()
	if cluster.TopicInfo(DefaultTopic) == nil {
		t.Error("a topic that the probe did not make is deleted")
	}
}
