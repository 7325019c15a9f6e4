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
		Kafka:   fileKafka{Brokers: k.Brokers},
		Catalog: fileCatalog{URI: c.URI, Warehouse: c.Warehouse},
		Storage: fileStorage{
			Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, PathStyle: &s.PathStyle,
			AccessKey: s.AccessKey.String(), SecretKey: s.SecretKey.String(),
		},
		Spark:    []fileSpark{},
		Registry: fileRegistry{URL: r.URL, Username: r.Username, Password: r.Password.String()},
	}
	if t := k.TLS; t.Enabled {
		f.Kafka.TLS = &fileTLS{t.CAFile, t.CertFile, t.KeyFile, t.ServerName, t.InsecureSkipVerify}
	}
	if k.SASL.Mechanism != "" {
		f.Kafka.SASL = &fileSASL{Mechanism: k.SASL.Mechanism, Username: k.SASL.Username, Password: k.SASL.Password.String()}
	}
	if a := c.Auth; a != (CatalogAuth{}) {
		f.Catalog.Auth = &fileAuth{Token: a.Token.String(), TokenFile: a.TokenFile}
		if o := a.OAuth2; o.TokenURL != "" {
			f.Catalog.Auth.OAuth2 = &fileOAuth2{
				TokenURL: o.TokenURL, ClientID: o.ClientID, ClientSecret: o.ClientSecret.String(), Scope: o.Scope,
			}
		}
	}
	for _, app := range lab.Spark {
		f.Spark = append(f.Spark, fileSpark(app))
	}
	return f
}
