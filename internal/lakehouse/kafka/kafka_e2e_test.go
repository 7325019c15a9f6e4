//go:build e2e

package kafka

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

// startKafka starts a real broker with a plain and a SASL_SSL listener.
func startKafka(t *testing.T) *local.Stack {
	t.Helper()
	installed := os.Getenv("LAKEPROOF_LAB_DIR")
	if installed == "" {
		installed = filepath.Join("..", "..", "..", ".lab")
	}
	s, err := local.New(local.Options{Dir: t.TempDir(), Install: installed, FreePorts: true, Components: []string{local.Kafka}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Errorf("bringing the broker down: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRealBroker holds that Apache Kafka's own answers are understood: a login
// that works, and each first contact that does not, within 10 s and without the
// password.
func TestRealBroker(t *testing.T) {
	s := startKafka(t)
	t.Run("topics", func(t *testing.T) { realTopics(t, open(t, s.Config().Kafka)) })
	plain, secure := s.Config().Kafka, s.SecureKafka()
	secret := secure.SASL.Password.Reveal()
	_, otherCA := certificate(t)
	with := func(cfg config.Kafka, change func(*config.Kafka)) config.Kafka {
		change(&cfg)
		return cfg
	}
	tests := map[string]struct {
		cfg        config.Kafka
		text, hint string // "" for a contact that succeeds
	}{
		"plain":             {plain, "", ""},
		"TLS and SCRAM":     {secure, "", ""},
		"wrong password":    {with(secure, func(c *config.Kafka) { c.SASL.Password = config.NewSecret("x" + secret) }), `as "app" with SCRAM-SHA-512`, "kafka.sasl.password"},
		"no such user":      {with(secure, func(c *config.Kafka) { c.SASL.Username = "nobody" }), `as "nobody"`, "kafka.sasl.username"},
		"no such mechanism": {with(secure, func(c *config.Kafka) { c.SASL.Mechanism = "PLAIN" }), "with PLAIN", "kafka.sasl.mechanism"},
		"unknown authority": {with(secure, func(c *config.Kafka) { c.TLS.CAFile = otherCA }), "unknown authority", "kafka.tls.ca_file"},
		"other name":        {with(secure, func(c *config.Kafka) { c.TLS.ServerName = "elsewhere" }), "elsewhere", "kafka.tls.server_name"},
		"login missing":     {with(secure, func(c *config.Kafka) { c.SASL = config.SASL{} }), "connecting to Kafka", "kafka.sasl"},
		"TLS, plain port":   {with(secure, func(c *config.Kafka) { c.Brokers = plain.Brokers }), "connecting to Kafka", "without TLS"},
		"plain, TLS port":   {with(secure, func(c *config.Kafka) { c.TLS = config.TLS{} }), "connecting to Kafka", "kafka.tls"},
		"nothing, TLS port": {with(plain, func(c *config.Kafka) { c.Brokers = secure.Brokers }), "connecting to Kafka", "kafka.tls"},
		"login, plain port": {with(plain, func(c *config.Kafka) { c.SASL = secure.SASL }), "logging in", "leave kafka.sasl out"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var logged logged
			began := time.Now()
			cl, err := Dial(t.Context(), test.cfg, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
			if err == nil {
				cl.Close()
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			hint := fail.HintOf(err)
			t.Logf("%v\nhint: %s", err, hint)
			if (err == nil) != (test.text == "") {
				t.Fatalf("error %v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), test.text) || !strings.Contains(hint, test.hint) || fail.CodeOf(err) != fail.Unreachable) {
				t.Errorf("error %q, hint %q, code %d", err, hint, fail.CodeOf(err))
			}
			if strings.Contains(logged.String(), secret) || err != nil && strings.Contains(err.Error()+hint, secret) {
				t.Error("the password is told")
			}
		})
	}
}

func realTopics(t *testing.T, c *Client) {
	spec := TopicSpec{Name: "orders", Partitions: 6, Config: map[string]string{"retention.ms": "604800000"}}
	got, err := c.EnsureTopic(t.Context(), spec)
	if want := (Topic{Name: "orders", Partitions: 6, Created: true}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("created %+v, %v", got, err)
	}
	spec.Config["retention.ms"] = "1000"
	got, err = c.EnsureTopic(t.Context(), spec)
	if want := []Difference{{Key: "retention.ms", Want: "1000", Have: "604800000"}}; err != nil || got.Created || !cmp.Equal(got.Differs, want) {
		t.Errorf("found %+v, %v", got, err)
	}
	spec.Partitions = 7
	if _, err = c.EnsureTopic(t.Context(), spec); fail.CodeOf(err) != fail.Usage {
		t.Errorf("fewer partitions than asked for: %v", err)
	}
	for name, bad := range map[string]TopicSpec{
		"name": {Name: "no/such name", Partitions: 1}, "replicas": {Name: "three", Partitions: 1, Replication: 3},
		"setting": {Name: "week", Partitions: 1, Config: map[string]string{"retention.ms": "a week"}},
	} {
		if _, err = c.EnsureTopic(t.Context(), bad); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("bad %s: %v", name, err)
		}
	}
	about, err := c.About(t.Context())
	t.Logf("%+v", about)
	if err != nil || about.ID == "" || !strings.Contains(about.Version, "v4") || len(about.Brokers) != 1 {
		t.Errorf("about %+v, %v", about, err)
	}
}
