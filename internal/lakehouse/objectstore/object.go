package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
)

const (
	smallestWindow = 8 << 10
	largestWindow  = 64 << 10
)

// Object is one open file. It implements io.ReaderAt and is safe for
// concurrent use.
type Object struct {
	ctx   context.Context // of Open: io.ReaderAt has no room for one
	store *Store
	uri   string
	loc   location
	file  *os.File // local file, or nil
	size  int64
	read  atomic.Int64

	mu     sync.Mutex
	window []byte // content from start on; small reads are served from it
	start  int64
}

// Size returns the object's length in bytes.
func (o *Object) Size() int64 { return o.size }

// BytesRead returns the bytes fetched so far, read-ahead included.
func (o *Object) BytesRead() int64 { return o.read.Load() }

// Close releases a local file. Closing twice is harmless.
func (o *Object) Close() error {
	if o.file == nil {
		return nil
	}
	if err := o.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("closing %s: %w", o.uri, err)
	}
	return nil
}

// ReadAt implements io.ReaderAt. In an S3 store a read is one GET of just that
// range; a read of a few KiB fetches a window of 0.25 % of the object (8 to
// 64 KiB) around it, which serves its neighbours too.
func (o *Object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("reading %s: negative offset %d", o.uri, off)
	}
	if o.file != nil {
		n, err := o.file.ReadAt(p, off)
		o.count(n)
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("reading %s at %d: %w", o.uri, off, err)
		}
		return n, err
	}
	if off >= o.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > o.size-off {
		p, end = p[:o.size-off], io.EOF
	}
	if len(p) == 0 {
		return 0, end
	}
	if err := o.readRange(p, off); err != nil {
		return 0, err
	}
	return len(p), end
}

// readRange fills p from off; the range lies inside the object.
func (o *Object) readRange(p []byte, off int64) error {
	span := min(max(o.size/400, smallestWindow), largestWindow)
	if int64(len(p)) > span/2 {
		if o.fromWindow(p, off) {
			return nil
		}
		return o.get(p, off)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.copyWindow(p, off) {
		return nil
	}
	start := max(0, min(off, o.size-span))
	window := make([]byte, min(span, o.size-start))
	if err := o.get(window, start); err != nil {
		return err
	}
	o.window, o.start = window, start
	o.copyWindow(p, off)
	return nil
}

func (o *Object) fromWindow(p []byte, off int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.copyWindow(p, off)
}

func (o *Object) copyWindow(p []byte, off int64) bool {
	if off < o.start || off+int64(len(p)) > o.start+int64(len(o.window)) {
		return false
	}
	copy(p, o.window[off-o.start:])
	return true
}

// get fetches one range with one request, or more where the store falters.
func (o *Object) get(p []byte, off int64) error {
	doing := fmt.Sprintf("reading %s at %d", o.uri, off)
	return o.store.retry(o.ctx, doing, func(ctx context.Context) error {
		var opts minio.GetObjectOptions
		if err := opts.SetRange(off, off+int64(len(p))-1); err != nil {
			return err
		}
		body, _, _, err := o.store.s3.GetObject(ctx, o.loc.bucket, o.loc.key, opts)
		if err != nil {
			return err
		}
		n, err := io.ReadFull(body, p)
		o.count(n)
		return errors.Join(err, body.Close())
	})
}

func (o *Object) count(n int) {
	o.read.Add(int64(n))
	o.store.read.Add(int64(n))
}
