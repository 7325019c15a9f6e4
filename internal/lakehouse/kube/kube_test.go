package kube

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
)

// TestPods lists pods as a service account does: by TLS, with a token that
// changes, in pages.
func TestPods(t *testing.T) {
	token := "one"
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			http.Error(w, `{"kind":"Status","code":401}`, http.StatusUnauthorized)
		case r.URL.Path != "/api/v1/namespaces/a%2Fb/pods" && r.URL.EscapedPath() != "/api/v1/namespaces/a%2Fb/pods" &&
			r.URL.Path != "/api/v1/pods" || q.Get("labelSelector") != "spark-role in (driver)":
			http.Error(w, `{"kind":"Status","code":404}`, http.StatusNotFound)
		case q.Get("continue") == "":
			_, _ = w.Write([]byte(`{"metadata":{"continue":"next"},"items":[{"metadata":{"name":"p0","uid":"u"},
				"spec":{"containers":[{"ports":[{"name":"spark-ui","containerPort":4041}]},{}]},
				"status":{"phase":"Failed","reason":"Evicted","podIP":"10.0.0.1","containerStatuses":[
				{"name":"c","state":{"running":{}}},{"name":"d","state":{"terminated":{"reason":"OOMKilled","exitCode":137,
				"finishedAt":"2026-11-21T04:00:00Z"}}}]}}]}`))
		default:
			_, _ = w.Write([]byte(`{"metadata":{},"items":[{"metadata":{"name":"p1"}}]}`))
		}
	}))
	defer s.Close()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	o := Options{
		Server:    s.URL + "/",
		TokenFile: write("token", []byte("one\n")),
		CAFile:    write("ca", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})),
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, namespace := range []string{"a/b", ""} {
		pods, err := c.Pods(t.Context(), namespace, "spark-role in (driver)")
		if err != nil || len(pods) != 2 || pods[1].Name != "p1" {
			t.Fatalf("%+v, %v", pods, err)
		}
		p := pods[0]
		if p.Phase != "Failed" || p.Reason != "Evicted" || p.IP != "10.0.0.1" || fmt.Sprint(p.Ports) != "[{spark-ui 4041}]" ||
			len(p.Terminated) != 1 || p.Terminated[0].ExitCode != 137 || p.Terminated[0].Finished.IsZero() {
			t.Errorf("%+v", p)
		}
	}
	token = "two"
	if _, err := c.Pods(t.Context(), "", "spark-role in (driver)"); httpjson.ClassOf(err) != httpjson.Status || fail.HintOf(err) == "" {
		t.Errorf("with an old token: %v", err)
	}
	write("token", []byte("two"))
	if _, err := c.Pods(t.Context(), "", "spark-role in (driver)"); err != nil {
		t.Errorf("with the new token: %v", err)
	}
}

// TestEndless ends a list that never does.
func TestEndless(t *testing.T) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		_, _ = w.Write([]byte(`{"metadata":{"continue":"more"},"items":[]}`))
	}))
	defer s.Close()
	c, err := New(Options{Server: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Pods(t.Context(), "", ""); err == nil || fail.HintOf(err) == "" || n != maxPages {
		t.Errorf("%v after %d pages", err, n)
	}
}

func TestOptions(t *testing.T) {
	for _, server := range []string{"kubernetes", "ftp://x", "https://", "://"} {
		if _, err := New(Options{Server: server}); err == nil || fail.HintOf(err) == "" {
			t.Errorf("%q: %v", server, err)
		}
	}
	c, err := New(Options{})
	if err != nil || c.Server() != defaultServer {
		t.Errorf("%v, %v", c.Server(), err)
	}
	if _, err := Namespace(); err == nil || fail.HintOf(err) == "" {
		t.Errorf("outside of a pod: %v", err)
	}
}

func FuzzPods(f *testing.F) {
	f.Add([]byte(`{"metadata":{"continue":"x"},"items":[{"metadata":{"labels":{"a":"b"}},"status":{"phase":"Running"}}]}`))
	f.Add([]byte(`{"items":[{"status":{"containerStatuses":[{"state":{"terminated":{}}}]}}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		var page podList
		if json.NewDecoder(bytes.NewReader(data)).Decode(&page) == nil {
			for i := range page.Items {
				_ = page.Items[i].pod()
			}
		}
	})
}
