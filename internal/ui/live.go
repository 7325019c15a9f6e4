package ui

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Frame is a run at one moment, as the live view shows it. A zero latency or
// an empty text is not known yet.
type Frame struct {
	Phase              string
	Elapsed, Total     time.Duration
	RateIntended       float64 // records per second that the schedule asks for now
	RateAchieved       float64 // acknowledged in the last second
	Intended           uint64
	Sent               uint64
	Acked              uint64
	Followed           bool // whether a table is followed: the next two lines make sense
	Landed             uint64
	LagRecords         uint64
	AckP50, AckP99     float64 // seconds, in the last second
	FreshP50, FreshP99 float64 // seconds
	FreshMax           float64
	Batch              string   // the last Spark batch, in words
	Snapshot           string   // the last snapshot, in words
	Problems           []string // what is wrong now, in words
}

// LiveOptions says where and how a live view is shown.
type LiveOptions struct {
	Title string        // the scenario and the lab
	Quiet bool          // show nothing; default false
	TTY   bool          // redraw in place; default false: one line now and then
	Color bool          // use colour on a terminal; the caller honours NO_COLOR
	Width func() int    // columns of the terminal; default 80
	Every time.Duration // between lines where there is no terminal; default 5s
}

// Live shows a run while it goes on. It is also a writer for logs, so that
// lines of others appear above the view and not in the middle of it. Its
// methods may be called from any goroutine.
type Live struct {
	w io.Writer
	o LiveOptions

	mu    sync.Mutex
	drawn int    // lines on the screen
	frame Frame  // the newest
	any   bool   // whether there was a frame
	last  Frame  // the newest that was written as a line
	tail  []byte // of a log line that is not whole yet
}

// NewLive returns a view that writes to w.
func NewLive(w io.Writer, o LiveOptions) *Live {
	if o.Width == nil {
		o.Width = func() int { return 80 }
	}
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	return &Live{w: w, o: o}
}

// Update shows the newest state. What the terminal does not take is lost: a
// view never stops a run.
func (l *Live) Update(f Frame) {
	if l.o.Quiet {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.any
	l.frame, l.any = f, true
	if l.o.TTY {
		l.draw(nil)
		return
	}
	news := f.Phase != l.last.Phase || strings.Join(f.Problems, ";") != "" && len(l.last.Problems) == 0
	if first || news || f.Elapsed-l.last.Elapsed >= l.o.Every {
		l.last = f
		_, _ = io.WriteString(l.w, f.line()+"\n")
	}
}

// Write puts whole lines above the view. It implements io.Writer for a logger
// and takes everything.
func (l *Live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.o.TTY || l.drawn == 0 {
		return l.w.Write(p)
	}
	l.tail = append(l.tail, p...)
	if end := bytes.LastIndexByte(l.tail, '\n'); end >= 0 {
		l.draw(l.tail[:end+1])
		l.tail = bytes.Clone(l.tail[end+1:])
	}
	return len(p), nil
}

// Close leaves the last state on the screen, below it an empty line.
func (l *Live) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn > 0 {
		_, _ = fmt.Fprintf(l.w, "%s\n", l.tail)
		l.drawn, l.tail = 0, nil
	} else if l.any && l.frame.Elapsed > l.last.Elapsed {
		_, _ = io.WriteString(l.w, l.frame.line()+"\n")
	}
	l.any = false
}

// draw writes logs and the view over the last view, in one write, so that
// nothing flickers: each line is overwritten and only its rest is erased.
func (l *Live) draw(logs []byte) {
	var b bytes.Buffer
	b.WriteString("\x1b[?2026h") // begin a synchronized update, where the terminal knows it
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", l.drawn)
	}
	if len(logs) > 0 {
		b.WriteString("\x1b[J")
		b.Write(logs)
	}
	width := max(l.o.Width()-1, 20)
	lines := l.frame.lines(l.o.Title, width, palette(l.o.Color))
	for _, line := range lines {
		b.WriteString(Clip(line, width) + "\x1b[K\n")
	}
	b.WriteString("\x1b[J\x1b[?2026l")
	l.drawn = len(lines)
	_, _ = l.w.Write(b.Bytes())
}
