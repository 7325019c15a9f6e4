package delivery_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	. "github.com/lakeproof/lakeproof/generators/delivery"
)

var start = time.Date(2026, 2, 28, 23, 58, 0, 0, time.UTC)

// writeLedger walks so many slots and returns the ledger and its faults.
func writeLedger(t testing.TB, p *Plan, slots uint64) (string, []Fault) {
	t.Helper()
	var out bytes.Buffer
	l, err := NewWriter(&out, p.Header("payments", start))
	if err != nil {
		t.Fatal(err)
	}
	w := p.NewWalker()
	var faults []Fault
	for w.Slot() < slots {
		w.Next()
		faults = append(faults, w.Faults()...)
		if err := l.Write(w.Faults()); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(w); err != nil {
		t.Fatal(err)
	}
	return out.String(), append(faults, w.Faults()...)
}

func ledgerPlan(t testing.TB) *Plan {
	return mustPlan(t, 21, Even{PerSecond: 20, Slots: 3000}, modelConfig())
}

func TestLedgerIsReadAsItWasWritten(t *testing.T) {
	p := ledgerPlan(t)
	text, faults := writeLedger(t, p, p.Slots())
	r, err := NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if r.Header() != p.Header("payments", start) {
		t.Errorf("header %+v", r.Header())
	}
	var again []Fault
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		again = append(again, f)
	}
	if !slices.Equal(again, faults) || len(again) < 500 {
		t.Errorf("%d faults read, %d written", len(again), len(faults))
	}
	if got := r.Trailer(); got.Faults != uint64(len(faults)) || got.Slots != 3000 || got.Truth == 0 {
		t.Errorf("trailer %+v", got)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Error("something after the end")
	}
}

func TestVerifyFindsNothingInAGoodLedger(t *testing.T) {
	p := ledgerPlan(t)
	for _, slots := range []uint64{0, 1, 1234, 3000} { // a run may be broken off and still be closed
		text, _ := writeLedger(t, p, slots)
		found, err := Verify(strings.NewReader(text), p)
		if err != nil || len(found) > 0 {
			t.Errorf("%d slots: %v %v", slots, err, found)
		}
	}
}

// TestVerifyFindsOneLine is the negative control: one line is altered, missing,
// doubled, swapped or invented, at many places.
func TestVerifyFindsOneLine(t *testing.T) {
	p := ledgerPlan(t)
	text, _ := writeLedger(t, p, p.Slots())
	good := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	good[len(good)-1] += "\n"
	change := func(line, field string) string {
		i := strings.Index(line, field)
		if i < 0 {
			return ""
		}
		i += len(field)
		digit := byte('0' + (line[i]-'0'+1)%10)
		if digit == '0' {
			digit = '7'
		}
		return line[:i] + string(digit) + line[i+1:]
	}
	for at := 1; at < len(good)-1; at += 1 + len(good)/20 {
		for name, alter := range map[string]func(lines []string) ([]string, string){
			"missing": func(l []string) ([]string, string) { return slices.Delete(l, at, at+1), "missing" },
			"doubled": func(l []string) ([]string, string) { return slices.Insert(l, at, l[at]), "extra" },
			"swapped": func(l []string) ([]string, string) { l[at], l[at+1] = l[at+1], l[at]; return l, "" },
			"class": func(l []string) ([]string, string) {
				to := `"class":"late"`
				if strings.Contains(l[at], to) {
					to = `"class":"dropped"`
				}
				_, rest, _ := strings.Cut(l[at], ",")
				l[at] = "{" + to + "," + rest
				return l, "changed"
			},
			"truth":   func(l []string) ([]string, string) { l[at] = change(l[at], `"truth":`); return l, "changed" },
			"slot":    func(l []string) ([]string, string) { l[at] = change(l[at], `"slot":`); return l, "changed" },
			"time":    func(l []string) ([]string, string) { l[at] = change(l[at], `"event_time_ns":`); return l, "changed" },
			"due":     func(l []string) ([]string, string) { l[at] = change(l[at], `"due_ns":`); return l, "changed" },
			"second":  func(l []string) ([]string, string) { l[at] = change(l[at], `"second_slot":`); return l, "changed" },
			"version": func(l []string) ([]string, string) { l[at] = change(l[at], `"version":`); return l, "changed" },
			"cut":     func(l []string) ([]string, string) { l[at] = l[at][:len(l[at])/2] + "\n"; return l, "unreadable" },
		} {
			lines, want := alter(slices.Clone(good))
			if slices.Contains(lines, "") {
				continue // the line has no such field
			}
			if name == "swapped" && at == len(good)-2 {
				continue // with the trailer
			}
			found, err := Verify(strings.NewReader(strings.Join(lines, "")), p)
			if err != nil || len(found) == 0 {
				t.Fatalf("line %d %s: found nothing (%v)", at+1, name, err)
			}
			if want != "" && !slices.ContainsFunc(found, func(f Finding) bool {
				return f.What == want && f.Line >= at && f.Line <= at+2
			}) || found[0].String() == "" {
				t.Errorf("line %d %s: %s", at+1, name, found[0])
			}
		}
	}
}

