package httpjson

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/telemetry"
)

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// decode reads one JSON value.
func decode(v any) func(io.Reader) error {
	return func(r io.Reader) error { return json.NewDecoder(r).Decode(v) }
}

func TestClassesAndHints(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			<-r.Context().Done()
		case "/slow":
			_, _ = w.Write([]byte(`[1,`))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/html":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(`[]`))
		case "/page":
			_, _ = w.Write([]byte("\ufeff\n<html>"))
		case "/denied":
			w.WriteHeader(http.StatusUnauthorized)
		case "/broken":
			_, _ = w.Write([]byte(`[1, 2`))
		case "/text":
			_, _ = w.Write([]byte(`nothing`))
		case "/empty":
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/long":
			_, _ = w.Write([]byte("[" + strings.Repeat("1,", 5000) + "1]"))
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/moved":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/good":
			_, _ = w.Write([]byte("[7]\n"))
		default:
			http.NotFound(w, r)
		}
	})
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	o := Options{Server: "the test", Setting: "set it right", Timeout: 100 * time.Millisecond, MaxBody: 5000}
	impatient := New(o)
	defer impatient.Close()
	o.Timeout = 20 * time.Second
	patient := New(o)
	defer patient.Close()
	for address, want := range map[string]Class{
		s.URL + "/hang": Timeout, s.URL + "/slow": Timeout, s.URL + "/html": HTML, s.URL + "/page": HTML,
		s.URL + "/denied": Status, s.URL + "/none": Status, s.URL + "/broken": Garbled, s.URL + "/text": Garbled,
		s.URL + "/empty": Garbled, s.URL + "/long": TooLong, s.URL + "/circle": Unreachable,
		"http://127.0.0.1:1/": Unreachable, secure.URL: TLS, "https" + strings.TrimPrefix(s.URL, "http"): TLS,
		s.URL + "/cut":   Unreachable,
		s.URL + "/moved": "", s.URL + "/good": "",
	} {
		c := patient
		if want == Timeout {
			c = impatient
		}
		var value []int
		err := c.Get(t.Context(), address, nil, decode(&value))
		if ClassOf(err) != want {
			t.Errorf("%s: %v is %q, want %q", address, err, ClassOf(err), want)
		}
		if err == nil && (len(value) != 1 || value[0] != 7) {
			t.Errorf("%s: %v", address, value)
		}
		if err != nil && (fail.HintOf(err) == "" || !strings.Contains(err.Error(), "asking the test at ")) {
			t.Errorf("%s: %v with the hint %q", address, err, fail.HintOf(err))
		}
	}
	c := patient
	if err := c.Get(t.Context(), s.URL+"/none", nil, decode(new(any))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("404 is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Get(ctx, s.URL+"/good", nil, decode(new(any))); ClassOf(err) != Canceled {
		t.Errorf("a cancelled request is %v", err)
	}
	if err := c.Get(t.Context(), "http://u:hunter2@127.0.0.1:1/", nil, decode(new(any))); strings.Contains(err.Error(), "hunter2") {
		t.Errorf("it tells a secret: %v", err)
	}
}

// TestToken reads the token anew for each request, and does not take it to
// another host.
func TestToken(t *testing.T) {
	var last string
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		last = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`1`))
	})
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, elsewhere, http.StatusFound)
			return
		}
		last = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`1`))
	})
	file := filepath.Join(t.TempDir(), "token")
	c := New(Options{TokenFile: file})
	defer c.Close()
	get := func(path string) error { return c.Get(t.Context(), s.URL+path, nil, decode(new(int))) }
	if err := get("/"); ClassOf(err) != Credentials || fail.HintOf(err) == "" {
		t.Errorf("without the file: %v", err)
	}
	for _, token := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := get("/"); err != nil || last != "Bearer "+token {
			t.Errorf("%q was sent, %v", last, err)
		}
	}
	if err := get("/away"); err != nil || last != "" {
		t.Errorf("%q was sent to another host, %v", last, err)
	}
}

// TestCA reads the CA file again when it changed.
func TestCA(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`1`)) }))
	defer s.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	right := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	c := New(Options{CAFile: file})
	defer c.Close()
	for i, step := range []struct {
		text []byte
		want Class
	}{{nil, Credentials}, {[]byte("none"), Credentials}, {right, ""}, {[]byte("none, too"), Credentials}, {right, ""}} {
		if step.text != nil {
			if err := os.WriteFile(file, step.text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Get(t.Context(), s.URL, nil, decode(new(int))); ClassOf(err) != step.want {
			t.Errorf("step %d: %v", i, err)
		}
	}
}

// TestStop leaves a long answer early: what is not needed does not travel.
func TestStop(t *testing.T) {
	sent := make(chan int, 1)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := 0
		line := []byte(strings.Repeat("1,", 8<<10))
		_, err := w.Write([]byte("["))
		for err == nil && n < 64<<20 {
			var k int
			k, err = w.Write(line)
			n += k
		}
		sent <- n
	})
	c := New(Options{MaxBody: 100 << 20})
	defer c.Close()
	var m Meter
	ctx, asked := telemetry.WithRequests(t.Context())
	err := c.Get(ctx, s.URL, &m, func(r io.Reader) error {
		dec := json.NewDecoder(r)
		for range 1000 {
			if _, err := dec.Token(); err != nil {
				return err
			}
		}
		return ErrStop
	})
	if err != nil || m.Requests() != 1 || m.Bytes() > 64<<10 || asked.Bytes() != m.Bytes() || asked.Count() != 1 {
		t.Errorf("%v, %d requests, %d bytes; taken down %+v", err, m.Requests(), m.Bytes(), asked.List())
	}
	if n := <-sent; n > 16<<20 {
		t.Errorf("the server sent %d bytes", n)
	} else {
		t.Logf("read %d bytes, the server sent %d of 64 MiB", m.Bytes(), n)
	}
}

// TestConnectionsAreUsedAgain asks ten times over one connection.
func TestConnectionsAreUsedAgain(t *testing.T) {
	from := map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from[r.RemoteAddr] = true
		_, _ = w.Write([]byte("{\"a\": 1}\n\n"))
	})
	c := New(Options{})
	defer c.Close()
	for range 10 {
		if err := c.Get(t.Context(), s.URL, nil, decode(new(any))); err != nil {
			t.Fatal(err)
		}
	}
	if len(from) != 1 {
		t.Errorf("%d connections", len(from))
	}
}
