package local

import (
	"fmt"
	"strings"

	"github.com/lakeproof/lakeproof/internal/config"
)

// Config says where the systems of the stack are, as lakeproof.yaml would.
func (s *Stack) Config() config.Lab {
	var registry config.Registry
	if s.wants(Registry) {
		registry.URL = s.registryURL()
	}
	return config.Lab{
		Name:    "local",
		Kafka:   config.Kafka{Brokers: s.brokers()},
		Catalog: config.Catalog{URI: "http://" + local(s.ports.Catalog) + "/"},
		Storage: config.Storage{
			Endpoint:  "http://" + local(s.ports.Store),
			Region:    Region,
			Bucket:    Bucket,
			PathStyle: true,
			AccessKey: s.keys.accessKey,
			SecretKey: s.keys.secretKey,
		},
		Registry: registry,
		Spark:    []config.Spark{s.Driver().Config()},
	}
}

// WriteConfig writes [Stack.Config] as a lakeproof.yaml. The secrets stay in
// the files of the stack's folder, which it points to.
func (s *Stack) WriteConfig(path string) error {
	lab := s.Config()
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by lakeproof: the local stack in %s.\n", s.dir)
	fmt.Fprintf(&b, "lab: %s\n", lab.Name)
	fmt.Fprintf(&b, "kafka:\n  brokers: [%s]\n", strings.Join(lab.Kafka.Brokers, ", "))
	secure := s.SecureKafka()
	fmt.Fprintf(&b,
		"  # the same broker with a login:\n  # brokers: [%s]\n  # tls: {ca_file: %q}\n"+
			"  # sasl: {mechanism: %s, username: %s, password_file: %q}\n",
		strings.Join(secure.Brokers, ", "), secure.TLS.CAFile, secure.SASL.Mechanism, secure.SASL.Username, s.path("secrets",
			"kafka_password"))
	fmt.Fprintf(&b, "catalog:\n  uri: %s\n", lab.Catalog.URI)
	fmt.Fprintf(&b, "storage:\n  endpoint: %s\n  region: %s\n  bucket: %s\n  path_style: true\n",
		lab.Storage.Endpoint, Region, Bucket)
	fmt.Fprintf(&b, "  access_key_file: %q\n  secret_key_file: %q\n", s.path("secrets", "s3_access_key"),
		s.path("secrets", "s3_secret_key"))
	if lab.Registry.URL != "" {
		fmt.Fprintf(&b, "registry:\n  url: %s\n", lab.Registry.URL)
	}
	b.WriteString("spark:\n")
	for _, app := range lab.Spark {
		fmt.Fprintf(&b, "  - app: %s\n    ui: %s\n    checkpoint: %q\n", app.App, app.UI, app.Checkpoint)
	}
	return writeFile(path, []byte(b.String()))
}
