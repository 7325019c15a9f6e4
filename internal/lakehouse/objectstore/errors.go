package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/lakeproof/lakeproof/internal/fail"
)

const (
	retryBudget = 30 * time.Second // longer than the restart of a store
	firstWait   = 100 * time.Millisecond
	longestWait = 2 * time.Second
)

// retry runs op until it succeeds, fails for good, or the context or the
// budget ends; what it returns then is the store's last answer, not the
// context's.
func (s *Store) retry(ctx context.Context, doing string, op func(context.Context) error) error {
	if s.s3 == nil {
		return fail.New(fail.Usage, "set storage.endpoint, storage.access_key and storage.secret_key",
			"%s: no S3 store is configured", doing)
	}
	stop := time.Now().Add(retryBudget)
	var last error
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		s.requests.Add(1)
		err := op(attempt)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return fmt.Errorf("%s: %w", doing, context.Canceled)
		}
		if ctx.Err() != nil || !transient(err) || time.Now().Add(wait).After(stop) {
			return s.explain(doing, last)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// transient reports whether the same request may succeed later.
func transient(err error) bool {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return true // no answer at all, or one that broke off
	}
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return true
	case http.StatusNotImplemented:
		return false
	}
	return answer.StatusCode >= http.StatusInternalServerError
}

// explain gives an error of the S3 client its class and its hint.
func (s *Store) explain(doing string, err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return fail.Wrap(fmt.Errorf("%s: reaching %s: %w", doing, s.endpoint, err), fail.Unreachable,
			"start the object store, or correct storage.endpoint")
	}
	switch answer.Code {
	case "NoSuchBucket":
		return fail.Wrap(fmt.Errorf("%s: no such bucket: %w", doing, fs.ErrNotExist), fail.Usage,
			"create the bucket, or correct storage.bucket")
	case "NoSuchKey":
		return fmt.Errorf("%s: %w", doing, fs.ErrNotExist)
	case "AuthorizationHeaderMalformed", "InvalidRegion":
		return fail.Wrap(fmt.Errorf("%s: the store answered %s", doing, answer.Code), fail.Usage,
			"set storage.region to the store's own region")
	}
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w", doing, fs.ErrNotExist)
	case answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized:
		return fail.Wrap(fmt.Errorf("%s: the store answered %s: %w", doing, answer.Code, fs.ErrPermission), fail.Usage,
			"check storage.access_key and storage.secret_key, storage.region, and that the user may read this bucket")
	}
	return fail.Wrap(fmt.Errorf("%s: the store answered %d %s", doing, answer.StatusCode, answer.Code),
		fail.Unreachable, "look at the object store's log; storage.endpoint must be its S3 address")
}
