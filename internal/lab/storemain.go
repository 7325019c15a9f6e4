//go:build !nolab

package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// StoreMain is the S3 store: the work of the child process. It reads its
// options from in (one line of JSON), serves until in ends or ctx is done, and
// changes the working folder of the process. One can run in a process.
func StoreMain(ctx context.Context, in io.Reader) error {
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("reading the store's options: %w", err)
	}
	var cfg storeConfig
	if err := json.Unmarshal(line, &cfg); err != nil {
		return fmt.Errorf("reading the store's options: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, r) // blocks until the parent is gone or closes the pipe
		cancel()
	}()
	backend, err := newBackend(cfg)
	if err != nil {
		return err
	}
	// Zero is a trap for each of the numbers: IAMCachePrune spins a core, the
	// others refuse every request.
	return embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess:    cfg.AccessKey,
		RootUserSecret:    cfg.SecretKey,
		Region:            region,
		Ports:             []string{cfg.Address},
		MaxConnections:    1024,
		MaxRequests:       512,
		MultipartMaxParts: 10_000,
		KeepAlive:         true,
		Quiet:             true,
		DisableACLs:       true,
		HealthPath:        healthPath,
		IAMCacheDisable:   true,
		IAMCacheTTL:       120,
		IAMCachePrune:     3600,
	})
}

// newBackend keeps objects as files, and their attributes as extended
// attributes where the file system has them, else in a folder beside.
func newBackend(cfg storeConfig) (*posix.Posix, error) {
	opts := posix.PosixOpts{
		CopyObjectThreshold: 5 << 30,
		Concurrency:         256,
	}
	var attributes meta.MetadataStorer = meta.XattrMeta{}
	if err := (meta.XattrMeta{}).Test(cfg.Dir); err != nil {
		sidecar, err := meta.NewSideCar(cfg.Sidecar)
		if err != nil {
			return nil, fmt.Errorf("opening the attribute folder of the store: %w", err)
		}
		attributes, opts.SideCarDir = sidecar, cfg.Sidecar
	}
	backend, err := posix.New(cfg.Dir, attributes, opts)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of the store %s: %w", cfg.Dir, err)
	}
	return backend, nil
}
