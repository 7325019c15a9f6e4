package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// command is a process to start.
type command struct {
	name string   // its pid file and log file
	addr string   // where it will serve, for Status
	dir  string   // working directory; default the stack's folder
	env  []string // added to the cleaned environment
	argv []string
}

// child is a process that this process started: it must be waited for.
type child struct{ ended chan struct{} }

// record is the content of a pid file.
type record struct {
	pid   int
	start string // when the kernel says it started; tells it from a later process of the same pid
	addr  string
	since time.Time
}

func (s *Stack) pidPath(name string) string { return s.path("run", name+".pid") }
func (s *Stack) logPath(name string) string { return s.path("log", name+".log") }

// record reads the pid file of name.
func (s *Stack) record(name string) (record, bool) {
	raw, err := os.ReadFile(s.pidPath(name))
	if err != nil {
		return record{}, false
	}
	lines := strings.Split(string(raw), "\n")
	if len(lines) < 3 {
		return record{}, false
	}
	pid, err := strconv.Atoi(lines[0])
	if err != nil || pid <= 1 {
		return record{}, false
	}
	r := record{pid: pid, start: lines[1], addr: lines[2]}
	if info, err := os.Stat(s.pidPath(name)); err == nil {
		r.since = info.ModTime()
	}
	return r, true
}

// recorded names every process with a pid file.
func (s *Stack) recorded() []string {
	files, err := filepath.Glob(s.path("run", "*.pid"))
	if err != nil {
		return nil
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(filepath.Base(f), ".pid")
	}
	return names
}

// alive reports whether the very process that was recorded still runs.
func (r record) alive() bool {
	start, ok := startTime(r.pid)
	return ok && start == r.start
}

// running returns the record of name if it is alive.
func (s *Stack) running(name string) (record, bool) {
	r, ok := s.record(name)
	return r, ok && r.alive()
}

// startTime is a text that tells two processes of the same pid apart; ok is
// false when there is no such process or it is only waiting to be reaped.
// Source: proc(5), fields state (3) and starttime (22) of /proc/pid/stat;
// where there is no /proc, ps(1).
func startTime(pid int) (start string, ok bool) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err == nil {
		// The second field is the program's name in brackets and may hold anything.
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
			return "", false
		}
		return fields[19], true
	}
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		return "", false
	}
	out, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	state, start, found := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || !found || strings.HasPrefix(state, "Z") {
		return "", false
	}
	return strings.TrimSpace(start), true
}

// spawn starts c in a session of its own, writes its pid file and reaps it
// when it ends. It does not wait until it answers.
func (s *Stack) spawn(c command) error {
	logFile, err := os.OpenFile(s.logPath(c.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", c.name, err)
	}
	defer logFile.Close()
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Env = append(cleaned(cmd.Environ()), c.env...)
	cmd.Dir = c.dir
	if cmd.Dir == "" {
		cmd.Dir = s.dir
	}
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", c.name, err)
	}
	kid := &child{ended: make(chan struct{})}
	s.mu.Lock()
	s.kids[c.name] = kid
	s.mu.Unlock()
	go func() {
		err := cmd.Wait()
		s.opts.Logger.Debug("lab process ended", "component", c.name, "pid", cmd.Process.Pid, "err", err)
		close(kid.ended)
	}()
	start, _ := startTime(cmd.Process.Pid) // a process that is gone already has none, and is seen as dead
	content := fmt.Sprintf("%d\n%s\n%s\n", cmd.Process.Pid, start, c.addr)
	if err := writeFile(s.pidPath(c.name), []byte(content)); err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	return nil
}

// foreign are prefixes of variables that would lead a child elsewhere.
func foreign() []string {
	return []string{
		"AWS_", "MINIO_", "CATALOG_", "SPARK_", "PYSPARK_", "KAFKA_", "ROOT_", "VGW_", "LAKEPROOF_", "QUARKUS_", "APICURIO_",
		"PYTHONPATH=", "PYTHONHOME=", "VIRTUAL_ENV=", "CLASSPATH=", "MAVEN_ARGS=", "GOFLAGS=", "GOBIN=", "GOOS=", "GOARCH=",
	}
}

