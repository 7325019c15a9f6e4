package spark

import (
	"strings"

	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/metrics"
)

// maxExecutors bounds how many executors of one run are remembered.
const maxExecutors = 10_000

// work is what an executor counts over its life.
type work struct {
	done, failed         float64 // tasks
	millis, gc           float64
	input, read, written float64 // bytes
	active               bool
}

func workOf(e lakespark.Executor) work {
	return work{
		done: e.DoneTasks.Value(), failed: e.FailedTasks.Value(),
		millis: e.TaskMillis.Value(), gc: e.GCMillis.Value(),
		input: e.InputBytes.Value(), read: e.ShuffleRead.Value(), written: e.ShuffleWrite.Value(),
		active: e.Active,
	}
}

// executors is how the executors of a run stand now.
type executors struct {
	active, excluded, dead int
	slots, busy            float64
	memory                 []memory // of those that run tasks
	driver                 []memory // of a driver that runs none
	gcRatio                float64
}

// memory is one kind of memory.
type memory struct {
	kind     string
	sum, max float64
}

// executors takes the list in: how things stand, and what was added to the
// totals since the last one. A run that is older than we are begins at zero.
func (s *state) executors(r *runState, list []lakespark.Executor) {
	now := &executors{}
	all := map[string]*memory{}
	seen := make(map[string]bool, len(list))
	for _, e := range list {
		seen[e.ID] = true
		isDriver := e.ID == lakespark.Driver
		runsTasks := !isDriver || e.MaxTasks.Value() > 0
		gcRatio := s.addWork(r, e)
		switch {
		case isDriver && !runsTasks:
			now.driver = driverMemory(e.Peak)
			continue
		case !e.Active:
			now.dead++
			continue
		case e.Excluded:
			now.excluded++
		default:
			now.active++
		}
		now.gcRatio = max(now.gcRatio, gcRatio)
		now.slots += e.MaxTasks.Value()
		now.busy += e.ActiveTasks.Value()
		addMemory(all, e.Peak)
	}
	for _, kind := range memoryKinds() {
		if m := all[kind]; m != nil {
			now.memory = append(now.memory, *m)
		}
	}
	s.vanished(r, seen)
	r.baseline.executors = true
	s.now = now
}

// addWork adds what an executor did since it was last seen, and returns the
// share of garbage collection in it.
func (s *state) addWork(r *runState, e lakespark.Executor) (gcRatio float64) {
	last, known := r.executors[e.ID]
	is := workOf(e)
	if !known && len(r.executors) >= maxExecutors {
		return 0
	}
	r.executors[e.ID] = is
	if d := is.millis - last.millis; d > 0 {
		gcRatio = min(max(is.gc-last.gc, 0)/d, 1)
	}
	if r.older && !r.baseline.executors {
		return gcRatio
	}
	t := &s.totals
	t.tasksDone += max(is.done-last.done, 0)
	t.tasksFailed += max(is.failed-last.failed, 0)
	t.input += max(is.input-last.input, 0)
	t.shuffleRead += max(is.read-last.read, 0)
	t.shuffleWritten += max(is.written-last.written, 0)
	if !is.active && (!known || last.active) && e.ID != lakespark.Driver {
		t.removed[removedClass(e.RemoveReason)]++
	}
	return gcRatio
}

// vanished counts executors that left the list without a word: Spark forgets
// dead ones (spark.ui.retainedDeadExecutors).
func (s *state) vanished(r *runState, seen map[string]bool) {
	for id, last := range r.executors {
		if seen[id] {
			continue
		}
		if last.active && id != lakespark.Driver {
			s.totals.removed[metrics.RemovedOther]++
		}
		delete(r.executors, id)
	}
}

// removedClass sorts what Spark and its cluster managers write into classes.
func removedClass(reason string) string {
	text := strings.ToLower(reason)
	for _, c := range []struct {
		class string
		words []string
	}{
		{metrics.RemovedOOM, []string{
			"oom", "outofmemory", "out of memory", "exit code 137", "exit code: 137", "code 137", "exceeding memory limits",
			"exit code 52", "code 52",
		}},
		{metrics.RemovedEvicted, []string{"evict", "preempt"}},
		{metrics.RemovedDecommissioned, []string{"decommission", "killed by driver", "idle"}},
		{metrics.RemovedLost, []string{
			"heartbeat", "disassociated", "lost", "timed out", "not found in the cluster", "deleted", "unreachable",
			"connection", "missing",
		}},
	} {
		for _, w := range c.words {
			if strings.Contains(text, w) {
				return c.class
			}
		}
	}
	return metrics.RemovedOther
}

// memoryKinds are the kinds in the order in which they are shown.
func memoryKinds() []string { return []string{"heap", "off_heap", "unified", "rss", "python"} }

func addMemory(all map[string]*memory, p lakespark.PeakMemory) {
	rss := p.JVMRSS.Value() + p.PythonRSS.Value() + p.OtherRSS.Value()
	for kind, v := range map[string]float64{
		"heap": p.Heap.Value(), "off_heap": p.OffHeap.Value(),
		"unified": p.OnHeapUse.Value() + p.OffUse.Value(), "rss": rss, "python": p.PythonRSS.Value(),
	} {
		if v == 0 && (kind == "rss" || kind == "python") {
			continue // Spark is not told to measure the process tree
		}
		m := all[kind]
		if m == nil {
			m = &memory{kind: kind}
			all[kind] = m
		}
		m.sum += v
		m.max = max(m.max, v)
	}
}

func driverMemory(p lakespark.PeakMemory) []memory {
	all := map[string]*memory{}
	addMemory(all, p)
	var out []memory
	for _, kind := range []string{"heap", "off_heap", "rss"} {
		if m := all[kind]; m != nil {
			out = append(out, *m)
		}
	}
	return out
}
