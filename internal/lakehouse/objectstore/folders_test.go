package objectstore_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

func TestFolders(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		page := `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`
		if q.Get("prefix") == "cp/" && q.Get("delimiter") == "/" {
			page = `<ListBucketResult><IsTruncated>false</IsTruncated>
				<Contents><Key>cp/</Key><Size>0</Size></Contents><Contents><Key>cp/file</Key><Size>1</Size></Contents>
				<CommonPrefixes><Prefix>cp/a b/</Prefix></CommonPrefixes>
				<CommonPrefixes><Prefix>cp/c/</Prefix></CommonPrefixes></ListBucketResult>`
		}
		_, _ = w.Write([]byte(page))
	}))
	defer server.Close()
	store, err := objectstore.New(config.Storage{
		Endpoint: server.URL, PathStyle: true, Bucket: "lake",
		AccessKey: config.NewSecret("user"), SecretKey: config.NewSecret("hunter22"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	root := t.TempDir()
	for _, name := range []string{"a b/deep", "c"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"s3://lake/cp", "s3a://lake/cp/", "file://" + root} {
		found, err := store.Folders(t.Context(), folder)
		if err != nil || !slices.Equal(found, []string{"a b", "c"}) {
			t.Errorf("Folders(%s) = %q, %v", folder, found, err)
		}
	}
	for _, folder := range []string{"s3://lake/none", "file:///none/at/all"} {
		if found, err := store.Folders(t.Context(), folder); err != nil || len(found) != 0 {
			t.Errorf("Folders(%s) = %q, %v, want none", folder, found, err)
		}
	}
	if _, err := store.Folders(t.Context(), "ftp://x"); err == nil {
		t.Error("a location of no store is taken")
	}
}
