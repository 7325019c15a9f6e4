package schemaregistry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"go.uber.org/goleak"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	avroV1  = `{"type":"record","name":"Payment","namespace":"lakeproof","fields":[{"name":"event_id","type":"string"}]}`
	avroV2  = `{"type":"record","name":"Payment","namespace":"lakeproof","fields":[{"name":"event_id","type":"string"},{"name":"fee","type":"long"}]}`
	protoV1 = "syntax = \"proto3\";\n\npackage lakeproof;\n\nmessage Payment {\n  string event_id = 1;\n}\n"
)

func newClient(t *testing.T, cfg config.Registry) *Client {
	t.Helper()
	c, err := New(cfg, Options{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// fake is a registry of somebody else's making; it takes every schema.
func fake(t *testing.T, opts ...srfake.Option) (*srfake.Registry, *Client) {
	t.Helper()
	r := srfake.New(opts...)
	t.Cleanup(r.Close)
	return r, newClient(t, config.Registry{URL: r.URL()})
}

func TestRegister(t *testing.T) {
	r, c := fake(t)
	ctx := t.Context()
	if err := c.Check(ctx, "payments", Schema{Avro, avroV1}); err != nil {
		t.Errorf("a subject that is new: %v", err)
	}
	first, err := c.Register(ctx, "payments", Schema{Avro, avroV1})
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Register(ctx, "payments", Schema{Avro, avroV1})
	if err != nil || again != first {
		t.Errorf("the same schema has id %d and then %d, %v", first, again, err)
	}
	proto, err := c.Register(ctx, "orders", Schema{Protobuf, protoV1})
	if err != nil || proto == first {
		t.Errorf("another schema has id %d, %v", proto, err)
	}
	if err := c.Check(ctx, "payments", Schema{Avro, avroV1}); err != nil {
		t.Error(err)
	}

	// What an ordinary client finds.
	ordinary, err := sr.NewClient(sr.URLs(r.URL()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		subject, text string
		id            uint32
		kind          sr.SchemaType
	}{{"payments-value", avroV1, first, sr.TypeAvro}, {"orders-value", protoV1, proto, sr.TypeProtobuf}} {
		got, err := ordinary.SchemaByVersion(ctx, want.subject, 1)
		if err != nil || got.ID != int(want.id) || got.Type != want.kind || got.Schema.Schema != want.text {
			t.Errorf("%s is %+v, %v", want.subject, got, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestRule(t *testing.T) {
	r, c := fake(t, srfake.WithGlobalCompat(sr.CompatForward))
	if rule, err := c.Rule(t.Context(), "payments"); err != nil || rule != "FORWARD" {
		t.Errorf("rule is %q, %v", rule, err)
	}
	r.Intercept(func(w http.ResponseWriter, req *http.Request) bool { // a registry that does not know defaultToGlobal
		if req.URL.Path == "/config" {
			return false
		}
		answer(w, 404, `{"error_code":40408,"message":"Subject 'payments-value' does not have subject-level compatibility configured"}`)
		return true
	})
	if rule, err := c.Rule(t.Context(), "payments"); err != nil || rule != "FORWARD" {
		t.Errorf("the registry's rule is %q, %v", rule, err)
	}
}

func TestLogin(t *testing.T) {
	r, without := fake(t, srfake.WithAuth("Basic dXNlcjpzZWNyZXQ="))
	if _, err := newClient(t, config.Registry{URL: r.URL(), Username: "user", Password: config.NewSecret("secret")}).
		Register(t.Context(), "payments", Schema{Avro, avroV1}); err != nil {
		t.Error(err)
	}
	_, err := without.Register(t.Context(), "payments", Schema{Avro, avroV1})
	want(t, err, fail.Usage, "answered 401", "registry.username")
	inURL := newClient(t, config.Registry{URL: strings.Replace(r.URL(), "http://", "http://user:wrong-secret@", 1)})
	_, err = inURL.Register(t.Context(), "payments", Schema{Avro, avroV1})
	want(t, err, fail.Usage, "answered 403", "registry.username")
	r.Close()
	_, err = inURL.Register(t.Context(), "payments", Schema{Avro, avroV1})
	want(t, err, fail.Unreachable, "reaching http://user:xxxxx@127.0.0.1", "start the Schema Registry")
	if strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("the password is in %v", err)
	}
}

func want(t *testing.T, err error, code fail.Code, text, hint string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", text)
		return
	}
	if fail.CodeOf(err) != code || !strings.Contains(err.Error(), text) || !strings.Contains(fail.HintOf(err), hint) {
		t.Errorf("%v\nwith code %d and hint %q;\nwant %q with code %d and hint %q", err, fail.CodeOf(err), fail.HintOf(err), text, code, hint)
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// The answers of Confluent's registry to a schema that its rule refuses: of
// today, which gives reasons at once, and of 7.0, which has to be asked.
func TestIncompatible(t *testing.T) {
	const reason = `{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'fee' at path '/fields/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'fee'}`
	messages, err := json.Marshal(map[string]any{"is_compatible": false, "messages": []string{
		"{oldSchemaVersion: 1}", "{oldSchema: '" + avroV1 + "'}", reason,
	}[1:]})
	if err != nil {
		t.Fatal(err)
	}
	modern, err := json.Marshal(map[string]any{
		"error_code": 409, "message": `Schema being registered is incompatible with an earlier schema for subject "payments-value", details: [` + reason + `]`,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, registers := range map[string]string{
		"modern": string(modern),
		"old":    `{"error_code":409,"message":"Schema being registered is incompatible with an earlier schema"}`,
	} {
		for _, rule := range []struct{ name, meaning string }{
			{"BACKWARD", "a reader with the new schema must understand what the latest version wrote"},
			{"BACKWARD_TRANSITIVE", "what every earlier version wrote"},
			{"FORWARD", "a reader with the latest version must understand"},
			{"FULL_TRANSITIVE", "with every earlier version must understand each other's"},
		} {
			r, c := fake(t)
			r.Intercept(func(w http.ResponseWriter, req *http.Request) bool {
				switch {
				case strings.HasPrefix(req.URL.Path, "/compatibility/"):
					answer(w, 200, string(messages))
				case req.Method == http.MethodPost:
					answer(w, 409, registers)
				default:
					answer(w, 200, `{"compatibilityLevel":"`+rule.name+`"}`)
				}
				return true
			})
			_, errRegister := c.Register(t.Context(), "payments", Schema{Avro, avroV2})
			errCheck := c.Check(t.Context(), "payments", Schema{Avro, avroV2})
			for _, err := range []error{errRegister, errCheck} {
				want(t, err, fail.Usage, "rule "+rule.name+" refuses it", "PUT /config/payments-value")
				want(t, err, fail.Usage, rule.meaning, "nullable")
				want(t, err, fail.Usage, "READER_FIELD_MISSING_DEFAULT_VALUE", "")
				if !errors.Is(err, ErrIncompatible) || strings.Contains(err.Error(), "oldSchema") {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	// Refused for another cause than the latest version: what it said first counts.
	r, c := fake(t)
	r.Intercept(func(w http.ResponseWriter, req *http.Request) bool {
		if req.Method == http.MethodPost && strings.HasPrefix(req.URL.Path, "/subjects/") {
			answer(w, 409, string(modern))
			return true
		}
		if req.Method == http.MethodGet {
			answer(w, 500, `{"error_code":50001,"message":"no"}`)
			return true
		}
		return false // and the fake finds it compatible with the latest
	})
	_, err = c.Register(t.Context(), "payments", Schema{Avro, avroV2})
	want(t, err, fail.Usage, "READER_FIELD_MISSING_DEFAULT_VALUE", "nullable")
	want(t, err, fail.Usage, "rule that could not be read", "nullable")
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name       string
		status     int
		body       string
		code       fail.Code
		text, hint string
	}{
		{"invalid", 422, `{"error_code":42201,"message":"Either the input schema or one its references is invalid"}`, fail.Usage, "error 42201 (Either", "type AVRO"},
		{"read-only", 422, `{"error_code":42205,"message":"Subject payments-value is in read-only mode"}`, fail.Usage, "read-only", "READWRITE"},
		{"no login", 401, `{"error_code":401,"message":"Unauthorized"}`, fail.Usage, "answered 401 Unauthorized (Unauth", "registry.username and"},
		{"forbidden", 403, `{"error_code":40301,"message":"User is denied operation Write"}`, fail.Usage, "answered 403", "grant this user"},
		{"no registry", 404, "404 page not found", fail.Unreachable, "answered 404 Not Found", "root of a Schema Registry"},
		{"method", 405, "", fail.Unreachable, "answered 405", "root of a Schema Registry"},
		{"login page", 200, "<html>Sign in</html>", fail.Unreachable, "reading the answer of http://127.0.0.1", "no login page"},
		{"other JSON", 200, `{"name":"es01","version":{"number":"8"}}`, fail.Unreachable, "the answer has no", "root of a Schema Registry"},
		{"id of another kind", 200, `{"id":"seven","is_compatible":"no"}`, fail.Unreachable, "reading the answer", "root"},
		{"id too large", 200, `{"id":4294967296,"is_compatible":3}`, fail.Unreachable, "reading the answer", "root"},
		{"too long", 200, `{"id":1,"x":"` + strings.Repeat("x", maxBody) + `"}`, fail.Unreachable, "longer than expected", "root"},
		{"too many", 429, "", fail.Unreachable, "answered 429", "try again"},
		{"no leader", 500, `{"error_code":50003,"message":"Error while forwarding the request to the leader"}`, fail.Unreachable, "error 50003", "Kafka may be down"},
		{"control characters", 502, `{"error_code":502,"message":"a\u001b[31mb\n` + strings.Repeat("long ", 200) + `"}`, fail.Unreachable, "(a [31mb long", "log"},
		{"redirect", 304, "", fail.Unreachable, "answered 304", "login page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, client := fake(t)
			r.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
				if c.status == http.StatusNotModified {
					w.WriteHeader(c.status)
				} else {
					answer(w, c.status, c.body)
				}
				return true
			})
			_, errRegister := client.Register(t.Context(), "payments", Schema{Avro, avroV1})
			errCheck := client.Check(t.Context(), "payments", Schema{Avro, avroV1})
			for _, err := range []error{errRegister, errCheck} {
				want(t, err, c.code, c.text, c.hint)
				if len(err.Error()) > 700 || strings.ContainsAny(err.Error(), "\n\x1b") {
					t.Errorf("not one line: %q", err)
				}
			}
		})
	}
}

func TestDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := newClient(t, config.Registry{URL: "http://" + address})
	_, err = c.Register(t.Context(), "payments", Schema{Avro, avroV1})
	want(t, err, fail.Unreachable, "reaching http://"+address, "start the Schema Registry, or correct registry.url")
	_, err = newClient(t, config.Registry{URL: "https://" + address}).Rule(t.Context(), "payments")
	want(t, err, fail.Unreachable, "reaching https://"+address, "start the Schema Registry")
}

// A registry that hangs costs the timeout, and a caller who stops nothing.
func TestHangs(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/config/half-value" {
			_, _ = io.WriteString(w, `{"compatibilityLevel":`)
			w.(http.Flusher).Flush()
		}
		<-release
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(release) })
	c, err := New(config.Registry{URL: s.URL + "/"}, Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	_, err = c.Register(t.Context(), "payments", Schema{Avro, avroV1})
	want(t, err, fail.Unreachable, "no answer in time", "hangs")
	_, err = c.Rule(t.Context(), "half")
	want(t, err, fail.Unreachable, "no answer in time", "hangs")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = c.Register(ctx, "payments", Schema{Avro, avroV1}); !errors.Is(err, context.Canceled) || fail.CodeOf(err) == fail.Unreachable {
		t.Errorf("stopped by the caller: %v", err)
	}
}

func TestRequestsAreFewAndTakenDown(t *testing.T) {
	r, c := fake(t)
	var bodies atomic.Value
	r.Intercept(func(_ http.ResponseWriter, req *http.Request) bool {
		if req.Header.Get("Content-Type") != mediaType || !strings.Contains(req.Header.Get("Accept"), mediaType) {
			t.Errorf("headers are %v", req.Header)
		}
		bodies.Store(req.URL.EscapedPath())
		return false
	})
	ctx, requests := telemetry.WithRequests(t.Context())
	if _, err := c.Register(ctx, "payments.v1", Schema{Avro, avroV1}); err != nil {
		t.Fatal(err)
	}
	if requests.Count() != 1 || requests.Bytes() == 0 || bodies.Load() != "/subjects/payments.v1-value/versions" {
		t.Errorf("%d requests: %+v, %v", requests.Count(), requests.List(), bodies.Load())
	}
}

func TestAddress(t *testing.T) {
	for _, bad := range []string{"", "registry:8081", "ftp://registry", "http://", "http://%zz"} {
		_, err := New(config.Registry{URL: bad}, Options{})
		want(t, err, fail.Usage, "registry.url", "http://host:port")
	}
}

// Whatever a registry says is one short line.
func FuzzRefusal(f *testing.F) {
	f.Add(409, []byte(`{"error_code":409,"message":"no"}`))
	f.Add(500, []byte("<html>"))
	c, err := New(config.Registry{URL: "http://registry"}, Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		err := c.refusal("registering", Schema{Type: Avro}, newSaid(status, body))
		if text := err.Error(); strings.ContainsAny(text, "\n\r\x1b\x00") || len(text) > 2000 || fail.HintOf(err) == "" {
			t.Errorf("%q with hint %q", text, fail.HintOf(err))
		}
	})
}