// cleaned is the environment without what would lead a child elsewhere.
func cleaned(environ []string) []string {
	out := environ[:0:0]
next:
	for _, e := range environ {
		for _, prefix := range foreign() {
			if strings.HasPrefix(e, prefix) {
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}

// system is one thing to bring up.
type system struct {
	name    string
	step    string // for events
	limit   time.Duration
	probe   func(context.Context) error
	prepare func() (command, error) // checks, writes files; only called when it does not run
}

// bring starts a system unless it runs already, and waits until it answers.
func (s *Stack) bring(ctx context.Context, y system) error {
	if _, ok := s.running(y.name); ok {
		return s.await(ctx, y.name, y.limit, y.probe)
	}
	return s.step(component(y.name), y.step, func() error {
		c, err := y.prepare()
		if err != nil {
			return err
		}
		if err := s.spawn(c); err != nil {
			return err
		}
		return s.await(ctx, y.name, y.limit, y.probe)
	})
}

// await probes name until it answers, it ends, or the time is over.
func (s *Stack) await(ctx context.Context, name string, limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	hint := "read " + s.logPath(name)
	for {
		try, stop := context.WithTimeout(ctx, 5*time.Second)
		err := probe(try)
		stop()
		if err == nil {
			return nil
		}
		if _, ok := s.running(name); !ok {
			return fail.Wrap(fmt.Errorf("starting %s: it ended at once: %s", name, tail(s.logPath(name))),
				fail.Unreachable, hint)
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return fail.Wrap(fmt.Errorf("waiting for %s: %w; last: %w", name, context.Cause(ctx), err), fail.Unreachable, hint)
		}
	}
}

// tail is the last line that says something of a log file.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "its log cannot be read"
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 8192 {
		_, _ = f.Seek(-8192, io.SeekEnd)
	}
	raw, err := io.ReadAll(io.LimitReader(f, 8192))
	if err != nil {
		return "its log cannot be read"
	}
	return complaint(raw)
}

// complaint is the first line that tells of an error, else the last line.
func complaint(raw []byte) string {
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, "ERROR") || strings.Contains(line, "FATAL") || strings.Contains(line, "Exception") {
			return strings.TrimSpace(line)
		}
	}
	return lastLine(raw)
}

// grace is how long a system may take to end by itself.
func (s *Stack) grace(name string) time.Duration {
	if isKafka(name) && s.opts.KafkaNodes > 1 {
		return 10 * time.Second // the last nodes to leave have no quorum to ask, and would wait for it
	}
	if isKafka(name) || strings.HasPrefix(name, Spark+"-") {
		return 45 * time.Second // controlled shutdown; the batch under way
	}
	return 15 * time.Second
}

// end stops name: SIGTERM, wait, SIGKILL to what is left, pid file away.
func (s *Stack) end(ctx context.Context, name string) error {
	r, ok := s.record(name)
	if !ok {
		return nil
	}
	if r.alive() {
		err := s.step(component(name), "stop", func() error {
			if err := syscall.Kill(r.pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stopping %s (pid %d): %w", name, r.pid, err)
			}
			_ = syscall.Kill(-r.pid, syscall.SIGCONT) // a paused process takes no signal but SIGKILL
			if s.gone(ctx, name, r, s.grace(name)) {
				s.sweep(r)
				return nil
			}
			return s.slay(name, r)
		})
		if err != nil {
			return err
		}
	}
	if err := os.Remove(s.pidPath(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the pid file of %s: %w", name, err)
	}
	return nil
}

// kill ends name at once and keeps its pid file, so that Status says "dead".
func (s *Stack) kill(name string) error {
	r, ok := s.running(name)
	if !ok {
		return fail.New(fail.Usage, "look at its state with: lakeproof lab status", "killing %s: it does not run", name)
	}
	return s.slay(name, r)
}

// signal sends a signal to a system and to all that it started.
func (s *Stack) signal(name string, sig syscall.Signal) error {
	r, ok := s.running(name)
	if !ok {
		return fail.New(fail.Usage, "look at its state with: lakeproof lab status",
			"sending %s to %s: it does not run", sig, name)
	}
	if err := syscall.Kill(-r.pid, sig); err != nil {
		return fmt.Errorf("sending %s to %s (pid %d): %w", sig, name, r.pid, err)
	}
	return nil
}

// slay sends SIGKILL to the leader, then to what is left of its group.
func (s *Stack) slay(name string, r record) error {
	if r.alive() {
		if err := syscall.Kill(r.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("killing %s (pid %d): %w", name, r.pid, err)
		}
	}
	if !s.gone(context.Background(), name, r, 15*time.Second) {
		return fail.New(fail.Internal, "look at the process with ps", "killing %s: pid %d is still there", name, r.pid)
	}
	s.sweep(r)
	return nil
}

// sweep kills what is left of the process group that r led until just now, and
// gives the system a moment to clear it away.
func (s *Stack) sweep(r record) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for {
		err := syscall.Kill(-r.pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return
		}
		if err != nil {
			s.opts.Logger.Warn("ending a process group", "pgid", r.pid, "err", err)
			return
		}
		if pause(ctx, 10*time.Millisecond) != nil {
			return // all killed; where nobody reaps orphans, they stay as zombies
		}
	}
}

// gone waits until r has ended, and been reaped if it was ours.
func (s *Stack) gone(ctx context.Context, name string, r record, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for r.alive() {
		if pause(ctx, 20*time.Millisecond) != nil {
			return !r.alive()
		}
	}
	s.mu.Lock()
	kid := s.kids[name]
	s.mu.Unlock()
	if kid != nil {
		select {
		case <-kid.ended:
		case <-ctx.Done():
		}
	}
	return true
}

// component is the Event.Component of a process name.
func component(name string) string {
	if strings.HasPrefix(name, Spark+"-") {
		return Spark
	}
	if isKafka(name) {
		return Kafka
	}
	return name
}
