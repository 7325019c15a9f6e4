package local

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/internal/fail"
)

func stackIn(t *testing.T, dir string, opts Options) *Stack {
	t.Helper()
	opts.Dir = dir
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A process that another one took the pid of is never seen as ours, and a
// zombie is not alive.
func TestAliveMeansTheVerySameProcess(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, ok := startTime(cmd.Process.Pid)
	if !ok || start == "" {
		t.Fatalf("start time of a running process: %q, %v", start, ok)
	}
	same := record{pid: cmd.Process.Pid, start: start}
	recycled := record{pid: cmd.Process.Pid, start: start + "1"}
	if !same.alive() || recycled.alive() {
		t.Errorf("alive: same process %v, recycled pid %v", same.alive(), recycled.alive())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for same.alive() { // it stays a zombie until Wait
		if time.Now().After(deadline) {
			t.Fatal("a killed process that was not waited for is still alive")
		}
		time.Sleep(time.Millisecond)
	}
	_ = cmd.Wait()
}

func TestEndLeavesARecycledPidAlone(t *testing.T) {
	s := stackIn(t, t.TempDir(), Options{})
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := writeFile(s.pidPath(Kafka), fmt.Appendf(nil, "%d\n%s\n\n", cmd.Process.Pid, "another start")); err != nil {
		t.Fatal(err)
	}
	if c := s.status(Kafka); c.State != "dead" {
		t.Errorf("status of a recycled pid: %+v", c)
	}
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(Kafka); fail.CodeOf(err) != fail.Usage {
		t.Errorf("killing what does not run: %v", err)
	}
	select {
	case <-ended:
		t.Error("a process of somebody else was ended")
	default:
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

// spawnShell starts a shell script as a component.
func spawnShell(t *testing.T, s *Stack, name, script string) record {
	t.Helper()
	if err := s.saveState(); err != nil {
		t.Fatal(err)
	}
	if err := s.spawn(command{name: name, addr: "127.0.0.1:1", argv: []string{"sh", "-c", script}}); err != nil {
		t.Fatal(err)
	}
	r, ok := s.record(name)
	if !ok {
		t.Fatal("no pid file")
	}
	t.Cleanup(func() { _ = syscall.Kill(-r.pid, syscall.SIGKILL) })
	return r
}

func groupGone(pid int) bool { return errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }

func TestDownEndsAWholeGroupAndAnotherStackFindsIt(t *testing.T) {
	dir := t.TempDir()
	first := stackIn(t, dir, Options{})
	r := spawnShell(t, first, "spark-x", "sleep 600 & echo up; wait")
	second := stackIn(t, dir, Options{})
	c := second.status("spark-x")
	if c.State != "running" || c.PID != r.pid || c.Addr != "127.0.0.1:1" || c.Since.IsZero() {
		t.Errorf("status by another stack value: %+v", c)
	}
	if err := second.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "the group's end", func() bool { return groupGone(r.pid) })
	if c := second.status("spark-x"); c.State != "stopped" {
		t.Errorf("after down: %+v", c)
	}
	if err := second.Down(t.Context()); err != nil {
		t.Errorf("a second down: %v", err)
	}
}

func TestKillEndsAProcessThatIgnoresSIGTERM(t *testing.T) {
	s := stackIn(t, t.TempDir(), Options{})
	r := spawnShell(t, s, Catalog, "trap '' TERM; while :; do sleep 600; done")
	if err := s.Kill(Catalog); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "the group's end", func() bool { return groupGone(r.pid) })
	if c := s.status(Catalog); c.State != "dead" {
		t.Errorf("after a kill: %+v", c)
	}
}

func awaitTrue(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s: in vain", what)
		}
	}
}

