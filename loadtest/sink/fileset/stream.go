package fileset

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cespare/xxhash/v2"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// Rotate says when a file is full; what is zero does not. A single record is
// never divided.
type Rotate struct {
	Bytes   int64  // on the disk: the file that reaches it is the last one's end
	Records uint64 // in a file
	Hourly  bool   // each hour of event time has files of its own
}

func (r Rotate) any() bool { return r != Rotate{} }

// Options say how the files of a stream are made.
type Options struct {
	Extension string             // of the names, without what Compress adds: jsonl
	Binary    bool               // each record stands behind its length, else before a line feed
	Header    string             // line on top of each file; "" for none
	Compress  string             // gzip, zstd or none, which is the default
	Parquet   *generators.Schema // of Parquet files, which are made of the records' rows; else nil
	Rotate    Rotate
}

// Stream is the files of one stream. It is a [sink.Sink].
type Stream struct {
	options  Options
	folder   *Folder // nil of a single file
	contents *contents
	part     part // nil between two files
	file     File
	hash     xxhash.Digest
	hint     string
	err      error // the first; nothing is written after it
}

// Stream begins or goes on with the files of a stream.
func (f *Folder) Stream(name string, o Options) *Stream {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &Stream{options: o, folder: f, hint: toGoOn}
	for _, c := range f.Streams {
		if c.Name == name {
			s.contents = c
			return s
		}
	}
	s.contents = &contents{Name: name, Files: []File{}}
	f.Streams = append(f.Streams, s.contents)
	return s
}

// Create begins a single file, which has its name only when it is whole.
func Create(name string, o Options) (*Stream, error) {
	o.Rotate = Rotate{}
	s := &Stream{
		options: o, contents: &contents{}, file: File{Name: name},
		hint: "see whether the disk is full; nothing is left of the file",
	}
	return s, s.open(name)
}

// Next says with which record a stream goes on, how many there are already, and
// whether it is complete. Where there are none, it is the first that is given.
func (s *Stream) Next(first uint64) (next, records uint64, complete bool) {
	if c := s.contents; c.Records > 0 {
		return c.Last + 1, c.Records, c.Complete
	}
	return first, 0, s.contents.Complete
}

// Send implements [sink.Sink].
func (s *Stream) Send(_ context.Context, r *sink.Record) error {
	if s.err == nil {
		s.err = s.send(r)
	}
	return s.err
}

func (s *Stream) send(r *sink.Record) error {
	if s.part != nil && s.full(r) {
		if err := s.end(false); err != nil {
			return err
		}
	}
	if s.part == nil {
		if err := s.open(filepath.Join(s.folder.dir, s.name())); err != nil {
			return err
		}
		s.file = File{Name: s.name()}
	}
	if err := s.part.write(r); err != nil {
		return s.broken(err)
	}
	one := Sum{Records: 1, First: r.Seq, Last: r.Seq, Amount: r.Amount, From: moment(r.At), To: moment(r.At)}
	one.Digest.add(&s.hash, r.Value)
	s.file.add(&one)
	return nil
}

// full reports whether a record begins another file. Records of one number stay
// together: going on begins with the next number.
func (s *Stream) full(r *sink.Record) bool {
	const hour = 3_600_000_000
	o, n := &s.options.Rotate, &s.file
	if n.Records > 0 && n.Last == r.Seq {
		return false
	}
	return o.Records > 0 && n.Records >= o.Records || o.Bytes > 0 && s.part.size() >= o.Bytes ||
		o.Hourly && n.Records > 0 && floor(r.At, hour) != floor(int64(n.From), hour)
}

func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// name is that of the next file.
func (s *Stream) name() string {
	number := ""
	if s.options.Rotate.any() {
		number = fmt.Sprintf("-%05d", len(s.contents.Files)+1)
	}
	name := s.contents.Name + number + "." + s.options.Extension
	switch {
	case s.options.Parquet != nil: // which is compressed inside
	case s.options.Compress == Gzip:
		name += ".gz"
	case s.options.Compress == Zstd:
		name += ".zst"
	}
	return name
}

func (s *Stream) open(name string) (err error) {
	if s.options.Parquet != nil {
		s.part, err = newRows(name, &s.options)
	} else {
		s.part, err = newText(name, &s.options)
	}
	if err != nil {
		s.part = nil
		return fail.Wrap(fmt.Errorf("making the file of records: %w", err), fail.Usage,
			"choose a folder that exists and is writable")
	}
	return nil
}

// end gives the file its name.
func (s *Stream) end(short bool) error {
	p := s.part
	s.part = nil
	n, err := p.finish()
	if err != nil {
		return s.broken(err)
	}
	if s.file.Bytes, s.file.Short = n, short; s.folder == nil {
		return nil
	}
	return s.folder.keep(s.contents, &s.file)
}

func (s *Stream) broken(err error) error {
	return fail.Wrap(fmt.Errorf("writing records: %w", err), fail.Internal, s.hint)
}

// Flush implements [sink.Sink]. What is written has no name before its file is
// full.
func (s *Stream) Flush(context.Context) error { return s.err }

// Finish ends a stream of which all records were sent.
func (s *Stream) Finish() error {
	if s.err == nil && s.part != nil {
		s.err = s.end(false)
	}
	if s.err == nil && s.folder != nil {
		s.err = s.folder.keep(s.contents, nil)
	}
	return s.err
}

// Close implements [sink.Sink]. A file that is under way gets its name and is
// listed as short; after an error nothing is left of it.
func (s *Stream) Close(context.Context) error {
	if s.part == nil {
		return s.err
	}
	if s.err == nil {
		s.err = s.end(true)
		return s.err
	}
	err := errors.Join(s.err, s.part.drop())
	s.part = nil
	return err
}
