package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/ui"
	"github.com/lakeproof/lakeproof/loadtest/ledger"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// exhume checks the fault ledger and looks through the dead letters.
func (v *verification) exhume(ctx context.Context, s *verified, exp *maker) error {
	if err := v.checkLedger(s); err != nil {
		return err
	}
	if !s.faults.buries() || s.DeadLetters == "" {
		s.buried.Slots = ledger.NewSet(s.account.Sent)
		return nil
	}
	t, _, err := v.systems.catalog.LoadTable(ctx, s.DeadLetters, catalog.LoadOptions{})
	s.noLetters = errors.Is(err, catalog.ErrNoTable)
	if err != nil && !s.noLetters {
		return fmt.Errorf("looking at the dead letters: %w", err)
	}
	letters := ledger.Table{}
	layout := ledger.Layout{Partition: "_partition", Offset: "_offset", Topic: "_topic"}
	if !s.noLetters {
		if letters.Files, err = v.letterFiles(ctx, t); err != nil {
			return err
		}
		letters.Scanner = &scanner{v.systems.store, t}
	}
	s.buried, err = s.account.Buried(ctx, exp, letters, layout, s.Shared)
	return err
}

// letterFiles are all data files of the dead letters: the rows' offsets tell
// which are the run's.
func (v *verification) letterFiles(ctx context.Context, t *catalog.Table) ([]ledger.File, error) {
	snap, ok := t.Current()
	if !ok {
		return nil, nil
	}
	live, err := v.systems.files.LiveFiles(ctx, snap)
	if err != nil {
		return nil, err
	}
	var out []ledger.File
	for _, f := range live.Data {
		for range f.Live {
			out = append(out, ledger.File{
				Path: f.Path, Rows: uint64(f.Records), Bytes: f.Size, Snapshot: f.SnapshotID, Sequence: f.Sequence,
			})
		}
	}
	return out, nil
}

// checkLedger holds the fault ledger in the folder against the plan. A run that
// was killed has none.
func (v *verification) checkLedger(s *verified) error {
	name := s.faultLedger(v.plan.Streams)
	f, err := os.Open(filepath.Join(v.dir, name))
	if errors.Is(err, fs.ErrNotExist) && v.file.State != stateComplete {
		return nil
	}
	hint := "the folder is not whole, or was changed: copy it again"
	if err != nil {
		return fail.Wrap(fmt.Errorf("reading run folder %q: %w", v.dir, err), fail.Usage, hint)
	}
	defer f.Close()
	found, err := delivery.Verify(f, s.faults.Plan)
	if err != nil {
		return fail.Wrap(fmt.Errorf("reading run folder %q: %s: %w", v.dir, name, err), fail.Usage, hint)
	}
	if len(found) > 0 {
		return fail.New(fail.Usage, hint, "reading run folder %q: %s: %s", v.dir, name, found[0])
	}
	return nil
}

// faultReport is class by class what was expected and what was seen.
func (v *verification) faultReport(s *verified) report.Faults {
	out := report.Faults{
		Stream: s.Name, Laws: s.faults.Config().String(), Ledger: s.faultLedger(v.plan.Streams),
		DeadLetters: s.DeadLetters, Missing: s.buried.Missing.Count, Again: s.buried.Again.Count,
		Alive: s.buried.Alive.Count, Foreign: s.buried.Foreign.Count, Examples: []report.Example{},
	}
	for _, f := range []ledger.Findings{s.buried.Missing, s.buried.Again, s.buried.Alive, s.buried.Foreign} {
		for _, x := range f.Examples[:min(len(f.Examples), 25)] {
			e := v.example(s, x)
			e.Table = s.DeadLetters
			out.Examples = append(out.Examples, e)
		}
	}
	out.Classes = s.faultClasses()
	out.OK = s.buried.Harm() == 0
	for _, c := range out.Classes {
		out.OK = out.OK && c.OK
	}
	out.Summary = faultWords(&out, s.noLetters)
	if words := s.faults.words(); words != "" {
		out.Summary += "; " + words
	}
	return out
}

// faultClasses walks again and asks of each slot where its record is.
func (s *verified) faultClasses() []report.FaultClass {
	by := map[delivery.Class]*report.FaultClass{}
	of := func(c delivery.Class) *report.FaultClass {
		if by[c] == nil {
			by[c] = &report.FaultClass{Class: c.String()}
		}
		return by[c]
	}
	w := s.faults.NewWalker()
	note := func(faults []delivery.Fault) {
		for i := range faults {
			switch f := &faults[i]; {
			case f.Held:
				of(f.Class).Held++
			case f.Class == delivery.Dropped:
				of(f.Class).Faults++
			}
		}
	}
	for w.Slot() < s.account.Sent {
		send, ok := w.Next()
		if !ok {
			break
		}
		note(w.Faults())
		s.place(of(s.faults.class(send)), send)
	}
	note(w.Finish())
	var out []report.FaultClass
	for c := delivery.OnTime; c.String() != fmt.Sprintf("class(%d)", uint8(c)); c++ {
		if f := by[c]; f != nil {
			f.KafkaSeen = s.file.ConsumedFaults[f.Class]
			f.OK = f.Rows == f.RowsSeen && f.Letters == f.LettersSeen && (s.file.ConsumedFaults == nil || f.Kafka == f.KafkaSeen)
			out = append(out, *f)
		}
	}
	return out
}

// place counts the record of a slot where it should be and where it is. One that
// the broker never answered for should be where it is.
func (s *verified) place(f *report.FaultClass, send delivery.Send) {
	acc, slot := s.account, send.Slot
	arrived := s.result.Arrived != nil && s.result.Arrived.Has(slot)
	buried := s.buried.Slots != nil && s.buried.Slots.Has(slot)
	f.Faults++
	if arrived {
		f.RowsSeen++
	}
	if buried {
		f.LettersSeen++
	}
	if !acc.Acked(slot) && !arrived && !buried {
		return
	}
	f.Kafka++
	switch {
	case s.Table == "":
	case !s.faults.refused(send):
		f.Rows++
	case s.DeadLetters != "":
		f.Letters++
	}
}

// faultWords is the verdict on the faults in a line.
func faultWords(f *report.Faults, noTable bool) string {
	var parts, off []string
	for _, c := range f.Classes {
		if c.Class != delivery.OnTime.String() && c.Faults > 0 {
			parts = append(parts, ui.Count(c.Faults)+" "+strings.ReplaceAll(c.Class, "_", " "))
		}
		if !c.OK {
			off = append(off, strings.ReplaceAll(c.Class, "_", " "))
		}
	}
	what := strings.Join(parts, ", ")
	if what == "" {
		what = "none came to pass"
	}
	off = append(off, letterWords(f)...)
	switch {
	case noTable:
		return fmt.Sprintf("table %s of the dead letters is not there; %s", f.DeadLetters, what)
	case len(off) > 0:
		return fmt.Sprintf("not as planned: %s; planned were %s", strings.Join(off, ", "), what)
	default:
		return "as planned, class by class: " + what
	}
}

// letterWords says what is wrong with the dead letters.
func letterWords(f *report.Faults) []string {
	var out []string
	for _, h := range []struct {
		n    uint64
		word string
	}{
		{f.Missing, "missing among the dead letters"},
		{f.Again, "twice among the dead letters"},
		{f.Alive, "readable among the dead letters"},
		{f.Foreign, "dead letters of nobody"},
	} {
		if h.n > 0 {
			out = append(out, ui.Count(h.n)+" "+h.word)
		}
	}
	return out
}
