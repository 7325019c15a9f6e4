package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// maxEntries bounds a listing: a folder of more files is an error.
const maxEntries = 1 << 20

// Entry is one file of a listing.
type Entry struct {
	Name    string    // path below the listed folder, with slashes
	URI     string    // the file's own location, ready for Open
	Size    int64     // bytes
	ModTime time.Time // by the store's clock
}

var errTooMany = errors.New("the folder holds too many files")

// List returns all files below a folder, at any depth, in the store's order.
// A folder that does not exist is an empty one, as it is in S3.
func (s *Store) List(ctx context.Context, folder string) ([]Entry, error) {
	loc, err := parse(folder)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(folder, "/") + "/"
	if loc.bucket == "" {
		return listFiles(ctx, base, loc.key)
	}
	prefix := strings.TrimSuffix(loc.key, "/")
	if prefix != "" {
		prefix += "/"
	}
	var found []Entry
	full := false
	err = s.retry(ctx, "listing "+folder, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		found = found[:0]
		for o := range s.s3.ListObjectsIter(ctx, loc.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if o.Err != nil {
				return o.Err
			}
			name := strings.TrimPrefix(o.Key, prefix)
			if name == "" || strings.HasSuffix(name, "/") {
				continue // a folder's marker
			}
			if len(found) == maxEntries {
				full = true
				return nil
			}
			found = append(found, Entry{Name: name, URI: base + name, Size: o.Size, ModTime: o.LastModified})
		}
		return nil
	})
	if err == nil && full {
		err = fmt.Errorf("listing %s: %w", folder, errTooMany)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

func listFiles(ctx context.Context, base, root string) ([]Entry, error) {
	var found []Entry
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if missing(err) {
			return nil // gone, or never there
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(found) == maxEntries {
			return errTooMany
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		found = append(found, Entry{Name: name, URI: base + name, Size: info.Size(), ModTime: info.ModTime()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", base, err)
	}
	return found, nil
}
