//go:build e2e

package local_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

// isrs tells the in-sync replicas of every partition of a topic.
func isrs(ctx context.Context, t *testing.T, adm *kadm.Client, topic string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	topics, err := adm.ListTopics(ctx, topic)
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, p := range topics[topic].Partitions.Sorted() {
		isr := p.ISR
		for i := range isr { // in the order of the ids
			for j := range i {
				if isr[j] > isr[i] {
					isr[i], isr[j] = isr[j], isr[i]
				}
			}
		}
		out = append(out, fmt.Sprint(isr))
	}
	return strings.Join(out, " ")
}

// Three nodes replicate; the death, the halt and the return of one show in the
// ISR, and the others serve on.
func TestThreeNodes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s := newStack(t, local.Options{Components: []string{local.Kafka}, KafkaNodes: 3})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	upTwice(ctx, t, s)
	if n := len(s.Status(ctx)); n != 3 {
		t.Fatalf("%d nodes in the status", n)
	}
	if err := s.EnsureTopic(ctx, "payments", 2, time.Hour); err != nil {
		t.Fatal(err)
	}
	brokers := s.Config().Kafka.Brokers
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	adm := kadm.NewClient(client)
	await := func(want string) {
		t.Helper()
		began := time.Now()
		eventually(ctx, t, "ISR "+want, func() (bool, string) {
			got := isrs(ctx, t, adm, "payments")
			return got == want, got
		})
		t.Logf("ISR %s after %.1f s", want, time.Since(began).Seconds())
	}
	await("[1 2 3] [1 2 3]")
	racks(ctx, t, adm)

	if err := s.Kill("kafka-3"); err != nil {
		t.Fatal(err)
	}
	await("[1 2] [1 2]")
	produce(ctx, t, s, 0, 1000)
	if err := s.Start(ctx, "kafka-3"); err != nil {
		t.Fatal(err)
	}
	await("[1 2 3] [1 2 3]")

	if err := s.Pause("kafka-2"); err != nil {
		t.Fatal(err)
	}
	await("[1 3] [1 3]")
	if err := s.Resume("kafka-2"); err != nil {
		t.Fatal(err)
	}
	await("[1 2 3] [1 2 3]")

	quorum, err := s.KafkaTool(ctx, "org.apache.kafka.tools.MetadataQuorumCommand",
		"--bootstrap-server", strings.Join(brokers, ","), "describe", "--status")
	if err != nil || !strings.Contains(quorum, "LeaderId:") {
		t.Errorf("%v\n%s", err, quorum)
	}
	if _, err := s.KafkaTool(ctx, "org.apache.kafka.tools.TopicCommand", "--no-such-flag"); err == nil {
		t.Error("a command that ends with an error: no error")
	}
	began := time.Now()
	downLeavesNothing(ctx, t, s)
	t.Logf("down after %.1f s", time.Since(began).Seconds())
}

// racks checks that each node has a rack of its own.
func racks(ctx context.Context, t *testing.T, adm *kadm.Client) {
	t.Helper()
	meta, err := adm.BrokerMetadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, b := range meta.Brokers {
		if b.Rack != nil {
			seen[*b.Rack] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("racks %v", seen)
	}
}

// A paused system can be ended, and what does not run cannot be paused.
func TestPausedNodeEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s := newStack(t, local.Options{Components: []string{local.Kafka}})
	if err := s.Pause(local.Kafka); fail.CodeOf(err) != fail.Usage {
		t.Errorf("pausing what does not run: %v", err)
	}
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Pause(local.Kafka); err != nil {
		t.Fatal(err)
	}
	downLeavesNothing(ctx, t, s)
}

// A user may do what its ACLs say, from when they are added to when they are
// removed; the stack's own login may do everything.
func TestACLs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s := newStack(t, local.Options{Components: []string{local.Kafka}, KafkaACLs: true})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureTopic(ctx, "payments", 1, time.Hour); err != nil {
		t.Fatal(err)
	}
	password := config.NewSecret("a-password")
	if err := s.SetKafkaUser(ctx, "reader", password); err != nil {
		t.Fatal(err)
	}
	sees := func(as config.Kafka, want bool) {
		t.Helper()
		client := login(t, as)
		eventually(ctx, t, fmt.Sprintf("%s seeing the topic: %v", as.SASL.Username, want), func() (bool, string) {
			topics, err := kadm.NewClient(client).ListTopics(ctx, "payments")
			if err == nil {
				err = topics["payments"].Err
			}
			if err != nil && !errors.Is(err, kerr.TopicAuthorizationFailed) && !errors.Is(err, kerr.SaslAuthenticationFailed) {
				t.Log(err)
			}
			return (err == nil) == want, fmt.Sprint(err)
		})
	}
	reader := s.SecureKafkaAs("reader", password)
	sees(s.SecureKafka(), true)
	sees(reader, false)
	acl := local.ACL{User: "reader", Operation: "Describe", Resource: "Topic", Name: "pay", Prefixed: true}
	if err := s.AddACLs(ctx, acl); err != nil {
		t.Fatal(err)
	}
	sees(reader, true)
	if err := s.RemoveACLs(ctx, acl); err != nil {
		t.Fatal(err)
	}
	sees(reader, false)
	if err := s.RemoveACLs(ctx, acl); err == nil {
		t.Error("removing an ACL that is not there: no error")
	}
	if err := s.RemoveKafkaUser(ctx, "reader"); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveKafkaUser(ctx, "reader"); err == nil {
		t.Error("removing a login that is not there: no error")
	}
}

// login is a client of the SASL_SSL listener.
func login(t *testing.T, as config.Kafka) *kgo.Client {
	t.Helper()
	ca, err := os.ReadFile(as.TLS.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client, err := kgo.NewClient(kgo.SeedBrokers(as.Brokers...), kgo.DialTLSConfig(&tls.Config{RootCAs: roots}),
		kgo.SASL(scram.Auth{User: as.SASL.Username, Pass: as.SASL.Password.Reveal()}.AsSha512Mechanism()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
