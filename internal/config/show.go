package config

import (
	_ "embed" // of the template
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

//go:embed template.yaml
var template string

// Template returns the text of a new lakeproof.yaml, with comments.
func Template() string { return template }

// Show writes the lab as a lakeproof.yaml with all its defaults. Secrets are
// "[redacted]".
func Show(w io.Writer, lab Lab) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(fileOf(lab)); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return e.Close()
}

// fileOf is the file that would give the lab, but for its secrets.
func fileOf(lab Lab) *file {
	k, c, s, r := lab.Kafka, lab.Catalog, lab.Storage, lab.Registry
	f := &file{
		Lab:     lab.Name,
		Kafka:   k.file(),
		Catalog: fileCatalog{URI: c.URI, Warehouse: c.Warehouse},
		Storage: fileStorage{
			Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, PathStyle: &s.PathStyle,
			AccessKey: s.AccessKey.String(), SecretKey: s.SecretKey.String(),
		},
		Spark:    []fileSpark{},
		Registry: fileRegistry{URL: r.URL, Username: r.Username, Password: r.Password.String()},
	}
	for name, cluster := range lab.Clusters {
		if f.Clusters == nil {
			f.Clusters = map[string]fileKafka{}
		}
		f.Clusters[name] = cluster.file()
	}
	if a := c.Auth; a != (CatalogAuth{}) {
		f.Catalog.Auth = &fileAuth{Token: a.Token.String(), TokenFile: a.TokenFile, OAuth2: a.OAuth2.file()}
	}
	for _, app := range lab.Spark {
		f.Spark = append(f.Spark, fileSpark(app))
	}
	return f
}

func (k Kafka) file() fileKafka {
	f := fileKafka{Brokers: k.Brokers, SASL: k.SASL.file()}
	if t := k.TLS; t.Enabled {
		f.TLS = &fileTLS{t.CAFile, t.CertFile, t.KeyFile, t.ServerName, t.InsecureSkipVerify}
	}
	return f
}
