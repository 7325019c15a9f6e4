// Package table reads what an Iceberg table is made of: which data files are
// live in a snapshot, which of them a snapshot added or removed, and single
// columns of a data file.
//
// A value flows like this: a snapshot of the catalog names a manifest list,
// [Reader.LiveFiles] reads it and the manifests that it names (each manifest
// once: they never change) and yields [File] values; [ScanColumns] reads the
// wanted columns of one of them, and nothing else of the file, in batches.
//
// It does not apply delete files (it counts them, and a caller must say so in
// its report), reads only Parquet, only columns of the top level, and writes
// nothing.
//
// Source: the Iceberg specification, "Manifests" and "Scan Planning".
package table

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/iceberg-go"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

const (
	maxCached  = 1 << 17 // manifest entries that a Reader keeps
	readBuffer = 1 << 20 // bytes of a manifest that one request fetches
)

// File is one data file.
type File struct {
	Path       string
	Format     string // PARQUET, AVRO or ORC
	Records    int64
	Size       int64 // bytes
	SnapshotID int64 // the snapshot that added it (or removed it, for Removed)
	Sequence   int64 // data sequence number; 0 in tables of format version 1
	Live       int   // how often it is live in the snapshot: 1, or more for a doubled file
}

// Files is the content of a snapshot.
type Files struct {
	Data          []File // each path once, in the order of the manifests
	Records       int64  // rows of all live data files, doubled files counted as often as they are live
	DeleteFiles   int    // live position and equality delete files and deletion vectors
	DeleteRecords int64  // rows in them
	Manifests     int
}

// Doubled returns the data files that are live more than once, which readers
// of the table see as duplicate rows (apache/iceberg #17340).
func (f Files) Doubled() []File {
	var doubled []File
	for _, file := range f.Data {
		if file.Live > 1 {
			doubled = append(doubled, file)
		}
	}
	return doubled
}

// entry is one line of a manifest.
type entry struct {
	file    File
	status  iceberg.ManifestEntryStatus
	deletes bool
}

// Reader reads manifests of one store and keeps the recent ones, up to
// 131,072 entries. It is safe for concurrent use.
type Reader struct {
	store *objectstore.Store

	mu    sync.Mutex
	cache map[string][]entry
	order []string // paths in cache, oldest first
	held  int      // entries in cache
}

// NewReader makes a Reader.
func NewReader(store *objectstore.Store) *Reader {
	return &Reader{store: store, cache: map[string][]entry{}}
}

// LiveFiles returns the data files of a snapshot.
func (r *Reader) LiveFiles(ctx context.Context, snap catalog.Snapshot) (Files, error) {
	manifests, err := r.manifests(ctx, snap)
	if err != nil {
		return Files{}, err
	}
	files := Files{Manifests: len(manifests)}
	at := map[string]int{}
	for _, m := range manifests {
		entries, err := r.entries(ctx, m)
		if err != nil {
			return Files{}, err
		}
		for _, e := range entries {
			if e.status == iceberg.EntryStatusDELETED {
				continue
			}
			if e.deletes {
				files.DeleteFiles++
				files.DeleteRecords += e.file.Records
				continue
			}
			files.Records += e.file.Records
			i, twice := at[e.file.Path]
			if !twice {
				i = len(files.Data)
				at[e.file.Path] = i
				files.Data = append(files.Data, e.file)
			}
			files.Data[i].Live++
		}
	}
	return files, nil
}

// Added returns the data files that a snapshot itself added. A file added
// twice by it is listed twice.
func (r *Reader) Added(ctx context.Context, snap catalog.Snapshot) ([]File, error) {
	return r.changed(ctx, snap, iceberg.EntryStatusADDED)
}

// Removed returns the data files that a snapshot itself took out of the table,
// as a compaction or an overwrite does.
func (r *Reader) Removed(ctx context.Context, snap catalog.Snapshot) ([]File, error) {
	return r.changed(ctx, snap, iceberg.EntryStatusDELETED)
}

func (r *Reader) changed(ctx context.Context, snap catalog.Snapshot, how iceberg.ManifestEntryStatus) ([]File, error) {
	manifests, err := r.manifests(ctx, snap)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, m := range manifests {
		if m.SnapshotID() != snap.ID {
			continue // written by an earlier snapshot, so it holds none of this one's changes
		}
		entries, err := r.entries(ctx, m)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.status == how && !e.deletes && e.file.SnapshotID == snap.ID {
				e.file.Live = 1
				files = append(files, e.file)
			}
		}
	}
	return files, nil
}

// manifests reads a snapshot's manifest list.
func (r *Reader) manifests(ctx context.Context, snap catalog.Snapshot) ([]iceberg.ManifestFile, error) {
	if snap.ManifestList == "" {
		return nil, fail.New(fail.Usage, "upgrade the table to format version 2",
			"reading snapshot %d: it has no manifest list", snap.ID)
	}
	var manifests []iceberg.ManifestFile
	err := r.read(ctx, snap.ManifestList, func(in io.Reader) (err error) {
		manifests, err = iceberg.ReadManifestList(in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the manifest list of snapshot %d: %w", snap.ID, err)
	}
	return manifests, nil
}

// entries reads a manifest, or remembers it.
func (r *Reader) entries(ctx context.Context, m iceberg.ManifestFile) ([]entry, error) {
	r.mu.Lock()
	known, ok := r.cache[m.FilePath()]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	var entries []entry
	err := r.read(ctx, m.FilePath(), func(in io.Reader) (err error) {
		entries, err = readManifest(m, in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading manifest %s: %w", m.FilePath(), err)
	}
	r.keep(m.FilePath(), entries)
	return entries, nil
}

func (r *Reader) keep(path string, entries []entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.cache[path]; ok || len(entries) > maxCached {
		return
	}
	r.cache[path] = entries
	r.order = append(r.order, path)
	r.held += len(entries)
	for r.held > maxCached {
		oldest := r.order[0]
		r.order = r.order[1:]
		r.held -= len(r.cache[oldest])
		delete(r.cache, oldest)
	}
}

// read opens an Avro file and lets parse read it.
func (r *Reader) read(ctx context.Context, uri string, parse func(io.Reader) error) error {
	object, err := r.store.Open(ctx, uri)
	if err != nil {
		return err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	whole := io.NewSectionReader(object, 0, object.Size())
	in := bufio.NewReaderSize(whole, int(max(16, min(object.Size(), readBuffer))))
	return guard(func() error { return parse(in) })
}

func readManifest(m iceberg.ManifestFile, in io.Reader) ([]entry, error) {
	reader, err := iceberg.NewManifestReaderWithProjection(m, in, iceberg.ManifestEntryProjection{})
	if err != nil {
		return nil, err
	}
	defer reader.Close() //nolint:errcheck // opened for reading only
	var entries []entry
	for {
		e, err := reader.ReadEntry()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		data := e.DataFile()
		entries = append(entries, entry{
			file: File{
				Path:       data.FilePath(),
				Format:     string(data.FileFormat()),
				Records:    data.Count(),
				Size:       data.FileSizeBytes(),
				SnapshotID: e.SnapshotID(),
				Sequence:   max(0, e.SequenceNum()),
			},
			status:  e.Status(),
			deletes: data.ContentType() != iceberg.EntryContentData,
		})
	}
}

// guard turns a panic of a foreign parser, which a damaged file can cause,
// into an error.
func guard(parse func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	return parse()
}
