// Package objectstore reads files where a lakehouse keeps them: in an S3
// store (s3://bucket/key and s3a://bucket/key) or on this machine
// (file:///path, file:/path or a bare absolute path).
//
// A value flows like this: [New] makes a [Store] from the lab's configuration,
// [Store.Open] gives an [Object] whose ReadAt becomes one ranged GET (small
// reads share a window, so a Parquet footer costs one request),
// [Store.ReadFile] a whole small file, [Store.List] the files of a folder. An
// error is always one of: not found (fs.ErrNotExist), denied
// (fs.ErrPermission, with a hint), or unreachable (fail.Unreachable, with a
// hint). A location is taken as it stands: Iceberg and Hadoop do not
// percent-decode theirs.
//
// It does not write, delete or cache files, and it knows no format.
package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

const (
	headerTimeout  = 15 * time.Second // first byte of an answer
	attemptTimeout = 60 * time.Second // one request with its body
)

// Store reads objects of one S3 store and of the local file system. It is safe
// for concurrent use.
type Store struct {
	s3       *minio.Core // nil where no endpoint is configured
	endpoint string
	pool     *http.Transport
	read     atomic.Int64
	requests atomic.Int64
}

// New makes a Store. It makes no request. With an empty cfg.Endpoint only
// local files can be read.
func New(cfg config.Storage) (*Store, error) {
	if cfg.Endpoint == "" {
		return &Store{}, nil
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fail.New(fail.Usage, "write storage.endpoint as http://host:port or https://host:port",
			"reading storage.endpoint %q: not a web address", cfg.Endpoint)
	}
	lookup := minio.BucketLookupDNS
	if cfg.PathStyle {
		lookup = minio.BucketLookupPath
	}
	region := cfg.Region
	if region == "" {
		region = "us-east-1"
	}
	pool := transport()
	client, err := minio.NewCore(u.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(cfg.AccessKey.Reveal(), cfg.SecretKey.Reveal(), ""),
		Secure:       u.Scheme == "https",
		Region:       region,
		BucketLookup: lookup,
		MaxRetries:   1, // the Store retries by itself, within the caller's context
		Transport:    pool,
	})
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("making the client of %s: %w", cfg.Endpoint, err), fail.Usage,
			"correct storage.endpoint")
	}
	return &Store{s3: client, endpoint: cfg.Endpoint, pool: pool}, nil
}

func transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: config.DialTimeout}).DialContext,
		TLSHandshakeTimeout:   config.DialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true, // a range is a range of the stored bytes
	}
}

// Close drops idle connections.
func (s *Store) Close() {
	if s.pool != nil {
		s.pool.CloseIdleConnections()
	}
}

// BytesRead returns the bytes of content fetched so far by all objects.
func (s *Store) BytesRead() int64 { return s.read.Load() }

// Requests returns the requests sent to the S3 store so far, retries included.
func (s *Store) Requests() int64 { return s.requests.Load() }

// Open finds an object and its size. Every later read of the object is bounded
// by ctx.
func (s *Store) Open(ctx context.Context, uri string) (*Object, error) {
	loc, err := parse(uri)
	if err != nil {
		return nil, err
	}
	if loc.bucket == "" {
		return s.openFile(uri, loc.key)
	}
	o := &Object{ctx: ctx, store: s, uri: uri, loc: loc}
	err = s.retry(ctx, "opening "+uri, func(ctx context.Context) error {
		info, err := s.s3.StatObject(ctx, loc.bucket, loc.key, minio.StatObjectOptions{})
		o.size = info.Size
		return err
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

func (s *Store) openFile(uri, path string) (*Object, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fail.Wrap(fmt.Errorf("opening %s: %w", uri, err), fail.Usage, "let this user read the file")
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", uri, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a folder")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", uri, err), f.Close())
	}
	return &Object{store: s, uri: uri, file: f, size: info.Size()}, nil
}

// ReadFile returns the whole content of a file of at most limit bytes; a
// larger one is an error.
func (s *Store) ReadFile(ctx context.Context, uri string, limit int64) ([]byte, error) {
	o, err := s.Open(ctx, uri)
	if err != nil {
		return nil, err
	}
	defer o.Close() //nolint:errcheck // opened for reading only
	if o.size > limit {
		return nil, fmt.Errorf("reading %s: %d bytes are more than the %d expected at most", uri, o.size, limit)
	}
	data := make([]byte, o.size)
	if _, err := o.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// location is a parsed URI; bucket is empty for a local path in key.
type location struct{ bucket, key string }

func parse(uri string) (location, error) {
	for _, scheme := range []string{"s3://", "s3a://", "s3n://"} {
		if rest, ok := strings.CutPrefix(uri, scheme); ok {
			bucket, key, _ := strings.Cut(rest, "/")
			if bucket == "" {
				break
			}
			return location{bucket, key}, nil
		}
	}
	path, _ := strings.CutPrefix(uri, "file:")
	path, _ = strings.CutPrefix(path, "//")
	path, _ = strings.CutPrefix(path, "localhost")
	if strings.HasPrefix(path, "/") {
		return location{key: path}, nil
	}
	return location{}, fail.New(fail.Usage, "use a location that starts with s3://, s3a:// or file:///",
		"reading location %q: unknown scheme", uri)
}

// missing reports a path that does not exist, whichever store it is in.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
