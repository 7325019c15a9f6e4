package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// BatchesFile is the journal of produce batches inside a run's folder: CSV
// with a header, one line for each acknowledged batch, in the order of their
// acknowledgement.
const BatchesFile = "batches.csv"

const batchesHeader = "stream,partition,first_offset,count,first_seq,last_seq,sent_us,acked_us"

// Batch is one acknowledged produce batch: Count records of one stream at the
// consecutive offsets from FirstOffset on, with sequence numbers that rise from
// FirstSeq to LastSeq (other partitions hold the numbers between).
type Batch struct {
	Stream      uint16
	Partition   int32
	FirstOffset int64
	Count       uint32
	FirstSeq    uint64
	LastSeq     uint64
	Sent, Acked time.Duration // since the start of the run; written in microseconds
}

// Journal writes batches.csv. It buffers; what the disk refused is kept as an
// error and given by every later call.
type Journal struct {
	file  *os.File
	buf   *bufio.Writer
	line  []byte
	count uint64
	err   error
}

// CreateJournal makes a new journal in dir.
func CreateJournal(dir string) (*Journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, BatchesFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, diskError(dir, err)
	}
	return NewJournal(f)
}

// NewJournal begins a journal in an empty file, which it closes in the end.
func NewJournal(f *os.File) (*Journal, error) {
	j := &Journal{file: f, buf: bufio.NewWriterSize(f, 1<<16)}
	if _, err := j.buf.WriteString(batchesHeader + "\n"); err != nil {
		return nil, errors.Join(diskError(f.Name(), err), f.Close())
	}
	return j, nil
}

// Add appends one batch.
func (j *Journal) Add(b Batch) error {
	if j.err != nil {
		return j.err
	}
	l := j.line[:0]
	l = strconv.AppendUint(l, uint64(b.Stream), 10)
	for _, v := range [...]int64{
		int64(b.Partition), b.FirstOffset, int64(b.Count), int64(b.FirstSeq), int64(b.LastSeq),
		b.Sent.Microseconds(), b.Acked.Microseconds(),
	} {
		l = append(l, ',')
		l = strconv.AppendInt(l, v, 10)
	}
	j.line = append(l, '\n')
	if _, err := j.buf.Write(j.line); err != nil {
		j.err = diskError(j.file.Name(), err)
		return j.err
	}
	j.count++
	return nil
}

// Count is how many batches were added.
func (j *Journal) Count() uint64 { return j.count }

// Flush hands what is buffered to the operating system.
func (j *Journal) Flush() error {
	if j.err == nil {
		if err := j.buf.Flush(); err != nil {
			j.err = diskError(j.file.Name(), err)
		}
	}
	return j.err
}

// Close flushes and closes.
func (j *Journal) Close() error {
	err := j.Flush()
	if cerr := j.file.Close(); err == nil && cerr != nil {
		err = diskError(j.file.Name(), cerr)
	}
	return err
}

// diskError says what a person can do about a file that cannot be written.
func diskError(name string, err error) error {
	hint := "choose another folder with --runs-dir"
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EFBIG) || errors.Is(err, syscall.EDQUOT) {
		hint = "free some disk space, or choose a folder on another disk with --runs-dir; " +
			"what was sent before this is in the run's folder"
	}
	return fail.Wrap(fmt.Errorf("writing the ledger %q: %w", name, err), fail.Internal, hint)
}

// ReadBatches calls visit for each batch of the journal in dir and returns how
// many there were and whether the last line was cut off, as a killed process
// leaves it.
func ReadBatches(dir string, visit func(Batch) error) (count uint64, torn bool, err error) {
	name := filepath.Join(dir, BatchesFile)
	f, err := os.Open(name)
	if err != nil {
		return 0, false, foreign(dir, err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	head, err := r.ReadString('\n')
	if strings.TrimSpace(head) != batchesHeader {
		return 0, false, foreign(dir, fmt.Errorf("%s does not begin with %q", BatchesFile, batchesHeader))
	}
	for line := uint64(2); ; line++ {
		text, rerr := r.ReadSlice('\n')
		if rerr == io.EOF {
			return count, len(text) > 0, nil
		}
		if rerr != nil {
			return count, false, fmt.Errorf("reading %s line %d: %w", name, line, rerr)
		}
		b, perr := parseBatch(string(text[:len(text)-1]))
		if perr != nil {
			return count, false, foreign(dir, fmt.Errorf("%s line %d: %w", BatchesFile, line, perr))
		}
		if err := visit(b); err != nil {
			return count, false, err
		}
		count++
	}
}

func foreign(dir string, err error) error {
	return fail.Wrap(fmt.Errorf("reading run folder %q: %w", dir, err), fail.Usage,
		"give the folder of a run that lakeproof wrote, whole: it holds run.json, scenario.yaml and "+BatchesFile)
}

// parseBatch reads one line of the journal.
func parseBatch(line string) (Batch, error) {
	var v [8]int64
	fields := strings.Split(line, ",")
	if len(fields) != len(v) {
		return Batch{}, fmt.Errorf("%d fields, want %d", len(fields), len(v))
	}
	for i, text := range fields {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return Batch{}, fmt.Errorf("field %d: %q is not a number", i+1, text)
		}
		v[i] = n
	}
	b := Batch{
		Stream: uint16(v[0]), Partition: int32(v[1]), FirstOffset: v[2], Count: uint32(v[3]),
		FirstSeq: uint64(v[4]), LastSeq: uint64(v[5]),
		Sent: time.Duration(v[6]) * time.Microsecond, Acked: time.Duration(v[7]) * time.Microsecond,
	}
	if b.Count == 0 || b.LastSeq < b.FirstSeq || uint64(b.Count) > b.LastSeq-b.FirstSeq+1 {
		return Batch{}, fmt.Errorf("a batch of %d records from %d to %d", b.Count, b.FirstSeq, b.LastSeq)
	}
	return b, nil
}
