package spark

import (
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/kube"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	maxEnded  = 100             // runs of one application whose end is remembered
	replacedT = 2 * time.Minute // in which another source may say how a run ended
)

// ending is how a run ended.
type ending struct{ status, reason string }

// The endings that need no source to tell.
func replaced() ending { return ending{"unknown", "replaced"} } // another run took its place
func lost() ending     { return ending{"unknown", "lost"} }     // no driver answers any more

// endedRun is what a source says of a run that is over.
type endedRun struct {
	who    found
	run    string // its id
	ending ending
	final  *final // where its last figures can be read; nil for nowhere
}

// final is a run on a History Server.
type final struct {
	ui      *lakespark.UI
	run     lakespark.Run
	version string
	older   bool // it began before we did
	tries   int  // to read it
}

// finished counts the runs of one application that ended.
type finished struct {
	counts  map[ending]float64
	ended   []string // ids of runs that were counted, the newest last
	pending map[string]time.Time
	final   []final  // to be read
	filled  []string // ids of runs that were read, or will be
}

// end counts a run once, whoever else tells of its end later.
func (f *finished) end(run string, how ending) {
	delete(f.pending, run)
	if run == "" || slices.Contains(f.ended, run) {
		return
	}
	if f.counts == nil {
		f.counts = map[ending]float64{}
	}
	f.counts[how]++
	if f.ended = append(f.ended, run); len(f.ended) > maxEnded {
		f.ended = f.ended[1:]
	}
}

// over says that a run has ended, and that somebody may still say how.
func (f *finished) over(run string, now time.Time) {
	if run == "" || slices.Contains(f.ended, run) {
		return
	}
	if f.pending == nil {
		f.pending = map[string]time.Time{}
	}
	if _, known := f.pending[run]; !known && len(f.pending) < maxEnded {
		f.pending[run] = now
	}
}

// settle counts what nobody told more of.
func (f *finished) settle(now time.Time) {
	for run, since := range f.pending {
		if now.Sub(since) >= replacedT {
			f.end(run, replaced())
		}
	}
}

// later has the last figures of a run read when there is time, once.
func (f *finished) later(run string, last *final) {
	if last == nil || len(f.final) >= maxRuns || slices.Contains(f.filled, run) {
		return
	}
	f.final = append(f.final, *last)
	if f.filled = append(f.filled, run); len(f.filled) > maxEnded {
		f.filled = f.filled[1:]
	}
}

// podEnding tells how a driver's pod ended; ok is false while it lives.
func podEnding(p kube.Pod) (how ending, at time.Time, ok bool) {
	if p.Phase != "Succeeded" && p.Phase != "Failed" {
		return ending{}, time.Time{}, false
	}
	how = ending{"failed", "error"}
	if p.Phase == "Succeeded" {
		how = ending{"succeeded", "completed"}
	}
	if strings.EqualFold(p.Reason, "Evicted") || strings.Contains(p.Reason, "Preempt") {
		return ending{"failed", "evicted"}, at, true
	}
	for _, t := range p.Terminated {
		if t.Finished.After(at) {
			at = t.Finished
		}
		switch {
		case t.Reason == "OOMKilled":
			how = ending{"failed", "oom"}
		case p.Phase == "Failed" && (t.ExitCode == 137 || t.ExitCode == 143) && how.reason == "error":
			how = ending{"failed", "killed"} // by SIGKILL or SIGTERM, but not for its memory
		}
	}
	return how, at, true
}

// masterEnding tells how an application of a standalone cluster ended.
func masterEnding(state string) ending {
	switch state {
	case "FINISHED":
		return ending{"succeeded", "completed"}
	case "KILLED":
		return ending{"failed", "killed"}
	case "FAILED":
		return ending{"failed", "error"}
	}
	return ending{"unknown", "unknown"}
}

// historyEnding is all that an event log says: the application wrote its end.
func historyEnding() ending { return ending{"finished", "unknown"} }
