package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/internal/fail"
)

func vars(m map[string]string) Lookup {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lakeproof.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const whole = `
lab: office
kafka:
  brokers: [a:9092, b:9092]
  tls:
  sasl: {mechanism: PLAIN, username: app, password: "${PASS}"}
catalog:
  uri: https://catalog:8181/
  warehouse: lab
  auth: {oauth2: {token_url: http://idp/token, client_id: me, client_secret_file: secret.txt}}
storage: {endpoint: http://s3:9000, bucket: lake, access_key: ak, secret_key: "x$${y}", path_style: false}
spark: [{app: bronze, checkpoint: s3a://lake/cp}]
registry: {url: http://registry:8081, username: u, password: p}
`

func TestLoad(t *testing.T) {
	path := write(t, whole)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "secret.txt"), []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path, vars(map[string]string{"PASS": "pa ss", "LAKEPROOF_KAFKA_BROKERS": "c:1, d:2", "LAKEPROOF_STORAGE_PATH_STYLE": "true"}))
	if err != nil {
		t.Fatal(err)
	}
	want := Lab{
		Name: "office",
		Kafka: Kafka{
			Brokers: []string{"c:1", "d:2"}, TLS: TLS{Enabled: true},
			SASL: SASL{Mechanism: "PLAIN", Username: "app", Password: NewSecret("pa ss")},
		},
		Catalog: Catalog{URI: "https://catalog:8181/", Warehouse: "lab", Auth: CatalogAuth{OAuth2: OAuth2{
			TokenURL: "http://idp/token", ClientID: "me", ClientSecret: NewSecret("from file"), Scope: "catalog",
		}}},
		Storage: Storage{
			Endpoint: "http://s3:9000", Region: "us-east-1", Bucket: "lake", PathStyle: true,
			AccessKey: NewSecret("ak"), SecretKey: NewSecret("x${y}"),
		},
		Spark:    []Spark{{App: "bronze", Checkpoint: "s3a://lake/cp"}},
		Registry: Registry{URL: "http://registry:8081", Username: "u", Password: NewSecret("p")},
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b Secret) bool { return a.Reveal() == b.Reveal() })); d != "" {
		t.Error(d)
	}
	var out strings.Builder
	if err := Show(&out, got); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"pa ss", "from file", "secret_key: x", "access_key: ak", "password: p\n"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("the secret %q is shown:\n%s", s, &out)
		}
	}
	if n := strings.Count(out.String(), "'[redacted]'"); n != 5 {
		t.Errorf("%d of 5 secrets are redacted:\n%s", n, &out)
	}
	again, err := Load(write(t, out.String()), vars(nil))
	if err != nil {
		t.Fatalf("what is shown is not a configuration: %v\n%s", err, &out)
	}
	if d := cmp.Diff(got, again, cmp.Comparer(func(Secret, Secret) bool { return true })); d != "" {
		t.Error(d)
	}
}

func TestTemplate(t *testing.T) {
	if _, err := Load(write(t, Template()), vars(nil)); err != nil {
		t.Error(err)
	}
	commentless := strings.NewReplacer("  # tls: {ca_file: ca.crt} ", "  # ", "  # auth: {token_file: token}", "  # ",
		"client_secret_file: secret", "client_secret: s").Replace(Template())
	commentless = strings.NewReplacer("# sasl", "sasl", "# warehouse", "warehouse", "# auth: {oauth2", "auth: {oauth2",
		"# access", "access", "# secret", "secret", "# registry", "registry").Replace(commentless)
	all := func(string) (string, bool) { return "v", true }
	only := func(name string) (string, bool) {
		if strings.HasPrefix(name, prefix) {
			return "", false
		}
		return all(name)
	}
	lab, err := Load(write(t, commentless), only)
	if err != nil || lab.Registry.Password.Reveal() != "v" || lab.Catalog.Auth.OAuth2.TokenURL == "" {
		t.Errorf("%+v, %v", lab, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string][2]string{
		"kafka: {brokrs: []}":                                                         {`lakeproof.yaml:1: unknown key "brokrs"`, `"brokers"`},
		"kafka: {brokers: [localhost]}":                                               {`kafka.brokers: "localhost" is not host:port`, "127.0.0.1:9092"},
		"kafka: {brokers: ['${NOPE}']}":                                               {"kafka.brokers[0]: the environment variable NOPE is not set", "export NOPE="},
		"lab: '${'":                                                                   {"${ without a name", "$${"},
		"kafka: {brokers: [a:1], tls: {cert_file: a}}":                                {"only one of cert_file and key_file", "mTLS"},
		"kafka: {brokers: [a:1], tls: {ca_file: none.crt}}":                           {"kafka.tls.ca_file", "relative path"},
		"kafka: {brokers: [a:1], sasl: {mechanism: X}}":                               {`"X" is not known`, "SCRAM-SHA-512"},
		"kafka: {brokers: [a:1], sasl: {mechanism: PLAIN, username: a}}":              {"kafka.sasl.password: is missing", "password_file"},
		"kafka: {tls: }":                                                              {"no brokers", "brokers"},
		"catalog: {uri: 'localhost:8181'}":                                            {"catalog.uri: the value is not", "http://"},
		"catalog: {uri: 'http://u:hush@h'}":                                           {"must not hold a login", "own keys"},
		"catalog: {uri: 'http://h', auth: {token: a, token_file: b}}":                 {"2 ways to log in", "one of"},
		"storage: {endpoint: 'http://h', access_key: hush}":                           {"only one of access_key", "both"},
		"storage: {endpoint: 'http://h', access_key: hush, access_key_file: f}":       {"both the value and access_key_file", "one of them"},
		"storage: {endpoint: 'http://h', access_key_file: none}":                      {"storage.access_key_file: reading the secret", "readable"},
		"spark: [{app: a, checkpoint: /tmp}]":                                         {`spark[0].checkpoint: "/tmp"`, "file:///path"},
		"spark: [{app: a, checkpoint: 's3://b/c'}, {app: a, checkpoint: 's3://b/c'}]": {"twice", "of its own"},
		"registry: {username: u}":                                                     {"registry.url: is missing", "url:"},
	} {
		_, err := Load(write(t, text), vars(nil))
		if err == nil {
			t.Errorf("%s: accepted", text)
			continue
		}
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), want[0]) || !strings.Contains(fail.HintOf(err), want[1]) {
			t.Errorf("%s: %v (hint %q), want %q", text, err, fail.HintOf(err), want)
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error shows a secret: %v", text, err)
		}
	}
}

func TestLoadWithoutFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Load("", vars(nil)); fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), "config init") {
		t.Errorf("%v (hint %q)", err, fail.HintOf(err))
	}
	lab, err := Load("", vars(map[string]string{"LAKEPROOF_KAFKA_BROKERS": "a:1", "LAKEPROOF_KAFKA_TLS_SERVER_NAME": "b"}))
	if err != nil || len(lab.Kafka.Brokers) != 1 || !lab.Kafka.TLS.Enabled || lab.Kafka.TLS.ServerName != "b" {
		t.Errorf("%+v, %v", lab, err)
	}
	if _, err := Load("other.yaml", vars(map[string]string{"LAKEPROOF_KAFKA_BROKERS": "a:1"})); fail.CodeOf(err) != fail.Usage {
		t.Errorf("a file that was named is missing: %v", err)
	}
}

func TestOverrideReplacesTheOtherWay(t *testing.T) {
	path := write(t, "storage: {endpoint: 'http://h', access_key: a, secret_key_file: none}")
	lab, err := Load(path, vars(map[string]string{"LAKEPROOF_STORAGE_SECRET_KEY": "b"}))
	if err != nil || lab.Storage.SecretKey.Reveal() != "b" {
		t.Errorf("%v", err)
	}
}

func TestLogins(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"password": "hunter2\n", "token": "abc\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "lakeproof.yaml")
	load := func(login string) (Lab, error) {
		text := "lab: home\nkafka: {brokers: [a:1]}\nclusters: {east: {brokers: [b:1], tls: {}, sasl: " + login + "}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(file, func(string) (string, bool) { return "", false })
	}
	for login, want := range map[string]SASL{
		"{mechanism: PLAIN, username: a, password_file: password}": {
			Mechanism: "PLAIN", Username: "a", Password: NewSecret("hunter2"), PasswordFile: filepath.Join(dir, "password"),
		},
		"{mechanism: OAUTHBEARER, token: abc}": {Mechanism: "OAUTHBEARER", Token: NewSecret("abc")},
		"{mechanism: OAUTHBEARER, token_file: token}": {
			Mechanism: "OAUTHBEARER", Token: NewSecret("abc"), TokenFile: filepath.Join(dir, "token"),
		},
		`{mechanism: OAUTHBEARER, oauth2: {token_url: "http://idp/token", client_id: c, client_secret: s, scope: k}}`: {
			Mechanism: "OAUTHBEARER",
			OAuth2:    OAuth2{TokenURL: "http://idp/token", ClientID: "c", ClientSecret: NewSecret("s"), Scope: "k"},
		},
		"{mechanism: AWS_MSK_IAM, access_key: a, secret_key: s, session_token: t}": {
			Mechanism: "AWS_MSK_IAM",
			AWS:       AWS{AccessKey: NewSecret("a"), SecretKey: NewSecret("s"), SessionToken: NewSecret("t")},
		},
	} {
		lab, err := load(login)
		if err != nil {
			t.Errorf("%s: %v", login, err)
			continue
		}
		if got := lab.Clusters["east"].SASL; got != want {
			t.Errorf("%s: %+v", login, got)
		}
		shown := lab.Clusters["east"].SASL.file()
		if text := fmt.Sprintf("%+v", shown); strings.Contains(text, "hunter2") || strings.Contains(text, "abc") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	for login, want := range map[string]string{
		"{mechanism: OAUTHBEARER}":                                "clusters.east.sasl: 0 ways to get a token",
		"{mechanism: OAUTHBEARER, token: a, token_file: token}":   "clusters.east.sasl: 2 ways",
		"{mechanism: OAUTHBEARER, oauth2: {client_id: c}}":        "clusters.east.sasl.oauth2",
		"{mechanism: AWS_MSK_IAM, access_key: a}":                 "clusters.east.sasl: access_key or secret_key is missing",
		"{mechanism: PLAIN, username: a, password_file: nowhere}": "clusters.east.sasl.password",
		"{mechanism: GSSAPI}":                                     `"GSSAPI" is not known`,
	} {
		if _, err := load(login); err == nil || !strings.Contains(err.Error(), want) || fail.CodeOf(err) != fail.Usage {
			t.Errorf("%s: %v", login, err)
		}
	}
	for text, want := range map[string]string{
		"lab: x\nclusters: {x: {brokers: [a:1]}}":     "clusters.x",
		"clusters: {east: {}}":                        "clusters.east.brokers",
		"clusters: {east: {brokers: [a]}}":            "clusters.east.brokers",
		"clusters: {east: {brokers: [a:1], tsl: {}}}": "tsl",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file, func(string) (string, bool) { return "", false }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
