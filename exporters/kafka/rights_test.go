package kafka

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/metrics"
)

type asker func(context.Context, *wire, *snapshot, *exporters.Batch)

// only is an exporter that asks one thing, after the metadata and all offsets.
func only(f *fake, ask asker, change ...func(*Options)) exporters.Collector {
	f.t.Helper()
	opts := f.options()
	for _, c := range change {
		c(&opts)
	}
	set, err := check(opts, slog.New(slog.DiscardHandler))
	if err != nil {
		f.t.Fatal(err)
	}
	c := &cluster{settings: set, memory: &memory{}, open: 1}
	return exporters.Collector{
		Name: "part", Target: "fake", Close: c.close,
		Collect: func(ctx context.Context, out *exporters.Batch) error {
			w, s, err := c.look(ctx)
			if err != nil {
				return err
			}
			for _, l := range leadersOf(s) {
				l.aim(timestampLatest)
				l.list(ctx, w, s, latest)
				l.list(ctx, w, s, stable)
				l.settle(s)
			}
			ask(ctx, w, s, out)
			return nil
		},
	}
}

func allDetails(o *Options) { o.Details = DetailsAll }

// own are the series of a page without the exporter's.
func own(series map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for k, v := range series {
		if strings.HasPrefix(k, "kafka_") {
			out[k] = v
		}
	}
	return out
}

// shows checks that those series are there with those values.
func shows(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[k]; !ok || v != want[k] {
			t.Errorf("%s is %v (there: %v), want %v", k, v, ok, want[k])
		}
	}
	if t.Failed() {
		t.Logf("%v", own(got))
	}
}

// showsNone checks that a family has no series.
func showsNone(t *testing.T, got map[string]float64, prefixes ...string) {
	t.Helper()
	for k, v := range got {
		for _, p := range prefixes {
			if strings.HasPrefix(k, p) {
				t.Errorf("%s is there: %v", k, v)
			}
		}
	}
}

// partOK returns what is said of a part: 1, 0, or -1 for nothing.
func partOK(got map[string]float64, part string) float64 {
	for k, v := range got {
		if strings.HasPrefix(k, "lakeproof_collector_part_success{") && strings.Contains(k, "part="+part+",") {
			return v
		}
	}
	return -1
}

// authorized returns what is said of an API: 1, 0, or -1 for nothing.
func authorized(got map[string]float64, api string) float64 {
	for k, v := range got {
		if strings.HasPrefix(k, "lakeproof_collector_authorized{") && strings.Contains(k, "api="+api+",") {
			return v
		}
	}
	return -1
}

// collectInventory asks for all that changes rarely.
func collectInventory(ctx context.Context, w *wire, s *snapshot, cache *configCache, out *exporters.Batch) {
	for _, ask := range []asker{
		cache.collectTopics, collectBrokerConfigs, collectFeatures, collectACLs, collectScram, collectQuotas,
		collectSubscriptions,
	} {
		ask(ctx, w, s, out)
	}
}

// everything asks all that this file's rights are about.
func everything() asker {
	dirs, txns, cache := &logDirs{}, &transactions{}, &configCache{}
	return func(ctx context.Context, w *wire, s *snapshot, out *exporters.Batch) {
		collectQuorum(ctx, w, s, out)
		collectReassignments(ctx, w, s, out)
		dirs.collect(ctx, w, s, out)
		txns.collect(ctx, w, s, out)
		collectInventory(ctx, w, s, cache, out)
	}
}

// familiesOf are the names of the families on a page.
func familiesOf(series map[string]float64) map[string]bool {
	out := map[string]bool{}
	for k := range own(series) {
		name, _, _ := strings.Cut(k, "{")
		out[name] = true
	}
	return out
}

const (
	lowUser = "watcher"
	lowPass = "secret"
)

// restricted is a cluster with ACLs and a user that has those, but one.
func restricted(t *testing.T, without int) *fake {
	t.Helper()
	var acls []kfake.ACL
	for i, n := range ACLs() {
		if i == without || n.Optional {
			continue
		}
		acl := kfake.ACL{Name: n.Name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Allow: true}
		var err error
		if acl.Resource, err = kmsg.ParseACLResourceType(n.Resource); err != nil {
			t.Fatal(err)
		}
		if acl.Operation, err = kmsg.ParseACLOperation(n.Operation); err != nil {
			t.Fatal(err)
		}
		acls = append(acls, acl)
	}
	f := newFakeAs(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(3, "orders", "ledger"),
		kfake.Superuser("PLAIN", "root", "root"), kfake.User("PLAIN", lowUser, lowPass, acls...))
	answer := quorumAnswer() // the fake's ACLs do not bind it
	if without >= 0 && ACLs()[without].Resource == onCluster && ACLs()[without].Operation == opDescribe {
		answer = &kmsg.DescribeQuorumResponse{ErrorCode: kerr.ClusterAuthorizationFailed.Code}
	}
	f.withQuorum(answer)
	return f
}

