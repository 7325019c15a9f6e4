//go:build !exporter

package cli

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/metrics"
)

// As many records are sent as were asked for, whatever the rate: the end of
// the last nanosecond is not cut off.
func TestDemoRecords(t *testing.T) {
	for _, want := range []uint64{100_000, 99_999, 123_457, 1_000_003} {
		for _, rate := range []string{"", "7000/s", "11111/s", "33333/s"} {
			plan, _, err := (&demoCmd{Records: want, Rate: rate}).plan()
			if err != nil {
				t.Fatal(err)
			}
			if got := plan.Count(); got != want {
				t.Errorf("--records %d --rate %q sends %d", want, rate, got)
			}
		}
	}
}

func TestDemoRecordsRefuses(t *testing.T) {
	for _, records := range []uint64{1 << 45, 1 << 63} {
		if _, _, err := (&demoCmd{Records: records}).plan(); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("--records %d: %v, hint %q", records, err, fail.HintOf(err))
		}
	}
}

// The metrics of a run are there until the process ends, verdict and all, and
// leave by OTLP as well.
func TestDemoServesTheRun(t *testing.T) {
	self, err := exec.LookPath("lakeproof")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	exported := ""
	otlp := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if exported += string(body); err != nil {
			t.Error(err)
		}
	}))
	defer otlp.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.URL) // the exporters read it themselves

	ctx, interrupt := context.WithTimeout(t.Context(), 3*time.Minute)
	defer interrupt()
	lines, stderr := io.Pipe()
	done := make(chan int, 1)
	go func() {
		code := Main(env.Env{
			Args: []string{
				"demo", "--records", "20000", "--serve", "--quiet",
				"--web.listen-address", "127.0.0.1:0", "--runs-dir", filepath.Join(t.TempDir(), "runs"),
			},
			Self: self, Stdout: io.Discard, Stderr: stderr, Width: func() int { return 80 },
			Lookup: func(name string) (string, bool) {
				return otlp.URL, name == "OTEL_EXPORTER_OTLP_ENDPOINT"
			},
			Signals: func(context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		})
		stderr.Close()
		done <- code
	}()
	page, told := regexp.MustCompile(`report: (http://\S+/)`), []string{}
	for s := bufio.NewScanner(lines); s.Scan(); {
		told = append(told, s.Text())
		if found := page.FindStringSubmatch(s.Text()); found != nil {
			exposed := get(t, found[1]+"metrics")
			for _, want := range []string{
				metrics.LoadtestVerdict().Name + `{verdict="`,
				metrics.LoadtestRecords().Name + `{state="landed",stream="payments"} 20000`,
			} {
				if !strings.Contains(exposed, want) {
					t.Errorf("/metrics after the run has no %s", want)
				}
			}
			awaited(t, found[1]+"metrics", `kafka_consumergroup_lag_sum{consumergroup="`)
			awaited(t, found[1]+"metrics", `spark_streaming_kafka_lag_records{app="`)
			if !strings.Contains(get(t, found[1]+"exporter/"), "lakeproof exporter") {
				t.Error("the exporter's page is not there")
			}
			if !strings.Contains(get(t, found[1]), "<!doctype html>") {
				t.Error("the first page is not the report")
			}
			interrupt()
		}
	}
	if code := <-done; code == int(fail.Internal) || code == int(fail.Usage) || !page.MatchString(strings.Join(told, "\n")) {
		t.Errorf("exit code %d: %q", code, told)
	}
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(exported, metrics.LoadtestVerdict().Name) {
		t.Errorf("%d bytes left by OTLP, without the verdict", len(exported))
	}
}
