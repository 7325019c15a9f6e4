package spark

import (
	"path/filepath"
	"testing"

	"github.com/lakeproof/lakeproof/exporters/exportertest"
)

// TestGolden holds the page of the recorded driver against a file. The driver
// began after the exporter, so all that it did counts.
func TestGolden(t *testing.T) {
	d := newDriver(t)
	e := newExporter(t, Options{Apps: []App{{UI: d.URL}}})
	exportertest.Golden(t, e.Collector, filepath.Join(fixtures, "page.txt"))
	if n := d.requests.Load(); n > maxRequests {
		t.Errorf("%d requests", n)
	}
}
