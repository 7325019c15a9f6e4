package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/lakeproof/lakeproof/exporters"
)

// promcheck is the tool that evaluates expressions with Prometheus' own engine.
// It is a module of its own, so it is run, not imported.
const promcheck = "../../tools/promcheck"

// boards are files of expressions in testdata/boards, by the names that they
// need. Rules need not have a result; see the tool.
func boards() map[string][]string {
	return map[string][]string{
		CompatKafkaExporter:    {"--expressions=7589", "--expressions=strimzi", "--rules=strimzi-rules", "--expressions=flow"},
		CompatKminion:          {"--expressions=kminion-14012", "--expressions=kminion-14013"},
		CompatKafkaLagExporter: {"--expressions=kafka-lag-exporter"},
	}
}

// TestBoards holds the page against the dashboards and alerts that people have
// for other exporters.
func TestBoards(t *testing.T) {
	if testing.Short() {
		t.Skip("compiling the engine of Prometheus takes a minute the first time")
	}
	f := newFake(t, kfake.SeedTopics(3, "orders"))
	CheckBoards(t, f.options(), func(n int64) {
		f.produce("orders", 3, 10)
		f.commit("shop", "orders", n, n, n)
	}, t.Fatal)
}

// CheckBoards collects twice from a cluster and holds the pages against the
// boards. Before each collection, work is called with 1 and 2; it moves records
// and commits. Where the tool cannot be had, missing is called.
func CheckBoards(t *testing.T, opts Options, work func(int64), missing func(...any)) {
	t.Helper()
	if err := promcheckIsThere(t.Context()); err != nil {
		missing(err)
		return
	}
	for _, format := range []string{"text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0"} {
		for _, names := range [][]string{{CompatKafkaExporter}, Compats()} {
			kind, _, _ := strings.Cut(format, ";")
			t.Run(strings.Join(append([]string{kind}, names...), ","), func(t *testing.T) {
				opts.Compat = names
				before, after := scrapes(t, opts, work, format)
				var files []string
				for _, name := range names {
					files = append(files, boards()[name]...)
				}
				if out, err := evaluate(t, files, before, after); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				renamed := strings.ReplaceAll(after, "kafka_consumergroup_lag{", "kafka_group_lag{")
				out, err := evaluate(t, files, before, renamed)
				if exitCode(err) != 1 || !strings.Contains(out, "no series match kafka_consumergroup_lag\n") {
					t.Errorf("without kafka_consumergroup_lag: %v\n%s", err, out)
				}
			})
		}
	}
}

// scrapes returns two pages, one collection apart.
func scrapes(t *testing.T, opts Options, work func(int64), format string) (before, after string) {
	t.Helper()
	opts.Interval, opts.ConfigInterval = time.Second, time.Second // collect whenever asked
	collectors, err := Collectors(opts, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	e := exporters.New(exporters.Options{Mode: exporters.OnScrape}, collectors...)
	t.Cleanup(e.Close)
	handler, err := e.Handler()
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for n := range int64(2) {
		work(n + 1)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
		r.Header.Set("Accept", format)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		pages = append(pages, w.Body.String())
	}
	return pages[0], pages[1]
}

// evaluate runs promcheck over boards and returns what it says.
func evaluate(t *testing.T, boards []string, pages ...string) (string, error) {
	t.Helper()
	args := []string{"run", "-C", promcheck, "."}
	// What discovery adds to the series of a pod.
	for _, l := range []string{"namespace=kafka", "strimzi_io_cluster=lab", "kubernetes_pod_name=exporter-0"} {
		args = append(args, "--label", l)
	}
	for _, b := range boards {
		kind, file, _ := strings.Cut(b, "=")
		file, err := filepath.Abs(filepath.Join("testdata", "boards", file+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, kind, file)
	}
	dir := t.TempDir()
	for i, text := range pages {
		page := filepath.Join(dir, fmt.Sprintf("page%d", i))
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, page)
	}
	return goTool(t.Context(), args...)
}

// promcheckIsThere says why not, if the modules that the tool needs are neither
// here nor can be downloaded.
func promcheckIsThere(ctx context.Context) error {
	if out, err := goTool(ctx, "list", "-C", promcheck, "-deps", "-f", `{{""}}`, "."); err != nil {
		return fmt.Errorf("%s cannot be built here: %w\n%s", promcheck, err, strings.TrimSpace(out))
	}
	return nil
}

// goTool runs the go tool.
func goTool(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(cmd.Environ(), "GOWORK=off")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// exitCode is the exit code of a command that ran and failed, else -1.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}
