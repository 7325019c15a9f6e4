package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/template"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	recipes "github.com/lakeproof/lakeproof/deploy/local"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// render fills a template of the recipes.
func render(name string, data any) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(string(recipes.Read(name)))
	if err != nil {
		return nil, fmt.Errorf("reading the template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("filling the template %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// startKafka starts every node and makes the login.
func (s *Stack) startKafka(ctx context.Context) error {
	var wave []task
	for _, n := range s.nodes() {
		wave = append(wave, func(ctx context.Context) error { return s.startNode(ctx, n) })
	}
	if err := parallel(ctx, wave...); err != nil {
		return err
	}
	return s.SetKafkaUser(ctx, kafkaUser, s.keys.password)
}

// startNode formats the storage the first time, starts the node and waits until
// it takes part in the cluster.
func (s *Stack) startNode(ctx context.Context, n node) error {
	return s.bring(ctx, system{
		name: n.name, step: "start", limit: 90 * time.Second,
		probe: func(ctx context.Context) error { return s.probeNode(ctx, n) },
		prepare: func() (command, error) {
			if err := checkPorts(n.name, n.ports.Plain, n.ports.Secure, n.ports.Controller); err != nil {
				return command{}, err
			}
			if err := s.nodeFiles(ctx, n); err != nil {
				return command{}, err
			}
			argv := append([]string{"java"}, n.memory...)
			return command{name: n.name, addr: local(n.ports.Plain), argv: append(argv,
				"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", s.kafkaJars(), "kafka.Kafka", n.properties,
			)}, nil
		},
	})
}

// kafkaJars is the class path of Kafka and its tools.
func (s *Stack) kafkaJars() string { return s.tool("kafka", "jars", "lib", "*") }

// nodeFiles writes server.properties and the certificates, and formats the
// storage when it is new.
func (s *Stack) nodeFiles(ctx context.Context, n node) error {
	if err := s.makeCertificates(); err != nil {
		return err
	}
	content, err := render("kafka/server.properties.tmpl", s.nodeSettings(n))
	if err != nil {
		return err
	}
	if err := writeFile(n.properties, content); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(n.data, "meta.properties")); err == nil {
		return nil
	}
	id, err := s.clusterID()
	if err != nil {
		return err
	}
	argv := []string{
		"java", "-cp", s.kafkaJars(), "kafka.tools.StorageTool", "format", "-t", id, "-c", n.properties,
	}
	if s.opts.KafkaNodes == 1 {
		argv = append(argv, "--standalone")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return s.run(ctx, n.name+"-format", s.dir, nil, argv...)
}

// admin lends a client of the plain listeners.
func (s *Stack) admin(use func(*kadm.Client) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(s.brokers()...))
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer client.Close()
	return use(kadm.NewClient(client))
}

// probeNode asks a node for the cluster's metadata: it answers, and counts
// itself in, when the broker is registered and unfenced.
func (s *Stack) probeNode(ctx context.Context, n node) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(local(n.ports.Plain)))
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer client.Close()
	meta, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(meta.Brokers.NodeIDs(), n.id) {
		return fmt.Errorf("waiting for broker %d among %v: it is not registered", n.id, meta.Brokers.NodeIDs())
	}
	return nil
}

// EnsureTopic makes a topic unless it is there. One with another number of
// partitions is left as it is.
func (s *Stack) EnsureTopic(ctx context.Context, topic string, partitions int32, retention time.Duration) error {
	return s.admin(func(adm *kadm.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		ms := strconv.FormatInt(retention.Milliseconds(), 10)
		_, err := adm.CreateTopic(ctx, partitions, s.replicas(), map[string]*string{"retention.ms": &ms}, topic)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fail.Wrap(fmt.Errorf("making the topic %s: %w", topic, err), fail.Unreachable, "read "+s.logPath(Kafka))
		}
		return nil
	})
}
