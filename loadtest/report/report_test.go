package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/internal/fail"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
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
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got, -update rewrites):\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Write(dir, r); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{JSONFile, JUnitFile, SummaryFile} {
				got, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", name, file), got)
			}
			var text bytes.Buffer
			if err := Text(&text, r, "runs/"+name); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name, "text.txt"), text.Bytes())
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 4 {
				t.Errorf("Write left %v, %v; want its four files only", left, err)
			}
		})
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	for name, r := range samples() {
		if name == "hostile" {
			continue // invalid UTF-8 does not survive JSON
		}
		dir := t.TempDir()
		if err := Write(dir, r); err != nil {
			t.Fatal(err)
		}
		got, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		sameNumber := cmp.Comparer(func(a, b Number) bool {
			return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
		})
		if diff := cmp.Diff(whole(r), whole(got), sameNumber); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"cut off": `{"schema_version": "1", "run_id`, "of another version": `{"schema_version": "2"}`, "of another program": `[]`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, JSONFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, fail.HintOf(err))
		}
	}
	if _, err := Read(t.TempDir()); fail.CodeOf(err) != fail.Usage {
		t.Errorf("an empty folder: %v", err)
	}
}

// Each case of the failing and the inconclusive run has the outcome that a CI
// reader must see.
func TestJUnitOutcomes(t *testing.T) {
	for name, want := range map[string]struct {
		failures, errors, skipped int
		failing                   string
	}{
		"pass":         {},
		"fail":         {failures: 10, failing: "no record is missing"}, // 3 thresholds, 4 invariants, 3 tiers
		"inconclusive": {errors: 3, failing: "the generator kept up"},
		"interrupted":  {errors: 2, skipped: 1, failing: "the run came to a verdict"},
	} {
		data, err := JUnit(samples()[name])
		if err != nil {
			t.Fatal(err)
		}
		var got suites
		if err := xml.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if got.Failures != want.failures || got.Errors != want.errors || got.Skipped != want.skipped {
			t.Errorf("%s: %d failures, %d errors, %d skipped; want %+v", name, got.Failures, got.Errors, got.Skipped, want)
		}
		if got.Tests != len(got.Suite[0].Cases) || got.Tests == 0 {
			t.Errorf("%s: tests=%d for %d cases", name, got.Tests, len(got.Suite[0].Cases))
		}
		for _, c := range got.Suite[0].Cases {
			if c.Name == want.failing && c.Failure == nil && c.Error == nil {
				t.Errorf("%s: %q passes", name, c.Name)
			}
		}
	}
}

// Whatever the data say, the page has no element, handler or script but its
// own, and the data are still all there.
func TestHostileTextStaysText(t *testing.T) {
	page, err := HTML(hostile())
	if err != nil {
		t.Fatal(err)
	}
	clean, err := HTML(failing())
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"<script", "</script", "<img", "<svg", "<a ", "<style", "<meta", "<iframe"} {
		if n, want := bytes.Count(page, []byte(tag)), bytes.Count(clean, []byte(tag)); n != want {
			t.Errorf("%s: %d times, without hostile text %d times", tag, n, want)
		}
	}
	for _, bad := range []string{"<img src=x", "\x1b", "\x00", "\u202e"} {
		if bytes.Contains(page, []byte(bad)) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if !bytes.Contains(page, []byte("&lt;/script&gt;&lt;script&gt;alert(1)")) {
		t.Error("the text is not shown as text")
	}
	data := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(page)
	var v struct{ Bands []band }
	if err := json.Unmarshal(data[1], &v); err != nil || !strings.Contains(v.Bands[0].Name, "</script><script>alert(1)") {
		t.Errorf("the data of the charts: %v, %+v", err, v.Bands)
	}
	text := &bytes.Buffer{}
	if err := Text(text, hostile(), "runs/x"); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string][]byte{"text": text.Bytes(), "summary": Summary(hostile())} {
		if bytes.ContainsAny(out, "\x1b\x00\u202e") {
			t.Errorf("%s holds control characters", name)
		}
	}
	if bytes.Contains(Summary(hostile()), []byte("| <img")) {
		t.Error("the summary holds markup")
	}
}

// The page answers in the order of its contract, needs no network and stays
// readable without scripts.
func TestPage(t *testing.T) {
	for name, r := range samples() {
		page, err := HTML(r)
		if err != nil {
			t.Fatal(err)
		}
		text := string(page)
		at := -1
		for _, mark := range []string{
			`class="banner`, "Where the records went", "<h2>Thresholds", "<h2>Reconciliation", "<h2>Examples", "<h2>Over time",
			"<h2>Latency per hop", "<h2>Who watched", "<h2>How it was done",
		} {
			next := strings.Index(text, mark)
			if next <= at {
				t.Errorf("%s: %q is not after the part before it", name, mark)
			}
			at = next
		}
		for _, load := range []string{" src=", "<link", "@import", "url(", "fetch("} {
			if name != "hostile" && strings.Contains(text, load) {
				t.Errorf("%s: the page loads something: %q", name, load)
			}
		}
		if name != "hostile" {
			wellFormed(t, name, text)
		}
		embedded := strings.Count(text, `class="lab"`)
		if r.Environment.Embedded != (embedded >= 10) || !r.Environment.Embedded && embedded != 0 {
			t.Errorf("%s: says %d times that the lab is embedded", name, embedded)
		}
	}
}

