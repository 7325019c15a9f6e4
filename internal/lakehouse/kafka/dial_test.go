package kafka

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

const password = "hunter2-very-secret"

func broker(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, config.Kafka) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, config.Kafka{Brokers: c.ListenAddrs()}
}

// certificate makes a self-signed certificate for 127.0.0.1 and the file that
// a client trusts it by.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test broker"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"broker.test"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func login(mechanism, user, pass string) config.SASL {
	return config.SASL{Mechanism: mechanism, Username: user, Password: config.NewSecret(pass)}
}

func TestDialSucceeds(t *testing.T) {
	cert, ca := certificate(t)
	_, plain := broker(t)
	_, secure := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "app", password), kfake.Superuser("PLAIN", "old", password))
	secure.TLS = config.TLS{Enabled: true, CAFile: ca}
	named := secure
	named.TLS.ServerName = "broker.test"
	scram, old := named, secure
	scram.SASL = login("SCRAM-SHA-512", "app", password)
	old.SASL = login("PLAIN", "old", password)
	oneDead := plain
	oneDead.Brokers = []string{closedPort(t), plain.Brokers[0]}
	for name, cfg := range map[string]config.Kafka{
		"plain": plain, "TLS and SCRAM": scram, "TLS and PLAIN": old, "first seed is down": oneDead,
	} {
		t.Run(name, func(t *testing.T) {
			cl, err := Dial(t.Context(), cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatalf("%v (%s)", err, fail.HintOf(err))
			}
			cl.Close()
		})
	}
}

func TestDialMutual(t *testing.T) {
	cert, ca := certificate(t)
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(leaf)
	_, cfg := broker(t, kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}))
	cfg.TLS = config.TLS{Enabled: true, CAFile: ca}
	_, err = Dial(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(fail.HintOf(err), "kafka.tls.cert_file") {
		t.Fatalf("without a certificate: %v (%s)", err, fail.HintOf(err))
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "client.key")
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.TLS.CertFile, cfg.TLS.KeyFile = ca, key
	cl, err := Dial(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("with a certificate: %v", err)
	}
	cl.Close()
}

// TestDialExplains holds that every way in which a first contact goes wrong is
// told from the others, in time, and that no secret is told with it.
func TestDialExplains(t *testing.T) {
	for name, test := range badContacts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged logged
			logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cl, err := Dial(ctx, test.cfg, logger)
			if err == nil {
				cl.Close()
				t.Fatal("it connected")
			}
			if ctx.Err() != nil {
				t.Fatal("it took until the test's deadline")
			}
			hint := fail.HintOf(err)
			if !strings.Contains(err.Error(), test.text) || !strings.Contains(hint, test.hint) {
				t.Errorf("error %q\n hint %q\n want %q and %q", err, hint, test.text, test.hint)
			}
			if fail.CodeOf(err) != fail.Unreachable {
				t.Errorf("code %d", fail.CodeOf(err))
			}
			if strings.Contains(err.Error()+hint+logged.String(), password) {
				t.Errorf("the password is told: %v, %s\n%s", err, hint, logged.String())
			}
		})
	}
}

// badContact is a first contact that goes wrong.
type badContact struct {
	cfg        config.Kafka
	text, hint string // parts of the error and of its hint
}

