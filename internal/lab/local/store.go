package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3 is a client of the store.
func (s *Stack) s3() (*minio.Client, error) {
	return minio.New(local(s.ports.Store), &minio.Options{
		Creds:        credentials.NewStaticV4(s.keys.accessKey.Reveal(), s.keys.secretKey.Reveal(), ""),
		Region:       Region,
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   1,
	})
}

// startStore starts the S3 store and makes the bucket.
func (s *Stack) startStore(ctx context.Context) error {
	client, err := s.s3()
	if err != nil {
		return fmt.Errorf("making an S3 client: %w", err)
	}
	err = s.bring(ctx, system{
		name: Store, step: "start", limit: 60 * time.Second, prepare: s.storeCommand,
		probe: func(ctx context.Context) error {
			_, err := client.ListBuckets(ctx)
			return err
		},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err = client.MakeBucket(ctx, Bucket, minio.MakeBucketOptions{Region: Region})
	var answer minio.ErrorResponse
	if errors.As(err, &answer) && (answer.Code == "BucketAlreadyOwnedByYou" || answer.Code == "BucketAlreadyExists") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making the bucket %s: %w", Bucket, err)
	}
	return nil
}

// storeCommand is how the chosen program is started.
func (s *Stack) storeCommand() (command, error) {
	ports := []int{s.ports.Store}
	if s.opts.Store == MinIO {
		ports = append(ports, s.ports.Console)
	}
	if err := checkPorts(Store, ports...); err != nil {
		return command{}, err
	}
	data := s.path("store", s.opts.Store)
	c := command{name: Store, addr: local(s.ports.Store)}
	folders := []string{data}
	if s.opts.Store == MinIO {
		c.env = []string{
			"MINIO_ROOT_USER=" + s.keys.accessKey.Reveal(),
			"MINIO_ROOT_PASSWORD=" + s.keys.secretKey.Reveal(),
			"MINIO_REGION=" + Region,
			"MINIO_PROMETHEUS_AUTH_TYPE=public",
		}
		c.argv = []string{
			s.tool("bin", MinIO), "server", "--quiet", "--address", local(s.ports.Store),
			"--console-address", local(s.ports.Console), data,
		}
	} else {
		versions := s.path("store", "versions")
		folders = append(folders, versions)
		c.env = []string{
			"ROOT_ACCESS_KEY=" + s.keys.accessKey.Reveal(),
			"ROOT_SECRET_KEY=" + s.keys.secretKey.Reveal(),
		}
		c.argv = []string{
			s.tool("bin", VersityGW), "--port", local(s.ports.Store), "--region", Region,
			"posix", "--versioning-dir", versions, data,
		}
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return c, fmt.Errorf("making the store's folder: %w", err)
		}
	}
	return c, nil
}
