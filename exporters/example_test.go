package exporters_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/metrics"
)

// A program of one's own can have its own collectors beside ours, and serve the
// page where it likes.
func Example() {
	queue := metrics.Metric{
		Name: "bank_queue_length", Help: "Payments that wait", Kind: metrics.Gauge, Labels: []string{"branch"},
	}
	collector := exporters.Collector{
		Name: "queue", Target: "head office", Cost: "one query",
		Collect: func(_ context.Context, out *exporters.Batch) error {
			out.Part("branches").Add(queue, 42, "seoul")
			return nil
		},
	}
	e := exporters.New(exporters.Options{Mode: exporters.OnScrape}, collector)
	defer e.Close()
	handler, err := e.Handler()
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	resp, err := http.Get(server.URL + "/metrics")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "bank_") || strings.HasPrefix(line, "lakeproof_collector_success") {
			fmt.Print(line)
		}
	}
	// Output:
	// bank_queue_length{branch="seoul"} 42
	// lakeproof_collector_success{collector="queue",target="head office"} 1
}
