package ui

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs (-update rewrites):\n%s\nwant:\n%s", path, got, want)
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(uint64(0)), "0"},
		{Count(999), "999"},
		{Count(int64(1_000_000)), "1,000,000"},
		{Count(-1234), "-1,234"},
		{Count(uint64(math.MaxUint64)), "18,446,744,073,709,551,615"},
		{Number(0), "0"},
		{Number(17), "17"},
		{Number(-17), "-17"},
		{Number(99.98), "99.98"},
		{Number(0.00123), "0.00123"},
		{Number(12345.6), "12,346"},
		{Number(math.NaN()), "no data"},
		{Number(math.Inf(1)), "no data"},
		{Seconds(0), "0 s"},
		{Seconds(0.0000421), "42.1 µs"},
		{Seconds(0.0024), "2.40 ms"},
		{Seconds(0.99951), "1.00 s"},
		{Seconds(0.25), "250 ms"},
		{Seconds(12.34), "12.3 s"},
		{Seconds(-6.4), "-6.40 s"},
		{Seconds(100), "100 s"},
		{Seconds(365), "6 min 05 s"},
		{Seconds(3599.9), "1 h 00 min"},
		{Seconds(9.996), "10.0 s"},
		{Seconds(0.0009996), "1.00 ms"},
		{Seconds(7800), "2 h 10 min"},
		{Seconds(math.NaN()), "no data"},
		{Bytes(0), "0 B"},
		{Bytes(1023), "1023 B"},
		{Bytes(1024), "1.0 KiB"},
		{Bytes(181_403_648), "173.0 MiB"},
		{Bytes(math.MaxInt64), "8.0 EiB"},
		{Bytes(-2048), "-2.0 KiB"},
		{Rate(5000), "5,000/s"},
		{Rate(0.5), "0.5/s"},
		{Rate(4998.37), "4,998/s"},
		{Rate(math.NaN()), "no data"},
		{Clock(0), "00:00"},
		{Clock(-time.Second), "00:00"},
		{Clock(187 * time.Second), "03:07"},
		{Clock(3787 * time.Second), "1:03:07"},
		{Bar(0, 4), "░░░░"},
		{Bar(0.5, 4), "██░░"},
		{Bar(1, 4), "████"},
		{Bar(7, 4), "████"},
		{Bar(-1, 4), "░░░░"},
		{Bar(0.28125, 4), "█▏░░"},
		{Clean("a\x1b[31mred\nb\u202e\x00\xff"), "a[31mred b\uFFFD"},
		{Clip("hello", 5), "hello"},
		{Clip("hello!", 5), "hell…"},
		{Clip("\x1b[1mhello!\x1b[0m", 5), "\x1b[1mhell…\x1b[0m"},
		{Clip("日本語です", 6), "日本…"},
		{Clip("x", 0), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	err := Table(&b, "  ", [][]string{{"name", "n|", "what"}, {"sent", "1,000", "ü ✔"}, {"acknowledged", "17", ""}, {"short"}})
	want := "  name              n  what\n  sent          1,000  ü ✔\n  acknowledged     17\n  short\n"
	if err != nil || b.String() != want {
		t.Errorf("%v:\n%s\nwant:\n%s", err, b.String(), want)
	}
	if err := Table(&b, "", nil); err != nil {
		t.Error(err)
	}
}

func FuzzClip(f *testing.F) {
	f.Add("\x1b[1m日本 hello\x1b[0m", 7)
	f.Add("\x1b[", 3)
	f.Fuzz(func(t *testing.T, line string, width int) {
		width = min(max(width, 0), 500)
		line = strings.ToValidUTF8(line, "?")
		if got := Clip(line, width); columns(got) > width || !utf8.ValidString(got) {
			t.Errorf("Clip(%q, %d) = %q, %d columns", line, width, got, columns(got))
		}
	})
}

func frames() []Frame {
	f := Frame{Phase: "warm-up", Total: 30 * time.Second, RateIntended: 5000}
	steady := Frame{
		Phase: "steady", Elapsed: 15 * time.Second, Total: 30 * time.Second, RateIntended: 5000, RateAchieved: 4998,
		Intended: 75_000, Sent: 74_998, Acked: 74_990, Followed: true, Landed: 68_200, LagRecords: 6_790,
		AckP50: 0.0021, AckP99: 0.0098, FreshP50: 1.21, FreshP99: 2.3, FreshMax: 2.41,
		Batch: "bronze batch 12", Snapshot: "5,000 rows, 0.8 s ago",
	}
	trouble := steady
	trouble.Elapsed, trouble.RateAchieved = 22*time.Second, 1200
	trouble.Problems = []string{"table bronze.payments does not answer since 4 s\x1b[2J", "12 records of payments not acknowledged"}
	drain := steady
	drain.Phase, drain.Elapsed, drain.Landed, drain.LagRecords = "drain", 33*time.Second, 150_000, 0
	return []Frame{f, steady, trouble, drain}
}

