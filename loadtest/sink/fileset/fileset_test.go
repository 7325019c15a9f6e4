package fileset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

const hour = 3_600_000_000

func identity() *Identity {
	return &Identity{Algo: 1, What: "test", Seed: 1 << 63, Run: 7, Settings: map[string]string{"--format": "json"}}
}

func schema() *generators.Schema {
	return &generators.Schema{Name: "Row", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID},
		{Name: "amount_minor", Kind: generators.Long},
		{Name: "checksum", Kind: generators.Checksum},
	}}
}

// record makes record n: every fifth number is left out by its maker.
func record(n uint64) *sink.Record {
	seq := n * 5 / 4
	row := generators.NewEvent(schema())
	row.ID[0], row.Values[1].Int = byte(n), int64(n)
	value := fmt.Appendf(nil, `{"n":%d,"text":%q}`, seq, strings.Repeat("x", int(n*37%200)))
	return &sink.Record{Seq: seq, At: int64(n) * hour / 90, Amount: int64(n) - 100, Value: value, Row: row}
}

const records = 1000

// write writes the records from the one on with which the folder goes on, to one
// before a limit, and ends well if it comes to the end.
func write(tb testing.TB, dir string, o Options, until uint64) *Stream {
	tb.Helper()
	f, err := Open(dir, identity(), true)
	if err != nil {
		tb.Fatal(err)
	}
	s := f.Stream("payments", o)
	next, _, complete := s.Next(0)
	for n := uint64(0); n < min(until, records) && !complete; n++ {
		if r := record(n); r.Seq >= next {
			if err := s.Send(tb.Context(), r); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if until >= records {
		if err := s.Finish(); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// folder is what is in a folder.
func folder(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	out := map[string]string{}
	names, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, n := range names {
		text, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		out[n.Name()] = string(text)
	}
	return out
}

func options() map[string]Options {
	return map[string]Options{
		"one file":   {Extension: "jsonl"},
		"by records": {Extension: "jsonl", Rotate: Rotate{Records: 64}},
		"by size":    {Extension: "csv", Header: "n,text", Rotate: Rotate{Bytes: 5000}},
		"by hour":    {Extension: "bin", Binary: true, Rotate: Rotate{Hourly: true}},
		"gzip":       {Extension: "jsonl", Compress: Gzip, Rotate: Rotate{Records: 300, Hourly: true}},
		"zstd":       {Extension: "jsonl", Compress: Zstd, Rotate: Rotate{Records: 300}},
		"parquet":    {Extension: "parquet", Parquet: schema(), Rotate: Rotate{Bytes: 20_000}},
	}
}

// However often a process dies or is interrupted, in the end the folder holds the
// same bytes, and nothing else.
func TestGoingOn(t *testing.T) {
	for name, o := range options() {
		t.Run(name, func(t *testing.T) {
			whole, pieces := t.TempDir(), t.TempDir()
			write(t, whole, o, records)
			want := folder(t, whole)
			if least := 2 + 2*bool2int(o.Rotate.any()); len(want) < least {
				t.Fatalf("%d files", len(want))
			}
			for _, until := range []uint64{0, 1, 65, 333, 334, 700, 999} {
				s := write(t, pieces, o, until)
				if until%2 == 1 { // else it dies
					if err := s.Close(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			write(t, pieces, o, records)
			got := folder(t, pieces)
			if !maps.Equal(got, want) {
				t.Errorf("files %q, want %q, or their bytes", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			write(t, pieces, o, records) // there is nothing left to do
			if !maps.Equal(folder(t, pieces), want) {
				t.Error("going on with what is complete changes it")
			}
		})
	}
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The manifest says what is in the files, and a reader finds that there.
func TestManifest(t *testing.T) {
	for _, compress := range []string{"", Gzip, Zstd} {
		dir := t.TempDir()
		write(t, dir, Options{Extension: "jsonl", Compress: compress, Rotate: Rotate{Records: 128}}, records)
		text, err := os.ReadFile(filepath.Join(dir, ManifestName))
		if err != nil {
			t.Fatal(err)
		}
		var m manifest
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		var all Sum
		c := m.Streams[0]
		for _, f := range c.Files {
			got := read(t, filepath.Join(dir, f.Name))
			got.Bytes = f.Bytes
			if got.Records != f.Records || got.Digest != f.Digest {
				t.Errorf("%s: %+v, the manifest says %+v", f.Name, got, f.Sum)
			}
			all.add(&f.Sum)
		}
		last := record(records - 1)
		want := Sum{
			Records: records, Bytes: all.Bytes, Last: last.Seq, To: moment(last.At), Digest: all.Digest,
			Amount: records*(records-1)/2 - records*100,
		}
		if !c.Complete || c.Sum != want || c.Sum != all || m.Seed != 1<<63 {
			t.Errorf("%+v, want %+v", c.Sum, want)
		}
	}
}

// read reads a file of lines as others do.
func read(tb testing.TB, name string) (s Sum) {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	switch filepath.Ext(name) {
	case ".gz":
		in, err = gzip.NewReader(f)
	case ".zst":
		in, err = zstd.NewReader(f)
	}
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		s.Records++
		h := xxhash.NewWithSeed(42)
		_, _ = h.Write(line[:len(line)-1])
		s.Digest += digest(h.Sum64())
	}
	return s
}

// What is not as it was is refused, with what it is.
func TestRefusals(t *testing.T) {
	o := Options{Extension: "jsonl", Rotate: Rotate{Records: 100}}
	for want, spoil := range map[string]func(t *testing.T, dir string, id *Identity){
		"seed is":                        func(_ *testing.T, _ string, id *Identity) { id.Seed++ },
		`--format is "json" there`:       func(_ *testing.T, _ string, id *Identity) { id.Settings["--format"] = "csv" },
		`--count is "" there and "5"`:    func(_ *testing.T, _ string, id *Identity) { id.Settings["--count"] = "5" },
		"algo_version is":                func(_ *testing.T, _ string, id *Identity) { id.Algo = 2 },
		"payments-00003.jsonl is not":    func(t *testing.T, dir string, _ *Identity) { spoil(t, dir, "payments-00003.jsonl", "") },
		"unexpected end of JSON input":   func(t *testing.T, dir string, _ *Identity) { spoil(t, dir, ManifestName, "{") },
		"making the folder of records: ": func(t *testing.T, dir string, _ *Identity) { file(t, dir) },
	} {
		dir := filepath.Join(t.TempDir(), "out")
		write(t, dir, o, records)
		id := identity()
		spoil(t, dir, id)
		_, err := Open(dir, id, true)
		if err == nil || !strings.Contains(err.Error(), want) || fail.HintOf(err) == "" || fail.CodeOf(err) != fail.Usage {
			t.Errorf("%v, want %s", err, want)
		}
	}
	dir := t.TempDir()
	write(t, dir, o, 10)
	if _, err := Open(dir, identity(), false); err == nil || !strings.Contains(fail.HintOf(err), "--resume") {
		t.Errorf("a folder of another run: %v", err)
	}
}

func spoil(tb testing.TB, dir, name, text string) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// file puts a file where a folder was.
func file(tb testing.TB, dir string) {
	tb.Helper()
	if err := os.RemoveAll(dir); err != nil {
		tb.Fatal(err)
	}
	spoil(tb, filepath.Dir(dir), filepath.Base(dir), "")
}

// After an error nothing is left of the file, those before it stay, and nothing
// more is taken.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	s := write(t, dir, Options{Extension: "jsonl", Rotate: Rotate{Records: 100}}, 250)
	if err := s.part.(*text).file.Close(); err != nil { //nolint:forcetypeassert // it is
		t.Fatal(err)
	}
	s.part.(*text).buf.Reset(full{}) //nolint:forcetypeassert // it is
	var err error
	for n := uint64(250); n < 400 && err == nil; n++ {
		err = s.Send(t.Context(), record(n))
	}
	if err == nil || !strings.Contains(err.Error(), "no room") || !strings.Contains(fail.HintOf(err), "--resume") {
		t.Errorf("%v, hint %q", err, fail.HintOf(err))
	}
	if again := s.Send(t.Context(), record(1)); again == nil {
		t.Error("a record is taken after an error")
	}
	if err := s.Close(t.Context()); err == nil {
		t.Error("closing forgets the error")
	}
	got := slices.Sorted(maps.Keys(folder(t, dir)))
	if want := []string{ManifestName, "payments-00001.jsonl", "payments-00002.jsonl"}; !slices.Equal(got, want) {
		t.Errorf("%q is left, want %q", got, want)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no room") }

// A single file has its name only when it is whole.
func TestSingle(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.jsonl")
	for _, end := range []func(*Stream) error{(*Stream).Finish, func(s *Stream) error { return s.Close(t.Context()) }} {
		s, err := Create(name, Options{Extension: "jsonl", Rotate: Rotate{Records: 1}})
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(3) {
			if err := s.Send(t.Context(), record(n)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(name); err == nil {
			t.Error("it has its name too early")
		}
		if err := end(s); err != nil {
			t.Fatal(err)
		}
		if got := read(t, name); got.Records != 3 {
			t.Errorf("%d records", got.Records)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Create(filepath.Join(name, "b"), Options{}); err == nil || fail.HintOf(err) == "" {
		t.Errorf("a folder that is not there: %v", err)
	}
}
