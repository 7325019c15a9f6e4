package loadtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
)

// The files of a run's folder, beside the reports and ledger.BatchesFile.
const (
	runFileName       = "run.json"
	scenarioFileName  = "scenario.yaml"
	sightingsFileName = "sightings.jsonl"
)

const (
	runFormat  = "lakeproof-run"
	runVersion = 1

	stateRunning  = "running"
	stateComplete = "complete"
)

// overrides are what the command line changed of the scenario.
type overrides struct {
	Rate     float64 `json:"rate_per_second,omitzero"`
	Duration float64 `json:"duration_seconds,omitzero"`
}

// runFile is run.json: what happened, beside what the scenario says.
type runFile struct {
	Format      string      `json:"format"`
	Version     int         `json:"version"`
	State       string      `json:"state"` // running, complete
	RunID       string      `json:"run_id"`
	Seed        uint64      `json:"seed"`
	Overrides   overrides   `json:"overrides,omitzero"`
	Embedded    bool        `json:"embedded,omitempty"`
	Start       time.Time   `json:"start"` // of the schedule; record 0 is due then
	Stop        time.Time   `json:"stop,omitzero"`
	Barrier     time.Time   `json:"barrier,omitzero"`
	Interrupted bool        `json:"interrupted,omitempty"`
	Batches     uint64      `json:"batches"`
	Poll        float64     `json:"poll_seconds"` // of the catalog
	Streams     []runStream `json:"streams"`

	ConsumerNotes []string `json:"consumer_notes,omitempty"`
}

// runStream is one stream in run.json.
type runStream struct {
	Name       string         `json:"name"`
	Topic      string         `json:"topic"`
	Partitions int32          `json:"partitions"`
	Table      string         `json:"table,omitempty"`
	Baseline   *int64         `json:"baseline_snapshot_id"` // the table's snapshot before the run
	Sequence   int64          `json:"baseline_sequence_number"`
	Intended   uint64         `json:"intended"`
	Sent       uint64         `json:"sent"`
	Failed     []ledger.Range `json:"failed"`
	Unknown    []ledger.Range `json:"unknown"`
	First      []int64        `json:"first_offsets"` // by partition
	End        []int64        `json:"end_offsets"`   // at the barrier

	AckedInTime     uint64 `json:"acked_in_time"` // acknowledged when the schedule was over
	Consumed        uint64 `json:"consumed"`      // different records that the consumer found
	ConsumedAgain   uint64 `json:"consumed_again"`
	ConsumedCorrupt uint64 `json:"consumed_corrupt"`
	ConsumedForeign uint64 `json:"consumed_foreign"`

	// ConsumedFaults counts the records that the consumer found by what they were
	// sent as, where the stream has deliberate faults.
	ConsumedFaults map[string]uint64 `json:"consumed_faults,omitempty"`

	// GeneratorLate counts the records that left late through the generator's own fault.
	GeneratorLate uint64                       `json:"generator_late"`
	Latency       map[string]map[string]spread `json:"latency,omitempty"` // by kind and phase, in seconds; phase "" is all
}

// sighting is one line of sightings.jsonl: what a hop saw, and when.
type sighting struct {
	Kind string  `json:"kind"`         // snapshot, batch or outage
	Seen float64 `json:"seen_seconds"` // since the start of the run
	Hop  string  `json:"hop"`

	SnapshotID int64             `json:"snapshot_id,omitempty"`
	ParentID   int64             `json:"parent_id,omitempty"`
	Sequence   int64             `json:"sequence_number,omitempty"`
	Committed  time.Time         `json:"committed,omitzero"` // the writer's clock
	Summary    map[string]string `json:"summary,omitempty"`
	Bound      float64           `json:"bound_seconds,omitempty"` // how much earlier it may have become visible

	Batch     int64                      `json:"batch,omitempty"`
	QueryID   string                     `json:"query_id,omitempty"`
	Planned   time.Time                  `json:"planned,omitzero"` // the driver's clock
	OffsetsAt float64                    `json:"offsets_seen_seconds,omitempty"`
	Starts    map[string]map[int32]int64 `json:"start_offsets,omitempty"`
	Ends      map[string]map[int32]int64 `json:"end_offsets,omitempty"`

	Until float64 `json:"until_seconds,omitempty"`
	Error string  `json:"error,omitempty"`
}

