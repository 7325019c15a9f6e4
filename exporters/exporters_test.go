package exporters

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Stand-ins for metrics of the catalogue.
func level() metrics.Metric {
	return metrics.Metric{Name: "test_level", Help: "A level", Kind: metrics.Gauge, Labels: []string{"of"}}
}

func count() metrics.Metric {
	return metrics.Metric{Name: "test_things_total", Help: `Things with a \ in the help`, Kind: metrics.Counter, Labels: []string{"a", "b"}}
}

func spread() metrics.Metric {
	return metrics.Metric{
		Name: "test_duration_seconds", Help: "Durations", Unit: metrics.Seconds, Kind: metrics.Histogram,
		Labels: []string{"of"}, Buckets: []float64{.1, 1, 10},
	}
}

// scrape asks the exporter for its page.
func scrape(t *testing.T, h http.Handler, path string, header map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// page is the part of the page that the collectors made, as lines of series.
func page(t *testing.T, h http.Handler) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(text(t, scrape(t, h, "/metrics", nil))) {
		if strings.HasPrefix(line, "test_") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

func newExporter(t *testing.T, o Options, collectors ...Collector) (*Exporter, http.Handler) {
	t.Helper()
	e := New(o, collectors...)
	t.Cleanup(e.Close)
	h, err := e.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return e, h
}

// TestEncodeAgreesWithExpfmt holds our text against the library's, in every
// format, for texts and numbers that need care.
func TestEncodeAgreesWithExpfmt(t *testing.T) {
	hist := telemetry.NewHistogram(spread())
	for _, v := range []float64{.05, .5, 5, 50} {
		hist.WithLabelValues(`qu"ote`).Observe(v)
	}
	observed, err := hist.GetMetricWithLabelValues(`qu"ote`)
	if err != nil {
		t.Fatal(err)
	}
	c := Collector{
		Name: "test", Labels: []Label{{"cluster", "e\"ast"}},
		Collect: func(_ context.Context, out *Batch) error {
			p := out.Part("all")
			for i, v := range []float64{0, -1, 1e6, 1e15, 1 << 54, .1, 1.5e-9, math.MaxFloat64} {
				p.Add(level(), v, fmt.Sprintf("line\n%d \\ \"q\"", i))
			}
			p.Add(count(), 3, "", "ü\xff")
			p.Family(spread()).Histogram(observed.(prometheus.Metric), `qu"ote`)
			return nil
		},
	}
	e, h := newExporter(t, Options{}, c)
	e.Collect(t.Context())
	families, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	families = slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return !strings.HasPrefix(f.GetName(), "test_") })
	if len(families) != 3 {
		t.Fatalf("%d families", len(families))
	}
	for _, accept := range []string{"text/plain", "application/openmetrics-text; version=1.0.0", protobuf} {
		for _, encoding := range []string{"", "gzip"} {
			resp := scrape(t, h, "/metrics", map[string]string{"Accept": accept, "Accept-Encoding": encoding})
			got := decode(t, resp, text(t, resp))
			for _, f := range families {
				want := f.String()
				if accept != protobuf && f.GetType() == dto.MetricType_HISTOGRAM {
					want = classic(f).String()
				}
				if diff := cmp.Diff(want, got[f.GetName()]); diff != "" {
					t.Errorf("%s, %q: %s", accept, encoding, diff)
				}
			}
		}
	}
}

// classic is a family of histograms as the text formats have it.
func classic(f *dto.MetricFamily) *dto.MetricFamily {
	out := &dto.MetricFamily{Name: f.Name, Help: f.Help, Type: f.Type}
	for _, m := range f.GetMetric() {
		h := m.GetHistogram()
		last := &dto.Bucket{CumulativeCount: h.SampleCount, UpperBound: new(math.Inf(1))}
		out.Metric = append(out.Metric, &dto.Metric{Label: m.GetLabel(), Histogram: &dto.Histogram{
			SampleCount: h.SampleCount, SampleSum: h.SampleSum, Bucket: append(slices.Clone(h.GetBucket()), last),
		}})
	}
	return out
}

const protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

// decode reads a page by the library, and returns its families as text. What
// the text formats do not have (native buckets) is left out by them alone.
func decode(t *testing.T, resp *http.Response, page string) map[string]string {
	t.Helper()
	out := map[string]string{}
	format := expfmt.ResponseFormat(resp.Header)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/openmetrics-text") {
		if !strings.HasSuffix(page, "# EOF\n") {
			t.Errorf("OpenMetrics page ends in %q", page[max(0, len(page)-20):])
		}
		page, _, _ = strings.Cut(page, "# HELP go_")
		page = strings.NewReplacer("# TYPE test_things counter", "# TYPE test_things_total counter",
			"# HELP test_things ", "# HELP test_things_total ").Replace(page)
		format = expfmt.NewFormat(expfmt.TypeTextPlain)
	}
	dec := expfmt.NewDecoder(strings.NewReader(page), format)
	for {
		var f dto.MetricFamily
		err := dec.Decode(&f)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", resp.Header.Get("Content-Type"), err)
		}
		out[f.GetName()] = f.String()
	}
}

func TestPartsFailAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var round int
		c := Collector{Name: "test", Target: "lab", Collect: func(_ context.Context, out *Batch) error {
			round++
			good, bad := out.Part("good"), out.Part("bad")
			good.Add(level(), float64(round), "good")
			bad.Add(level(), float64(round), "bad")
			if round > 1 {
				bad.Fail(errors.New("broker 2 is silent"))
			}
			if round == 1 {
				out.Part("gone").Add(level(), 1, "gone")
			}
			return nil
		}}
		e, h := newExporter(t, Options{StaleAfter: 2}, c)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go e.Run(ctx)
		time.Sleep(10 * time.Second)
		if got := page(t, h); !slices.Equal(got, []string{`test_level{of="good"} 1`, `test_level{of="bad"} 1`, `test_level{of="gone"} 1`}) &&
			len(got) != 3 {
			t.Errorf("at first: %v", got)
		}
		time.Sleep(15 * time.Second) // the second collection is over
		got := page(t, h)
		slices.Sort(got)
		if !slices.Equal(got, []string{`test_level{of="bad"} 1`, `test_level{of="good"} 2`}) {
			t.Errorf("with a part that failed once: %v", got)
		}
		self := text(t, scrape(t, h, "/metrics", nil))
		for _, want := range []string{
			`lakeproof_collector_success{collector="test",target="lab"} 0`,
			`lakeproof_collector_part_success{collector="test",part="bad",target="lab"} 0`,
			`lakeproof_collector_part_success{collector="test",part="good",target="lab"} 1`,
		} {
			if !strings.Contains(self, want+"\n") {
				t.Errorf("the page lacks %s", want)
			}
		}
		time.Sleep(40 * time.Second) // older than two intervals
		if got := page(t, h); len(got) != 1 || !strings.HasPrefix(got[0], `test_level{of="good"}`) {
			t.Errorf("a part that went wrong for long is still there: %v", got)
		}
		cancel()
		synctest.Wait()
	})
}

// TestHungCollector: one that does not come back costs its own series, in time.
func TestHungCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var rounds atomic.Int32
		hung := Collector{Name: "hung", Collect: func(_ context.Context, out *Batch) error {
			if rounds.Add(1) > 1 {
				<-release // not even the end of its context moves it
			}
			out.Part("x").Add(level(), 1, "hung")
			return nil
		}}
		fine := Collector{Name: "fine", Collect: func(_ context.Context, out *Batch) error {
			out.Part("x").Add(level(), 1, "fine")
			return nil
		}}
		e, h := newExporter(t, Options{}, hung, fine)
		ctx, cancel := context.WithCancel(t.Context())
		go e.Run(ctx)
		time.Sleep(time.Second)
		if got := page(t, h); len(got) != 2 {
			t.Errorf("at first: %v", got)
		}
		time.Sleep(2 * time.Minute)
		if got := page(t, h); !slices.Equal(got, []string{`test_level{of="fine"} 1`}) {
			t.Errorf("frozen: %v", got)
		}
		if n := rounds.Load(); n != 2 {
			t.Errorf("%d collections at once", n)
		}
		close(release)
		cancel()
		synctest.Wait()
	})
}