func TestAwaitTellsWhyAProcessEnded(t *testing.T) {
	s := stackIn(t, t.TempDir(), Options{})
	spawnShell(t, s, Store, "echo starting; echo 'FATAL no disk'; echo bye; exit 1")
	err := s.await(t.Context(), Store, time.Minute, func(context.Context) error { return errors.New("refused") })
	if fail.CodeOf(err) != fail.Unreachable || !strings.Contains(err.Error(), "FATAL no disk") || !strings.Contains(fail.HintOf(err), "store.log") {
		t.Errorf("got %v (code %d, hint %q)", err, fail.CodeOf(err), fail.HintOf(err))
	}
}

func TestAwaitEndsAtItsLimit(t *testing.T) {
	s := stackIn(t, t.TempDir(), Options{})
	spawnShell(t, s, Store, "sleep 600")
	err := s.await(t.Context(), Store, 100*time.Millisecond, func(context.Context) error { return errors.New("refused") })
	if fail.CodeOf(err) != fail.Unreachable || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "100ms") {
		t.Errorf("got %v", err)
	}
}

func TestPortInUseNamesWhoHasIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	err = checkPorts(Store, port)
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), fmt.Sprintf("port %d is in use by", port)) {
		t.Fatalf("got %v", err)
	}
	if _, statErr := os.Stat("/proc/net/tcp"); statErr == nil {
		if want := fmt.Sprintf("(pid %d)", os.Getpid()); !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
	if !strings.Contains(fail.HintOf(err), "another port") {
		t.Errorf("hint %q", fail.HintOf(err))
	}
	l.Close()
	if err := checkPorts(Store, port); err != nil {
		t.Errorf("a free port: %v", err)
	}
}

func TestToolThatIsMissingOrTooOldSaysWhatToInstall(t *testing.T) {
	missing := tool{name: "lakeproof-no-such-tool", hint: "install it"}
	if err := missing.check(t.Context()); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) != "install it" || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("missing: %v", err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n"
	if err := os.WriteFile(filepath.Join(dir, "java"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	java := javaTools()[0]
	if err := java.check(t.Context()); fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), `version "11`) || !strings.Contains(fail.HintOf(err), "17") {
		t.Errorf("too old: %v (%s)", err, fail.HintOf(err))
	}
}

// An installed part is left alone until its recipe changes; one that went
// wrong is tried again.
func TestInstallPartsDoesEachRecipeOnce(t *testing.T) {
	s := stackIn(t, t.TempDir(), Options{})
	var ran int
	broken := errors.New("no network")
	p := part{name: "x", component: Kafka, step: "install x", recipe: []string{"v1"}, into: "x"}
	p.install = func(context.Context, string) error { ran++; return broken }
	if err := s.installParts(t.Context(), p); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	p.install = func(_ context.Context, folder string) error {
		ran++
		return writeFile(filepath.Join(folder, p.recipe[0]), nil)
	}
	for _, want := range []int{2, 2} {
		if err := s.installParts(t.Context(), p); err != nil || ran != want {
			t.Fatalf("ran %d times, want %d (%v)", ran, want, err)
		}
	}
	p.recipe = []string{"v2"}
	if err := s.installParts(t.Context(), p); err != nil || ran != 3 {
		t.Fatalf("a new recipe: ran %d times (%v)", ran, err)
	}
	if _, err := os.Stat(s.tool("x", "v1")); err == nil {
		t.Error("the old installation is still there")
	}
}

func TestStateIsKept(t *testing.T) {
	dir := t.TempDir()
	first := stackIn(t, dir, Options{FreePorts: true, Store: VersityGW})
	if err := first.saveState(); err != nil {
		t.Fatal(err)
	}
	second := stackIn(t, dir, Options{})
	if second.ports != first.ports || second.opts.Store != VersityGW || second.keys != first.keys {
		t.Errorf("ports %v then %v, store %s", first.ports, second.ports, second.opts.Store)
	}
	third := stackIn(t, dir, Options{Ports: Ports{Kafka: 19092}})
	if third.ports.Kafka != 19092 || third.ports.Store != first.ports.Store {
		t.Errorf("a port that was asked for: %v", third.ports)
	}
	if got := stackIn(t, t.TempDir(), Options{}).ports; got != UsualPorts() {
		t.Errorf("the usual ports: %v", got)
	}
	seen := map[int]bool{}
	for _, p := range first.ports.all() {
		if seen[*p] || *p < 20_000 || *p >= 32_000 {
			t.Errorf("free ports: %v", first.ports)
		}
		seen[*p] = true
	}
}

