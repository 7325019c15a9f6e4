package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// tool is a program that must be on the machine before anything is installed.
type tool struct {
	name    string
	args    []string // print its version
	version string   // expression whose first group is the number that counts
	least   int
	hint    string
}

func javaTools() []tool {
	hint := "install a JDK of version 17 or newer (Debian: apt install openjdk-17-jdk-headless) and put it into PATH"
	return []tool{
		{"java", []string{"-version"}, `version "(\d+)`, 17, hint},
		{"javac", []string{"-version"}, `javac (\d+)`, 17, hint},
	}
}

func mavenTool() tool {
	return tool{"mvn", []string{"--version"}, `Maven (\d+)`, 3, "install Apache Maven 3 (Debian: apt install maven)"}
}

func pythonTool() tool {
	return tool{
		"python3",
		[]string{"-c", "import sys, venv, ensurepip; print('3 minor', sys.version_info[1])"},
		`minor (\d+)`, 10,
		"install Python 3.10 or newer with its venv module (Debian: apt install python3 python3-venv)",
	}
}

func goTool() tool {
	return tool{"go", []string{"version"}, `go1\.(\d+)`, 21, "install Go, see https://go.dev/doc/install"}
}

// check finds the tool and asks for its version.
func (t tool) check(ctx context.Context) error {
	if _, err := exec.LookPath(t.name); err != nil {
		return fail.New(fail.Usage, t.hint, "looking for %s: it is not installed", t.name)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, t.name, t.args...).CombinedOutput()
	if err != nil {
		return fail.Wrap(fmt.Errorf("asking %s for its version: %w: %s", t.name, err, lastLine(out)), fail.Usage, t.hint)
	}
	m := regexp.MustCompile(t.version).FindSubmatch(out)
	if m == nil {
		return nil // an unusual build: let it show what it can do
	}
	if n, err := strconv.Atoi(string(m[1])); err == nil && n < t.least {
		return fail.New(fail.Usage, t.hint, "looking for %s: its version is too old (%s)", t.name, lastLine(m[0]))
	}
	return nil
}

// run runs one step of an installation with its output in a log file.
func (s *Stack) run(ctx context.Context, name, dir string, env []string, argv ...string) error {
	logPath := s.tool("log", "install-"+name+".log")
	if err := os.MkdirAll(filepath.Dir(logPath), 0o700); err != nil {
		return fmt.Errorf("making the folder of %s: %w", logPath, err)
	}
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of an installation: %w", err)
	}
	defer logFile.Close()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, logFile, logFile
	cmd.Env = append(cleaned(cmd.Environ()), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("running %s: %w", filepath.Base(argv[0]), context.Cause(ctx))
		}
		return fail.Wrap(fmt.Errorf("running %s: %w: %s", filepath.Base(argv[0]), err, tail(logPath)), fail.Unreachable,
			"read "+logPath+"; is the package registry reachable, and is the disk full?")
	}
	return nil
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// checkPorts makes sure that nobody listens on the ports that name is about to
// take, and names who does.
func checkPorts(name string, ports ...int) error {
	for _, port := range ports {
		l, err := net.Listen("tcp", local(port))
		if err == nil {
			l.Close() // nothing was ever accepted
			continue
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("trying port %d for %s: %w", port, name, err)
		}
		who, hint := "another process", "stop that process, or choose another port"
		if pid, program, ok := listener(port); ok {
			who = fmt.Sprintf("%s (pid %d)", program, pid)
			hint = fmt.Sprintf("stop pid %d, or choose another port", pid)
		}
		return fail.New(fail.Usage, hint, "starting %s: port %d is in use by %s", name, port, who)
	}
	return nil
}

// listener finds the process that listens on a TCP port of this machine.
// Source: proc(5), /proc/net/tcp (state 0A is LISTEN) and /proc/pid/fd.
func listener(port int) (pid int, program string, ok bool) {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+f[9]+"]"] = true
			}
		}
	}
	if len(sockets) == 0 {
		return 0, "", false
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, "", false
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || !sockets[target] {
			continue
		}
		number := strings.Split(fd, "/")[2]
		if pid, err = strconv.Atoi(number); err != nil {
			continue
		}
		name, err := os.ReadFile("/proc/" + number + "/comm")
		if err != nil {
			continue
		}
		return pid, strings.TrimSpace(string(name)), true
	}
	return 0, "", false
}
