package calendar

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write zones.gz again from the Go release")

// releaseZones are the zones of the Go release that runs the test, by name.
func releaseZones(t *testing.T) map[string][]byte {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("no go command to ask for its zones")
	}
	z, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skip("the Go release has no zones")
	}
	defer z.Close()
	out := map[string][]byte{}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out
}

// TestZonesAreCurrent writes zones.gz with -update, and otherwise says how the
// Go release's zones differ: that is news, no failure, as digests depend on
// ours. But where customers mostly live, the past must agree.
func TestZonesAreCurrent(t *testing.T) {
	release := releaseZones(t)
	if *update {
		var index, data, packed bytes.Buffer
		names := make([]string, 0, len(release))
		for name := range release {
			names = append(names, name)
		}
		slices.Sort(names)
		seen := map[string]int{}
		for _, name := range names {
			body := string(release[name])
			if _, ok := seen[body]; !ok {
				seen[body] = data.Len()
				data.WriteString(body)
			}
			fmt.Fprintf(&index, "%s %d %d\n", name, seen[body], len(body))
		}
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		fmt.Fprintf(w, "%s\n%s", index.String(), data.String())
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("zones.gz", packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		zoneFile = packed.Bytes()
	}
	db := openZones()
	for name, body := range release {
		p, ok := db.place[name]
		if !ok || !bytes.Equal(db.data[p[0]:p[0]+p[1]], body) {
			t.Logf("%s is newer in the Go release", name)
		}
		if country(name) == "" || !ok {
			continue
		}
		theirs, err := time.LoadLocationFromTZData(name, body)
		if err != nil {
			t.Fatal(err)
		}
		ours, _ := db.load(name)
		for at := firstStart; at < 1_735_689_600; at += 43 * day { // until 2025
			_, a := time.Unix(at, 0).In(ours).Zone()
			_, b := time.Unix(at, 0).In(theirs).Zone()
			if a != b {
				t.Errorf("%s at %d: offset %d, the release has %d", name, at, a, b)
			}
		}
	}
	if len(zoneFile) > 100_000 {
		t.Errorf("zones.gz has grown to %d bytes", len(zoneFile))
	}
}

// TestZonesLoad: every zone loads, and the table of pieces of a year in hours
// holds for each: offsets are whole quarters of an hour, changes of the clock
// whole minutes.
func TestZonesLoad(t *testing.T) {
	db := openZones()
	if len(db.names) < 590 {
		t.Fatalf("%d zones", len(db.names))
	}
	for _, name := range db.names {
		loc, ok := db.load(name)
		if !ok {
			t.Errorf("%s does not load", name)
			continue
		}
		o := offsetsOf(loc, firstStart, 2_200_000_000)
		for i := range o.from {
			if o.seconds[i]%900 != 0 || i > 0 && o.from[i]%60 != 0 {
				t.Errorf("%s: offset %d from %d", name, o.seconds[i], o.from[i])
			}
		}
		for at := firstStart + 1234; at < 2_000_000_000; at += 97*day + 3601 {
			if _, want := time.Unix(at, 0).In(loc).Zone(); o.at(at) != int64(want) {
				t.Fatalf("%s at %d: offset %d, want %d", name, at, o.at(at), want)
			}
		}
	}
}
