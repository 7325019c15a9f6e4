package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Mechanisms are the logins that kafka.sasl.mechanism can name.
func Mechanisms() []string {
	return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", MechanismOAuth, MechanismAWS}
}

// The mechanisms that log in without a password.
const (
	MechanismOAuth = "OAUTHBEARER"
	MechanismAWS   = "AWS_MSK_IAM"
)

// lab checks the values, reads the files of secrets and fills in defaults.
func (f *file) lab(dir string) (Lab, error) {
	out := Lab{Name: or(f.Lab, "home")}
	var err error
	if out.Kafka, err = f.Kafka.validate("kafka", dir); err != nil {
		return Lab{}, err
	}
	if out.Clusters, err = validateClusters(f.Clusters, out.Name, dir); err != nil {
		return Lab{}, err
	}
	if out.Catalog, err = f.Catalog.validate(dir); err != nil {
		return Lab{}, err
	}
	if out.Storage, err = f.Storage.validate(dir); err != nil {
		return Lab{}, err
	}
	if out.Spark, err = validateSpark(f.Spark); err != nil {
		return Lab{}, err
	}
	out.Registry, err = f.Registry.validate(dir)
	return out, err
}

// validateClusters checks the clusters beside the lab's own.
func validateClusters(from map[string]fileKafka, own, dir string) (map[string]Kafka, error) {
	var out map[string]Kafka
	for _, name := range slices.Sorted(maps.Keys(from)) {
		key := "clusters." + name
		if name == "" || name == own {
			return nil, bad(key, "give each cluster a name of its own", "%q is the lab's name, or empty", name)
		}
		f := from[name]
		k, err := f.validate(key, dir)
		if err != nil {
			return nil, err
		}
		if len(k.Brokers) == 0 {
			return nil, bad(key+".brokers", "add brokers: [127.0.0.1:9092]", "is missing")
		}
		if out == nil {
			out = make(map[string]Kafka, len(from))
		}
		out[name] = k
	}
	return out, nil
}

func (f *fileKafka) validate(key, dir string) (Kafka, error) {
	out := Kafka{Brokers: f.Brokers}
	for _, b := range f.Brokers {
		host, port, err := net.SplitHostPort(b)
		if n, bad := strconv.Atoi(port); err != nil || host == "" || bad != nil || n < 1 || n > 65535 {
			return out, badBroker(key, b)
		}
	}
	if len(f.Brokers) == 0 && (f.TLS != nil || f.SASL != nil) {
		return out, bad(key+".brokers", "add brokers: [127.0.0.1:9092]", "no brokers, but a way to reach them")
	}
	var err error
	if f.TLS != nil {
		if out.TLS, err = f.TLS.validate(key+".tls", dir); err != nil {
			return out, err
		}
	}
	if f.SASL != nil {
		out.SASL, err = f.SASL.validate(key+".sasl", dir)
	}
	return out, err
}

func badBroker(key, b string) error {
	return bad(key+".brokers", "write host:port, for example 127.0.0.1:9092", "%q is not host:port", b)
}

func (f *fileTLS) validate(at, dir string) (TLS, error) {
	out := TLS{
		Enabled: true, CAFile: within(dir, f.CAFile), CertFile: within(dir, f.CertFile), KeyFile: within(dir, f.KeyFile),
		ServerName: f.ServerName, InsecureSkipVerify: f.InsecureSkipVerify,
	}
	if (f.CertFile == "") != (f.KeyFile == "") {
		return out, bad(at, "give both for mTLS, or neither", "only one of cert_file and key_file is set")
	}
	for key, path := range map[string]string{"ca_file": out.CAFile, "cert_file": out.CertFile, "key_file": out.KeyFile} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return out, fail.Wrap(fmt.Errorf("%s.%s: %w", at, key, err), fail.Usage,
				"the file must be there; a relative path begins at the folder of the configuration")
		}
	}
	return out, nil
}

func (f *fileCatalog) validate(dir string) (Catalog, error) {
	out := Catalog{URI: f.URI, Warehouse: f.Warehouse}
	if err := address("catalog.uri", f.URI); err != nil {
		return out, err
	}
	if f.URI == "" && (f.Warehouse != "" || f.Auth != nil) {
		return out, bad("catalog.uri", "add uri: http://127.0.0.1:8181/", "is missing")
	}
	var err error
	if f.Auth != nil {
		out.Auth, err = f.Auth.validate(dir)
	}
	return out, err
}

