package table_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	"github.com/lakeproof/lakeproof/internal/lakehouse/table"
)

// warehouse writes the metadata files of a table's snapshots into a folder.
type warehouse struct {
	t       *testing.T
	root    string
	version int
	schema  *iceberg.Schema
	lists   int
}

func newWarehouse(t *testing.T, version int) *warehouse {
	t.Helper()
	return &warehouse{
		t: t, root: t.TempDir(), version: version,
		schema: iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "id", Type: iceberg.PrimitiveTypes.Int64}),
	}
}

func (w *warehouse) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// line is one entry of a manifest.
type line struct {
	status   iceberg.ManifestEntryStatus
	path     string
	records  int64
	snapshot int64 // 0 is inherited
	sequence int64 // 0 is inherited
}

func added(path string, records int64) line {
	return line{status: iceberg.EntryStatusADDED, path: path, records: records}
}

// manifest writes a manifest of a snapshot.
func (w *warehouse) manifest(snapshot int64, content iceberg.ManifestContent, lines ...line) iceberg.ManifestFile {
	w.t.Helper()
	var buf bytes.Buffer
	var opts []iceberg.ManifestWriterOption
	kind := iceberg.EntryContentData
	if content == iceberg.ManifestContentDeletes {
		opts = append(opts, iceberg.WithManifestWriterContent(content))
		kind = iceberg.EntryContentPosDeletes
	}
	writer, err := iceberg.NewManifestWriter(w.version, &buf, *iceberg.UnpartitionedSpec, w.schema, snapshot, opts...)
	w.must(err)
	for _, l := range lines {
		b, err := iceberg.NewDataFileBuilder(*iceberg.UnpartitionedSpec, kind, l.path, iceberg.ParquetFile, nil, nil, nil, l.records, l.records*100)
		w.must(err)
		var sequence *int64
		if l.sequence != 0 {
			sequence = &l.sequence
		}
		from := &snapshot
		if l.snapshot != 0 {
			from = &l.snapshot
		}
		e := iceberg.NewManifestEntry(l.status, from, sequence, sequence, b.Build())
		switch l.status {
		case iceberg.EntryStatusADDED:
			w.must(writer.Add(e))
		case iceberg.EntryStatusDELETED:
			w.must(writer.Delete(e))
		default:
			w.must(writer.Existing(e))
		}
	}
	w.must(writer.Close())
	path := filepath.Join(w.root, fmt.Sprintf("m%d-%d.avro", snapshot, w.next()))
	w.must(os.WriteFile(path, buf.Bytes(), 0o600))
	m, err := writer.ToManifestFile("file://"+path, int64(buf.Len()))
	w.must(err)
	return m
}

func (w *warehouse) next() int { w.lists++; return w.lists }

// snapshot writes a manifest list; manifests that other snapshots wrote must
// come from read.
func (w *warehouse) snapshot(id, sequence int64, manifests ...iceberg.ManifestFile) catalog.Snapshot {
	w.t.Helper()
	var buf bytes.Buffer
	w.must(iceberg.WriteManifestList(w.version, &buf, id, nil, &sequence, 0, manifests))
	path := filepath.Join(w.root, fmt.Sprintf("snap-%d-%d.avro", id, w.next()))
	w.must(os.WriteFile(path, buf.Bytes(), 0o600))
	return catalog.Snapshot{ID: id, SequenceNumber: sequence, ManifestList: "file:" + path}
}

// read returns the manifests of a snapshot with what they inherited.
func (w *warehouse) read(s catalog.Snapshot) []iceberg.ManifestFile {
	w.t.Helper()
	data, err := os.ReadFile(strings.TrimPrefix(s.ManifestList, "file:"))
	w.must(err)
	manifests, err := iceberg.ReadManifestList(bytes.NewReader(data))
	w.must(err)
	return manifests
}

func paths(files []table.File) []string {
	var all []string
	for _, f := range files {
		all = append(all, f.Path)
	}
	return all
}

func TestLiveFiles(t *testing.T) {
	for _, version := range []int{1, 2, 3} {
		t.Run(fmt.Sprint("format version ", version), func(t *testing.T) {
			w := newWarehouse(t, version)
			store := localStore(t)
			r := table.NewReader(store)
			first := w.snapshot(11, 1, w.manifest(11, iceberg.ManifestContentData, added("s3://l/a", 10), added("s3://l/b", 20)))
			second := w.snapshot(22, 2, append(w.read(first), w.manifest(22, iceberg.ManifestContentData, added("s3://l/c", 5)))...)
			files, err := r.LiveFiles(t.Context(), second)
			if err != nil {
				t.Fatal(err)
			}
			sequence := func(n int64) int64 {
				if version == 1 {
					return 0
				}
				return n
			}
			want := table.Files{Manifests: 2, Records: 35, Data: []table.File{
				{Path: "s3://l/a", Format: "PARQUET", Records: 10, Size: 1000, SnapshotID: 11, Sequence: sequence(1), Live: 1},
				{Path: "s3://l/b", Format: "PARQUET", Records: 20, Size: 2000, SnapshotID: 11, Sequence: sequence(1), Live: 1},
				{Path: "s3://l/c", Format: "PARQUET", Records: 5, Size: 500, SnapshotID: 22, Sequence: sequence(2), Live: 1},
			}}
			if diff := cmp.Diff(want, files); diff != "" {
				t.Error(diff)
			}
			if len(files.Doubled()) != 0 {
				t.Errorf("doubled: %v", files.Doubled())
			}
			news, err := r.Added(t.Context(), second)
			if err != nil || !slices.Equal(paths(news), []string{"s3://l/c"}) {
				t.Errorf("Added = %v, %v", news, err)
			}
			read := store.BytesRead()
			if again, err := r.LiveFiles(t.Context(), second); err != nil || !cmp.Equal(again, files) {
				t.Errorf("a second time: %v, %v", again, err)
			}
			list, err := os.Stat(strings.TrimPrefix(second.ManifestList, "file:"))
			if err != nil {
				t.Fatal(err)
			}
			if n := store.BytesRead() - read; n != list.Size() {
				t.Errorf("a second time read %d bytes, want only the list's %d", n, list.Size())
			}
		})
	}
}