// TestVerifyFindsTheRest alters the first and the last line and the end.
func TestVerifyFindsTheRest(t *testing.T) {
	p := ledgerPlan(t)
	text, _ := writeLedger(t, p, p.Slots())
	last := strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n") + 1
	before := strings.LastIndex(text[:last-1], "\n") + 1
	for name, bad := range map[string]string{
		"seed":          strings.Replace(text, `"seed":21`, `"seed":22`, 1),
		"laws":          strings.Replace(text, `drop=2%`, `drop=3%`, 1),
		"number":        strings.Replace(text, `"stream_number":3`, `"stream_number":4`, 1),
		"no trailer":    text[:last],
		"truth drawn":   text[:last] + strings.Replace(text[last:], `"truth":`, `"truth":1`, 1),
		"slots":         text[:last] + strings.Replace(text[last:], `"slots":3000`, `"slots":2999`, 1),
		"more slots":    text[:last] + strings.Replace(text[last:], `"slots":3000`, `"slots":3001`, 1),
		"count":         text[:last] + strings.Replace(text[last:], `"faults":`, `"faults":1`, 1),
		"last fault":    text[:before] + text[last:],
		"after the end": text + "{}\n",
	} {
		if bad == text {
			t.Fatalf("%s: nothing altered", name)
		}
		found, err := Verify(strings.NewReader(bad), p)
		if err == nil && len(found) == 0 {
			t.Errorf("%s: found nothing", name)
		}
	}
	found, err := Verify(strings.NewReader(text), mustPlan(t, 22, Even{PerSecond: 20, Slots: 3000}, modelConfig()))
	if err != nil || len(found) != 101 || found[100].What != "more" {
		t.Errorf("another plan's ledger: %d findings (%v)", len(found), err)
	}
}

