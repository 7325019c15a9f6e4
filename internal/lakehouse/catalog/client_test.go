package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
)

// recorded is an exchange with a real Lakekeeper.
type recorded struct {
	Request struct {
		Path    string
		Headers map[string]string
	}
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// answers serves what was recorded, by the exact path that was asked for.
type answers map[string]http.HandlerFunc

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, ok := a[r.URL.EscapedPath()]; ok {
		h(w, r)
		return
	}
	http.Error(w, "no such path: "+r.URL.EscapedPath(), http.StatusNotFound)
}

func reply(status int, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

func dial(t testing.TB, h http.Handler, path string, auth config.CatalogAuth) *catalog.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := catalog.New(config.Catalog{URI: server.URL + path, Warehouse: "demo", Auth: auth},
		catalog.Options{Timeout: 10 * time.Second, MaxBody: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestReferenceServer(t *testing.T) {
	const etag = "bare-etag=without+quotes"
	refs, all := read(t, "iceberg-rest-1.11.0/loadtable-refs.json"), read(t, "iceberg-rest-1.11.0/loadtable-all.json")
	var configs atomic.Int64
	c := dial(t, answers{
		"/v1/config": func(w http.ResponseWriter, r *http.Request) {
			configs.Add(1)
			if got := r.URL.RawQuery; got != "warehouse=demo" {
				t.Errorf("config asked with %q", got)
			}
			reply(200, read(t, "iceberg-rest-1.11.0/config.json"))(w, r)
		},
		"/v1/namespaces/lake%2Ebronze/tables/payments": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") == etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("ETag", etag)
			switch r.URL.RawQuery {
			case "snapshots=refs":
				reply(200, refs)(w, r)
			case "snapshots=all":
				reply(200, all)(w, r)
			default:
				t.Errorf("table asked with %q", r.URL.RawQuery)
			}
		},
		"/v1/namespaces/bronze/tables/nope": reply(404, read(t, "iceberg-rest-1.11.0/loadtable-404.json")),
	}, "/", config.CatalogAuth{})

	table, same, err := c.LoadTable(t.Context(), "lake.bronze.payments", catalog.LoadOptions{})
	if err != nil || same {
		t.Fatal(err, same)
	}
	s, ok := table.Current()
	if !ok || s.ID != 8849008403621421050 || *s.ParentID != 7764016853088743011 || s.SequenceNumber != 32 {
		t.Errorf("current snapshot = %+v", s)
	}
	added, _ := s.AddedRecords()
	epoch, _ := s.EpochID()
	if s.Operation() != "append" || added != 1396 || epoch != 31 || s.QueryID() != "3b1aab7c-a48e-4062-a257-9b158e2281e9" {
		t.Errorf("summary = %v", s.Summary)
	}
	if s.Timestamp.UnixMilli() != 1795233581413 || len(table.SnapshotLog) != 32 || len(table.Snapshots) != 1 {
		t.Errorf("time %v, %d log entries, %d snapshots", s.Timestamp, len(table.SnapshotLog), len(table.Snapshots))
	}
	if table.PartitionSpec != "day(event_time)" || table.FormatVersion != 2 || table.Properties["owner"] != "spark" || table.ETag != etag {
		t.Errorf("table = %+v", table)
	}
	columns, err := table.Select("offset", "event_id")
	want := []catalog.Column{{ID: 8, Name: "offset", Type: "long"}, {ID: 1, Name: "event_id", Type: "string"}}
	if err != nil || !cmp.Equal(columns, want) {
		t.Errorf("Select: %v, %s", err, cmp.Diff(want, columns))
	}
	if _, err := table.Select("event_id", "none"); err == nil || !strings.Contains(err.Error(), `"none"`) || !strings.Contains(err.Error(), "kafka_time") {
		t.Errorf("Select of a missing column = %v", err)
	}
	if got, same, err := c.LoadTable(t.Context(), "lake.bronze.payments", catalog.LoadOptions{ETag: table.ETag}); !same || got != nil || err != nil {
		t.Errorf("with the ETag: %v, %v, %v, want not modified", got, same, err)
	}
	history, _, err := c.LoadTable(t.Context(), "lake.bronze.payments", catalog.LoadOptions{AllSnapshots: true})
	if err != nil || len(history.Snapshots) != 6 {
		t.Fatalf("all snapshots: %v, %v", history, err)
	}
	_, _, err = c.LoadTable(t.Context(), "bronze.nope", catalog.LoadOptions{})
	if !errors.Is(err, catalog.ErrNoTable) || fail.HintOf(err) == "" || strings.Contains(err.Error(), "jetty") {
		t.Errorf("missing table: %v, hint %q", err, fail.HintOf(err))
	}
	if n := configs.Load(); n != 1 {
		t.Errorf("the configuration was read %d times", n)
	}
}

func TestLakekeeper(t *testing.T) {
	replay := answers{}
	for _, name := range []string{"config", "load_table_refs_client_managed", "load_table_empty_v3", "load_table_missing"} {
		var r recorded
		if err := json.Unmarshal(read(t, "lakekeeper-0.13.1/"+name+".json"), &r); err != nil {
			t.Fatal(err)
		}
		path, _, _ := strings.Cut(r.Request.Path, "?")
		replay[path] = func(w http.ResponseWriter, req *http.Request) {
			if got := req.Header.Get("X-Iceberg-Access-Delegation"); got != "client-managed" {
				t.Errorf("%s: delegation %q", path, got)
			}
			w.Header().Set("ETag", r.Headers["etag"])
			if etag := req.Header.Get("If-None-Match"); etag != "" && etag == r.Headers["etag"] {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			reply(r.Status, r.Body)(w, req)
		}
	}
	c := dial(t, replay, "/catalog/", config.CatalogAuth{})
	table, _, err := c.LoadTable(t.Context(), "sales.orders", catalog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := table.Current(); !ok || s.ID != 574185085135314915 || len(table.Snapshots) != 3 {
		t.Errorf("current = %v %v of %d", s.ID, ok, len(table.Snapshots))
	}
	if table.ETag == "" || !strings.HasPrefix(table.ETag, `W/"lk2.`) {
		t.Errorf("ETag = %s", table.ETag)
	}
	if _, same, err := c.LoadTable(t.Context(), "sales.orders", catalog.LoadOptions{ETag: table.ETag}); !same || err != nil {
		t.Errorf("with the ETag: %v, %v", same, err)
	}
	empty, _, err := c.LoadTable(t.Context(), "sales.eu.empty_v3", catalog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := empty.Current(); ok || empty.CurrentSnapshotID != nil || empty.FormatVersion != 3 || empty.PartitionSpec != "" {
		t.Errorf("empty table = %+v", empty)
	}
	if _, _, err := c.LoadTable(t.Context(), "sales.none", catalog.LoadOptions{}); !errors.Is(err, catalog.ErrNoTable) {
		t.Errorf("missing table: %v", err)
	}
}

func TestNessie(t *testing.T) {
	c := dial(t, answers{
		"/iceberg/v1/config":                            reply(200, read(t, "nessie-0.99.0/config.json")),
		"/iceberg/v1/main/namespaces/ns1/tables/fromgo": reply(200, read(t, "nessie-0.99.0/loadtable.json")),
	}, "/iceberg/v1", config.CatalogAuth{})
	table, _, err := c.LoadTable(t.Context(), "ns1.fromgo", catalog.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := table.Current(); !ok || s.ParentID != nil || s.SequenceNumber != 4 || len(table.Columns) != 3 {
		t.Errorf("current = %+v, %v", s, ok)
	}
}

func TestCatalogThatRefusesTheDelegation(t *testing.T) { // as Polaris does
	refused := 0
	c := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Iceberg-Access-Delegation") != "" {
			refused++
			reply(400, []byte(`{"error":{"message":"Unsupported access delegation mode","type":"IllegalArgumentException","code":400}}`))(w, r)
			return
		}
		if r.URL.Path == "/v1/config" {
			reply(200, []byte(`{"defaults":{"prefix":"main"}}`))(w, r)
			return
		}
		reply(200, read(t, "nessie-0.99.0/loadtable.json"))(w, r)
	}), "", config.CatalogAuth{})
	for range 3 {
		if _, _, err := c.LoadTable(t.Context(), "ns1.fromgo", catalog.LoadOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if refused != 1 {
		t.Errorf("refused %d times, want once", refused)
	}
}

func TestBadAnswers(t *testing.T) {
	table := read(t, "nessie-0.99.0/loadtable.json")
	huge := []byte(`{"metadata":{"x":"` + strings.Repeat("x", 2<<20))
	html := []byte("<!DOCTYPE html><html><body>Sign in" + strings.Repeat(" please", 1000))
	unknown := recorded{}
	if err := json.Unmarshal(read(t, "lakekeeper-0.13.1/config_unknown.json"), &unknown); err != nil {
		t.Fatal(err)
	}
	stack := []byte(`{"error":{"message":"boom\nat org.apache.Foo(Foo.java:1)` + strings.Repeat("x", 5000) + `","type":"RuntimeException","code":500}}`)
	for _, tc := range []struct {
		name   string
		status int
		kind   string
		body   []byte
		code   fail.Code
		text   string // in the error
		hint   string // in the hint
	}{
		{"html", 200, "text/html", html, fail.Unreachable, "text/html", "login page"},
		{"html not found", 404, "text/html", html, fail.Unreachable, "404", "catalog.uri"},
		{"garbage", 200, "application/json", []byte("\x00\x01\xff"), fail.Unreachable, "not an Iceberg table", "catalog.uri"},
		{"empty", 200, "application/json", nil, fail.Unreachable, "EOF", "catalog.uri"},
		{"null", 200, "application/json", []byte("null"), fail.Unreachable, "not an Iceberg table", "catalog.uri"},
		{"other json", 200, "application/json", []byte(`{"hello":[{"world":1}]}`), fail.Unreachable, "no table metadata", "catalog.uri"},
		{"truncated", 200, "application/json", table[:len(table)/2], fail.Unreachable, "EOF", "catalog.uri"},
		{"huge", 200, "application/json", huge, fail.Unreachable, "longer than expected", "catalog.uri"},
		{"deep", 200, "application/json", []byte(strings.Repeat("[", 100_000)), fail.Unreachable, "", "catalog.uri"},
		{"deep below", 200, "application/json", []byte(`{"config":` + strings.Repeat("[", 100_000)), fail.Unreachable, "too deep", "catalog.uri"},
		{"dangling", 200, "application/json", []byte(strings.Replace(string(table), `"current-snapshot-id": 2`, `"current-snapshot-id": 3`, 1)), fail.Unreachable, "is not among its snapshots", "catalog.uri"},
		{"bad request", 400, "application/json", []byte(`{"error":{"type":"BadRequestException"}}`), fail.Unreachable, "400 BadRequestException", "catalog.warehouse"},
		{"login", 401, "application/json", []byte(`{}`), fail.Usage, "401", "catalog.auth"},
		{"denied", 403, "application/json", []byte(`{"error":{"message":"no","type":"ForbiddenException","code":403}}`), fail.Usage, "403 ForbiddenException (no)", "grant"},
		{"warehouse", 404, "application/json", unknown.Body, fail.Usage, "nope", "catalog.warehouse"},
		{"stack", 500, "application/json", stack, fail.Unreachable, "500 RuntimeException (boom at org", "log"},
		{"busy", 503, "text/plain", []byte("upstream"), fail.Unreachable, "503", "log"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := dial(t, answers{
				"/v1/config": reply(200, []byte(`{"defaults":{},"overrides":{}}`)),
				"/v1/namespaces/ns/tables/t": func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tc.kind)
					w.WriteHeader(tc.status)
					_, _ = w.Write(tc.body)
				},
			}, "", config.CatalogAuth{})
			got, _, err := c.LoadTable(t.Context(), "ns.t", catalog.LoadOptions{})
			if err == nil {
				t.Fatalf("no error but %+v", got)
			}
			if fail.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.text) || !strings.Contains(fail.HintOf(err), tc.hint) {
				t.Errorf("code %d, error %q, hint %q", fail.CodeOf(err), err, fail.HintOf(err))
			}
			if len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("the error shows too much: %q", err)
			}
			if errors.Is(err, catalog.ErrNoTable) {
				t.Errorf("%v is ErrNoTable", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := catalog.New(config.Catalog{URI: "http://" + address}, catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Ping(t.Context())
	if fail.CodeOf(err) != fail.Unreachable || !strings.Contains(fail.HintOf(err), "catalog.uri") || !strings.Contains(err.Error(), address) {
		t.Errorf("Ping = %v, hint %q", err, fail.HintOf(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled Ping = %v", err)
	}
	for _, uri := range []string{"", "127.0.0.1:8181", "ftp://x/"} {
		if _, err := catalog.New(config.Catalog{URI: uri}, catalog.Options{}); fail.CodeOf(err) != fail.Usage {
			t.Errorf("New(%q) = %v, want a usage error", uri, err)
		}
	}
	if _, _, err := c.LoadTable(t.Context(), "payments", catalog.LoadOptions{}); fail.CodeOf(err) != fail.Usage {
		t.Errorf("a table without a namespace: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	c, err := catalog.New(config.Catalog{URI: server.URL}, catalog.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(t.Context()); fail.CodeOf(err) != fail.Unreachable {
		t.Errorf("Ping of a catalog that hangs = %v", err)
	}
}

// guarded lets in one token at a time.
type guarded struct{ want atomic.Value }

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if got := r.Header.Get("Authorization"); got != "Bearer "+g.want.Load().(string) {
		reply(401, []byte(`{"error":{"message":"who?","type":"NotAuthorizedException","code":401}}`))(w, r)
		return
	}
	if r.URL.Path == "/v1/config" {
		reply(200, []byte(`{}`))(w, r)
		return
	}
	reply(404, []byte(`{"error":{"message":"none","type":"NoSuchTableException","code":404}}`))(w, r)
}

// letIn reports whether the catalog answered rather than refused.
func letIn(t *testing.T, c *catalog.Client) bool {
	t.Helper()
	_, _, err := c.LoadTable(t.Context(), "ns.t", catalog.LoadOptions{})
	if !errors.Is(err, catalog.ErrNoTable) && fail.CodeOf(err) != fail.Usage {
		t.Errorf("unexpected error %v", err)
	}
	return errors.Is(err, catalog.ErrNoTable)
}

func TestTokens(t *testing.T) {
	g := &guarded{}
	g.want.Store("one")
	static := dial(t, g, "", config.CatalogAuth{Token: config.NewSecret("one")})
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := dial(t, g, "", config.CatalogAuth{TokenFile: path})
	if !letIn(t, static) || !letIn(t, file) {
		t.Fatal("a right token was refused")
	}
	g.want.Store("two")
	if letIn(t, static) || letIn(t, file) {
		t.Error("an old token was let in")
	}
	if err := os.WriteFile(path, []byte("two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !letIn(t, file) {
		t.Error("a renewed token file was not read again")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := file.LoadTable(t.Context(), "ns.t", catalog.LoadOptions{}); fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("without the file: %v", err)
	}
}

func TestClientCredentials(t *testing.T) {
	g := &guarded{}
	g.want.Store("t1")
	var issued atomic.Int64
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("grant_type") != "client_credentials" || r.FormValue("client_id") != "me" || r.FormValue("scope") != "catalog" {
			t.Errorf("token asked with %v", r.Form)
		}
		if r.FormValue("client_secret") != "s3cret" {
			reply(401, []byte(`{"error":"invalid_client","error_description":"bad s3cret-ish"}`))(w, r)
			return
		}
		reply(200, fmt.Appendf(nil, `{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, issued.Add(1)))(w, r)
	}))
	defer tokens.Close()
	auth := config.OAuth2{TokenURL: tokens.URL, ClientID: "me", ClientSecret: config.NewSecret("s3cret")}
	c := dial(t, g, "", config.CatalogAuth{OAuth2: auth})
	first, second := letIn(t, c), letIn(t, c)
	if !first || !second || issued.Load() != 1 {
		t.Errorf("%d tokens issued for two loads, want 1", issued.Load())
	}
	g.want.Store("t2") // the catalog no longer knows t1
	if !letIn(t, c) || issued.Load() != 2 {
		t.Errorf("%d tokens issued, want a second one after a refusal", issued.Load())
	}
	g.want.Store("never")
	if letIn(t, c) || issued.Load() != 3 {
		t.Errorf("%d tokens issued, want one more and no loop", issued.Load())
	}
	auth.ClientSecret = config.NewSecret("wr0ng")
	wrong := dial(t, g, "", config.CatalogAuth{OAuth2: auth})
	err := wrong.Ping(t.Context())
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), "client_secret") {
		t.Errorf("wrong secret: %v, hint %q", err, fail.HintOf(err))
	}
	if strings.Contains(fmt.Sprint(err), "wr0ng") || strings.Contains(fmt.Sprint(err), "s3cret") {
		t.Errorf("the error shows a secret: %v", err)
	}
}
