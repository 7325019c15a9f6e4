package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// strict reads one JSON value that has known members only.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("want one JSON value a line")
	}
	return nil
}

// Finding is a place where a ledger is not what the plan says.
type Finding struct {
	Line int    // in the ledger
	What string // missing, changed, extra, header, trailer or unreadable
	Want Fault  // of missing and changed
	Got  Fault  // of changed and extra
	Text string // of the others
}

// String says the finding in a line.
func (f Finding) String() string {
	say := func(f Fault) string { return string(bytes.TrimSpace(f.appendJSON(nil))) }
	switch f.What {
	case "missing":
		return fmt.Sprintf("line %d: missing before it: %s", f.Line, say(f.Want))
	case "changed":
		return fmt.Sprintf("line %d: changed: %s, want %s", f.Line, say(f.Got), say(f.Want))
	case "extra":
		return fmt.Sprintf("line %d: no such fault: %s", f.Line, say(f.Got))
	default:
		return fmt.Sprintf("line %d: %s: %s", f.Line, f.What, f.Text)
	}
}

// maxFindings is how many findings Verify returns at most; one more says how
// many it left out.
const maxFindings = 100

// Verify compares a ledger with the plan it claims to be of, by walking the
// plan again: each line, in order, and the header and the trailer. Of a ledger
// without a trailer the lines are compared as far as they go, and that it is
// not finished is a finding. No finding means that it says what the plan's own
// ledger would say. It reads the ledger twice and keeps one line of it.
func Verify(ledger io.ReadSeeker, p *Plan) ([]Finding, error) {
	end, err := trailerOf(ledger)
	if err != nil {
		return nil, err
	}
	if _, err := ledger.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the fault ledger again: %w", err)
	}
	r, err := NewReader(ledger)
	if err != nil {
		return nil, err
	}
	v := verifier{plan: p, walk: p.NewWalker(), slots: p.slots, ledger: r}
	if end != nil {
		v.slots = min(end.Slots, p.slots)
	}
	v.header(r.Header())
	v.read()
	v.compare()
	if v.broken != nil {
		v.find(Finding{Line: r.Line(), What: "unreadable", Text: v.broken.Error()})
	} else {
		v.rest()
	}
	if v.beyond > 0 {
		v.found = append(v.found, Finding{Line: r.Line(), What: "more", Text: fmt.Sprintf("%d further findings", v.beyond)})
	}
	return v.found, nil
}

// trailerOf reads to the last line; nil when there is no such line.
func trailerOf(ledger io.Reader) (*Trailer, error) {
	r, err := NewReader(ledger)
	if err != nil {
		return nil, err
	}
	for {
		text, err := r.next()
		var t Trailer
		switch {
		case errors.Is(err, ErrUnfinished):
			return nil, nil //nolint:nilnil // nothing is wrong, and there is none
		case err != nil:
			return nil, err
		case isTrailer(text) && strict(text, &t) == nil:
			return &t, nil
		}
	}
}

type verifier struct {
	plan   *Plan
	walk   *Walker
	slots  uint64  // to walk
	left   []Fault // what the walk made and was not compared yet
	ended  bool
	count  uint64 // faults that the walk made
	last   Trailer
	found  []Finding
	beyond uint64 // findings that were not kept

	ledger *Reader
	next   Fault // the line after the one that is compared
	line   int   // its number
	more   bool  // there is one
	broken error
}

// read reads a line ahead and returns the one before it.
func (v *verifier) read() (f Fault, line int, more bool) {
	f, line, more = v.next, v.line, v.more
	v.more = false
	if v.broken != nil {
		return f, line, more
	}
	var err error
	if v.next, err = v.ledger.Next(); err == nil {
		v.more, v.line = true, v.ledger.Line()
	} else if !errors.Is(err, io.EOF) {
		v.broken = err
	}
	return f, line, more
}

func (v *verifier) find(f Finding) {
	if len(v.found) < maxFindings {
		v.found = append(v.found, f)
		return
	}
	v.beyond++
}

func (v *verifier) header(h Header) {
	if want := v.plan.Header(h.Stream, h.Start); h != want {
		v.find(Finding{Line: 1, What: "header", Text: fmt.Sprintf("of %+v, the plan is %+v", h, want)})
	}
}

// peek returns the fault that comes next in the walk, some places ahead.
func (v *verifier) peek(ahead int) (Fault, bool) {
	for len(v.left) <= ahead && !v.ended {
		if v.walk.Slot() < v.slots {
			v.walk.Next()
			v.left = append(v.left, v.walk.Faults()...)
			continue
		}
		v.last = Trailer{Slots: v.walk.Slot(), Truth: v.walk.Truth(), Crowded: v.walk.Crowded()}
		v.left = append(v.left, v.walk.Finish()...)
		v.ended = true
	}
	if len(v.left) <= ahead {
		return Fault{}, false
	}
	return v.left[ahead], true
}

func (v *verifier) step() {
	v.left = v.left[1:]
	v.count++
}

// compare goes through both in step. Where they differ it looks whether the
// one or the other has something the other lacks.
func (v *verifier) compare() {
	const look = 8
	for {
		got, line, more := v.read()
		if !more {
			return
		}
		want, wanted := v.peek(0)
		if wanted && want == got {
			v.step()
			continue
		}
		ahead := v.aheadOf(got, look)
		switch {
		case !wanted || v.more && v.next == want:
			v.find(Finding{Line: line, What: "extra", Got: got})
		case ahead > 0:
			for range ahead {
				missing, _ := v.peek(0)
				v.find(Finding{Line: line, What: "missing", Want: missing})
				v.step()
			}
			v.step()
		default:
			v.find(Finding{Line: line, What: "changed", Want: want, Got: got})
			v.step()
		}
	}
}

// rest is what comes after the last line of a ledger that is whole.
func (v *verifier) rest() {
	line := v.ledger.Line()
	for {
		missing, more := v.peek(0)
		if !more {
			break
		}
		v.find(Finding{Line: line, What: "missing", Want: missing})
		v.step()
	}
	want, got := v.last, v.ledger.Trailer()
	want.Faults = v.count
	if got != want {
		v.find(Finding{Line: line, What: "trailer", Text: fmt.Sprintf("%+v, the plan has %+v", got, want)})
	}
}

// aheadOf returns how many wanted faults come before one, or 0 when it is not
// among the next ones.
func (v *verifier) aheadOf(f Fault, look int) int {
	for i := 1; i <= look; i++ {
		want, more := v.peek(i)
		if !more {
			return 0
		}
		if want == f {
			return i
		}
	}
	return 0
}
