package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// TestRotatedPassword: a client that is there already logs in with what the
// file holds by then.
func TestRotatedPassword(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			_, cfg := broker(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "app", password))
			file := filepath.Join(t.TempDir(), "password")
			write := func(text string) {
				t.Helper()
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("the old one\n")
			cfg.SASL = config.SASL{Mechanism: mechanism, Username: "app", PasswordFile: file}
			opts, err := Options(cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			cl, err := kgo.NewClient(opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := cl.Ping(ctx); err == nil {
				t.Errorf("with the old password: %v", err)
			}
			write(password + "\n")
			if err := cl.Ping(ctx); err != nil {
				t.Errorf("with the new password: %v", err)
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if _, err := Dial(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "password_file") {
				t.Errorf("without the file: %v", err)
			}
		})
	}
}

// hello is the first message of a login to a host.
func hello(t *testing.T, cfg config.SASL, host string) (string, error) {
	t.Helper()
	m, err := mechanism(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name() != cfg.Mechanism {
		t.Errorf("mechanism %s", m.Name())
	}
	_, first, err := m.Authenticate(t.Context(), host)
	return string(first), err
}

func TestOAuthBearer(t *testing.T) {
	tokens := []string{"first", "second"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("grant_type") != "client_credentials" || r.FormValue("client_secret") != password || r.FormValue("scope") != "kafka" {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"` + tokens[0] + `","expires_in":3600}`))
		tokens = tokens[1:]
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	login := config.OAuth2{TokenURL: server.URL, ClientID: "app", ClientSecret: config.NewSecret(password), Scope: "kafka"}
	for want, cfg := range map[string]config.SASL{
		"given":       {Token: config.NewSecret("given")},
		"from a file": {TokenFile: file},
		"first":       {OAuth2: login},
	} {
		cfg.Mechanism = config.MechanismOAuth
		if got, err := hello(t, cfg, "broker:9092"); err != nil || !strings.Contains(got, "auth=Bearer "+want+"\x01") {
			t.Errorf("%s: %q, %v", want, got, err)
		}
	}
	login.ClientSecret = config.NewSecret("wrong")
	_, err := hello(t, config.SASL{Mechanism: config.MechanismOAuth, OAuth2: login}, "broker:9092")
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), "kafka.sasl.oauth2") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a client that the token server does not know: %v, hint %q", err, fail.HintOf(err))
	}
}

func TestAWS(t *testing.T) {
	cfg := config.SASL{Mechanism: config.MechanismAWS, AWS: config.AWS{
		AccessKey: config.NewSecret("AKIDEXAMPLE"), SecretKey: config.NewSecret(password), SessionToken: config.NewSecret("session"),
	}}
	got, err := hello(t, cfg, "b-1.lab.abcde.c2.kafka.eu-west-1.amazonaws.com:9098")
	if err != nil || !strings.Contains(got, "AKIDEXAMPLE/") || !strings.Contains(got, "/eu-west-1/kafka-cluster/aws4_request") ||
		strings.Contains(got, password) {
		t.Errorf("first message %s, %v", got, err)
	}
	if _, err := mechanism(config.SASL{Mechanism: "GSSAPI"}); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
		t.Errorf("Kerberos: %v", err)
	}
}

// TestRotatedClientCertificate: each handshake shows the certificate that the
// files hold then.
func TestRotatedClientCertificate(t *testing.T) {
	server, ca := certificate(t)
	dir := t.TempDir()
	cfg := config.TLS{
		Enabled: true, CAFile: ca, CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key"),
	}
	write := func(pair tls.Certificate) {
		t.Helper()
		key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		for name, block := range map[string]*pem.Block{
			cfg.CertFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, cfg.KeyFile: {Type: "PRIVATE KEY", Bytes: key},
		} {
			if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	before, _ := certificate(t)
	after, _ := certificate(t)
	write(before)
	conf, err := tlsConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	shown := make(chan []byte, 1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if c, ok := conn.(*tls.Conn); ok && c.HandshakeContext(t.Context()) == nil {
				shown <- c.ConnectionState().PeerCertificates[0].Raw
			}
			conn.Close()
		}
	}()
	for i, want := range []tls.Certificate{before, after} {
		write(want)
		conn, err := (&tls.Dialer{NetDialer: &net.Dialer{}, Config: conf}).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if got := <-shown; string(got) != string(want.Certificate[0]) {
			t.Errorf("handshake %d does not show the certificate of the file", i+1)
		}
		conn.Close()
	}
}
