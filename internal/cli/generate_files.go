//go:build !exporter

package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/sink"
	"github.com/lakeproof/lakeproof/loadtest/sink/fileset"
)

// inFolder refuses flags that only mean something in a folder.
func (c *generateRunCmd) inFolder() error {
	if c.File != "" && c.Dir != "" {
		return fail.New(fail.Usage, "leave one of them away", "reading --file and --dir: records go to one of them")
	}
	for _, f := range []struct {
		flag  string
		given bool
	}{
		{"--rotate-size", c.RotateSize != ""},
		{"--rotate-records", c.RotateRecords != 0},
		{"--rotate-hourly", c.RotateHourly},
		{"--resume", c.Resume},
	} {
		if f.given && c.Dir == "" {
			return fail.New(fail.Usage, "add --dir DIR", "reading %s: it needs a folder", f.flag)
		}
	}
	_, err := c.rotate()
	return err
}

// rotate says when a file is full.
func (c *generateRunCmd) rotate() (fileset.Rotate, error) {
	r := fileset.Rotate{Records: c.RotateRecords, Hourly: c.RotateHourly}
	if c.RotateSize == "" {
		return r, nil
	}
	var err error
	if r.Bytes, err = parseSize(c.RotateSize); err != nil {
		return r, fail.New(fail.Usage, "write --rotate-size 128MB", "reading --rotate-size: %q %w", c.RotateSize, err)
	}
	return r, nil
}

const leastSize = 1000 // bytes; smaller files are nobody's wish

// parseSize reads a number of bytes: 128MB, 1GiB.
func parseSize(text string) (int64, error) {
	at := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if at < 0 {
		at = len(text)
	}
	n, err := strconv.ParseInt(text[:at], 10, 64)
	unit, ok := map[string]int64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
	}[strings.ToUpper(strings.TrimSpace(text[at:]))]
	switch {
	case err != nil || !ok:
		return 0, errors.New("is no size")
	case n > math.MaxInt64/unit || n*unit < leastSize:
		return 0, errors.New("is not between 1KB and 8EB")
	}
	return n * unit, nil
}

// openFolder opens the folder of a run, and lets each job go on where its last
// whole file ended.
func (c *generateRunCmd) openFolder(a *app, w *work) error {
	folder, err := fileset.Open(c.Dir, c.identity(w), c.Resume)
	if err != nil {
		return err
	}
	rotate, err := c.rotate()
	if err != nil {
		return err
	}
	for _, j := range w.jobs {
		o := c.fileOptions(j)
		o.Rotate = rotate
		s := folder.Stream(j.name, o)
		j.out = s
		next, records, complete := s.Next(j.first)
		passed := next - j.first
		if records > 0 {
			a.say("%s: going on behind %d records", j.name, records)
		}
		j.done = complete || j.count > 0 && passed >= j.count
		if j.books != nil { // which need the ledger from its beginning
			j.skip = next
			continue
		}
		if j.first = next; j.count > 0 && !j.done {
			j.count -= passed
		}
	}
	return nil
}

// identity is what decides the bytes of the files.
func (c *generateRunCmd) identity(w *work) *fileset.Identity {
	id := &fileset.Identity{
		Algo: generators.AlgoVersion, Bank: bank.AlgoVersion, What: w.scenario.Name,
		Seed: w.scenario.Seed, Run: w.run, Settings: map[string]string{},
	}
	text := func(n uint64) string { return strconv.FormatUint(n, 10) }
	for _, s := range []struct {
		name, value string
		given       bool
	}{
		{"--format", c.Format, c.Format != ""},
		{"--compress", c.Compress, c.Compress != ""},
		{"--rotate-size", c.RotateSize, c.RotateSize != ""},
		{"--rotate-records", text(c.RotateRecords), c.RotateRecords != 0},
		{"--rotate-hourly", "yes", c.RotateHourly},
		{"--from", text(c.From), c.From != 0},
		{"--tail", c.Tail, c.Tail != ""},
		{"--shards", c.Shards, c.Shards != ""},
		{"--key", c.Key, c.Key != ""},
		{"--start", c.Start.UTC().Format(time.RFC3339Nano), true},
		{"--rate", c.Rate, w.scenario.Text != "" && c.Rate != "" && c.Rate != "max"}, // it moves the times of events
	} {
		if s.given {
			id.Settings[s.name] = s.value
		}
	}
	for _, j := range w.jobs {
		if j.schemaID != 0 {
			id.Settings["schema of "+j.name] = text(uint64(j.schemaID))
		}
	}
	if c.SchemaID != nil {
		id.Settings["--schema-id"] = text(uint64(*c.SchemaID))
	}
	if c.Count != nil {
		id.Settings["--count"] = text(*c.Count)
	}
	if w.scenario.Text != "" {
		sum := sha256.Sum256([]byte(w.scenario.Text))
		id.Scenario = hex.EncodeToString(sum[:])
	}
	return id
}

// fileOptions say how the files of a job are made.
func (c *generateRunCmd) fileOptions(j *job) fileset.Options {
	o := fileset.Options{
		Extension: extension(j.format), Binary: isBinary(j.format), Header: j.header(), Compress: c.Compress,
	}
	if j.rows {
		o.Parquet = j.source.Schema()
	}
	return o
}

// extension is how the name of a file of records ends.
func extension(format string) string {
	switch format {
	case encode.JSON, encode.Debezium:
		return "jsonl"
	case encode.Avro, encode.AvroRegistry, encode.Protobuf, encode.ProtobufRegistry:
		return "bin"
	default:
		return format
	}
}

// openFile makes a file that has its name only when it is whole. What is there
// and no file (a pipe, a device) is written to as it is.
func (c *generateRunCmd) openFile(j *job) (sink.Sink, error) {
	if c.File == "" {
		return nil, fail.New(fail.Usage, "add --file FILE", "opening the sink: --sink file needs a file")
	}
	o := c.fileOptions(j)
	info, err := os.Stat(c.File)
	if err != nil || info.Mode().IsRegular() {
		if j.first > 0 {
			o.Header = "" // the file is a part of a larger one
		}
		whole, err := fileset.Create(c.File, o)
		if err != nil {
			return nil, err
		}
		return whole, nil
	}
	if c.Compress != "" {
		return nil, fail.New(fail.Usage, "leave --compress away", "opening the sink: %s is no file", c.File)
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY, 0)
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("opening the sink: %w", err), fail.Usage, "choose a file that is writable")
	}
	return device{sink.NewWriter(f, o.Binary), f}, nil
}
