// Package config is the lab's configuration: lakeproof.yaml as a validated
// value.
//
// A value flows like this: the file is decoded strictly, ${VARIABLES} in its
// strings are replaced, LAKEPROOF_ variables of the environment override it,
// files of secrets are read, and what comes out is a checked [Lab]. [Show]
// prints one back, secrets redacted.
//
// It connects to nothing: whether a system answers is for its client to say.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// DefaultPath is the file that is read when none is named.
const DefaultPath = "lakeproof.yaml"

// Lookup returns a variable of the environment and whether it is set.
type Lookup = func(string) (string, bool)

// Load reads the file, or [DefaultPath] when path is "". The default file may
// be missing when variables of the environment take its place. Errors are
// fail.Usage and name the file and the key.
func Load(path string, lookup Lookup) (Lab, error) {
	var f file
	name := path
	if name == "" {
		name = DefaultPath
	}
	text, err := os.ReadFile(name)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err == nil:
		if err := f.parse(filepath.Base(name), text, lookup); err != nil {
			return Lab{}, err
		}
	case !missing:
		return Lab{}, fail.Wrap(fmt.Errorf("reading the configuration: %w", err), fail.Usage, "the file must be readable")
	}
	overridden, err := override(&f, lookup)
	if err != nil {
		return Lab{}, err
	}
	if missing && (path != "" || !overridden) {
		return Lab{}, fail.New(fail.Usage,
			"write one with `lakeproof config init`, name one with --config, or start with `lakeproof demo`, which needs none",
			"reading the configuration %s: no such file", name)
	}
	lab, err := f.lab(filepath.Dir(name))
	if err != nil {
		return Lab{}, fail.Wrap(fmt.Errorf("%s: %w", filepath.Base(name), err), fail.Usage, "")
	}
	return lab, nil
}

// file is lakeproof.yaml as it is written. Every path of keys is also a
// variable of the environment: kafka.brokers is LAKEPROOF_KAFKA_BROKERS.
type file struct {
	Lab      string               `yaml:"lab"`
	Kafka    fileKafka            `yaml:"kafka"`
	Catalog  fileCatalog          `yaml:"catalog"`
	Storage  fileStorage          `yaml:"storage"`
	Spark    []fileSpark          `yaml:"spark"`
	Registry fileRegistry         `yaml:"registry"`
	Clusters map[string]fileKafka `yaml:"clusters,omitempty"`
}

type fileKafka struct {
	Brokers []string  `yaml:"brokers,flow"`
	TLS     *fileTLS  `yaml:"tls,omitempty"`
	SASL    *fileSASL `yaml:"sasl,omitempty"`
}

type fileTLS struct {
	CAFile             string `yaml:"ca_file"`
	CertFile           string `yaml:"cert_file"`
	KeyFile            string `yaml:"key_file"`
	ServerName         string `yaml:"server_name"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
}

type fileSASL struct {
	Mechanism    string `yaml:"mechanism"`
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file,omitempty"`

	Token     string      `yaml:"token,omitempty"`
	TokenFile string      `yaml:"token_file,omitempty"`
	OAuth2    *fileOAuth2 `yaml:"oauth2,omitempty"`

	AccessKey     string `yaml:"access_key,omitempty"`
	AccessKeyFile string `yaml:"access_key_file,omitempty"`
	SecretKey     string `yaml:"secret_key,omitempty"`
	SecretKeyFile string `yaml:"secret_key_file,omitempty"`
	SessionToken  string `yaml:"session_token,omitempty"`
}

type fileCatalog struct {
	URI       string    `yaml:"uri"`
	Warehouse string    `yaml:"warehouse"`
	Auth      *fileAuth `yaml:"auth,omitempty"`
}

type fileAuth struct {
	Token     string      `yaml:"token,omitempty"`
	TokenFile string      `yaml:"token_file,omitempty"`
	OAuth2    *fileOAuth2 `yaml:"oauth2,omitempty"`
}

type fileOAuth2 struct {
	TokenURL         string `yaml:"token_url"`
	ClientID         string `yaml:"client_id"`
	ClientSecret     string `yaml:"client_secret"`
	ClientSecretFile string `yaml:"client_secret_file,omitempty"`
	Scope            string `yaml:"scope"`
}

type fileStorage struct {
	Endpoint      string `yaml:"endpoint"`
	Region        string `yaml:"region"`
	Bucket        string `yaml:"bucket"`
	PathStyle     *bool  `yaml:"path_style"`
	AccessKey     string `yaml:"access_key"`
	AccessKeyFile string `yaml:"access_key_file,omitempty"`
	SecretKey     string `yaml:"secret_key"`
	SecretKeyFile string `yaml:"secret_key_file,omitempty"`
}

type fileSpark struct {
	App        string `yaml:"app"`
	UI         string `yaml:"ui"`
	Checkpoint string `yaml:"checkpoint"`
}

type fileRegistry struct {
	URL          string `yaml:"url"`
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file,omitempty"`
}

// parse fills f from the text of a file.
func (f *file) parse(name string, text []byte, lookup Lookup) error {
	if err := strict.Decode(text, name, f); err != nil {
		return err
	}
	// A key tls without a value switches TLS on, but decodes to nothing.
	var present struct {
		Kafka struct {
			TLS yaml.Node `yaml:"tls"`
		} `yaml:"kafka"`
	}
	if err := yaml.Unmarshal(text, &present); err == nil && present.Kafka.TLS.Kind != 0 && f.Kafka.TLS == nil {
		f.Kafka.TLS = &fileTLS{}
	}
	if err := expand(f, lookup); err != nil {
		return fail.Wrap(fmt.Errorf("%s: %w", name, err), fail.Usage, "")
	}
	return nil
}

// secret returns the value, or the content of the file without the line feed
// at its end.
func secret(key, value, path, dir string) (Secret, error) {
	if value != "" && path != "" {
		return Secret{}, bad(key, "keep one of them", "both the value and %s_file are set", lastKey(key))
	}
	if path == "" {
		return NewSecret(value), nil
	}
	data, err := os.ReadFile(within(dir, path))
	if err != nil {
		return Secret{}, fail.Wrap(fmt.Errorf("%s_file: reading the secret: %w", key, err), fail.Usage,
			"the file must be there and readable; a relative path begins at the folder of the configuration")
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return Secret{}, bad(key+"_file", "write the secret into the file", "the file %s is empty", path)
	}
	return NewSecret(text), nil
}

// within makes a relative path one that begins at the folder of the file.
func within(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func lastKey(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// bad is an error about the value of a key.
func bad(key, hint, format string, args ...any) error {
	return fail.New(fail.Usage, hint, "%s: %s", key, fmt.Sprintf(format, args...))
}
