// Package fileset writes the records of streams into files: one, or a folder of
// them with a manifest that says what is in each.
//
// A value flows like this: [Open] begins a folder or goes on with one, its
// [Folder.Stream] is a [sink.Sink] that writes records into a file beside its
// name, begins the next file where [Rotate] says, and gives a file its name when
// it is whole. After each file the manifest is written anew: what has a name and
// stands there is whole and on the disk. Whoever was killed reads in
// [Stream.Next] where to go on, and the files become the same as if nothing had
// happened, because where a file ends depends on the records alone. [Create] is
// a single file without a manifest.
//
// It does not make, pace or upload records, and two processes must not share a
// folder.
package fileset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// ManifestName is the manifest's name in its folder.
const ManifestName = "manifest.json"

// Identity is what decides the bytes of all files: only the same goes on with a
// folder.
type Identity struct {
	Algo     int               `json:"algo_version"`
	Bank     int               `json:"bank_algo_version"`
	What     string            `json:"what"`                      // a stream or a scenario
	Scenario string            `json:"scenario_digest,omitempty"` // SHA-256 of its text
	Seed     uint64            `json:"seed"`
	Run      uint64            `json:"run"`
	Settings map[string]string `json:"settings"` // others, by the names that a person knows them by
}

// differs says in what another identity differs, or "".
func (id *Identity) differs(other *Identity) string {
	type pair struct{ name, here, there string }
	pairs := []pair{
		{"algo_version", strconv.Itoa(id.Algo), strconv.Itoa(other.Algo)},
		{"bank_algo_version", strconv.Itoa(id.Bank), strconv.Itoa(other.Bank)},
		{"stream or scenario", id.What, other.What},
		{"digest of the scenario", id.Scenario, other.Scenario},
		{"seed", strconv.FormatUint(id.Seed, 10), strconv.FormatUint(other.Seed, 10)},
		{"run number", strconv.FormatUint(id.Run, 10), strconv.FormatUint(other.Run, 10)},
	}
	for name, here := range id.Settings {
		pairs = append(pairs, pair{name, here, other.Settings[name]})
	}
	for name, there := range other.Settings {
		pairs = append(pairs, pair{name, id.Settings[name], there})
	}
	var out []string
	for _, p := range pairs {
		if text := fmt.Sprintf("%s is %q there and %q here", p.name, p.there, p.here); p.here != p.there {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// Sum is what is in a file, or in all files of a stream.
type Sum struct {
	Records uint64 `json:"records"`
	Bytes   int64  `json:"bytes"` // on the disk
	First   uint64 `json:"first_seq"`
	Last    uint64 `json:"last_seq"`
	Amount  int64  `json:"amount_minor_sum"` // of all currencies together
	Digest  digest `json:"digest"`
	From    moment `json:"event_time_from"`
	To      moment `json:"event_time_to"`
}

// add adds what comes after it.
func (s *Sum) add(o *Sum) {
	switch {
	case o.Records == 0:
		return
	case s.Records == 0:
		*s = *o
		return
	}
	s.Records, s.Bytes, s.Last = s.Records+o.Records, s.Bytes+o.Bytes, o.Last
	s.Amount, s.Digest = s.Amount+o.Amount, s.Digest+o.Digest
	s.From, s.To = min(s.From, o.From), max(s.To, o.To)
}

// File is a file that has its name.
type File struct {
	Name string `json:"name"`
	Sum
	Short bool `json:"short,omitempty"` // it ended before its time: going on makes it again
}

// contents are the files of a stream.
type contents struct {
	Name     string `json:"name"`
	Complete bool   `json:"complete"` // nothing is left to do
	Sum
	Files []File `json:"files"`
}

type manifest struct {
	Identity
	Streams []*contents `json:"streams"`
}

// Folder is a folder of files.
type Folder struct {
	dir string
	mu  sync.Mutex // guards what follows
	manifest
}

// Open makes a folder, or with resume goes on with one that was made with the
// same identity, or begins it where there is none.
func Open(dir string, id *Identity, resume bool) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fail.Wrap(fmt.Errorf("making the folder of records: %w", err), fail.Usage,
			"choose a folder that is writable")
	}
	f := &Folder{dir: dir, manifest: manifest{Identity: *id}}
	text, err := os.ReadFile(filepath.Join(dir, ManifestName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, f.save()
	case err != nil:
		return nil, fail.Wrap(fmt.Errorf("reading the manifest: %w", err), fail.Usage, "choose a folder that is readable")
	case !resume:
		return nil, fail.New(fail.Usage, "go on there with --resume, or choose another folder",
			"opening the folder of records: %s has a %s: another run has written there", dir, ManifestName)
	}
	var old manifest
	if err := json.Unmarshal(text, &old); err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading %s: %w", filepath.Join(dir, ManifestName), err), fail.Usage,
			"choose another folder, or empty this one")
	}
	if what := id.differs(&old.Identity); what != "" {
		return nil, fail.New(fail.Usage, "say the same as then, or choose another folder",
			"going on in %s: other records were made there: %s", dir, what)
	}
	f.Streams = old.Streams
	return f, f.check()
}

// check checks that the files are there, and forgets those that end too early.
func (f *Folder) check() error {
	for _, c := range f.Streams {
		if n := len(c.Files); n > 0 && c.Files[n-1].Short {
			c.Files = c.Files[:n-1]
		}
		c.Sum = Sum{}
		for i := range c.Files {
			file := &c.Files[i]
			c.add(&file.Sum)
			info, err := os.Stat(filepath.Join(f.dir, file.Name))
			if err != nil || info.Size() != file.Bytes {
				return fail.New(fail.Usage, "put it back as it was, or begin again in another folder",
					"going on in %s: %s is not there any more with its %d bytes", f.dir, file.Name, file.Bytes)
			}
		}
	}
	return nil
}

// save writes the manifest: as a whole or not at all.
func (f *Folder) save() error {
	text, err := json.MarshalIndent(&f.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the manifest: %w", err)
	}
	name := filepath.Join(f.dir, ManifestName)
	if err := replace(name, append(text, '\n')); err != nil {
		return fail.Wrap(fmt.Errorf("writing the manifest: %w", err), fail.Internal, toGoOn)
	}
	return nil
}

const toGoOn = "see whether the disk is full and the folder writable, then go on with --resume: " +
	"what " + ManifestName + " lists is whole"

// replace gives a file other contents at once.
func replace(name string, text []byte) error {
	part, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	_, err = bytes.NewReader(text).WriteTo(part)
	if err == nil {
		err = part.Sync()
	}
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(name+".part", name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(name+".part"))
	}
	return syncFolder(filepath.Dir(name))
}

// syncFolder makes new names durable.
func syncFolder(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// keep lists a file of a stream, or that there will be no more.
func (f *Folder) keep(c *contents, file *File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if file == nil {
		c.Complete = true
	} else {
		c.Files = append(c.Files, *file)
		c.add(&file.Sum)
	}
	return f.save()
}
