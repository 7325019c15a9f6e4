package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// JSONFile is the report that the other forms are made from.
const JSONFile = "report.json"

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

// Write renders the report into a run's folder.
func Write(dir string, r *Report) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", JSONFile, err)
	}
	return os.WriteFile(filepath.Join(dir, JSONFile), data, 0o644)
}