func (f *fileAuth) validate(dir string) (CatalogAuth, error) {
	const key = "catalog.auth"
	out := CatalogAuth{Token: NewSecret(f.Token), TokenFile: within(dir, f.TokenFile)}
	ways := 0
	for _, used := range []bool{f.Token != "", f.TokenFile != "", f.OAuth2 != nil} {
		if used {
			ways++
		}
	}
	if ways != 1 {
		return out, bad(key, "use one of token, token_file and oauth2", "%d ways to log in are set", ways)
	}
	if f.TokenFile != "" { // read anew by the client whenever it changes
		if _, err := secret(key+".token", "", f.TokenFile, dir); err != nil {
			return out, err
		}
	}
	if f.OAuth2 == nil {
		return out, nil
	}
	var err error
	if out.OAuth2, err = f.OAuth2.validate(key+".oauth2", dir); err == nil {
		out.OAuth2.Scope = or(out.OAuth2.Scope, "catalog")
	}
	return out, err
}

func (f *fileOAuth2) validate(key, dir string) (OAuth2, error) {
	if f.TokenURL == "" || f.ClientID == "" {
		return OAuth2{}, bad(key, "set token_url and client_id", "token_url or client_id is missing")
	}
	if err := address(key+".token_url", f.TokenURL); err != nil {
		return OAuth2{}, err
	}
	clientSecret, err := secret(key+".client_secret", f.ClientSecret, f.ClientSecretFile, dir)
	return OAuth2{TokenURL: f.TokenURL, ClientID: f.ClientID, ClientSecret: clientSecret, Scope: f.Scope}, err
}

func (f *fileStorage) validate(dir string) (Storage, error) {
	out := Storage{Endpoint: f.Endpoint, Region: or(f.Region, "us-east-1"), Bucket: f.Bucket, PathStyle: true}
	if f.PathStyle != nil {
		out.PathStyle = *f.PathStyle
	}
	if err := address("storage.endpoint", f.Endpoint); err != nil {
		return out, err
	}
	var err error
	if out.AccessKey, err = secret("storage.access_key", f.AccessKey, f.AccessKeyFile, dir); err != nil {
		return out, err
	}
	if out.SecretKey, err = secret("storage.secret_key", f.SecretKey, f.SecretKeyFile, dir); err != nil {
		return out, err
	}
	switch {
	case out.AccessKey.IsZero() != out.SecretKey.IsZero():
		return out, bad("storage", "give both, or neither for an open store", "only one of access_key and secret_key is set")
	case out.Endpoint == "" && (out.Bucket != "" || !out.AccessKey.IsZero()):
		return out, bad("storage.endpoint", "add endpoint: http://127.0.0.1:9000", "is missing")
	}
	return out, nil
}

func validateSpark(apps []fileSpark) ([]Spark, error) {
	var out []Spark
	seen := map[string]bool{}
	for i, f := range apps {
		key := fmt.Sprintf("spark[%d]", i)
		scheme, rest, _ := strings.Cut(f.Checkpoint, "://")
		switch {
		case f.App == "":
			return nil, bad(key+".app", "add app: bronze", "is missing")
		case seen[f.App]:
			return nil, bad(key+".app", "give each application a name of its own", "%q is there twice", f.App)
		case !slices.Contains([]string{"file", "s3", "s3a"}, scheme) || rest == "":
			return nil, bad(key+".checkpoint", "write s3://bucket/path, s3a://bucket/path or file:///path",
				"%q is not a location", f.Checkpoint)
		}
		if err := address(key+".ui", f.UI); err != nil {
			return nil, err
		}
		seen[f.App] = true
		out = append(out, Spark(f))
	}
	return out, nil
}

func (f *fileRegistry) validate(dir string) (Registry, error) {
	out := Registry{URL: f.URL, Username: f.Username}
	if err := address("registry.url", f.URL); err != nil {
		return out, err
	}
	var err error
	if out.Password, err = secret("registry.password", f.Password, f.PasswordFile, dir); err != nil {
		return out, err
	}
	if f.URL == "" && (f.Username != "" || !out.Password.IsZero()) {
		return out, bad("registry.url", "add url: http://127.0.0.1:8081", "is missing")
	}
	return out, nil
}

// address checks a URL; "" is a system that is not in use. A login in a URL is
// refused, because addresses are printed.
func address(key, text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		return bad(key, "write http://host:port or https://host:port", "the value is not an http(s) address")
	case u.User != nil:
		return bad(key, "give the login by its own keys", "an address must not hold a login")
	}
	return nil
}

func or(text, def string) string {
	if text == "" {
		return def
	}
	return text
}
