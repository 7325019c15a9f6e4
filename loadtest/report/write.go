package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// The files that Write makes.
const (
	JSONFile    = "report.json" // what the other forms are made from
	HTMLFile    = "report.html"
	JUnitFile   = "junit.xml"
	SummaryFile = "summary.md"
)

// Read reads report.json of a run's folder.
func Read(dir string) (*Report, error) {
	data, err := os.ReadFile(filepath.Join(dir, JSONFile))
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading the report: %w", err), fail.Usage, "give the folder of a finished run")
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading %s in %q: cut off or of another program: %w", JSONFile, dir, err),
			fail.Usage, "reconcile the run again: lakeproof loadtest verify "+dir)
	}
	if r.SchemaVersion != SchemaVersion {
		return nil, fail.New(fail.Usage, "use the version of lakeproof that wrote it",
			"reading %s in %q: schema version %q, this program reads %q", JSONFile, dir, r.SchemaVersion, SchemaVersion)
	}
	return &r, nil
}

// Write renders the report into a run's folder: all four files, or none where
// one cannot be rendered. Each appears whole or not at all; report.json comes
// last, so a folder that has it has the others too.
func Write(dir string, r *Report) error {
	data, err := JSON(r)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", JSONFile, err)
	}
	page, err := HTML(r)
	if err != nil {
		return fmt.Errorf("making %s: %w", HTMLFile, err)
	}
	cases, err := JUnit(r)
	if err != nil {
		return fmt.Errorf("making %s: %w", JUnitFile, err)
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{HTMLFile, page}, {JUnitFile, cases}, {SummaryFile, Summary(r)}, {JSONFile, data}} {
		if err := put(filepath.Join(dir, f.name), f.content); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file beside its place and moves it there.
func put(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// JSON is report.json. A list without elements is [], never null.
func JSON(r *Report) ([]byte, error) {
	data, err := json.MarshalIndent(whole(r), "", "  ")
	return append(compact(data), '\n'), err
}

// compact puts lists of plain numbers on one line: the columns of the charts
// would be a line for each second otherwise.
func compact(data []byte) []byte {
	var out bytes.Buffer
	for len(data) > 0 {
		open := bytes.IndexByte(data, '[')
		if open < 0 {
			break
		}
		out.Write(data[:open])
		data = data[open:]
		end := plainList(data)
		if end == 0 {
			out.WriteByte('[')
			data = data[1:]
			continue
		}
		for _, c := range data[:end] {
			if c != ' ' && c != '\n' {
				out.WriteByte(c)
			}
		}
		data = data[end:]
	}
	out.Write(data)
	return out.Bytes()
}

// plainList returns the length of the list of numbers and nulls at the start of
// data, or 0 where it holds something else. A bracket inside a text cannot be
// mistaken: a list is followed by a line break, a number and more of them.
func plainList(data []byte) int {
	if len(data) < 2 || data[1] != '\n' {
		return 0
	}
	for i := 1; i < len(data); i++ {
		switch c := data[i]; {
		case c == ']':
			return i + 1
		case bytes.IndexByte([]byte("0123456789+-.eE, \nnul"), c) < 0:
			return 0
		}
	}
	return 0
}

// whole is the report with empty lists in the place of missing ones.
func whole(r *Report) *Report {
	c := *r
	c.Streams, c.Thresholds, c.Tiers = list(c.Streams), list(c.Thresholds), list(c.Tiers)
	c.Hops, c.Phases, c.Environment.Systems = list(c.Hops), list(c.Phases), list(c.Environment.Systems)
	e, g, s := &c.Examples, &c.Ranges, &c.Series
	for _, x := range []*[]Example{&e.Missing, &e.Duplicate, &e.Corrupt, &e.Late, &e.Unexpected} {
		*x = list(*x)
	}
	for _, x := range []*[]Range{&g.Missing, &g.Duplicate, &g.Corrupt, &g.Late} {
		*x = list(*x)
	}
	for _, x := range s.columns() {
		*x = list(*x)
	}
	s.Batches, s.Snapshots = list(s.Batches), list(s.Snapshots)
	for i := range c.Streams {
		c.Streams[i].Checks = list(c.Streams[i].Checks)
	}
	for i := range c.Hops {
		c.Hops[i].Outages, c.Hops[i].Notes = list(c.Hops[i].Outages), list(c.Hops[i].Notes)
	}
	return &c
}

// list is a copy of in that is never nil.
func list[T any](in []T) []T { return append([]T{}, in...) }

// columns are the charts' columns that have one element for each step.
func (s *Series) columns() []*[]Number {
	return []*[]Number{
		&s.Intended, &s.Acked, &s.Landed, &s.Lag, &s.AckP50, &s.AckP99,
		&s.FreshP50, &s.FreshP99, &s.FreshMax, &s.CPU, &s.RSS,
	}
}