// TestLiveLines shows what each frame looks like at some widths.
func TestLiveLines(t *testing.T) {
	var b bytes.Buffer
	for _, width := range []int{100, 60, 24} {
		for _, f := range frames() {
			lines := f.lines("smoke on home", width, false)
			if len(lines) != 10 {
				t.Fatalf("%d lines, want ten", len(lines))
			}
			for _, line := range lines {
				line = Clip(line, width)
				if columns(line) > width || strings.Contains(line, "\x1b") {
					t.Errorf("line of %d columns: %q", columns(line), line)
				}
				fmt.Fprintln(&b, line)
			}
			fmt.Fprintln(&b, strings.Repeat("-", width))
		}
	}
	golden(t, "live.txt", b.Bytes())
}

// On a terminal each frame is one write over the frame before, and logs come
// above it; the screen afterwards holds them in that order.
func TestLiveOnATerminal(t *testing.T) {
	for _, color := range []bool{false, true} {
		w := &screen{}
		l := NewLive(w, LiveOptions{Title: "smoke on home", TTY: true, Color: color, Width: func() int { return 100 }})
		fs := frames()
		l.Update(fs[0])
		l.Update(fs[1])
		if n := w.writes; n != 2 {
			t.Errorf("%d writes for 2 frames: it would flicker", n)
		}
		for _, part := range []string{"level=WARN msg=", "slow\nlevel=INFO msg=half"} {
			if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
		}
		l.Update(fs[3])
		l.Close()
		fmt.Fprintf(w, "after\n")
		got := w.text()
		want := "level=WARN msg=slow\n" + plain(fs[3].lines("smoke on home", 99, false)) + "level=INFO msg=half\nafter"
		if got != want {
			t.Errorf("colour %v: the screen shows\n%s\nwant\n%s", color, got, want)
		}
		if w.coloured != color {
			t.Errorf("colour %v: coloured %v", color, w.coloured)
		}
	}
}

func plain(lines []string) string { return strings.Join(lines, "\n") + "\n" }

// screen is a terminal that knows what the live view uses.
type screen struct {
	lines    [][]rune
	row, col int
	writes   int
	coloured bool
}

func (s *screen) Write(p []byte) (int, error) {
	s.writes++
	text := string(p)
	for text != "" {
		if n := escape(text); n > 0 {
			s.control(text[2:n])
			text = text[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		switch r {
		case '\n':
			s.row, s.col = s.row+1, 0
		case '\r':
			s.col = 0
		default:
			s.at()
			s.lines[s.row] = append(s.lines[s.row][:min(s.col, len(s.lines[s.row]))], append([]rune{r}, s.lines[s.row][min(s.col+1, len(s.lines[s.row])):]...)...)
			s.col++
		}
	}
	return len(p), nil
}

func (s *screen) at() {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, nil)
	}
}

func (s *screen) control(code string) {
	s.at()
	switch n := 0; {
	case strings.HasSuffix(code, "m"):
		s.coloured = true
	case code == "K":
		s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
	case code == "J":
		s.lines = append(s.lines[:s.row], s.lines[s.row][:min(s.col, len(s.lines[s.row]))])
	case strings.HasSuffix(code, "A"):
		_, _ = fmt.Sscanf(code, "%dA", &n)
		s.row = max(s.row-n, 0)
	}
}

func (s *screen) text() string {
	var out []string
	for _, l := range s.lines {
		out = append(out, string(l))
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// Without a terminal there is a line every five seconds, at a change of phase
// and at the first problem, and no escape sequence ever.
func TestLiveWithoutATerminal(t *testing.T) {
	var b bytes.Buffer
	l := NewLive(&b, LiveOptions{Title: "smoke on home"})
	fs := frames()
	for s := range 30 {
		f := fs[1]
		f.Elapsed = time.Duration(s) * time.Second
		if s < 2 {
			f.Phase = "warm-up"
		}
		if s >= 19 && s < 23 {
			f.Problems = fs[2].Problems
		}
		l.Update(f)
	}
	l.Close()
	golden(t, "lines.txt", b.Bytes())
	if bytes.Contains(b.Bytes(), []byte("\x1b")) {
		t.Error("an escape sequence without a terminal")
	}
}

func TestQuiet(t *testing.T) {
	var b bytes.Buffer
	l := NewLive(&b, LiveOptions{Quiet: true, TTY: true})
	l.Update(frames()[1])
	l.Close()
	if b.Len() != 0 {
		t.Errorf("quiet, and yet: %q", b.String())
	}
	if _, err := l.Write([]byte("log\n")); err != nil || b.String() != "log\n" {
		t.Errorf("a log of a quiet view: %v, %q", err, b.String())
	}
}

func TestLiveFromManyGoroutines(t *testing.T) {
	l := NewLive(&screen{}, LiveOptions{TTY: true})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				l.Update(frames()[2])
				_, _ = l.Write([]byte("a line\n"))
			}
		})
	}
	group.Wait()
	l.Close()
}