// twice is the page after the second collection: what stands still is seen then.
func twice(t *testing.T, f *fake) map[string]float64 {
	t.Helper()
	p := newPage(t, only(f, everything(), asWatcher), exportersOptions())
	p.collect(t.Context())
	return p.collect(t.Context())
}

func asWatcher(o *Options) {
	o.Kafka.SASL = config.SASL{Mechanism: "PLAIN", Username: lowUser, Password: config.NewSecret(lowPass)}
}

// Each right is taken away in turn, and costs exactly the families that the
// table says, of those that this file's collectors write.
func TestRightsCostWhatTheTableSays(t *testing.T) {
	all := restricted(t, -1)
	all.openTransaction("ledger", 0, all.login()...)
	before := twice(t, all)
	full := familiesOf(before)
	if len(full) < 30 {
		t.Fatalf("with all rights there are only %d families: %v", len(full), full)
	}
	for k, v := range before {
		if strings.HasPrefix(k, "lakeproof_collector_authorized{") && v != 1 {
			t.Errorf("with all rights %s is %v", k, v)
		}
	}
	for i, n := range ACLs() {
		if n.Optional || n.Resource == onGroup {
			continue
		}
		t.Run(n.Operation+n.Resource, func(t *testing.T) {
			f := restricted(t, i)
			f.openTransaction("ledger", 0, f.login()...)
			got := familiesOf(twice(t, f))
			for name := range full {
				if want := !slices.Contains(n.Families, name); got[name] != want {
					t.Errorf("%s is there: %v; by the table: %v", name, got[name], want)
				}
			}
		})
	}
}

// A missing right is told once, and is no failure.
func TestRightMissingIsToldOnce(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(1, "orders"))
	f.withQuorum(&kmsg.DescribeQuorumResponse{ErrorCode: kerr.ClusterAuthorizationFailed.Code})
	var log bytes.Buffer
	opts := exportersOptions()
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	p := newPage(t, only(f, collectQuorum), opts)
	p.collect(t.Context())
	got := p.collect(t.Context())
	if v := authorized(got, apiQuorum); v != 0 {
		t.Errorf("authorized is %v", v)
	}
	if v := partOK(got, "quorum"); v != 1 {
		t.Errorf("the part is %v", v)
	}
	showsNone(t, got, "kafka_quorum_")
	if n := strings.Count(log.String(), "a right is missing"); n != 1 || !strings.Contains(log.String(), "kafka_quorum_leader") {
		t.Errorf("it was said %d times:\n%s", n, log.String())
	}
}

func TestPrintACLs(t *testing.T) {
	text := PrintACLs("it's me")
	for _, want := range []string{
		`--allow-principal 'User:it'\''s me' --operation Describe --cluster`,
		`--operation DescribeConfigs --topic '*'`, `--operation Describe --group '*'`,
		`--operation Describe --transactional-id '*'`, "kafka_quorum_leader", "kafka_consumergroup_lag_sum",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "Read") && !strings.HasPrefix(line, "#") {
			t.Errorf("more than Describe is given: %s", line)
		}
		if len(line) > 160 {
			t.Errorf("a line of %d characters", len(line))
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// Every family of the cluster is served by a right, or needs none.
func TestRightsAreComplete(t *testing.T) {
	free := []string{
		"kafka_brokers", "kafka_broker_info", "kafka_broker_rack_info", "kafka_broker_leaders", "kafka_broker_replicas",
		"kafka_broker_leader_imbalance_ratio", "kafka_cluster_info", "kafka_cluster_controller", "kafka_exporter_build_info",
		"kafka_feature_level", "kafka_broker_feature_max_level", "kafka_broker_version_info",
		"kafka_consumergroup_info", "kafka_consumergroup_state", // Describe on the group or on the cluster
	}
	served := map[string]bool{}
	for _, n := range ACLs() {
		for _, name := range n.Families {
			served[name] = true
		}
	}
	for _, m := range metrics.All() {
		other := m.Origin != "" && m.Origin != metrics.OriginKafkaExporter
		if !strings.HasPrefix(m.Name, "kafka_") || other || strings.HasPrefix(m.Name, "kafka_probe_") {
			continue
		}
		if served[m.Name] == slices.Contains(free, m.Name) {
			t.Errorf("%s: served by a right: %v", m.Name, served[m.Name])
		}
	}
}

func TestAbsent(t *testing.T) {
	for _, err := range []error{kerr.UnsupportedVersion, kerr.SecurityDisabled, fmt.Errorf("x: %w", kerr.UnsupportedVersion)} {
		if !isAbsent(err) {
			t.Errorf("%v: not taken as absent", err)
		}
	}
	for _, err := range []error{kerr.ClusterAuthorizationFailed, kerr.NotController, context.DeadlineExceeded} {
		if isAbsent(err) {
			t.Errorf("%v: taken as absent", err)
		}
	}
}
