package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

func someBatches() []Batch {
	us := time.Microsecond
	return []Batch{
		{0, 1, 100, 3, 0, 9, 5 * us, 900 * us},
		{0, 2, 40, 2, 1, 4, 6 * us, 950 * us},
		{1, 0, 7, 1, 0, 0, 7 * us, 960 * us},
		{0, 1, 103, 2, 11, 12, 1000 * us, 1900 * us},
	}
}

func write(t *testing.T, batches []Batch) string {
	t.Helper()
	dir := t.TempDir()
	j, err := CreateJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := j.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	if j.Count() != uint64(len(batches)) {
		t.Errorf("count %d", j.Count())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, dir string) (out []Batch, torn bool, err error) {
	t.Helper()
	n, torn, err := ReadBatches(dir, func(b Batch) error { out = append(out, b); return nil })
	if n != uint64(len(out)) {
		t.Errorf("count %d of %d", n, len(out))
	}
	return out, torn, err
}

func TestJournalRoundTrip(t *testing.T) {
	dir := write(t, someBatches())
	got, torn, err := read(t, dir)
	if err != nil || torn || !slices.Equal(got, someBatches()) {
		t.Errorf("read %v, torn %v, %v", got, torn, err)
	}
	if _, err := CreateJournal(dir); err == nil {
		t.Error("a journal was overwritten")
	}
}

func TestJournalTornAndForeign(t *testing.T) {
	dir := write(t, someBatches())
	name := filepath.Join(dir, BatchesFile)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(string(whole[:len(whole)-4]))
	if got, torn, err := read(t, dir); err != nil || !torn || len(got) != 3 {
		t.Errorf("torn journal: %d batches, torn %v, %v", len(got), torn, err)
	}
	for name, text := range map[string]string{
		"empty":        "",
		"other header": "a,b,c\n1,2,3\n",
		"words":        batchesHeader + "\n0,1,x,3,0,9,5,9\n",
		"negative":     batchesHeader + "\n0,1,-4,3,0,9,5,9\n",
		"few fields":   batchesHeader + "\n0,1,4\n",
		"impossible":   batchesHeader + "\n0,1,4,30,0,9,5,9\n",
	} {
		put(text)
		_, _, err := read(t, dir)
		if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJournalFullDisk: the error says so and stays.
func TestJournalFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	j, err := NewJournal(full)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil && j.Count() < 1<<20 {
		err = j.Add(someBatches()[0])
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(fail.HintOf(err), "disk space") {
		t.Errorf("full disk: %v, hint %q", err, fail.HintOf(err))
	}
	if again := j.Add(someBatches()[1]); !errors.Is(again, syscall.ENOSPC) {
		t.Errorf("the error was forgotten: %v", again)
	}
	if err := j.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close: %v", err)
	}
}

func TestIndex(t *testing.T) {
	var x Index
	for _, b := range someBatches() {
		if b.Stream == 0 {
			if err := x.Add(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := x.Sort(); err != nil {
		t.Fatal(err)
	}
	c := x.Cursor(1)
	for _, want := range []struct {
		offset int64
		place  Place
		ok     bool
	}{
		{99, Place{}, false},
		{100, Place{0, 9, 3, 0}, true},
		{102, Place{0, 9, 3, 2}, true},
		{104, Place{11, 12, 2, 1}, true},
		{105, Place{}, false},
		{101, Place{0, 9, 3, 1}, true},
	} {
		if got, ok := c.Find(want.offset); got != want.place || ok != want.ok {
			t.Errorf("Find(%d) = %+v, %v", want.offset, got, ok)
		}
	}
	none := x.Cursor(9)
	if _, ok := none.Find(0); ok {
		t.Error("found an offset of a partition that is not there")
	}
	if first, end, ok := x.Bounds(1); first != 100 || end != 105 || !ok {
		t.Errorf("bounds %d to %d", first, end)
	}
	offset, ok := x.Locate(1, 12, func(first uint64) uint64 { return 12 - first })
	if offset != 104 || !ok {
		t.Errorf("record 12 at %d, %v", offset, ok)
	}
	if err := x.Add(Batch{Partition: 1, FirstOffset: 104, Count: 1, FirstSeq: 20, LastSeq: 20}); err != nil {
		t.Fatal(err)
	}
	if err := x.Sort(); err == nil {
		t.Error("two batches at one offset were accepted")
	}
}

func FuzzParseBatch(f *testing.F) {
	f.Add("0,1,100,3,0,9,5,900")
	f.Fuzz(func(t *testing.T, line string) {
		if b, err := parseBatch(line); err == nil && (b.Count == 0 || b.LastSeq < b.FirstSeq) {
			t.Errorf("parseBatch(%q) = %+v", line, b)
		}
	})
}
