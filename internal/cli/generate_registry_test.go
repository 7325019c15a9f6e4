//go:build !exporter

package cli

import (
	"context"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// lakeproof runs a command line in this process.
func lakeproof(args ...string) (code fail.Code, stdout, stderr string) {
	var out, said strings.Builder
	e := env.Env{
		Args: args, Stdout: &out, Stderr: &said, Lookup: func(string) (string, bool) { return "", false },
		Width: func() int { return 80 }, Signals: context.WithCancel,
	}
	return fail.Code(Main(e)), out.String(), said.String()
}

// The schema is registered under the topic's subject, and the frame of each
// record has the id that it got.
func TestRegistry(t *testing.T) {
	r := srfake.New()
	t.Cleanup(r.Close)
	taken := map[string]uint32{}
	for _, format := range []string{"avro-registry", "protobuf-registry"} {
		for _, stream := range []string{"payments", "bank.labels"} {
			if format == "protobuf-registry" && stream == "bank.labels" {
				continue // its subject has an Avro schema
			}
			code, out, said := lakeproof("generate", stream, "--count", "3", "--format", format, "--registry", r.URL()+"/", "--run", "1")
			if code != fail.Pass {
				t.Fatalf("%d: %s", code, said)
			}
			records, id := 0, uint32(0)
			for rest := []byte(out); len(rest) > 0; records++ {
				n := binary.BigEndian.Uint32(rest)
				if rest[4] != 0 {
					t.Errorf("%s of %s: no frame", format, stream)
				}
				id, rest = binary.BigEndian.Uint32(rest[5:]), rest[4+n:]
			}
			if records != 3 || id == 0 || !strings.Contains(said, "subject "+stream+"-value") {
				t.Errorf("%s of %s: %d records of schema %d: %s", format, stream, records, id, said)
			}
			taken[stream+format] = id
		}
	}
	if taken["payments"+"avro-registry"] == taken["bank.labels"+"avro-registry"] {
		t.Errorf("two schemas have one id: %v", taken)
	}
}

// What a registry refuses ends the command before anything is made.
func TestRegistryRefuses(t *testing.T) {
	status, body := http.StatusOK, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	dir := t.TempDir()
	lab := filepath.Join(dir, "lab.yaml")
	text := "kafka: {brokers: ['127.0.0.1:1']}\nregistry: {url: " + server.URL + ", username: ann, password: secret}\n"
	if err := os.WriteFile(lab, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status     int
		body, want string
		code       fail.Code
		args       []string
	}{
		{409, `{"error_code":409,"message":"an older schema disagrees"}`, "409", fail.Unreachable, nil},
		{200, `{"is_compatible":false,"messages":["field gone"]}`, "refuses it: field gone", fail.Usage, nil},
		{422, `{"error_code":42201,"message":"bad schema"}`, "error 42201 (bad schema)", fail.Usage, nil},
		{500, ``, "500", fail.Unreachable, nil},
		{200, `<html>`, "reading the answer", fail.Unreachable, nil},
		{200, ``, "401", fail.Usage, []string{"--registry", strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}},
		{200, ``, "127.0.0.1:1", fail.Unreachable, []string{"--registry", "http://127.0.0.1:1"}},
		{200, ``, "not a web address", fail.Usage, []string{"--registry", "registry:8081"}},
		{200, ``, "reading --schema-id and --registry", fail.Usage, []string{"--registry", server.URL, "--schema-id", "7"}},
		{200, ``, "have no frame", fail.Usage, []string{"--registry", server.URL, "--format", "avro"}},
		{500, ``, "500", fail.Unreachable, []string{"--sink", "kafka", "--topic", "pay"}}, // that of the file
	} {
		status, body = c.status, c.body
		args := []string{"--config", lab, "generate", "--count", "3", "--format", "avro-registry"}
		if c.args == nil {
			c.args = []string{"--registry", server.URL}
		}
		code, out, said := lakeproof(append(args, c.args...)...)
		if code != c.code || out != "" || !strings.Contains(said, c.want) || !strings.Contains(said, "\nhint: ") ||
			strings.Contains(said, "secret") {
			t.Errorf("%d %s %q: code %d, want %d, stdout %q, %s", c.status, c.body, c.args, code, c.code, out, said)
		}
	}
}
