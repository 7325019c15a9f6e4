package objectstore_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// s3Server serves objects of the bucket "lake" as S3 does: HEAD, ranged GET
// and ListObjectsV2 in pages of two.
type s3Server struct {
	objects  map[string][]byte
	gets     atomic.Int64
	failures atomic.Int64 // answers of 503 still to give
	cuts     atomic.Int64 // bodies still to break off
	refuse   atomic.Value // S3 error code to give to everything, or ""
}

func (s *s3Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if code, _ := s.refuse.Load().(string); code != "" {
		s3Error(w, r, http.StatusForbidden, code)
		return
	}
	if s.failures.Add(-1) >= 0 {
		s3Error(w, r, http.StatusServiceUnavailable, "SlowDown")
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != "lake" {
		s3Error(w, r, http.StatusNotFound, "NoSuchBucket")
		return
	}
	if key == "" {
		s.list(w, r)
		return
	}
	data, ok := s.objects[key]
	if !ok {
		s3Error(w, r, http.StatusNotFound, "NoSuchKey")
		return
	}
	w.Header().Set("ETag", `"1"`)
	if r.Method == http.MethodGet {
		s.gets.Add(1)
		if s.cuts.Add(-1) >= 0 {
			w.Header().Set("Content-Length", "100000")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(data[:1])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	http.ServeContent(w, r, "", time.Unix(1_700_000_000, 0), bytes.NewReader(data))
}

func (s *s3Server) list(w http.ResponseWriter, r *http.Request) {
	type object struct {
		Key          string
		Size         int
		LastModified string
	}
	var page struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []object
	}
	q := r.URL.Query()
	keys := make([]string, 0, len(s.objects))
	for key := range s.objects {
		if strings.HasPrefix(key, q.Get("prefix")) && key > q.Get("continuation-token") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) > 2 {
		keys = keys[:2]
		page.IsTruncated, page.NextContinuationToken = true, keys[1]
	}
	for _, key := range keys {
		page.Contents = append(page.Contents, object{key, len(s.objects[key]), "2026-11-21T05:00:00.000Z"})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(page)
}

func s3Error(w http.ResponseWriter, r *http.Request, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
	}
}

func open(t *testing.T, objects map[string][]byte) (*objectstore.Store, *s3Server) {
	t.Helper()
	backend := &s3Server{objects: objects}
	server := httptest.NewServer(backend)
	t.Cleanup(server.Close)
	store, err := objectstore.New(config.Storage{
		Endpoint: server.URL, PathStyle: true, Bucket: "lake",
		AccessKey: config.NewSecret("user"), SecretKey: config.NewSecret("hunter22"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store, backend
}

func numbered(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * 7 / 3)
	}
	return data
}

func TestReadAtIsExactAndFrugal(t *testing.T) {
	data := numbered(10 << 20)
	store, backend := open(t, map[string][]byte{"a b/ü=1%3A.parquet": data})
	o, err := store.Open(t.Context(), "s3a://lake/a b/ü=1%3A.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if o.Size() != int64(len(data)) {
		t.Fatalf("Size() = %d, want %d", o.Size(), len(data))
	}
	for _, r := range []struct{ off, n int }{{len(data) - 8, 8}, {len(data) - 5000, 4992}, {0, 4}, {1 << 20, 2 << 20}, {17, 100}, {20, 300}} {
		got := make([]byte, r.n)
		if _, err := o.ReadAt(got, int64(r.off)); err != nil {
			t.Fatalf("ReadAt(%d, %d): %v", r.n, r.off, err)
		}
		if !bytes.Equal(got, data[r.off:r.off+r.n]) {
			t.Fatalf("ReadAt(%d, %d) gave other bytes", r.n, r.off)
		}
	}
	if n := backend.gets.Load(); n != 3 {
		t.Errorf("%d GETs, want 3: footer window, one large range, one window at the start", n)
	}
	if n := o.BytesRead(); n > 2<<20+3*64<<10 || n < 2<<20 || n != store.BytesRead() {
		t.Errorf("BytesRead() = %d, store %d", n, store.BytesRead())
	}
	tail := make([]byte, 100)
	if n, err := o.ReadAt(tail, int64(len(data)-10)); n != 10 || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt beyond the end = %d, %v, want 10 and io.EOF", n, err)
	}
	if n, err := o.ReadAt(tail, int64(len(data))); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt at the end = %d, %v, want 0 and io.EOF", n, err)
	}
}

func TestRetries(t *testing.T) {
	data := numbered(300_000)
	store, backend := open(t, map[string][]byte{"k": data})
	backend.failures.Store(2)
	o, err := store.Open(t.Context(), "s3://lake/k")
	if err != nil {
		t.Fatal(err)
	}
	backend.cuts.Store(2)
	got := make([]byte, 200_000)
	if _, err := o.ReadAt(got, 50_000); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data[50_000:250_000]) {
		t.Error("a read that was broken off twice gave other bytes")
	}
	if n := store.Requests(); n != 6 {
		t.Errorf("%d requests, want 3 to open and 3 to read", n)
	}
}

