package kafka

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var scaleProgram = flag.String("scale.program", "", "path of a built lakeproof that BenchmarkProgram measures")

// BenchmarkProgram measures the program as it is installed, scraped as by
// Prometheus: memory with all that is linked into it, and how long a scrape
// takes.
//
//	make exporter
//	go test ./exporters/kafka -run '^$' -bench Program -benchtime 1x -scale.program $PWD/bin/lakeproof-exporter
func BenchmarkProgram(b *testing.B) {
	if *scaleProgram == "" {
		b.Skip("give -scale.program")
	}
	for _, s := range scales() {
		b.Run(s.name, func(b *testing.B) {
			f := s.start(b)
			for b.Loop() {
				s.program(b, strings.Join(f.options().Kafka.Brokers, ","))
			}
		})
	}
}

// program runs the program for 20 collections.
func (s scale) program(b *testing.B, brokers string) {
	const interval, scrapes = time.Second, 20
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	told := &lockedBuffer{}
	cmd := exec.CommandContext(ctx, *scaleProgram, "export", "kafka", "--kafka.server="+brokers,
		"--web.listen-address=127.0.0.1:0", "--collect.interval="+interval.String(), "--collect.series-budget=1000000")
	cmd.Stderr = told
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var slowest time.Duration
	var size int64
	for range scrapes {
		<-ticker.C
		if address := regexp.MustCompile(`http://\S+`).FindString(told.String()); address != "" {
			began := time.Now()
			size = scrapeOnce(b, address)
			slowest = max(slowest, time.Since(began))
		}
	}
	b.ReportMetric(float64(size), "bytes/page")
	b.ReportMetric(float64(slowest.Microseconds())/1000, "ms/slowest-scrape")
	for _, name := range []string{"VmRSS", "RssAnon", "VmHWM"} {
		b.ReportMetric(kibibytes(b, cmd.Process.Pid, name)/1024, "MiB-"+name)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	ticks := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')'):]))
	user, _ := strconv.ParseFloat(ticks[12], 64)
	system, _ := strconv.ParseFloat(ticks[13], 64)
	b.ReportMetric((user+system)/100/scrapes, "cpu-s/cycle-and-scrape")
}

func scrapeOnce(b *testing.B, address string) int64 {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func kibibytes(b *testing.B, pid int, name string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		b.Fatalf("no %s of process %d", name, pid)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// lockedBuffer is a buffer that is read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
