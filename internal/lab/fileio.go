//go:build !nolab

package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	icebergio "github.com/apache/iceberg-go/io"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

const (
	storeTimeout = 30 * time.Second // one request to the store; iceberg-go's file interface knows no context
	wholeObject  = 8 << 20          // objects up to this size are read by one request
)

// Names of iceberg-go's properties of an S3 store (io/config.go).
const (
	propEndpoint = "s3.endpoint"
	propRegion   = "s3.region"
	propAccess   = "s3.access-key-id"
	propSecret   = "s3.secret-access-key"
)

// newS3Client makes a client that sends no trailing checksum, which the store
// would refuse over plain HTTP.
func newS3Client(s config.Storage) (*minio.Core, error) {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("reading the store's address %q: %w", s.Endpoint, err)
	}
	return minio.NewCore(u.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(s.AccessKey.Reveal(), s.SecretKey.Reveal(), ""),
		Region:       s.Region,
		BucketLookup: minio.BucketLookupPath,
		Transport:    &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, DisableCompression: true},
	})
}

// fileIO is iceberg-go's file interface over the store. Its paths are
// s3://bucket/key.
type fileIO struct{ client *minio.Core }

// openFileIO returns the files of the store, the same value for the same
// store. The first call of the process registers the scheme s3 with iceberg-go:
// its own registration links the clients of every cloud.
func openFileIO(ctx context.Context, s config.Storage) (*fileIO, error) {
	if !slices.Contains(icebergio.GetRegisteredSchemes(), "s3") {
		var stores sync.Map // storeKey -> *fileIO
		icebergio.Register("s3", func(_ context.Context, _ *url.URL, props map[string]string) (icebergio.IO, error) {
			key := storeKey{props[propEndpoint], props[propSecret]} // a later store may get the same port
			if known, ok := stores.Load(key); ok {
				return known.(*fileIO), nil
			}
			client, err := newS3Client(config.Storage{
				Endpoint:  props[propEndpoint],
				Region:    props[propRegion],
				AccessKey: config.NewSecret(props[propAccess]),
				SecretKey: config.NewSecret(props[propSecret]),
			})
			if err != nil {
				return nil, err
			}
			known, _ := stores.LoadOrStore(key, &fileIO{client})
			return known.(*fileIO), nil
		})
	}
	files, err := icebergio.LoadFS(ctx, fileProps(s), warehouseLocation)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	own, ok := files.(*fileIO)
	if !ok {
		return nil, fail.New(fail.Internal, "start the embedded lab in a process of its own",
			"opening the store: another program part has registered the scheme s3")
	}
	return own, nil
}

type storeKey struct{ endpoint, secret string }

// fileProps are the properties that lead iceberg-go to the store.
func fileProps(s config.Storage) map[string]string {
	return map[string]string{
		propEndpoint: s.Endpoint,
		propRegion:   s.Region,
		propAccess:   s.AccessKey.Reveal(),
		propSecret:   s.SecretKey.Reveal(),
	}
}

func (f *fileIO) close() { f.client.CredContext().Client.CloseIdleConnections() }

// split turns s3://bucket/key into its parts.
func split(name string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(name, "s3://")
	bucket, key, found := strings.Cut(rest, "/")
	if !ok || !found || bucket == "" || key == "" {
		return "", "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return bucket, key, nil
}

// pathError gives err the form that iceberg-go expects.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
		err = errors.Join(fs.ErrNotExist, err)
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open reads small objects at once and leaves large ones to ranged reads.
func (f *fileIO) Open(name string) (icebergio.File, error) {
	bucket, key, err := split(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	body, info, _, err := f.client.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, pathError("open", name, err)
	}
	defer body.Close()
	var at io.ReaderAt = &objectRange{client: f.client, bucket: bucket, key: key}
	if info.Size <= wholeObject {
		data, err := io.ReadAll(body)
		if err != nil {
			return nil, pathError("read", name, err)
		}
		at = bytes.NewReader(data)
	}
	return &objectFile{io.NewSectionReader(at, 0, info.Size), info}, nil
}

// ReadFile returns the whole content.
func (f *fileIO) ReadFile(name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(file)
}

// Stat returns size and time of the last change.
func (f *fileIO) Stat(name string) (fs.FileInfo, error) {
	bucket, key, err := split(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	info, err := f.client.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return objectInfo{info}, nil
}

// Create returns a writer whose content is stored when it is closed.
func (f *fileIO) Create(name string) (icebergio.FileWriter, error) {
	if _, _, err := split(name); err != nil {
		return nil, err
	}
	return &objectWriter{files: f, name: name}, nil
}

// WriteFile stores p.
func (f *fileIO) WriteFile(name string, p []byte) error {
	bucket, key, err := split(name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	sum := sha256.Sum256(p)
	// Not the signature for each chunk of the body: over plain HTTP minio-go
	// adds a last chunk even to an empty body, and the store trips over it.
	opts := minio.PutObjectOptions{DisableContentSha256: true}
	_, err = f.client.PutObject(ctx, bucket, key, bytes.NewReader(p), int64(len(p)), "", hex.EncodeToString(sum[:]), opts)
	return pathError("write", name, err)
}

// Remove deletes an object; one that is not there is no error.
func (f *fileIO) Remove(name string) error {
	bucket, key, err := split(name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return pathError("remove", name, f.client.RemoveObject(ctx, bucket, key, minio.RemoveObjectOptions{}))
}

// list returns the names of the objects directly in a folder.
func (f *fileIO) list(ctx context.Context, folder string) ([]string, error) {
	bucket, prefix, err := split(folder + "/")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var names []string
	for info := range f.client.Client.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix}) {
		if info.Err != nil {
			return nil, pathError("list", folder, info.Err)
		}
		if !strings.HasSuffix(info.Key, "/") {
			names = append(names, path.Base(info.Key))
		}
	}
	return names, nil
}

// objectFile is an open object.
type objectFile struct {
	*io.SectionReader
	info minio.ObjectInfo
}

func (o *objectFile) Stat() (fs.FileInfo, error) { return objectInfo{o.info}, nil }
func (o *objectFile) Close() error               { return nil }

// objectRange reads ranges of a large object.
type objectRange struct {
	client      *minio.Core
	bucket, key string
}

func (o *objectRange) ReadAt(p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	var opts minio.GetObjectOptions
	if err := opts.SetRange(off, off+int64(len(p))-1); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	body, _, _, err := o.client.GetObject(ctx, o.bucket, o.key, opts)
	if err != nil {
		return 0, pathError("read", o.key, err)
	}
	defer body.Close()
	return io.ReadFull(body, p)
}

// objectWriter collects an object's content.
type objectWriter struct {
	bytes.Buffer
	files *fileIO
	name  string
}

func (w *objectWriter) Close() error { return w.files.WriteFile(w.name, w.Bytes()) }

// objectInfo is an object as a file.
type objectInfo struct{ info minio.ObjectInfo }

func (i objectInfo) Name() string       { return path.Base(i.info.Key) }
func (i objectInfo) Size() int64        { return i.info.Size }
func (i objectInfo) Mode() fs.FileMode  { return 0o644 }
func (i objectInfo) ModTime() time.Time { return i.info.LastModified }
func (i objectInfo) IsDir() bool        { return false }
func (i objectInfo) Sys() any           { return nil }
