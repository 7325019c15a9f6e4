package kafka

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// checkpoint is one of Spark's on this machine.
type checkpoint struct {
	t   *testing.T
	dir string
}

func (c checkpoint) write(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c checkpoint) plan(batch int, offset string) {
	c.write(fmt.Sprint("offsets/", batch), "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":1700000000000}\n"+offset)
}

func (c checkpoint) commit(batch int) { c.write(fmt.Sprint("commits/", batch), "v1\n{}") }

func TestCheckpoint(t *testing.T) {
	f := newFake(t, kfake.SeedTopics(2, "orders"))
	f.produce("orders", 2, 10)
	f.commit("taken", "orders", 1, 1)
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		t.Fatal(err)
	}
	job, broken, twin := checkpoint{t, t.TempDir()}, checkpoint{t, t.TempDir()}, checkpoint{t, t.TempDir()}
	opts := f.options()
	opts.Files = store
	opts.Checkpoints = []Checkpoint{
		{"job", "file://" + job.dir}, {"broken", "file://" + broken.dir}, {"taken", twin.dir},
	}
	job.plan(0, `{"orders":{"0":4,"1":7}}`)
	job.write("sources/0/0", "\x00v1\n{\"orders\":{\"0\":1,\"1\":2}}")
	broken.plan(0, `{"orders":{"0":`)
	broken.commit(0)
	twin.plan(0, `{"orders":{"0":4,"1":7}}`)
	twin.commit(0)
	c := f.collector("kafka", opts)
	p := newPage(t, c, exportersOptions())
	got := p.collect(t.Context())
	have(t, got, map[string]float64{ // nothing is committed: it is where it began
		lagOf("job", "orders", 0): 9, lagOf("job", "orders", 1): 8, lagSum("job", "orders"): 17, part("checkpoint/job"): 1,
		part("checkpoint/broken"): 0, lagSum("broken", "orders"): absent,
		part("checkpoint/taken"): 0, lagSum("taken", "orders"): 18, // the group's, not the checkpoint's
		part("lag/0"): 1, offsetOf("orders", 0): 10,
		"kafka_consumergroup_info{consumergroup=job,coordinator=,protocol=,source=spark-checkpoint,state=,type=}": 1,
		"kafka_consumergroup_members{consumergroup=job}":                                                          absent,
	})
	job.commit(0)
	have(t, p.collect(t.Context()), map[string]float64{lagOf("job", "orders", 0): 6, lagOf("job", "orders", 1): 3, lagSum("job", "orders"): 9})
	job.plan(1, `{"orders":{"0":10,"1":10},"gone":{"0":1}}`)
	have(t, p.collect(t.Context()), map[string]float64{lagSum("job", "orders"): 9})
	job.commit(1)
	have(t, p.collect(t.Context()), map[string]float64{lagSum("job", "orders"): 0, lagSum("job", "gone"): absent})
}

func TestCheckpointOptions(t *testing.T) {
	f := newFake(t)
	for _, list := range [][]Checkpoint{
		{{"", "file:///x"}}, {{"a", ""}}, {{"a", "file:///x"}, {"a", "file:///y"}},
	} {
		opts := f.options()
		opts.Checkpoints = list
		_, err := Collectors(opts, nil)
		wantHint(t, err)
	}
}