func TestDuplicatesAndInvalid(t *testing.T) {
	older := Collector{Name: "older", Collect: func(_ context.Context, out *Batch) error {
		out.Part("a").Add(level(), 1, "same")
		out.Part("a").Add(level(), 1, "one")
		return nil
	}}
	newer := Collector{Name: "newer", Collect: func(_ context.Context, out *Batch) error {
		p := out.Part("a")
		p.Add(level(), 2, "same")
		p.Add(level(), 3, "same")
		p.Add(level(), math.NaN(), "nan")
		p.Add(level(), math.Inf(1), "inf")
		p.Add(level(), 1)
		p.Add(level(), 1, "too", "many")
		p.Add(spread(), 1, "not a histogram")
		return nil
	}}
	e, h := newExporter(t, Options{}, older, newer)
	e.all()[0].collect(t.Context())
	e.all()[1].collect(t.Context())
	got := page(t, h)
	slices.Sort(got)
	if !slices.Equal(got, []string{`test_level{of="one"} 1`, `test_level{of="same"} 2`}) {
		t.Errorf("page %v", got)
	}
	self := text(t, scrape(t, h, "/metrics", nil))
	for _, want := range []string{
		`lakeproof_collector_dropped_series{collector="newer",reason="duplicate",target=""} 1`,
		`lakeproof_collector_dropped_series{collector="older",reason="duplicate",target=""} 1`,
		`lakeproof_collector_dropped_series{collector="newer",reason="invalid",target=""} 5`,
	} {
		if !strings.Contains(self, want+"\n") {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestBudget(t *testing.T) {
	var room []int
	c := Collector{Name: "big", Collect: func(_ context.Context, out *Batch) error {
		room = append(room, out.Room())
		for i := range 100 {
			out.Part("x").Add(level(), 1, fmt.Sprint(i))
		}
		out.Part("x").Add(count(), 1, "a", "b")
		return nil
	}}
	e, h := newExporter(t, Options{Budget: 41}, c)
	e.Collect(t.Context())
	got := page(t, h)
	if len(got) != 41 || !slices.Contains(got, `test_things_total{a="a",b="b"} 1`) {
		t.Errorf("%d series, the small family among them: %v", len(got), got)
	}
	if self := text(t, scrape(t, h, "/metrics", nil)); !strings.Contains(self, `reason="budget",target=""} 60`+"\n") {
		t.Error("nobody says that 60 series are missing")
	}
	if !slices.Equal(room, []int{41}) {
		t.Errorf("room %v", room)
	}
}

func TestOnScrape(t *testing.T) {
	var collections atomic.Int32
	var deadline time.Duration
	c := Collector{Name: "x", Collect: func(ctx context.Context, out *Batch) error {
		collections.Add(1)
		end, _ := ctx.Deadline()
		deadline = time.Until(end)
		out.Part("x").Add(level(), float64(collections.Load()), "x")
		return nil
	}}
	slow := Collector{Name: "slow", Timeout: 15 * time.Second, Collect: func(ctx context.Context, out *Batch) error {
		<-ctx.Done()
		out.Part("x").Fail(ctx.Err())
		return nil
	}}
	_, h := newExporter(t, Options{Mode: OnScrape}, c, slow)
	began := time.Now()
	resp := scrape(t, h, "/metrics", map[string]string{"X-Prometheus-Scrape-Timeout-Seconds": "0.6"})
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the scrape took %v, over its time-out", took)
	}
	if body := text(t, resp); !strings.Contains(body, `test_level{of="x"} 1`) {
		t.Errorf("page:\n%s", body)
	}
	if collections.Load() != 1 || deadline > DefaultTimeout {
		t.Errorf("%d collections, deadline %v", collections.Load(), deadline)
	}
}

func TestScrapeTimeout(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"10": 9500 * time.Millisecond, "0.6": 300 * time.Millisecond, "": 9500 * time.Millisecond,
		"NaN": 9500 * time.Millisecond, "-1": 9500 * time.Millisecond, "x": 9500 * time.Millisecond, "1e300": 9500 * time.Millisecond,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", header)
		if got := scrapeTimeout(r); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// TestSingleFlight: many who ask at once wait for one collection.
func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var collections int
		c := Collector{Name: "x", Collect: func(context.Context, *Batch) error {
			collections++
			time.Sleep(time.Second)
			return nil
		}}
		e, _ := newExporter(t, Options{Mode: OnScrape}, c)
		for range 10 {
			go e.Collect(t.Context())
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		if collections != 1 {
			t.Errorf("%d collections", collections)
		}
	})
}

func TestReload(t *testing.T) {
	var closed []string
	make1 := func(name string, value float64) Collector {
		return Collector{
			Name: "x", Target: "t", Close: func() { closed = append(closed, name) },
			Collect: func(_ context.Context, out *Batch) error {
				out.Part("x").Add(level(), value, "x")
				return nil
			},
		}
	}
	var broken error
	source := func(context.Context) ([]Collector, error) { return []Collector{make1("second", 2)}, broken }
	e, h := newExporter(t, Options{Source: source}, make1("first", 1))
	e.Collect(t.Context())
	broken = errors.New("line 3 is not right")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/-/reload", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "line 3") || len(closed) != 0 {
		t.Errorf("a broken configuration: %d %s, closed %v", w.Code, w.Body, closed)
	}
	broken = nil
	if err := e.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := page(t, h); !slices.Equal(got, []string{`test_level{of="x"} 1`}) {
		t.Errorf("between reload and collection: %v", got)
	}
	e.Collect(t.Context())
	e.running.Wait()
	e.pages.build()
	if got := page(t, h); !slices.Equal(got, []string{`test_level{of="x"} 2`}) || !slices.Equal(closed, []string{"first"}) {
		t.Errorf("after it: %v, closed %v", got, closed)
	}
	if self := text(t, scrape(t, h, "/metrics", nil)); !strings.Contains(self, `lakeproof_exporter_reloads_total{result="failure"} 1`) {
		t.Error("the failed reload is not counted")
	}
}