func TestReaderRefuses(t *testing.T) {
	p := ledgerPlan(t)
	text, _ := writeLedger(t, p, 100)
	header, _, _ := strings.Cut(text, "\n")
	for name, bad := range map[string]string{
		"nothing":    "",
		"no header":  `{"class":"late"}` + "\n",
		"other tool": strings.Replace(header, "delivery", "chaos", 1),
		"other algo": strings.Replace(header, `"algo_version":1`, `"algo_version":2`, 1),
		"long line":  strings.Repeat(" ", 2<<20),
	} {
		if _, err := NewReader(strings.NewReader(bad)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, line := range map[string]string{
		"class":      `{"class":"lost","truth":1,"truth_slot":1,"slot":1,"event_time_ns":1,"due_ns":1,"version":1}`,
		"on time":    `{"class":"on_time","truth":1,"truth_slot":1,"slot":1,"event_time_ns":1,"due_ns":1,"version":1}`,
		"no version": `{"class":"late","truth":1,"truth_slot":1,"slot":1,"event_time_ns":1,"due_ns":1}`,
		"negative":   `{"class":"late","truth":-1,"truth_slot":1,"slot":1,"event_time_ns":1,"due_ns":1,"version":1}`,
		"unknown":    `{"class":"late","why":1}`,
		"two":        `{} {}`,
		"nothing":    ``,
	} {
		r, err := NewReader(strings.NewReader(header + "\n" + line + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReaderCountsTheLines takes a line out: the last line tells.
func TestReaderCountsTheLines(t *testing.T) {
	text, _ := writeLedger(t, ledgerPlan(t), 200)
	lines := strings.SplitAfter(text, "\n")
	r, err := NewReader(strings.NewReader(strings.Join(slices.Delete(lines, 3, 4), "")))
	for err == nil {
		_, err = r.Next()
	}
	if errors.Is(err, io.EOF) {
		t.Error("a line is missing, and the reader did not say so")
	}
}

func FuzzReader(f *testing.F) {
	text, _ := writeLedger(f, ledgerPlan(f), 60)
	f.Add(text)
	f.Add(strings.Replace(text, `"held":true`, `"held":false`, -1))
	f.Fuzz(func(t *testing.T, text string) {
		p := mustPlan(t, 21, Even{PerSecond: 20, Slots: 3000}, modelConfig())
		_, _ = Verify(strings.NewReader(text), p)
		r, err := NewReader(strings.NewReader(text))
		if err != nil {
			return
		}
		// What is read is written the same way, and read again.
		for {
			fault, err := r.Next()
			if err != nil {
				return
			}
			var out bytes.Buffer
			w := Resume(&out, 0)
			_ = w.Write([]Fault{fault})
			_ = w.Flush()
			header, _, _ := strings.Cut(text, "\n")
			again, err := NewReader(strings.NewReader(header + "\n" + out.String()))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := again.Next(); err != nil || got != fault {
				t.Fatalf("%+v is read again as %+v (%v)", fault, got, err)
			}
		}
	})
}

// full takes so many bytes and no more.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("no space left")
	}
	return len(b), nil
}

func TestWriterSaysThatTheDiskIsFull(t *testing.T) {
	p := mustPlan(t, 21, Even{PerSecond: 2000, Slots: 50_000}, Config{Drop: Often{Share: 20 * Percent}})
	for _, room := range []int{0, 100_000} {
		l, err := NewWriter(&full{room}, p.Header("payments", start))
		if err != nil {
			t.Fatal(err)
		}
		w := p.NewWalker()
		for err == nil {
			if _, ok := w.Next(); !ok {
				break
			}
			err = l.Write(w.Faults())
		}
		if err == nil {
			err = l.Close(w)
		}
		if err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("room for %d: %v", room, err)
		}
	}
}

// TestResumedLedger breaks a run off, keeps the walker and the ledger so far,
// and goes on: the ledger is the same as in one go.
func TestResumedLedger(t *testing.T) {
	p := ledgerPlan(t)
	want, _ := writeLedger(t, p, p.Slots())
	var out bytes.Buffer
	l, _ := NewWriter(&out, p.Header("payments", start))
	w := p.NewWalker()
	for w.Slot() < 1700 {
		w.Next()
		_ = l.Write(w.Faults())
	}
	_ = l.Flush()
	state, faults := w.Snapshot(), l.Faults()
	w, err := p.Restore(state)
	if err != nil {
		t.Fatal(err)
	}
	l = Resume(&out, faults)
	for {
		if _, ok := w.Next(); !ok {
			break
		}
		_ = l.Write(w.Faults())
	}
	if err := l.Close(w); err != nil || out.String() != want {
		t.Errorf("the resumed ledger differs (%v)", err)
	}
}

func TestPlanFingerprintTellsPlansApart(t *testing.T) {
	prints := map[uint64]string{}
	for name, p := range map[string]*Plan{
		"one":    ledgerPlan(t),
		"seed":   mustPlan(t, 22, Even{PerSecond: 20, Slots: 3000}, modelConfig()),
		"rate":   mustPlan(t, 21, Even{PerSecond: 21, Slots: 3000}, modelConfig()),
		"slots":  mustPlan(t, 21, Even{PerSecond: 20, Slots: 3001}, modelConfig()),
		"config": mustPlan(t, 21, Even{PerSecond: 20, Slots: 3000}, Config{}),
		"ramp":   mustPlan(t, generators.Seed(21), ramp{3000}, modelConfig()),
	} {
		if other, there := prints[p.Fingerprint()]; there {
			t.Errorf("%s and %s have the same fingerprint", name, other)
		}
		prints[p.Fingerprint()] = name
	}
}
