//go:build !nolab

package lab

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestStoreDiesWithItsParent(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), testWait)
	defer cancel()
	parent := exec.CommandContext(ctx, os.Args[0], parentArg, t.TempDir())
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(line)
	if err := dial(ctx, address); err != nil {
		t.Fatalf("the store does not listen while its parent lives: %v", err)
	}
	if err := parent.Process.Kill(); err != nil { // SIGKILL: the parent can do nothing
		t.Fatal(err)
	}
	_ = parent.Wait()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for dial(ctx, address) == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the store outlives its parent")
		}
	}
}

func dial(ctx context.Context, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestStoreThatCannotStartSaysWhy(t *testing.T) {
	_, err := startStore(t.Context(), Options{Dir: t.TempDir(), Self: os.Args[0], ChildArgs: []string{"-test.badflag"}})
	if err == nil || !strings.Contains(err.Error(), "flag provided but not defined") {
		t.Fatalf("got %v, want the output of the child", err)
	}
}

func TestDeadStoreFailsTheLab(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	if err := l.store.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-l.Failed():
		if err == nil {
			t.Fatal("the failure has no error")
		}
	case <-time.After(testWait):
		t.Fatal("nobody noticed")
	}
}

func TestFiles(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	files, name := l.files, "s3://"+Bucket+"/some/folder/file"

	if _, err := files.Open(name); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("opening what is not there: %v", err)
	}
	for _, size := range []int{0, 1, 4 << 10, wholeObject + 12345, 3*wholeObject + 1} {
		data := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(data)
		w, err := files.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if sha256.Sum256(got) != sha256.Sum256(data) {
			t.Fatalf("%d bytes come back as %d others", len(data), len(got))
		}
		file, err := files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		part := make([]byte, size/2)
		if n, err := file.ReadAt(part, int64(size/4)); n != len(part) || (n > 0 && err != nil) {
			t.Fatalf("reading the middle of %d bytes: %d, %v", size, n, err)
		}
		if !bytes.Equal(part, data[size/4:size/4+size/2]) {
			t.Fatalf("the middle of %d bytes is another", size)
		}
	}
	names, err := files.list(t.Context(), "s3://"+Bucket+"/some/folder")
	if err != nil || len(names) != 1 || names[0] != "file" {
		t.Fatalf("listing gives %v, %v", names, err)
	}
	if err := files.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("asking for what was removed: %v", err)
	}
	for _, bad := range []string{"", "s3://", "s3://bucket", "file:///x", "s3:///key"} {
		if _, err := files.Open(bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("opening %q: %v, want fs.ErrInvalid", bad, err)
		}
	}
}
