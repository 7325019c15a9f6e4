// Package kafka connects to a Kafka cluster: encryption, login, the first
// contact with errors that a person can act on, and the few administrative
// questions that a load test asks.
//
// A value flows like this: [Options] turns the lab's configuration into client
// options, [Dial] makes a client with them and proves that every step works
// (address, TLS, login, the addresses that the brokers advertise); producers
// and consumers go on with that client. [Open] wraps one for administration:
// topics, offsets, the cluster itself. An error of the first contact is
// fail.Unreachable, names the address and has a hint; a password is in none.
//
// It does not produce or consume, and it alters nothing but the topics that it
// is asked to create.
package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

const clientName = "lakeproof"

// Options turns a cluster's configuration into client options. Files of
// certificates are read here; an error is fail.Usage.
func Options(cfg config.Kafka, logger *slog.Logger) ([]kgo.Opt, error) {
	if len(cfg.Brokers) == 0 {
		return nil, fail.New(fail.Usage, "set kafka.brokers, for example [127.0.0.1:9092]",
			"connecting to Kafka: no broker is configured")
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...),
		kgo.ClientID(clientName),
		kgo.WithLogger(quiet{logger.With("client", "kafka")}),
		kgo.DisableClientMetrics(),
		// The first contact proves that TLS and login are right; a connection
		// that ends later is a broker that restarts, and is tried again.
		kgo.AlwaysRetryEOF(),
		kgo.MetadataMinAge(500 * time.Millisecond),
		// Topics are there before anything is sent, so one that is unknown is a
		// broker that has just come back; the delivery time-out bounds the wait.
		kgo.UnknownTopicRetries(-1),
	}
	if cfg.TLS.Enabled {
		conf, err := tlsConfig(cfg.TLS)
		if err != nil {
			return nil, err
		}
		d := &tls.Dialer{NetDialer: &net.Dialer{Timeout: config.DialTimeout}, Config: conf}
		opts = append(opts, kgo.Dialer(d.DialContext))
	} else {
		d := &net.Dialer{Timeout: config.DialTimeout}
		opts = append(opts, kgo.Dialer(d.DialContext))
	}
	login, err := mechanism(cfg.SASL)
	if err != nil {
		return nil, err
	}
	if login != nil {
		opts = append(opts, kgo.SASL(login))
	}
	return opts, nil
}

func tlsConfig(cfg config.TLS) (*tls.Config, error) {
	conf := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         cfg.ServerName,
		InsecureSkipVerify: cfg.InsecureSkipVerify, //nolint:gosec // a laboratory may ask for it by name
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fail.Wrap(fmt.Errorf("reading kafka.tls.ca_file: %w", err), fail.Usage,
				"correct kafka.tls.ca_file, or leave it out to trust the system's certificates")
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fail.New(fail.Usage, "give a file with PEM blocks of type CERTIFICATE",
				"reading kafka.tls.ca_file %s: no certificate in it", cfg.CAFile)
		}
	}
	if (cfg.CertFile == "") != (cfg.KeyFile == "") {
		return nil, fail.New(fail.Usage, "set both kafka.tls.cert_file and kafka.tls.key_file, or neither",
			"reading kafka.tls: a certificate and its key belong together")
	}
	if cfg.CertFile != "" {
		load := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
			if err != nil {
				return nil, fail.Wrap(fmt.Errorf("reading kafka.tls.cert_file and key_file: %w", err), fail.Usage,
					"give PEM files of a certificate and its own private key, without a passphrase")
			}
			return &pair, nil
		}
		if _, err := load(); err != nil {
			return nil, err
		}
		// Read again at each handshake: certificates are renewed while we run.
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	return conf, nil
}
