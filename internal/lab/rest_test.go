//go:build !nolab

package lab

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	icebergio "github.com/apache/iceberg-go/io"
)

// tableAnswer is LoadTableResult of the REST specification.
type tableAnswer struct {
	Location string          `json:"metadata-location"`
	Metadata json.RawMessage `json:"metadata"`
}

// catalogFS gives iceberg-go the files of the lab.
func (l *Lab) catalogFS() func(context.Context) (icebergio.IO, error) {
	return func(context.Context) (icebergio.IO, error) { return l.files, nil }
}

// ask sends one request to the REST endpoint.
func ask(t testing.TB, l *Lab, method, path, etag string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.Config().Catalog.URI+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func getTable(t testing.TB, l *Lab, name, mode string) tableAnswer {
	t.Helper()
	resp, body := ask(t, l, http.MethodGet, "/v1/namespaces/"+strings.Replace(name, ".", "/tables/", 1)+"?snapshots="+mode, "")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("loading %s: %s: %s", name, resp.Status, body)
	}
	var answer tableAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// errorAnswer is ErrorModel of the REST specification.
type errorAnswer struct {
	Error struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    int    `json:"code"`
	} `json:"error"`
}

func TestRESTLoadsTables(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	p := newProducer(t, l, 1)
	for range 3 {
		p.payments(10)
		flush(t, l)
	}
	const path = "/v1/namespaces/bronze/tables/payments"
	count := func(mode string) int {
		var meta struct {
			Snapshots []json.RawMessage `json:"snapshots"`
		}
		if err := json.Unmarshal(getTable(t, l, testTable, mode).Metadata, &meta); err != nil {
			t.Fatal(err)
		}
		return len(meta.Snapshots)
	}
	if all, refs := count("all"), count("refs"); all != 3 || refs != 1 {
		t.Errorf("%d snapshots with all and %d with refs, want 3 and 1", all, refs)
	}

	resp, _ := ask(t, l, http.MethodGet, path+"?snapshots=refs", "")
	etag := resp.Header.Get("ETag")
	if resp, body := ask(t, l, http.MethodGet, path+"?snapshots=refs", etag); resp.StatusCode != http.StatusNotModified || len(body) != 0 {
		t.Errorf("an unchanged table: %s with %d bytes, want 304 without", resp.Status, len(body))
	}
	if resp, _ := ask(t, l, http.MethodGet, path+"?snapshots=all", etag); resp.StatusCode != http.StatusOK {
		t.Errorf("the ETag of another mode: %s, want 200", resp.Status)
	}
	p.payments(1)
	flush(t, l)
	if resp, _ := ask(t, l, http.MethodGet, path+"?snapshots=refs", etag); resp.StatusCode != http.StatusOK {
		t.Errorf("a changed table: %s, want 200", resp.Status)
	}
}

func TestRESTNamesAndErrors(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	for _, c := range []struct {
		method, path string
		code         int
		want         string // in the body
	}{
		{"GET", "/v1/config?warehouse=" + Warehouse, 200, `"endpoints":["GET /v1/config"`},
		{"GET", "/v1/config?warehouse=other", 404, `"type":"NoSuchWarehouseException"`},
		{"GET", "/v1/namespaces", 200, `{"namespaces":[["bronze"]]}`},
		{"GET", "/v1/namespaces?parent=bronze", 200, `{"namespaces":[]}`},
		{"GET", "/v1/namespaces/bronze", 200, `"namespace":["bronze"]`},
		{"HEAD", "/v1/namespaces/bronze", 204, ""},
		{"GET", "/v1/namespaces/bronze/tables", 200, `{"identifiers":[{"namespace":["bronze"],"name":"payments"}]}`},
		{"GET", "/v1/namespaces/nope/tables", 404, `"type":"NoSuchNamespaceException"`},
		{"HEAD", "/v1/namespaces/bronze/tables/payments", 204, ""},
		{"HEAD", "/v1/namespaces/bronze/tables/nope", 404, ""},
		{"GET", "/v1/namespaces/bronze/tables/nope", 404, `"message":"Table does not exist: bronze.nope"`},
		{"GET", "/v1/namespaces/a%1Fb/tables/nope", 404, `"message":"Table does not exist: a.b.nope"`},
		{"GET", "/v1/namespaces/bronze/tables/payments?snapshots=some", 400, `"type":"IllegalArgumentException"`},
		{"POST", "/v1/namespaces/bronze/tables/payments/metrics", 204, ""},
		{"DELETE", "/v1/namespaces/bronze/tables/payments", 406, `"type":"UnsupportedOperationException"`},
		{"GET", "/nothing", 406, `"type":"UnsupportedOperationException"`},
	} {
		resp, body := ask(t, l, c.method, c.path, "")
		if resp.StatusCode != c.code || !strings.Contains(string(body), c.want) {
			t.Errorf("%s %s: %s %s, want %d with %s", c.method, c.path, resp.Status, body, c.code, c.want)
		}
		if c.want == "" && len(body) != 0 {
			t.Errorf("%s %s: has a body: %s", c.method, c.path, body)
		}
		if resp.StatusCode < 400 || c.method == http.MethodHead {
			continue
		}
		var answer errorAnswer
		if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Code != c.code || answer.Error.Message == "" {
			t.Errorf("%s %s: %s is not an error of the specification (%v)", c.method, c.path, body, err)
		}
	}
}
