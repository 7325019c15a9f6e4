package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"text/template"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	recipes "github.com/lakeproof/lakeproof/deploy/local"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// kafkaUser is the login of the SECURE listener.
const kafkaUser = "app"

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

// startKafka formats the storage the first time, starts the node and makes the
// login.
func (s *Stack) startKafka(ctx context.Context) error {
	err := s.bring(ctx, system{
		name: Kafka, step: "start", limit: 90 * time.Second, probe: s.probeKafka,
		prepare: func() (command, error) {
			if err := checkPorts(Kafka, s.ports.Kafka, s.ports.Secure, s.ports.Controller); err != nil {
				return command{}, err
			}
			properties, err := s.kafkaFiles(ctx)
			return command{name: Kafka, addr: local(s.ports.Kafka), argv: []string{
				"java", "-Xms256m", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
				"-cp", s.tool("kafka", "jars", "lib", "*"), "kafka.Kafka", properties,
			}}, err
		},
	})
	if err != nil {
		return err
	}
	return s.admin(func(adm *kadm.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		_, err := adm.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{
			User: kafkaUser, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: s.keys.password.Reveal(),
		}})
		if err != nil {
			return fmt.Errorf("making the Kafka login %s: %w", kafkaUser, err)
		}
		return nil
	})
}

// kafkaFiles writes server.properties and the certificates, and formats the
// storage when it is new.
func (s *Stack) kafkaFiles(ctx context.Context) (properties string, err error) {
	if err := s.makeCertificates(); err != nil {
		return "", err
	}
	data := s.path("kafka", "data")
	properties = s.path("kafka", "server.properties")
	content, err := render("kafka/server.properties.tmpl", map[string]any{
		"Plain": s.ports.Kafka, "Secure": s.ports.Secure, "Controller": s.ports.Controller,
		"Data": data, "Keystore": s.path("tls", "server.pem"),
	})
	if err != nil {
		return "", err
	}
	if err := writeFile(properties, content); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(data, "meta.properties")); err == nil {
		return properties, nil
	}
	lib := s.tool("kafka", "jars", "lib", "*")
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	id, err := exec.CommandContext(ctx, "java", "-cp", lib, "kafka.tools.StorageTool", "random-uuid").Output()
	if err != nil {
		return "", fmt.Errorf("making a Kafka cluster id: %w", err)
	}
	return properties, s.run(ctx, "kafka-format", s.dir, nil, "java", "-cp", lib, "kafka.tools.StorageTool",
		"format", "-t", lastLine(id), "-c", properties, "--standalone")
}

// admin lends a client of the plain listener.
func (s *Stack) admin(use func(*kadm.Client) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(local(s.ports.Kafka)))
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer client.Close()
	return use(kadm.NewClient(client))
}

// probeKafka asks for the cluster's metadata: it answers when the broker is
// registered and unfenced.
func (s *Stack) probeKafka(ctx context.Context) error {
	return s.admin(func(adm *kadm.Client) error {
		meta, err := adm.BrokerMetadata(ctx)
		if err != nil {
			return err
		}
		if len(meta.Brokers) == 0 {
			return errors.New("no broker is registered")
		}
		return nil
	})
}

// EnsureTopic makes a topic unless it is there. One with another number of
// partitions is left as it is.
func (s *Stack) EnsureTopic(ctx context.Context, topic string, partitions int32, retention time.Duration) error {
	return s.admin(func(adm *kadm.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		ms := strconv.FormatInt(retention.Milliseconds(), 10)
		_, err := adm.CreateTopic(ctx, partitions, 1, map[string]*string{"retention.ms": &ms}, topic)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fail.Wrap(fmt.Errorf("making the topic %s: %w", topic, err), fail.Unreachable, "read "+s.logPath(Kafka))
		}
		return nil
	})
}

// SecureKafka is how a client logs in at the SASL_SSL listener of the same
// broker: SCRAM-SHA-512 behind a certificate of the stack's own authority.
func (s *Stack) SecureKafka() config.Kafka {
	return config.Kafka{
		Brokers: []string{local(s.ports.Secure)},
		TLS:     config.TLS{Enabled: true, CAFile: s.path("tls", "ca.crt")},
		SASL:    config.SASL{Mechanism: "SCRAM-SHA-512", Username: kafkaUser, Password: s.keys.password},
	}
}
