package objectstore

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
)

const (
	maxFolders = 1000   // of a listing of folders
	maxBeside  = 10_000 // files beside the folders, after which we look no further
)

// Folders returns the names of the folders right below a folder, at most 1,000
// of them, in the store's order. It costs one request for each 1,000 entries of
// the folder itself, however much is in those below.
// A folder that does not exist has none, as it is in S3.
func (s *Store) Folders(ctx context.Context, folder string) ([]string, error) {
	loc, err := parse(folder)
	if err != nil {
		return nil, err
	}
	if loc.bucket == "" {
		return localFolders(loc.key)
	}
	prefix := strings.TrimSuffix(loc.key, "/")
	if prefix != "" {
		prefix += "/"
	}
	var found []string
	err = s.retry(ctx, "listing "+folder, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		found = found[:0]
		beside := 0
		for o := range s.s3.ListObjectsIter(ctx, loc.bucket, minio.ListObjectsOptions{Prefix: prefix}) {
			if o.Err != nil {
				return o.Err
			}
			name, isFolder := strings.CutSuffix(strings.TrimPrefix(o.Key, prefix), "/")
			if isFolder && name != "" {
				found = append(found, name)
			} else {
				beside++
			}
			if len(found) == maxFolders || beside == maxBeside {
				return nil
			}
		}
		return nil
	})
	return found, err
}

func localFolders(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", root, err)
	}
	var found []string
	for _, e := range entries {
		if e.IsDir() && len(found) < maxFolders {
			found = append(found, e.Name())
		}
	}
	return found, nil
}