func TestErrors(t *testing.T) {
	store, backend := open(t, map[string][]byte{"k": numbered(10)})
	_, err := store.Open(t.Context(), "s3://lake/none")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing object: %v, want fs.ErrNotExist", err)
	}
	if _, err := store.List(t.Context(), "s3://other/x"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(fail.HintOf(err), "storage.bucket") {
		t.Errorf("missing bucket: %v, hint %q", err, fail.HintOf(err))
	}
	for _, uri := range []string{"http://x/y", "", "relative/path", "s3:///key"} {
		if _, err := store.Open(t.Context(), uri); fail.CodeOf(err) != fail.Usage {
			t.Errorf("Open(%q) = %v, want a usage error", uri, err)
		}
	}
	if _, err := store.ReadFile(t.Context(), "s3://lake/k", 9); err == nil {
		t.Error("ReadFile gave more bytes than its limit")
	}
	for _, code := range []string{"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"} {
		backend.refuse.Store(code)
		for _, err := range []error{errOf(store.Open(t.Context(), "s3://lake/k")), errOf(store.List(t.Context(), "s3://lake/"))} {
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(fail.HintOf(err), "storage.secret_key") {
				t.Errorf("%s: %v, hint %q", code, err, fail.HintOf(err))
			}
			if strings.Contains(fmt.Sprint(err), "hunter22") {
				t.Errorf("%s: the error shows the secret: %v", code, err)
			}
		}
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	store, err := objectstore.New(config.Storage{Endpoint: "http://" + address, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = store.Open(ctx, "s3://lake/k")
	if fail.CodeOf(err) != fail.Unreachable || !strings.Contains(fail.HintOf(err), "storage.endpoint") {
		t.Errorf("Open = %v, hint %q, want unreachable", err, fail.HintOf(err))
	}
	if !strings.Contains(err.Error(), "refused") {
		t.Errorf("Open = %v, want the cause and not the context's end", err)
	}
	if _, err := new(objectstore.Store).Open(t.Context(), "s3://lake/k"); fail.CodeOf(err) != fail.Usage {
		t.Errorf("without an endpoint: %v, want a usage error", err)
	}
	for _, endpoint := range []string{"127.0.0.1:9000", "ftp://x", "http://"} {
		if _, err := objectstore.New(config.Storage{Endpoint: endpoint}); fail.CodeOf(err) != fail.Usage {
			t.Errorf("New(%q) = %v, want a usage error", endpoint, err)
		}
	}
}

func TestCancel(t *testing.T) {
	store, backend := open(t, nil)
	backend.failures.Store(1 << 40)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Open(ctx, "s3://lake/k"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}
}

func TestList(t *testing.T) {
	store, _ := open(t, map[string][]byte{
		"cp/offsets/0": []byte("v1"), "cp/offsets/1": []byte("v1\n"), "cp/offsets/sub/2": nil,
		"cp/offsets2/9": nil, "cp/commits/0": nil, "cp/offsets/": nil,
	})
	root := t.TempDir()
	for name, content := range map[string]string{"0": "v1", "1": "v1\n", "sub/2": ""} {
		path := filepath.Join(root, "offsets", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"s3a://lake/cp/offsets", "s3://lake/cp/offsets/", "file://" + root + "/offsets", "file:" + root + "/offsets/", root + "/offsets"} {
		entries, err := store.List(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, fmt.Sprintf("%s:%d", e.Name, e.Size))
			if e.ModTime.IsZero() {
				t.Errorf("%s: no time", e.URI)
			}
			if data, err := store.ReadFile(t.Context(), e.URI, 10); err != nil || int64(len(data)) != e.Size {
				t.Errorf("ReadFile(%s) = %d bytes, %v", e.URI, len(data), err)
			}
		}
		if want := []string{"0:2", "1:3", "sub/2:0"}; !slices.Equal(got, want) {
			t.Errorf("List(%s) = %v, want %v", folder, got, want)
		}
	}
	for _, folder := range []string{"s3://lake/none", "file:///none/at/all"} {
		if entries, err := store.List(t.Context(), folder); err != nil || len(entries) != 0 {
			t.Errorf("List(%s) = %v, %v, want nothing", folder, entries, err)
		}
	}
}

func TestLocalFile(t *testing.T) {
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "day=2026-01-01%3A", "f")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"file://" + path, "file:" + path, path} {
		data, err := store.ReadFile(t.Context(), uri, 100)
		if err != nil || string(data) != "0123456789" {
			t.Errorf("ReadFile(%s) = %q, %v", uri, data, err)
		}
	}
	if n := store.BytesRead(); n != 30 {
		t.Errorf("BytesRead() = %d, want 30", n)
	}
	if _, err := store.Open(t.Context(), "file://"+path+"x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := store.Open(t.Context(), "file://"+filepath.Dir(path)); err == nil {
		t.Error("a folder was opened")
	}
}