// createFolder makes the run's folder, which must not exist.
func createFolder(runsDir, runID string) (string, error) {
	dir := filepath.Join(runsDir, runID)
	if err := os.MkdirAll(runsDir, 0o755); err != nil {
		return "", fail.Wrap(fmt.Errorf("making the runs folder: %w", err), fail.Usage,
			"make it writable, or choose another one with --runs-dir")
	}
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return "", fail.New(fail.Usage, "give another --run-id, or leave it out", "making run folder %q: it exists", dir)
	}
	return dir, fail.Wrap(err, fail.Usage, "make the runs folder writable, or choose another one with --runs-dir")
}

// writeRun writes run.json by a temporary file, so that a reader never sees half.
func writeRun(dir string, r *runFile) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", runFileName, err)
	}
	return writeFile(filepath.Join(dir, runFileName), append(data, '\n'))
}

func writeFile(name string, data []byte) error {
	tmp := name + ".tmp"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return diskFull(err)
	}
	return diskFull(os.Rename(tmp, name))
}

func diskFull(err error) error {
	return fail.Wrap(err, fail.Internal, "free some disk space, or choose a folder on another disk with --runs-dir")
}

// readRun reads and checks run.json.
func readRun(dir string) (*runFile, error) {
	hint := "give the folder of a run that lakeproof wrote: it holds " + runFileName + ", " + scenarioFileName +
		" and " + ledger.BatchesFile
	data, err := os.ReadFile(filepath.Join(dir, runFileName))
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading run folder %q: %w", dir, err), fail.Usage, hint)
	}
	var r runFile
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading run folder %q: %s is cut off or no JSON: %w", dir, runFileName, err),
			fail.Usage, hint)
	}
	switch {
	case r.Format != runFormat:
		err = fmt.Errorf("reading run folder %q: %s is of format %q", dir, runFileName, r.Format)
	case r.Version != runVersion:
		err = fmt.Errorf("reading run folder %q: version %d, this program reads %d", dir, r.Version, runVersion)
	case len(r.Streams) == 0 || r.Start.IsZero():
		err = fmt.Errorf("reading run folder %q: %s names no stream or no start", dir, runFileName)
	}
	return &r, fail.Wrap(err, fail.Usage, hint)
}

// sightings appends to sightings.jsonl.
type sightings struct {
	file *os.File
	enc  *json.Encoder
}

func createSightings(dir string) (*sightings, error) {
	f, err := os.OpenFile(filepath.Join(dir, sightingsFileName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, diskFull(err)
	}
	return &sightings{f, json.NewEncoder(f)}, nil
}

func (s *sightings) add(v sighting) error { return diskFull(s.enc.Encode(v)) }
func (s *sightings) close() error         { return diskFull(s.file.Close()) }

// readSightings reads sightings.jsonl; a last line that a killed process cut
// off is left out.
func readSightings(dir string) ([]sighting, error) {
	f, err := os.Open(filepath.Join(dir, sightingsFileName))
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading run folder %q: %w", dir, err), fail.Usage,
			"the folder is not whole: "+sightingsFileName+" is missing")
	}
	defer f.Close()
	var out []sighting
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 1<<16), 1<<24)
	var broken error
	for n := 1; lines.Scan(); n++ {
		if broken != nil {
			return nil, broken
		}
		var s sighting
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			broken = fail.Wrap(fmt.Errorf("reading run folder %q: %s line %d: %w", dir, sightingsFileName, n, err),
				fail.Usage, "the file was changed or is of another program")
			continue
		}
		out = append(out, s)
	}
	return out, lines.Err()
}
