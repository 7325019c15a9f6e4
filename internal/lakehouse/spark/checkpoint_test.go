package spark

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

type topics = map[string]map[int32]int64

func local(t *testing.T) *objectstore.Store {
	t.Helper()
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestRecorded reads what Spark 4.1.3 wrote.
func TestRecorded(t *testing.T) {
	dir, err := filepath.Abs("testdata/checkpoint-4.1.3")
	if err != nil {
		t.Fatal(err)
	}
	c := Open(local(t), "file://"+dir+"/")
	id, err := c.QueryID(t.Context())
	if err != nil || id != "8ed99fab-e08b-4c69-829c-c61203c1fb13" {
		t.Errorf("query id %q, %v", id, err)
	}
	got, err := c.Offsets(t.Context(), 15)
	want := &Offsets{
		Version: 1, Planned: time.UnixMilli(1795236630005),
		Sources: []Source{{Name: "0", Topics: topics{"p20": {0: 930992, 1: 934558, 2: 934450}}}},
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("offsets of batch 15: %s, %v", cmp.Diff(want, got), err)
	}
	initial, err := c.Initial(t.Context(), 0)
	if err != nil || !cmp.Equal(initial, topics{"p20": {0: 0, 1: 0, 2: 0}}) {
		t.Errorf("initial offsets %v, %v", initial, err)
	}
	planned, committed, err := c.Batches(t.Context())
	if err != nil || !slices.Equal(planned, []int64{14, 15}) || !slices.Equal(committed, []int64{14, 15}) {
		t.Errorf("batches %v, %v, %v", planned, committed, err)
	}
	for batch, want := range map[int64]bool{15: true, 16: false} {
		if got, err := c.Committed(t.Context(), batch); got != want || err != nil {
			t.Errorf("batch %d committed: %v, %v", batch, got, err)
		}
	}
	if _, err := c.Offsets(t.Context(), 16); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a batch that is not there: %v", err)
	}
}