func TestReadyAndDebug(t *testing.T) {
	fails := true
	c := Collector{Name: "x", Target: "lab", Cost: "one request", Collect: func(ctx context.Context, out *Batch) error {
		out.Log().Info("hello from the collection")
		telemetry.RequestDone(ctx, telemetry.Request{What: "GET http://somewhere/", Began: time.Now(), Took: time.Second, Bytes: 2048})
		out.Authorized("DescribeThings", false)
		out.Part("x").Add(level(), 1, "x")
		if fails {
			return errors.New("nobody answers")
		}
		return nil
	}}
	_, h := newExporter(t, Options{}, c)
	ready := func() string { return text(t, scrape(t, h, "/-/ready", nil)) }
	if got := ready(); !strings.Contains(got, "x of lab has not been collected yet") {
		t.Errorf("before: %s", got)
	}
	debug := text(t, scrape(t, h, "/debug/collect?collector=x", nil))
	if got := ready(); !strings.Contains(got, "x of lab has nothing to show: nobody answers") {
		t.Errorf("when it failed: %s", got)
	}
	fails = false
	debug += text(t, scrape(t, h, "/debug/collect?collector=x&target=lab", nil))
	for _, want := range []string{"error: nobody answers", "hello from the collection", "GET http://somewhere/", "2.0 KiB", `test_level{of="x"} 1`} {
		if !strings.Contains(debug, want) {
			t.Errorf("/debug/collect lacks %q:\n%s", want, debug)
		}
	}
	if got := ready(); got != "lakeproof is ready.\n" {
		t.Errorf("at last: %s", got)
	}
	if resp := scrape(t, h, "/debug/collect?collector=y", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a collector that is not there: %d", resp.StatusCode)
	}
	landing := text(t, scrape(t, h, "/", nil))
	for _, want := range []string{"one request", "not authorized: DescribeThings", "lab"} {
		if !strings.Contains(landing, want) {
			t.Errorf("the landing page lacks %q", want)
		}
	}
}

func TestPath(t *testing.T) {
	for path, ok := range map[string]bool{"": true, "/kafka/metrics": true, "metrics": false, "/": false, "/a b": false, "/-/ready": false, "/{x}": false} {
		e := New(Options{Path: path})
		if _, err := e.Handler(); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
		e.Close()
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{"gzip": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "": false, "br": false, "*": true} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func series(n int) Collector {
	return Collector{Name: "big", Collect: func(_ context.Context, out *Batch) error {
		f := out.Part("x").Family(count())
		f.Grow(n)
		for i := range n {
			f.Add(float64(i), fmt.Sprintf("topic-%d", i/40), fmt.Sprint(i%40))
		}
		return nil
	}}
}

// BenchmarkServe150k serves a page of 150,000 series to a scraper that asks as
// Prometheus does.
func BenchmarkServe150k(b *testing.B) {
	e := New(Options{Budget: 200_000}, series(150_000))
	defer e.Close()
	h, err := e.Handler()
	if err != nil {
		b.Fatal(err)
	}
	e.Collect(b.Context())
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
	r.Header.Set("Accept-Encoding", "gzip")
	var size int
	for b.Loop() {
		w := httptest.NewRecorder()
		w.Body = bytes.NewBuffer(make([]byte, 0, 4<<20))
		h.ServeHTTP(w, r)
		size = w.Body.Len()
	}
	b.ReportMetric(float64(size), "bytes/page")
}

// BenchmarkBuild150k makes the page once, as after each collection.
func BenchmarkBuild150k(b *testing.B) {
	e := New(Options{Budget: 200_000}, series(150_000))
	defer e.Close()
	e.Collect(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		e.pages.build()
	}
}

// TestRetry: a slow collector that goes wrong is asked again soon.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rounds int
		c := Collector{Name: "slow", Interval: time.Hour, Collect: func(context.Context, *Batch) error {
			if rounds++; rounds == 1 {
				return errors.New("not there yet")
			}
			return nil
		}}
		e, _ := newExporter(t, Options{}, c)
		ctx, cancel := context.WithCancel(t.Context())
		go e.Run(ctx)
		time.Sleep(time.Minute)
		if rounds != 2 {
			t.Errorf("%d collections in the first minute, 2 are right", rounds)
		}
		cancel()
		synctest.Wait()
	})
}