func TestNewWritesNothingAndRefusesNonsense(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	s := stackIn(t, dir, Options{})
	s.Status(t.Context())
	if _, err := os.Stat(dir); err == nil {
		t.Error("a look at the stack made its folder")
	}
	for _, opts := range []Options{{Store: "rustfs"}, {Components: []string{"hadoop"}}} {
		opts.Dir = dir
		if _, err := New(opts); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

func TestConfigFileHoldsNoSecret(t *testing.T) {
	dir := t.TempDir()
	s := stackIn(t, dir, Options{})
	if err := s.saveState(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "lakeproof.yaml")
	if err := s.WriteConfig(path); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range s.keys.files() {
		if strings.Contains(string(raw), secret.Reveal()) {
			t.Errorf("the file holds %s", name)
		}
		info, err := os.Stat(s.path("secrets", name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	var file struct {
		Kafka   struct{ Brokers []string }
		Storage struct {
			SecretKeyFile string `yaml:"secret_key_file"`
		}
		Spark []struct{ App, UI, Checkpoint string }
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	if file.Kafka.Brokers[0] != "127.0.0.1:9092" || file.Storage.SecretKeyFile != s.path("secrets", "s3_secret_key") ||
		file.Spark[0].App != "bronze" || file.Spark[0].Checkpoint != "file://"+s.path("checkpoints", "bronze") {
		t.Errorf("got %+v", file)
	}
}

func TestRegistryIsThereWhereItIsAskedFor(t *testing.T) {
	if got := stackIn(t, t.TempDir(), Options{}); got.Config().Registry.URL != "" || got.wants(Registry) {
		t.Errorf("nobody asked for %q", got.Config().Registry.URL)
	}
	s := stackIn(t, t.TempDir(), Options{Components: []string{Registry}})
	if err := s.WriteConfig(s.path("lakeproof.yaml")); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(s.path("lakeproof.yaml"))
	want := "http://127.0.0.1:8081/apis/ccompat/v7"
	if err != nil || s.Config().Registry.URL != want || !strings.Contains(string(raw), "registry:\n  url: "+want+"\n") {
		t.Errorf("%q, %v\n%s", s.Config().Registry.URL, err, raw)
	}
	if got := s.Status(t.Context()); len(got) != 1 || got[0].Name != Registry || got[0].Addr != "127.0.0.1:8081" {
		t.Errorf("%+v", got)
	}
}

func TestCertificatesServeALogin(t *testing.T) {
	s := stackIn(t, t.TempDir(), Options{})
	if err := s.makeCertificates(); err != nil {
		t.Fatal(err)
	}
	server, err := tls.LoadX509KeyPair(s.path("tls", "server.pem"), s.path("tls", "server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(s.SecureKafka().TLS.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no authority")
	}
	for name, good := range map[string]bool{"127.0.0.1": true, "localhost": true, "example.org": false} {
		if _, err := server.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != good {
			t.Errorf("verifying %s: %v", name, err)
		}
	}
	if err := s.makeCertificates(); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(s.SecureKafka().TLS.CAFile); err != nil || string(again) != string(ca) {
		t.Error("a second call made another authority")
	}
}

func TestChildrenInheritNothingThatLeadsThemAstray(t *testing.T) {
	got := cleaned([]string{"PATH=/bin", "AWS_PROFILE=prod", "SPARK_HOME=/opt/spark", "PYTHONPATH=/x", "PYTHONDONTWRITEBYTECODE=1", "GOPROXY=p"})
	if fmt.Sprint(got) != "[PATH=/bin PYTHONDONTWRITEBYTECODE=1 GOPROXY=p]" {
		t.Errorf("got %v", got)
	}
}
