package local

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

//go:embed query.py
var query []byte

// SQL runs one statement with a Spark of its own and returns its rows as
// texts, null as "". Tables are named lab.<namespace>.<table>. It is the
// second opinion on what a table holds: about ten seconds, most of it starting.
func (s *Stack) SQL(ctx context.Context, statement string) ([][]string, error) {
	if err := s.installSpark(ctx); err != nil {
		return nil, err
	}
	home := s.path("spark", "sql")
	if err := s.sparkFiles(home, SparkOptions{App: "sql"}.withDefaults(s)); err != nil {
		return nil, err
	}
	submit, env, err := s.sparkProgram(home)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, submit, "--properties-file", filepath.Join(home, "spark.conf"),
		"--conf", "spark.ui.enabled=false", filepath.Join(home, "query.py"), statement)
	cmd.Env, cmd.Dir = append(cleaned(cmd.Environ()), env...), home
	var out bytes.Buffer // of Spark and of Python, which spark-submit merges
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return nil, fail.Wrap(fmt.Errorf("running SQL %q: %w: %s", statement, err, complaint(out.Bytes())), fail.Unreachable,
			"do catalog and store run? see: lakeproof lab status")
	}
	var rows [][]string
	for line := range strings.Lines(out.String()) {
		text, ok := strings.CutPrefix(line, "row ")
		if !ok {
			continue
		}
		var row []string
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			return nil, fmt.Errorf("reading a row of SQL: %w", err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}
