//go:build !nolab

package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/lakeproof/lakeproof/internal/config"
)

const (
	storeStartTimeout = 20 * time.Second // from the start of the child to its first answer
	storeStopTimeout  = 10 * time.Second // from the closed pipe to the end of the child
	storeAttempts     = 3                // ports tried: another program may take a free one first
	healthPath        = "/healthz"
)

// storeConfig is what the parent writes to the child's standard input, as one
// line of JSON. The secret is on no command line and in no environment.
type storeConfig struct {
	Dir       string `json:"dir"` // root folder of the buckets
	Sidecar   string `json:"sidecar"`
	Address   string `json:"address"` // host:port
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// store is the S3 store: a child of our own program that lives as long as the
// pipe to its standard input is open.
type store struct {
	cfg    storeConfig
	cmd    *exec.Cmd
	pipe   io.WriteCloser
	exited chan struct{} // closed after the child was waited for
	err    error         // how the child ended; read after exited is closed
}

// startStore starts the child and makes the bucket.
func startStore(ctx context.Context, opts Options) (*store, error) {
	cfg := storeConfig{
		Dir:       filepath.Join(opts.Dir, "store", "data"),
		Sidecar:   filepath.Join(opts.Dir, "store", "attributes"),
		AccessKey: "lakeproof",
		SecretKey: rand.Text(),
	}
	for _, dir := range []string{cfg.Dir, cfg.Sidecar} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("making the folder of the store: %w", err)
		}
	}
	var err error
	for range storeAttempts {
		if cfg.Address, err = freeAddress(ctx); err != nil {
			return nil, err
		}
		var s *store
		if s, err = startChild(ctx, opts, cfg); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// freeAddress returns an address of this machine that nobody listens on now.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func startChild(ctx context.Context, opts Options, cfg storeConfig) (*store, error) {
	line, err := json.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("encoding the store's options: %w", err)
	}
	var output bytes.Buffer // read only after the child has ended
	cmd := exec.Command(opts.Self, opts.ChildArgs...)
	cmd.Stdout = &head{&output}
	cmd.Stderr = cmd.Stdout
	ownGroup(cmd)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("making the pipe to the store: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the store %s: %w", opts.Self, err)
	}
	s := &store{cfg: cfg, cmd: cmd, pipe: pipe, exited: make(chan struct{})}
	go func() {
		defer close(s.exited)
		err := cmd.Wait()
		s.err = fmt.Errorf("the store ended (%w): %s", orClean(err), bytes.TrimSpace(output.Bytes()))
	}()
	_, err = pipe.Write(append(line, '\n'))
	if err == nil {
		err = s.ready(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// orClean gives an error also for a child that ended well, before its time.
func orClean(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// ready waits until the store answers and makes the bucket.
func (s *store) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeStartTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !s.healthy(ctx) {
		select {
		case <-tick.C:
		case <-s.exited:
			return s.err
		case <-ctx.Done():
			return fmt.Errorf("waiting for the store at %s: %w", s.cfg.Address, ctx.Err())
		}
	}
	client, err := newS3Client(s.storage())
	if err != nil {
		return err
	}
	defer client.CredContext().Client.CloseIdleConnections()
	ok, err := client.BucketExists(ctx, Bucket)
	if err == nil && !ok {
		err = client.MakeBucket(ctx, Bucket, minio.MakeBucketOptions{Region: region})
	}
	if err != nil {
		return fmt.Errorf("making bucket %s: %w", Bucket, err)
	}
	return nil
}

func (s *store) healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.cfg.Address+healthPath, nil)
	if err != nil {
		return false
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// storage is the store as a client's configuration names it.
func (s *store) storage() config.Storage {
	return config.Storage{
		Endpoint:  "http://" + s.cfg.Address,
		Region:    region,
		Bucket:    Bucket,
		PathStyle: true,
		AccessKey: config.NewSecret(s.cfg.AccessKey),
		SecretKey: config.NewSecret(s.cfg.SecretKey),
	}
}

// close ends the child and waits for it.
func (s *store) close() error {
	err := s.pipe.Close()
	select {
	case <-s.exited:
	case <-time.After(storeStopTimeout):
		err = errors.Join(err, s.cmd.Process.Kill())
		<-s.exited
	}
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// head keeps the first few kilobytes of a child's output, which say why it
// could not start.
type head struct{ buf *bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if room := 4<<10 - h.buf.Len(); room > 0 {
		h.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