// TestBatchesIgnoresOthers: checksums, temporary files and whatever else lies
// about are not batches.
func TestBatchesIgnoresOthers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"offsets/2", "offsets/10", "offsets/.2.crc", "offsets/.3.0b1c.tmp", "offsets/3.compact", "offsets/-1", "offsets/007", "offsets/4/5",
		"commits/2", "commits/.2.crc",
	} {
		write(t, dir, name, "v1\n{}")
	}
	planned, committed, err := Open(local(t), dir).Batches(t.Context())
	if err != nil || !slices.Equal(planned, []int64{2, 10}) || !slices.Equal(committed, []int64{2}) {
		t.Errorf("planned %v, committed %v, %v", planned, committed, err)
	}
	planned, committed, err = Open(local(t), dir+"/absent").Batches(t.Context())
	if err != nil || len(planned)+len(committed) != 0 {
		t.Errorf("of no checkpoint: %v, %v, %v", planned, committed, err)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestParseOffsets(t *testing.T) {
	const meta = `{"batchWatermarkMs":1795236600000,"batchTimestampMs":1795236625007,"conf":{"a":"b"}}`
	a, b := topics{"a": {0: 1, 1: 2}}, topics{"b": {0: 9}}
	tests := map[string]struct {
		text string
		want []Source
	}{
		"one source":  {"v1\n" + meta + "\n" + `{"a":{"0":1,"1":2}}`, []Source{{"0", a}}},
		"line end":    {"v1\r\n" + meta + "\r\n" + `{"a":{"0":1,"1":2}}` + "\r\n", []Source{{"0", a}}},
		"two sources": {"v1\n" + meta + "\n" + `{"a":{"0":1,"1":2}}` + "\n" + `{"b":{"0":9}}`, []Source{{"0", a}, {"1", b}}},
		"no offset":   {"v1\n" + meta + "\n-\n" + `{"b":{"0":9}}`, []Source{{"0", nil}, {"1", b}}},
		"not Kafka":   {"v1\n" + meta + "\n" + `{"logOffset":4}` + "\n42\n" + `{"b":{"0":9}}`, []Source{{"0", nil}, {"1", nil}, {"2", b}}},
		"no topics":   {"v1\n" + meta + "\n{}", []Source{{"0", topics{}}}},
		"v2 numbered": {"v2\n" + meta + "\n" + `0:{"a":{"0":1,"1":2}}` + "\n" + `1:{"b":{"0":9}}`, []Source{{"0", a}, {"1", b}}},
		"v2 named":    {"v2\n" + meta + "\n" + `orders:{"a":{"0":1,"1":2}}` + "\nlate:-", []Source{{"orders", a}, {"late", nil}}},
		"v2 bare":     {"v2\n" + meta + "\n" + `{"a":{"0":1,"1":2}}` + "\n-", []Source{{"0", a}, {"1", nil}}},
		"v2 map":      {"v2\n" + meta + "\n" + `{"x":{"a":{"0":1,"1":2}},"y":{"b":{"0":9}},"z":null}`, []Source{{"x", a}, {"y", b}, {"z", nil}}},
		"v2 map of texts": {
			"v2\n" + meta + "\n" + `{"x":"{\"a\":{\"0\":1,\"1\":2}}","y":"-"}`, []Source{{"x", a}, {"y", nil}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseOffsets([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Sources); diff != "" {
				t.Error(diff)
			}
			if got.Planned.UnixMilli() != 1795236625007 || got.Watermark.UnixMilli() != 1795236600000 {
				t.Errorf("planned %v, watermark %v", got.Planned, got.Watermark)
			}
		})
	}
}

func TestParseOffsetsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "empty",
		"\n":                     "empty",
		"v1":                     "metadata is missing",
		"v1\n{}":                 "cut off",
		"v3\n{}\n-":              "version v3, this program reads v1 to v2",
		"v0\n{}\n-":              "not with a version",
		"one\n{}\n-":             "not with a version",
		"{\"a\":{\"0\":1}}":      "not with a version",
		"v1\n{\"batch\n-":        "metadata",
		"v1\n{}\n{\"a\":{\"0\":": "not JSON",
		"v2\n{}\nx:{\"a\":":      "source x",
	} {
		if _, err := ParseOffsets([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// TestUnreadable: an error names the file and has a hint.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	c := Open(local(t), "file://"+dir)
	write(t, dir, "metadata", "")
	write(t, dir, "offsets/0", "v9\n{}\n-")
	write(t, dir, "commits/0", "nonsense")
	write(t, dir, "sources/0/0", "\x00v1\n{\"logOffset\":1}")
	for name, read := range map[string]func(context.Context) error{
		"metadata":    func(ctx context.Context) error { _, err := c.QueryID(ctx); return err },
		"offsets/0":   func(ctx context.Context) error { _, err := c.Offsets(ctx, 0); return err },
		"commits/0":   func(ctx context.Context) error { _, err := c.Committed(ctx, 0); return err },
		"sources/0/0": func(ctx context.Context) error { _, err := c.Initial(ctx, 0); return err },
	} {
		err := read(t.Context())
		if err == nil || !strings.Contains(err.Error(), name) || fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: error %v", name, err)
		}
	}
	write(t, dir, "offsets/1", strings.Repeat("x", maxFile+1))
	if _, err := c.Offsets(t.Context(), 1); err == nil {
		t.Error("a file of any size is read")
	}
}

func TestParseInitial(t *testing.T) {
	want := topics{"a": {0: 5}}
	for _, text := range []string{"\x00v1\n{\"a\":{\"0\":5}}", "v1\n{\"a\":{\"0\":5}}\n", "\x00{\"a\":{\"0\":5}}"} {
		if got, err := parseInitial([]byte(text)); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\x00", "\x00v1", "\x00v1\n{\"a\":", "\x00v1\n-"} {
		if got, err := parseInitial([]byte(text)); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestMerge(t *testing.T) {
	o := Offsets{Sources: []Source{{"0", topics{"a": {0: 5, 1: 2}}}, {"1", nil}, {"2", topics{"a": {0: 3, 2: 1}, "b": {0: 0}}}}}
	if got, want := o.Ends(), (topics{"a": {0: 5, 1: 2, 2: 1}, "b": {0: 0}}); !cmp.Equal(got, want) {
		t.Errorf("ends %v", got)
	}
}

// FuzzParse holds that no content makes a parser panic, and that what is
// accepted has sources.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"metadata", "offsets/15", "commits/15", "sources/0/0"} {
		data, err := os.ReadFile("testdata/checkpoint-4.1.3/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("v2\n{}\n0:{\"a\":{\"0\":1}}\n1:-\n{\"x\":\"{\\\"a\\\":{}}\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, err := ParseOffsets(data); err == nil && len(o.Sources) == 0 {
			t.Error("no sources and no error")
		}
		if topics, err := parseInitial(data); err == nil && topics == nil {
			t.Error("no offsets and no error")
		}
		if id, err := parseMetadata(data); err == nil && id == "" {
			t.Error("no id and no error")
		}
		_ = parseCommit(data)
	})
}
