//go:build e2e

package schemaregistry

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

// TestRealRegistry holds the client against Apicurio Registry: what it registers
// is there for an ordinary client and after a restart, what the rule refuses is
// refused with its reason, and a registry that is away is told from one that
// says no.
func TestRealRegistry(t *testing.T) {
	installed := os.Getenv("LAKEPROOF_LAB_DIR")
	if installed == "" {
		installed = filepath.Join("..", "..", "..", ".lab")
	}
	lab, err := local.New(local.Options{
		Dir: t.TempDir(), Install: installed, FreePorts: true, Components: []string{local.Registry},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Down(context.Background()); err != nil {
			t.Errorf("bringing the registry down: %v", err)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := lab.Up(ctx); err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	c := newClient(t, lab.Config().Registry)

	ours := Schema{Avro, encode.AvroSchema(fintech.NewPayments(1).Schema())}
	if err := c.Check(ctx, "payments", ours); err != nil {
		t.Errorf("a subject that is new: %v", err)
	}
	id := register(ctx, t, c, "payments", ours)
	if again := register(ctx, t, c, "payments", ours); again != id {
		t.Errorf("the same schema has id %d and then %d", id, again)
	}
	if other := register(ctx, t, c, "orders", Schema{Protobuf, protoV1}); other == id {
		t.Errorf("two schemas have id %d", id)
	}
	ordinary, err := sr.NewClient(sr.URLs(lab.Config().Registry.URL))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ordinary.SchemaByID(ctx, int(id)); err != nil || got.Schema != ours.Text {
		t.Errorf("id %d is %.200q, %v", id, got.Schema, err)
	}
	if _, err := ordinary.SchemaByID(ctx, 0x7f000001); err == nil {
		t.Error("an id that was never given out is known")
	}
	refusals(ctx, t, c, ordinary)

	if err := lab.Stop(ctx, local.Registry); err != nil {
		t.Fatal(err)
	}
	_, err = c.Register(ctx, "payments", ours)
	want(t, err, fail.Unreachable, "reaching http://127.0.0.1:", "start the Schema Registry, or correct registry.url")
	if err := lab.Start(ctx, local.Registry); err != nil {
		t.Fatal(err)
	}
	if again := register(ctx, t, c, "payments", ours); again != id {
		t.Errorf("after a restart id %d is %d", id, again)
	}
}

func register(ctx context.Context, t *testing.T, c *Client, topic string, s Schema) uint32 {
	t.Helper()
	id, err := c.Register(ctx, topic, s)
	if err != nil || id == 0 {
		t.Fatalf("id %d, %v (%s)", id, err, fail.HintOf(err))
	}
	return id
}

// refusals asks for what the registry must not take.
func refusals(ctx context.Context, t *testing.T, c *Client, ordinary *sr.Client) {
	t.Helper()
	register(ctx, t, c, "ruled", Schema{Avro, avroV1})
	if rule, err := c.Rule(ctx, "ruled"); err != nil || rule != "NONE" {
		t.Errorf("the registry's rule is %q, %v", rule, err)
	}
	for _, r := range ordinary.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatBackward}, Subject("ruled")) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	if rule, err := c.Rule(ctx, "ruled"); err != nil || rule != "BACKWARD" {
		t.Errorf("the subject's rule is %q, %v", rule, err)
	}
	_, errRegister := c.Register(ctx, "ruled", Schema{Avro, avroV2})
	errCheck := c.Check(ctx, "ruled", Schema{Avro, avroV2})
	for _, err := range []error{errRegister, errCheck} {
		want(t, err, fail.Usage, "rule BACKWARD refuses it (a reader with the new schema", "make a new field nullable")
		if !errors.Is(err, ErrIncompatible) {
			t.Error(err)
		}
	}
	if !strings.Contains(errRegister.Error(), "fee") {
		t.Errorf("the field is not named: %v", errRegister)
	}
	register(ctx, t, c, "ruled", Schema{Avro, strings.Replace(avroV2, `"long"`, `["null","long"],"default":null`, 1)})
	_, err := c.Register(ctx, "broken", Schema{Avro, `{"type":"record"}`})
	want(t, err, fail.Usage, "registry answered 422", "type AVRO")
}
