//go:build e2e

package kafka_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/exporters/kafka"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

// recorded is where answers of the version that deploy/local/kafka/pom.xml names
// are.
const recorded = "testdata/kafka/4.3.1"

// TestRecord records what three real brokers answer to one collection, and plays
// it again: the page is the same. Both are written, for TestRecorded, by
//
//	go test -tags e2e -run TestRecord$ -update ./exporters/kafka
func TestRecord(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	st := newStage(ctx, t)
	st.tell(ctx, t)
	defer st.inventory(ctx, t)()
	st.told(ctx, t)
	brokers, err := st.adm.ListBrokers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r, live := kafka.Record(t, st.client, brokers.NodeIDs())
	anonymous(t, r)
	if diff := cmp.Diff(strings.Split(live, "\n"), strings.Split(r.Play(t), "\n")); diff != "" {
		t.Errorf("the page of the recording is another one (-live +played):\n%s", diff)
	}
	if exportertest.Update() && !t.Failed() {
		r.Write(t, recorded)
		exportertest.GoldenText(t, live, filepath.Join(recorded, "page.prom"))
	}
}

// anonymous checks that the answers hold no path of the machine they are from.
func anonymous(t *testing.T, r *kafka.Recording) {
	t.Helper()
	home, _ := filepath.Abs(filepath.Join("..", ".."))
	for _, c := range r.Calls {
		for _, private := range []string{os.TempDir(), home} {
			if bytes.Contains(c.Response, []byte(private)) {
				t.Errorf("broker %d's answer to %s holds %s", c.Broker, c.API, private)
			}
		}
	}
}

// tell makes something of every kind that a page tells of: a topic with a
// setting of its own and a compacted one, groups that are behind, at their end
// and live, of all types, a login with a right.
func (st *stage) tell(ctx context.Context, t *testing.T) {
	t.Helper()
	for topic, partitions := range map[string]int{"orders": 3, "payments": 3, "prices": 2} {
		st.topic(ctx, t, topic, rotated(partitions))
	}
	st.alter(ctx, t, kmsg.ConfigResourceTypeTopic, "orders", "retention.ms", "86400000")
	st.alter(ctx, t, kmsg.ConfigResourceTypeTopic, "prices", "cleanup.policy", "compact")
	var hour []*kgo.Record // two records a minute
	for i := range 360 {
		at := time.Now().Add(time.Duration(i/3-120) * 30 * time.Second)
		hour = append(hour, &kgo.Record{Topic: "orders", Partition: int32(i % 3), Value: []byte("x"), Timestamp: at})
	}
	for i := range 40 {
		key := []byte(strconv.Itoa(i % 5))
		hour = append(hour, &kgo.Record{Topic: "prices", Partition: int32(i % 2), Key: key, Value: key})
	}
	if err := st.client.ProduceSync(ctx, hour...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	st.commit(ctx, t, "billing", "orders", 110, 80, 0)
	st.commit(ctx, t, "idle", "prices", 20, 20)
	st.group(ctx, t, "live", "orders", 3, 100)
	st.group(ctx, t, "next", "orders", 3, 60, kgo.ServerSideBalancer())
	st.alter(ctx, t, kmsg.ConfigResourceTypeGroupConfig, "shared", "share.auto.offset.reset", "earliest")
	poll(t, st.open(t, kgo.ShareGroup("shared"), kgo.ConsumeTopics("prices")))
	if err := st.SetKafkaUser(ctx, "reader", config.NewSecret("a-password")); err != nil {
		t.Fatal(err)
	}
	err := st.AddACLs(ctx, local.ACL{User: "reader", Operation: "Read", Resource: "Topic", Name: "orders"})
	if err != nil {
		t.Fatal(err)
	}
}

// told waits until a page has it all.
func (st *stage) told(ctx context.Context, t *testing.T) {
	t.Helper()
	e := collectNow(t, st.Config().Kafka)
	e.until(ctx, t, "a page that tells of everything", func(p page) (bool, string) {
		seen := p.seen()
		acls, _ := p.sum("kafka_acls")
		scram, _ := p.sum("kafka_scram_credentials")
		has := []bool{
			seen["lag sum billing orders"] == 170, seen["lag sum live orders"] == 60, seen["lag sum next orders"] == 180,
			seen["members shared"] == 1, seen["assigned shared"] == 2, seen["type shared share"] == 1,
			acls == 1, scram == 2, p.one("kafka_topic_retention_seconds", "topic", "orders") == 86400,
			p.one("kafka_oldest_open_transaction_info", "transactional_id", "left-open") == 1,
			p.one("kafka_topic_cleanup_policy_info", "topic", "prices", "policy", "compact") == 1,
			len(p["kafka_client_quota"]) == 1, p.one("kafka_client_metrics_subscriptions") == 1,
			len(p["kafka_consumergroup_lag_seconds"]) > 0,
		}
		ok, bad := p.all()
		return ok && !slices.Contains(has, false), fmt.Sprint(has, bad)
	})
}