func badContacts(t *testing.T) map[string]badContact {
	t.Helper()
	cert, ca := certificate(t)
	_, otherCA := certificate(t)
	_, plain := broker(t)
	_, secure := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	_, guarded := broker(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "app", password))
	advertising, advertised := broker(t)
	dead := closedPort(t)
	advertise(t, advertising, dead)
	refusing, answering := broker(t)
	refuse(refusing)
	with := func(cfg config.Kafka, change func(*config.Kafka)) config.Kafka {
		change(&cfg)
		return cfg
	}
	return map[string]badContact{
		"refused":     {config.Kafka{Brokers: []string{dead}}, "connection refused", "start the broker"},
		"all refused": {config.Kafka{Brokers: []string{dead, closedPort(t)}}, "connection refused", "start the broker"},
		"unknown host": {
			config.Kafka{Brokers: []string{"kafka.invalid:9092"}}, "kafka.invalid", "host name \"kafka.invalid\"",
		},
		"plain client, TLS port": {config.Kafka{Brokers: secure.Brokers}, "connecting to Kafka", "TLS"},
		"TLS client, plain port": {
			with(plain, func(c *config.Kafka) { c.TLS = config.TLS{Enabled: true, CAFile: ca} }),
			"connecting to Kafka", "leave kafka.tls out",
		},
		"unknown authority": {
			with(secure, func(c *config.Kafka) { c.TLS = config.TLS{Enabled: true, CAFile: otherCA} }),
			"unknown authority", "kafka.tls.ca_file",
		},
		"other name": {
			with(secure, func(c *config.Kafka) { c.TLS = config.TLS{Enabled: true, CAFile: ca, ServerName: "elsewhere"} }),
			"elsewhere", "kafka.tls.server_name",
		},
		"login refused": {
			with(answering, func(c *config.Kafka) { c.SASL = login("PLAIN", "app", password) }),
			`logging in to Kafka at ` + answering.Brokers[0] + ` as "app" with PLAIN`, "kafka.sasl.password",
		},
		"no such mechanism": {
			with(answering, func(c *config.Kafka) { c.SASL = login("SCRAM-SHA-256", "app", password) }),
			"SCRAM-SHA-256", "the broker does not offer",
		},
		"listener without login": {
			with(answering, func(c *config.Kafka) { c.SASL = login("SCRAM-SHA-512", "app", password) }),
			"ILLEGAL_SASL_STATE", "leave kafka.sasl out",
		},
		"wrong password, broker hangs up": {
			with(guarded, func(c *config.Kafka) { c.SASL = login("SCRAM-SHA-512", "app", "not "+password) }),
			`logging in to Kafka at ` + guarded.Brokers[0] + ` as "app" with SCRAM-SHA-512`, "ended the connection at the login",
		},
		"login missing": {guarded, "connecting to Kafka", "kafka.sasl"},
		"advertised address": {
			advertised, "broker 0 at " + dead + ", the address that Kafka at " + advertised.Brokers[0] + " advertises",
			"advertised.listeners",
		},
	}
}

// logged keeps what a client logs, also after it was closed.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// refuse makes a broker answer every login as Apache Kafka answers a bad one:
// PLAIN with a refused password, SCRAM-SHA-256 as unknown, SCRAM-SHA-512 as not
// asked for.
func refuse(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.SASLHandshake), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		ask, ok := req.(*kmsg.SASLHandshakeRequest)
		resp, ok2 := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
		if !ok || !ok2 {
			return nil, nil, false
		}
		resp.SupportedMechanisms = []string{"PLAIN"}
		resp.ErrorCode = map[string]int16{
			"SCRAM-SHA-256": kerr.UnsupportedSaslMechanism.Code, "SCRAM-SHA-512": kerr.IllegalSaslState.Code,
		}[ask.Mechanism]
		return resp, nil, true
	})
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp, ok := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if !ok {
			return nil, nil, false
		}
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = new("Authentication failed: Invalid username or password")
		return resp, nil, true
	})
}

// advertise makes a broker send its clients to another address.
func advertise(t *testing.T, c *kfake.Cluster, address string) {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp, ok := req.ResponseKind().(*kmsg.MetadataResponse)
		if !ok {
			return nil, nil, false
		}
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = 0, addr.IP.String(), int32(addr.Port)
		resp.Brokers = append(resp.Brokers, b)
		return resp, nil, true
	})
}

func TestOptionsRefuseBadFiles(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := []string{"127.0.0.1:9092"}
	for name, cfg := range map[string]config.Kafka{
		"no broker":         {},
		"no CA file":        {Brokers: one, TLS: config.TLS{Enabled: true, CAFile: empty + ".not"}},
		"no certificate":    {Brokers: one, TLS: config.TLS{Enabled: true, CAFile: empty}},
		"half a pair":       {Brokers: one, TLS: config.TLS{Enabled: true, CertFile: empty}},
		"broken pair":       {Brokers: one, TLS: config.TLS{Enabled: true, CertFile: empty, KeyFile: empty}},
		"unknown mechanics": {Brokers: one, SASL: login("GSSAPI", "a", password)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Options(cfg, slog.New(slog.DiscardHandler))
			if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
				t.Errorf("error %v, code %d, hint %q", err, fail.CodeOf(err), fail.HintOf(err))
			}
		})
	}
}