func TestDoubledFile(t *testing.T) {
	w := newWarehouse(t, 2)
	first := w.snapshot(1, 1, w.manifest(1, iceberg.ManifestContentData, added("s3://l/a", 10), added("s3://l/b", 20)))
	// A coordinator that restarted commits b again (apache/iceberg #17340).
	second := w.snapshot(2, 2, append(w.read(first), w.manifest(2, iceberg.ManifestContentData, added("s3://l/b", 20), added("s3://l/c", 1)))...)
	files, err := table.NewReader(localStore(t)).LiveFiles(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	doubled := files.Doubled()
	if len(files.Data) != 3 || files.Records != 51 || len(doubled) != 1 || doubled[0].Path != "s3://l/b" || doubled[0].Live != 2 || doubled[0].SnapshotID != 1 {
		t.Errorf("files = %+v, doubled %+v", files, doubled)
	}
}

func TestCompactionAndDeletes(t *testing.T) {
	w := newWarehouse(t, 2)
	r := table.NewReader(localStore(t))
	first := w.snapshot(1, 1, w.manifest(1, iceberg.ManifestContentData, added("a", 10), added("b", 20), added("z", 3)))
	compacted := w.snapshot(2, 2,
		w.manifest(2, iceberg.ManifestContentData, added("ab", 30)),
		w.manifest(2, iceberg.ManifestContentData,
			line{iceberg.EntryStatusDELETED, "a", 10, 2, 1},
			line{iceberg.EntryStatusDELETED, "b", 20, 2, 1},
			line{iceberg.EntryStatusEXISTING, "z", 3, 1, 1}))
	files, err := r.LiveFiles(t.Context(), compacted)
	if err != nil || !slices.Equal(paths(files.Data), []string{"ab", "z"}) || files.Records != 33 {
		t.Errorf("after a compaction: %+v, %v", files, err)
	}
	if z := files.Data[1]; z.SnapshotID != 1 || z.Sequence != 1 {
		t.Errorf("a file that was kept belongs to %+v", z)
	}
	news, err := r.Added(t.Context(), compacted)
	if err != nil || !slices.Equal(paths(news), []string{"ab"}) {
		t.Errorf("Added = %v, %v", news, err)
	}
	gone, err := r.Removed(t.Context(), compacted)
	if err != nil || !slices.Equal(paths(gone), []string{"a", "b"}) {
		t.Errorf("Removed = %v, %v", gone, err)
	}
	if gone, err := r.Removed(t.Context(), first); err != nil || gone != nil {
		t.Errorf("Removed of an append = %v, %v", gone, err)
	}
	deleted := w.snapshot(3, 3, append(w.read(compacted), w.manifest(3, iceberg.ManifestContentDeletes, added("d", 7)))...)
	files, err = r.LiveFiles(t.Context(), deleted)
	if err != nil || files.DeleteFiles != 1 || files.DeleteRecords != 7 || len(files.Data) != 2 || files.Records != 33 {
		t.Errorf("with a delete file: %+v, %v", files, err)
	}
	if news, err := r.Added(t.Context(), deleted); err != nil || news != nil {
		t.Errorf("a delete file was taken for data: %v, %v", news, err)
	}
}

func TestManifestsMissingOrDamaged(t *testing.T) {
	w := newWarehouse(t, 2)
	m := w.manifest(1, iceberg.ManifestContentData, added("a", 10), added("b", 20))
	snap := w.snapshot(1, 1, m)
	live := func(store *objectstore.Store, s catalog.Snapshot) error {
		_, err := table.NewReader(store).LiveFiles(t.Context(), s)
		return err
	}
	store := localStore(t)
	if err := live(store, catalog.Snapshot{ID: 5}); err == nil {
		t.Error("a snapshot without a manifest list was read")
	}
	if err := live(store, catalog.Snapshot{ID: 5, ManifestList: "file://" + w.root + "/none.avro"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing list: %v", err)
	}
	failed := 0
	for _, uri := range []string{snap.ManifestList, m.FilePath()} {
		path := strings.TrimPrefix(strings.TrimPrefix(uri, "file:"), "//")
		whole, err := os.ReadFile(path)
		w.must(err)
		for i := 0; i < len(whole); i += 5 {
			damaged := bytes.Clone(whole)
			damaged[i] ^= byte(1 + i*31)
			if i%3 == 0 {
				damaged = damaged[:i]
			}
			w.must(os.WriteFile(path, damaged, 0o600))
			if live(store, snap) != nil {
				failed++
			}
		}
		w.must(os.WriteFile(path, whole, 0o600))
	}
	if failed < 100 {
		t.Errorf("only %d damaged files were found out", failed)
	}
	w.must(os.Remove(strings.TrimPrefix(m.FilePath(), "file://")))
	if err := live(store, snap); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "manifest") {
		t.Errorf("missing manifest: %v", err)
	}
}
