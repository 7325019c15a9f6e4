package spark

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/exportertest"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// world is a job as it is seen from outside, with a clock of its own.
type world struct {
	t     *testing.T
	dir   string // of the checkpoint
	now   time.Time
	kafka *fakeKafka
	app   app
	s     *streams
	files *countingFiles
	reach reached
}

const queryID = "8ed99fab-e08b-4c69-829c-c61203c1fb13"

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, t.TempDir())
}

func newWorldIn(t *testing.T, dir string) *world {
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, dir: filepath.Join(dir, "bronze"), now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		kafka: &fakeKafka{ends: topics{}, starts: topics{}, times: map[string]map[int32]time.Time{}, retention: map[string]time.Duration{}},
		files: &countingFiles{Store: store}, reach: refused,
	}
	w.app = app{name: "pay", ui: "http://driver:4040", alive: true, checkpoints: []string{"file://" + w.dir}}
	w.s = w.streams(StreamOptions{Files: w.files, Offsets: w.kafka})
	return w
}

func (w *world) streams(o StreamOptions) *streams {
	o.Now = func() time.Time { return w.now }
	o.reach = func(context.Context, string) reached { return w.reach }
	return newStreams(o, slog.New(slog.DiscardHandler))
}

// wipe makes the checkpoint anew.
func (w *world) wipe(id string) {
	w.t.Helper()
	if err := os.RemoveAll(w.dir); err != nil {
		w.t.Fatal(err)
	}
	w.write("metadata", fmt.Sprintf(`{"id":%q}`, id), w.now)
}

func (w *world) write(name, content string, at time.Time) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		w.t.Fatal(err)
	}
}

// plan writes offsets/N, 100 ms after the trigger.
func (w *world) plan(batch int64, at time.Time, ends ...int64) {
	w.t.Helper()
	var offsets []string
	for p, end := range ends {
		offsets = append(offsets, fmt.Sprintf(`"%d":%d`, p, end))
	}
	w.write(fmt.Sprintf("offsets/%d", batch), fmt.Sprintf("v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":%d}\n{\"p\":{%s}}",
		at.UnixMilli(), strings.Join(offsets, ",")), at.Add(100*time.Millisecond))
}

func (w *world) commit(batch int64, at time.Time) {
	w.t.Helper()
	w.write(fmt.Sprintf("commits/%d", batch), "v1\n{\"nextBatchWatermarkMs\":0}", at)
}

// run is a batch that was planned at a time and took a second.
func (w *world) run(batch int64, at time.Time, ends ...int64) {
	w.t.Helper()
	w.plan(batch, at, ends...)
	w.commit(batch, at.Add(1100*time.Millisecond))
}

// running is a query with a trigger of 5 s that has committed ten batches, the
// last one 4 s ago, of 100 records in each of two partitions.
func (w *world) running() {
	w.t.Helper()
	w.wipe(queryID)
	w.write("sources/0/0", "\x00v1\n{\"p\":{\"0\":0,\"1\":0}}", w.now)
	for b := range int64(10) {
		w.run(b, w.now.Add(time.Duration(b-10)*5*time.Second), 100*(b+1), 100*(b+1))
	}
	w.kafka.ends["p"] = map[int32]int64{0: 1000, 1: 1000}
	w.kafka.starts["p"] = map[int32]int64{0: 0, 1: 0}
}

// page is one collection.
type page map[string]float64

func (w *world) collector() exporters.Collector {
	return exporters.Collector{Name: "spark", Collect: func(ctx context.Context, out *exporters.Batch) error {
		w.s.collect(ctx, w.app, out.Part("app/"+w.app.name))
		return nil
	}}
}

func (w *world) page() page {
	w.t.Helper()
	return parsePage(w.t, exportertest.Collect(w.t, w.collector()))
}

func parsePage(t *testing.T, text string) page {
	t.Helper()
	out := page{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		key := strings.NewReplacer(`app="pay",query="bronze"`, "", `app="pay",`, "", "spark_streaming_", "").Replace(line[:at])
		key = strings.NewReplacer("{,", "{", "{}", "").Replace(key)
		out[key] = v
	}
	return out
}

func (p page) want(t *testing.T, want map[string]float64) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got, ok := p[name]; !ok || got != want[name] {
			t.Errorf("%s is %v (there: %v), want %v", name, got, ok, want[name])
		}
	}
}

func (p page) state() string {
	state := ""
	for _, s := range []string{"running", "idle", "stalled", "terminated"} {
		if p[`query_state{state="`+s+`"}`] == 1 {
			state += s
		}
	}
	return state
}

func (p page) wantState(t *testing.T, want string) {
	t.Helper()
	if got := p.state(); got != want {
		t.Errorf("the query is %q, want %q", got, want)
	}
}

// fakeKafka answers what it is told to, for the topics that it has.
type fakeKafka struct {
	ends, starts topics
	times        map[string]map[int32]time.Time
	retention    map[string]time.Duration
	err          error
}

func some[T any](names []string, have map[string]T, err error) (map[string]T, error) {
	out := map[string]T{}
	for _, n := range names {
		if v, ok := have[n]; ok {
			out[n] = v
		} else if err == nil {
			err = errors.New("unknown topic " + n)
		}
	}
	return out, err
}

func (k *fakeKafka) Ends(_ context.Context, names []string) (map[string]map[int32]int64, error) {
	if k.err != nil {
		return nil, k.err
	}
	return some(names, k.ends, nil)
}

func (k *fakeKafka) Starts(_ context.Context, names []string) (map[string]map[int32]int64, error) {
	if k.err != nil {
		return nil, k.err
	}
	return some(names, k.starts, nil)
}

func (k *fakeKafka) TimesOf(_ context.Context, at map[string]map[int32]int64) (map[string]map[int32]time.Time, error) {
	if k.err != nil {
		return nil, k.err
	}
	return some(slices.Collect(maps.Keys(at)), k.times, nil)
}

func (k *fakeKafka) Retention(_ context.Context, names []string) (map[string]time.Duration, error) {
	return k.retention, k.err
}

// countingFiles counts the requests for a checkpoint.
type countingFiles struct {
	*objectstore.Store
	reads, lists int
	err          error
}

func (f *countingFiles) ReadFile(ctx context.Context, uri string, limit int64) ([]byte, error) {
	f.reads++
	if f.err != nil {
		return nil, f.err
	}
	return f.Store.ReadFile(ctx, uri, limit)
}

func (f *countingFiles) List(ctx context.Context, folder string) ([]objectstore.Entry, error) {
	f.lists++
	if f.err != nil {
		return nil, f.err
	}
	return f.Store.List(ctx, folder)
}

func TestFirstLook(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.kafka.ends["p"][1] = 1007
	p := w.page()
	p.want(t, map[string]float64{
		"batch_id": 9, "query_active": 1, "trigger_interval_seconds": 5, "input_rows_total": 0,
		`kafka_lag_records{topic="p"}`: 7, `kafka_lag_max_partition_records{topic="p"}`: 7, `kafka_lost_records{topic="p"}`: 0,
		`batch_phase_seconds{phase="plan"}`: .1, `batch_phase_seconds{phase="process"}`: 1,
		"last_commit_timestamp_seconds": float64(w.now.Add(-3900*time.Millisecond).UnixMilli()) / 1e3,
		`source{source="checkpoint"}`:   1, `source{source="kafka"}`: 1, "checkpoint_resets_total": 0, "uncommitted_batch_age_seconds": 0,
	})
	p.wantState(t, "running")
}
