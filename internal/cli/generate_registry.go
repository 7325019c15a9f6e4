//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/schemaregistry"
	"github.com/lakeproof/lakeproof/loadtest"
)

// isFramed reports whether records of a format begin with the id of their schema.
func isFramed(format string) bool {
	return format == encode.AvroRegistry || format == encode.ProtobufRegistry
}

// schemaOf is the schema of a job's records as a registry takes it.
func schemaOf(j *job) schemaregistry.Schema {
	if j.format == encode.ProtobufRegistry {
		return schemaregistry.Schema{Type: schemaregistry.Protobuf, Text: encode.ProtoSchema(j.source.Schema())}
	}
	return schemaregistry.Schema{Type: schemaregistry.Avro, Text: encode.AvroSchema(j.source.Schema())}
}

// register registers the schemas of the records that have frames, where there is
// a registry, and gives the frames their ids. Nothing is registered unless all
// would be taken.
func (c *generateRunCmd) register(ctx context.Context, a *app, jobs []*job) error {
	var framed []*job
	for _, j := range jobs {
		if isFramed(j.format) {
			framed = append(framed, j)
		}
	}
	if len(framed) == 0 && c.Registry != "" {
		return fail.New(fail.Usage, "add --format avro-registry, or protobuf-registry, or leave it away",
			"reading --registry: the records have no frame for a schema's id")
	}
	if len(framed) == 0 || c.SchemaID != nil {
		return nil
	}
	where, err := c.registry(a)
	if err != nil || where.URL == "" {
		return err
	}
	client, err := schemaregistry.New(where, schemaregistry.Options{})
	if err != nil {
		return err
	}
	defer client.Close()
	for _, j := range framed {
		if _, evolves := j.encoder.(loadtest.Numbered); evolves {
			return fail.New(fail.Usage, "frame its records with --schema-id N",
				"registering the schema of %s: it changes on the way", j.name)
		}
		if err := client.Check(ctx, c.topic(j), schemaOf(j)); err != nil {
			return err
		}
	}
	for _, j := range framed {
		if err := c.frame(ctx, client, j); err != nil {
			return err
		}
		a.say("%s: schema %d of subject %s", j.name, j.schemaID, schemaregistry.Subject(c.topic(j)))
	}
	return nil
}

// frame registers the schema of a job and gives its records the id.
func (c *generateRunCmd) frame(ctx context.Context, client *schemaregistry.Client, j *job) (err error) {
	if j.schemaID, err = client.Register(ctx, c.topic(j), schemaOf(j)); err != nil {
		return err
	}
	j.encoder, err = encode.New(j.format, j.source.Schema(), encode.Options{SchemaID: j.schemaID})
	if err != nil {
		return fmt.Errorf("framing %s: %w", j.name, err)
	}
	return nil
}

// registry is the one that --registry names, with the user and the password of
// lakeproof.yaml where that names the same; else, for records that go to Kafka,
// that of lakeproof.yaml.
func (c *generateRunCmd) registry(a *app) (config.Registry, error) {
	if c.Registry == "" && c.Sink != "kafka" {
		return config.Registry{}, nil
	}
	lab, err := a.lab()
	switch {
	case err != nil && c.Registry != "" && c.Sink != "kafka" && a.globals.Config == "" && !exists(config.DefaultPath):
		return config.Registry{URL: c.Registry}, nil // it is all that must be known
	case err != nil:
		return config.Registry{}, err
	case c.Registry == "" || strings.TrimRight(c.Registry, "/") == strings.TrimRight(lab.Registry.URL, "/"):
		return lab.Registry, nil
	}
	return config.Registry{URL: c.Registry}, nil
}

// topic is where the records of a job go, or would.
func (c *generateRunCmd) topic(j *job) string {
	if c.Topic != "" {
		return c.Topic
	}
	return j.topic
}