// wellFormed checks that every element is closed, as XML would have it.
func wellFormed(t *testing.T, name, page string) {
	t.Helper()
	page = regexp.MustCompile(`(?s)<(script|style)[^>]*>.*?</(script|style)>|<!doctype html>`).ReplaceAllString(page, "")
	page = regexp.MustCompile(`<meta ([^>]*)>`).ReplaceAllString(page, "<meta $1/>")
	page = strings.ReplaceAll(page, "<details open>", "<details>")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

// A day at one sample a second stays within a megabyte, and its one second of
// trouble is still on the chart.
func TestLongRunsAreThinnedWithoutLosingPeaks(t *testing.T) {
	r := failing()
	r.Duration = 86_400
	r.Series = Series{}
	draw(r, 86_400, func(float64) bool { return false })
	r.Series.FreshMax[43_211], r.Series.Acked[50_001] = 777, 3
	r.Series.Batches[9_000].Duration = 55
	for _, list := range []*[]Example{&r.Examples.Missing, &r.Examples.Duplicate, &r.Examples.Corrupt, &r.Examples.Late, &r.Examples.Unexpected} {
		for len(*list) < 100 {
			*list = append(*list, (*list)[0])
		}
	}
	page, err := HTML(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 1<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	charts := map[string]chart{}
	for _, c := range r.charts() {
		charts[c.ID] = c
		for _, l := range c.Lines {
			if len(c.X) > maxPoints+2 || len(l.Y) != len(c.X) {
				t.Errorf("%s, %s: %d points for %d moments", c.ID, l.Label, len(l.Y), len(c.X))
			}
		}
		if !slices.IsSorted(c.X) {
			t.Errorf("%s: time goes backwards", c.ID)
		}
	}
	for _, want := range []struct {
		id    string
		line  int
		value Number
	}{{"freshness", 2, 777}, {"rate", 1, 3}, {"batches", 0, 55}} {
		if !slices.Contains(charts[want.id].Lines[want.line].Y, want.value) {
			t.Errorf("the peak %v of %s is lost", want.value, want.id)
		}
	}
}

// The bars add up: what was acknowledged is there, or missing by name.
func TestBalanceAddsUp(t *testing.T) {
	for name, r := range samples() {
		rows := map[string]uint64{}
		for _, row := range Balance(r.Records) {
			rows[row.Name] = row.N
		}
		if rows["acknowledged"]-rows["missing"]+rows["unacknowledged"] != rows["arrived"] {
			t.Errorf("%s: %d acknowledged - %d missing + %d unacknowledged is not %d arrived", name,
				rows["acknowledged"], rows["missing"], rows["unacknowledged"], rows["arrived"])
		}
		for _, s := range r.stages() {
			sum := 0.0
			for _, p := range s.Parts {
				sum += p.Percent
			}
			if sum > 100.0001 {
				t.Errorf("%s: the bar %q is %.3f %% high", name, s.Name, sum)
			}
		}
	}
}

func TestQuery(t *testing.T) {
	r := failing()
	e := r.Examples.Corrupt[0]
	want := "SELECT event_id, _file, _pos, _offset FROM lab.bronze.payments WHERE event_id = '" + e.EventID +
		"' OR (_topic = 'payments' AND _offset = 161880)"
	if got := Query(r, e); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.Streams[0].Columns = Columns{}
	if got := Query(r, e); strings.Contains(got, "_offset") || !strings.Contains(got, "event_id = ") {
		t.Errorf("without known columns: %s", got)
	}
	e.EventID, e.Table = `a'; DROP TABLE x -- \`+"\n\u202e", "bronze.pay`ments-1"
	want = "SELECT event_id, _file, _pos FROM lab.bronze.`pay``ments-1` WHERE event_id = 'a\\'; DROP TABLE x -- \\\\\\u000A\\u202E'"
	if got := Query(r, e); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e.Table = ""
	if got := Query(r, e); got != "" {
		t.Errorf("for a journey that ends at the topic: %s", got)
	}
}

func TestCurve(t *testing.T) {
	q := quantiles(1_000, 0.01, 0.02, 0.03, 0.04, 5)
	r := &Report{Latency: Latency{Freshness: q}}
	c := r.curves()
	for i, x := range c.X {
		y := float64(c.Lines[0].Y[i])
		switch {
		case float64(x) > 1_000 && !math.IsNaN(y):
			t.Errorf("p%v has a value with 1,000 samples", 100-100/x)
		case x == 100 && y != 0.03:
			t.Errorf("p99 is %v", y)
		case y > 0.9: // a single maximum of 5 s draws no slope towards it
			t.Errorf("%v at x=%v", y, x)
		}
	}
}

func TestWriteKeepsTheOldFilesWhereItCannotWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := Write(dir, passing()); err == nil || !strings.Contains(err.Error(), HTMLFile) {
		t.Errorf("writing into a folder that is not there: %v", err)
	}
}

func TestOrdered(t *testing.T) {
	var got []string
	for _, o := range Ordered([]Threshold{{State: "ok"}, {State: "no_data"}, {State: "missed"}}) {
		got = append(got, o.State)
	}
	if fmt.Sprint(got) != "[missed no_data ok]" {
		t.Error(got)
	}
}
