//go:build !nolab

package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// fixture reads a file of a checkpoint that Spark 4.1.3 wrote.
func fixture(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "spark-4.1.3", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestCheckpointIsSparks writes a batch with the values of the fixture: the
// files must be the same, byte for byte.
func TestCheckpointIsSparks(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	c := &checkpoint{files: l.files, root: checkpointRoot + "golden", topic: "p20"}
	id, err := c.queryID()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.queryID(); err != nil || again != id {
		t.Fatalf("the query's id changes from %s to %s (%v)", id, again, err)
	}
	if err := c.writeInitial(offsets{0: 0, 1: 0, 2: 0}); err != nil {
		t.Fatal(err)
	}
	end := offsets{0: 864975, 1: 867691, 2: 867934}
	if err := c.plan(14, end, 1795236625007); err != nil {
		t.Fatal(err)
	}
	if err := c.commit(14); err != nil {
		t.Fatal(err)
	}
	var meta struct{ ID string }
	if err := json.Unmarshal([]byte(fixture(t, "metadata")), &meta); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"metadata":    fmt.Sprintf(`{"id":"%s"}`, id),
		"sources/0/0": fixture(t, "sources/0/0"),
		"offsets/14":  fixture(t, "offsets/14"),
		"commits/14":  fixture(t, "commits/14"),
	} {
		got, err := l.files.ReadFile(c.root + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is\n%q, want\n%q", name, got, want)
		}
	}
	if want := fmt.Sprintf(`{"id":"%s"}`, meta.ID); fixture(t, "metadata") != want {
		t.Errorf("Spark writes its metadata as %q", fixture(t, "metadata"))
	}
	if got, err := c.planned(14); err != nil || fmt.Sprint(got) != fmt.Sprint(end) {
		t.Errorf("offsets/14 is read as %v (%v)", got, err)
	}
	if got, err := c.planned(15); err != nil || got != nil {
		t.Errorf("offsets/15 is read as %v (%v), but is not there", got, err)
	}
}

func TestCheckpointForgetsOldBatches(t *testing.T) {
	l := startTestLab(t, testOptions(t))
	c := &checkpoint{files: l.files, root: checkpointRoot + "long", topic: "t"}
	for epoch := range int64(retainedBatches + 2) {
		if err := c.plan(epoch, offsets{0: epoch}, 0); err != nil {
			t.Fatal(err)
		}
		if err := c.commit(epoch); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"offsets", "commits"} {
		names, err := l.files.list(t.Context(), c.root+"/"+folder)
		if err != nil || len(names) != retainedBatches {
			t.Errorf("%d files in %s (%v), want %d", len(names), folder, err, retainedBatches)
		}
		last, err := c.latest(t.Context(), folder)
		if err != nil || last != retainedBatches+1 {
			t.Errorf("the last of %s is %d (%v), want %d", folder, last, err, retainedBatches+1)
		}
	}
}

func TestOffsetsThatCannotBeRead(t *testing.T) {
	for _, line := range []string{"", "{", `{"other":{"0":1}}`, `{"t":{"x":1}}`, `{"t":[1]}`} {
		if o, err := parseOffsets("t", []byte(line)); err == nil {
			t.Errorf("%q is read as %v", line, o)
		}
	}
}
